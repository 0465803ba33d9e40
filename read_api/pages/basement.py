"""The officer's page without signal: its worker, and the hand-over of what was read meanwhile."""

import asyncio
import json
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from operations.permissions import Access, access
from operations.problems import Problem
from read_api.answers import json_answer
from read_api.door import Here
from read_api.pages.menu import arrive
from read_api.pages.officer import QUESTION, SYNC
from read_api.pages.own_page import demand_own_page
from read_api.pages.rendering import STATIC
from read_api.pages.telling import handed_on, token_from

router = APIRouter(include_in_schema=False)

LARGEST = 1_000_000
"""Bytes of what one device hands over at once."""


@router.get("/officer-worker.js")
def worker() -> Response:
    """Answer the worker; it must stand beside the page that it serves, and browsers ask for it each time."""
    content, media, _ = STATIC["officer-worker.js"]
    return Response(content, media_type=media, headers={"Cache-Control": "no-cache"})


@router.post("/officer/sync")
async def sync(request: Request, door: Here) -> Response:
    """Hand on what a browser read without signal, and answer the newest list."""
    demand_own_page(request)
    visitor = arrive(request, QUESTION)
    if access(visitor.principal.role, "POST", SYNC) is Access.NONE:
        raise Problem(403, "Not permitted", "Only officers work with a list.")
    said = await _said(request)
    device = str(said.pop("device", ""))
    path = f"/v1/devices/{device}/sync"
    if not device.isascii() or not device.replace("-", "").isalnum() or len(device) > 40:  # noqa: PLR2004
        raise Problem(422, "Unusable input", "A device names itself in letters, digits and hyphens.")
    reads, token = {"reads": said.get("reads", [])}, token_from(request)
    told = await asyncio.to_thread(handed_on, door.settings.commands, path, reads, token, str(uuid4()))
    answer = json_answer(dict(told.body))
    answer.status_code = told.status
    return answer


async def _said(request: Request) -> dict[str, Any]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Problem(413, "Too large", f"A device hands over at most {LARGEST} bytes at once.")
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Problem(422, "Unusable input", "What the device hands over is not a JSON object.")
    return said
