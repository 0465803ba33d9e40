"""A real Apache Kafka, reached by each of its listeners; and a clear sentence where it is not."""

from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from event_store.brokers import Access, BrokerUnavailable, Security, using
from operations.broker import PASSWORD, USER, Broker
from operations.broker_tls import make_certificates

pytestmark = pytest.mark.kafka


def topics(access: Access, patience: float = 60) -> list[str]:
    with using(KafkaAdminClient, access, bootstrap_timeout_ms=round(patience * 1000)) as admin:
        return list(admin.list_topics())


def signing_in(broker: Broker, security: Security, password: str = PASSWORD) -> Access:
    return Access(
        broker.address(security),
        security,
        username=USER,
        password=password,
        authority=broker.authority if security.endswith("SSL") else None,
    )


@pytest.mark.parametrize("security", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
def test_each_listener_lets_in_who_shows_what_it_wants(broker: Broker, security: Security) -> None:
    assert isinstance(topics(signing_in(broker, security)), list)


def test_a_wrong_password_is_said_with_the_names_of_the_settings(broker: Broker) -> None:
    with pytest.raises(BrokerUnavailable, match=r"does not let the user 'parkledger' in.*_KAFKA_PASSWORD"):
        topics(signing_in(broker, "SASL_PLAINTEXT", "wrong"), 2)


def test_the_password_is_never_shown(broker: Broker) -> None:
    assert PASSWORD not in repr(signing_in(broker, "SASL_SSL"))


def test_a_certificate_of_a_stranger_is_not_trusted(broker: Broker, tmp_path: Path) -> None:
    stranger, _ = make_certificates(tmp_path)
    with pytest.raises(BrokerUnavailable, match=r"is not trusted .*PARKLEDGER_KAFKA_AUTHORITY"):
        topics(Access(broker.address("SSL"), "SSL", authority=stranger), 1)


def test_an_absent_broker_is_said_with_its_address() -> None:
    with pytest.raises(BrokerUnavailable, match=r"No Kafka broker answers at 127\.0\.0\.1:1 "):
        topics(Access("127.0.0.1:1"), 1)


def test_tls_where_there_is_none_is_said(broker: Broker) -> None:
    with pytest.raises(BrokerUnavailable, match="does not speak TLS"):
        topics(Access(broker.address("PLAINTEXT"), "SSL", authority=broker.authority), 1)


def test_a_file_of_certificates_that_is_missing_is_named() -> None:
    with pytest.raises(BrokerUnavailable, match=r"nowhere\.pem: No such file"):
        topics(Access("127.0.0.1:1", "SSL", authority=Path("nowhere.pem")), 1)


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(BrokerUnavailable, match="which is not host:port"):
        topics(Access("kafka"), 1)
