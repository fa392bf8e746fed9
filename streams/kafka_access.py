"""How to reach Kafka and as whom: one value that every client of ours is built from.

librdkafka, aiokafka and Faust spell the same facts differently; nobody else has to.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from streams.errors import StartError

SecurityProtocol = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"]


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """Addresses, protocol and credentials; prints without the password.

    The broker's certificate and the host name in it are always checked.
    """

    bootstrap_servers: str  # host:port, comma-separated.
    protocol: SecurityProtocol = "plaintext"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None
    ca: Path | None = None  # None: the authorities that this machine trusts.
    cert: Path | None = None  # Client certificate and key, for mTLS.
    key: Path | None = None

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol.endswith("ssl")

    @property
    def sasl(self) -> bool:
        """Whether a user logs in."""
        return self.protocol.startswith("sasl")

    @property
    def who(self) -> str:
        """Name who comes in, for a sentence."""
        if self.sasl:
            return f"user {self.username!r}"
        return "the client certificate's user" if self.cert else "this user"

    def check(self) -> None:
        """Refuse what does not go together, before any client meets it.

        Raises:
            StartError: says which settings, and what was expected.
        """
        protocol = f"HEADGATE_KAFKA_SECURITY_PROTOCOL is {self.protocol}"
        login = "HEADGATE_KAFKA_USERNAME and HEADGATE_KAFKA_PASSWORD (or …_FILE)"
        given = (self.username is not None, self.password is not None)
        if self.sasl and not all(given):
            raise StartError(f"{protocol}; expected {login} with it")
        if not self.sasl and any(given):
            # Else it would be passed over, and the broker would meet a stranger.
            raise StartError(f"{protocol}, without login; expected sasl_… with {login}")
        if not self.tls and (self.ca or self.cert or self.key):
            raise StartError(
                f"{protocol}, without TLS; expected ssl or sasl_ssl where one of "
                "HEADGATE_KAFKA_CA, HEADGATE_KAFKA_CERT and HEADGATE_KAFKA_KEY is set"
            )
        if (self.cert is None) != (self.key is None):
            raise StartError(
                "only one of HEADGATE_KAFKA_CERT and HEADGATE_KAFKA_KEY is set; "
                "expected both or neither"
            )
        self.ssl_context()  # A file that can't be used is told by its name.

    def librdkafka(self) -> dict[str, Any]:
        """Return the settings for confluent-kafka's clients."""
        config: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.protocol,
        }
        if self.sasl:
            config["sasl.mechanism"] = self.mechanism
            config["sasl.username"] = self.username
            config["sasl.password"] = self._secret()
        if self.tls:
            config["ssl.endpoint.identification.algorithm"] = "https"
            paths = {"ca": self.ca, "certificate": self.cert, "key": self.key}
            config |= {f"ssl.{n}.location": str(p) for n, p in paths.items() if p}
        return config

    def aiokafka(self) -> dict[str, Any]:
        """Return the keyword arguments for aiokafka's clients."""
        kwargs: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.protocol.upper(),
            "ssl_context": self.ssl_context(),
        }
        if self.sasl:
            kwargs["sasl_mechanism"] = self.mechanism
            kwargs["sasl_plain_username"] = self.username
            kwargs["sasl_plain_password"] = self._secret()
        return kwargs

    def faust(self) -> dict[str, Any]:
        """Return the settings `broker` and `broker_credentials` of a Faust app."""
        # Faust takes seconds to import, and the tools do without.
        from faust.auth import SASLCredentials, SSLCredentials

        hosts = [f"kafka://{host}" for host in self.bootstrap_servers.split(",")]
        credentials: Any = None
        if self.sasl:
            credentials = SASLCredentials(
                username=self.username,
                password=self._secret(),
                mechanism=self.mechanism,
                ssl_context=self.ssl_context(),
            )
        elif self.tls:
            # Without a context of its own it raises TypeError (F39).
            credentials = SSLCredentials(context=self.ssl_context())
        return {"broker": hosts, "broker_credentials": credentials}

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS settings for Python's clients; None without TLS.

        Raises:
            StartError: a certificate or key can't be used.
        """
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except OSError as error:  # ssl.SSLError is one too.
            raise StartError(_unusable("CA", self.ca, error)) from error
        if self.cert is not None:
            try:
                # A callback: OpenSSL would ask a person for the passphrase.
                context.load_cert_chain(self.cert, self.key, password=_no_passphrase)
            except (OSError, ValueError) as error:
                raise StartError(_unusable("CERT", self.cert, error)) from error
        return context

    def _secret(self) -> str | None:
        return None if self.password is None else self.password.get_secret_value()


# Where nothing needs securing (the embedded broker, tests), an address is enough.
Kafka = KafkaAccess | str


def as_access(kafka: Kafka) -> KafkaAccess:
    """Return how to reach Kafka; an address alone means plaintext."""
    return KafkaAccess(kafka) if isinstance(kafka, str) else kafka


def _no_passphrase() -> str:
    raise ValueError("its key has a passphrase")


def _unusable(setting: str, path: Path | None, error: Exception) -> str:
    return (
        f"HEADGATE_KAFKA_{setting} is {path}: can't be used ({error}); expected PEM "
        "files, a certificate with HEADGATE_KAFKA_KEY as its key without passphrase"
    )
