"""Ways in for permits: types, eligibility, waiting lists, and a permit from its purchase to its end."""

from write_api.routes import CommandRoute, Parkers, decides, one_of

_PERMIT = "/v1/permits/{permit}"
_WAITLIST = "/v1/waitlists/{permit_type}"

SET_UP = (
    CommandRoute(
        "/v1/permit-types",
        decides("OfferPermitType"),
        "Offer permits of a type.",
        {
            "permit_type": "commuter",
            "zones": ["F", "G4"],
            "price": 24000,
            "term_days": 120,
            "capacity": 300,
            "max_plates": 3,
            "eligibility": "staff",
        },
        mints="permit_type",
        prefix="PT-",
    ),
    CommandRoute(
        "/v1/accounts/{account}/eligibility",
        one_of("change", granted="GrantEligibility", withdrawn="WithdrawEligibility"),
        "Grant or withdraw what a permit type may require.",
        {"change": "granted", "eligibility": "staff", "until": "2027-06-30T00:00:00-04:00"},
    ),
)

LIFE = (
    CommandRoute(
        "/v1/permits",
        decides("PurchasePermit"),
        "Buy a permit.",
        {"account": "A-1201", "permit_type": "commuter", "plates": ["ON CKTR482"], "payment": "P-77"},
        mints="permit",
        prefix="T-",
        own="account",
        parkers=Parkers(needs=("permit_type",), leaves=("price",)),
    ),
    CommandRoute(
        f"{_PERMIT}/renewals",
        decides("RenewPermit"),
        "Renew a permit.",
        {"payment": "P-78"},
        own="permit",
        parkers=Parkers(leaves=("price",)),
    ),
    CommandRoute(
        f"{_PERMIT}/suspension",
        decides("SuspendPermit"),
        "Suspend a permit.",
        {"reason": "unpaid instalment"},
    ),
    CommandRoute(
        f"{_PERMIT}/reinstatement",
        decides("ReinstatePermit"),
        "Let a suspended or revoked permit stand again.",
        {"effective_at": "2026-10-19T10:00:00-05:00"},
    ),
    CommandRoute(
        f"{_PERMIT}/revocation",
        decides("RevokePermit"),
        "Take a permit away.",
        {"reason": "misuse", "effective_at": "2026-10-13T12:00:00-05:00"},
    ),
    CommandRoute(
        f"{_PERMIT}/cancellation",
        decides("CancelPermit"),
        "Give a permit back.",
        {"reason": "moved away"},
        own="permit",
    ),
    CommandRoute(
        f"{_PERMIT}/transfer",
        decides("TransferPermit"),
        "Let a permit belong to another account.",
        {"account": "A-1300"},
        own="permit",
    ),
    CommandRoute(
        f"{_PERMIT}/loss", decides("ReportPermitLost"), "Report a permit lost or stolen.", {}, own="permit"
    ),
)

PLATES = (
    CommandRoute(
        f"{_PERMIT}/plates",
        decides("AddPlate"),
        "Let a permit carry one more plate.",
        {"plate": "ON CKTR483"},
        own="permit",
    ),
    CommandRoute(
        f"{_PERMIT}/plates/removal",
        decides("RemovePlate"),
        "Let a permit carry a plate no longer.",
        {"plate": "ON CKTR483"},
        own="permit",
    ),
    CommandRoute(
        f"{_PERMIT}/plates/correction",
        decides("CorrectPlateAssociation"),
        "Correct which plate a permit should have carried.",
        {
            "plate": "ON CKTR482",
            "corrects": "ON CKTR428",
            "reason": "typed wrongly",
            "approved_by": "dispute-1",
        },
    ),
    CommandRoute(
        f"{_PERMIT}/active-plate",
        decides("SelectActivePlate"),
        "Select the plate that is active from now on.",
        {"plate": "ON CKTR483"},
        own="permit",
    ),
)

WAITLISTS = (
    CommandRoute(
        _WAITLIST, decides("JoinWaitlist"), "Wait for a permit.", {"account": "A-1201"}, own="account"
    ),
    CommandRoute(
        f"{_WAITLIST}/departure",
        decides("LeaveWaitlist"),
        "Wait no longer.",
        {"account": "A-1201"},
        own="account",
    ),
    CommandRoute(
        f"{_WAITLIST}/offers/{{offer}}/acceptance",
        decides("AcceptWaitlistPlace"),
        "Accept the place that was offered; the offer is named by the account it was made to.",
        {},
        names={"offer": "account"},
        own="account",
    ),
)

ROUTES = (*SET_UP, *LIFE, *PLATES, *WAITLISTS)
