"""What a fold begins with is found by an index, however long the log is and whatever statistics say of it."""

from typing import Any

import psycopg
import pytest

from projections.history import _COMMON, _HISTORY
from projections.routing import _NEAR

PAST = """
    SET parkledger.appending = 'on';
    INSERT INTO log.events (position, at, recorded, command_id, version, step, type, tags, payload, actor,
        channel, fingerprint, digest)
    SELECT n, now(), now(), gen_random_uuid(), 1, 1, 'PlateRead', ARRAY['plate:' || n % 5000], '{}',
        '', '', '', ''
    FROM generate_series(1, 30000) n;
    INSERT INTO log.tags (tag, type, position) SELECT 'plate:' || n % 5000, 'PlateRead', n
    FROM generate_series(1, 30000) n;
    ANALYZE log.events; ANALYZE log.tags
"""
_AROUND = "SELECT * FROM log.around(%s, %s, %s, %s, '{plate}', 30000, 4)"
"""What stands around a vehicle."""
_HOLDS = "SELECT log.holds(%s, %s, %s)"
"""Whether a condition of an append is broken."""
TOUCHED = 300
"""Pages of 8 kB; the whole log has several times as many."""


def pages(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


@pytest.mark.parametrize(
    ("statement", "asked"),
    [
        (_COMMON, [["PolicyAdopted", "ZoneOpened"], 30_000]),
        (_HISTORY, [["plate:7", "plate:8"], ["PlateRead", "PermitPurchased"], 30_000]),
        (_NEAR, [["plate:7", "plate:8"], ["PlateRead", "PermitPurchased"], 30_000]),
        (_AROUND, ["plate:7", ["PlateRead"], ["plate", "read"], ["PlateRead", "PlateReadCorrected"]]),
        (_HOLDS, [None, ["PolicyAdopted", "ZoneOpened"], 0]),
        (_HOLDS, [["plate:7"], ["PolicyAdopted", "PermitPurchased"], 0]),
        (_HOLDS, [["plate:7", "zone:F"], ["PolicyAdopted", "PermitPurchased"], 0]),
    ],
)
def test_few_events_of_a_long_log_are_read_alone(dsn: str, statement: str, asked: list[Any]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(PAST)
        connection.execute("SET plan_cache_mode TO force_generic_plan")
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) {statement}".encode()
        connection.execute(explained, asked)  # what is read once of the catalogue does not count
        row = connection.execute(explained, asked, prepare=True).fetchone()
    assert row is not None
    assert 0 < pages(row[0][0]["Plan"]) < TOUCHED
