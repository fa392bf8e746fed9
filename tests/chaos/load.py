"""Sends records at a steady rate from a thread of its own, whatever the broker does."""

import threading
import time
from collections.abc import Iterator
from typing import Self

from confluent_kafka import Producer

from streams.messages import Output
from streams.producer import producer_config

# No event of the load may be given up: an outage of the broker is part of the run.
DELIVERY_TIMEOUT_S = 900.0


class Load:
    """An upload service that never gives up."""

    def __init__(self, bootstrap: str, outputs: Iterator[Output], rate: float) -> None:
        config = producer_config(bootstrap, delivery_timeout_s=DELIVERY_TIMEOUT_S)
        # Level 0: that the broker goes away is the point, not news.
        self._producer = Producer(config | {"log_level": 0})
        self._outputs, self._rate = outputs, rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._failed: list[str] = []
        self.sent = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def finish(self) -> int:
        """Wait until everything was sent and confirmed; return how much that was."""
        self._thread.join()
        left = self._producer.flush(DELIVERY_TIMEOUT_S)
        if left or self._failed:
            raise RuntimeError(f"{left} events not sent; failures: {self._failed[:3]}")
        return self.sent

    def _send(self) -> None:
        began = time.monotonic()
        for output in self._outputs:
            while (wait_s := began + self.sent / self._rate - time.monotonic()) > 0:
                self._producer.poll(min(wait_s, 0.1))
                if self._over.is_set():
                    return
            self._producer.produce(
                output.topic,
                key=output.key,
                value=output.value,
                on_delivery=self._delivered,
            )
            self.sent += 1

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed.append(str(error))
