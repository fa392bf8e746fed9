"""One Kafka with TLS, logins and rights for all tests of this folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from schemas.topics import TOPICS
from streams.access_rules import read_access_rules
from streams.acl_admin import apply_acls, grants_of
from streams.kafka_access import KafkaAccess
from streams.kafka_broker import KafkaBroker
from streams.kafka_jars import default_jars_dir
from streams.topic_admin import apply_topics
from tests.security.certificates import Authority
from tests.security.secured_kafka import PASSWORD, secured_kafka

APP_ID = "guarded"
USERS = {
    "screen": ["User:worker"],
    "transcribe": ["User:worker"],
    "judge": ["User:worker"],
    "producer": ["User:uploads"],
    "subscriber": ["User:subscriber"],
    "operator": ["User:operator"],
    "replay": ["User:replay"],
    "corrector": ["User:corrector"],
    "replay_topic": ["User:replay-topic"],
}


@dataclass(frozen=True)
class Guarded:
    """The broker, its authority, and ways in."""

    broker: KafkaBroker
    authority: Authority
    folder: Path

    def access(self, username: str) -> KafkaAccess:
        """Return a right login."""
        return KafkaAccess(
            self.broker.address_of("SASL"),
            "sasl_ssl",
            username=username,
            password=SecretStr(PASSWORD),
            ca=self.authority.ca,
        )

    def variables(self, username: str, listener: str = "SASL") -> dict[str, str]:
        """Return the same as settings of a process."""
        return {
            "bootstrap_servers": self.broker.address_of(listener),
            "app_id": APP_ID,
            "kafka_security_protocol": "sasl_ssl",
            "kafka_username": username,
            "kafka_password": PASSWORD,
            "kafka_ca": str(self.authority.ca),
        }


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory):
    """Return a running Kafka with our topics and ACLs; tests are marked `kafka`."""
    if shutil.which("java") is None:
        pytest.skip("no Java for Apache Kafka; `make setup` installs JDK 17")
    if shutil.which("mvn") is None and not default_jars_dir().is_dir():
        pytest.skip("no Maven to fetch Apache Kafka; `make setup` installs it")
    folder = tmp_path_factory.mktemp("guarded")
    broker, authority = secured_kafka(folder)
    with broker:
        apply_topics(broker.bootstrap_servers, TOPICS, partitions=4)
        rules = read_access_rules(APP_ID)
        apply_acls(broker.bootstrap_servers, grants_of(rules.rights, USERS))
        yield Guarded(broker, authority, folder)
