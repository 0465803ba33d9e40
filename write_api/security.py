"""Ways in for security: the watchlist and incidents."""

from write_api.routes import CommandRoute, decides

_INCIDENT = "/v1/incidents/{incident}"

ROUTES = (
    CommandRoute(
        "/v1/watchlist",
        decides("AddWatchlistEntry"),
        "Alert whoever reads a plate.",
        {
            "plate": "ON CKTR482",
            "reason": "stolen vehicle",
            "source": "police",
            "expires": "2027-01-31T00:00:00Z",
        },
        mints="entry",
        prefix="W-",
    ),
    CommandRoute(
        "/v1/watchlist/{entry}/cancellation",
        decides("CancelWatchlistEntry"),
        "Let a watchlist entry alert no longer.",
        {"reason": "found"},
    ),
    CommandRoute(
        "/v1/incidents",
        decides("OpenIncident"),
        "Open an incident.",
        {"summary": "Window broken on the second level.", "place": "Garage 2", "plate": "ON CKTR482"},
        mints="incident",
        prefix="I-",
    ),
    CommandRoute(
        f"{_INCIDENT}/links",
        decides("LinkIncident"),
        "Link a vehicle, person, place or case to an incident.",
        {"plate": "QC ABC123", "links": ["citation:PV-50001"]},
    ),
    CommandRoute(
        f"{_INCIDENT}/notes",
        decides("NoteIncident"),
        "Add an entry to an incident's log.",
        {"summary": "Owner reached."},
    ),
    CommandRoute(
        f"{_INCIDENT}/amendments",
        decides("AmendIncident"),
        "Amend a locked report; what it amends stays.",
        {"summary": "The plate was QC ABC128."},
    ),
    CommandRoute(f"{_INCIDENT}/closure", decides("CloseIncident"), "Lock an incident's report.", {}),
)
