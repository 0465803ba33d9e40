"""Values in PostgreSQL's binary format, put together from ready pieces.

A batch travels as a few arrays. Their elements are packed where an append is submitted, so that the one
thread that writes only joins bytes. Formats: `array_recv`, `text_recv`, `timestamptz_recv` and the like in
PostgreSQL's sources; every integer is big-endian.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from struct import Struct

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

NULL = b"\xff\xff\xff\xff"
_OIDS = {
    "bytea": 17, "bigint": 20, "smallint": 21, "integer": 23, "text": 25,
    "timestamptz": 1184, "uuid": 2950, "jsonb": 3802,
}  # fmt: skip
_EMPTY = Struct(">iii")
_HEADER = Struct(">iiiii")
_LENGTH = Struct(">i")
_INT2 = Struct(">ih")
_INT4 = Struct(">ii")
_INT8 = Struct(">iq")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MANY = 8192


class Packed(bytes):
    """A parameter that is in binary format already; its type is the one that the statement expects."""

    __slots__ = ()


class PackedDumper(Dumper):
    """Hands packed parameters on as they are."""

    format = Format.BINARY
    oid = 0

    def dump(self, obj: Packed) -> Buffer:
        """Return the bytes themselves."""
        return obj


def accept_packed[Row](connection: Connection[Row]) -> None:
    """Let statements of the connection take packed parameters."""
    connection.adapters.register_dumper(Packed, PackedDumper)


def array(kind: str, size: int, elements: Iterable[bytes]) -> Packed:
    """Return an array of `size` packed elements of the type `kind`."""
    oid = _OIDS[kind]
    if not size:
        return Packed(_EMPTY.pack(0, 0, oid))
    return Packed(_HEADER.pack(1, 1, oid, size, 1) + b"".join(elements))


def blob(value: bytes) -> bytes:
    """Return an element of type bytea or, of 16 bytes, uuid."""
    return _LENGTH.pack(len(value)) + value


def text(value: str) -> bytes:
    """Return an element of type text."""
    data = value.encode()
    return _LENGTH.pack(len(data)) + data


def texts(packed: Sequence[bytes]) -> bytes:
    """Return packed texts as an element of type text[]."""
    whole = array("text", len(packed), packed)
    return _LENGTH.pack(len(whole)) + whole


def jsonb(value: bytes) -> bytes:
    """Return an element of type jsonb, of JSON text."""
    return _LENGTH.pack(len(value) + 1) + b"\x01" + value


def integers(value: bytes | None) -> list[int]:
    """Return the elements of an array of integers that the server sent; none where it sent null."""
    if value is None:
        return []
    return [n for _, n in _INT4.iter_unpack(value[_HEADER.size :])]


def moment(value: bytes) -> datetime:
    """Return the instant that the server sent as a timestamptz."""
    return _EPOCH + timedelta(microseconds=bigint(value))


def bigint(value: bytes) -> int:
    """Return the number that the server sent as a bigint."""
    return int.from_bytes(value, signed=True)


def bigint_of(value: int) -> bytes:
    """Return a parameter of type bigint."""
    return value.to_bytes(8, signed=True)


def int2(value: int) -> bytes:
    """Return an element of type smallint."""
    return _INT2.pack(2, value)


def int8(value: int) -> bytes:
    """Return an element of type bigint."""
    return _INT8.pack(8, value)


def instant(value: datetime) -> bytes:
    """Return an element of type timestamptz: microseconds since 2000-01-01 UTC."""
    past = value - _EPOCH
    return _INT8.pack(8, (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds)


_small = [_INT4.pack(4, n) for n in range(_MANY)]


def int4(value: int) -> bytes:
    """Return an element of type integer, from 0."""
    return _small[value] if value < _MANY else _INT4.pack(4, value)
