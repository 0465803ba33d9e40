"""The lock of a build: whoever has it writes that table, a runner or a rebuild; it ends with the session."""

from typing import Any

import psycopg
from psycopg import Connection

from projections.projection import Projection

NOTICED_WITHIN = "2s"
"""By when the server has noticed that a session is over."""

_NUMBER = "hashtextextended('parkledger view ' || %s, 0)"


def lock(connection: Connection[Any], projection: Projection) -> bool:
    """Take the lock of a build, unless somebody else has it."""
    row = connection.execute(
        f"SELECT pg_try_advisory_lock({_NUMBER})".encode(), [projection.label]
    ).fetchone()
    return row is not None and bool(row[0])


def lock_shared(connection: Connection[Any], projection: Projection) -> bool:
    """Take a build together with others who share its keys, unless somebody has it alone."""
    row = connection.execute(
        f"SELECT pg_try_advisory_lock_shared({_NUMBER})".encode(), [projection.label]
    ).fetchone()
    return row is not None and bool(row[0])


def unlock_shared(connection: Connection[Any], projection: Projection) -> None:
    """Let go of a build that others share."""
    connection.execute(f"SELECT pg_advisory_unlock_shared({_NUMBER})".encode(), [projection.label])


def unlock(connection: Connection[Any], projection: Projection) -> None:
    """Let go of the lock of a build."""
    connection.execute(f"SELECT pg_advisory_unlock({_NUMBER})".encode(), [projection.label])


def lock_rebuild(connection: Connection[Any], name: str) -> bool:
    """Take the lock of those who rebuild a read model, unless somebody else does.

    Waits for a moment: the server notices a little later than we do that a process which had it is gone.
    """
    connection.execute(f"SET lock_timeout = '{NOTICED_WITHIN}'".encode())
    try:
        connection.execute(
            "SELECT pg_advisory_lock(hashtextextended('parkledger rebuild ' || %s, 0))", [name]
        )
    except psycopg.errors.LockNotAvailable:
        return False
    finally:
        connection.execute("RESET lock_timeout")
    return True
