import pytest
from pydantic import ValidationError

from commands.exemptions import (
    EndExemption,
    ExemptionAlreadyGranted,
    ExemptionSpanEmpty,
    GrantExemption,
    NoSuchExemption,
)
from commands.permit_facts import ZoneFull
from commands.plates_permitted import PlateUnreadable
from commands.sessions import (
    EndSession,
    ExtendSession,
    ExtensionEndsTooSoon,
    NoSuchSession,
    SessionAlreadyStarted,
    SessionNotInForce,
    SessionSpanOutOfRange,
    StartSession,
)
from commands.zones import NoSuchZone
from events.permits import PermitPurchased
from events.sessions import (
    ExemptionEnded,
    ExemptionGranted,
    SessionEnded,
    SessionExtended,
    SessionStarted,
)
from events.zones import ZoneOpened
from tests.commands.given_when_then import given
from tests.commands.right_stories import A, B, at


def opened(capacity: int | None = None) -> ZoneOpened:
    return ZoneOpened(at=at(-1000), zone="F", name="F", timezone="America/Toronto", capacity=capacity)


def started(session: str = "S", start: float = 0, until: float = 60, plate: str = A) -> SessionStarted:
    return SessionStarted(
        at=at(start), session=session, plate=plate, zone="F", start=at(start), until=at(until)
    )


START = StartSession(at=at(0), session="S", plate=A, zone="F", until=at(60))


class TestStarting:
    def test_a_session_starts_now_until_then_or_for_so_many_minutes(self) -> None:
        given(opened()).when(START).then(started())
        minutes = StartSession(at=at(0), session="S", plate=A, zone="F", minutes=60)
        given(opened()).when(minutes).then(started())

    def test_a_session_says_until_when_once(self) -> None:
        for more in ({}, {"until": at(60), "minutes": 60}):
            with pytest.raises(ValidationError, match="until"):
                StartSession(at=at(0), session="S", plate=A, zone="F", **more)

    def test_a_session_of_that_name_is_started_once(self) -> None:
        given(opened(), started()).when(START.model_copy(update={"plate": B})).then(SessionAlreadyStarted)

    def test_a_session_needs_an_open_zone_a_plate_and_a_span(self) -> None:
        given().when(START).then(NoSuchZone)
        given(opened()).when(START.model_copy(update={"plate": "ZZ ?"})).then(PlateUnreadable)
        given(opened()).when(START.model_copy(update={"until": at(0)})).then(SessionSpanOutOfRange)
        given(opened()).when(START.model_copy(update={"until": at(400 * 1440)})).then(SessionSpanOutOfRange)

    def test_a_zone_without_a_capacity_does_not_look_at_other_sessions(self) -> None:
        given(opened()).beside(started("S2", plate=B)).when(START).then(started())

    def test_a_zone_is_never_oversold(self) -> None:
        given(opened(1), started("S2", plate=B)).when(START).then(ZoneFull)
        given(opened(2), started("S2", plate=B)).when(START).then(started())
        permit = PermitPurchased(at=at(0), permit="K", zones=("F",), valid_from=at(0), valid_until=at(9))
        given(opened(1), permit).when(START).then(ZoneFull)

    def test_a_session_that_ended_early_frees_its_place(self) -> None:
        before = started("S2", start=-30, until=30, plate=B)
        ended = SessionEnded(at=at(-1), session="S2")
        given(opened(1), before, ended).when(START).then(started())

    def test_an_extension_keeps_the_place_though_it_names_no_zone(self) -> None:
        before = started("S2", start=-60, until=-1, plate=B)
        longer = SessionExtended(at=at(-10), session="S2", until=at(20))
        given(opened(1), before, longer).when(START).then(ZoneFull)
        named = longer.model_copy(update={"zone": "F"})
        given(opened(1), before, named).when(START).then(ZoneFull)


class TestExtending:
    def test_a_session_is_extended_while_it_runs(self) -> None:
        longer = SessionExtended(at=at(50), session="S", until=at(90), zone="F")
        given(opened(), started()).when(ExtendSession(at=at(50), session="S", until=at(90))).then(longer)
        given(opened(), started()).when(ExtendSession(at=at(50), session="S", minutes=30)).then(longer)

    def test_what_is_over_is_not_extended(self) -> None:
        late = ExtendSession(at=at(60), session="S", until=at(90))
        given(opened(), started()).when(late).then(SessionNotInForce)
        ended = SessionEnded(at=at(10), session="S")
        soon = ExtendSession(at=at(20), session="S", until=at(90))
        given(opened(), started(), ended).when(soon).then(SessionNotInForce)
        given().when(soon).then(NoSuchSession)

    def test_an_extension_makes_it_longer(self) -> None:
        shorter = ExtendSession(at=at(20), session="S", until=at(59))
        given(opened(), started()).when(shorter).then(ExtensionEndsTooSoon)

    def test_an_extension_does_not_take_a_place_that_was_given_away(self) -> None:
        after = started("S2", start=60, until=120, plate=B)
        command = ExtendSession(at=at(50), session="S", until=at(90))
        given(opened(1), started(), after).when(command).then(ZoneFull)
        given(opened(2), started(), after).when(command).then(
            SessionExtended(at=at(50), session="S", until=at(90), zone="F")
        )


class TestEnding:
    def test_a_session_ends_before_its_time(self) -> None:
        given(started()).when(EndSession(at=at(20), session="S")).then(
            SessionEnded(at=at(20), session="S", until=at(20))
        )

    def test_a_session_that_is_over_needs_no_end(self) -> None:
        given(started()).when(EndSession(at=at(60), session="S")).then()
        given().when(EndSession(at=at(60), session="S")).then(NoSuchSession)


class TestExemptions:
    GRANT = GrantExemption(at=at(0), exemption="E", plate=A, zone="F", until=at(60), reason="film crew")
    GRANTED = ExemptionGranted(at=at(0), exemption="E", plate=A, zone="F", until=at(60), reason="film crew")

    def test_an_exemption_is_granted_once(self) -> None:
        given(opened()).when(self.GRANT).then(self.GRANTED)
        other = self.GRANT.model_copy(update={"plate": B})
        given(opened(), self.GRANTED).when(other).then(ExemptionAlreadyGranted)

    def test_an_exemption_may_hold_everywhere_and_for_good(self) -> None:
        given().when(GrantExemption(at=at(0), exemption="E", plate=A)).then(
            ExemptionGranted(at=at(0), exemption="E", plate=A)
        )

    def test_an_exemption_needs_an_open_zone_and_a_span(self) -> None:
        given().when(self.GRANT).then(NoSuchZone)
        given(opened()).when(self.GRANT.model_copy(update={"until": at(0)})).then(ExemptionSpanEmpty)

    def test_an_exemption_is_ended_once(self) -> None:
        command = EndExemption(at=at(20), exemption="E", reason="wrapped")
        given(self.GRANTED).when(command).then(
            ExemptionEnded(at=at(20), exemption="E", plate=A, zone="F", reason="wrapped")
        )
        given(self.GRANTED).when(command.model_copy(update={"at": at(60)})).then()
        given().when(command).then(NoSuchExemption)
