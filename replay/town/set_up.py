"""What a parking office sets up before the first day: zones with their rules, and permit types."""

from replay.town.door import Door, step
from replay.town.people import LOTS, PERMIT_TYPES, PRICES, TIMEZONE, Lot, People

TERM_DAYS = 120
CAPACITY = {"ATHLETE": 12}
"""Permit types with few places, so that some drivers have to wait."""


def set_up(write: Door, people: People) -> None:
    """Set the town up; a town that is set up already stays as it is."""
    for lot in LOTS:
        opened = {"zone": lot.zone, "name": lot.name, "timezone": TIMEZONE, "spaces": lot.capacity}
        write.post(people.admin, "/v1/zones", opened)
        write.post(people.admin, step("zones", lot.zone, "rules"), {"rules": [_rule(lot)]})
    for name, zones in PERMIT_TYPES.items():
        offered = {
            "permit_type": name,
            "zones": zones,
            "price": PRICES[name],
            "term_days": TERM_DAYS,
            "max_plates": 2,
            "max_active": 1,
        }
        if name in CAPACITY:
            offered["capacity"] = CAPACITY[name]
        write.post(people.admin, "/v1/permit-types", offered)


def _rule(lot: Lot) -> dict[str, object]:
    rule: dict[str, object] = {"code": lot.code, "kind": lot.kind}
    return rule if lot.limit_minutes is None else {**rule, "limit_minutes": lot.limit_minutes}
