"""Sends records at a steady rate from a thread of its own, whatever the broker does."""

import threading
import time
from collections.abc import Iterator
from typing import Self

from confluent_kafka import Producer

from streams.messages import Output
from streams.producer import producer_config

# An outage of the broker is part of the run: what is not confirmed is sent again, by a
# new client, for librdkafka's was once seen to deliver nothing any more after one.
DELIVERY_TIMEOUT_S = 45.0
GIVE_UP_S = 600.0


class Load:
    """An upload service that never gives up."""

    def __init__(self, bootstrap: str, outputs: Iterator[Output], rate: float) -> None:
        config = producer_config(bootstrap, delivery_timeout_s=DELIVERY_TIMEOUT_S)
        # Level 0: that the broker goes away is the point, not news.
        self._config = config | {"log_level": 0}
        self._producer = Producer(self._config)
        self._again: list[Output] = []
        self._outputs, self._rate = outputs, rate
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
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
        deadline = time.monotonic() + GIVE_UP_S
        while self._producer.flush(1.0) or self._again:
            self._send_again()
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(self._again)} events were not confirmed")
        return self.sent

    def _send(self) -> None:
        began = time.monotonic()
        for output in self._outputs:
            while (wait_s := began + self.sent / self._rate - time.monotonic()) > 0:
                self._producer.poll(min(wait_s, 0.1))
                if self._over.is_set():
                    return
            self._produce(output)
            self._send_again()
            self.sent += 1

    def _produce(self, output: Output) -> None:
        def delivered(error: object, _message: object) -> None:
            if error is not None:
                self._again.append(output)

        self._producer.produce(
            output.topic, key=output.key, value=output.value, on_delivery=delivered
        )

    def _send_again(self) -> None:
        if not self._again:
            return
        again, self._again = self._again, []
        self._producer.flush(DELIVERY_TIMEOUT_S)
        self._producer = Producer(self._config)
        for output in again:
            self._produce(output)
