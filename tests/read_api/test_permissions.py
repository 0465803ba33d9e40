"""Every question, asked by every role: what the table of permissions says is what the door does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from event_store.postgres import PostgresLog
from events.appeals import AppealFiled
from events.citations import CitationIssued
from events.permits import PermitPurchased
from events.security import IncidentOpened
from events.vocabulary import Plate
from events.zones import ZoneOpened
from operations.embedded import EmbeddedPostgres
from operations.identity import Role
from operations.permissions import PERMISSIONS, Access, access
from operations.settings import Settings
from tests.read_api.office import Office, opened

NOW = datetime.now(UTC)
ASKED = {
    "/v1/validity": "/v1/validity?plate=ON%20{owner}&zone=F",
    "/v1/plates/{plate}": "/v1/plates/ON%20{owner}",
    "/v1/permits/{permit}": "/v1/permits/T-{owner}",
    "/v1/accounts/{account}": "/v1/accounts/{owner}",
    "/v1/citations": "/v1/citations",
    "/v1/citations/{citation}": "/v1/citations/PV-{owner}",
    "/v1/citations/{citation}/timeline": "/v1/citations/PV-{owner}/timeline",
    "/v1/citations/{citation}/finding": "/v1/citations/PV-{owner}/finding",
    "/v1/appeals": "/v1/appeals",
    "/v1/appeals/{appeal}": "/v1/appeals/AP-{owner}",
    "/v1/zones": "/v1/zones",
    "/v1/zones/{zone}": "/v1/zones/F",
    "/v1/watchlist": "/v1/watchlist",
    "/v1/events": "/v1/events",
    "/v1/projections": "/v1/projections",
    "/v1/zones/{zone}/occupancy": "/v1/zones/F/occupancy",
    "/v1/incidents": "/v1/incidents",
    "/v1/incidents/{incident}": "/v1/incidents/I-1",
    "/v1/citations/{citation}/evidence": "/v1/citations/PV-{owner}/evidence",
    "/v1/events/{position}/proof": "/v1/events/1/proof",
    "/v1/checkpoints": "/v1/checkpoints",
    "/v1/reports": "/v1/reports",
    "/v1/curb-events": "/v1/curb-events",
    "/v1/reports/{name}": "/v1/reports/violations",
    "/v1/reports/{name}/basis": "/v1/reports/violations/basis",
}
"""How each question is asked about what belongs to somebody; streams have tests of their own."""
OF_NOBODY = {"/v1/citations", "/v1/appeals"}
"""Questions that are answered with what is the caller's own; there is nothing to forbid."""


def belongings(owner: str) -> tuple[PermitPurchased, CitationIssued, AppealFiled]:
    plate = Plate(f"ON {owner}")
    day = timedelta(days=1)
    permit = PermitPurchased(
        at=NOW - day,
        permit=f"T-{owner}",
        account=owner,
        zones=("F",),
        plates=(plate,),
        valid_from=NOW - day,
        valid_until=NOW + day,
    )
    cited = CitationIssued(at=NOW, citation=f"PV-{owner}", plate=plate, zone="F", code="NO_PERMIT")
    appeal = AppealFiled(at=NOW, appeal=f"AP-{owner}", citation=f"PV-{owner}")
    return permit, cited, appeal


@pytest.fixture(scope="module")
def office(
    cluster: EmbeddedPostgres, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    dsn = cluster.create("read_permissions", template)
    log = PostgresLog(dsn)
    with opened(dsn, log, Settings(data=tmp_path_factory.mktemp("office"))) as office:
        office.report(ZoneOpened(at=NOW - timedelta(days=1), zone="F", name="F", timezone="UTC"))
        office.report(*belongings("MINE"), *belongings("THEIRS"))
        office.report(IncidentOpened(at=NOW, incident="I-1", summary="Window broken."))
        office.seal()
        yield office
    log.close()
    cluster.drop("read_permissions")


def test_every_question_of_the_door_is_asked_here(office: Office) -> None:
    document = office.get("/openapi.json", None).json()
    paths = document["paths"]
    served = {path for path in paths if path.startswith("/v1/") and "get" in paths[path]}
    assert served - {"/v1/stream"} == set(ASKED)
    assert served <= {route for method, route in PERMISSIONS if method == "GET"}


@pytest.mark.parametrize("route", ASKED)
@pytest.mark.parametrize("role", Role)
def test_a_role_is_answered_as_the_table_says(office: Office, role: Role, route: str) -> None:
    headers = office.headers(role, "pat", "MINE")
    mine = office.get(ASKED[route].format(owner="MINE"), None, headers=headers).status_code
    theirs = office.get(ASKED[route].format(owner="THEIRS"), None, headers=headers).status_code
    match access(role, "GET", route):
        case Access.ALL:
            assert (mine, theirs) == (200, 200)
        case Access.OWN:
            assert (mine, theirs) == (200, 200 if route in OF_NOBODY else 403)
        case Access.NONE:
            assert (mine, theirs) == (403, 403)


@pytest.mark.parametrize("route", ASKED)
def test_without_a_token_nothing_is_answered(office: Office, route: str) -> None:
    answer = office.get(ASKED[route].format(owner="MINE"), None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_parkers_lists_hold_their_own_alone(office: Office) -> None:
    headers = office.headers("parker", "pat", "MINE")
    citations = office.get("/v1/citations", None, headers=headers).json()["citations"]
    assert [row["citation"] for row in citations] == ["PV-MINE"]
    appeals = office.get("/v1/appeals", None, headers=headers).json()["appeals"]
    assert [row["appeal"] for row in appeals] == ["AP-MINE"]


def test_a_parker_without_account_owns_nothing(office: Office) -> None:
    headers = office.headers("parker", "pat")
    assert office.get("/v1/citations", None, headers=headers).json()["citations"] == []
    assert office.get("/v1/permits/T-MINE", None, headers=headers).status_code == 403
