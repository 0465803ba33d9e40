"""What nobody should send: each a clear problem, nothing internal leaks."""

import pytest

from tests.read_api.office import Office

ASKED = [
    "/v1/plates/{}",
    "/v1/permits/{}",
    "/v1/accounts/{}",
    "/v1/citations/{}",
    "/v1/citations/{}/timeline",
    "/v1/citations/{}/finding",
    "/v1/appeals/{}",
    "/v1/zones/{}",
    "/v1/validity?plate={0}&zone={0}",
    "/v1/events?tag=zone:{0}&actor={0}",
    "/officer?number={0}&zone={0}",
    "/citations/{}",
    "/plates/{}",
    "/desk?citation={}",
]
STRANGE = [
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "..%2F..%2Fetc",
    "%0D%0ASet-Cookie:%20a=b",
    "%F0%9F%9A%97",
    "x" * 4000,
]


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_strange_names_are_problems_and_never_surprises(office: Office, strange: str) -> None:
    for asked in ASKED:
        role = "auditor" if "/v1/events" in asked else "dispute"
        answer = office.get(asked.format(strange), role)
        assert answer.status_code < 500, (asked, answer.text)
        assert "Traceback" not in answer.text
        assert "psycopg" not in answer.text
