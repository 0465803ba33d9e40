"""May this vehicle stand here? Many such questions answered by one statement, all from one snapshot.

The statement returns what is known of each plate around the instant; `commands.rights.standing` answers from
it, as it does for a decision.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from psycopg import Connection

from commands.confusable import likeness, sought_under
from commands.policy import policy_at
from commands.rights import Interval, Kind, standing
from event_store.codec import Codec
from events.policies import PolicyAdopted
from events.reads import Answer
from events.vocabulary import Plate
from projections.as_of import AsOf, oldest
from projections.cells import Broken
from projections.history import LogReader
from projections.table import FOREVER, OPEN
from projections.validity import EVERY_ZONE

LATEST = OPEN - 1
"""The `known` of all that the model holds."""
LONGEST_GRACE = timedelta(days=7)
"""The largest value that the policy's key `grace_minutes` takes."""

_QUESTION = f"""
WITH asked AS MATERIALIZED (
    SELECT n, plate, zone, at, at - grace AS since,
        CASE WHEN known = {LATEST} THEN (
                 SELECT p.position FROM views.progress p WHERE p.live AND p.name = 'validity')
             ELSE least(coalesce(known, log.position_at(known_at)), (SELECT max(position) FROM log.events))
        END AS known, known IS DISTINCT FROM {LATEST} AS told
    FROM unnest(%b::int4[], %b::text[], %b::text[], %b::timestamptz[], %b::interval[], %b::int8[],
                %b::timestamptz[]) AS q (n, plate, zone, at, grace, known, known_at)
)
SELECT q.n, v.kind, v."right", v.zone, v.ended_by, v.start, v.until, 0::int8, 0::float8
FROM asked q JOIN views.validity v ON v.plate = q.plate AND v.zone = ANY (ARRAY[q.zone, '{EVERY_ZONE}'])
    AND v.until > q.since AND v.start <= q.at AND v.known_from <= q.known AND v.known_until > q.known
UNION ALL
SELECT q.n, 'alert', w.entry, w.reason, w.source, w.since, w.until, 0, 0
FROM asked q JOIN views.watchlist w ON w.plate = q.plate
    AND w.until > q.at AND w.since <= q.at
    AND CASE WHEN q.told THEN w.known_from <= q.known AND w.known_until > q.known
        ELSE w.known_until = {OPEN} END
UNION ALL
SELECT q.n, CASE WHEN q.told THEN 'known' ELSE 'latest' END, '', '', '', q.at, q.at, q.known, 0 FROM asked q
UNION ALL
SELECT -1, 'model', p.name, '', '', p.recorded, NULL, p.position,
    greatest(0, extract(epoch FROM clock_timestamp() - (
        SELECT e.recorded FROM log.events e WHERE e.position = p.position + 1)) * 1000)
FROM views.progress p WHERE p.live AND p.name IN ('validity', 'watchlist')
UNION ALL
SELECT -1, 'policy', '', '', '', NULL, NULL, (
    SELECT e.position FROM log.events e WHERE e.type = 'PolicyAdopted' ORDER BY e.position DESC LIMIT 1), 0
"""


_NEAR = f"""
SELECT DISTINCT q.n, c.plate
FROM unnest(%b::int4[], %b::text[], %b::text[], %b::timestamptz[], %b::int8[])
    AS q (n, key, zone, at, known)
JOIN views.near_plates c ON c.found_under = q.key
JOIN views.validity v ON v.plate = c.plate AND v.zone = ANY (ARRAY[q.zone, '{EVERY_ZONE}'])
    AND v.until > q.at AND v.start <= q.at AND v.known_from <= q.known AND v.known_until > q.known
"""


class Question(NamedTuple):
    """Which plate, where, when; by what was known at a position, at an instant, or now."""

    plate: str
    zone: str
    at: datetime
    known: int | datetime | None = None


class Alert(msgspec.Struct, frozen=True):
    """A watchlist entry that the plate meets."""

    entry: str
    reason: str
    source: str | None
    since: datetime
    until: datetime | None


class ValidityAnswer(msgspec.Struct, frozen=True):
    """Whether the vehicle may stand there; `end` is `None` where the right has none.

    `answer` is the word that a screen shows: `possible_match` where the plate has no right, but one that it
    may have been misread for has; those are `possible_matches`, best first. In grace, `right` is the one that
    ended at `end`. `known` is the position that the question was answered at, where it named one; `rests_on`
    that of the answer and its right in any case, from which they can be recomputed.
    """

    plate: str
    zone: str
    at: datetime
    valid: bool
    exempt: bool
    answer: Answer
    right: str | None
    kind: Kind | None
    start: datetime | None
    end: datetime | None
    grace_until: datetime | None
    alerts: tuple[Alert, ...]
    possible_matches: tuple[str, ...]
    known: int | None
    rests_on: int
    as_of: AsOf


class _Found:
    """What the statement returned for one question."""

    __slots__ = ("alerts", "known", "rests_on", "rights")

    def __init__(self) -> None:
        self.rights: list[Interval] = []
        self.alerts: list[Alert] = []
        self.known: int | None = None
        self.rests_on = 0


class ValidityDesk:
    """Answers questions of validity over one connection; remembers the policies between them."""

    def __init__(self, codec: Codec | None = None) -> None:
        """Know no policy yet."""
        self._codec = codec or Codec()
        self._adopted: tuple[tuple[int, PolicyAdopted], ...] = ()
        self._adopted_at = 0

    def answer(self, connection: Connection[Any], questions: Sequence[Question]) -> list[ValidityAnswer]:
        """Return the answers in order, all from one snapshot."""
        found = [_Found() for _ in questions]
        models: list[AsOf] = []
        for row in connection.execute(_QUESTION, _parameters(questions), binary=True).fetchall():
            number, what, name, *_ = row
            if what == "model":
                models.append(AsOf(row[7], row[5], row[8] or 0.0))
            elif what == "policy":
                self._learn(connection, row[7] or 0)
            elif what in {"known", "latest"}:
                found[number].known = row[7] if what == "known" else None
                found[number].rests_on = row[7] or 0
            elif what == "alert":
                found[number].alerts.append(Alert(name, row[3], row[4], row[5], _end(row[6])))
            else:
                plate, zone = questions[number].plate, row[3] or None
                interval = Interval(name, what, plate, zone, row[5], _end(row[6]), row[4])
                found[number].rights.append(interval)
        as_of = oldest(models)
        answers = [self._answer(*each, as_of) for each in zip(questions, found, strict=True)]
        unanswered = [n for n, answer in enumerate(answers) if answer.answer == "no_right"]
        for number, matches in _near(connection, answers, unanswered).items():
            answers[number] = replace(answers[number], answer="possible_match", possible_matches=matches)
        return answers

    def _answer(self, question: Question, there: "_Found", as_of: AsOf) -> ValidityAnswer:
        plate, zone, at, _ = question
        grace = self._grace(at, there.rests_on)
        found = standing(there.rights, plate, zone, at, grace)
        right = found.right
        return ValidityAnswer(
            plate,
            zone,
            at,
            found.valid,
            found.exempt,
            found.answer,
            right.right if right else None,
            right.kind if right else None,
            found.start,
            found.end,
            found.grace_until,
            tuple(sorted(there.alerts, key=lambda alert: alert.entry)),
            (),
            there.known,
            there.rests_on,
            as_of,
        )

    def _grace(self, at: datetime, known: int) -> int:
        return policy_at((p for position, p in self._adopted if position <= known), at).grace_minutes

    def _learn(self, connection: Connection[Any], newest: int) -> None:
        """Read the policies again if one was adopted since; there are few."""
        if newest == self._adopted_at:
            return
        entries = LogReader(connection, self._codec).all_of(["PolicyAdopted"], newest)
        self._adopted = tuple(
            (entry.position, entry.event)
            for entry in entries
            if not isinstance(entry, Broken) and isinstance(entry.event, PolicyAdopted)
        )
        self._adopted_at = newest


def _near(
    connection: Connection[Any], answers: Sequence[ValidityAnswer], numbers: Sequence[int]
) -> dict[int, tuple[str, ...]]:
    """Return the plates with a right there that the camera may have taken for those read, best first."""
    asked = [
        (n, key, answers[n].zone, answers[n].at, answers[n].rests_on)
        for n in numbers
        for key in sought_under(Plate(answers[n].plate))
    ]
    found: dict[int, list[tuple[tuple[int, int], str]]] = {}
    if asked:
        for number, plate in connection.execute(
            _NEAR, list(map(list, zip(*asked, strict=True))), binary=True
        ):
            likely = likeness(Plate(answers[number].plate), Plate(plate))
            if likely is not None:
                found.setdefault(number, []).append((likely, plate))
    return {number: tuple(plate for _, plate in sorted(plates)) for number, plates in found.items()}


def _parameters(questions: Sequence[Question]) -> list[list[Any]]:
    positions: list[int | None] = []
    instants: list[datetime | None] = []
    for question in questions:
        told = question.known
        positions.append(LATEST if told is None else told if isinstance(told, int) else None)
        instants.append(told if isinstance(told, datetime) else None)
    return [
        list(range(len(questions))),
        [question.plate for question in questions],
        [question.zone for question in questions],
        [question.at for question in questions],
        [LONGEST_GRACE] * len(questions),
        positions,
        instants,
    ]


def _end(until: datetime) -> datetime | None:
    return None if until == FOREVER else until


def now() -> datetime:
    """Return the present instant, in UTC."""
    return datetime.now(UTC)
