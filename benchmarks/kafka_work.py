"""A read model that is bound by its own work: validity, with rows that take a third of a millisecond."""

from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from projections.projection import Neighbours
from projections.table import Row
from projections.validity import VALIDITY, rows

TURNS = 600


def _laborious(key: str, state: Any, neighbours: Neighbours) -> Iterable[Row]:
    digest = key.encode()
    for _ in range(TURNS):
        digest = sha256(digest).digest()
    return rows(key, state, neighbours)


HEAVY = replace(VALIDITY, rows=_laborious)
