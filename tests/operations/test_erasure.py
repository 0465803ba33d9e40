"""What the log says is erased is erased, also by an automation that begins after a crash, and no more."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from event_store.codec import Codec
from event_store.postgres import PostgresLog
from event_store.vault import Vault
from event_store.verifying import verify
from events.appeals import AppealFiled
from events.base import Event
from events.boundary import on
from events.citations import CitationIssued
from events.envelope import Append
from events.permits import PermitPurchased
from events.privacy import SubjectErased
from events.security import IncidentOpened
from events.vocabulary import REDACTED, Plate
from operations.automation import Automation
from projections.connection import connect
from projections.timeline import timeline

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLATE = Plate("ON A1")
PERMIT = PermitPurchased(
    at=NOON - DAY,
    permit="T-1",
    account="A-1",
    zones=("F",),
    plates=(PLATE,),
    valid_from=NOON - DAY,
    valid_until=NOON + 300 * DAY,
)
_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from event_store.postgres import PostgresLog
from event_store.sealing import Buckets
from operations.automation import Automation

destroy = Buckets.destroy

def and_die(self, bucket):
    destroy(self, bucket)
    os.kill(os.getpid(), signal.SIGKILL)

Buckets.destroy = and_die
Automation(PostgresLog(sys.argv[1])).act(datetime(2026, 3, 5, 12, tzinfo=UTC))
"""


def put(log: PostgresLog, *events: Event) -> None:
    for event in events:
        log.append(Append([event], uuid4()))


def cited(number: int) -> tuple[Event, Event]:
    at = NOON + number * DAY
    return (
        CitationIssued(
            at=at, citation=f"PV-{number}", plate=PLATE, zone="F", code="NO_PERMIT", kind="warning"
        ),
        AppealFiled(at=at, appeal=f"AP-{number}", citation=f"PV-{number}", statement=f"Words {number}."),
    )


def statements(log: PostgresLog) -> list[Any]:
    return [entry.event.statement for entry in log.read(on(AppealFiled)).entries]


def test_a_crash_between_two_keys_loses_nothing(log: PostgresLog, dsn: str) -> None:
    put(log, PERMIT, *cited(1), *cited(2))
    put(log, IncidentOpened(at=NOON, incident="I-1", account="A-1", summary="Complained."))
    put(log, SubjectErased(at=NOON, account="A-1"))
    keys = ("account:A-1", "citation:PV-1", "citation:PV-2")
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, dsn], cwd=Path(__file__).parents[2], check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    vault = Vault.of(dsn)
    assert [vault.key(key) is None for key in keys].count(True) == 1
    for _ in range(2):
        assert Automation(log).act(NOON) == 0
        assert [Vault.of(dsn).key(key) for key in keys] == [None, None, None]
        assert statements(log) == [REDACTED, REDACTED]
    assert verify(dsn).holds


def test_what_came_after_the_erasure_outlives_every_start_and_a_second_request_ends_it(
    log: PostgresLog, dsn: str
) -> None:
    put(log, PERMIT, *cited(1), SubjectErased(at=NOON, account="A-1"))
    Automation(log).act(NOON)
    put(log, *cited(2))
    for _ in range(2):
        Automation(log).act(NOON)
        assert statements(log) == [REDACTED, "Words 2."]
    put(log, SubjectErased(at=NOON, account="A-1"))
    Automation(log).act(NOON)
    assert statements(log) == [REDACTED, REDACTED]
    assert Vault.of(dsn).key("citation:PV-2") is None


def test_a_late_appeal_against_an_erased_citation_keeps_no_words(log: PostgresLog) -> None:
    put(log, PERMIT, cited(1)[0], SubjectErased(at=NOON, account="A-1"))
    Automation(log).act(NOON)
    put(log, cited(1)[1])
    assert statements(log) == [REDACTED]


def test_the_story_of_the_citation_shows_that_words_were_there_and_nothing_of_them(
    log: PostgresLog, dsn: str
) -> None:
    put(log, PERMIT, *cited(1), SubjectErased(at=NOON, account="A-1"))
    Automation(log).act(NOON)
    with connect(dsn) as connection:
        told = timeline(connection, Codec.over(connection), citation="PV-1")
    appealed = next(entry for entry in told.entries if entry.type == "AppealFiled")
    assert appealed.fields == {"appeal": "AP-1", "citation": "PV-1", "level": 1, "statement": REDACTED}
