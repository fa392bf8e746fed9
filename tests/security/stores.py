"""Media stores for the tests of what gets in, and what they say."""

import asyncio
from typing import Any

from schemas.records import MediaRef
from streams.media import MediaStore
from streams.upload import FetchedMedia

LOOPBACK = ("127.0.0.0/8", "::1/128")
# A public address that stands for any; nothing here ever connects to it.
PUBLIC = "93.184.215.14"


def a_store(**fields: Any) -> MediaStore:
    """Build a store that allows nothing but what is named."""
    defaults: dict[str, Any] = {
        "root": None,
        "hosts": (),
        "max_bytes": 2000,
        "timeout_s": 5,
    }
    return MediaStore(**(defaults | fields))


def fetch(store: MediaStore, uri: str, **more: Any) -> FetchedMedia:
    """Fetch one piece of media."""
    return asyncio.run(store.fetch(MediaRef("audio", uri, **more)))


def reason(store: MediaStore, uri: str, **more: Any) -> str:
    """Return why media is missing."""
    missing = fetch(store, uri, **more).missing
    assert missing is not None, "the bytes were fetched"
    return missing.reason


class Resolver:
    """Gives each answer in turn, then the last for ever; counts the questions."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        """Resolve a host."""
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
