"""Every read model. Adding one touches its own file and one line here."""

from projections.appeals import APPEALS
from projections.citations import CITATIONS
from projections.near_plates import NEAR_PLATES
from projections.permits import PERMITS
from projections.projection import Projection
from projections.sightings import SIGHTINGS
from projections.validity import VALIDITY
from projections.watchlist import WATCHLIST
from projections.zones import ZONES

PROJECTIONS: tuple[Projection, ...] = (
    VALIDITY,
    WATCHLIST,
    NEAR_PLATES,
    PERMITS,
    CITATIONS,
    APPEALS,
    SIGHTINGS,
    ZONES,
)
"""In the order in which their rows are written."""
