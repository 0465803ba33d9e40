"""Any commands in any order: decided twice they change nothing more, and what they sell is never oversold."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from commands.capacity import Places, Window, most_taken
from commands.decider import Command, Refusal
from commands.devices import SyncDevice
from commands.eligibility import GrantEligibility, WithdrawEligibility
from commands.exemptions import EndExemption, GrantExemption
from commands.incidents import AmendIncident, CloseIncident, LinkIncident, NoteIncident, OpenIncident
from commands.permit_life import (
    CancelPermit,
    ReinstatePermit,
    RenewPermit,
    ReportPermitLost,
    RevokePermit,
    SuspendPermit,
    TransferPermit,
)
from commands.permit_plates import AddPlate, CorrectPlateAssociation, RemovePlate, SelectActivePlate
from commands.permit_types import OfferPermitType
from commands.permits import PurchasePermit
from commands.policies import AdoptPolicy
from commands.reads import ConfirmPossibleMatch, CorrectPlateRead, DenyPossibleMatch, RecordPlateRead
from commands.registry import COMMANDS
from commands.right_collection import KnownRights
from commands.right_intervals import nominal_spans
from commands.right_plates import carried_plates
from commands.sessions import EndSession, ExtendSession, StartSession
from commands.waitlist import (
    AcceptWaitlistPlace,
    JoinWaitlist,
    LapseWaitlistPlace,
    LeaveWaitlist,
    OfferWaitlistPlace,
)
from commands.watchlist import AddWatchlistEntry, CancelWatchlistEntry
from commands.zones import CloseZone, OpenZone, SetZoneRules
from event_store.memory import MemoryLog
from events.envelope import Append
from events.permits import PermitTypeOffered
from events.zones import ZoneOpened, ZoneRule
from tests.commands.right_stories import A, B, C, at
from write_api.execute import execute, settle

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "at": st.integers(0, 40).map(lambda n: at(10 * n)),
    "zone": st.sampled_from(["F", "G"]),
    "zones": st.sampled_from([("F",), ("G",), ("F", "G")]),
    "timezone": st.just("America/Toronto"),
    "capacity": st.sampled_from([None, 1, 2]),
    "rules": st.sampled_from([(), (ZoneRule("NO_PERMIT", "permit"),)]),
    "policy": st.sampled_from(["p", "q"]),
    "values": st.sampled_from([{}, {"max_active": 2}]),
    "permit": st.sampled_from(["T1", "T2", "T3"]),
    "permit_type": st.sampled_from([None, "R"]),
    "account": st.sampled_from(["ann", "bob", "cas"]),
    "eligibility": st.sampled_from([None, "staff"]),
    "plates": st.sampled_from([(A,), (B,), (A, B), (C,)]),
    "plate": st.sampled_from([A, B, C]),
    "candidate": st.sampled_from([A, B, C]),
    "corrects": st.sampled_from([None, A, B, 4, 5]),
    "session": st.sampled_from(["S1", "S2", "S3"]),
    "minutes": st.sampled_from([10, 60, 200]),
    "exemption": st.sampled_from(["E1", "E2"]),
    "read": st.sampled_from(["r1", "r2"]),
    "device": st.sampled_from(["H1", "H2"]),
    "online": st.booleans(),
    "list_version": st.sampled_from([1, 5]),
    "entry": st.sampled_from(["W1", "W2"]),
    "reason": st.just("because"),
    "incident": st.just("I"),
    "summary": st.sampled_from(["one", "two"]),
    "price": st.just(100),
    "term_days": st.just(1),
    "max_plates": st.just(2),
    **{name: st.none() | st.integers(0, 40).map(lambda n: at(10 * n)) for name in ("effective_at", "until")},
    "retroactive_to": st.none() | st.integers(0, 40).map(lambda n: at(10 * n)),
}
LEFT_OPEN = {"RenewPermit": {"price"}, "PurchasePermit": {"price"}, "RecordPlateRead": {"session"}}
MINUTES_ONLY = {StartSession, ExtendSession}

KINDS: tuple[type[Command], ...] = (
    *(OpenZone, SetZoneRules, CloseZone, AdoptPolicy, OfferPermitType),
    *(GrantEligibility, WithdrawEligibility),
    *(JoinWaitlist, OfferWaitlistPlace, AcceptWaitlistPlace, LapseWaitlistPlace, LeaveWaitlist),
    *(PurchasePermit, RenewPermit, AddPlate, RemovePlate, SelectActivePlate, CorrectPlateAssociation),
    *(SuspendPermit, RevokePermit, CancelPermit, ReinstatePermit, TransferPermit, ReportPermitLost),
    *(StartSession, ExtendSession, EndSession, GrantExemption, EndExemption),
    *(RecordPlateRead, CorrectPlateRead, ConfirmPossibleMatch, DenyPossibleMatch, SyncDevice),
    *(AddWatchlistEntry, CancelWatchlistEntry),
    *(OpenIncident, NoteIncident, LinkIncident, AmendIncident, CloseIncident),
)


def _of(kind: type[Command], *more: str) -> st.SearchStrategy[Command]:
    skipped = set(more) | LEFT_OPEN.get(kind.__name__, set()) | ({"until"} if kind in MINUTES_ONLY else set())
    fields = {name: FIELDS[name] for name in kind.model_fields if name in FIELDS and name not in skipped}
    if "permit_type" in fields and kind is not PurchasePermit:
        fields["permit_type"] = st.just("R")
    if "eligibility" in fields and kind is not OfferPermitType:
        fields["eligibility"] = st.just("staff")
    if kind is OfferPermitType:
        fields["zones"] = st.just(("F", "G"))
    if kind is PurchasePermit:
        fields["valid_until"] = st.sampled_from([at(100), at(300), at(600)])
    return st.fixed_dictionaries(fields).map(lambda said: kind(**said))


def _prospective(kind: type[Command]) -> st.SearchStrategy[Command]:
    """Leave out reinstatements that reach back: what others held meanwhile is past, and stays as it was."""
    return _of(kind, *(("effective_at", "retroactive_to") if kind is ReinstatePermit else ()))


commands = st.lists(st.sampled_from(KINDS).flatmap(_of), min_size=1, max_size=25)

SET_UP = (
    ZoneOpened(at=at(0), zone="F", name="F", timezone="America/Toronto", capacity=2),
    ZoneOpened(at=at(0), zone="G", name="G", timezone="America/Toronto"),
    PermitTypeOffered(
        at=at(0), permit_type="R", zones=("F", "G"), price=1, term_days=1, capacity=1, max_plates=2
    ),
)


def _played(story: Sequence[Command]) -> MemoryLog:
    """Decide every command on the log, and again at once: the second time nothing may be left to do."""
    log = MemoryLog()
    log.append(Append(SET_UP, UUID(int=1)))
    for number, command in enumerate(story, start=2):
        decider = COMMANDS[type(command).__name__]
        try:
            execute(log, decider, command, UUID(int=number))
        except Refusal:
            continue
        facts, _, _ = settle(log, decider, command)
        assert list(decider.decide(command, facts)) == [], f"{command!r} was not done by its own outcome"
    return log


@settings(max_examples=60, deadline=None)
@given(commands)
def test_a_command_decided_twice_changes_nothing_more(story: list[Command]) -> None:
    _played(story)


SELLING = (
    *(PurchasePermit, RenewPermit, CancelPermit, RevokePermit, ReinstatePermit, SuspendPermit),
    *(StartSession, ExtendSession, EndSession, AddPlate, RemovePlate),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SELLING).flatmap(_prospective), min_size=3, max_size=30))
def test_nothing_is_oversold_and_no_plate_has_two_permits_of_a_zone(story: list[Command]) -> None:
    known = KnownRights().grown(e for e in _played(story).read().entries if e.position > 2)  # type: ignore[misc]
    always = Window(at(-1), None)
    assert most_taken(Places("zone", "F", 2), always, known) <= 2
    assert most_taken(Places("permit_type", "R", 1), always, known) <= 1
    permits = [right for right in known.rights.values() if right.kind == "permit"]
    for plate in (A, B, C):
        carried = [
            (zone, max(start, since), end if until is None else min(end or until, until))
            for right in permits
            for since, until in carried_plates(right).get(plate, ())
            for start, end, _ in nominal_spans(right)
            for zone in right.zones
        ]
        held = sorted((z, s, e) for z, s, e in carried if e is not None and s < e)
        for (zone, _, end), (other, start, _) in pairwise(held):
            assert zone != other or end <= start, story
