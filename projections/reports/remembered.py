"""Answers that were given, for as long as asking again would say the same."""

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from projections.reports.asking import Question

MOST = 500
"""Answers that are remembered; the one that was not asked for longest is forgotten first."""
ROWS = 400
"""Rows of an answer that is remembered, at most: all together take some 50 MB at the very most."""
_QUARTER = timedelta(minutes=15)

type Basis = tuple[object, ...]
"""What an answer rests on beside the question: equal where nothing changed."""


class Remembered:
    """May be shared by threads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = Lock()
        self._answers: OrderedDict[tuple[str, Question], tuple[Basis, Any]] = OrderedDict()

    def find(self, name: str, question: Question, basis: Basis) -> Any | None:
        """Return the answer that was given on the same basis; `None` where there is none."""
        with self._lock:
            found = self._answers.get((name, question))
            if found is None or found[0] != basis:
                return None
            self._answers.move_to_end((name, question))
            return found[1]

    def keep(self, name: str, question: Question, basis: Basis, answer: Any) -> None:
        """Remember an answer, unless it is very long."""
        if len(answer.rows) > ROWS:
            return
        with self._lock:
            self._answers[name, question] = basis, answer
            self._answers.move_to_end((name, question))
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)


def moment_of(question: Question, at: datetime) -> object:
    """Return what of the instant an answer depends on: where its period is open, the quarter of an hour."""
    return None if question.end is not None else (at - datetime.min.replace(tzinfo=at.tzinfo)) // _QUARTER
