"""Checks an evidence pack on any machine with Python and nothing else: no network, no server, no package.

    python verify.py pack.json [--key NAME+ID+BASE64] [--earlier checkpoint.txt]

This file is handed out with every pack. It follows RFC 9162 (Merkle proofs), RFC 8032 (Ed25519) and the
signed notes of transparency logs; exit status 0: the pack holds, 1: it does not, 2: it cannot be read.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

POINT = tuple[int, int, int, int]
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
KEY = 32
BASE_Y = 4 * pow(5, P - 2, P) % P


class Wrong(Exception):
    """Something in the pack does not hold; the message says what."""


def recover_x(y: int, sign: int) -> int:
    """Return the x of a point on the curve, or raise `Wrong` (RFC 8032, 5.1.3)."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        raise Wrong("the key or the signature is no point of the curve")
    return P - x if x & 1 != sign else x


def add(p: POINT, q: POINT) -> POINT:
    """Return the sum of two points in extended coordinates (RFC 8032, 5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: POINT) -> POINT:
    """Return a multiple of a point."""
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = add(found, point)
        point, number = add(point, point), number >> 1
    return found


def unpack(data: bytes) -> POINT:
    """Return the point that 32 bytes stand for."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        raise Wrong("the key or the signature is no point of the curve")
    x = recover_x(y, sign)
    return x, y, 1, x * y % P


def signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the signature over the message is of that key (RFC 8032, 5.1.7)."""
    if (len(key), len(signature)) != (KEY, 2 * KEY):
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    base_x = recover_x(BASE_Y, 0)
    left = times(s, (base_x, BASE_Y, 1, base_x * BASE_Y % P))
    right = add(unpack(signature[:32]), times(int.from_bytes(digest, "little") % L, unpack(key)))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (
        left[1] * right[2] - right[1] * left[2]
    ) % P == 0


def read_note(note: str, public: str) -> tuple[int, bytes]:
    """Return the size and root of a signed note, or raise `Wrong`."""
    name, shown, encoded = public.split("+", 2)
    key = base64.b64decode(encoded)[1:]
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    prefix = "\u2014 " + name + " "
    lines = [line[len(prefix) :] for line in signatures.splitlines() if line.startswith(prefix)]
    if not lines:
        raise Wrong("the checkpoint carries no signature of " + name)
    signature = base64.b64decode(lines[0])
    if signature[:4].hex() != shown or not signed(key, text.encode(), signature[4:]):
        raise Wrong("the signature of the checkpoint is not of that key")
    _, size, root, *_ = text.splitlines()
    return int(size), base64.b64decode(root)


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node of the tree."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_by_inclusion(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the root that a leaf and its audit path lead to (RFC 9162, 2.1.3.2)."""
    first, last, found = index, size - 1, leaf
    if index >= size:
        raise Wrong("the entry lies behind the checkpoint")
    for one in path:
        if last == 0:
            raise Wrong("the proof is too long")
        if first & 1 or first == last:
            found = node(one, found)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            found = node(found, one)
        first, last = first >> 1, last >> 1
    if last:
        raise Wrong("the proof is too short")
    return found


def check_consistency(first: int, second: int, roots: tuple[bytes, bytes], path: list[bytes]) -> None:
    """Raise `Wrong` if the second log does not continue the first (RFC 9162, 2.1.4.2)."""
    if first == second:
        if roots[0] != roots[1] or path:
            raise Wrong("two checkpoints of one size differ")
        return
    path = ([roots[0]] if first & (first - 1) == 0 else []) + list(path)
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not path:
        raise Wrong("the proof that the log was only continued is empty")
    old = new = path[0]
    for one in path[1:]:
        if last == 0:
            raise Wrong("the proof that the log was only continued is too long")
        if at & 1 or at == last:
            old, new = node(one, old), node(one, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node(new, one)
        at, last = at >> 1, last >> 1
    if last or (old, new) != roots:
        raise Wrong("the log is not a continuation of what was signed earlier")


def check_entry(entry: dict[str, Any], size: int, root: bytes) -> None:
    """Raise `Wrong` if an entry is not in the log as it stands in the pack."""
    leaf, payload, position = entry["leaf"].encode(), entry["payload"].encode(), entry["position"]
    said = json.loads(leaf)
    for name, value in said.items():
        if name in entry and entry[name] != value:
            raise Wrong(f"entry {position}: {name} differs from what was sealed")
    if hashlib.sha256(payload).hexdigest() != said["digest"]:
        raise Wrong(f"entry {position}: its content is not what was sealed")
    path = [bytes.fromhex(one) for one in entry["proof"]]
    hashed = hashlib.sha256(b"\x00" + leaf).digest()
    try:
        found = root_by_inclusion(hashed, position - 1, size, path)
    except Wrong as wrong:
        raise Wrong(f"entry {position}: {wrong}") from None
    if found != root:
        raise Wrong(f"entry {position}: the proof does not lead to the signed root")


def check_whole(leaves: list[str], pack: dict[str, Any], size: int, root: bytes) -> int:
    """Raise `Wrong` if the pack leaves out an entry with one of its tags; return how many there are."""
    edge: list[bytes] = []
    tagged: list[int] = []
    wanted = set(pack["complete"]["tags"])
    for number, leaf in enumerate(leaves):
        found, rest = hashlib.sha256(b"\x00" + leaf.encode()).digest(), number
        while rest & 1:
            found, rest = node(edge.pop(), found), rest >> 1
        edge.append(found)
        said = json.loads(leaf)
        if said["position"] != number + 1:
            raise Wrong(f"the list of all envelopes has no position {number + 1}")
        if wanted.intersection(said["tags"]):
            tagged.append(said["position"])
    while len(edge) > 1:
        right = edge.pop()
        edge.append(node(edge.pop(), right))
    if len(leaves) != size or (edge and edge[0] != root):
        raise Wrong("the list of all envelopes is not the log that was signed")
    missing = set(tagged) - {entry["position"] for entry in pack["entries"]}
    if missing:
        raise Wrong(f"the pack leaves out the entries {sorted(missing)}")
    return len(tagged)


def check(pack: dict[str, Any], key: str | None = None, earlier: str | None = None) -> list[str]:
    """Return what was found to hold, as sentences, or raise `Wrong`."""
    if key is not None and key != pack["key"]:
        raise Wrong("the pack was signed with another key than the one that was expected")
    size, root = read_note(pack["checkpoint"], pack["key"])
    held = [f"The checkpoint over {size} entries is signed by {pack['key']}"]
    if key is None:
        held[0] += " (compare this key with the one that the office published)"
    for entry in pack["entries"]:
        check_entry(entry, size, root)
    held.append(f"{len(pack['entries'])} entries are in the log exactly as they stand in the pack")
    if "complete" in pack:
        count = check_whole(pack["complete"]["leaves"], pack, size, root)
        held.append(
            f"Nothing was left out: {count} entries of the log carry {', '.join(pack['complete']['tags'])}"
        )
    if earlier is not None:
        first, old = read_note(earlier, pack["key"])
        proof = pack.get("consistency", {}).get(str(first))
        if proof is None and first != size:
            raise Wrong(f"the pack holds no proof that the log continues the checkpoint over {first} entries")
        check_consistency(first, size, (old, root), [bytes.fromhex(one) for one in proof or ()])
        held.append(f"The log continues what was signed over {first} entries")
    return held


def main(arguments: list[str]) -> int:
    """Check the pack that is named, and say what was found."""
    parser = argparse.ArgumentParser(description="Checks an evidence pack offline.")
    parser.add_argument("pack")
    parser.add_argument("--key", help="the key that the office published")
    parser.add_argument("--earlier", help="a checkpoint that you kept from an earlier day")
    asked = parser.parse_args(arguments)
    try:
        pack = json.loads(Path(asked.pack).read_text(encoding="utf-8"))
        earlier = Path(asked.earlier).read_text(encoding="utf-8") if asked.earlier else None
        for sentence in check(pack, asked.key, earlier):
            sys.stdout.write("holds: " + sentence + ".\n")
    except Wrong as wrong:
        sys.stdout.write("DOES NOT HOLD: " + str(wrong) + ".\n")
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stderr.write(f"The pack cannot be read: {error!r}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
