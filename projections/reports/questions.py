"""From the words of an address or a command line to a question; what cannot be used is named."""

import difflib
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from commands.calendar import start_of_day
from events.vocabulary import Instant
from projections.reports.asking import Question
from projections.reports.catalogue import FILTERS, Report, report_named
from projections.reports.reporting import Reports

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_LONGEST = 100
_OF_PERMITS = frozenset({"revenue", "revenue_recognised", "plan_variance"})


class BadQuestion(ValueError):
    """A part of the question cannot be used; `field` names it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def question_of(reports: Reports, name: str, said: Mapping[str, str | None], timezone: str) -> Question:
    """Return what is asked of the report of that name.

    Dates are days of the office's time zone; `to` is excluded.

    Raises:
        NoSuchReport: if there is no such report.
        BadQuestion: naming what cannot be used.

    """
    report = report_named(name)
    known_words = {"from", "to", "known", "by", *FILTERS}
    for word in said:
        if word not in known_words:
            near = difflib.get_close_matches(word, known_words, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known_words))}"
            raise BadQuestion(word, f"is not known{hint}")
    begin, end = (limit(word, said.get(word), timezone) for word in ("from", "to"))
    if begin is not None and end is not None and end <= begin:
        raise BadQuestion("to", "is not after from")
    narrowed: dict[str, Any] = {
        FILTERS[word]: _narrowed(report, word, value)
        for word in FILTERS
        if (value := said.get(word)) is not None
    }
    if report.name in _OF_PERMITS and "kind" in narrowed:
        narrowed["permit_type"] = narrowed.pop("kind")
    return Question(
        begin, end, position_known(reports, said.get("known"), timezone), by=_by(report, said.get("by")),
        timezone=timezone, **narrowed,
    )  # fmt: skip


def limit(field: str, text: str | None, timezone: str) -> datetime | None:
    """Return the instant that is written: one with its offset, or a date that begins at its local midnight.

    Raises:
        BadQuestion: if it is neither.

    """
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            return start_of_day(date.fromisoformat(text), timezone)
        return _INSTANT.validate_python(text.replace(" ", "+"))
    except (ValidationError, ValueError, OverflowError):
        problem = "is a date such as 2026-09-01, or an instant such as 2026-09-01T06:00:00Z"
        raise BadQuestion(field, problem) from None


def position_known(reports: Reports, text: str | None, timezone: str) -> int | None:
    """Return the position that `known` names: itself, or the last one recorded by that instant or day.

    Raises:
        BadQuestion: if it is none of these.

    """
    if not text or text == "latest":
        return None
    if text.isascii() and text.isdigit() and len(text) < 19:  # noqa: PLR2004 - a bigint holds it
        return int(text)
    moment: Any = limit("known", text, timezone)
    return reports.position_at(moment)


def narrowed_as(name: str, said: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """Return the words without what the report of that name cannot be narrowed down to."""
    known = report_named(name).narrowed
    return {word: value for word, value in said.items() if word not in FILTERS or word in known}


def _narrowed(report: Report, field: str, text: str) -> str:
    """Return the value; one that the report does not look at would leave the whole figure under its name."""
    if field not in report.narrowed:
        there = ", ".join(report.narrowed)
        raise BadQuestion(field, f"{report.name} can be narrowed down to {there}")
    if not 0 < len(text) <= _LONGEST or not text.isprintable():
        raise BadQuestion(field, f"is 1 to {_LONGEST} characters")
    return text


def _by(report: Report, text: str | None) -> str | None:
    if not text:
        return None
    if text not in report.parts:
        there = ", ".join(report.parts) or "nothing"
        raise BadQuestion("by", f"{report.name} can be parted by {there}")
    return text
