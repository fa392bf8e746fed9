"""Facts about scrubbing: nobody is left in it, and it decides the same."""

from dataclasses import replace

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    MediaFact,
    MediaHash,
    MediaRef,
    RiskDecision,
    Stage,
    UploaderHistory,
)
from streams.judge import Judge
from streams.pipeline import decide
from streams.replay.scrub import Scrub
from streams.scorers import DEFAULT_SCORERS
from tests.builders import a_policy, a_text_signal, signals

CODEC = Codec(CommittedIds())
SCRUB = Scrub(b"salt", with_text=False)
SECRETS = (b"secret-song", b"secret-artist", b"secret words", b"secret-host", b"5e5e")


def an_upload(n=0, **fields):
    """Build an upload full of what must not leave."""
    return signals(
        f"secret-song-{n}",
        uploader_id="secret-artist",
        event_id="secret-song-event",
        texts=(
            a_text_signal("secret words", normalised="secret words", language="en"),
        ),
        media=(MediaFact("cover", "image/png", 10, "5e" * 32),),
        hashes=(
            MediaHash("cover", "sha256", "5e" * 32),
            MediaHash("cover", "pdq", "ab" * 32, 90),
        ),
        **fields,
    )


def with_event(upload):
    """Give the event itself texts and media too."""
    ref = MediaRef("cover", "https://secret-host/a.png?token=1", sha256="5e" * 32)
    event = replace(upload.event, texts=(("title", "secret words"),), media=(ref,))
    return replace(upload, event=event)


def test_nothing_of_people_is_left():
    """Neither ids nor texts nor addresses nor exact hashes are in the bytes."""
    encoded = CODEC.encode(SCRUB.signals(with_event(an_upload())))

    assert not [secret for secret in SECRETS if secret in encoded]


def test_texts_stay_when_asked_for():
    """Ids are hashed all the same."""
    kept = Scrub(b"salt", with_text=True).signals(with_event(an_upload()))

    assert kept.texts[0].text == kept.event.texts[0][1] == "secret words"
    assert "secret" not in kept.event.content_id + kept.event.media[0].uri


def test_scrubbed_signals_are_decided_as_the_scrubbed_decisions_say():
    """Byte for byte, over holds, revisions and floods of one uploader."""
    judge = Judge(DEFAULT_SCORERS, a_policy())
    stream = [with_event(an_upload(n, at_s=n)) for n in range(12)]
    stream += [
        replace(stream[0], event=replace(stream[0].event, revision=1)),
        an_upload(20, stage=Stage.SCREENED),
        an_upload(20, provisional_sent=True),
    ]
    before: dict[str, UploaderHistory] = {}
    after: dict[str, UploaderHistory] = {}
    for upload in stream:
        said = decide(judge, upload, before, CODEC.encode)
        assert isinstance(said, RiskDecision)

        again = decide(judge, SCRUB.signals(upload), after, CODEC.encode)

        assert again == SCRUB.decision(said, upload)
    assert again.supersedes is not None


def test_the_salt_makes_the_hashes():
    """Equal with the same salt, unlike with another, empty of nothing."""
    assert SCRUB.id("a") == Scrub(b"salt", with_text=True).id("a")
    assert SCRUB.id("a") != Scrub(b"pepper", with_text=False).id("a")
    assert (SCRUB.id(""), len(SCRUB.id("a"))) == ("", 32)
