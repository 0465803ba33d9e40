"""Threads that give way: what they work out may take a moment longer, so that nobody else waits for it.

A report takes milliseconds to seconds of a core. Whoever cites or looks up meanwhile, in this process or
another one of this machine, comes first.
"""

import contextlib
import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

NICENESS = 5
"""How far such a thread steps back (`nice`): to a third of the share of others, where cores are scarce."""


class Calm:
    """A few threads that give way; close them at the end."""

    def __init__(self, threads: int) -> None:
        """Begin threads when they are needed, `threads` at most."""
        self._own = threading.local()
        self._pool = ThreadPoolExecutor(threads, "reports", initializer=self._begin)

    def _begin(self) -> None:
        self._own.calm = True
        with contextlib.suppress(OSError):  # where the system does not let threads differ, they are as others
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)

    def submit[A](self, work: Callable[[], A]) -> Future[A]:
        """Return what will become of the work, in one of the threads; it keeps the caller's context."""
        return self._pool.submit(contextvars.copy_context().run, work)

    def run[A](self, work: Callable[[], A]) -> A:
        """Return what comes of the work, done here where this is such a thread."""
        return work() if getattr(self._own, "calm", False) else self.submit(work).result()

    def close(self) -> None:
        """End when what was begun is done."""
        self._pool.shutdown(cancel_futures=True)
