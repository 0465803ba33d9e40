"""Scenario files run: each story on a database of its own, a directory's files beside each other."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from replay.scenario import ask_citations, ask_kpis, ask_money, ask_rights, ask_story
from replay.scenario.asking import ANY_KEYS, QUERIES, Asked, CannotBeAskedYet, NoSuchThing, check, instants_of
from replay.scenario.comparing import agrees, is_nothing, shown
from replay.scenario.databases import Databases
from replay.scenario.document import Document, Scalar, Unusable, as_written
from replay.scenario.story import Expectation, Scenario, read_scenario
from replay.scenario.world import World

AREAS = (ask_citations, ask_kpis, ask_money, ask_rights, ask_story)
"""The modules that register questions, one an area; a new one is named here."""

SUFFIXES = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one expectation: the question as it was asked, and whether the answer held."""

    line: int
    question: str
    holds: bool
    expected: str
    got: str

    @property
    def sentence(self) -> str:
        """`holds`, or what differs."""
        return "holds" if self.holds else f"differs: expected {self.expected} got {self.got}"


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one file; `unusable` says why it could not be run."""

    file: Path
    title: str
    verdicts: tuple[Verdict, ...] = ()
    unusable: str | None = None
    kept_in: str | None = None


def files_of(paths: Iterable[Path]) -> list[Path]:
    """Return the scenario files that paths name; a directory names those in it, at any depth, by name."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(f for f in path.rglob("*") if f.suffix in SUFFIXES and f.is_file())
        else:
            found.append(path)
    return found


def run_file(file: Path, databases: Databases) -> Report:
    """Play one file and put its questions."""
    try:
        scenario = read_scenario(file)
        document = Document(file)
        world = World(document, scenario)
        for expectation in scenario.expectations:
            check(document, scenario, expectation)
        with databases.fresh(file) as dsn:
            try:
                world.play(dsn, _instants(document, scenario), _zones(scenario))
                verdicts = tuple(_verdict(world, document, one) for one in scenario.expectations)
            finally:
                world.close()
            return Report(file, scenario.title, verdicts, kept_in=_name(dsn) if databases.keeps else None)
    except Unusable as unusable:
        return Report(file, file.stem, unusable=str(unusable))
    except Exception as fault:  # noqa: BLE001 - one story that cannot be played does not stop the others
        what = f"{file}: the story could not be played: {type(fault).__name__}: {fault}"
        return Report(file, file.stem, unusable=what)


def run_files(files: Sequence[Path], root: Path, workers: int | None = None) -> Iterator[Report]:
    """Run files beside each other on the server at `root`, and yield their reports in order."""
    workers = min(len(files), workers or os.cpu_count() or 1)
    if workers <= 1:
        with Databases.attached(root) as databases:
            yield from (run_file(file, databases) for file in files)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _attach, (root,)) as pool:
        yield from pool.map(_run_attached, files)


_worker = ExitStack()
_databases: list[Databases] = []


def _attach(root: Path) -> None:
    _databases.append(_worker.enter_context(Databases.attached(root)))


def _run_attached(file: Path) -> Report:
    return run_file(file, _databases[-1])


def _verdict(world: World, document: Document, expectation: Expectation) -> Verdict:
    expected = as_written(expectation.answer)
    holds = False
    try:
        answer = QUERIES[expectation.query].ask(Asked(world, document, expectation))
    except NoSuchThing as missing:
        holds, got = is_nothing(expected), f"null: there is no {missing}"
    except CannotBeAskedYet as unknown:
        got = f"nothing: {unknown} cannot be asked yet"
    except Unusable:
        raise
    except Exception as fault:  # noqa: BLE001 - a fault of the product is an answer that differs
        got = f"a fault: {type(fault).__name__}: {fault}"
    else:
        holds, got = _holds(world, expectation, expected, answer), _got(expected, answer)
    question = f"{expectation.query} {shown(as_written(expectation.asked))}"
    return Verdict(expectation.line, question, holds, shown(expected), got)


def _holds(world: World, expectation: Expectation, expected: Any, got: Any) -> bool:
    if expectation.query == "refused" and expected == "any":
        return got is not None
    meant = world.means(expectation.query, _in_full(expectation, expected, got))
    return agrees(meant, got, expectation.query)


def _in_full(expectation: Expectation, expected: Any, got: Any) -> Any:
    """Return what is expected as a mapping where the answer is one: a value alone is of its first key."""
    keys = QUERIES[expectation.query].answers
    alone = isinstance(got, Mapping) and not isinstance(expected, Mapping) and expected is not None
    return {keys[0]: expected} if alone and keys and keys != ANY_KEYS else expected


def _got(expected: Any, got: Any) -> str:
    """Return an answer as far as the expectation names it."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return shown({key: got.get("order" if key in {"includes", "excludes"} else key) for key in expected})
    return shown(got)


def _name(dsn: str) -> str:
    return str(conninfo_to_dict(dsn)["dbname"])


def _instants(document: Document, scenario: Scenario) -> list[Any]:
    return [instant for one in scenario.expectations for instant in instants_of(document, scenario, one)]


def _zones(scenario: Scenario) -> set[str]:
    named = (one.asked.entries.get("zone") for one in scenario.expectations)
    return {node.text.strip() for node in named if isinstance(node, Scalar)}
