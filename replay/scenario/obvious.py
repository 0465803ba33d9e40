"""The obvious defaults: what a step means where it leaves out a field that its event requires.

A step's own id stands for what it creates; times of effect are the step's own; the rest is what an office
would take for granted. `SCENARIOS.md` lists the first few; the others follow the same idea.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from commands.calendar import after_days
from replay.scenario.appealed import FILES, Appealed
from replay.scenario.story import Scenario, Step

CREATES: Mapping[str, frozenset[str]] = {
    "read": frozenset({"PlateRead", "RecordPlateRead"}),
    "payment": frozenset({"PaymentAuthorised", "PaymentReceived", "AuthorisePayment", "ReceivePayment"}),
    "appeal": FILES,
    "permit": frozenset({"PermitPurchased", "PurchasePermit"}),
    "session": frozenset({"SessionStarted", "StartSession"}),
    "exemption": frozenset({"ExemptionGranted", "GrantExemption"}),
    "citation": frozenset({"CitationIssued", "IssueCitation"}),
    "entry": frozenset({"WatchlistEntryAdded", "AddWatchlistEntry"}),
    "incident": frozenset({"IncidentOpened", "OpenIncident"}),
    "zone": frozenset({"ZoneOpened", "OpenZone"}),
    "policy": frozenset({"PolicyAdopted", "AdoptPolicy"}),
    "permit_type": frozenset({"PermitTypeOffered", "OfferPermitType"}),
    "case": frozenset({"LegalHoldPlaced", "PlaceLegalHold"}),
}
"""Which events and commands bring a thing of that identity into the world."""

_OWN_TIME = frozenset({"effective_from", "effective_at", "valid_from", "start"})
_PLAIN: Mapping[str, Any] = {
    "device": "H0",
    "online": True,
    "kind": "citation",
    "code": "NO_PERMIT",
    "channel": "app",
    "reason": "not said",
    "price": 0,
    "term_days": 365,
    "level": 1,
}
_FEES: Mapping[str, str] = {
    "LateFeeAssessed": "late_fee",
    "LateFeeReversed": "late_fee",
    "LateFeeReinstated": "late_fee",
    "ReturnedItemFeeAssessed": "returned_item_fee",
}


class Obvious:
    """What the steps of one story leave out, and which things their ids stand for."""

    def __init__(self, scenario: Scenario, money: Callable[[str], int]) -> None:
        """Read off which thing each step creates. `money` is the amount of a policy key."""
        self._scenario = scenario
        self._money = money
        self.created: dict[str, dict[str, str]] = {field: {} for field in CREATES}
        """The identity that each step creates, by field and step id."""
        for step in scenario.steps:
            for field, names in CREATES.items():
                if step.name in names:
                    self.created[field][step.id] = _said(step, field) or step.id
        self._appeals = Appealed(scenario.steps, self._meant)
        self.created["appeal"] |= self._appeals.created

    def identity(self, field: str, word: str) -> str:
        """Return the identity that a word means: itself, or what the step of that id created."""
        kind = "citation" if field == "duplicate_of" else "read" if field == "basis" else field
        created = self.created.get(kind, {})
        return word if word in created.values() else created.get(word, word)

    def value(self, step: Step, field: str) -> Any:  # noqa: PLR0911 - a kind of field each
        """Return what the step means by leaving out a field, `None` where nothing is obvious."""
        if field in self.created:
            return self._thing(step, field)
        if field in _OWN_TIME:
            return step.at.isoformat()
        if field == "timezone":
            return self._scenario.timezone
        if field == "name":
            return _said(step, "zone") or step.id
        if field in {"zones", "valid_until"} and step.name == "PermitPurchased":
            return self._of_type(step, field)
        if field == "amount" and step.name in _FEES:
            return self._money(_FEES[step.name])
        return _PLAIN.get(field)

    def _of_type(self, step: Step, field: str) -> Any:
        """Return the zones of a permit's type, or the end of its term: so many local days after its start."""
        named = _said(step, "permit_type")
        offered = self._step_creating("permit_type", named) if named else None
        if field == "zones":
            node = offered.fields.entries.get("zones") if offered is not None else None
            return node.value() if node is not None else None
        start = _said(step, "valid_from")
        since = datetime.fromisoformat(start) if start else step.at
        days = (_said(offered, "term_days") if offered is not None else None) or str(_PLAIN["term_days"])
        return after_days(since, int(days), self._timezone_of(offered or step)).isoformat()

    def _timezone_of(self, placed: Step) -> str:
        """Return the time zone of the first zone that a permit or its type is for."""
        node = placed.fields.entries.get("zones")
        zones = node.value() if node is not None else []
        opened = self._step_creating("zone", str(zones[0] if isinstance(zones, list) else zones))
        return (_said(opened, "timezone") if opened is not None else None) or self._scenario.timezone

    def _thing(self, step: Step, field: str) -> str | None:
        if step.id in self.created[field]:
            return self.created[field][step.id]
        if field == "appeal":
            return self._appeals.meant.get(step.id, step.id)
        if field == "citation":
            appealed = _said(step, "appeal")
            about = (_said(begun, "citation") for begun in self._steps_creating("appeal", appealed or ""))
            cited = next(filter(None, about), None)
            if cited is not None:
                return cited
        only = set(self.created[field].values())
        return only.pop() if len(only) == 1 else None

    def _step_creating(self, field: str, word: str) -> Step | None:
        return next(self._steps_creating(field, word), None)

    def _steps_creating(self, field: str, word: str) -> Iterator[Step]:
        wanted = self.identity(field, word)
        return (s for s in self._scenario.steps if self.created[field].get(s.id) == wanted)

    def _meant(self, step: Step, field: str) -> str | None:
        """Return what a step says in a field, the id of a step as what it created."""
        said = _said(step, field)
        return self.identity(field, said) if said else None


def _said(step: Step, field: str) -> str | None:
    node = step.fields.entries.get(field)
    text = getattr(node, "text", None)
    return text.strip() if isinstance(text, str) else None
