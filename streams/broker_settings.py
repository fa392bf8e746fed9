"""Settings of Kafka and the schema registry: where they are, and who we are to them."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import StartError
from streams.kafka_access import KafkaAccess, Mechanism, SecurityProtocol


class BrokerSettings(BaseSettings):
    """How to reach what events come from."""

    model_config = SettingsConfigDict(
        env_prefix="HEADGATE_", frozen=True, extra="ignore"
    )

    bootstrap_servers: str = Field(
        "127.0.0.1:9092", description="Kafka's addresses, host:port, comma-separated"
    )
    kafka_security_protocol: SecurityProtocol = Field(
        "plaintext",
        description="how Kafka's listener is spoken to; with ssl its certificate and "
        "host name are checked",
    )
    kafka_sasl_mechanism: Mechanism = Field(
        "SCRAM-SHA-512", description="how the user logs in to a sasl_… listener"
    )
    kafka_username: str | None = Field(None, description="user at a sasl_… listener")
    kafka_password: SecretStr | None = Field(
        None, description="the user's password; the file below shows it to fewer eyes"
    )
    kafka_password_file: Path | None = Field(
        None, description="file that holds the password, in place of the variable"
    )
    kafka_ca: Path | None = Field(
        None,
        description="PEM file of the authorities that Kafka's certificate may come "
        "from; none: those that this machine trusts",
    )
    kafka_cert: Path | None = Field(
        None, description="PEM file of the client certificate (mTLS)"
    )
    kafka_key: Path | None = Field(
        None, description="PEM file of its key, without passphrase"
    )
    app_id: str = Field(
        "headgate",
        pattern=r"^[a-z0-9][a-z0-9-]*$",
        description="prefix of each stage's consumer group and transactional ids",
    )
    judge_mode: Literal["transactional", "ledger"] = Field(
        "transactional",
        description="judge: decisions, histories and offsets in one transaction, or "
        "at-least-once (the embedded broker can't do the first)",
    )
    instance_id: str | None = Field(
        None,
        description="static group membership, e.g. the pod's ordinal; none: dynamic",
    )
    session_timeout_s: float = Field(
        30,
        ge=6,  # Kafka's own floor, group.min.session.timeout.ms.
        description="how long the group waits for a silent worker, in seconds",
    )
    registry_url: str | None = Field(
        None,
        description="schema registry with Confluent's API; none: the committed ids",
    )

    @property
    def kafka(self) -> KafkaAccess:
        """How to reach Kafka, and as whom.

        Raises:
            StartError: settings are missing, contradict each other or can't be read.
        """
        password = self.kafka_password
        if self.kafka_password_file is not None:
            password = _secret_in(self.kafka_password_file)
        access = KafkaAccess(
            bootstrap_servers=self.bootstrap_servers,
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=password,
            ca=self.kafka_ca,
            cert=self.kafka_cert,
            key=self.kafka_key,
        )
        access.check()
        return access


def _secret_in(path: Path) -> SecretStr:
    try:
        return SecretStr(path.read_text("utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(
            f"HEADGATE_KAFKA_PASSWORD_FILE: {path} can't be read: "
            f"{type(error).__name__}"
        ) from None
