"""What the log keeps of an event, and how it is read again years later."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

import pytest

from event_store.codec import Codec, NewerEvent, Row, Unstorable, canonical, canonical_again
from event_store.postgres import PostgresLog
from events.base import CATALOGUE, Event, UnknownEvent
from events.boundary import on
from events.envelope import Append
from events.reads import Place, PlateRead
from events.zones import ZoneRule, ZoneRulesSet
from tests.contracts.facts import NINE, PLATE, permit, read


def row(name: str, payload: bytes, version: int = 1) -> Row:
    return (1, name, version, NINE, datetime.now(UTC), payload, "a", "b", UUID(int=1), None, None)


def test_a_payload_is_sorted_without_blanks_and_without_what_was_left_open() -> None:
    event = PlateRead(
        at=NINE, read="r1", plate=PLATE, zone="F", device="H0", place=Place(latitude=43.5), direction="entry"
    )
    assert Codec().encode(event).payload == (
        b'{"device":"H0","direction":"entry","online":true,"place":{"latitude":43.5},'
        b'"plate":"ON CKTR482","read":"r1","zone":"F"}'
    )


def test_fields_left_open_are_left_out_at_any_depth() -> None:
    rules = (ZoneRule("P", "permit", days=("mon",), start=time(8)), ZoneRule("N", "no_parking"))
    event = ZoneRulesSet(at=NINE, zone="F", effective_from=NINE, rules=rules)
    payload = Codec().encode(event).payload
    assert b"null" not in payload
    assert json.loads(payload) == event.payload()


def test_the_digest_is_the_sha_256_of_the_payload() -> None:
    kept = Codec().encode(permit())
    assert kept.digest == sha256(kept.payload).digest()


def test_the_spelling_of_the_database_comes_back_to_the_canonical_bytes() -> None:
    assert canonical_again(b'{"b": [1.0, 2], "a": "x"}') == b'{"a":"x","b":[1.0,2]}'


def test_a_negative_zero_which_the_database_does_not_know_is_zero() -> None:
    assert canonical({"a": [-0.0, 1.5], "b": {"c": -0.0}}) == b'{"a":[0.0,1.5],"b":{"c":0.0}}'
    assert canonical({"a": "x-0.0y"}) == b'{"a":"x-0.0y"}'


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "\\\x00"])
def test_nul_is_refused(text: str) -> None:
    with pytest.raises(Unstorable, match="NUL"):
        canonical({"a": text})


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "a\\b\\u0000c", "\\u0041"])
def test_what_only_looks_like_nul_is_kept(text: str) -> None:
    assert json.loads(canonical({"a": text})) == {"a": text}


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(Unstorable, match="surrogate"):
        canonical({"a": "\ud800"})


def test_an_unknown_wire_name_is_named() -> None:
    with pytest.raises(UnknownEvent, match="ParkingDreamt"):
        Codec().revive(row("ParkingDreamt", b"{}"))


def test_a_version_from_the_future_asks_for_an_upgrade() -> None:
    with pytest.raises(NewerEvent, match="upgrade"):
        Codec().revive(row("PlateRead", b"{}", version=9))


@pytest.fixture
def dented() -> Iterator[type[Event]]:
    """An event in its third version: a field was renamed, then another was added."""

    class VehicleDented(Event):
        version: ClassVar[int] = 3
        upcasts: ClassVar[dict[int, Any]] = {
            1: lambda fields: {"depth_mm": fields.pop("depth"), **fields},
            2: lambda fields: {**fields, "side": "left"},
        }
        depth_mm: int
        side: str

    yield VehicleDented
    del CATALOGUE["VehicleDented"]


def test_older_versions_are_raised_step_by_step(dented: type[Event]) -> None:
    expected = dented.model_validate({"at": NINE, "depth_mm": 4, "side": "left"})
    assert Codec().revive(row("VehicleDented", b'{"depth":4}')).event == expected
    assert Codec().revive(row("VehicleDented", b'{"depth_mm":4}', version=2)).event == expected
    assert Codec().encode(expected).version == 3


def test_a_missing_step_is_an_error_and_no_guess(dented: type[Event]) -> None:
    dented.upcasts = {2: lambda fields: fields}
    with pytest.raises(NewerEvent, match="no upcast from version 1"):
        Codec().revive(row("VehicleDented", b"{}"))


class Reversing:
    """A sealer that can be seen at work: it turns personal texts round."""

    keyed: frozenset[str] = frozenset({"plate"})

    def seal(self, event: Event, fields: dict[str, Any]) -> dict[str, Any]:
        return {n: v[::-1] if n in event.personal and isinstance(v, str) else v for n, v in fields.items()}

    def unseal(self, event: type[Event], payload: bytes) -> bytes:
        opened = json.loads(payload)
        return json.dumps(
            {n: v[::-1] if n in event.personal and isinstance(v, str) else v for n, v in opened.items()}
        ).encode()

    def tag(self, tag: str) -> str:
        name, _, value = tag.partition(":")
        return f"{name}:#{value[::-1]}"

    def forget(self, bucket: str) -> None:
        del bucket

    def destroy(self, bucket: str) -> None:
        del bucket


def test_a_sealer_sees_all_personal_data_and_nobody_else_notices(dsn: str) -> None:
    log = PostgresLog(dsn, codec=Codec(Reversing()))
    appended = log.append(Append([read("r1"), read("r2", "QC B2")], UUID(int=1)))
    assert appended.position == 2
    found = log.read(on(PlateRead, plate="QC B2", zone="F"))
    assert [entry.event for entry in found.entries] == [read("r2", "QC B2")]
    log.close()
    plain = PostgresLog(dsn, codec=Codec())
    [page] = plain.pages()
    assert b"284RTKC" in page[0][5]
    assert b"CKTR482" not in page[0][5]
    assert plain.read(on(PlateRead, plate="QC B2")).entries == []
    assert [e.position for e in plain.read(on(PlateRead, plate="#2B CQ")).entries] == [2]
    plain.close()


def test_reviving_gives_an_event_that_equals_the_one_appended() -> None:
    event = permit("T-1", "ON A1", "QC B2")
    kept = Codec().encode(event)
    assert Codec().revive(row(kept.type, kept.payload)).event == event
