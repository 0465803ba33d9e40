"""Plate reads from CSV, with the dirt that files come with."""

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from events.reads import PlateRead
from events.zones import ZoneOpened
from write_api.imports.source import UnusableFile

type Import = Callable[..., Any]

HEADER = "License Plate,State,Lot,Camera,Timestamp\n"
ROW = "ckt r-482,on,F,cam-1,2026-03-05 09:05:40\n"
TORONTO = {"timezone": "America/Toronto"}


def test_a_row_becomes_a_read_and_its_zone_is_opened_once(import_: Import) -> None:
    done = import_("plate-reads", f"{HEADER}{ROW}{ROW.replace('09:05', '09:06')}", **TORONTO)
    assert (done.result.taken, done.result.rejected, done.result.known_already) == (2, 0, 0)
    (zone,) = done.only(ZoneOpened)
    assert (zone.zone, zone.timezone) == ("F", "America/Toronto")
    first, _ = done.only(PlateRead)
    assert (first.plate, first.raw, first.device) == ("ON CKTR482", "ckt r-482", "cam-1")
    assert first.at == datetime(2026, 3, 5, 14, 5, 40, tzinfo=UTC)


def test_importing_again_adds_nothing(import_: Import) -> None:
    content = f"{HEADER}{ROW}{ROW.replace('09:05', '09:06')}"
    import_("plate-reads", content, **TORONTO)
    again = import_("plate-reads", content, **TORONTO)
    assert (again.result.taken, again.result.known_already) == (0, 2)
    assert len(again.events) == 3


def test_the_same_row_twice_in_a_file_is_one_read(import_: Import) -> None:
    done = import_("plate-reads", f"{HEADER}{ROW}{ROW}", **TORONTO)
    assert (done.result.taken, done.result.known_already) == (1, 1)


def test_reads_of_two_devices_under_one_id_are_two_however_often_they_are_imported(import_: Import) -> None:
    header = HEADER.replace("License Plate", "Read,License Plate")
    first, second, third = (
        f"r-1,{ROW.replace('cam-1', f'cam-{n}').replace('r-482', f'r48{n}')}" for n in range(1, 4)
    )
    done = import_("plate-reads", f"{header}{first}{second}", **TORONTO)
    assert (done.result.taken, done.result.rejected, done.result.known_already) == (2, 0, 0)
    again = import_("plate-reads", f"{header}{first}{second}{third}", **TORONTO)
    assert (again.result.taken, again.result.rejected, again.result.known_already) == (1, 0, 2)
    assert [read.device for read in again.only(PlateRead)] == ["cam-1", "cam-2", "cam-3"]


def test_a_column_is_named_where_it_is_not_recognised(import_: Import) -> None:
    content = "Kennzeichen,Zeit\nBAB123,2026-05-04 09:00\n"
    mapping = {"plate": "Kennzeichen", "at": "Zeit"}
    done = import_(
        "plate-reads", content, mapping=mapping, timezone="Europe/Berlin", region="D", zone="M", device="h"
    )
    (read,) = done.only(PlateRead)
    assert (read.plate, read.zone, read.device) == ("D BAB123", "M", "h")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (f"{HEADER}".encode("utf-16"), "UTF-16"),
        (HEADER.encode("utf-16-be"), "UTF-16"),
        (f"{HEADER}{ROW}".replace("\n", "\r"), "end in CR alone"),
        ("plate,plate,at\n", "'plate' stands twice"),
        ("number,when\n1,2\n", 'no column holds at or date; name it with --map at="Column"'),
        (b"\xff\xfa\n", "not UTF-8"),
        (gzip.compress(f"{HEADER}{ROW}".encode(), mtime=0)[:-12], "damaged after line"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(
    import_: Import, content: str | bytes, sentence: str
) -> None:
    with pytest.raises(UnusableFile, match=sentence.replace("(", r"\(")):
        import_("plate-reads", content, **TORONTO)


def test_an_unknown_column_in_the_mapping_names_the_nearest(import_: Import) -> None:
    with pytest.raises(UnusableFile, match="did you mean 'License Plate'"):
        import_("plate-reads", HEADER, mapping={"plate": "Licence Plate"}, **TORONTO)


def test_local_times_without_a_zone_are_refused_row_by_row_where_no_zone_is_named(import_: Import) -> None:
    with_offset = ROW.replace("09:05:40", "09:05:40-05:00")
    done = import_("plate-reads", f"{HEADER}{ROW}", zone="F")
    assert done.result.rejected == 1
    assert "--timezone" in done.reasons[0][1]
    with pytest.raises(UnusableFile, match="'F' is not open yet; name its time zone"):
        import_("plate-reads", f"{HEADER}{with_offset}")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW.replace("09:05:40", "late"), "Timestamp: 'late' is no time of day"),
        (ROW.replace("2026-03-05", "2097-03-05"), "in the future"),
        (ROW.replace("2026-03-05", "1066-03-05"), "before 1970"),
        (ROW.replace("2026-03-05", "2026-13-05"), "no date"),
        (ROW.replace("ckt r-482", "what?!"), "License Plate: a plate number is"),
        (ROW.replace("ckt r-482", "\x00"), "License Plate holds the character NUL"),
        (ROW.replace(",on,", ",ontario,"), "a region is a code"),
        ("only,three,cells\n", "the row has 3 columns, the header 5"),
        (ROW.replace("F,", "F,G,"), "the row has 6 columns, the header 5"),
        (ROW.replace("cam-1", "4111 1111 1111 1111"), "Camera looks like a card number"),
        (ROW.replace("cam-1", '"cam-1'), "a quote is opened and never closed"),
        (ROW.replace("cam-1", '"cam"-1'), "expected after"),
        (ROW.encode().replace(b"cam-1", b"cam-\xff"), "not UTF-8"),
    ],
)
def test_a_bad_row_is_rejected_with_line_and_reason_and_the_rest_is_taken(
    import_: Import, row: str | bytes, reason: str
) -> None:
    good = ROW.replace("09:05", "10:10").encode()
    middle = row if isinstance(row, bytes) else row.encode()
    done = import_("plate-reads", HEADER.encode() + ROW.encode() + middle + good, **TORONTO)
    assert (done.result.taken, done.result.rejected) == (2, 1)
    ((line, why),) = done.reasons
    assert line == 3
    assert reason in why


def test_bom_quotes_crlf_blank_lines_and_semicolons_are_understood(import_: Import) -> None:
    content = (
        '\ufeff"License Plate";State;Lot;Camera;Timestamp;Note\r\n\r\n'
        'CKTR482;ON;F;"cam; 1";2026-03-05T09:05:40;"two\r\nlines"\r\n;;;;;\r\n'
        "CKTR483;ON;F;cam-2;2026-03-05T09:06:40;x\r\n"
    )
    done = import_("plate-reads", content, **TORONTO)
    assert (done.result.taken, done.result.rejected) == (2, 0)
    assert [read.device for read in done.only(PlateRead)] == ["cam; 1", "cam-2"]


def test_gzip_is_read_as_it_is(import_: Import) -> None:
    done = import_("plate-reads", gzip.compress(f"{HEADER}{ROW}".encode()), name="reads.csv.gz", **TORONTO)
    assert done.result.taken == 1


@pytest.mark.parametrize(
    ("clock", "instant"),
    [
        ("2026-11-01 01:30:00", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # shown twice: the first
        ("2026-03-08 02:30:00", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),  # never shown: a clock not set yet
        ("07/04/2026 - 16:30:51", datetime(2026, 7, 4, 20, 30, 51, tzinfo=UTC)),
        ("2026-07-04T16:30:51+02:00", datetime(2026, 7, 4, 14, 30, 51, tzinfo=UTC)),
        ("7/4/2026 4:30 PM", datetime(2026, 7, 4, 20, 30, tzinfo=UTC)),
    ],
)
def test_local_times_are_read_by_the_zone_across_clock_changes(
    import_: Import, clock: str, instant: datetime
) -> None:
    done = import_("plate-reads", HEADER + ROW.replace("2026-03-05 09:05:40", clock), **TORONTO)
    assert [read.at for read in done.only(PlateRead)] == [instant]


def test_days_come_first_where_the_file_is_said_to_write_them_so(import_: Import) -> None:
    row = ROW.replace("2026-03-05", "05/03/2026")
    done = import_("plate-reads", HEADER + row, day_first=True, **TORONTO)
    assert done.only(PlateRead)[0].at.date() == datetime(2026, 3, 5, tzinfo=UTC).date()


def test_sentinel_coordinates_are_dropped_and_the_address_stays(import_: Import) -> None:
    header = "plate,at,device,zone,lat,lon,address\n"
    rows = "A1,2026-03-05T09:00:00Z,d,F,99999,99999,12 Elm St\nA2,2026-03-05T09:00:00Z,d,F,43.66,-79.39,\n"
    lost, found = import_("plate-reads", header + rows, **TORONTO).only(PlateRead)
    assert (lost.place.latitude, lost.place.text) == (None, "12 Elm St")
    assert (found.place.latitude, found.place.longitude) == (43.66, -79.39)


def test_a_missing_plate_is_a_read_of_a_plate_that_nobody_could_read(import_: Import) -> None:
    done = import_("plate-reads", HEADER + ROW.replace("ckt r-482", ""), **TORONTO)
    assert done.only(PlateRead)[0].plate == "ON ?"


def test_a_line_without_end_is_rejected_and_what_follows_is_read(import_: Import) -> None:
    endless = "x" * (3 << 20) + "\n"
    done = import_("plate-reads", f"{HEADER}{endless}{ROW}", **TORONTO)
    assert done.result.taken == 1
    assert done.reasons[0][0] == 2
    assert "more than" in done.reasons[0][1]
