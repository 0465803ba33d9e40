from typing import Any

from commands.decider import fact_of
from commands.devices import SyncDevice
from commands.reads import (
    ConfirmPossibleMatch,
    CorrectPlateRead,
    DenyPossibleMatch,
    NoSuchRead,
    RecordPlateRead,
)
from commands.watchlist import (
    AddWatchlistEntry,
    CancelWatchlistEntry,
    NoSuchWatchlistEntry,
    WatchlistEntryExists,
    WatchlistPlateUnreadable,
)
from commands.zones import NoSuchZone
from events.reads import (
    DeviceSynced,
    PlateRead,
    PlateReadCorrected,
    PossibleMatchConfirmed,
    PossibleMatchDenied,
    Shown,
)
from events.security import WatchlistEntryAdded, WatchlistEntryCancelled, WatchlistHit
from events.zones import ZoneClosed, ZoneOpened
from tests.commands.given_when_then import given
from tests.commands.right_stories import A, B, at

ZONE = ZoneOpened(at=at(-1000), zone="F", name="F", timezone="America/Toronto")
WATCHED = WatchlistEntryAdded(at=at(-50), entry="W", plate=A, reason="stolen")


def seen(plate: str = A, minutes: float = 0, device: str = "H3", **more: Any) -> PlateRead:
    return PlateRead(at=at(minutes), read="r1", plate=plate, zone="F", device=device, **more)


def recording(plate: str = A, minutes: float = 0, device: str = "H3", **more: Any) -> RecordPlateRead:
    return RecordPlateRead(at=at(minutes), read="r1", plate=plate, zone="F", device=device, **more)


def hit(plate: str = A, minutes: float = 0, *, stale: bool = False) -> WatchlistHit:
    return WatchlistHit(at=at(minutes), entry="W", read="r1", plate=plate, stale=stale)


def cancelled(minutes: float) -> WatchlistEntryCancelled:
    return WatchlistEntryCancelled(at=at(minutes), entry="W")


class TestRecording:
    def test_a_read_is_recorded_with_what_the_screen_showed(self) -> None:
        shown = Shown("no_right", 41)
        given(ZONE).when(recording(shown=shown, raw="cktr 482", confidence=0.9)).then(
            seen(shown=shown, raw="cktr 482", confidence=0.9)
        )

    def test_a_read_says_what_its_command_says_field_for_field(self) -> None:
        assert RecordPlateRead.model_fields.keys() == PlateRead.model_fields.keys()
        (event,) = given(ZONE).when(recording(candidates=("A", "B"), direction="entry")).events
        assert (
            event.payload()
            == fact_of(recording(candidates=("A", "B"), direction="entry"), PlateRead).payload()
        )
        assert event.tags() == ("read:r1", f"plate:{A}", "zone:F", "device:H3")

    def test_the_same_read_of_the_same_device_adds_nothing_whatever_it_says(self) -> None:
        given(ZONE, seen()).when(recording(plate=B)).then()

    def test_the_same_id_of_another_device_is_another_read(self) -> None:
        given(ZONE).beside(seen(device="H4")).when(recording()).then(seen())

    def test_a_read_that_was_corrected_before_it_was_sent_again_adds_nothing(self) -> None:
        correction = PlateReadCorrected(at=at(5), read="r1", plate=B, was=A)
        given(ZONE, seen()).beside(correction).when(recording()).then()

    def test_a_read_is_of_a_zone_that_was_opened_if_only_once(self) -> None:
        given().when(recording()).then(NoSuchZone)
        given(ZONE).beside(ZoneClosed(at=at(-1), zone="F")).when(recording()).then(seen())

    def test_an_unreadable_plate_is_recorded_and_alerts_on_nothing(self) -> None:
        given(ZONE).when(recording(plate="ZZ ?")).then(seen(plate="ZZ ?"))


class TestAlerts:
    def test_a_read_of_a_watchlisted_plate_raises_a_hit_at_once(self) -> None:
        given(ZONE, WATCHED).when(recording()).then(seen(), hit())

    def test_an_entry_alerts_from_when_it_was_added_until_it_expires(self) -> None:
        ends = WATCHED.model_copy(update={"expires": at(0)})
        given(ZONE, ends).when(recording()).then(seen())
        given(ZONE, WATCHED).when(recording(minutes=-51)).then(seen(minutes=-51))

    def test_a_cancelled_entry_alerts_nobody_who_is_online(self) -> None:
        given(ZONE, WATCHED, cancelled(-10)).when(recording()).then(seen())
        given(ZONE, WATCHED, cancelled(10)).when(recording()).then(seen(), hit())

    def test_a_device_that_did_not_know_of_the_cancellation_raises_a_stale_hit(self) -> None:
        before = DeviceSynced(at=at(-40), device="H3", list_version=2)
        facts = (ZONE, WATCHED, before, cancelled(-10))
        given(*facts).when(recording(online=False)).then(seen(online=False), hit(stale=True))
        after = DeviceSynced(at=at(-9), device="H3", list_version=4)
        given(*facts, after).when(recording(online=False)).then(seen(online=False))

    def test_without_a_sync_the_list_version_of_the_read_tells_what_the_device_knew(self) -> None:
        facts = (ZONE, WATCHED, cancelled(-10))
        old, new = {"online": False, "list_version": 2}, {"online": False, "list_version": 3}
        given(*facts).when(recording(**old)).then(seen(**old), hit(stale=True))
        given(*facts).when(recording(**new)).then(seen(**new))

    def test_a_correction_to_a_watchlisted_plate_raises_a_hit(self) -> None:
        command = CorrectPlateRead(at=at(5), read="r1", plate=A, basis="image")
        correction = PlateReadCorrected(at=at(5), read="r1", plate=A, was=B, basis="image")
        given(WATCHED, seen(plate=B)).when(command).then(correction, hit())


class TestOpinions:
    def test_a_correction_names_what_it_corrects(self) -> None:
        given(seen()).when(CorrectPlateRead(at=at(5), read="r1", plate=B)).then(
            PlateReadCorrected(at=at(5), read="r1", plate=B, was=A)
        )
        first = PlateReadCorrected(at=at(5), read="r1", plate=B, was=A)
        given(seen(), first).when(CorrectPlateRead(at=at(6), read="r1", plate=A)).then(
            PlateReadCorrected(at=at(6), read="r1", plate=A, was=B)
        )

    def test_a_possible_match_is_confirmed_or_denied(self) -> None:
        confirm = ConfirmPossibleMatch(at=at(5), read="r1", candidate=B)
        deny = DenyPossibleMatch(at=at(6), read="r1", candidate=B)
        confirmed = PossibleMatchConfirmed(at=at(5), read="r1", candidate=B)
        given(seen()).when(confirm).then(confirmed)
        given(seen(), confirmed).when(deny).then(PossibleMatchDenied(at=at(6), read="r1", candidate=B))

    def test_what_is_told_late_is_told_once(self) -> None:
        confirmed = PossibleMatchConfirmed(at=at(15), read="r1", candidate=B)
        denied = PossibleMatchDenied(at=at(5), read="r1", candidate=B)
        deny = DenyPossibleMatch(at=at(5), read="r1", candidate=B)
        given(seen(), confirmed).when(deny).then(denied)
        given(seen(), confirmed, denied).when(deny).then()
        later = PlateReadCorrected(at=at(15), read="r1", plate=B, was=A)
        late = PlateReadCorrected(at=at(5), read="r1", plate="ON CCC333", was=A)
        correct = CorrectPlateRead(at=at(5), read="r1", plate="ON CCC333")
        given(seen(), later).when(correct).then(late)
        given(seen(), later, late).when(correct).then()

    def test_there_is_no_opinion_of_a_read_that_is_not_there(self) -> None:
        given().when(CorrectPlateRead(at=at(5), read="r1", plate=B)).then(NoSuchRead)
        given().when(ConfirmPossibleMatch(at=at(5), read="r1", candidate=B)).then(NoSuchRead)
        given().when(DenyPossibleMatch(at=at(5), read="r1", candidate=B)).then(NoSuchRead)


class TestWatchlist:
    def test_an_entry_is_added_once(self) -> None:
        command = AddWatchlistEntry(at=at(-50), entry="W", plate=A, reason="stolen")
        given().when(command).then(WATCHED)
        given(WATCHED).when(command.model_copy(update={"plate": B})).then(WatchlistEntryExists)
        given().when(command.model_copy(update={"plate": "ON ?"})).then(WatchlistPlateUnreadable)

    def test_an_entry_is_cancelled_once(self) -> None:
        command = CancelWatchlistEntry(at=at(0), entry="W", reason="found")
        given(WATCHED).when(command).then(
            WatchlistEntryCancelled(at=at(0), entry="W", plate=A, reason="found")
        )
        given().when(command).then(NoSuchWatchlistEntry)


def test_a_device_syncs_as_often_as_it_likes() -> None:
    command = SyncDevice(at=at(0), device="H3", list_version=7, clock_offset_seconds=200)
    synced = DeviceSynced(at=at(0), device="H3", list_version=7, clock_offset_seconds=200)
    given().when(command).then(synced)
    assert given(synced).when(command.model_copy(update={"at": at(1)})).events
