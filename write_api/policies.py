"""Ways in for policies: a named version is adopted with an effective time."""

from write_api.routes import CommandRoute, decides

ROUTES = (
    CommandRoute(
        "/v1/policies",
        decides("AdoptPolicy"),
        "Adopt a policy version.",
        {
            "policy": "winter-2",
            "effective_from": "2026-12-01T00:00:00-05:00",
            "values": {"fine": 7000, "grace_minutes": 15},
        },
    ),
)
