"""Run several programs as one: started together, started again when they die, stopped together.

The supervisor holds the listening sockets, so that a connection made while a program starts again waits
instead of being refused, and so that a port that is taken is found out before anything has begun.
"""

import errno
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from types import FrameType

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY = 30.0
"""Seconds after which a program that dies counts as having run well."""
HEARTBEAT = 0.05
"""Seconds between two looks at the programs."""
BACKLOG = 2048
_LOG = logging.getLogger(__name__)


class PortTaken(OSError):
    """Another program listens on the port already."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to start: a name for log lines, a command, and what it inherits."""

    name: str
    command: Sequence[str]
    sockets: Sequence[socket.socket] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def listen(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that listens; connections queue in it until somebody accepts them.

    Args:
        host: address to listen on.
        port: port to listen on.
        setting: the setting that names the port, for the sentence in case of trouble.

    Raises:
        PortTaken: with a sentence that says what to do.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            taken = f"Port {port} is taken by another program (or another ParkLedger)"
            raise PortTaken(f"{taken}. Stop it, or set {setting} to a free port.") from error
        raise PortTaken(
            f"{host}:{port} cannot be listened on ({error.strerror}). Set PARKLEDGER_HOST to an address of"
            f" this machine, or {setting} to a port that this user may listen on."
        ) from error
    listening.listen(BACKLOG)
    return listening


class _Running:
    """One program and its life so far."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.failures = 0
        self.start_after = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0

    def start(self) -> None:
        inherited = [one.fileno() for one in self.program.sockets]
        self.started = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - the project's own commands
            self.program.command,
            env=os.environ | dict(self.program.environment),
            stdin=subprocess.DEVNULL,
            pass_fds=inherited,
            start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor, who stops them in order
        )

    def look(self) -> None:
        """Start the program if it is time; take note if it has died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_after:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        self.process = None
        self.failures = 0 if now - self.started > STEADY else self.failures + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self.failures)
        self.start_after = now + pause
        _LOG.warning("%s ended with status %s; starting it again in %.1f s", self.program.name, status, pause)


class Supervisor:
    """Keeps programs running until it is told to stop by SIGTERM, SIGINT or `stop()`."""

    def __init__(self, programs: Sequence[Program], drain_seconds: float) -> None:
        """Take the programs in the order of their start; they are stopped in the reverse order."""
        self._running = [_Running(program) for program in programs]
        self._drain = drain_seconds
        self._stopping = Event()

    def stop(self, number: int = signal.SIGTERM, _: FrameType | None = None) -> None:
        """End `run` soon; usable as a signal handler."""
        _LOG.info("stopping (%s)", signal.Signals(number).name)
        self._stopping.set()

    def run(self) -> None:
        """Keep all running until a signal comes; for the main thread of a process."""
        before = {number: signal.signal(number, self.stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self.keep()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def keep(self) -> None:
        """Start all, keep them running, and return when `stop` was called and all have ended."""
        try:
            while not self._stopping.wait(HEARTBEAT):
                for running in self._running:
                    running.look()
        finally:
            self._stop_all()

    def pids(self) -> dict[str, list[int]]:
        """Return the process ids of what runs now, by the name of the program."""
        found: dict[str, list[int]] = {}
        for running in self._running:
            if running.process is not None:
                found.setdefault(running.program.name, []).append(running.process.pid)
        return found

    def _stop_all(self) -> None:
        alive = [one.process for one in reversed(self._running) if one.process is not None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + self._drain + 2.0
        for process in alive:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _LOG.warning("a program did not stop within %.0f s and is killed", self._drain)
                process.kill()
                process.wait()
