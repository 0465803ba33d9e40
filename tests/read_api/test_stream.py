"""What changes, told as server-sent events once the read models show it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from events.privacy import RecordAccessed
from events.vocabulary import Plate
from events.zones import ZoneClosed, ZoneOpened
from tests.read_api.office import Office

NOW = datetime.now(UTC)


def zone(name: str) -> ZoneOpened:
    return ZoneOpened(at=NOW, zone=name, name=name, timezone="UTC")


class Heard:
    """A stream that is listened to."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def event(self, wanted: str = "changed") -> tuple[int | None, dict[str, object]]:
        """Return the id and data of the next event of that name."""
        told: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                told[name] = value
            elif told.get("event") == wanted:
                return int(told["id"]) if "id" in told else None, json.loads(told["data"])
            else:
                told = {}
        raise EOFError


@contextmanager
def listening(office: Office, query: str = "", **headers: str) -> Iterator[Heard]:
    sent = office.headers("dispute") | headers
    with httpx.stream("GET", f"{office.address}/v1/stream{query}", headers=sent, timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = Heard(answer)
        heard.event("pulse")
        yield heard


def test_a_change_is_told_with_its_position(office: Office) -> None:
    with listening(office) as heard:
        position = office.report(zone("F")).position
        number, told = heard.event()
    assert (number, told["type"], told["position"]) == (position, "ZoneOpened", position)


def test_only_what_is_listened_for_is_told(office: Office) -> None:
    with listening(office, "?tag=zone:G") as heard:
        office.report(zone("F"), zone("G"))
        number, _ = heard.event()
    assert number == 2


def test_who_comes_back_is_told_what_was_missed(office: Office) -> None:
    office.report(zone("F"), zone("G"), zone("H"))
    with listening(office, **{"last-event-id": "1"}) as heard:
        assert [heard.event()[0], heard.event()[0]] == [2, 3]
        office.report(ZoneClosed(at=NOW, zone="F"))
        assert heard.event()[0] == 4


def test_a_page_goes_on_after_the_position_that_it_was_made_at(office: Office) -> None:
    office.report(zone("F"), zone("G"))
    with listening(office, "?after=1&tag=zone:G") as heard:
        assert heard.event()[0] == 2


def test_what_the_models_do_not_show_yet_is_not_told(office: Office) -> None:
    with listening(office) as heard:
        office.report(zone("F"), catch_up=False)
        told = heard.event("pulse")[1]
        assert told["position"] == 0
        office.catch_up()
        assert heard.event()[0] == 1


def test_a_look_up_is_no_change(office: Office) -> None:
    looked = RecordAccessed(at=NOW, who="riley", query="x", purpose="patrol", plate=Plate("ON A1"))
    with listening(office) as heard:
        office.report(looked)
        office.report(zone("F"))
        assert heard.event()[0] == 2


def test_pulses_alone_can_be_asked_for(office: Office) -> None:
    with listening(office, "?changes=false") as heard:
        office.report(zone("F"))
        assert heard.event("pulse")[1]["position"] in {0, 1}
        assert heard.event("pulse")[1]["position"] == 1


@pytest.mark.parametrize("given", ["-1", "soon", "99999999999999999999"])
def test_a_last_event_id_that_is_none_is_refused(office: Office, given: str) -> None:
    answer = office.get("/v1/stream", "dispute", headers={"last-event-id": given})
    assert answer.status_code == 422


def test_a_parker_does_not_listen(office: Office) -> None:
    assert office.get("/v1/stream", "parker").status_code == 403


@pytest.mark.parametrize("given", ["F", "plate:CKTR482"])
def test_a_tag_that_is_none_is_refused_instead_of_never_heard_of(office: Office, given: str) -> None:
    answer = office.get("/v1/stream", "dispute", tag=given)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "tag")
