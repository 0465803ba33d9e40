"""Possible matches of real misreads: does the true plate come up, how high, and how many others with it.

The pairs are plates as they are and as an OCR engine read them. The crowd is the vehicles of a read file; its
plates are hashed, and each hash stands for one number of the common shape AAA9999. Look-ups go through the
keys and the ranking of the read model, without a database.
"""

import csv
import gzip
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from os import environ
from pathlib import Path
from statistics import mean

from benchmarks import plates_permitted
from benchmarks.harness import Figure, alone, emit, note
from commands.confusable import filed_under, likeness, sought_under
from events.vocabulary import Plate

BENCH = "plates"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PAIRS = ("openalpr_seg_groundtruth.csv", "openalpr_seg_ocr_results.csv")
READS = "seattle_pd_alpr_reads_2021-10.csv.gz"

type Index = Mapping[str, frozenset[Plate]]


def run(*, quick: bool = False) -> list[Figure]:
    """Measure, print a line a figure, and return them; of real misreads only where there are any."""
    return [*_of_real_reads(quick=quick), *plates_permitted.run(BENCH, quick=quick)]


def _of_real_reads(*, quick: bool) -> list[Figure]:
    data = Path(environ.get("PARKLEDGER_BENCH_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not all((data / name).exists() for name in (*PAIRS, READS)):
        note(f"no real reads in {data}: nothing is measured")
        return []
    true, read = (dict(_pairs(data / name)) for name in PAIRS)
    files = index(true.values())
    misread = [(read[image], plate) for image, plate in true.items() if read[image] != plate]
    places = [_place(proposed(files, wrong), plate) for wrong, plate in misread]
    note(f"{len(misread)} misreads among {len(true)} reads")
    crowd = sorted({_number(row["plate_hash"]) for row in _rows(data / READS)})
    asked = crowd[:: 20 if quick else 1]
    crowded = index(crowd)
    others = [len(proposed(crowded, plate)) for plate in asked]
    note(f"{len(crowd)} vehicles of the read file, {len(asked)} asked")
    return [
        emit(alone(BENCH, "recall at 1 of the misreads", [mean(p == 1 for p in places)], unit="share")),
        emit(alone(BENCH, "recall at 3 of the misreads", [mean(1 <= p <= 3 for p in places)], unit="share")),
        emit(alone(BENCH, "unrelated plates proposed per look-up", [mean(others)], unit="plates")),
    ]


def index(plates: Iterable[Plate]) -> Index:
    """Return the plates under each of their keys."""
    found: dict[str, set[Plate]] = defaultdict(set)
    for plate in plates:
        for key in filed_under(plate):
            found[key].add(plate)
    return {key: frozenset(of) for key, of in found.items()}


def files_of(plates: Index, plate: Plate) -> frozenset[Plate]:
    """Return the plates that are found under the keys of a reading."""
    return frozenset().union(*(plates.get(key, frozenset()) for key in sought_under(plate)))


def proposed(plates: Index, read: Plate) -> Sequence[Plate]:
    """Return the possible matches of what was read, best first."""
    ranked = ((likeness(read, other), other) for other in files_of(plates, read))
    return [other for _, other in sorted((near, other) for near, other in ranked if near is not None)]


def _place(found: Sequence[Plate], plate: Plate) -> int:
    """Return the rank of the true plate, from 1; 0 where it was not proposed."""
    return found.index(plate) + 1 if plate in found else 0


def _pairs(file: Path) -> Iterable[tuple[str, Plate]]:
    with file.open(newline="") as rows:
        for image, region, number in csv.reader(rows):
            yield image, Plate(f"{region.upper()} {number}")


def _rows(file: Path) -> Iterable[dict[str, str]]:
    with gzip.open(file, "rt", newline="") as rows:
        yield from csv.DictReader(rows)


def _number(hashed: str) -> Plate:
    """Return the number that a hash stands for: three letters and four digits, by its value."""
    rest, digits = divmod(int(hashed, 16), 10_000)
    rest, third = divmod(rest, 26)
    rest, second = divmod(rest, 26)
    letters = LETTERS[rest % 26] + LETTERS[second] + LETTERS[third]
    return Plate(f"WA {letters}{digits:04}")


if __name__ == "__main__":
    run(quick="--quick" in sys.argv)
