"""Which appeal the steps of a story mean, where they name only its citation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from replay.scenario.story import Step

FILES = frozenset({"AppealFiled", "FileAppeal"})
_REQUESTS = frozenset({"LateFilingRequested", "RequestLateFiling"})
_CLOSES = frozenset(
    {
        "AppealDecided",
        "DecideAppeal",
        "AppealWithdrawn",
        "WithdrawAppeal",
        "LateFilingRefused",
        "RefuseLateFiling",
    }
)
_REOPENS = frozenset({"AppealReinstated", "ReinstateAppeal"})


@dataclass(slots=True)
class _Case:
    """One citation's appeals so far: the last one, whether it waits for a decision, who told it."""

    appeal: str | None = None
    is_open: bool = False
    by_fact: bool = False
    waiting: list[str] = field(default_factory=list)
    """Steps that came before any appeal: they mean the next one."""


class Appealed:
    """The appeals of a story: `created` by the steps that begin them, `meant` by those that name none."""

    def __init__(self, steps: Iterable[Step], said: Callable[[Step, str], str | None]) -> None:
        """Go through the story. `said` tells what a step says in a field, ids as what they are of."""
        self.created: dict[str, str] = {}
        self.meant: dict[str, str] = {}
        self._steps, self._said = tuple(steps), said
        cases: dict[str, _Case] = {}
        for number, step in enumerate(self._steps):
            case = cases.setdefault(said(step, "citation") or self._cited(said(step, "appeal")), _Case())
            if step.name in FILES:
                self._file(case, step)
            elif step.name in _REQUESTS:
                self._request(case, step, number)
            else:
                self._go_on(case, step)

    def _file(self, case: _Case, step: Step) -> None:
        appeal = self.created[step.id] = self._said(step, "appeal") or step.id
        if step.kind == "do" and case.is_open:
            return  # refused, since one is open: what follows does not mean it
        self._begin(case, step, appeal)

    def _request(self, case: _Case, step: Step, number: int) -> None:
        """Ask for late filing: of the appeal that was told late, of one told after it, or of a new one."""
        told = case.appeal if case.is_open and case.by_fact else self._filed_later(step, number)
        appeal = self.created[step.id] = self._said(step, "appeal") or told or step.id
        self._begin(case, step, appeal)

    def _begin(self, case: _Case, step: Step, appeal: str) -> None:
        case.appeal, case.is_open, case.by_fact = appeal, True, step.kind == "fact"
        self.meant |= dict.fromkeys(case.waiting, appeal)
        case.waiting.clear()

    def _go_on(self, case: _Case, step: Step) -> None:
        if case.appeal is None:
            case.waiting.append(step.id)
        else:
            self.meant[step.id] = case.appeal
        if step.name in _CLOSES | _REOPENS:
            case.is_open = step.name in _REOPENS

    def _filed_later(self, step: Step, number: int) -> str | None:
        """Return the appeal that a later step tells of before anything is decided on the citation."""
        citation = self._said(step, "citation")
        for later in self._steps[number + 1 :]:
            if self._said(later, "citation") != citation:
                continue
            if later.name in _CLOSES:
                return None
            if later.name in FILES:
                return self._said(later, "appeal") or later.id
        return None

    def _cited(self, appeal: str | None) -> str:
        """Return the citation that an appeal is against, by the steps that tell both."""
        steps = (s for s in self._steps if appeal and self._begins(s, appeal))
        return next((cited for s in steps if (cited := self._said(s, "citation"))), "")

    def _begins(self, step: Step, appeal: str) -> bool:
        named = self._said(step, "appeal") or step.id
        return step.name in FILES | _REQUESTS and appeal in {named, step.id}
