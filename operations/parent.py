"""End with the parent: a supervised program must not outlive its supervisor, however that one ended."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Ask the kernel for a SIGTERM when the parent ends; end now if it has ended already.

    Only Linux knows how; elsewhere a supervisor that is killed leaves its programs to be ended by hand.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(0)
