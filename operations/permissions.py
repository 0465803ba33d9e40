"""Who may do what: one table of routes and roles, the only place where that is decided.

`yes` lets a role use a route, `own` only for what belongs to the caller's account, `-` not at all. A route
that is not in the table is closed to everybody, so a new one starts with its line here. The admin of a
small office does everybody's work and may use everything; what was done is in the log under the own name.
"""

from enum import StrEnum

from operations.identity import Principal, Role


class Access(StrEnum):
    """How far a role may use a route."""

    ALL = "yes"
    OWN = "own"
    NONE = "-"


class NotPermitted(Exception):
    """The role of this token may not do this."""


TABLE = """
method route                            parker officer dispute auditor analyst director security admin device

POST /v1/zones                          -      -       -       -       -       -        -        yes   -
POST /v1/zones/{zone}/rules             -      -       -       -       -       -        -        yes   -
POST /v1/zones/{zone}/closure           -      -       -       -       -       -        -        yes   -
POST /v1/policies                       -      -       -       -       -       -        -        yes   -
POST /v1/permit-types                   -      -       -       -       -       -        -        yes   -
POST /v1/accounts/{account}/eligibility -      -       -       -       -       -        -        yes   -

POST /v1/permits                        own    -       -       -       -       -        -        yes   -
POST /v1/permits/{permit}/renewals      own    -       -       -       -       -        -        yes   -
POST /v1/permits/{permit}/plates        own    -       -       -       -       -        -        yes   -
POST /v1/permits/{permit}/plates/removal \
                                        own    -       -       -       -       -        -        yes   -
POST /v1/permits/{permit}/plates/correction \
                                        -      -       yes     -       -       -        -        yes   -
POST /v1/permits/{permit}/active-plate  own    -       -       -       -       -        -        yes   -
POST /v1/permits/{permit}/suspension    -      -       yes     -       -       -        -        yes   -
POST /v1/permits/{permit}/reinstatement -      -       yes     -       -       -        -        yes   -
POST /v1/permits/{permit}/revocation    -      -       yes     -       -       -        -        yes   -
POST /v1/permits/{permit}/cancellation  own    -       -       -       -       -        -        yes   -
POST /v1/permits/{permit}/transfer      own    -       -       -       -       -        -        yes   -
POST /v1/permits/{permit}/loss          own    -       -       -       -       -        -        yes   -
POST /v1/waitlists/{permit_type}        own    -       -       -       -       -        -        yes   -
POST /v1/waitlists/{permit_type}/departure \
                                        own    -       -       -       -       -        -        yes   -
POST /v1/waitlists/{permit_type}/offers/{offer}/acceptance \
                                        own    -       -       -       -       -        -        yes   -

POST /v1/sessions                       yes    -       -       -       -       -        -        yes   yes
POST /v1/sessions/{session}/extension   own    -       -       -       -       -        -        yes   yes
POST /v1/sessions/{session}/end         own    -       -       -       -       -        -        yes   yes
POST /v1/exemptions                     -      -       -       -       -       -        yes      yes   -
POST /v1/exemptions/{exemption}/end     -      -       -       -       -       -        yes      yes   -

POST /v1/plate-reads                    -      yes     -       -       -       -        -        yes   yes
POST /v1/plate-reads/{read}/correction  -      yes     yes     -       -       -        -        yes   -
POST /v1/plate-reads/{read}/match       -      yes     yes     -       -       -        -        yes   -
POST /v1/devices/{device}/sync          -      yes     -       -       -       -        -        yes   yes

POST /v1/citations                      -      yes     -       -       -       -        -        yes   yes
POST /v1/citations/{citation}/service   -      yes     yes     -       -       -        -        yes   -
POST /v1/citations/{citation}/void      -      -       yes     -       -       -        -        yes   -
POST /v1/citations/{citation}/escalation -     -       yes     -       -       -        -        yes   -
POST /v1/citations/{citation}/owner-lookup -   -       yes     -       -       -        -        yes   -
POST /v1/citations/{citation}/review    -      -       yes     -       -       -        -        yes   -
POST /v1/citations/{citation}/payments  yes    -       yes     -       -       -        -        yes   yes
POST /v1/payments                       own    -       yes     -       -       -        -        yes   yes
POST /v1/payments/{payment}/capture     -      -       -       -       -       -        -        yes   yes
POST /v1/payments/{payment}/settlement  -      -       -       -       -       -        -        yes   -
POST /v1/payments/{payment}/allocation  -      -       yes     -       -       -        -        yes   -
POST /v1/payments/{payment}/refund      -      -       yes     -       -       -        -        yes   -
POST /v1/payments/{payment}/dishonour   -      -       -       -       -       -        -        yes   -
POST /v1/payments/{payment}/chargeback  -      -       -       -       -       -        -        yes   -

POST /v1/appeals                        own    -       yes     -       -       -        -        yes   -
POST /v1/appeals/{appeal}/late-filing   own    -       yes     -       -       -        -        yes   -
POST /v1/appeals/{appeal}/hearing       -      -       yes     -       -       -        -        yes   -
POST /v1/appeals/{appeal}/decision      -      -       yes     -       -       -        -        yes   -
POST /v1/appeals/{appeal}/withdrawal    own    -       yes     -       -       -        -        yes   -
POST /v1/appeals/{appeal}/reinstatement -      -       yes     -       -       -        -        yes   -

POST /v1/watchlist                      -      -       -       -       -       -        yes      yes   -
POST /v1/watchlist/{entry}/cancellation -      -       -       -       -       -        yes      yes   -
POST /v1/incidents                      -      yes     -       -       -       -        yes      yes   -
POST /v1/incidents/{incident}/links     -      -       -       -       -       -        yes      yes   -
POST /v1/incidents/{incident}/notes     -      yes     -       -       -       -        yes      yes   -
POST /v1/incidents/{incident}/amendments -     -       -       -       -       -        yes      yes   -
POST /v1/incidents/{incident}/closure   -      -       -       -       -       -        yes      yes   -
POST /v1/legal-holds                    -      -       -       -       -       -        -        yes   -
POST /v1/legal-holds/{case}/lifting     -      -       -       -       -       -        -        yes   -
POST /v1/retention-buckets/{bucket}/destruction - -    -       -       -       -        -        yes   -
POST /v1/erasure-requests               own    -       -       -       -       -        -        yes   -

GET /v1/validity                        own    yes     yes     yes     -       -        yes      yes   yes
GET /v1/plates/{plate}                  own    yes     yes     yes     -       -        yes      yes   -
GET /v1/permits/{permit}                own    yes     yes     yes     -       -        -        yes   -
GET /v1/accounts/{account}              own    -       yes     yes     -       -        -        yes   -
GET /v1/citations                       own    -       yes     yes     -       -        -        yes   -
GET /v1/citations/{citation}            own    yes     yes     yes     -       -        -        yes   -
GET /v1/citations/{citation}/timeline   own    -       yes     yes     -       -        -        yes   -
GET /v1/citations/{citation}/finding    -      -       yes     yes     -       -        -        yes   -
GET /v1/citations/{citation}/evidence   own    -       yes     yes     -       -        -        yes   -
GET /v1/appeals                         own    -       yes     yes     -       -        -        yes   -
GET /v1/appeals/{appeal}                own    -       yes     yes     -       -        -        yes   -
GET /v1/zones                           yes    yes     yes     yes     yes     yes      yes      yes   yes
GET /v1/zones/{zone}                    yes    yes     yes     yes     yes     yes      yes      yes   yes
GET /v1/zones/{zone}/occupancy          yes    yes     yes     yes     yes     yes      yes      yes   yes
GET /v1/watchlist                       -      -       -       yes     -       -        yes      yes   -
GET /v1/incidents                       -      -       -       yes     -       -        yes      yes   -
GET /v1/incidents/{incident}            -      -       -       yes     -       -        yes      yes   -
GET /v1/events                          -      -       -       yes     -       -        -        yes   -
GET /v1/events/{position}/proof         -      -       yes     yes     -       -        -        yes   -
GET /v1/checkpoints                     yes    yes     yes     yes     yes     yes      yes      yes   yes
GET /v1/reports                         -      -       -       yes     yes     yes      -        yes   -
GET /v1/reports/{name}                  -      -       -       yes     yes     yes      -        yes   -
GET /v1/curb-events                     -      -       -       yes     yes     yes      -        yes   -
GET /v1/reports/{name}/basis            -      -       -       yes     yes     yes      -        yes   -
GET /v1/projections                     -      -       -       yes     yes     -        -        yes   -
POST /v1/projections/{model}/retry      -      -       -       -       -       -        -        yes   -
GET /v1/stream                          -      yes     yes     yes     yes     yes      yes      yes   yes
"""

PUBLIC = frozenset(
    {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/sign-in"),
        ("POST", "/sign-out"),
        ("POST", "/v1/webhooks/payments"),  # signed by the payment provider, who has no token
    }
)
"""What needs no token."""


def _read(table: str) -> dict[tuple[str, str], dict[Role, Access]]:
    heading, *lines = [line.split() for line in table.replace("\\\n", " ").splitlines() if line.strip()]
    roles = [Role(name) for name in heading[2:]]
    return {
        (method, route): dict(zip(roles, map(Access, marks), strict=True)) for method, route, *marks in lines
    }


PERMISSIONS = _read(TABLE)
"""The table by method and route."""


def access(role: Role, method: str, route: str) -> Access:
    """Return how far a role may use a route, named as in the table; an unknown route not at all."""
    return PERMISSIONS.get((method, route), {}).get(role, Access.NONE)


def demand(principal: Principal, method: str, route: str) -> Access:
    """Return how far the principal may use the route.

    Raises:
        NotPermitted: if not at all.

    """
    granted = access(principal.role, method, route)
    if granted is Access.NONE:
        raise NotPermitted(f"The role {principal.role} may not use {method} {route}.")
    return granted


def demand_own(principal: Principal, granted: Access, account: str | None) -> None:
    """Let pass who may use the route for everything, or for this account because it is their own.

    Raises:
        NotPermitted: if it is somebody else's, or nobody's.

    """
    if granted is Access.OWN and (account is None or account != principal.account):
        raise NotPermitted("This belongs to somebody else.")
