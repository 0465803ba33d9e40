"""Ways in for zones: opened, ruled, closed."""

from write_api.routes import CommandRoute, decides

ROUTES = (
    CommandRoute(
        "/v1/zones",
        decides("OpenZone"),
        "Open a zone.",
        {"zone": "F", "name": "Lot F, north of the library", "timezone": "America/Toronto", "capacity": 120},
        mints="zone",
        prefix="Z-",
    ),
    CommandRoute(
        "/v1/zones/{zone}/rules",
        decides("SetZoneRules"),
        "Let a zone's rules be these, from an instant on.",
        {
            "effective_from": "2026-03-01T00:00:00-05:00",
            "rules": [
                {
                    "code": "NO_PERMIT",
                    "kind": "permit",
                    "days": ["mon", "tue"],
                    "start": "07:00",
                    "end": "18:00",
                },
                {"code": "OVERTIME", "kind": "time_limit", "limit_minutes": 120},
            ],
        },
    ),
    CommandRoute("/v1/zones/{zone}/closure", decides("CloseZone"), "Use a zone no longer.", {}),
)
