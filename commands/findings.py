"""The finding on a citation: what the evidence alone says of it, why it was wrong if it was, and whose error.

It is derived, never stored: from the entries with position <= known, by the same rules that refuse a citation
at the head of the log. Staff confirm or overrule it; what an appeal decided is its own state (DOMAIN §5).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import msgspec

from commands.assessment import Assessment, assess
from commands.evidence import Case, Entry, Evidence, World, world
from commands.rests_on import positions_of
from commands.screen import CLEAR, Screen, clock_offset, log_at, screen_of
from events.permits import PermitReinstated, PlateAssociationCorrected
from events.reads import PlateRead

type Disposition = Literal["UPHELD", "REDUCED", "DISMISSED", "VOID", "REVIEW_REQUIRED"]


class Cause(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a wrong citation was written, with its figure in seconds where it has one."""

    kind: str
    seconds: float | None = None


class Finding(msgspec.Struct, frozen=True):
    """What the evidence says of a citation, and the positions that it rests on."""

    disposition: Disposition
    reason: str
    cause: Cause | None
    officer_erred: bool
    positions: tuple[int, ...]
    right: str | None = None
    duplicate_of: str | None = None


def finding(evidence: Evidence, citation: str) -> Finding | None:
    """Return the finding on a citation; `None` where the evidence does not hold it.

    Give it the entries of `commands.evidence_boundary.evidence_boundary`, up to the position that is known.
    """
    now = world(evidence.entries)
    case = now.cases.get(citation)
    if case is None:
        return None
    found = assess(now, case.issued)
    disposition, reason = _disposition(evidence, now, case, found)
    cause: Cause | None = None
    erred = False
    if not found.proper:
        cause, erred = _cause(evidence, now, case, found)
    right = found.standing.right
    return Finding(
        disposition=disposition,
        reason=reason,
        cause=cause,
        officer_erred=erred,
        positions=positions_of(evidence, case, found),
        right=right.right if right is not None else None,
        duplicate_of=found.duplicate_of,
    )


def _disposition(evidence: Evidence, now: World, case: Case, found: Assessment) -> tuple[Disposition, str]:
    reason = _reason(evidence, now, case, found)
    if case.voided is not None and not case.stands:
        if case.voided.event.duplicate_of is not None:
            return "VOID", "DUPLICATE"
        return "VOID", "VOIDED" if found.proper else reason
    if found.proper:
        return _upheld(now, case, found)
    if reason == "DUPLICATE":
        return "VOID", reason
    if reason == "STAY_NOT_OBSERVED" or _reached_back(evidence, case, found):
        return "REVIEW_REQUIRED", reason
    return "DISMISSED", reason


def _upheld(now: World, case: Case, found: Assessment) -> tuple[Disposition, str]:
    """Uphold a proper citation, unless the evidence is missing, unreadable or of another vehicle."""
    if found.reason == "PLATE_UNREADABLE":
        return "REVIEW_REQUIRED", found.reason
    if any(read not in now.observations for read in case.issued.basis) and found.observation is None:
        return "REVIEW_REQUIRED", "READ_NOT_UPLOADED"
    if found.vehicle != case.issued.plate:
        return "REVIEW_REQUIRED", "MISREAD_OTHER_VEHICLE"
    return "UPHELD", found.reason


def _reason(evidence: Evidence, now: World, case: Case, found: Assessment) -> str:
    """Return the reason by its name, a valid right's by how it came to be known or was about to end."""
    if found.proper or found.reason != "VALID_RIGHT_AT_OBSERVATION":
        return found.reason
    if found.vehicle != case.issued.plate:
        return "MISREAD_VALID_RIGHT"
    if _proper_without(evidence, case, lambda e: isinstance(e.event, PlateAssociationCorrected)):
        return "ISSUER_RECORD_ERROR"
    if _about_to_be_revoked(now, case, found):
        return "VALID_UNTIL_EFFECTIVE_REVOCATION"
    return found.reason


def _about_to_be_revoked(now: World, case: Case, found: Assessment) -> bool:
    right = found.standing.right
    facts = now.rights.rights[right.kind, right.right].facts if right is not None else ()
    return any(f.what == "revoked" and f.at <= case.issued.at and f.since > found.at for f in facts)


def _reached_back(evidence: Evidence, case: Case, found: Assessment) -> bool:
    """Tell whether only a reinstatement made after the observation makes the citation improper."""
    return _proper_without(evidence, case, lambda e: _reinstated_later(e, found))


def _reinstated_later(entry: Entry, found: Assessment) -> bool:
    event = entry.event
    return isinstance(event, PermitReinstated) and event.retroactive_to is not None and event.at > found.at


def _proper_without(evidence: Evidence, case: Case, left_out: Callable[[Entry], bool]) -> bool:
    kept = [e for e in evidence.entries if not left_out(e)]
    return len(kept) < len(evidence.entries) and assess(world(kept), case.issued).proper


def _cause(evidence: Evidence, now: World, case: Case, found: Assessment) -> tuple[Cause | None, bool]:
    """Return why the wrong citation was written, and whether the officer erred given the screen."""
    seen = found.observation
    if seen is not None and found.vehicle != seen.read.plate:
        denied = found.vehicle in seen.denied
        shown = seen.read.shown is not None and seen.read.shown.answer == "possible_match"
        return Cause("POSSIBLE_MATCH_DENIED" if denied else "MISREAD"), denied or shown
    screen = screen_of(evidence, now, case, seen)
    offset = clock_offset(now, case, seen)
    if _screen_was_clear(screen, case, found, offset):
        return None, True
    return _why_not_clear(evidence, case, found, screen, offset), False


def _screen_was_clear(screen: Screen, case: Case, found: Assessment, offset: timedelta) -> bool:
    """Tell whether the screen itself said not to cite: what it showed, else what it could know."""
    shown = found.observation.read.shown if found.observation is not None else None
    if shown is not None and found.reason != "RULE_NOT_IN_FORCE":
        return shown.answer in {*CLEAR, "possible_match"}
    return not assess(world(screen.entries), case.issued, clock=found.at + offset).proper


def _why_not_clear(
    evidence: Evidence, case: Case, found: Assessment, screen: Screen, offset: timedelta
) -> Cause | None:
    if _reached_back(evidence, case, found):
        return Cause("RETROACTIVE_REINSTATEMENT")
    if offset and not assess(world(screen.entries), case.issued).proper:
        return Cause("CLOCK_OFFSET", _seconds(offset))
    then = log_at(evidence, case, found.at)
    if not assess(world(then), case.issued).proper:
        if screen.offline:
            age = screen.list_age
            return Cause("STALE_DEVICE_LIST", _seconds(age) if age is not None else None)
        return Cause("STALE_SCREEN")
    return _late_fact(evidence, case, found)


def _late_fact(evidence: Evidence, case: Case, found: Assessment) -> Cause | None:
    """Name the fact since which citing is known to have been improper, and how late the log learned of it."""
    then = log_at(evidence, case, found.at)
    known = {e.position for e in then}
    late = [e for e in evidence.entries if e.position not in known and not _seen_later(e, found)]
    since: Entry | None = None
    for count in range(len(late) - 1, -1, -1):
        since = late[count]
        if assess(world((*then, *late[:count])), case.issued).proper:
            break
    if since is None:
        return None
    if isinstance(since.event, PlateAssociationCorrected) or since.event.at > found.at:
        return Cause("CLERK_GAP")
    return Cause("POSTING_LAG", _seconds(since.recorded - since.event.at))


def _seen_later(entry: Entry, found: Assessment) -> bool:
    """Tell whether the entry is a read made after the observation: it says nothing of what was seen then."""
    return isinstance(entry.event, PlateRead) and entry.event.at > found.at


def _seconds(duration: timedelta) -> float:
    seconds = duration.total_seconds()
    return int(seconds) if seconds == int(seconds) else seconds
