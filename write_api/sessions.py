"""Ways in for sessions and exemptions: rights that last hours rather than months."""

from write_api.routes import CommandRoute, decides

ROUTES = (
    CommandRoute(
        "/v1/sessions",
        decides("StartSession"),
        "Start a session.",
        {"plate": "ON CKTR482", "zone": "F", "minutes": 120, "channel": "app", "amount": 400},
        mints="session",
        prefix="S-",
    ),
    CommandRoute(
        "/v1/sessions/{session}/extension",
        decides("ExtendSession"),
        "Extend a session.",
        {"minutes": 30},
        own="session",
    ),
    CommandRoute(
        "/v1/sessions/{session}/end",
        decides("EndSession"),
        "End a session before its time.",
        {},
        own="session",
    ),
    CommandRoute(
        "/v1/exemptions",
        decides("GrantExemption"),
        "Exempt a vehicle from citation.",
        {"plate": "ON CKTR482", "zone": "F", "until": "2026-12-24T18:00:00-05:00", "reason": "movers"},
        mints="exemption",
        prefix="X-",
    ),
    CommandRoute("/v1/exemptions/{exemption}/end", decides("EndExemption"), "End an exemption.", {}),
)
