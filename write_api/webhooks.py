"""Payment providers call back: signed, timestamped, and safe to send again.

The header `Parkledger-Signature: t=SECONDS,v1=HEX` carries an HMAC-SHA-256 under the shared secret over the
seconds since 1970, a dot, and the body as it was sent. A call is taken within five minutes of its time; the
same event id again gives the first answer again, however often the provider repeats it.
"""

import hmac
import re
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from types import MappingProxyType

from commands.decider import AnyDecider, Refusal
from events.envelope import Origin
from operations.problems import Problem
from write_api.bodies import Document, document, whole_body
from write_api.commanding import reply_to
from write_api.door import Means, Request
from write_api.keyed import asking, first, refusal, remembered
from write_api.replies import Reply
from write_api.routes import CommandRoute, decides
from write_api.wording import Wording, unusable

PATH = "/v1/webhooks/payments"
TOLERANCE = 300
"""Seconds that a call's time may differ from this clock."""

LONGEST_ID = 200
PROVIDER = "payment provider"
EVENTS: Mapping[str, AnyDecider] = MappingProxyType(
    {
        "payment.authorised": decides("AuthorisePayment"),
        "payment.captured": decides("CapturePayment"),
        "payment.settled": decides("SettlePayment"),
        "payment.refunded": decides("RefundPayment"),
        "payment.returned": decides("DishonourPayment"),
        "chargeback.opened": decides("OpenChargeback"),
        "chargeback.won": decides("WinChargeback"),
        "chargeback.lost": decides("LoseChargeback"),
    }
)
"""What each event of a provider means here."""

EXAMPLE = {
    "id": "evt_9013",
    "event": "payment.authorised",
    "data": {"payment": "P-77", "amount": 24000, "method": "card", "last4": "1881", "permit": "T-1001"},
}
_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


class PaymentWebhook:
    """Serves the webhook of payment providers."""

    path = PATH

    def __init__(self) -> None:
        """Know how each event is worded."""
        self._wordings = {
            name: Wording(CommandRoute(PATH, decider, name, {})) for name, decider in EVENTS.items()
        }

    async def answer(self, means: Means, request: Request) -> Reply:
        """Take one event of a provider, once."""
        request.headers.demand_media_type("application/json")
        raw = await whole_body(request.receive, request.headers.length, means.settings.body_limit)
        signature = request.headers.get(b"parkledger-signature")
        demand_signed(means.settings.webhook_secret, signature, raw, means.clock().timestamp())
        said = document(raw)
        event_id, wording, data = self._parts(said)
        asked = asking(PROVIDER, PATH, event_id, "", said)
        again = await remembered(means, asked)
        if again is not None:
            return again
        decider, command = wording.command(
            dict(data), means.clock(), asked.command_id, tolerance=means.tolerance
        )
        origin = Origin(PROVIDER, "webhook", request.headers.correlation)
        try:
            outcome = await means.deciding.execute(
                decider, command, asked.command_id, origin, asked.fingerprint
            )
        except Refusal as wrong:
            return await refusal(means, asked, wrong, lambda done: reply_to(command, done))
        reply = reply_to(command, outcome)
        return (
            reply
            if outcome.events
            else await first(means, asked, reply, lambda done: reply_to(command, done))
        )

    def _parts(self, said: Document) -> tuple[str, Wording, Document]:
        """Return a call's event id, the wording of its event, and its data."""
        event_id, name, data = said.get("id"), said.get("event"), said.get("data")
        if not isinstance(event_id, str) or not 0 < len(event_id) <= LONGEST_ID:
            raise unusable("id", "must name the event, so that it is taken once")
        if not isinstance(name, str) or name not in self._wordings:
            raise unusable("event", f"must be one of {', '.join(self._wordings)}")
        if not isinstance(data, dict):
            raise unusable("data", "must be an object with the fields of the event")
        return event_id, self._wordings[name], data


def demand_signed(secret: str | None, signature: str | None, raw: bytes, now: float) -> None:
    """Let pass a call that was signed with the secret, not long ago.

    Raises:
        Problem: 401 otherwise, and always where no secret is configured.

    """
    if secret is None:
        detail = "No secret is shared with a payment provider here: PARKLEDGER_WEBHOOK_SECRET is not set."
        raise _unsigned(detail)
    stated = _SIGNATURE.fullmatch(signature or "")
    if stated is None:
        raise _unsigned("Parkledger-Signature must be t=SECONDS,v1=HEX.")
    if not hmac.compare_digest(sign(secret, stated[1], raw), stated[2]):
        raise _unsigned("The signature does not fit the body.")
    if abs(now - int(stated[1])) > TOLERANCE:
        raise _unsigned(f"The call's time differs from now by more than {TOLERANCE} seconds.")


def sign(secret: str, seconds: str, raw: bytes) -> str:
    """Return the signature of a body at a time, in hexadecimal digits."""
    return hmac.new(secret.encode(), seconds.encode() + b"." + raw, sha256).hexdigest()


def _unsigned(detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, "Not signed", detail)
