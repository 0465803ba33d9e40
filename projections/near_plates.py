"""The plates that ever had a right, by what a camera may have taken them for.

A plate stands under a few keys (`commands.confusable.filed_under`), so that the near matches of a reading are
found by a few look-ups in an index, however many plates there are.
"""

from collections.abc import Iterable
from typing import Any

from commands.confusable import filed_under
from events.envelope import Recorded
from events.permits import ActivePlateSelected, PermitPurchased, PlateAdded, PlateAssociationCorrected
from events.sessions import ExemptionGranted, SessionStarted
from events.vocabulary import Plate
from projections.projection import Neighbours, Projection, Thing, types
from projections.table import Row, Table

TABLE = Table({"found_under": "text", "plate": "text"}, indexes=("found_under",))


def evolve(_: bool, entry: Recorded[Any]) -> bool:  # noqa: FBT001 - the whole state
    """Note that the plate had a right."""
    del entry
    return True


def rows(plate: str, state: bool, _: Neighbours) -> Iterable[Row]:  # noqa: FBT001 - the whole state
    """Return a row for each key of the plate."""
    return [(key, plate) for key in sorted(filed_under(Plate(plate)))] if state else ()


NEAR_PLATES = Projection(
    name="near_plates",
    version=3,
    table=TABLE,
    things=(
        Thing(
            "plate",
            types(
                PermitPurchased,
                PlateAdded,
                PlateAssociationCorrected,
                ActivePlateSelected,
                SessionStarted,
                ExemptionGranted,
            ),
            lambda _: False,
            evolve,
        ),
    ),
    rooted=frozenset({"plate"}),
    rows=rows,
)
