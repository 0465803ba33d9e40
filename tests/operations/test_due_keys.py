"""What the log says is destroyed is destroyed, also by an automation that begins after a crash."""

from datetime import UTC, datetime
from uuid import uuid4

from event_store.postgres import PostgresLog
from event_store.vault import Vault
from events.envelope import Append
from events.privacy import RetentionKeyDestroyed
from events.reads import PlateRead
from events.vocabulary import Plate
from operations.automation import Automation

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def test_automation_destroys_the_key_that_the_log_says_is_destroyed_and_no_other(
    log: PostgresLog, dsn: str
) -> None:
    for day in (5, 6):
        read = PlateRead(
            at=NOON.replace(day=day), read=f"r{day}", plate=Plate("ON CKTR482"), zone="F", device="H1"
        )
        log.append(Append([read], uuid4()))
    log.append(Append([RetentionKeyDestroyed(at=NOON, bucket="2026-03-05")], uuid4()))
    assert Vault.of(dsn).key("2026-03-05") is not None
    for _ in range(2):
        assert Automation(log).act(NOON) == 0
        assert Vault.of(dsn).key("2026-03-05") is None
        assert Vault.of(dsn).key("2026-03-06") is not None
