"""Days of a small garage: permits of a bounded type, sessions in its zone, and what becomes of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st

from commands.decider import Command, Refusal
from commands.registry import COMMANDS
from event_store.memory import MemoryLog
from write_api.execute import execute

OPENED = datetime(2026, 3, 5, 14, tzinfo=UTC)
TYPE, ZONE = "GARAGE", "G"


def command(name: str, day: float, **fields: Any) -> Command:
    """Return the command, said so many days after the garage was opened."""
    return COMMANDS[name].command(at=OPENED + timedelta(days=day), **fields)


def opened(capacity: int = 2) -> tuple[Command, ...]:
    """Return what opens the garage: so many places of a zone, and as many permits of ten days."""
    terms = {"zones": (ZONE,), "price": 1000, "term_days": 10, "max_plates": 2}
    return (
        command("OpenZone", -1, zone=ZONE, timezone="America/Toronto", capacity=capacity),
        command("OfferPermitType", -1, permit_type=TYPE, capacity=capacity, **terms),
    )


_days = st.integers(0, 60).map(lambda half: half / 2)
_permits = st.sampled_from(["T1", "T2", "T3", "T4", "T5", "T6"])
_plates = st.sampled_from(["ON AAA111", "ON BBB222", "ON CCC333", "ON DDD444"])
_accounts = st.sampled_from(["A", "B", "C"])


def _on_permit(name: str) -> st.SearchStrategy[Command]:
    return st.builds(lambda day, permit: command(name, day, permit=permit), _days, _permits)


def _on_list(name: str) -> st.SearchStrategy[Command]:
    return st.builds(lambda day, who: command(name, day, account=who, permit_type=TYPE), _days, _accounts)


def _on_plate(name: str) -> st.SearchStrategy[Command]:
    return st.builds(
        lambda day, permit, plate: command(name, day, permit=permit, plate=plate), _days, _permits, _plates
    )


_purchases = st.builds(
    lambda day, permit, plate, who: command(
        "PurchasePermit", day, permit=permit, plates=(plate,), permit_type=TYPE, account=who
    ),
    _days,
    _permits,
    _plates,
    _accounts,
)
_sessions = st.builds(
    lambda day, session, plate, hours: command(
        "StartSession", day, session=session, plate=plate, zone=ZONE, minutes=60 * hours
    ),
    _days,
    st.sampled_from(["S1", "S2", "S3"]),
    _plates,
    st.integers(1, 40),
)

commands: st.SearchStrategy[Command] = st.one_of(
    _purchases,
    _purchases,
    _sessions,
    st.builds(lambda day, session: command("EndSession", day, session=session), _days, st.just("S1")),
    *(_on_permit(name) for name in ("RenewPermit", "CancelPermit", "RevokePermit", "ReinstatePermit")),
    *(_on_plate(name) for name in ("AddPlate", "RemovePlate", "SelectActivePlate")),
    *(_on_list(name) for name in ("JoinWaitlist", "OfferWaitlistPlace", "AcceptWaitlistPlace")),
)
"""Something that is asked of the garage, on any of its first thirty days."""


def lived(said: Sequence[Command]) -> MemoryLog:
    """Return the log after these commands, said in this order."""
    log = MemoryLog()
    for one in (*opened(), *said):
        try:
            execute(log, COMMANDS[type(one).__name__], one, uuid4())
        except Refusal:
            continue
    return log


days: st.SearchStrategy[MemoryLog] = st.lists(commands, max_size=14).map(lived)
"""Logs of a garage's days."""
