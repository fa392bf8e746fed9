"""Facts about opening a reader; tests/integration has what it reads."""

from datetime import UTC, datetime

import pytest

from streams import topic_reader
from streams.embedded_broker import EmbeddedBroker
from streams.errors import TransientError
from streams.topic_reader import TopicReader


def test_a_reader_that_can_not_open_leaves_no_connection(monkeypatch):
    """Of a topic that is not there: a sweep tries again for as long as it takes."""
    closed = []

    class Consumer(topic_reader.Consumer):
        def close(self):
            closed.append(self)
            super().close()

    monkeypatch.setattr(topic_reader, "Consumer", Consumer)

    with (
        EmbeddedBroker() as broker,
        pytest.raises(TransientError, match=r"nothing\.here does not exist yet"),
    ):
        TopicReader(broker.bootstrap_servers, "nothing.here", datetime.now(UTC), 10)

    assert len(closed) == 1
