"""What an answer rests on: the position of its read model, and how old that is."""

from datetime import datetime

import msgspec


class AsOf(msgspec.Struct, frozen=True):
    """The position of the log that an answer rests on.

    `recorded` is when the log accepted the event there, `None` in an empty log. `age_ms` is how long ago the
    first event was recorded that the model does not hold yet; 0 where it holds all that was in the log when
    the answer was read.
    """

    position: int
    recorded: datetime | None
    age_ms: float


MODELS = """
    SELECT p.name, p.position, p.recorded, coalesce(greatest(0, extract(epoch FROM clock_timestamp() - (
        SELECT e.recorded FROM log.events e WHERE e.position = p.position + 1)) * 1000), 0)::float8
    FROM views.progress p WHERE p.live
"""
"""How far each live model is, and the age of each in milliseconds, as of the statement that reads it."""


def oldest(models: list[AsOf]) -> AsOf:
    """Return what an answer rests on that was read from several models: the one that is furthest behind."""
    return min(models, key=lambda model: model.position)
