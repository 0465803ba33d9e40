"""Every command's way in, a module an area: the one place where an area's routes are made known."""

from write_api import (
    appeals,
    citations,
    payments,
    permits,
    policies,
    privacy,
    reads,
    security,
    sessions,
    zones,
)
from write_api.routes import CommandRoute

ROUTES: tuple[CommandRoute, ...] = (
    *zones.ROUTES,
    *policies.ROUTES,
    *permits.ROUTES,
    *sessions.ROUTES,
    *reads.ROUTES,
    *citations.ROUTES,
    *payments.ROUTES,
    *appeals.ROUTES,
    *security.ROUTES,
    *privacy.ROUTES,
)
