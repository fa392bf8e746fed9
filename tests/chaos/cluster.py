"""Three Kafka brokers on loopback: replication 3, two copies before a write counts."""

import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from confluent_kafka.admin import AdminClient

from streams.kafka_broker import KafkaBroker, free_port

CLUSTER_ID = "chaosAAAAAAAAAAAAAAAAA"  # 22 characters of base64; any will do.
SETTINGS = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
}
IN_SYNC_WITHIN_S = 120.0


class _Node(KafkaBroker):
    """One of several: formatted for the cluster they share."""

    def _format(self, java: str, config: Path) -> None:
        if not (self.data_dir / "logs" / "meta.properties").exists():
            tool = self._java(java, "kafka.tools.StorageTool")
            subprocess.run(
                [*tool, "format", "-t", CLUSTER_ID, "-c", str(config)],
                check=True,
                capture_output=True,
                timeout=120,
            )


class KafkaCluster:
    """Run three nodes, each broker and controller, for as long as this lasts."""

    def __init__(self, size: int = 3, *, jars: Path | None = None) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="headgate-cluster-"))
        ports = [(free_port(), free_port()) for _ in range(size)]
        voters = ",".join(
            f"{node}@127.0.0.1:{controller}"
            for node, (_, controller) in enumerate(ports, start=1)
        )
        self._addresses = [f"127.0.0.1:{port}" for port, _ in ports]
        self.brokers = [
            _Node(
                self._folder / str(node),
                port=port,
                jars=jars,
                settings={
                    **SETTINGS,
                    "node.id": str(node),
                    "controller.quorum.voters": voters,
                    "listeners": f"PLAINTEXT://127.0.0.1:{port},"
                    f"CONTROLLER://127.0.0.1:{controller}",
                },
            )
            for node, (port, controller) in enumerate(ports, start=1)
        ]

    @property
    def bootstrap_servers(self) -> str:
        """Return all addresses: any one of them may be away."""
        return ",".join(self._addresses)

    def wait_in_sync(self) -> None:
        """Wait until every partition has all its copies: one more may go then."""
        admin = AdminClient(
            {"bootstrap.servers": self.bootstrap_servers, "log_level": 0}
        )
        until = time.monotonic() + IN_SYNC_WITHIN_S
        while time.monotonic() < until:
            topics = admin.list_topics(timeout=10).topics.values()
            parts = [p for topic in topics for p in topic.partitions.values()]
            if all(len(p.isrs) == len(p.replicas) for p in parts):
                return
            time.sleep(0.5)
        raise TimeoutError("some partition still lacks a copy; see the brokers' logs")

    def __enter__(self) -> Self:
        # Together: none answers before two of them form a quorum.
        try:
            with ThreadPoolExecutor(len(self.brokers)) as pool:
                list(pool.map(lambda broker: broker.start(), self.brokers))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for broker in self.brokers:
            broker.kill()  # A clean stop of the last two would wait for a quorum.
        shutil.rmtree(self._folder, ignore_errors=True)
