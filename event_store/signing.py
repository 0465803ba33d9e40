"""Signed heads of the log, as text: a checkpoint in a signed note, as transparency logs write it.

    parkledger
    1042
    wkp8…=
    recorded 2026-03-05T14:31:04.000000Z

    — parkledger hx6m…=

Name of the log, size of the tree, its root in base64, then what else is said of it; after an empty line the
signature (C2SP tlog-checkpoint and signed-note, Ed25519 of RFC 8032).
"""

import fcntl
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"
_ID = 4


class BadNote(ValueError):
    """This is no signed head of the log, or its signature is not of that key."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a signed note says: the log's name, the size of its tree, the root, and further lines."""

    name: str
    size: int
    root: bytes
    further: tuple[str, ...] = ()

    def text(self) -> str:
        """Return what is signed; it ends with a line break."""
        lines = [self.name, str(self.size), b64encode(self.root).decode(), *self.further]
        return "".join(f"{line}\n" for line in lines)


class Signer:
    """Signs heads of one log with its key."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        """Sign in the name of a log."""
        self.name = name
        self._key = key
        self._public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def public(self) -> str:
        """The key that signatures are checked with, as signed notes write it: `name+id+base64`."""
        shown = b64encode(_ED25519 + self._public).decode()
        return f"{self.name}+{_key_id(self.name, self._public).hex()}+{shown}"

    def sign(self, head: Head) -> str:
        """Return the signed note."""
        text = head.text()
        signature = _key_id(self.name, self._public) + self._key.sign(text.encode())
        return f"{text}\n{_DASH} {self.name} {b64encode(signature).decode()}\n"


def read_note(note: str, public: str) -> Head:
    """Return what a signed note says, once its signature is found to be of that key.

    Raises:
        BadNote: otherwise.

    """
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    try:
        name, _, shown = public.split("+", 2)
        key = b64decode(shown, validate=True)[1:]
        prefix = f"{_DASH} {name} "
        stated = next(line for line in signatures.splitlines() if line.startswith(prefix))
        signature = b64decode(stated.removeprefix(prefix), validate=True)
        if signature[:_ID] != _key_id(name, key):
            raise BadNote(BadNote.__doc__)
        Ed25519PublicKey.from_public_bytes(key).verify(signature[_ID:], text.encode())
        origin, size, root, *further = text.splitlines()
        return Head(origin, int(size), b64decode(root, validate=True), tuple(further))
    except (ValueError, StopIteration, InvalidSignature) as error:
        raise BadNote(BadNote.__doc__) from error


def signing_key(file: Path) -> Ed25519PrivateKey:
    """Return the key of a PEM file, made at the first use and readable by its owner alone.

    Raises:
        ValueError: if the file holds no Ed25519 key.

    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (file.parent / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            made = Ed25519PrivateKey.generate()
            fresh = file.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            fresh.rename(file)
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file} holds no Ed25519 key")  # noqa: TRY004 - the content is at fault, not a type
    return key


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID]
