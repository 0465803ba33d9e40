"""How far automation has looked at the log again, so that a start does not look at all of it.

Only a saving of time: it is written after the work is in the log, and where it is lost or old, what was done
is found done.
"""

import psycopg

_TABLE = """
CREATE SCHEMA IF NOT EXISTS automation;
CREATE TABLE IF NOT EXISTS automation.reviewed (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), position bigint NOT NULL)
"""
_SAVE = """
INSERT INTO automation.reviewed (position) VALUES (%s)
ON CONFLICT (one) DO UPDATE SET position = greatest(reviewed.position, excluded.position)
"""


class Checkpoint:
    """The position up to which automation has reviewed the log of one database."""

    def __init__(self, dsn: str) -> None:
        """Read it; 0 where nothing was reviewed yet."""
        self._connection = psycopg.connect(dsn, autocommit=True)
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('automation', 0))")
            self._connection.execute(_TABLE)
        row = self._connection.execute("SELECT position FROM automation.reviewed").fetchone()
        self.position: int = row[0] if row else 0

    def save(self, position: int) -> None:
        """Remember a position, unless a later one is remembered."""
        if position > self.position:
            self._connection.execute(_SAVE, [position])
            self.position = position

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()
