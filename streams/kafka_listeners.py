"""More doors to a real Kafka: listeners with TLS and SASL; edge, under kafka_broker.

The plain listener of `deploy/kafka/server.properties` stays, on loopback: the broker
talks to itself through it, and where rights are checked its user is the administrator.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]

# Rights as Kafka keeps them in KRaft; who comes in by the plain listener is nobody by
# name, and may do everything.
AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


@dataclass(frozen=True, slots=True)
class Listeners:
    """Listeners beside the plain one, and the users that SCRAM knows.

    Keystores, mechanisms and client certificates are settings of the broker:
    `listener.name.<name in lower case>.…`.
    """

    protocols: Mapping[str, Protocol] = field(default_factory=dict)  # By name.
    scram_users: Mapping[str, str] = field(default_factory=dict)  # Name to password.

    def settings(self, ports: Mapping[str, int], controller_port: int) -> str:
        """Return lines of server.properties; `ports` has the plain one as PLAINTEXT."""
        doors = [f"{name}://127.0.0.1:{port}" for name, port in ports.items()]
        kinds = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **self.protocols}
        return "".join(
            f"{line}\n"
            for line in (
                f"listeners={','.join(doors)},CONTROLLER://127.0.0.1:{controller_port}",
                f"advertised.listeners={','.join(doors)}",
                "listener.security.protocol.map="
                + ",".join(f"{name}:{kind}" for name, kind in kinds.items()),
            )
        )

    def format_options(self) -> list[str]:
        """Return what StorageTool needs to know the users from the first start on."""
        return [
            part
            for name, password in self.scram_users.items()
            for part in (
                "--add-scram",
                f"SCRAM-SHA-512=[name={name},password={password}]",
            )
        ]


def free_port() -> int:
    """Return a loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
