"""Whose words an event repeats, and under which key they are kept: the texts that erasure makes unreadable.

Plates of reads end by their date, whoever they belong to; words end with the person. An event that names an
account keeps its words under `account:ID`. An appeal does not say whose it is, and who has to answer for the
citation may become known later than the appeal was filed: its words lie under `citation:ID`, as those of an
incident's other entries lie under `incident:ID`. Erasing an account ends all of its keys
(`commands.erasure.cases_of`).
"""

from collections.abc import Mapping

from events.base import Event

_APPEALS: Mapping[str, frozenset[str]] = {
    "AppealFiled": frozenset({"statement"}),
    "LateFilingRequested": frozenset({"reason"}),
}
_INCIDENTS: Mapping[str, frozenset[str]] = dict.fromkeys(
    ("IncidentOpened", "IncidentNoted", "IncidentLinked", "IncidentAmended", "IncidentClosed"),
    frozenset({"summary", "place"}),
)

WORDS: Mapping[str, frozenset[str]] = {**_APPEALS, **_INCIDENTS}
"""The fields, by the event's wire name, that are kept under a subject's key. None of them is a tag."""


def subject_of(event: Event) -> str:
    """Return the name of the key that the words of an event of `WORDS` are kept under."""
    values = event.__dict__
    if type(event).__name__ in _APPEALS:
        return f"citation:{values['citation']}"
    account = values["account"]
    return f"incident:{values['incident']}" if account is None else account_key(account)


def account_key(account: str) -> str:
    """Return the name of the key of what names the account itself."""
    return f"account:{account}"
