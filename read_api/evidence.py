"""The sealed evidence pack of a citation: what was true, what was known, what the screen showed, and proofs.

The JSON is what `event_store/verifier.py` checks offline; the PDF is for people and carries the JSON and
the verifier as attachments; the archive holds all three.
"""

import asyncio
import io
import zipfile
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from commands.findings import Finding
from commands.ledger import CitationLedger
from event_store.pack import pack_of, verifier
from event_store.seal import Checkpoint
from operations.doors import Visitor
from operations.permissions import Access
from projections.cases import finding_of
from projections.timeline import Timeline
from read_api.answers import AsOf, as_of_log, json_answer, problems
from read_api.asking import Asked, Named, moment
from read_api.citation_shapes import state_of
from read_api.citations import ledger_of, no_such_citation, seen_by
from read_api.door import Door, Here, Visit
from read_api.looking_up import Purpose, Subject
from read_api.ownership import demand_citation
from read_api.pages.verdict import first_line
from read_api.proofs import head_over, sealed_log
from read_api.standing import stand

router = APIRouter(tags=["citations"])

type Shape = Literal["json", "pdf", "zip"]
_ACCEPTED: dict[str, Shape] = {"application/pdf": "pdf", "application/zip": "zip"}
_EARLIER = 50
"""Earlier heads that a pack shows the log to continue."""


class PackedEntry(BaseModel):
    """An entry as the texts that were hashed, and its path to the root of the signed head."""

    position: int
    type: str
    leaf: str
    payload: str
    proof: list[str]


class EvidencePack(BaseModel):
    """What an adjudicator, an auditor or the parker can check without this server."""

    format: str = Field(examples=["parkledger-evidence-1"])
    about: dict[str, Any] = Field(description="The case for people: first line, state, finding, entries.")
    checkpoint: str = Field(description="Signed note over the log's Merkle tree.")
    key: str = Field(description="Public key of the signature, `name+id+base64`.")
    consistency: dict[str, list[str]] = Field(
        description="By the size of an earlier head: the proof that the log continues it."
    )
    entries: list[PackedEntry]
    as_of: AsOf


@router.get(
    "/v1/citations/{citation}/evidence",
    summary="The sealed evidence pack of a citation",
    responses={
        200: {
            "model": EvidencePack,
            "description": "The pack as JSON, as a PDF with the JSON attached, or all as a ZIP.",
            "content": {
                "application/pdf": {"schema": {"type": "string", "format": "binary"}},
                "application/zip": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        **problems(401, 403, 404, 422, 428, 503),
    },
)
async def evidence(
    request: Request,
    citation: Named,
    door: Here,
    visit: Visit,
    asked: Annotated[Asked, Depends(moment)],
    format_: Annotated[Shape | None, Query(alias="format", description="Over the header Accept.")] = None,
    purpose: Purpose = None,
) -> Response:
    """Answer everything that touches the citation, as it was known, proved against a signed head."""
    await demand_citation(door.log, visit, citation)
    upto = await stand(door, asked)
    subject = Subject(citation=citation)
    await door.register.note(visit.principal, f"evidence on citation {citation}", purpose, subject)
    pack = await packed(door, visit, citation, asked.at, upto)
    accepted = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip()
    shape = format_ or _ACCEPTED.get(accepted, "json")
    if shape == "json":
        return json_answer(pack)
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in citation)
    content = await asyncio.to_thread(_pdf if shape == "pdf" else _zip, pack)
    headers = {"Content-Disposition": f'attachment; filename="evidence-{name}.{shape}"'}
    return Response(content, media_type=f"application/{shape}", headers=headers)


async def packed(door: Door, visit: Visitor, citation: str, at: datetime | None, upto: int) -> dict[str, Any]:
    """Return the pack of a citation as known at a position, as JSON values."""
    told = seen_by(visit, await door.lookups.timeline(citation=citation, known=upto))
    docket = await asyncio.to_thread(ledger_of, door.log, citation, upto)
    if docket is None:
        raise no_such_citation(citation)
    found = None
    if visit.access is not Access.OWN:
        found = await asyncio.to_thread(finding_of, door.log, citation, upto)
    positions = sorted({entry.position for entry in told.entries} | set(found.positions if found else ()))
    head = await head_over(door, positions[-1])
    about = msgspec.to_builtins(about_case(docket, found, told, at or datetime.now(UTC), head), str_keys=True)
    proofs = sealed_log(door)
    earlier = [one.size for one in await asyncio.to_thread(proofs.checkpoints, head.size, _EARLIER)]
    pack = await asyncio.to_thread(pack_of, proofs, head, positions, about, earlier)
    return {**pack, "as_of": await as_of_log(door.log, upto)}


def about_case(
    docket: CitationLedger, found: Finding | None, told: Timeline, at: datetime, head: Checkpoint
) -> dict[str, Any]:
    """Return what a pack says of its case to people."""
    zone = ZoneInfo(docket.timezone or "UTC")
    return {
        "citation": docket.citation,
        "first_line": first_line(found, told.entries, zone) if found else None,
        "timezone": zone.key,
        "known": told.known,
        "state": state_of(docket, at),
        "finding": msgspec.structs.asdict(found) if found else None,
        "entries": told.entries,
        "sealed": {"size": head.size, "root": head.root.hex(), "at": head.sealed},
    }


def _attached(pack: dict[str, Any]) -> dict[str, bytes]:
    return {"pack.json": msgspec.json.encode(pack), "verify.py": verifier().encode()}


def _pdf(pack: dict[str, Any]) -> bytes:
    from read_api.evidence_pdf import pdf_of  # noqa: PLC0415 - a second at start that few ever need

    return pdf_of(pack, _attached(pack))


def _zip(pack: dict[str, Any]) -> bytes:
    files = _attached(pack)
    files["evidence.pdf"] = _pdf(pack)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()
