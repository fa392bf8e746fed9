"""Why Kafka does not let us in, or do something, in one sentence; edge, under cluster.

librdkafka tells causes on the side, through its error callback, while the call itself
only times out; and of some it says nothing at all. Those a handshake of our own finds.
"""

import socket
import ssl
from typing import Any

from confluent_kafka import KafkaError

from streams.kafka_access import KafkaAccess

_PROBE_S = 2.0  # A handshake on a local network takes milliseconds.
_PROTOCOL = "HEADGATE_KAFKA_SECURITY_PROTOCOL"
_REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "group",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "cluster",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "transactional id",
}


class Complaints:
    """Collects what librdkafka reports beside its answers: the value of `error_cb`."""

    def __init__(self) -> None:
        self.errors: list[Any] = []

    def __call__(self, error: Any) -> None:
        """Note an error; called from the client's own `poll`."""
        if len(self.errors) < 100:  # A broker that is away repeats itself.
            self.errors.append(error)


def cause_of(access: KafkaAccess, complaints: Complaints) -> str | None:
    """Say what is wrong for certain; None when nobody may be there yet. Blocks 2 s.

    `access.bootstrap_servers` didn't answer; a wrong login or a wrong certificate does
    not mend itself, so there is no use in waiting longer.
    """
    for error in complaints.errors:
        if error.code() == KafkaError._AUTHENTICATION:
            return _login(access, error.str())
    return _handshake(access, " ".join(error.str() for error in complaints.errors))


def refusal(access: KafkaAccess, error: Any, operation: str, name: str) -> str | None:
    """Say that a right is missing, and how it is granted; None if that isn't it."""
    kind = _REFUSED.get(error.code())
    return None if kind is None else lacking(access, operation, kind, name)


def lacking(access: KafkaAccess, operation: str, kind: str, name: str) -> str:
    """Say which right is missing: `operation` on the `kind` called `name`."""
    return (
        f"{access.who} may not {operation} the {kind} {name}: it lacks that ACL at "
        f"{access.bootstrap_servers}; an administrator grants it with `headgate topics "
        "apply --acls`, or log in as another user"
    )


def _login(access: KafkaAccess, told: str) -> str:
    where = f"Kafka at {access.bootstrap_servers}"
    if "mechanism handshake failed" in told:
        _, _, supported = told.partition("supported mechanisms:")
        takes = supported.partition("(")[0].strip() or "none"
        return (
            f"{where} does not take SASL mechanism {access.mechanism}; that listener "
            f"takes {takes}: set HEADGATE_KAFKA_SASL_MECHANISM or {_PROTOCOL}"
        )
    return (
        f"{where} refused {access.who} ({access.mechanism}): wrong user name or "
        "password; check HEADGATE_KAFKA_USERNAME and HEADGATE_KAFKA_PASSWORD"
    )


def _handshake(access: KafkaAccess, told: str) -> str | None:
    where = f"Kafka at {access.bootstrap_servers}"
    host, _, port = access.bootstrap_servers.split(",")[0].rpartition(":")
    try:
        found = _tls_of(access, host, int(port))
    except (OSError, ValueError):
        return None  # Nobody there, or not yet.
    if not access.tls:
        return (
            f"{where} speaks TLS, and {_PROTOCOL} is {access.protocol}; set it to ssl "
            "or sasl_ssl"
            if found == "tls"
            else None
        )
    if found == "plain":
        if "PLAINTEXT" not in told:  # A broker that is going down hangs up as well.
            return None
        return (
            f"{where} does not speak TLS, and {_PROTOCOL} is {access.protocol}; set it "
            "to plaintext or sasl_plaintext, or use the port of its TLS listener"
        )
    if found != "tls":
        return (
            f"the certificate of {where} is not trusted: {found}; check HEADGATE_KAFKA_"
            "CA, and that HEADGATE_BOOTSTRAP_SERVERS names the host as the certificate "
            "does"
        )
    if "SSL alert" in told:
        what = "refused the" if access.cert else "asks for a"
        return (
            f"{where} {what} client certificate (mTLS): set HEADGATE_KAFKA_"
            "CERT and HEADGATE_KAFKA_KEY to a client certificate that it trusts, and "
            "its key"
        )
    return None


def _tls_of(access: KafkaAccess, host: str, port: int) -> str:
    """Return "tls", "plain", or why the certificate is not trusted.

    Raises:
        OSError: nobody listens.
    """
    context = access.ssl_context()
    if context is None:  # Only asking whether TLS is spoken: nothing is sent.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), _PROBE_S) as connection:
        try:
            with context.wrap_socket(connection, server_hostname=host):
                return "tls"
        except ssl.SSLCertVerificationError as error:
            return error.verify_message
        except TimeoutError:
            raise
        except OSError:  # ssl.SSLError is one too.
            return "plain"
