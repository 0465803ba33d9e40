"""How long work tells how far it has come: a bar with its rate and the time that remains."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

type Tell = Callable[[int, int], None]


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Tell]:
    """Yield what to tell `(done, of)` to; nothing is shown where nobody looks, or `quiet` is asked for."""
    with bar(quiet=quiet) as say:
        yield lambda done, of: say(what, done, of)


@contextmanager
def bar(*, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what to tell `(what, done, of)` to."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where somebody looks
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=1, rate="")

        def say(what: str, done: int, of: int) -> None:
            speed = shown.tasks[0].speed
            rate = f"{speed:,.0f} a second" if speed else ""
            shown.update(task, description=what, completed=done, total=max(of, 1), rate=rate)

        yield say
