"""Brokers for the integration tests: one of each kind for the whole run."""

import shutil
from collections.abc import Iterator

import pytest

from streams.embedded_broker import EmbeddedBroker
from streams.kafka_broker import KafkaBroker
from streams.kafka_jars import default_jars_dir, fetch_jars


@pytest.fixture(scope="session")
def embedded_bootstrap() -> Iterator[str]:
    """Return the address of an embedded broker."""
    with EmbeddedBroker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[KafkaBroker]:
    """Return a running Apache Kafka; tests that use it are marked `kafka`."""
    if shutil.which("java") is None:
        pytest.skip("no Java for Apache Kafka; `make setup` installs JDK 17")
    if shutil.which("mvn") is None and not default_jars_dir().is_dir():
        pytest.skip("no Maven to fetch Apache Kafka; `make setup` installs it")
    with KafkaBroker(jars=fetch_jars()) as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_bootstrap(kafka_broker: KafkaBroker) -> str:
    """Return the address of a real Apache Kafka."""
    return kafka_broker.bootstrap_servers


@pytest.fixture(
    params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)],
)
def bootstrap(request: pytest.FixtureRequest) -> str:
    """Return the address of each kind of broker in turn."""
    address: str = request.getfixturevalue(f"{request.param}_bootstrap")
    return address


@pytest.fixture
def fresh_embedded() -> Iterator[str]:
    """Return the address of an embedded broker that nothing has used."""
    with EmbeddedBroker() as broker:
        yield broker.bootstrap_servers


@pytest.fixture
def fresh_kafka() -> Iterator[str]:
    """Return the address of an Apache Kafka that nothing has used."""
    if shutil.which("java") is None:
        pytest.skip("no Java for Apache Kafka; `make setup` installs JDK 17")
    with KafkaBroker(jars=fetch_jars()) as broker:
        yield broker.bootstrap_servers
