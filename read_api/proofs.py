"""Proofs for auditors: that an entry is in the log, and that the log of today continues that of then.

Leaves, hashes and proofs are those of RFC 9162; heads are signed notes. `event_store/verifier.py` checks
them on any machine, without this server.
"""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from event_store.merkle import leaf_hash
from event_store.pack import entry_of
from event_store.proving import NoSuchCheckpoint, NotSealed, Proofs
from event_store.seal import Checkpoint
from operations.problems import Problem
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import MAX_POSITION, Asked, freshness, unusable
from read_api.door import Door, Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.standing import stand

router = APIRouter(tags=["audit"])

_HASH = "^[0-9a-f]{64}$"
_NOTE = "parkledger\n1042\nwkp8…=\nrecorded 2026-03-05T14:31:04.000000Z\n\n— parkledger hx6m…=\n"


class SignedHead(BaseModel):
    """A signed head of the log: keep its note, and later ask for the proof that the log continues it."""

    size: int = Field(description="Entries that it covers: the positions 1 to `size`.", examples=[1042])
    root: str = Field(description="Root of the Merkle tree, in hexadecimal.", pattern=_HASH)
    sealed: datetime
    note: str = Field(description="The signed note (C2SP tlog-checkpoint).", examples=[_NOTE])
    key: str = Field(description="The public key, `name+id+base64`, as the office publishes it.")


class EntryProof(BaseModel):
    """An entry, as the texts that were hashed, with its path to the root of a signed head."""

    position: int = Field(examples=[1042])
    type: str = Field(examples=["CitationIssued"])
    leaf: str = Field(description="The envelope and the digest of the payload, as it was hashed.")
    leaf_hash: str = Field(description="SHA-256 of a zero byte and `leaf`.", pattern=_HASH)
    payload: str = Field(description="The fields as the log keeps them; their SHA-256 stands in `leaf`.")
    proof: list[str] = Field(description="The audit path, from the leaf to the root (RFC 9162, 2.1.3).")
    checkpoint: SignedHead
    as_of: AsOf


class Continuation(BaseModel):
    """Shows that the log of size `second` begins with the log of size `first`."""

    first: int
    second: int
    proof: list[str] = Field(description="Hashes (RFC 9162, 2.1.4).")


class Checkpoints(BaseModel):
    """Signed heads, the newest first; `cursor` is the `before` of the next page, null where there is none."""

    checkpoints: list[SignedHead]
    cursor: int | None
    consistency: Continuation | None = Field(description="If `first` was asked about.")
    as_of: AsOf


def sealed_log(door: Door) -> Proofs:
    """Return the sealed tree.

    Raises:
        Problem: 503, if this log is not kept in a database.

    """
    if door.proofs is None:
        raise Problem(503, "Not sealed", "This log is not sealed.", headers={"Retry-After": "60"})
    return door.proofs


async def head_over(door: Door, position: int) -> Checkpoint:
    """Return the newest signed head, once it covers the position.

    Raises:
        Problem: 503 with `behind`, if the sealer does not come so far in time.

    """
    try:
        return await asyncio.to_thread(sealed_log(door).covering, position, door.settings.wait_seconds)
    except NotSealed as error:
        detail = f"{error} The sealer follows the log; ask again."
        raise Problem(
            503, "Not sealed yet", detail, headers={"Retry-After": "1"}, behind=error.behind
        ) from error


def shown(head: Checkpoint) -> dict[str, Any]:
    """Return a signed head in the shape of `SignedHead`."""
    return {
        "size": head.size,
        "root": head.root.hex(),
        "sealed": head.sealed,
        "note": head.note,
        "key": head.key,
    }


@router.get(
    "/v1/events/{position}/proof",
    summary="Proof that an entry is in the log",
    response_model=EntryProof,
    responses=problems(401, 403, 404, 422, 428, 503),
)
async def proof(
    position: Annotated[int, Path(ge=1, le=MAX_POSITION, description="The entry's position.")],
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(freshness)],
    purpose: Purpose = None,
) -> Response:
    """Answer the entry as it was hashed, its audit path, and the signed head that the path leads to."""
    last = await stand(door, asked)
    if position > last:
        raise Problem(404, "No such entry", f"The log ends at position {last}.", rule="NoSuchEntry")
    await door.register.note(visit.principal, f"proof of entry {position}", purpose, Subject())
    head = await head_over(door, position)
    (proven,) = await asyncio.to_thread(sealed_log(door).prove, [position], head.size)
    answer = {**entry_of(proven), "leaf_hash": leaf_hash(proven.leaf).hex(), "checkpoint": shown(head)}
    return json_answer({**answer, "as_of": await as_of_log(door.log, head.size)})


@router.get(
    "/v1/checkpoints",
    summary="Signed heads of the log, and proofs that one continues another",
    response_model=Checkpoints,
    responses=problems(401, 403, 404, 422, 503),
)
async def checkpoints(
    door: Here,
    _: Visit,
    asked: Annotated[Asked, Depends(freshness)],
    first: Annotated[
        int | None, Query(ge=1, le=MAX_POSITION, description="Size of an earlier head that you kept.")
    ] = None,
    second: Annotated[
        int | None, Query(ge=1, le=MAX_POSITION, description="Size of the later one; by default the newest.")
    ] = None,
    before: Annotated[int | None, Query(ge=1, le=MAX_POSITION, description="Heads of smaller size.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Response:
    """Answer the newest signed heads; with `first`, the proof that the log was only continued since."""
    proofs = sealed_log(door)
    if asked.at_least is not None:
        await stand(door, asked)
        await head_over(door, asked.at_least)
    found = await asyncio.to_thread(proofs.checkpoints, before, limit)
    newest = await asyncio.to_thread(proofs.newest)
    answer = {
        "checkpoints": [shown(head) for head in found],
        "cursor": found[-1].size if len(found) == limit else None,
        "consistency": await _continuation(proofs, first, second, newest),
    }
    return json_answer({**answer, "as_of": await as_of_log(door.log, newest.size if newest else 0)})


async def _continuation(
    proofs: Proofs, first: int | None, second: int | None, newest: Checkpoint | None
) -> dict[str, Any] | None:
    if first is None:
        if second is not None:
            raise unusable("first", "the size of the earlier head is missing")
        return None
    second = second or (newest.size if newest else 0)
    if first > second:
        raise unusable("first", f"it lies behind the later head, which covers {second} entries")
    try:
        path = await asyncio.to_thread(proofs.continues, first, second)
    except NoSuchCheckpoint as error:
        raise Problem(404, "No such head", f"The log is not sealed up to {second}.") from error
    return {"first": first, "second": second, "proof": [one.hex() for one in path]}
