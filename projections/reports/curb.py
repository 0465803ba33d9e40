"""Events as Curb Data Specification (CDS 1.1) JSON: what a city's other systems take.

Identities there are UUIDs: those of ours are made from the names by which the office knows a thing (RFC 9562,
version 5), so the same zone or event has the same one in every export. A plate is never told.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from projections.reports.asking import Question
from projections.reports.reporting import Reports

VERSION = "1.1.0"
NAMESPACE = UUID("5f0c4c1e-6a0b-5d0e-9d53-3a5b5d3b6c10")
"""What our identities are made under."""

_TOLD = """
    select e."position", e.type, e.occurred, e.recorded, e.direction, coalesce(e.zone, s.zone) as zone,
        e.device, e.session, e.amount, e.citation, e.kind, e.code, e.fine, e.confidence, e.payload_channel
    from events e
    left join (
        select session, any_value(zone) as zone from events where type = 'SessionStarted' group by session
    ) s on e.type = 'SessionEnded' and s.session = e.session
    where e.type in ('PlateRead', 'SessionStarted', 'SessionEnded', 'CitationIssued')
    and in_period(e.occurred) and wanted(e.zone, 'zone')
    order by e.occurred, e."position" limit {limit} offset {skip}
"""
_READS = {"entry": "enter_area", "exit": "exit_area", "none": "vehicle_detected"}


def identity(kind: str, name: object) -> str:
    """Return the UUID that a thing of ours is known by outside."""
    return str(uuid5(NAMESPACE, f"{kind}:{name}"))


def curb_events(
    reports: Reports, question: Question, *, currency: str, limit: int, skip: int = 0
) -> tuple[dict[str, Any], int]:
    """Return the CDS answer for a period, in the order in which things happened, and the log's position."""
    with reports.session(question) as (session, moment):
        found = session.execute(_TOLD.format(limit=limit, skip=skip))
        columns = [column[0] for column in found.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    answer = {
        "version": VERSION,
        "time_zone": question.timezone,
        "last_updated": milliseconds(moment.recorded or datetime.now(UTC)),
        "currency": currency,
        "data": {"events": _events(rows)},
    }
    return answer, moment.position


def _events(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in {**_common(row), **_own(row)}.items() if value is not None}
        for row in rows
    ]


def milliseconds(instant: datetime) -> int:
    """Return an instant as milliseconds since 1970 in UTC."""
    return round(instant.timestamp() * 1000)


def _common(row: dict[str, Any]) -> dict[str, Any]:
    device = row["device"] or row["payload_channel"] or "unknown"
    return {
        "event_id": identity("event", row["position"]),
        "event_purpose": "vehicle_parking",
        "event_time": milliseconds(row["occurred"]),
        "event_publication_time": milliseconds(row["recorded"]),
        "curb_zone_id": identity("zone", row["zone"]) if row["zone"] else None,
        "data_source_device_id": identity("device", device),
        "data_source_device_name": row["device"],
    }


def _own(row: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of one kind of event only."""
    match row["type"]:
        case "PlateRead":
            confidence = row["confidence"]
            return {
                "event_type": _READS[row["direction"] or "none"],
                "data_source_type": "camera",
                "vehicle_license_plate_confidence": max(1, round(confidence * 100)) if confidence else None,
            }
        case "CitationIssued":
            return {
                "event_type": "citation_issued",
                "data_source_type": "in_person",
                "enforcement": _enforcement(row),
            }
        case kind:
            return {
                "event_type": "park_start" if kind == "SessionStarted" else "park_end",
                "data_source_type": "payment",
                "event_session_id": identity("session", row["session"]),
                "actual_cost": row["amount"],
            }


def _enforcement(row: dict[str, Any]) -> dict[str, Any]:
    violation = {"violation_code": row["code"]}
    if row["fine"] is not None:
        violation["violation_cost"] = str(row["fine"])
    return {
        "enforcement_id": identity("citation", row["citation"]),
        "citation_id": row["citation"],
        "is_warning": row["kind"] == "warning",
        "violations": [violation],
    }
