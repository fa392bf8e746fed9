"""The stages hold an upload's bytes while they use them, and not longer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import ContentSignals, MediaFact, MediaRef, Stage
from streams.agents import ScreenHandler, TranscribeHandler
from streams.batcher import Batcher
from streams.media import MediaStore
from streams.upload_hearing import HeardUpload
from tests.builders import an_event
from tests.fakes import a_record

CODEC = Codec(CommittedIds())
SONG = b"la la la"


class Watch:
    """Does nothing to signals but note what is held meanwhile."""

    def __init__(self, store):
        self._store = store
        self.seen = {}

    def examine(self, upload):
        """Examine on a thread."""
        self.seen["examine"] = (self._store.budget.held_bytes, upload.fetched[0].data)
        return ContentSignals(upload.event, Stage.SCREENED)

    async def embed(self, items):
        """Embed a batch."""
        self.seen["embed"] = self._store.budget.held_bytes
        return items

    async def hear(self, signals, media):
        """Hear, as the speech model does."""
        self.seen["hear"] = (self._store.budget.held_bytes, media[0].data)
        return HeardUpload(signals, ())


@pytest.fixture
def store(tmp_path):
    """A store with a song in it."""
    (tmp_path / "song").write_bytes(SONG)
    return MediaStore(root=tmp_path, hosts=(), max_bytes=1000, timeout_s=5)


@pytest.fixture
def event(tmp_path):
    """An upload of the song."""
    return an_event(media=(MediaRef("audio", (tmp_path / "song").as_uri()),))


def test_screen_lets_go_of_the_bytes_before_it_embeds(store, event):
    """Embedding needs none, and a batch may wait."""
    watch = Watch(store)

    async def run():
        embed = Batcher(watch.embed, size=1, wait_s=0)
        with ThreadPoolExecutor(1) as pool:
            handler = ScreenHandler(
                codec=CODEC,
                store=store,
                understanding=watch,
                examine_pool=pool,
                embed=embed,
                provisional_after_s=60,
            )
            await handler(a_record(value=CODEC.encode(event)))
        await embed.close()

    asyncio.run(run())
    assert watch.seen == {"examine": (len(SONG), SONG), "embed": 0}


def test_transcribe_holds_the_bytes_until_they_were_heard(store, event):
    """They are in use until the last window was heard."""
    watch = Watch(store)
    fact = MediaFact("audio", "audio/ogg", 8, "0" * 64, has_audio=True)
    signals = ContentSignals(event, Stage.SCREENED, media=(fact,))

    handler = TranscribeHandler(codec=CODEC, store=store, uploads=watch)
    asyncio.run(handler(a_record(value=CODEC.encode(signals))))

    assert watch.seen == {"hear": (len(SONG), SONG)}
    assert store.budget.held_bytes == 0
