"""Events as JSON Lines."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from events.reads import PlateRead

type Import = Callable[..., Any]

READ = {
    "event": "PlateRead",
    "at": "2026-03-05T09:05:40-05:00",
    "read": "r-1",
    "plate": "ON CKTR482",
    "zone": "F",
    "device": "H3",
}


def lines(*said: object) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in said)


def test_a_line_is_an_event_and_importing_it_again_adds_nothing(import_: Import) -> None:
    done = import_("events", lines(READ))
    assert [read.read for read in done.only(PlateRead)] == ["r-1"]
    again = import_("events", lines(READ))
    assert (again.result.taken, again.result.known_already) == (0, 1)


def test_a_renewal_need_not_repeat_the_zones_of_its_permit(import_: Import) -> None:
    renewed = {
        "event": "PermitRenewed",
        "at": READ["at"],
        "permit": "T-1",
        "valid_until": "2026-04-05T00:00:00Z",
    }
    assert import_("events", lines(renewed)).result.taken == 1


def test_an_export_of_the_log_is_understood(import_: Import) -> None:
    fields = {key: value for key, value in READ.items() if key not in {"event", "at"}}
    exported = {
        "position": 7,
        "type": "PlateRead",
        "version": 1,
        "at": READ["at"],
        "recorded": "2026-03-05T14:05:41Z",
        "actor": "officer-1",
        "command_id": "0195664c-5f60-7000-8000-000000000001",
        "payload": fields,
    }
    assert import_("events", lines(exported)).result.taken == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "does not name its event"),
        ('{"event": "PlateReed"}', "did you mean PlateRead?"),
        (json.dumps({**READ, "at": "2026-03-05T09:05:40"}), "at: an instant needs an offset"),
        (json.dumps({**READ, "plate": "CKTR482"}), "plate: a plate is written REGION NUMBER"),
        (json.dumps({**READ, "colour": "red"}), "colour: "),
        (json.dumps({**READ, "raw": "a\u0000b"}), "raw: text may not hold the character NUL"),
        (json.dumps({**READ, "officer": "4111 1111 1111 1111"}), "looks like a card number"),
        (json.dumps({**READ, "version": 9}), "version: 9 is no schema version of PlateRead"),
        ('{"event": "PlateRead", "event": "PlateRead"}', "a field stands twice"),
        ('{"event": "PlateRead", "at": "2026-03-05T09:0', "not JSON"),
    ],
)
def test_a_bad_line_is_rejected_with_its_number_and_the_rest_is_taken(
    import_: Import, line: str, reason: str
) -> None:
    done = import_("events", f"\n{line}\n{lines(READ)}")
    assert done.result.taken == 1
    ((number, why),) = done.reasons
    assert number == 2
    assert reason in why
