"""Folding the log into new builds: one pass for all, or the models shared among several processes.

Each process makes a pass of its own over the events of its models. That gains where folding is the work: all
models together, on a machine with a core to spare. A single model is not shared: its keys hang together
(a permit and its payment), so each process would read and revive most of the log for a part of the rows.
"""

import multiprocessing
import os
import resource
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from psycopg import Connection

from event_store.codec import Codec
from operations.memory import uncollected
from operations.parent import end_with_parent
from projections import builds
from projections.connection import connect
from projections.fold import Whole
from projections.history import Page
from projections.projection import Projection
from replay.pages import ahead
from replay.watching import EVERY, Watch

_KIB = 1024
WORTH = 200_000
"""Events from which on several models are shared among processes."""
_COUNTS = "SELECT count(*) FROM log.events WHERE type = ANY(%s) AND position <= %s"
_FOLDED = "SELECT min(folded) FROM views.rebuilds WHERE name = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Share:
    """What is read: a log up to a position, so many positions at a time, and in how much memory."""

    dsn: str
    upto: int
    page: int
    memory: int
    codec: Codec | None = None


def worthwhile(events: int) -> int:
    """Return how many processes are worth their start, which takes as long as folding some 100,000 events."""
    return os.cpu_count() or 1 if events >= WORTH else 1


def shared(
    connection: Connection[Any], fresh: Sequence[Projection], processes: int
) -> list[list[Projection]]:
    """Return the models in at most so many groups, whose numbers of events are as even as can be."""
    if processes <= 1 or len(fresh) <= 1:
        return [list(fresh)]
    head = 2**62
    weights = {
        build.name: connection.execute(_COUNTS, [sorted(build.types), head]).fetchall()[0][0]
        for build in fresh
    }
    groups: list[list[Projection]] = [[] for _ in range(min(processes, len(fresh)))]
    loads = [0] * len(groups)
    for build in sorted(fresh, key=lambda build: -weights[build.name]):
        least = loads.index(min(loads))
        groups[least].append(build)
        loads[least] += weights[build.name] + 1
    return groups


def fold_into(
    connection: Connection[Any], asked: Share, fresh: Sequence[Projection], watch: Watch
) -> set[str]:
    """Fold the log into new builds, and write them; return those that fitted into memory as a whole.

    What did not fit stands at the position that it came to, whole up to there.
    """
    folds = [(build, Whole(build)) for build in fresh]
    types = sorted({name for build in fresh for name in build.types})
    last: Page | None = None
    with uncollected():
        for page in ahead(asked.dsn, types, asked.upto, asked.page, asked.codec):
            for _, fold in folds:
                fold.take(page.entries)
            last = page
            watch.folded(page.upto)
            if resident() > asked.memory:
                break
    if last is not None:
        for build, fold in folds:
            watch.step(build, "writing")
            builds.fill(connection, build, fold.changes, last.upto, last.recorded)
    return {build.label for build in fresh} if last is None or last.upto >= asked.upto else set()


def in_processes(
    connection: Connection[Any], asked: Share, groups: Sequence[Sequence[Projection]], watch: Watch
) -> set[str]:
    """Fold each group in a process of its own, which ends with this one."""
    context = multiprocessing.get_context("spawn")
    names = [build.name for group in groups for build in group]
    with ProcessPoolExecutor(len(groups), context, end_with_parent, (os.getpid(),)) as pool:
        told = [[build.identity for build in group] for group in groups]
        futures = [pool.submit(_fold_group, asked, group) for group in told]
        while wait(futures, EVERY).not_done:
            row = connection.execute(_FOLDED, [names]).fetchone()
            watch.heard(row[0] if row and row[0] else 0)
        return set[str]().union(*(future.result() for future in futures))


def resident() -> int:
    """Return the bytes of memory that this process has, by its peak."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


def _fold_group(asked: Share, identities: Sequence[tuple[str, int, int]]) -> set[str]:
    """Fold some builds of the registry's models, in a process of its own."""
    from operations.memory import settle_memory  # noqa: PLC0415 - not where a rebuild runs in one process
    from projections.registry import PROJECTIONS  # noqa: PLC0415

    models = {projection.name: projection for projection in PROJECTIONS}
    group = [replace(models[name], build=build) for name, _, build in identities]
    settle_memory()
    watch = Watch()
    with connect(asked.dsn, name="parkledger rebuild") as connection, watch.beside(asked.dsn, group):
        connection.execute("SET synchronous_commit TO off")
        return fold_into(connection, asked, group, watch)
