"""Ways in for payments: authorised or received, then whatever becomes of the money."""

from write_api.routes import CommandRoute, Parkers, decides, one_of

_PAYMENT = "/v1/payments/{payment}"
_TAKEN = one_of("kind", authorised="AuthorisePayment", received="ReceivePayment")
_AUTHORISED = Parkers(choices=("authorised",))

ROUTES = (
    CommandRoute(
        "/v1/citations/{citation}/payments",
        _TAKEN,
        "Pay a citation.",
        {"kind": "authorised", "amount": 3000, "method": "card", "reference": "tok_8fk2", "last4": "1881"},
        mints="payment",
        prefix="P-",
        parkers=_AUTHORISED,
    ),
    CommandRoute(
        "/v1/payments",
        _TAKEN,
        "Record a payment that was authorised or received.",
        {"kind": "received", "amount": 6000, "method": "cheque", "reference": "0042", "citation": "PV-50001"},
        mints="payment",
        prefix="P-",
        own="account",
        parkers=_AUTHORISED,
    ),
    CommandRoute(f"{_PAYMENT}/capture", decides("CapturePayment"), "Capture a payment.", {}),
    CommandRoute(f"{_PAYMENT}/settlement", decides("SettlePayment"), "Note that the money arrived.", {}),
    CommandRoute(
        f"{_PAYMENT}/allocation",
        decides("AllocatePayment"),
        "Let a payment settle a citation.",
        {"citation": "PV-50001", "amount": 3000},
    ),
    CommandRoute(f"{_PAYMENT}/refund", decides("RefundPayment"), "Give money back.", {"amount": 3000}),
    CommandRoute(
        f"{_PAYMENT}/dishonour",
        decides("DishonourPayment"),
        "Note that the bank returned a payment: it counts as never made.",
        {"reason": "insufficient funds"},
    ),
    CommandRoute(
        f"{_PAYMENT}/chargeback",
        one_of("outcome", opened="OpenChargeback", won="WinChargeback", lost="LoseChargeback"),
        "Note that a payment is disputed, and how that ended.",
        {"outcome": "opened"},
    ),
)
