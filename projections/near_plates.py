"""The plates that ever had a right, by what a camera may have taken them for.

A plate stands under each of its skeletons (`commands.confusable`), so that the near matches of a reading are
found by a few look-ups in an index, however many plates there are.
"""

from collections.abc import Iterable
from typing import Any

from commands.confusable import skeletons
from events.envelope import Recorded
from events.permits import ActivePlateSelected, PermitPurchased, PlateAdded, PlateAssociationCorrected
from events.sessions import ExemptionGranted, SessionStarted
from events.vocabulary import Plate
from projections.projection import Neighbours, Projection, Thing, types
from projections.table import Row, Table

TABLE = Table({"skeleton": "text", "plate": "text"}, indexes=("skeleton",))


def evolve(_: bool, entry: Recorded[Any]) -> bool:  # noqa: FBT001 - the whole state
    """Note that the plate had a right."""
    del entry
    return True


def rows(plate: str, state: bool, _: Neighbours) -> Iterable[Row]:  # noqa: FBT001 - the whole state
    """Return a row for each skeleton of the plate."""
    return [(skeleton, plate) for skeleton in sorted(skeletons(Plate(plate)))] if state else ()


NEAR_PLATES = Projection(
    name="near_plates",
    version=2,
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
