"""Words are sealed under the key of whom they belong to, and gone for good with that key."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from event_store import vault as vaults
from event_store.codec import Codec
from event_store.postgres import PostgresLog
from event_store.subjects import WORDS
from event_store.vault import Vault
from event_store.verifying import verify
from events.appeals import AppealFiled
from events.base import Event
from events.boundary import on
from events.catalogue import CATALOGUE
from events.envelope import Append
from events.privacy import SubjectErased
from events.security import IncidentNoted, IncidentOpened
from events.vocabulary import REDACTED

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
APPEAL = AppealFiled(at=NOON, appeal="AP-1", citation="PV-1", statement="I was at the hospital.")
NOTE = IncidentNoted(at=NOON, incident="I-1", summary="She called back.")
NAMING = IncidentOpened(at=NOON, incident="I-1", account="A-1", summary="She complained.", place="Main St")


@pytest.fixture
def elsewhere(dsn: str) -> Iterator[PostgresLog]:
    """The same log as another process sees it, with a memory of its own."""
    opened = PostgresLog(dsn)
    yield opened
    opened.close()


def put(log: PostgresLog, *events: Event) -> None:
    log.append(Append(events, uuid4()))


def kept(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT payload::text FROM log.events ORDER BY position").fetchall()
    return [row[0] for row in rows]


def keys(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("SELECT bucket FROM vault.keys ORDER BY bucket")]


def read(log: PostgresLog) -> list[Any]:
    return [entry.event for entry in log.read(on(AppealFiled, IncidentOpened, IncidentNoted)).entries]


def test_nothing_of_the_words_stands_in_the_log_and_who_has_the_keys_reads_them(
    log: PostgresLog, elsewhere: PostgresLog, dsn: str
) -> None:
    put(log, APPEAL, NAMING, NOTE)
    assert not any(word in text for text in kept(dsn) for word in ("hospital", "complained", "Main", "back"))
    assert keys(dsn) == ["account:A-1", "citation:PV-1", "incident:I-1"]
    assert read(elsewhere) == [APPEAL, NAMING, NOTE]


def test_destroyed_keys_leave_redacted_words_facts_as_they_were_and_a_log_that_verifies(
    log: PostgresLog, dsn: str
) -> None:
    put(log, APPEAL, NAMING, NOTE)
    for key in ("citation:PV-1", "account:A-1"):
        log.codec.destroy(key)
    appeal, naming, note = read(log)
    assert appeal == APPEAL.model_copy(update={"statement": REDACTED})
    assert naming == NAMING.model_copy(update={"summary": REDACTED, "place": REDACTED})
    assert note == NOTE
    assert verify(dsn).holds


def test_words_that_arrive_after_the_erasure_are_never_kept(log: PostgresLog, dsn: str) -> None:
    log.codec.destroy("citation:PV-1")
    put(log, APPEAL)
    assert "box" not in kept(dsn)[0]
    assert read(log)[0].statement == REDACTED


def test_the_event_alone_closes_what_names_the_account_for_everybody_who_reads_it(
    log: PostgresLog, elsewhere: PostgresLog
) -> None:
    put(log, NAMING)
    assert read(elsewhere) == [NAMING]
    put(log, SubjectErased(at=NOON, account="A-1"))
    elsewhere.read(on(SubjectErased))
    assert read(elsewhere)[0].summary == REDACTED


def test_what_says_nothing_needs_no_key(log: PostgresLog, dsn: str) -> None:
    silent = [
        AppealFiled(at=NOON, appeal="AP-1", citation="PV-1"),
        IncidentOpened(at=NOON, incident="I-1", links=("sealed",)),
    ]
    put(log, *silent)
    assert keys(dsn) == []
    assert read(log) == silent


def test_words_written_before_they_were_sealed_stay_readable(log: PostgresLog, dsn: str) -> None:
    before = PostgresLog(dsn, codec=Codec())
    put(before, APPEAL, NAMING)
    before.close()
    assert "hospital" in kept(dsn)[0]
    assert read(log) == [APPEAL, NAMING]


def test_who_has_no_keys_reads_redacted(log: PostgresLog) -> None:
    put(log, APPEAL)
    [page] = log.pages(after=0)
    assert Codec().revive(page[0]).event == APPEAL.model_copy(update={"statement": REDACTED})


def test_every_text_of_an_account_is_sealed() -> None:
    for name, event in CATALOGUE.items():
        tagged = {field for field, _, _ in event.tagged}
        texts = {field for field, whose in event.personal.items() if whose == "account"} - tagged
        assert texts <= WORDS.get(name, frozenset()), name


def test_a_process_sees_the_keys_that_others_made_and_destroyed(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vaults, "FRESH_FOR", -1.0)
    ours, theirs = Vault.of(dsn), Vault.of(dsn)
    assert ours.key("citation:PV-1") is None
    made = theirs.key_to_seal("citation:PV-1")
    assert made is not None
    assert ours.key("citation:PV-1") == ours.key_to_seal("citation:PV-1") == made
    theirs.destroy("citation:PV-1")
    assert ours.key("citation:PV-1") is None
    assert ours.key_to_seal("citation:PV-1") is None
