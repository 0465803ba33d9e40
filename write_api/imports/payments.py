"""Payments from CSV: money that came in before this log began. Only references and last digits are taken."""

from events.payments import PaymentAuthorised, PaymentReceived
from write_api.imports.cells import Cells
from write_api.imports.formats import Format, Taken
from write_api.imports.local_time import Unreadable

_AUTHORISED = frozenset({"card", "credit", "creditcard", "debit", "wallet", "online", "app"})
"""Methods where an issuer authorises first; all others are received."""


def take(cells: Cells) -> Taken:
    """Return the payment of a row."""
    payment = cells.needed("payment")
    method = (cells.text("method") or "cash").lower()
    authorised = method.replace(" ", "").replace("-", "") in _AUTHORISED
    amount = cells.money("amount")
    if not amount:
        raise Unreadable("a payment has an amount above 0")
    event = (PaymentAuthorised if authorised else PaymentReceived).model_validate(
        {
            "at": cells.instant(),
            "payment": payment,
            "amount": amount,
            "method": method,
            "reference": cells.text("reference"),
            "last4": cells.text("last4"),
            "citation": cells.text("citation"),
            "permit": cells.text("permit"),
            "account": cells.text("account"),
        }
    )
    return Taken(payment, (event,), f"payment:{event.payment}")


FORMAT = Format(
    name="payments",
    fields={
        "payment": ("paymentid", "receipt", "receiptnumber", "transaction", "transactionid", "id"),
        "at": ("paidat", "datetime", "timestamp", "paymentdatetime"),
        "date": ("paymentdate", "paiddate"),
        "time": ("paymenttime",),
        "amount": ("paid", "total", "amountpaid"),
        "method": ("paymentmethod", "tender"),
        "reference": ("ref", "authcode"),
        "last4": ("lastfour", "cardlast4"),
        "citation": ("ticketnumber", "ticket", "citationnumber", "citationid"),
        "permit": ("permitnumber", "permitid"),
        "account": ("accountid", "customer", "customerid"),
    },
    needs=(("payment",), ("amount",), ("at", "date")),
    take=take,
)
