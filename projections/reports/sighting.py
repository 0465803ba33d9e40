"""Who archives: the rows of reads, stretch by stretch, on what the archive holds of them already."""

import duckdb
import pyarrow as pa
from psycopg import Connection

from event_store.archive import EVENTS, Archive
from event_store.archive_manifest import Manifest
from event_store.codec import Codec
from projections.reports.sightings import (
    COLUMNS,
    CORRECTIONS,
    SAID,
    SIGHTINGS,
    Known,
    Sightings,
    corrected,
    moved_by,
)

_KNOWN = Known("stored", "retold", "said")
_OF_TYPES = f"type in ({', '.join(f"'{name}'" for name in CORRECTIONS)})"
_COLUMNS = ", ".join(f'null::{kind} as "{name}"' for name, kind in COLUMNS.items())


class Sighting:
    """Follows one archive. Not for several threads at once."""

    def __init__(self, archive: Archive, codec: Codec) -> None:
        """Read what the archive holds when first asked."""
        self._archive = archive
        self._codec = codec
        self._upto = -1
        self._database = duckdb.connect()
        self._database.execute("set timezone to 'UTC'; set parquet_metadata_cache to true")
        self._sightings = Sightings(self._database)

    def derive(
        self, connection: Connection[object], manifest: Manifest, events: pa.Table, upto: int
    ) -> pa.Table:
        """Return the rows that follow from the events after what the manifest names, up to a position."""
        if self._upto != manifest.upto:
            self._begin(manifest)
        self._over("stored", self._files(manifest, SIGHTINGS), _COLUMNS)
        self._hear(events)
        moved = moved_by(corrected(events), connection, self._codec, manifest.upto)
        found = self._sightings.of(events, _KNOWN, moved, manifest.upto, upto)
        self._database.register("found", found)
        self._database.execute('insert into retold select read_position, "position" from found where again')
        self._database.unregister("found")
        self._upto = upto
        return found

    def _begin(self, manifest: Manifest) -> None:
        self._over("stored", self._files(manifest, SIGHTINGS), _COLUMNS)
        self._database.execute(
            'create or replace table retold as select read_position, "position" from stored where again'
        )
        nothing = 'null::varchar as read, null::ubigint as candidate, null::ubigint as plate, now() as "at",'
        self._over(
            "events", self._files(manifest, EVENTS), f"{nothing} 0::bigint as \"position\", '' as type"
        )
        said = SAID.format(at='"at"', events="events")
        self._database.execute(f"create or replace table said as {said} where {_OF_TYPES}")

    def _files(self, manifest: Manifest, name: str) -> list[str]:
        return [str(self._archive.store.local(path)) for path in manifest.paths(name)]

    def _over(self, name: str, files: list[str], columns: str) -> None:
        """Lay a view over files, with these columns at least."""
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        further = (
            f" union all by name select * from read_parquet([{listed}], union_by_name = true, "
            "hive_partitioning = false)"
        )
        self._database.execute(
            f"create or replace view {name} as select {columns} where false{further if files else ''}"
        )

    def _hear(self, events: pa.Table) -> None:
        if not corrected(events):
            return
        self._database.register("heard", events)
        nothing = "null::ubigint as candidate, null::ubigint as plate where false"
        heard = f"(select * from heard union all by name select {nothing})"
        said = SAID.format(at='"at"', events=heard)
        self._database.execute(f"insert into said {said} where {_OF_TYPES}")
        self._database.unregister("heard")
