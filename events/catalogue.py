"""Every event of the log, by area. Importing this module fills the catalogue."""

from events import (
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
from events.base import CATALOGUE, Event, UnknownEvent, event_named

__all__ = ["AREAS", "CATALOGUE", "Event", "UnknownEvent", "event_named"]

AREAS = (zones, policies, permits, sessions, reads, citations, payments, appeals, security, privacy)
"""The modules of the catalogue, one an area."""
