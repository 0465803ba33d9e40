"""Ways in for privacy: legal holds, and the end of what retention no longer allows to be read."""

from write_api.routes import CommandRoute, decides

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
)
