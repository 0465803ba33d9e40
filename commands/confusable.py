"""Plates that a camera may have taken for another: look-alike characters, and characters lost or added.

More than half of real misreads change the length of the number. A near match is a possible match at most: a
person confirms or denies it from the image; by itself it neither clears nor cites (DOMAIN §3).

Four kinds of near match, the nearest first: look-alikes alone; one character lost or added; one letter taken
for another that is built alike; two characters lost or added at an end. A digit is only taken for its
look-alikes, or every vehicle of a fleet that is numbered in a row would be near to the next.
"""

from functools import lru_cache
from itertools import combinations

from events.vocabulary import UNKNOWN_REGION, Plate, is_readable, number_of, region_of

GROUPS = ("1I", "2Z", "38B", "5S", "0DOQ", "EF", "FP", "HKRM", "TY", "VY", "UV", "4A", "6G")
"""Characters that are taken for one another, by group; being alike does not carry over between groups."""

SHAPES = ("HNMW", "HB", "PRB", "LIE", "IT", "0OUCG", "XKY")
"""Letters built of the same strokes; taken for one another more rarely, so only one of a number is."""

ALIKE, LENGTH, SHAPE, END = range(4)
"""The kinds of near match, the nearest first."""

_LEAST = 4
"""Characters that have to be left, or to agree, before the rarer kinds are looked for."""


def _pairs(groups: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for group in groups for a, b in combinations(group, 2) for pair in ((a, b), (b, a)))


_PAIRS = _pairs(GROUPS)
_SHAPES = _pairs(SHAPES)


def _families(groups: tuple[str, ...]) -> dict[str, str]:
    """Return the character that stands for each one in a key: the same for all that hang together."""
    found: dict[str, str] = {}
    for group in groups:
        family = next((found[c] for c in group if c in found), group[0])
        merged = {found.get(c, family) for c in group}
        found.update(dict.fromkeys(group, family))
        found.update({c: family for c, other in found.items() if other in merged})
    return found


_FAMILY = str.maketrans(_families(GROUPS))
_STROKES = {c: family.lower() for c, family in _families(SHAPES).items()}
"""In lower case, which no number has: a key tells by it where the letter stands that is taken for another."""


@lru_cache(maxsize=10_000)
def filed_under(plate: Plate) -> frozenset[str]:
    """Return the keys that a plate is kept under, so that the readings it may be taken for find it.

    A number counts with each character replaced by its family (`GROUPS`). The first character of a key says
    what was done to the number: `=` nothing, `-` one character taken out, `+` two taken off an end, `~` a
    letter replaced by what is built of the same strokes (`SHAPES`). Keys that say more than what is left
    keep apart what only has its characters in common, such as the numbers of a fleet that differ in a digit.
    """
    if not is_readable(plate):
        return frozenset()
    number = number_of(plate)
    whole = number.translate(_FAMILY)
    ends = {f"+{number[2:]}", f"+{number[:-2]}"} if len(number) >= _LEAST + 2 else set()
    return frozenset({f"={whole}", *ends, *(f"-{shorter}" for shorter in _shorter(whole)), *_built(number)})


@lru_cache(maxsize=10_000)
def sought_under(read: Plate) -> frozenset[str]:
    """Return the keys to look under for the near matches of a reading; all of `likeness` are found there."""
    if not is_readable(read):
        return frozenset()
    number = number_of(read)
    whole = number.translate(_FAMILY)
    ends = {f"={whole[2:]}", f"={whole[:-2]}"} if len(number) >= _LEAST + 2 else set()
    longer = {f"-{whole}", f"+{number}"}
    shorter = {f"={shorter}" for shorter in _shorter(whole)}
    return frozenset({f"={whole}", *longer, *shorter, *ends, *_built(number)})


def _shorter(whole: str) -> set[str]:
    return {whole[:i] + whole[i + 1 :] for i in range(len(whole))}


def _built(number: str) -> set[str]:
    """Return the keys of the number with each letter in turn replaced by what stands for its strokes."""
    if len(number) < _LEAST:
        return set()
    whole = number.translate(_FAMILY)
    return {f"~{whole[:i]}{_STROKES[c]}{whole[i + 1 :]}" for i, c in enumerate(number) if c in _STROKES}


def likeness(read: Plate, other: Plate) -> tuple[int, int] | None:
    """Return how far a plate is from the one that was read; `None` where it is no near match, or the same.

    The kind of match counts first (`ALIKE`, `LENGTH`, `SHAPE`, `END`), then how many look-alikes there are;
    an unknown region is that of any plate.
    """
    regions = {region_of(read), region_of(other)}
    if read == other or (len(regions) > 1 and UNKNOWN_REGION not in regions):
        return None
    if not (is_readable(read) and is_readable(other)):
        return None
    short, long = sorted((number_of(read), number_of(other)), key=len)
    match len(long) - len(short):
        case 0:
            return _of_one_length(short, long)
        case 1:
            found = [_differing(short, long[:i] + long[i + 1 :]) for i in range(len(long))]
            return min(((LENGTH, differing) for differing in found if differing is not None), default=None)
        case 2 if len(short) >= _LEAST and short in {long[2:], long[:-2]}:
            return END, 0
        case _:
            return None


def _of_one_length(one: str, other: str) -> tuple[int, int] | None:
    differing = _differing(one, other)
    if differing is not None:
        return ALIKE, differing
    unlike = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1] and pair not in _PAIRS]
    if len(unlike) > 1 or unlike[0] not in _SHAPES or len(one) < _LEAST:
        return None
    return SHAPE, sum(a != b for a, b in zip(one, other, strict=True)) - 1


def _differing(one: str, other: str) -> int | None:
    """Return in how many places two numbers of one length differ; `None` where not by look-alikes only."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return len(pairs) if _PAIRS.issuperset(pairs) else None
