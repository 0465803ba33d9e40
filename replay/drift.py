"""Looking for drift on demand: all keys of some read models, or a sample of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import SystemRandom
from typing import Any

from psycopg import Connection

from event_store.codec import Codec
from projections.connection import connect
from projections.drifting import (
    Drifted,
    check,
    keys_at,
    keys_of_log,
    keys_of_table,
    live,
    without_rows,
)
from projections.projection import Projection
from replay.pages import head_of

SIZE = 500
"""Keys that are folded again at a time."""
_SOME_ROWS = "SELECT key FROM views.{} TABLESAMPLE SYSTEM (%s) ORDER BY random() LIMIT %s"
_ROWS = "SELECT greatest(reltuples, 1)::float8 FROM pg_class WHERE oid = %s::regclass"
_PAGEFUL = 200


@dataclass(frozen=True, slots=True)
class Proved:
    """A build of a read model, how many of its keys were folded again, and the rows that differ."""

    build: Projection
    keys: int
    position: int
    drifted: Sequence[Drifted]


def look_for_drift(
    dsn: str,
    projections: Sequence[Projection],
    *,
    sample: int | None = None,
    codec: Codec | None = None,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> list[Proved]:
    """Fold all keys (or a random sample of so many of each model) again, and compare.

    `tell(keys, of)` hears how many keys were checked, and of how many as far as that is known.
    """
    found: list[Proved] = []
    done = 0
    with connect(dsn, name="parkledger drift") as connection:
        for build in live(connection, projections):
            keys, position = 0, 0
            drifted: list[Drifted] = []
            for part in _parts(connection, build, sample, codec):
                checked = check(connection, build, part, codec)
                keys, position = keys + checked.keys, checked.position
                drifted += checked.drifted
                done += checked.keys
                tell(done, max(done, (sample or 0) * len(projections)))
            found.append(Proved(build, keys, position, drifted))
    return found


def _parts(
    connection: Connection[Any], build: Projection, sample: int | None, codec: Codec | None
) -> Iterator[Sequence[str]]:
    if sample is not None:
        yield from _sampled(connection, build, sample)
        return
    after = ""
    while keys := keys_of_table(connection, build, after, SIZE):
        yield keys
        after = keys[-1]
    for kind in sorted(build.rooted):
        after = ""
        while keys := keys_of_log(connection, kind, after, SIZE, codec):
            yield without_rows(connection, build, keys)
            after = keys[-1]


def _sampled(connection: Connection[Any], build: Projection, sample: int) -> Iterator[Sequence[str]]:
    """Yield keys of random rows, and keys of random events, whether they have rows or not."""
    row = connection.execute(_ROWS, [f"views.{build.table_name}"]).fetchone()
    share = min(100.0, 100.0 * (sample + _PAGEFUL) / (row[0] if row else 1.0))
    rows = connection.execute(_SOME_ROWS.format(build.table_name).encode(), [share, sample]).fetchall()
    chosen = dict.fromkeys(str(row[0]) for row in rows)
    head, random = head_of(connection), SystemRandom()
    positions = [random.randint(1, head) for _ in range(4 * sample)] if head else []
    told = keys_at(connection, build, positions)
    random.shuffle(told)
    half = list(chosen)[: max(sample // 2, sample - len(told))]
    whole = list(dict.fromkeys([*half, *told]))[:sample]
    for start in range(0, len(whole), SIZE):
        yield whole[start : start + SIZE]
