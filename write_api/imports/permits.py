"""Permits from CSV: rights that were sold before this log began. A last day counts through its end."""

from datetime import datetime, time, timedelta

from events.permits import PermitPurchased
from write_api.imports.cells import Cells
from write_api.imports.formats import Format, Taken
from write_api.imports.local_time import Unreadable


def take(cells: Cells) -> Taken:
    """Return the purchase of a row; bought when it begins to be valid, where the file does not say."""
    permit = cells.needed("permit")
    valid_from = _edge(cells, "valid_from", through=False)
    plates = cells.plates("plates") or ((cells.plate(),) if cells.text("plate") else ())
    bought = PermitPurchased.model_validate(
        {
            "at": cells.instant("at") if cells.text("at") else valid_from,
            "permit": permit,
            "account": cells.text("account"),
            "permit_type": cells.text("permit_type"),
            "zones": cells.words("zones") or (cells.zone(),),
            "plates": plates,
            "valid_from": valid_from,
            "valid_until": _edge(cells, "valid_until", through=True),
            "price": cells.money("price"),
            "payment": cells.text("payment"),
        }
    )
    if bought.valid_until <= bought.valid_from:
        raise Unreadable("the permit ends before it begins")
    return Taken(permit, (bought,), f"permit:{bought.permit}")


def _edge(cells: Cells, name: str, *, through: bool) -> datetime:
    """Return the instant at which the right begins or ends; a bare last day ends at 24:00 local."""
    text = cells.needed(name)
    if ":" in text:
        return cells.instant(name, planned=True)
    day = cells.day(name)
    return cells.joined(day + timedelta(days=1) if through else day, time(), planned=True)


FORMAT = Format(
    name="permits",
    fields={
        "permit": ("permitnumber", "permitid", "number", "id"),
        "at": ("purchasedat", "soldat", "issuedat", "purchasedate"),
        "account": ("accountid", "customer", "holder", "customerid"),
        "permit_type": ("type", "category"),
        "zones": ("lots", "areas"),
        "zone": ("lot", "area"),
        "plates": ("licenseplates", "vehicles"),
        "plate": ("licenseplate", "licenceplate", "platenumber", "plateno"),
        "region": ("state", "platestate", "province"),
        "valid_from": ("start", "startdate", "from", "effective", "effectivedate"),
        "valid_until": ("end", "enddate", "until", "expires", "expiry", "expirydate", "expirationdate"),
        "price": ("amount", "fee"),
        "payment": ("paymentid", "receipt"),
    },
    needs=(("permit",), ("valid_from",), ("valid_until",)),
    take=take,
)
