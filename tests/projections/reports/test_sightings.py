"""What reads say of stays does not depend on how the log was cut, nor on when a read or a correction came."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from commands.stays import Sighting, stay
from projections.reports.sightings import COLUMNS, SAID, SIGHTINGS, Known, Sightings, corrected

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
KNOWN = Known(SIGHTINGS, f'(select read_position, "position" from {SIGHTINGS} where again)', "said")

type Event = dict[str, Any]


def told(seed: int, count: int = 120) -> list[Event]:
    """Reads of a few vehicles in two zones, mostly in order, and corrections of some of them."""
    chance = random.Random(seed)  # noqa: S311 - a story, not a secret
    events: list[Event] = []
    for number in range(count):
        late = chance.choice((0, 0, 0, 0, 700, 9000))
        events.append(
            {
                "type": "PlateRead", "read": f"r{number}", "plate": chance.randrange(1, 5),
                "at": NOON + timedelta(minutes=90 * number - late, seconds=number),
                "zone": chance.choice("FFG"), "device": "H",
                "direction": chance.choice(("none",) * 5 + ("exit", "entry")),
                "place": chance.choice((None, None, 71, 72)),
            }
        )  # fmt: skip
        if chance.random() < 0.15:
            of = f"r{chance.randrange(number + 3)}"
            kind = {"type": "PlateReadCorrected", "plate": chance.randrange(1, 5)}
            match = {"type": "PossibleMatchConfirmed", "candidate": chance.randrange(1, 5)}
            events.append({"read": of, "at": NOON + timedelta(days=20), **chance.choice((kind, match))})
    return [event | {"position": number + 1} for number, event in enumerate(events)]


def table(events: Sequence[Event]) -> pa.Table:
    kinds = {
        "position": pa.int64(), "type": pa.string(), "at": pa.timestamp("us", "UTC"), "read": pa.string(),
        "plate": pa.uint64(), "candidate": pa.uint64(), "zone": pa.string(), "device": pa.string(),
        "direction": pa.string(), "place": pa.uint64(),
    }  # fmt: skip
    return pa.table({name: pa.array([e.get(name) for e in events], kind) for name, kind in kinds.items()})


def kept(events: Sequence[Event], cuts: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """The newest row of each read, by its position, where the log was cut after these positions."""
    positions = {event["read"]: event["position"] for event in events if event["type"] == "PlateRead"}
    with duckdb.connect() as database:
        database.execute("set timezone to 'UTC'")
        stated = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        database.execute(f"create table {SIGHTINGS} ({stated})")
        database.execute(
            "create table said (read varchar, vehicle ubigint, occurred timestamptz, position bigint)"
        )
        sightings, after = Sightings(database), 0
        for upto in (*cuts, len(events)):
            part = table(events[after:upto])
            database.register("part", part)
            said = SAID.format(at='"at"', events="part")
            database.execute(f"insert into said {said} where type <> 'PlateRead'")
            database.unregister("part")
            moved = {at: read for read in corrected(part) if (at := positions.get(read, upto)) <= after}
            fresh = sightings.of(part, KNOWN, moved, after, upto)
            assert fresh["position"].to_pylist() == sorted(fresh["position"].to_pylist())
            database.register("fresh", fresh)
            database.execute(f"insert into {SIGHTINGS} by name from fresh")
            database.unregister("fresh")
            after = upto
        rows = database.execute(
            f"select read_position, vehicle, zone, occurred, since, stays, place_since from {SIGHTINGS} "
            'qualify row_number() over (partition by read_position order by "position" desc) = 1'
        ).fetchall()
    return {row[0]: row[1:] for row in rows}


@pytest.mark.parametrize("seed", range(12))
def test_rows_are_the_same_however_the_log_is_cut(seed: int) -> None:
    events = told(seed)
    whole = kept(events, ())
    assert len(whole) == sum(event["type"] == "PlateRead" for event in events)
    for size in (1, 7, 40):
        assert kept(events, range(size, len(events), size)) == whole, size


@pytest.mark.parametrize("seed", range(12))
def test_rows_make_the_stays_that_an_officer_is_told(seed: int) -> None:
    events = told(seed)
    rows = kept(events, range(11, len(events), 11))
    said = {event["position"]: (event.get("direction", "none"), event.get("place")) for event in events}
    ours: dict[tuple[int, str, datetime], datetime] = {}
    begun: dict[tuple[int, datetime], datetime] = {}
    for vehicle, zone, occurred, since, stays, _ in sorted(rows.values(), key=lambda row: row[2]):
        if stays:
            begun[vehicle, occurred] = begin = occurred if since is None else begun[vehicle, since]
            ours[vehicle, zone, begin] = occurred
    theirs: dict[tuple[int, str, datetime], datetime] = {}
    for vehicle in {row[0] for row in rows.values()}:
        seen = [
            Sighting(str(at), row[1], row[2], at, said[at][0], said[at][1] and str(said[at][1]))
            for at, row in rows.items()
            if row[0] == vehicle
        ]
        for sighting in sorted(seen, key=lambda one: one.at):
            found = stay(seen, sighting.zone, sighting.at)
            if found is not None:
                theirs[vehicle, sighting.zone, found.since] = found.until
    assert ours == theirs
