"""Where an archive's files are: a local directory, or an object store that speaks S3.

A file appears whole or not at all. Locally it is written as `.tmp`, synced and renamed, and the directory
is synced; an object store shows an object when all of it has arrived. Files never change once they have a
name, the manifest excepted, so a reader of a remote archive keeps what it has fetched.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from pyarrow import fs

from event_store.archive_manifest import ArchiveUnavailable

TEMPORARY = ".tmp"


class Store(Protocol):
    """Files by name; `/` parts directories."""

    def write(self, name: str, content: bytes) -> None:
        """Write or replace a file, in one step and durably."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return a file's content; `None` where there is none of that name."""
        ...

    def local(self, name: str) -> Path:
        """Return where a file can be read by a program on this machine."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def names(self) -> Iterator[str]:
        """Yield the names of all files, unfinished ones included."""
        ...


class LocalStore:
    """A directory of this machine."""

    def __init__(self, root: Path) -> None:
        """Keep files in `root`, which is made where it is missing."""
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, content: bytes) -> None:
        """Write a file as `.tmp`, sync it, rename it, and sync its directory; see `Store.write`."""
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(target.name + TEMPORARY)
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
        _sync(target.parent)

    def read(self, name: str) -> bytes | None:
        """Return a file's content; see `Store.read`."""
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def local(self, name: str) -> Path:
        """Return the file itself."""
        return self._root / name

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self._root / name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """Yield the names of all files."""
        for file in sorted(self._root.rglob("*")):
            if file.is_file():
                yield file.relative_to(self._root).as_posix()


class RemoteStore:
    """A bucket of an object store, with copies of what was read on this machine."""

    def __init__(self, files: fs.FileSystem, root: str, copies: Path) -> None:
        """Keep files under `root` (bucket and prefix); `copies` is a directory for what was fetched."""
        self._files = files
        self._root = PurePosixPath(root)
        self._copies = copies

    def write(self, name: str, content: bytes) -> None:
        """Write an object; see `Store.write`."""
        with _reached(), self._files.open_output_stream(str(self._root / name)) as stream:
            stream.write(content)

    def read(self, name: str) -> bytes | None:
        """Return an object's content; see `Store.read`."""
        try:
            with _reached(), self._files.open_input_stream(str(self._root / name)) as stream:
                content: bytes = stream.read()
                return content
        except FileNotFoundError:
            return None

    def local(self, name: str) -> Path:
        """Return a copy of the object, fetched at the first time of asking."""
        copy = self._copies / name
        if not copy.exists():
            content = self.read(name)
            if content is None:
                raise FileNotFoundError(f"The archive has no file {name}.")
            copy.parent.mkdir(parents=True, exist_ok=True)
            unfinished = copy.with_name(f"{copy.name}.{os.getpid()}{TEMPORARY}")
            unfinished.write_bytes(content)
            unfinished.replace(copy)
        return copy

    def remove(self, name: str) -> None:
        """Remove an object, and its copy here."""
        with contextlib.suppress(FileNotFoundError), _reached():
            self._files.delete_file(str(self._root / name))
        (self._copies / name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """Yield the names of all objects."""
        wanted = fs.FileSelector(str(self._root), recursive=True, allow_not_found=True)
        with _reached():
            infos = self._files.get_file_info(wanted)
        for found in sorted(infos, key=lambda info: info.path):
            if found.is_file:
                yield str(PurePosixPath(found.path).relative_to(self._root))


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """Tell of a store that cannot be used as of that; a file that is missing is another matter."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as failed:
        raise ArchiveUnavailable(f"The store of the archive cannot be used: {failed}") from failed


def store_at(place: str | None, data: Path) -> Store:
    """Return the store at a place: a directory, an `s3://` address, or by default `archive` in `data`.

    An address names bucket and prefix; credentials, `region`, `scheme` and `endpoint_override` stand in it or
    in the environment (`AWS_ACCESS_KEY_ID` and so on).

    Raises:
        ValueError: if the address cannot be read.

    """
    if place is None:
        return LocalStore(data / "archive")
    if "://" not in place:
        return LocalStore(Path(place))
    try:
        files, root = fs.FileSystem.from_uri(place)
    except (OSError, ValueError) as error:
        raise ValueError(f"the archive's address cannot be used: {error}") from error
    return RemoteStore(files, root, data / "archive-copies")


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
