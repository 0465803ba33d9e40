"""Ways in for citations: issued, served, voided, taken further, looked at again."""

from write_api.routes import CommandRoute, decides

_CITATION = "/v1/citations/{citation}"

ROUTES = (
    CommandRoute(
        "/v1/citations",
        decides("IssueCitation"),
        "Cite a vehicle; refused if the log at its head holds a right that makes it improper.",
        {"plate": "ON CKTR482", "zone": "F", "code": "NO_PERMIT", "basis": ["r-1041"], "device": "H3"},
        mints="citation",
        prefix="PV-",
        signed=True,
    ),
    CommandRoute(
        f"{_CITATION}/service", decides("ServeCitation"), "Note how a citation was served.", {"how": "post"}
    ),
    CommandRoute(
        f"{_CITATION}/void",
        decides("VoidCitation"),
        "Void a citation as an error or a duplicate.",
        {"reason": "duplicate", "duplicate_of": "PV-50001"},
    ),
    CommandRoute(
        f"{_CITATION}/escalation",
        decides("EscalateCitation"),
        "Take an unpaid citation one stage further.",
        {"stage": "notice"},
    ),
    CommandRoute(
        f"{_CITATION}/owner-lookup",
        decides("RecordOwnerLookup"),
        "Note what the registry answered.",
        {"result": "found"},
    ),
    CommandRoute(
        f"{_CITATION}/review",
        decides("RequireReview"),
        "Ask a person to look at a citation again.",
        {"reason": "reinstated permit", "cause": "Permit K-6001 was reinstated retroactively."},
    ),
)
