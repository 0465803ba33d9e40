"""KPIs, each with its numerator and its denominator; none without saying what it is divided by (DOMAIN §6).

The cohort is the citations issued in a period, warnings apart, evaluated at one business instant on what was
known. A ratio whose denominator is 0 has no value. What the catalogue tells nothing of (planned passes of a
zone, planned revenue) has no formula here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from commands.charges import balance, decisions, is_voided, paid, stage
from commands.docket import CitationLedger
from commands.holds import Appeal

PLACES = 4
"""Decimals that a KPI is stated with."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A numerator over its denominator, in the unit that the KPI names."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        """The quotient with four decimals, `None` over nothing."""
        return round(self.numerator / self.denominator, PLACES) if self.denominator else None


@dataclass(frozen=True, slots=True)
class Cohort:
    """The dockets of the citations issued in a period, to be evaluated at an instant."""

    dockets: tuple[CitationLedger, ...]
    at: datetime

    @classmethod
    def issued(
        cls, dockets: Iterable[CitationLedger], begin: datetime, end: datetime, at: datetime
    ) -> "Cohort":
        """Return the cohort of the citations issued within `[begin, end)`."""
        return cls(
            tuple(
                d
                for d in dockets
                if d.kind == "citation" and d.issued_at is not None and begin <= d.issued_at < end
            ),
            at,
        )


def collection_by_count(cohort: Cohort) -> Ratio:
    """Return paid citations / (issued - voided)."""
    stages = Counter(stage(docket, cohort.at) for docket in cohort.dockets)
    return Ratio(stages["paid"], len(cohort.dockets) - stages["voided"])


def collection_by_value(cohort: Cohort) -> Ratio:
    """Return payments / (payments + still due) in minor units, net of refunds and returned payments."""
    kept = sum(paid(docket, cohort.at) for docket in cohort.dockets)
    return Ratio(kept, kept + sum(balance(docket, cohort.at) for docket in cohort.dockets))


def appeal_rate(cohort: Cohort) -> Ratio:
    """Return appealed citations / issued ones."""
    return Ratio(sum(bool(_filed(docket, cohort.at)) for docket in cohort.dockets), len(cohort.dockets))


def overturn_rate(cohort: Cohort) -> Ratio:
    """Return citations dismissed or reduced / citations decided, by the decision that stands."""
    made = [decisions(docket, cohort.at) for docket in cohort.dockets]
    outcomes = [steps[-1].outcome for steps in made if steps]
    return Ratio(sum(outcome in {"dismissed", "reduced"} for outcome in outcomes), len(outcomes))


def time_to_resolution(cohort: Cohort) -> Ratio:
    """Return days from filing to decision / appeals decided."""
    days = [
        (appeal.decision.at - appeal.filed_at) / _DAY
        for docket in cohort.dockets
        for appeal in _filed(docket, cohort.at)
        if appeal.decision is not None and appeal.filed_at is not None and appeal.decision.at <= cohort.at
    ]
    return Ratio(sum(days), len(days))


def compliance(cohort: Cohort, observed: frozenset[str]) -> Ratio:
    """Return 1 - vehicles in violation / vehicles observed, as vehicles without a violation over all.

    In violation is an observed vehicle with a citation that was neither voided nor dismissed.
    """
    wrong = {
        docket.plate for docket in cohort.dockets if stage(docket, cohort.at) not in {"voided", "dismissed"}
    }
    return Ratio(len(observed - wrong), len(observed))


def citations_per_patrol_hour(cohort: Cohort, on_duty: timedelta) -> Ratio:
    """Return citations issued / hours on duty."""
    return Ratio(len(cohort.dockets), on_duty / timedelta(hours=1))


def stays_per_space(stays: int, spaces: int) -> Ratio:
    """Return distinct stays / spaces: those in the period (occupancy), those begun in it (turnover)."""
    return Ratio(stays, spaces)


def findings_by_cause(cohort: Cohort, cause: Callable[[str], str | None]) -> Mapping[str, int]:
    """Return how many citations of the cohort were wrong by each cause; those that stand have none."""
    found = Counter(cause(docket.citation) for docket in cohort.dockets if not is_voided(docket, cohort.at))
    return {kind: count for kind, count in found.items() if kind is not None}


def _filed(docket: CitationLedger, at: datetime) -> list[Appeal]:
    return [a for a in docket.appeals.values() if a.filed_at is not None and a.filed_at <= at]
