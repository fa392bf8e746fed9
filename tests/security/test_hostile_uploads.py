"""Hostile files through the whole chain, decoded in the sandbox: always a decision."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from encoders.media_format import MediaLimits
from encoders.sandbox import SandboxedReader
from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import ContentSignals, MediaRef
from streams.agents import ScreenHandler
from streams.assessing import Assessing
from streams.batcher import Batcher
from streams.errors import TransientError
from streams.event_files import read_sources
from streams.judge import Judge
from streams.listen import Listening
from streams.media import MediaStore
from streams.pipeline import Pipeline
from streams.retries import RetryBounds
from streams.scorers import DEFAULT_SCORERS
from streams.settings import default_policy
from streams.understand import Understanding
from streams.wiring import read_policy
from tests.builders import an_event
from tests.fakes import FakeSpeechEngine, FakeTextEncoder, FakeWindower, a_record
from tests.media_builders import a_sound_file
from tests.security.hostile_corpus import PLAYLISTS, bombs, playlist
from tests.security.test_sandbox import pytestmark as linux_only
from tests.security.test_sandbox import rogue_command

pytestmark = linux_only
LIMITS = MediaLimits(max_bytes=64 << 20, max_s=900)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
CODEC = Codec(CommittedIds())


@pytest.fixture(scope="module")
def reader():
    """A decoder that is honest but for files that hold one of the rogue's orders."""
    sandboxed = SandboxedReader(LIMITS, command=rogue_command())
    yield sandboxed
    sandboxed.close()


def understanding(reader):
    """Build the screen's half of understanding with a fake text model."""
    return Understanding(FakeTextEncoder(), (), reader, timedelta(days=1))


def a_store(folder):
    """Build a store over a folder."""
    return MediaStore(root=folder, hosts=(), max_bytes=LIMITS.max_bytes, timeout_s=5)


def decided(folder, reader, files):
    """Assess an upload for each file; return the decisions by the file's name."""
    lines = []
    for name, data in files.items():
        (folder / str(len(lines))).write_bytes(data)
        media = [{"role": "audio", "uri": str(len(lines))}]
        event = {"content_id": name, "uploader_id": "u", "kind": "track"}
        lines.append(json.dumps(event | {"media": media}))
    (folder / "events.jsonl").write_text("\n".join(lines))
    whole = understanding(reader)
    listening = Listening(FakeSpeechEngine(), whole, reader, FakeWindower)
    judge = Judge(DEFAULT_SCORERS, read_policy(default_policy()))
    pipeline = Pipeline(whole, lambda: listening, judge)
    assessing = Assessing(pipeline, a_store(folder), CODEC, RetryBounds(1, 60))
    found = assessing.assess(read_sources(str(folder / "events.jsonl"), NOW, reader))
    return {line["content_id"]: line for line in found}


def test_hostile_files_are_decided_and_named(tmp_path, reader):
    """Each upload has its decision, and what can't be had is listed as missing."""
    refused = {name: data for name, (data, code) in bombs().items() if code}
    files = refused | {name: playlist(name, 9) for name in PLAYLISTS}
    lines = decided(tmp_path, reader, files)

    assert set(lines) == set(files)
    for name, line in lines.items():
        assert [m["signal"] for m in line["missing"]] == ["media:audio"], name
        assert line["action"] == "review", name


def test_a_file_that_kills_its_decoder_is_decided_and_named(tmp_path, reader):
    """The upload after it is whole."""
    files = {"bad": b"segv", "good": a_sound_file("flac", 1)}
    lines = decided(tmp_path, reader, files)

    (missing,) = lines["bad"]["missing"]
    assert missing["reason"].startswith("decoder_died: the decoder ended with SIGSEGV")
    assert lines["bad"]["action"] == "review"
    assert lines["good"]["missing"] == []


def screened(folder, reader, data):
    """Run one upload through the `screen` stage's handler."""
    (folder / "song").write_bytes(data)
    ref = MediaRef("audio", (folder / "song").as_uri())
    whole = understanding(reader)

    async def embed(batch):
        return whole.embed(batch)

    async def run():
        batcher = Batcher(embed, size=4, wait_s=0)
        with ThreadPoolExecutor(1) as pool:
            handler = ScreenHandler(
                codec=CODEC,
                store=a_store(folder),
                understanding=whole,
                examine_pool=pool,
                embed=batcher,
                provisional_after_s=60,
            )
            try:
                value = CODEC.encode(an_event(media=(ref,)))
                return await handler(a_record(value=value))
            finally:
                await batcher.close()

    (output,) = asyncio.run(run()).outputs
    return CODEC.decode(output.value, ContentSignals)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"segv", "decoder_died"),
        (b"hoard", "decoder_out_of_memory"),
        (b"flood", "decoder_died"),
        (b"udp", "refused: EPERM"),
    ],
)
def test_the_stage_passes_on_what_is_missing(tmp_path, reader, data, reason):
    """`screen` neither retries nor buries such an upload: it is judged without."""
    signals = screened(tmp_path, reader, data)

    missing = next(m for m in signals.missing if m.signal == "media:audio")
    assert missing.reason.startswith(reason)
    assert [h.algorithm for h in signals.hashes] == ["sha256"]


def test_without_any_decoder_the_stage_tries_again(tmp_path):
    """That no process can be started says nothing of the upload."""
    none = SandboxedReader(LIMITS, command=(str(Path("/no/such/python")),))
    with pytest.raises(TransientError, match="can't be started"):
        screened(tmp_path, none, a_sound_file("flac", 1))
    none.close()
