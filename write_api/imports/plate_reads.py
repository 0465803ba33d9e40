"""Plate reads from CSV: what cameras and handhelds saw before this log began."""

from events.reads import PlateRead
from write_api.imports.cells import Cells
from write_api.imports.formats import Format, Preset, Taken
from write_api.imports.local_time import Unreadable
from write_api.imports.place import place_of

_DIRECTIONS = {"entry": "entry", "in": "entry", "exit": "exit", "out": "exit"}

SEATTLE = Preset(
    "Seattle Police Department, automated licence plate readers",
    {
        "at": "dt",
        "plate": "plate_hash",
        "device": "device",
        "zone": "zipcode",
        "address": "address",
        "longitude": "lon",
        "latitude": "lat",
    },
    timezone="America/Los_Angeles",
)
"""The publisher put pseudonyms in place of plates: their region is unknown unless `--region` names one."""


def take(cells: Cells) -> Taken:
    """Return the read of a row; without an id of its own, all that the row says is its id."""
    said = cells.text("plate")
    plate = cells.plate()
    confidence = cells.text("confidence")
    read = PlateRead.model_validate(
        {
            "at": cells.instant(),
            "read": cells.text("read") or f"row-{cells.digest()}",
            "plate": plate,
            "zone": cells.zone(),
            "device": cells.device(),
            "raw": said if said and said != plate.partition(" ")[2] else None,
            "confidence": _share(confidence) if confidence else None,
            "place": place_of(cells.text("longitude"), cells.text("latitude"), cells.text("address")),
            "direction": _DIRECTIONS.get((cells.text("direction") or "").lower(), "none"),
            "officer": cells.text("officer"),
            "image": cells.text("image"),
        }
    )
    named = f"read:{read.read}" if cells.text("read") else ""
    return Taken(f"{read.device}/{read.read}", (read,), named)


def _share(text: str) -> float:
    """Return a confidence between 0 and 1, also of one written as per cent."""
    try:
        value = float(text.rstrip("% "))
    except ValueError:
        raise Unreadable(f"confidence: {text[:40]!r} is no number") from None
    return value / 100 if value > 1 else value


FORMAT = Format(
    name="plate-reads",
    fields={
        "at": ("datetime", "timestamp", "dt", "readat", "readtime", "capturedat", "occurred"),
        "date": ("readdate", "day"),
        "time": ("timeofday",),
        "plate": ("licenseplate", "licenceplate", "platenumber", "plateno", "platehash", "lp", "tag"),
        "region": ("state", "platestate", "province", "stateplate", "jurisdiction"),
        "zone": ("lot", "area", "zipcode", "zoneid"),
        "device": ("deviceid", "camera", "unit", "reader"),
        "read": ("readid", "id", "clientid"),
        "confidence": ("score",),
        "longitude": ("lon", "lng", "x"),
        "latitude": ("lat", "y"),
        "address": ("location", "place"),
        "direction": (),
        "officer": ("officerid", "badge"),
        "image": ("imagedigest", "imagesha256"),
    },
    needs=(("at", "date"), ("plate",)),
    take=take,
    presets=(SEATTLE,),
)
