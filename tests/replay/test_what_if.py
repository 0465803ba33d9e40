"""History under another policy: the sums are computed by hand, and nothing that happened changes."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from commands.policy import UnknownPolicyKey
from event_store.log import Log
from event_store.postgres import PostgresLog
from events.citations import CitationIssued, CitationServed
from events.vocabulary import Cents, Plate
from operations.automation import Automation
from replay.what_if import OtherPolicy, Outcome, WhatIf, what_if
from tests.projections.facts import (
    START,
    adopted,
    appealed,
    bought,
    bounced,
    dismissed,
    minute,
    opened,
    paid,
    read,
    told,
)
from tests.replay.test_rebuild import parkledger

LATER = START + timedelta(days=60)


def issued(name: str, at: float, fine: int | None = 6000, basis: tuple[str, ...] = ()) -> CitationIssued:
    return CitationIssued(
        at=minute(at),
        citation=name,
        plate=Plate("ON CKTR482"),
        zone="F",
        code="NO_PERMIT",
        fine=None if fine is None else Cents(fine),
        basis=basis,
    )


def otherwise(log: Log, at: datetime = LATER, **values: int) -> WhatIf:
    return what_if(log, OtherPolicy(values), at=at)


def only(found: WhatIf) -> tuple[Outcome, Outcome]:
    (one,) = found.changed
    return one.before, one.after


def test_a_longer_grace_would_have_kept_a_citation_from_being_written(log: Log) -> None:
    told(log, opened(), bought("T-1", until=100), read("r1", at=115))
    told(log, issued("C-1", 116, basis=("r1",)))
    before, after = only(otherwise(log, minute(120), grace_minutes=15))
    assert (before.disposition, after.disposition, after.reason) == ("UPHELD", "DISMISSED", "WITHIN_GRACE")
    assert (before.stands, after.stands, before.balance, after.balance) == (True, False, 6000, 0)
    assert otherwise(log, grace_minutes=14).changed == []


def test_fines_follow_the_policy_where_they_were_its_own(log: Log) -> None:
    told(log, opened(), issued("C-1", 0), issued("C-2", 300, fine=9900), issued("C-3", 600, fine=None))
    found = otherwise(log, minute(700), fine=7000)
    assert [one.citation for one in found.changed] == ["C-1", "C-3"]
    assert (found.total.fines, found.total.balance, found.total.citations) == (2000, 2000, 3)
    assert found.zones["F"].changed == 2


def test_late_fees_fall_on_another_day_or_not_at_all(log: Log) -> None:
    told(log, opened(), issued("C-1", 0))
    before, after = only(otherwise(log, START + timedelta(days=40), late_fee_day=50))
    assert (before.late_fee, after.late_fee, before.balance, after.balance) == (2500, 0, 8500, 6000)
    found = otherwise(log, START + timedelta(days=40), late_fee=4000)
    assert (found.total.fees, found.total.fines) == (1500, 0)


def test_fees_that_automation_told_are_told_anew(dsn: str, log: PostgresLog) -> None:
    told(log, opened(), issued("C-1", 0), paid("P-1", 10, citation="C-1", amount=6000), bounced("P-1"))
    Automation(log).act(LATER)
    before, after = only(otherwise(log, returned_item_fee=0))
    assert (before.late_fee, before.returned_fees, after.returned_fees) == (2500, 2000, 0)
    assert otherwise(log, fine=6000).changed == []
    assert dsn


def test_what_was_dismissed_or_paid_in_time_stays_so(log: Log) -> None:
    told(log, opened(), issued("C-1", 0), appealed("A-1", "C-1"), dismissed("A-1", "C-1"))
    told(log, issued("C-2", 300), paid("P-2", 310, citation="C-2", amount=3000))
    assert otherwise(log, late_fee=9900).changed == []
    before, after = only(otherwise(log, discounted_fine=4000))
    assert (before.balance, after.balance, after.late_fee) == (0, 5500, 2500)


def test_the_rest_of_the_offices_own_policy_stays_as_it_was(log: Log) -> None:
    told(log, opened(), adopted("own", -10, fine=8000, late_fee=1000))
    told(log, issued("C-1", 0, fine=8000))
    before, after = only(otherwise(log, late_fee=1200))
    assert (before.fine, after.fine, before.late_fee, after.late_fee) == (8000, 8000, 1000, 1200)


def test_only_citations_issued_in_between_are_asked_about(log: Log) -> None:
    told(log, opened(), issued("C-1", 0), issued("C-2", 300), CitationServed(
        at=minute(301), citation="C-2", how="mail"))  # fmt: skip
    found = what_if(log, OtherPolicy({"fine": 7000}), since=minute(300), until=minute(900), at=minute(1000))
    assert [one.citation for one in found.changed] == ["C-2"]


def test_nothing_is_written(log: Log) -> None:
    told(log, opened(), issued("C-1", 0))
    head = log.head()
    otherwise(log, fine=7000)
    assert log.head() == head


def test_a_key_that_no_rule_reads_is_refused() -> None:
    with pytest.raises(UnknownPolicyKey):
        OtherPolicy({"gracious_minutes": 1})


def test_the_command_lists_what_would_change(log: Log, dsn: str, tmp_path: Path) -> None:
    told(log, opened(), issued("C-1", 0))
    file = tmp_path / "policy.yaml"
    file.write_text("fine: 7000\n")
    done = parkledger(dsn, "what-if", "--policy", str(file), "--json", "--at", minute(5).isoformat())
    first, sums = map(json.loads, done.stdout.splitlines())
    assert (first["citation"], sums["total"]["fines"], sums["zones"]["F"]["balance"]) == ("C-1", 1000, 1000)
    table = parkledger(dsn, "what-if", "--policy", str(file), "--at", minute(5).isoformat()).stdout
    assert "C-1 in F: fine 60.00 → 70.00" in table
    rows = parkledger(dsn, "what-if", "--policy", str(file), "--csv").stdout.splitlines()
    assert (len(rows), rows[1].split(",")[0]) == (2, "C-1")
    file.write_text("grase_minutes: 15\n")
    wrong = parkledger(dsn, "what-if", "--policy", str(file))
    assert (wrong.returncode, "Did you mean grace_minutes?" in wrong.stderr) == (2, True)
    naive = parkledger(dsn, "what-if", "--policy", str(file), "--from", "2026-03-05T09:00")
    assert naive.returncode == 2
