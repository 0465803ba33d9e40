"""What nearly every question asks of the archive, kept in memory: the newest row of each thing, a few events.

A thing's rows are only ever added, so what is newest among those up to a position that lies beyond the
archive is newest among these and the tail. Questions as of an older position read the archive's files.
"""

from collections.abc import Callable, Sequence

import duckdb

from event_store.archive import EVENTS
from event_store.archive_manifest import Manifest

KEYS = {"citations": "issued_position", "permits": "permit", "sessions": "session"}
"""The derived data sets, and what tells their things apart."""
DATED = ("citations", "permits")
"""Those whose rows may hold from a later instant; `sole` rows are alone in their version, and always hold."""
FEW = ("ZoneOpened", "PlateReadCorrected", "PossibleMatchConfirmed")
"""Events that say what others are about; there are few of them, and every report looks at them."""

_FRESH = """
    create or replace temp table arrived as
    select *, {sole} as sole from read_parquet({files}, union_by_name = true, hive_partitioning = false)
    where "position" > {after}
"""
_SOLE = "max(holds_from) over (partition by {key}, \"position\") < TIMESTAMPTZ '0001-01-02 00:00:00Z'"


class Newest:
    """Keeps the tables `newest_…` and `few_events` of a database as far as the archive goes."""

    def __init__(self, database: duckdb.DuckDBPyConnection, local: Callable[[str], str]) -> None:
        """Make the tables, of the columns of the tail's; `local` tells where a file of the archive lies."""
        self._database = database
        self._local = local
        self._upto = dict.fromkeys((EVENTS, *KEYS), 0)
        for name in KEYS:
            database.execute(f"create table newest_{name} as select *, true as sole from tail_{name} limit 0")
        database.execute("create table few_events as select * from tail_events limit 0")

    def follow(self, manifest: Manifest) -> None:
        """Take in what was archived since.

        Raises:
            FileNotFoundError, duckdb.IOException: if a file was merged away meanwhile; then nothing is taken
                of its data set, and it can be tried again with the manifest of now.

        """
        for name in self._upto:
            if manifest.upto < self._upto[name]:  # another archive
                self._database.execute(f"delete from {'few_events' if name == EVENTS else f'newest_{name}'}")
                self._upto[name] = 0
            files = [
                self._local(segment.files[name].path)
                for segment in manifest.segments
                if segment.last > self._upto[name] and name in segment.files
            ]
            if files:
                self._take(name, files)
            self._upto[name] = manifest.upto

    def _take(self, name: str, files: Sequence[str]) -> None:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        key = KEYS.get(name, "")
        sole = _SOLE.format(key=key) if name in DATED else "true"
        fresh = _FRESH.format(files=f"[{listed}]", after=self._upto[name], sole=sole)
        if name == EVENTS:
            few = ", ".join(f"'{one}'" for one in FEW)
            self._database.execute(f"{fresh} and type in ({few})")
            self._database.execute("insert into few_events by name select * exclude (sole) from arrived")
            return
        self._database.execute(f'{fresh} qualify "position" = max("position") over (partition by {key})')
        self._database.execute("begin")
        self._database.execute(f"delete from newest_{name} where {key} in (select {key} from arrived)")
        self._database.execute(f"insert into newest_{name} by name select * from arrived")
        self._database.execute("commit")
