"""Processes that a test may kill: forked from one that has imported what they run, so they begin at once."""

from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from event_store.archive import Archive, writing
from event_store.archive_hash import keyed
from event_store.archive_store import LocalStore
from projections.registry import PROJECTIONS
from projections.reports.archivist import Archivist
from projections.runner import Runner

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def archivist(dsn: str, root: Path, key: bytes, rows: int) -> BaseProcess:
    """Return a process that writes an archive, as soon as it is about to begin."""
    hears, says = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_archive, args=(says, dsn, root, key, rows))
    process.start()
    says.close()
    with hears:
        assert hears.recv() == "ready"
    return process


def _archive(says: Connection, dsn: str, root: Path, key: bytes, rows: int) -> None:
    with writing(dsn):
        one = Archivist(dsn, Archive(LocalStore(root)), keyed(key), rows=rows)
        says.send("ready")
        one.catch_up()


def runner(dsn: str, page_size: int) -> BaseProcess:
    """Return a process that keeps the read models up."""
    process = _FORKS.Process(target=_run, args=(dsn, page_size))
    process.start()
    return process


def _run(dsn: str, page_size: int) -> None:
    Runner(dsn, PROJECTIONS, page_size=page_size).run()
