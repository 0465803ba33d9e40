"""Names as an office gives them, for the examples of both OpenAPI documents."""

from collections.abc import Mapping

NAMES: Mapping[str, str | int] = {
    "account": "A-1201",
    "appeal": "AP-301",
    "bucket": "2026-03-05",
    "case": "CV-26-118",
    "citation": "PV-50001",
    "device": "H3",
    "entry": "W-12",
    "exemption": "X-40",
    "incident": "I-88",
    "model": "validity",
    "name": "collection_by_value",
    "offer": "A-1201",
    "payment": "P-77",
    "permit": "T-1001",
    "permit_type": "commuter",
    "plate": "ON CKTR482",
    "position": 1042,
    "read": "r-1041",
    "session": "S-2201",
    "zone": "F",
}
"""An example for each field of a path."""
