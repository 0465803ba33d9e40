"""What readers notice of a rebuild, and what it costs to ask as of any moment of a long log, over HTTP."""

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Self

import psycopg

from benchmarks.harness import Sample, at_most, emit, figure, interleaved, note
from benchmarks.http import served
from benchmarks.lookups import ours_command, peer_command
from benchmarks.mixed import EVERY, START
from benchmarks.replay_rebuilding import _REBUILD
from operations.identity import Role
from operations.keys import mint
from operations.settings import Settings
from projections.registry import PROJECTIONS
from projections.runner import Runner

BENCH = "replay"
CLIENTS = 4
ASKED = 2_000
AT_MOST = 1_000
"""Timelines that can be asked for in a second: so many are new to the process in each second of a round."""
OPEN = 200
"""Citations that a dispute desk has open, and asks for again and again."""


def meanwhile(root: Path, dsn: str, seconds: float, rounds: int) -> None:
    """Ask whether vehicles may stand, before a rebuild and during one."""
    Runner(dsn, PROJECTIONS).catch_up()
    note("asking before and during a rebuild")
    with Asking(root / "meanwhile", dsn) as asking:
        questions = asking.written("now", Role.DEVICE, _standing(dsn, None))
        pairs = interleaved(
            lambda: _during(asking, dsn, questions, seconds),
            lambda: asking.ask(questions, seconds),
            rounds,
        )
    what = "look-ups during a rebuild: p99"
    emit(figure(BENCH, what, pairs, "p99_ms", unit="ms", other_name="before it", goal=at_most(2)))


def _during(asking: "Asking", dsn: str, questions: Path, seconds: float) -> Sample:
    """Ask while read models are rebuilt over and over, as the command does it: with low priority."""
    command = ["nice", "-n", "10", sys.executable, "-c", _REBUILD, dsn, "validity", "sightings"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as rebuilding:
        found = asking.ask(questions, seconds)
        rebuilding.terminate()
    return found


def as_of(root: Path, large: str, small: str, most: int, few: int, seconds: float, rounds: int) -> None:
    """Ask as of random moments of a long log and of a short one, and for timelines."""
    for dsn in (large, small):
        Runner(dsn, PROJECTIONS).catch_up()
    note("asking as of random moments")
    with Asking(root / "large", large) as long, Asking(root / "small", small) as short:
        now = long.written("now", Role.DEVICE, _standing(large, None))
        then = long.written("then", Role.DEVICE, _standing(large, most))
        there = short.written("then", Role.DEVICE, _standing(small, few))
        pairs = interleaved(lambda: long.ask(then, seconds), lambda: long.ask(now, seconds), rounds)
        what = f"as-of look-up, log of {most:,} events: p50"
        emit(figure(BENCH, what, pairs, "p50_ms", unit="ms", other_name="current look-up", goal=at_most(1.5)))
        pairs = interleaved(lambda: long.ask(then, seconds), lambda: short.ask(there, seconds), rounds)
        other = f"log of {few:,} events"
        emit(figure(BENCH, what, pairs, "p50_ms", unit="ms", other_name=other, goal=at_most(1.3)))
        timelines(long, large, most, seconds, rounds)


def timelines(asking: "Asking", dsn: str, events: int, seconds: float, rounds: int) -> None:
    """Ask for timelines that nobody asked for before, and then for the same few again."""
    one = asking.written("one", Role.AUDITOR, _events(events))
    paths = _timelines(dsn, int(seconds * AT_MOST) * rounds + OPEN)
    slices = [paths[n:-OPEN:rounds] for n in range(rounds)]
    fresh = iter([asking.written(f"first-{n}", Role.AUDITOR, some) for n, some in enumerate(slices)])
    short = min(seconds, len(slices[0]) / AT_MOST)  # before they come again
    first = interleaved(lambda: asking.ask(next(fresh), short), lambda: asking.ask_peer(one, short), rounds)
    again = asking.written("again", Role.AUDITOR, paths[-OPEN:])
    asking.ask(again, seconds)
    known = interleaved(lambda: asking.ask(again, seconds), lambda: asking.ask_peer(one, seconds), rounds)
    for what, pairs in (("asked for first", first), ("asked for again", known)):
        emit(
            figure(
                BENCH, f"a citation's timeline, log of {events:,} events, {what}: p50", pairs, "p50_ms",
                unit="ms", other_name="FastAPI, an event by primary key", goal=at_most(3),
            )
        )  # fmt: skip


class Asking:
    """The read API and the peer on one database, and clients who ask them."""

    def __init__(self, root: Path, dsn: str) -> None:
        """Serve in a directory of its own."""
        root.mkdir()
        self._root = root
        self._settings = Settings(data=root, dsn=dsn)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Start both."""
        ours, peer = self._root / "ours.log", self._root / "peer.log"
        self._port = self._stack.enter_context(served(ours_command, self._settings, ours))
        self._peer = self._stack.enter_context(served(peer_command, self._settings, peer))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop both."""
        self._stack.close()

    def written(self, name: str, role: Role, paths: Sequence[str]) -> Path:
        """Write questions to a file, with the header that they carry."""
        file = self._root / f"{name}.txt"
        header = f"authorization: Bearer {mint(self._settings, role)}"
        file.write_text("\n".join(map(json.dumps, [header, *paths])))
        return file

    def ask(self, questions: Path, seconds: float) -> Sample:
        """Return what the clients saw of the read API."""
        return _asked(self._port, questions, seconds)

    def ask_peer(self, questions: Path, seconds: float) -> Sample:
        """Return what the clients saw of the peer."""
        return _asked(self._peer, questions, seconds)


def _asked(port: int, questions: Path, seconds: float) -> Sample:
    command = ["-m", "benchmarks.asking", str(port), str(CLIENTS), str(seconds), str(questions)]
    done = subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    if found["refused"]:
        raise RuntimeError(f"{found['refused']:g} questions were refused")
    return found


def _standing(dsn: str, head: int | None) -> list[str]:
    """Return questions about vehicles with a right, now or at and as known at random moments since then."""
    chance = random.Random(7)  # noqa: S311 - the same questions each time
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT plate, zone, known_from FROM views.validity WHERE kind = 'permit' ORDER BY key LIMIT %s",
            [ASKED],
        ).fetchall()
    questions = []
    for name, zone, since in rows:
        moment = ""
        if head is not None:
            position = chance.randint(since, head)
            at = START + position * EVERY + timedelta(minutes=5)
            moment = f"&at={at:%Y-%m-%dT%H:%M:%SZ}&known={position}"
        questions.append(f"/v1/validity?plate={name.replace(' ', '+')}&zone={zone}{moment}")
    return questions


def _timelines(dsn: str, count: int) -> list[str]:
    """Return questions for the timelines of so many citations, if there are as many."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT DISTINCT citation FROM views.citations LIMIT %s", [count])
        return [f"/v1/citations/{row[0]}/timeline" for row in rows]


def _events(head: int) -> list[str]:
    chance = random.Random(7)  # noqa: S311 - the same questions each time
    return [f"/v1/events/{chance.randint(1, head)}" for _ in range(ASKED)]
