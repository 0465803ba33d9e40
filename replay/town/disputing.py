"""After a citation: paid, appealed, decided; and once a day the story of the payment posted too late."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from replay.town.door import Door, step
from replay.town.enforcing import cite, read_plate
from replay.town.people import PRICES, Driver, People

DISCOUNTED = 3000
OUTCOMES = ("upheld", "upheld", "upheld", "reduced", "dismissed")
POSTED_LATE = 8.0
"""Seconds between the payment and its posting in the story; in life it is half an hour."""
STATEMENTS = (
    "The sign was behind a tree.",
    "I was unloading a cello and came back within minutes.",
    "My permit was on the dashboard, face down.",
    "The machine took my coins and printed nothing.",
)


@dataclass
class Case:
    """A citation that is still somebody's worry."""

    driver: Driver
    citation: str
    appeal: str | None = None


def after_citation(write: Door, people: People, case: Case) -> bool:
    """Let the driver pay, appeal, or put it in a drawer; tell whether the desk will see it."""
    mood = people.chance.random()
    if mood < 0.35:  # noqa: PLR2004 - a third pay at once, a third appeal, a third do nothing yet
        paid = {"amount": DISCOUNTED, "method": "card", "reference": f"tok-{people.chance.randrange(10**9)}"}
        write.post(case.driver.person, step("citations", case.citation, "payments"), paid)
        return False
    if mood > 0.7:  # noqa: PLR2004 - see above
        return False
    case.appeal = appeal(write, people, case.citation, people.chance.choice(STATEMENTS))
    return case.appeal is not None


def appeal(write: Door, people: People, citation: str, statement: str) -> str | None:
    """File an appeal at the counter, and return its number."""
    filed = {"citation": citation, "level": 1, "statement": statement}
    reply = write.post(people.clerk, "/v1/appeals", filed)
    return str(reply.body["appeal"]) if reply.ok and "appeal" in reply.body else None


def decide(write: Door, people: People, case: Case) -> None:
    """Decide an appeal as the day ends."""
    outcome = people.chance.choice(OUTCOMES)
    said: dict[str, object] = {"outcome": outcome, "reason": "decided on the evidence"}
    if outcome == "reduced":
        said["amount"] = DISCOUNTED // 2
    if case.appeal is not None:
        write.post(people.clerk, step("appeals", case.appeal, "decision"), said)


def late_posted_payment(write: Door, people: People, day: int, sleep: float = POSTED_LATE) -> Case | None:
    """Tell the story that the dispute desk is for, and return the case, which is left open for it.

    She pays for her permit; the processor posts it late; between the two an officer reads her plate, sees
    `no_right`, and cites. Then the payment arrives, counting from when it was authorised.
    """
    driver = Driver(f"late-{day}-{people.chance.randrange(10**6):06}", people.plate(), "LIB", "STUDENT")
    permit, payment = f"L-{driver.account}", f"PAY-{driver.account}"
    bought = datetime.now(UTC).isoformat()
    time.sleep(min(sleep, 1.0))
    officer = people.officers[0]
    seen = read_plate(write, officer, driver, people)
    citation = cite(write, officer, driver, seen[0]) if seen is not None else None
    time.sleep(sleep)
    paid = {
        "payment": payment,
        "at": bought,
        "amount": PRICES["STUDENT"],
        "permit": permit,
        "account": driver.account,
    }
    write.post(driver.person, "/v1/payments", {**paid, "method": "card"})
    right = {
        "permit": permit,
        "at": bought,
        "permit_type": "STUDENT",
        "plates": [driver.plate],
        "payment": payment,
    }
    write.post(driver.person, "/v1/permits", {**right, "account": driver.account})
    if citation is None:
        return None
    statement = "I had paid for my permit minutes before. I have the receipt on my phone."
    return Case(driver, citation, appeal(write, people, citation, statement))
