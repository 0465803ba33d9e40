"""Asked on a terminal: what was true then, by what was known then."""

import json

from event_store.log import Log
from tests.projections.conftest import Models
from tests.projections.facts import bought, cited, minute, opened, paid, read, revoked, told
from tests.replay.test_rebuild import parkledger

PLATE = ("--plate", "ON CKTR482", "--zone", "F", "--json")


def test_validity_by_both_clocks(models: Models, log: Log, dsn: str) -> None:
    told(log, bought("T-1"))
    told(log, revoked("T-1", 30))
    models.catch_up()
    at = ("--at", minute(40).isoformat())
    now = parkledger(dsn, "as-of", "validity", *PLATE, *at)
    assert (now.returncode, json.loads(now.stdout)["answer"]) == (1, "in_grace")
    then = parkledger(dsn, "as-of", "validity", *PLATE, *at, "--known", "1")
    assert (then.returncode, json.loads(then.stdout)["right"]) == (0, "T-1")
    assert log.read(after=2).entries[0].event.__dict__["query"] == "as-of validity F"


def test_a_citation_and_its_story_as_known(models: Models, log: Log, dsn: str) -> None:
    told(log, opened(), read("r1"), cited("C-1", basis=("r1",)), paid("P-1", 60, citation="C-1", amount=3000))
    models.catch_up()
    at = ("--at", minute(90).isoformat(), "--json")
    now = json.loads(parkledger(dsn, "as-of", "citation", "C-1", *at).stdout)
    then = json.loads(parkledger(dsn, "as-of", "citation", "C-1", *at, "--known", "3").stdout)
    assert (now["balance"], then["balance"], then["finding"]["disposition"]) == (0, 6000, "UPHELD")
    assert parkledger(dsn, "as-of", "citation", "C-1", "--known", "2").returncode == 1
    story = parkledger(dsn, "as-of", "timeline", "C-1").stdout
    assert [line.split()[6].rstrip(";") for line in story.splitlines()] == [
        "PlateRead",
        "CitationIssued",
        "PaymentAuthorised",
    ]


def test_what_cannot_be_an_instant_is_refused(dsn: str) -> None:
    done = parkledger(dsn, "as-of", "validity", *PLATE, "--at", "2026-03-05T09:05")
    assert (done.returncode, "needs an offset from UTC" in done.stderr) == (2, True)
