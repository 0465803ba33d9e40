"""Plates that a camera may have taken for another: pairs of look-alike characters, and one lost or added.

More than half of real misreads change the length of the number. A near match is a possible match at most: a
person confirms or denies it from the image; by itself it neither clears nor cites (DOMAIN §3).
"""

from functools import lru_cache
from itertools import combinations

from events.vocabulary import UNKNOWN_REGION, Plate, is_readable, number_of, region_of

GROUPS = ("1I", "2Z", "38B", "5S", "0DOQ", "EF", "FP", "HKRM", "TY", "VY", "UV", "4A", "6G")
"""Characters that are taken for one another, by group; being alike does not carry over between groups."""

_PAIRS = frozenset(pair for group in GROUPS for a, b in combinations(group, 2) for pair in ((a, b), (b, a)))


def _families() -> dict[int, int]:
    """Return the character that stands for each one in a skeleton: the same for all that hang together."""
    found: dict[str, str] = {}
    for group in GROUPS:
        family = next((found[c] for c in group if c in found), group[0])
        merged = {found.get(c, family) for c in group}
        found.update(dict.fromkeys(group, family))
        found.update({c: family for c, other in found.items() if other in merged})
    return {ord(c): ord(family) for c, family in found.items()}


_FAMILY = _families()


@lru_cache(maxsize=10_000)
def skeletons(plate: Plate) -> frozenset[str]:
    """Return the keys under which a plate and its near matches meet.

    The number with each character replaced by its family, whole and without each one of its characters:
    numbers that differ by look-alikes and by one lost or added character share at least one.
    """
    if not is_readable(plate):
        return frozenset()
    whole = number_of(plate).translate(_FAMILY)
    return frozenset({whole, *(whole[:i] + whole[i + 1 :] for i in range(len(whole)))})


def likeness(read: Plate, other: Plate) -> tuple[int, int] | None:
    """Return how far a plate is from the one that was read; `None` where it is no near match, or the same.

    The fewer characters were lost or added the nearer, then the fewer look-alikes; an unknown region is that
    of any plate.
    """
    regions = {region_of(read), region_of(other)}
    if read == other or (len(regions) > 1 and UNKNOWN_REGION not in regions):
        return None
    if not (is_readable(read) and is_readable(other)):
        return None
    short, long = sorted((number_of(read), number_of(other)), key=len)
    if len(short) == len(long):
        differing = _differing(short, long)
        return None if differing is None else (0, differing)
    if len(long) - len(short) > 1:
        return None
    found = [_differing(short, long[:i] + long[i + 1 :]) for i in range(len(long))]
    return min(((1, differing) for differing in found if differing is not None), default=None)


def _differing(one: str, other: str) -> int | None:
    """Return in how many places two numbers of one length differ; `None` where not by look-alikes only."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return len(pairs) if _PAIRS.issuperset(pairs) else None
