"""A story played on a real log: its steps in the order of `recorded`, automation between them.

The clock is simulated: the log's database takes `recorded` from it, so that everything downstream (read
models, due times, `known`) works as it does in an office, only faster.
"""

from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any, cast
from uuid import UUID, uuid5

from commands.decider import Command, Refusal
from commands.payments import refuse_card_numbers
from commands.policy import Policy, PolicyValueOutOfRange, UnknownPolicyKey
from commands.reads import RECORD_PLATE_READ, RecordPlateRead
from commands.registry import COMMANDS
from commands.zones import NoSuchZone
from event_store.postgres import PostgresLog
from events.base import Event
from events.boundary import on
from events.envelope import Append, Origin
from events.policies import PolicyAdopted
from events.privacy import RetentionKeyDestroyed
from events.reads import PlateRead
from events.security import WatchlistHit
from events.zones import ZoneOpened, ZoneRule, ZoneRulesSet
from operations.automation import Automation
from replay.scenario.document import Document
from replay.scenario.models import Models
from replay.scenario.obvious import Obvious
from replay.scenario.story import Scenario, Step
from replay.scenario.telling import Told, tell
from write_api.execute import execute

BEFORE = timedelta(days=366)
"""How long before its first instant the story's zones and policy stand: no question reaches that far."""

IMPLICIT_CODE = "NO_PERMIT"
"""The rule of a zone that the story does not open: a permit is required, at all times.

A citation there may carry any code. A code that no rule of the zone has ever had says nothing about hours, so
that whoever judges whether a rule was in force looks at all rules of the zone.
"""

_INSTANT = timedelta(microseconds=1)

_IDS = UUID("5c0e4a6e-0000-8000-8000-7061726b6c65")
_ORIGIN = Origin("scenario", "scenario")


@dataclass
class Played:
    """What became of the steps: the positions that each filled, and the refusal of those refused."""

    positions: dict[str, range] = field(default_factory=dict)
    refusals: dict[str, Refusal | None] = field(default_factory=dict)

    def step_at(self) -> Mapping[int, str]:
        """Return the step that each position belongs to; what automation wrote belongs to none."""
        return {position: step for step, filled in self.positions.items() for position in filled}


class World:
    """One scenario on a database of its own."""

    def __init__(self, document: Document, scenario: Scenario) -> None:
        """Check the whole story before any of it is played.

        Raises:
            Unusable: at the first line that is wrong.

        """
        self.document, self.scenario = document, scenario
        self.policy = _policy(document, scenario)
        self.obvious = Obvious(scenario, lambda key: int(getattr(self.policy, key)))
        commands = {name: decider.command for name, decider in COMMANDS.items()}
        self.told = tell(document, scenario, self.obvious, commands)
        self._tells_hits = any(told.model is WatchlistHit for told in self.told)
        self.played = Played()
        self.dsn: str
        self.log: PostgresLog
        self.models: Models

    def play(self, dsn: str, instants: list[datetime], zones: set[str]) -> None:
        """Play the story on an empty database with a simulated clock, then let the read models catch up.

        What is recorded at the very instant at which something falls due comes before it: a payment of the
        last second of a day is there when that day is over.

        `instants` and `zones` are those that the questions name: the clock runs to the latest of them, and
        a zone that only a question names is opened as well.
        """
        self.dsn, self.log = dsn, PostgresLog(dsn)
        automation = Automation(self.log)
        begin = min([*instants, *(min(s.at, s.recorded) for s in self.scenario.steps)]) - BEFORE
        self.log.set_now(begin)
        self._set_up(begin, zones)
        for told, following in zip_longest(self.told, self.told[1:]):
            recorded = told.step.recorded
            self._fall_due(automation, before=recorded)
            self.log.set_now(recorded)
            self._act(told)
            waits = following is not None and following.step.recorded == recorded
            if not (waits and automation.next_instant() == recorded):
                automation.act(recorded)
        end = max([*instants, *(max(s.at, s.recorded) for s in self.scenario.steps)])
        self._fall_due(automation, before=end + _INSTANT)
        self.log.set_now(end)
        self.models = Models(dsn)
        self.models.catch_up()

    def means(self, query: str, expected: Any) -> Any:
        """Return an expected answer with ids of steps replaced by what the steps created."""
        if query == "duplicates" and isinstance(expected, list):
            return [self.obvious.identity("citation", str(one)) for one in expected]
        if isinstance(expected, Mapping) and isinstance(expected.get("right"), str):
            right = expected["right"]
            meant = {self.obvious.identity(kind, right) for kind in ("permit", "session", "exemption")}
            return {**expected, "right": (meant - {right} or {right}).pop()}
        return expected

    def close(self) -> None:
        """Let go of the database."""
        if hasattr(self, "models"):
            self.models.close()
        if hasattr(self, "log"):
            self.log.close()

    def ask[A](self, answer: Coroutine[Any, Any, A]) -> A:
        """Return what a look-up of the read models answers."""
        answered: A = self.models.run(answer)
        return answered

    def _set_up(self, at: datetime, zones: set[str]) -> None:
        opened = {str(t.values["zone"]) for t in self.told if t.model.__name__ in {"ZoneOpened", "OpenZone"}}
        mentioned = zones.union(*(_zones(told.values) for told in self.told)) - opened
        always = (ZoneRule(IMPLICIT_CODE, "permit"),)
        events: list[Event] = []
        for zone in sorted(mentioned):
            events += [
                ZoneOpened(at=at, zone=zone, name=zone, timezone=self.scenario.timezone),
                ZoneRulesSet(at=at, zone=zone, effective_from=at, rules=always),
            ]
        if self.scenario.policy is not None:
            values = self.scenario.policy.value()
            events.append(PolicyAdopted(at=at, policy="scenario", effective_from=at, values=values))
        if events:
            self.log.append(Append(events, uuid5(_IDS, "set-up"), origin=_ORIGIN))

    def _fall_due(self, automation: Automation, before: datetime) -> None:
        """Let time pass: whatever falls due on the way is done at its instant."""
        while (due := automation.next_instant()) is not None and due < before:
            self.log.set_now(due)
            automation.act(due)

    def _act(self, told: Told) -> None:
        step = told.step
        made = told.with_positions(lambda of: self._position_of(step, of))
        command_id = uuid5(_IDS, step.id)
        self.played.refusals[step.id] = None
        try:
            refuse_card_numbers(made)
            if step.kind == "fact":
                self._report(step, cast("Event", made), command_id)
                return
            outcome = execute(self.log, COMMANDS[step.name], cast("Command", made), command_id, _ORIGIN)
        except Refusal as refusal:
            self.played.refusals[step.id] = refusal
        else:
            self._filled(step, outcome.position, len(outcome.events))

    def _report(self, step: Step, fact: Event, command_id: UUID) -> None:
        """Append a fact as it was; a read as its device sends it, which is once, and alerts on its hits."""
        if isinstance(fact, PlateRead) and not self._tells_hits:
            upload = RecordPlateRead.model_construct(**fact.__dict__)
            with suppress(NoSuchZone):
                outcome = execute(self.log, RECORD_PLATE_READ, upload, command_id, _ORIGIN)
                first = outcome.position - len(outcome.events) + 1
                self._filled(step, first, min(1, len(outcome.events)))
                return
        if isinstance(fact, RetentionKeyDestroyed) and self._is_destroyed(fact.bucket):
            return
        appended = self.log.append(Append([fact], command_id, origin=_ORIGIN))
        self._filled(step, appended.position, appended.count)

    def _is_destroyed(self, bucket: str) -> bool:
        return bool(self.log.read(on(RetentionKeyDestroyed, bucket=bucket)).entries)

    def _filled(self, step: Step, last: int, count: int) -> None:
        self.played.positions[step.id] = range(last - count + 1, last + 1)

    def _position_of(self, step: Step, of: str) -> int:
        """Return the position of a step's event; without a step, what was known when this one occurred."""
        if not of:
            return self.log.position_at(step.at)
        filled = self.played.positions.get(of)
        if not filled:
            what = f"{step.id} refers to {of}, which was refused or is recorded later"
            raise self.document.wrong(step.line, what)
        return filled[0]


def _zones(values: Mapping[str, Any]) -> set[str]:
    """Return the zones that an event or command names."""
    several = values.get("zones") or ()
    return {str(z) for z in (values.get("zone"), *several) if z is not None}


def _policy(document: Document, scenario: Scenario) -> Policy:
    if scenario.policy is None:
        return Policy()
    try:
        return Policy.of(scenario.policy.value(), "scenario")
    except (UnknownPolicyKey, PolicyValueOutOfRange) as refusal:
        key = str(refusal.facts.get("key", ""))
        line = scenario.policy.lines.get(key, scenario.policy.line)
        raise document.wrong(line, f"policy: {refusal.detail}") from None
