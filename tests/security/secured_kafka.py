"""A real Kafka that checks who comes in and what they may do."""

from pathlib import Path

from streams.kafka_broker import KafkaBroker
from streams.kafka_jars import fetch_jars
from streams.kafka_listeners import AUTHORIZER, Listeners
from tests.security.certificates import Authority

PASSWORD = "correct-horse-7f3a"  # A canary too: it may appear in no output.
USERS = ("worker", "uploads", "subscriber", "operator", "replay", "stranger")
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


def secured_kafka(folder: Path) -> tuple[KafkaBroker, Authority]:
    """Return a broker, not started, and the authority that it trusts.

    Listeners: SASL (SASL_SSL, SCRAM), MTLS (SSL, client certificate required),
    ELSEWHERE (as SASL, but its certificate names another host), and the plain one.
    """
    authority = Authority(folder)
    here = authority.keystore("broker")
    elsewhere = authority.keystore("elsewhere", "192.0.2.1")  # TEST-NET-1.
    listeners = Listeners(
        {"SASL": "SASL_SSL", "MTLS": "SSL", "ELSEWHERE": "SASL_SSL"},
        scram_users=dict.fromkeys(USERS, PASSWORD),
    )
    settings = AUTHORIZER | {
        "ssl.keystore.type": "PEM",
        "ssl.truststore.type": "PEM",
        "ssl.keystore.location": str(here),
        "ssl.truststore.location": str(authority.ca),
        "listener.name.elsewhere.ssl.keystore.type": "PEM",
        "listener.name.elsewhere.ssl.keystore.location": str(elsewhere),
        "listener.name.mtls.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl.scram-sha-512.sasl.jaas.config": SCRAM,
        "listener.name.elsewhere.scram-sha-512.sasl.jaas.config": SCRAM,
    }
    broker = KafkaBroker(
        folder / "data", jars=fetch_jars(), settings=settings, listeners=listeners
    )
    return broker, authority
