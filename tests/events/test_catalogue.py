"""The catalogue keeps its contract: names, identities, frozen facts, reading that equals the writing."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from events.boundary import on
from events.catalogue import AREAS, CATALOGUE, UnknownEvent, event_named
from events.permits import PermitPurchased, PermitRevoked
from events.reads import PlateRead

CONTRACT = Path(__file__).parents[2].parent / "shared" / "CATALOGUE.md"
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def purchased(**changes: object) -> PermitPurchased:
    fields = {
        "at": NOON,
        "permit": "T-1",
        "zones": ["F", "G"],
        "plates": ["on ckt-r482"],
        "valid_from": "2026-03-05T09:02:11-05:00",
        "valid_until": "2026-05-01T00:00:00-04:00",
    }
    return PermitPurchased.model_validate(fields | changes)


def test_an_events_tags_are_its_identities_each_value_of_a_list_one() -> None:
    assert set(purchased(account="A-7").tags()) == {
        "permit:T-1",
        "account:A-7",
        "zone:F",
        "zone:G",
        "plate:ON CKTR482",
    }


def test_an_event_read_back_equals_the_event_written() -> None:
    event = purchased(price=24000)
    revived = PermitPurchased.revive(json.dumps(event.payload()).encode(), event.at)
    assert revived == event
    assert revived.tags() == event.tags()


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        purchased().permit = "T-2"


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="colour"):
        purchased(colour="red")


def test_personal_fields_say_whose_data_they_are() -> None:
    assert PlateRead.personal["plate"] == "plate"
    assert PlateRead.personal["place"] == "place"
    assert PlateRead.personal["image"] == "image"


def test_a_boundary_covers_by_type_and_all_of_its_tags() -> None:
    assert on(PermitPurchased, PermitRevoked, permit="T-1").covers(purchased())
    assert not on(PermitRevoked, permit="T-1").covers(purchased())
    assert not on(PermitPurchased, permit="T-1", zone="H").covers(purchased())
    assert (on(PermitRevoked, permit="T-1") | on(PermitPurchased, plate="ON CKTR482")).covers(purchased())


def test_a_wire_name_outside_the_catalogue_is_an_error_of_its_own() -> None:
    with pytest.raises(UnknownEvent, match="PermitEaten"):
        event_named("PermitEaten")


def test_every_area_has_events_and_every_event_an_area() -> None:
    areas = {module.__name__.rpartition(".")[2] for module in AREAS}
    assert {event.area for event in CATALOGUE.values()} == areas


@pytest.mark.shared
@pytest.mark.skipif(not CONTRACT.exists(), reason="the shared CATALOGUE.md is absent")
def test_every_event_of_the_shared_catalogue_exists_with_its_fields() -> None:
    for line in CONTRACT.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 5 or not re.match(r"[A-Z][a-zA-Z]+[a-z](,|$)", cells[2]):
            continue
        fields = set(re.findall(r"[a-z_0-9]+", re.sub(r"\([^)]*\)|:[^,]*|\[[^\]]*\]", "", cells[3])))
        for name in cells[2].split(", "):
            assert name in CATALOGUE, f"{name} is missing"
            common = fields & set(CATALOGUE[name].model_fields)
            assert common, f"{name} has none of {fields}"
