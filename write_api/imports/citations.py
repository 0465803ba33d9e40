"""Citations from CSV: what was written before this log began, with the chalk mark of a two-pass stay.

A row with a marked time is a time-limit case: the mark is kept as the first read, the officer's return at
the issue time as the second, and the citation rests on both. A row without one rests on no read.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from events.citations import CitationIssued
from events.reads import Place, PlateRead
from write_api.imports.cells import Cells
from write_api.imports.formats import Format, Preset, Taken
from write_api.imports.place import place_of

LOS_ANGELES = Preset(
    "City of Los Angeles, parking citations",
    {
        "citation": "Ticket number",
        "date": "Issue Date",
        "time": "Issue time",
        "marked": "Marked Time",
        "region": "RP State Plate",
        "address": "Location",
        "zone": "Route",
        "code": "Violation code",
        "fine": "Fine amount",
        "latitude": "Latitude",
        "longitude": "Longitude",
    },
    timezone="America/Los_Angeles",
)
"""The publisher left the plates out: every one is unreadable, of the state that the row names."""


def take(cells: Cells) -> Taken:
    """Return the citation of a row, and the two reads of its stay where it was marked before."""
    at = cells.instant()
    citation = cells.needed("citation")
    place = place_of(cells.text("longitude"), cells.text("latitude"), cells.text("address"))
    reads = _stay(cells, citation, at, place) if cells.text("marked") else ()
    issued = CitationIssued.model_validate(
        {
            "at": at,
            "citation": citation,
            "plate": cells.plate(),
            "zone": cells.zone(),
            "code": cells.text("code") or "NOT_SAID",
            "kind": "warning" if (cells.text("kind") or "").lower().startswith("warn") else "citation",
            "fine": cells.money("fine"),
            "basis": tuple(read.read for read in reads),
            "device": cells.text("device"),
            "officer": cells.text("officer"),
            "place": place,
        }
    )
    return Taken(citation, (*reads, issued), f"citation:{issued.citation}")


def _stay(cells: Cells, citation: str, at: datetime, place: Place | None) -> Sequence[PlateRead]:
    """Return the first and the second observation; a mark later than the issue is of the day before."""
    clock = cells.clock("marked")
    if cells.text("at"):
        local = cells.local(at)
        day, seen = local.date(), local.time()
    else:
        day, seen = cells.day("date"), cells.clock("time")
    marked = cells.joined(day if clock <= seen else day - timedelta(days=1), clock)
    both = ((f"{citation}-marked", marked), (f"{citation}-issued", at))
    return tuple(
        PlateRead(
            at=instant,
            read=read,
            plate=cells.plate(),
            zone=cells.zone(),
            device=cells.device(),
            place=place,
            officer=cells.text("officer"),
        )
        for read, instant in both
    )


FORMAT = Format(
    name="citations",
    fields={
        "citation": ("ticketnumber", "ticket", "citationnumber", "citationid", "noticenumber"),
        "at": ("issuedat", "datetime", "issuedatetime", "timestamp"),
        "date": ("issuedate", "citationdate"),
        "time": ("issuetime", "citationtime"),
        "marked": ("markedtime", "chalktime", "chalked"),
        "plate": ("licenseplate", "licenceplate", "platenumber", "plateno"),
        "region": ("state", "platestate", "province", "rpstateplate", "jurisdiction"),
        "zone": ("lot", "area", "route", "zoneid"),
        "code": ("violationcode", "violation", "offence", "offense"),
        "kind": ("type",),
        "fine": ("fineamount", "amount"),
        "device": ("deviceid", "unit"),
        "officer": ("officerid", "badge"),
        "address": ("location", "place"),
        "longitude": ("lon", "lng", "x"),
        "latitude": ("lat", "y"),
    },
    needs=(("citation",), ("at", "date")),
    take=take,
    presets=(LOS_ANGELES,),
)
