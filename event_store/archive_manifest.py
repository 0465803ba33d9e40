"""The manifest of an archive: which files hold which positions, with their rows, bytes and digests.

Only what the manifest names belongs to the archive; a file that it does not name is the remains of a run
that died, or waits to be removed. Segments cover 1..`upto` without gap or overlap. The manifest is replaced
whole, in one step, so a reader sees either the archive before an append or the one after it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

FORMAT = 2
"""The archive of an older format counts as empty: whoever archives removes it and writes it again."""


class BrokenArchive(RuntimeError):
    """The archive is not what its manifest says; restore it, or remove it and let it be written again."""


class ArchiveUnavailable(BrokenArchive):
    """The store that the archive is in cannot be reached, or has no such place."""


class File(msgspec.Struct, frozen=True):
    """One file of a segment; `digest` is the SHA-256 of its bytes."""

    path: str
    rows: int
    bytes: int
    digest: str


class Segment(msgspec.Struct, frozen=True):
    """The positions `first`..`last`, all recorded on one day in UTC: a file for each data set with rows."""

    first: int
    last: int
    day: str
    files: Mapping[str, File]

    @property
    def rows(self) -> int:
        """How many events it holds."""
        return self.last - self.first + 1


class Retired(msgspec.Struct, frozen=True):
    """A file that was merged into another and may still be read by whoever began before `since`."""

    path: str
    since: datetime


class Manifest(msgspec.Struct, frozen=True):
    """All of an archive. `log` is the digest of the log's first event: whose archive it is.

    `parked` are the keys whose derived rows stand still since an event that could not be folded.
    """

    segments: Sequence[Segment] = ()
    retired: Sequence[Retired] = ()
    log: str = ""
    parked: Mapping[str, int] = {}
    format: int = FORMAT

    @property
    def upto(self) -> int:
        """The last position that is archived, 0 where nothing is."""
        return self.segments[-1].last if self.segments else 0

    def paths(self, data_set: str) -> list[str]:
        """Return the files of one data set, in the order of positions."""
        return [s.files[data_set].path for s in self.segments if data_set in s.files]

    def check(self) -> None:
        """Prove that the segments cover 1..upto without gap or overlap.

        Raises:
            BrokenArchive: naming the position where they do not.

        """
        expected = 1
        for segment in self.segments:
            if segment.first != expected or segment.last < segment.first:
                raise BrokenArchive(
                    f"The archive lacks position {expected}: the next segment begins at {segment.first}."
                )
            expected = segment.last + 1


def parse(content: bytes) -> Manifest:
    """Return the manifest that was written; an empty one where it is of an older format.

    Raises:
        BrokenArchive: if it cannot be read, is of a newer format, or leaves a position out.

    """
    try:
        found = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as broken:
        raise BrokenArchive(f"The archive's manifest cannot be read: {broken}.") from broken
    if found.format > FORMAT:
        raise BrokenArchive(f"The archive has format {found.format}; this program knows {FORMAT}.")
    if found.format < FORMAT:
        return Manifest()
    found.check()
    return found


def encoded(manifest: Manifest) -> bytes:
    """Return a manifest as it is written."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1)
