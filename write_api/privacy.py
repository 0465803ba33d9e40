"""Ways in for privacy: legal holds, erasure requests, and the end of what retention forbids to be read.

An erasure request is answered in the log as well, also where the rules refuse it.
"""

from commands.decider import AnyDecider, Command, Refusal
from commands.erasure import REFUSE_ERASURE, EraseSubject, RefuseErasure
from write_api.routes import CommandRoute, Parkers, decides, one_of


def _note(command: Command, refusal: Refusal) -> tuple[AnyDecider, Command] | None:
    """Return how the log keeps that a request was refused."""
    if not isinstance(command, EraseSubject):
        return None
    reason = f"{refusal.rule}: {refusal.detail}"
    return REFUSE_ERASURE, RefuseErasure(at=command.at, account=command.account, reason=reason)


ROUTES = (
    CommandRoute(
        "/v1/legal-holds",
        decides("PlaceLegalHold"),
        "Keep plates, reads, citations, zones, devices or dates, whatever retention says.",
        {"case": "CV-26-118", "covers": ["ON CKTR482", "PV-50001"]},
    ),
    CommandRoute(
        "/v1/legal-holds/{case}/lifting",
        decides("LiftLegalHold"),
        "End the hold of a case.",
        {},
    ),
    CommandRoute(
        "/v1/retention-buckets/{bucket}/destruction",
        decides("DestroyRetentionKey"),
        "Destroy the key of a local date: its plate reads can be read no longer, by anybody, for good.",
        {},
    ),
    CommandRoute(
        "/v1/erasure-requests",
        one_of("answer", erased="EraseSubject", refused="RefuseErasure"),
        "Make unreadable for good what stands in words of an account, or refuse to, with the reason.",
        {"account": "A-1"},
        own="account",
        parkers=Parkers(choices=("erased",)),
        notes=_note,
    ),
)
