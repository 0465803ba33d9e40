"""Services that begin at once: forked from a process that has imported their programs already.

A service that is killed a hundred times would otherwise spend the test's time on its imports. What runs is
the same program with the same arguments in a process of its own.
"""

import gc
import json
import os
import random
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from operations.cli import main

PROGRAMS = ("operations.processes", "projections.patrol", "projections.runner", "write_api.app")


class Forked:
    """A process of the nursery, with what the tests need of `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._handle: int | None = None
        with suppress(ProcessLookupError):  # it has ended already
            self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return something once it has ended."""
        return None if self._handle is not None and not self._ended(0) else 1

    def send_signal(self, number: signal.Signals) -> None:
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self) -> None:
        if self._handle is not None and self._ended(None):
            os.close(self._handle)
            self._handle = None

    def _ended(self, timeout: float | None) -> bool:
        return bool(select.select([self._handle], [], [], timeout)[0])


class Nursery:
    """Starts programs by forking."""

    def __init__(self, said: Any, programs: Sequence[str] = PROGRAMS) -> None:
        """Let standard error of all that is started go to the file `said`."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, *programs],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Forked:
        """Run `parkledger` with these arguments."""
        asking, answering = self._process.stdin, self._process.stdout
        assert asking is not None
        assert answering is not None
        asking.write(json.dumps([*arguments, dict(environment)]) + "\n")
        asking.flush()
        return Forked(int(answering.readline()))

    def close(self) -> None:
        self._process.communicate()


def _child(arguments: list[str], environment: dict[str, str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    random.seed()
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    sys.argv = ["parkledger", *arguments]
    main()


def _nurse(programs: Sequence[str]) -> None:
    for program in programs:
        import_module(program)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries who has ended
    for line in sys.stdin:
        *arguments, environment = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _child(arguments, environment)
            sys.exit()
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _nurse(sys.argv[1:])
