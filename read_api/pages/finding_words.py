"""Says a finding in sentences that dispute staff can read to a parker."""

from datetime import timedelta
from typing import Any

from commands.findings import Cause, Finding
from read_api.pages.figures import duration_text

TITLES = {
    "UPHELD": "The citation stands",
    "REDUCED": "The citation should be reduced",
    "DISMISSED": "The citation should be dismissed",
    "VOID": "The citation is void",
    "REVIEW_REQUIRED": "A person has to look at this",
}

REASONS = {
    "NO_RIGHT_AT_OBSERVATION": "No right covered the plate when it was read, and none had just ended.",
    "VALID_RIGHT_AT_OBSERVATION": "A right covered the plate when it was read.",
    "WITHIN_GRACE": "A right had ended, but the grace after it had not.",
    "EXEMPT_FROM_CITATION": "An exemption covered the plate: it was not to be cited.",
    "RULE_NOT_IN_FORCE": "The rule that the citation names was not in force at that hour.",
    "NO_PARKING": "Nobody may park there; no right changes that, and no grace applies.",
    "PLATE_UNREADABLE": "The plate could not be read, so no right could be looked up.",
    "READ_NOT_UPLOADED": "The read that the citation rests on has not arrived yet.",
    "MISREAD_OTHER_VEHICLE": "The read turned out to be of another vehicle than the citation names.",
    "MISREAD_VALID_RIGHT": "The plate was misread; the vehicle that really stood there had a right.",
    "ISSUER_RECORD_ERROR": "The permit carried a wrong plate by the office's error; corrected, it covers it.",
    "VALID_UNTIL_EFFECTIVE_REVOCATION": "The permit was valid until its revocation took effect.",
    "OVERTIME": "The vehicle stood longer than the limit and the grace allow.",
    "WITHIN_LIMIT": "The vehicle had not yet stood as long as the limit allows.",
    "STAY_RESTARTED": "The vehicle left and came back, which began a new stay.",
    "STAY_NOT_OBSERVED": "The log does not hold the two observations that a time limit needs.",
    "DUPLICATE": "It repeats an earlier citation for the same continuing violation.",
    "VOIDED": "The office voided it.",
}

CAUSES = {
    "POSTING_LAG": "What made the right valid reached the log late",
    "STALE_DEVICE_LIST": "The device worked offline with a list that was too old",
    "STALE_SCREEN": "The log held the right, but the screen did not show it",
    "POSSIBLE_MATCH_DENIED": "The right plate was offered as a possible match, and denied",
    "MISREAD": "The plate was misread",
    "CLERK_GAP": "The office entered the fact only afterwards",
    "CLOCK_OFFSET": "The device's clock was off",
    "RETROACTIVE_REINSTATEMENT": "The right was given back for the past, after the vehicle was cited",
}


def finding_view(found: Finding, number_of: dict[int, int]) -> dict[str, Any]:
    """Return what the page shows of a finding; entries are named by their number on the timeline."""
    return {
        "disposition": found.disposition,
        "title": TITLES[found.disposition],
        "sentence": REASONS.get(found.reason, found.reason),
        "reason": found.reason,
        "cause": cause_text(found.cause) if found.cause else "",
        "officer": "erred, given the screen" if found.officer_erred else "did not err",
        "right": found.right,
        "rests_on": sorted(number_of[p] for p in found.positions if p in number_of),
    }


def cause_text(cause: Cause) -> str:
    """Return the cause as a sentence, with its figure where it has one."""
    words = CAUSES.get(cause.kind, cause.kind)
    if cause.seconds is None:
        return f"{words}."
    span = duration_text(timedelta(seconds=abs(cause.seconds)))
    match cause.kind:
        case "POSTING_LAG":
            return f"{words}: {span} after it happened."
        case "STALE_DEVICE_LIST":
            return f"{words}: it was {span} old at the read."
        case "CLOCK_OFFSET":
            return f"{words} by {span}, it was {'fast' if cause.seconds > 0 else 'slow'}."
        case _:
            return f"{words} ({span})."
