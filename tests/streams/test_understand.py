from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image

from encoders.bank_entries import KnownHash
from encoders.bank_file import load_bank
from encoders.hashing import sha256_hex
from encoders.live_bank import LiveBank, version_of
from encoders.media_reader import InProcessReader
from encoders.signals import GatedSpeech, SpeechResult
from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    Category,
    ContentSignals,
    GatedSpan,
    MediaRef,
    Missing,
    Stage,
)
from streams.listen import Listening, completed, roles_with_speech, unheard
from streams.picture_models import PictureModels
from streams.understand import MAX_TEXT_CHARS, Understanding
from streams.upload import FetchedMedia, Upload
from tests.builders import an_event
from tests.fakes import (
    FakeFingerprinter,
    FakePictureModel,
    FakeSpeechEngine,
    FakeTextEncoder,
    FakeWindower,
)
from tests.media_builders import LIMITS, a_picture, a_sound_file, a_video_file, encoded

READER = InProcessReader(LIMITS)


def understanding(*banks):
    """Build the screen's half of understanding with a fake text model."""
    return Understanding(FakeTextEncoder(), banks, READER, timedelta(days=1))


def screened(event, *fetched, arrived_at=None, banks=()):
    """Run an upload through the screen's half."""
    whole = understanding(*banks)
    (signals,) = whole.embed([whole.examine(Upload(event, fetched, arrived_at))])
    return signals


def media(data, role="audio", **more):
    """Build fetched media."""
    return FetchedMedia(MediaRef(role, "file:///x", **more), data)


def test_every_text_has_an_embedding_and_a_range():
    """Each text of the event is embedded by itself, in the event's order."""
    event = an_event(texts=(("lyrics", "la la"), ("title", "A song")))
    signals = screened(event)

    assert [(t.source, t.text) for t in signals.texts] == list(event.texts)
    assert {len(t.embedding) for t in signals.texts} == {4 * FakeTextEncoder.dim}
    assert (signals.texts[1].start_char, signals.texts[1].end_char) == (0, 6)


def test_texts_of_many_uploads_keep_to_their_own():
    """One model pass over a batch gives each upload its own texts."""
    whole = understanding()
    events = [an_event(f"c{i}", texts=(("title", f"song {i}"),)) for i in range(3)]
    together = whole.embed([whole.examine(Upload(e)) for e in events])

    assert together == [screened(e) for e in events]


def test_models_read_a_text_without_its_disguise():
    """The raw text is kept beside what was read, and its range is the raw text's."""
    raw = "h\u200ba\u200bt\u200be уоu"
    signals = screened(an_event(texts=(("title", raw), ("z", "hate you"))))

    disguised, plain = signals.texts
    assert (disguised.text, disguised.normalised) == (raw, "hate you")
    assert (disguised.start_char, disguised.end_char) == (0, len(raw))
    assert disguised.embedding == plain.embedding
    assert disguised.evasion == 0.5
    assert (plain.normalised, plain.evasion) == (None, 0.0)


def test_a_language_is_told_where_it_is_sure():
    """A sentence's is; a short title's need not be."""
    texts = (("description", "Fruta fresca, pan caliente y las voces"), ("title", "Oh"))
    signals = screened(an_event(texts=texts))

    assert [text.language for text in signals.texts] == ["es", None]


def test_a_text_beyond_the_limit_is_not_cut_silently():
    """What was not read is listed as missing."""
    signals = screened(an_event(texts=(("title", "x" * (MAX_TEXT_CHARS + 1)),)))

    assert [m.signal for m in signals.missing] == ["text:title"]
    assert signals.missing[0].reason.startswith("too_long: 100001 characters")


def test_an_event_from_the_future_says_so():
    """A time far past the record's own is a missing signal, not a fact."""
    event = an_event(at_s=3 * 86_400)
    arrived_at = an_event().event_time

    assert [m.signal for m in screened(event, arrived_at=arrived_at).missing] == [
        "event_time"
    ]
    assert screened(event, arrived_at=event.event_time).missing == ()


def test_sound_is_identified_by_its_bytes():
    """Type, size, length and exact hash come from the bytes."""
    data = a_sound_file("flac", 1)
    signals = screened(an_event(), media(data))

    (fact,) = signals.media
    assert (fact.mime, fact.has_audio, fact.size_bytes) == (
        "audio/flac",
        True,
        len(data),
    )
    assert [(h.algorithm, h.value) for h in signals.hashes] == [
        ("sha256", sha256_hex(data))
    ]
    assert roles_with_speech(signals) == ("audio",)


def test_a_picture_has_a_perceptual_hash_and_nothing_to_hear():
    """Pictures go the fast lane."""
    signals = screened(an_event(), media(encoded(a_picture()), "cover"))

    assert [h.algorithm for h in signals.hashes] == ["sha256", "pdq"]
    assert roles_with_speech(signals) == ()
    assert completed(signals).stage is Stage.COMPLETE


def test_a_video_gives_frames_and_sound():
    """Key frames are hashed with their second; the sound track is to be heard."""
    signals = screened(an_event(), media(a_video_file(2), "video"))

    frames = [h.frame_s for h in signals.hashes if h.algorithm == "pdq"]
    assert len(frames) >= 2
    assert frames == sorted(frames)
    assert roles_with_speech(signals) == ("video",)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"plain words, no media", "unknown_format"),
        (a_sound_file("flac", 1)[:60], "undecodable"),
        (b"\x89PNG\r\n\x1a\n then nothing", "undecodable"),
    ],
)
def test_media_that_can_not_be_read_is_missing_with_its_reason(data, code):
    """The upload is judged without it, and the exact hash is still taken."""
    signals = screened(an_event(), media(data))

    assert [m.reason.split(":")[0] for m in signals.missing] == [code]
    assert [h.algorithm for h in signals.hashes] == ["sha256"]


def test_media_that_was_not_had_is_missing():
    """What the store said is passed on."""
    gone = Missing("media:audio", "not_found: no such file")
    lost = FetchedMedia(MediaRef("audio", "file:///x"), None, gone)

    assert screened(an_event(), lost).missing == (gone,)


def test_a_false_claim_is_told_and_the_bytes_are_judged():
    """A picture that claims to be sound is judged as the picture it is."""
    signals = screened(an_event(), media(encoded(a_picture()), mime="audio/mpeg"))

    assert signals.missing[0].reason == (
        "wrong_mime: claimed audio/mpeg, found image/png"
    )
    assert signals.media[0].mime == "image/png"


def test_known_bytes_are_matched_and_need_no_transcript():
    """A bank entry decides at once; the transcript is said to be skipped."""
    data = a_sound_file("flac", 1)
    text = (
        "entry_id,algorithm,value,category\n"
        f"e1,sha256,{sha256_hex(data)},ip_infringement\n"
    )
    signals = screened(an_event(), media(data), banks=[load_bank(text, "known")])

    (match,) = signals.matches
    assert (match.bank, match.category) == ("known", Category.IP_INFRINGEMENT)
    assert roles_with_speech(signals) == ()
    assert completed(signals).missing[0].signal == "transcript:audio"


def listening(text="hello"):
    """Build the slow half with fakes."""
    return Listening(FakeSpeechEngine(text), understanding(), READER, FakeWindower)


def test_speech_becomes_text_with_seconds():
    """A segment is embedded like any text and says when it was said."""
    sound = media(a_sound_file("flac", 1))
    before = screened(an_event(), sound)
    signals = listening().transcribe(before, [sound])

    (spoken,) = signals.texts
    assert (spoken.source, spoken.text) == ("transcript:audio", "hello")
    assert (spoken.start_s, spoken.end_s) == (0.0, pytest.approx(1, abs=0.01))
    assert len(spoken.embedding) == 4 * FakeTextEncoder.dim
    assert signals.stage is Stage.COMPLETE
    assert "fake-speech" in {model.name for model in signals.models}


def test_a_sound_that_can_not_be_decoded_leaves_the_upload_its_others():
    """It is missing by name; what was said in the other is there."""
    good, bad = a_sound_file("flac", 1), a_sound_file("flac", 1)[:60]
    before = screened(an_event(), media(good))
    signals = listening().transcribe(before, [media(bad), media(good, "video")])

    assert [m.signal for m in signals.missing] == ["transcript:audio"]
    assert [t.role for t in signals.transcripts] == ["video"]


def test_what_was_not_believed_is_told_without_its_words():
    """Where, and why: a reviewer may want to listen there."""

    class Loops(FakeSpeechEngine):
        def transcribe_windows(self, windows):
            gated = (GatedSpeech(0.25, 0.75, "repetitive"),)
            return [SpeechResult(None, (), gated) for _ in windows]

    sound = media(a_sound_file("flac", 1))
    loops = Listening(Loops(), understanding(), READER, FakeWindower)
    signals = loops.transcribe(screened(an_event(), sound), [sound])

    assert signals.transcripts[0].gated == (GatedSpan(0.25, 0.75, "repetitive"),)
    assert signals.texts == ()


def test_cut_sound_is_heard_and_said_to_be_cut():
    """What is left is transcribed; that the end is missing is stated."""
    whole = a_sound_file("flac", 4)
    cut = media(whole[: len(whole) // 2])
    before = replace(screened(an_event(), media(whole)))
    signals = listening().transcribe(before, [cut])

    assert signals.missing[-1].reason.startswith("truncated")
    assert len(signals.transcripts) == 1


def test_speech_that_nothing_could_hear_is_missing():
    """Without a model the decision says so."""
    before = screened(an_event(), media(a_sound_file("flac", 1)))
    signals = unheard(before, ["audio"], "model_unavailable: whisper:base")

    assert signals.missing[-1] == Missing(
        "transcript:audio", "model_unavailable: whisper:base"
    )
    assert signals.stage is Stage.COMPLETE


HUM = "0123456789abcdef" * 15
SOUND_BANK = load_bank(
    f"entry_id,algorithm,value,category\nhum,chromaprint,{HUM},HATE\n", "sounds"
)


def sound_examined(fingerprinter, *banks, data=None):
    """Examine an upload with sound."""
    whole = Understanding(
        FakeTextEncoder(), banks, READER, timedelta(days=1), fingerprinter
    )
    data = a_sound_file("flac", 2) if data is None else data
    return whole.examine(Upload(an_event(), (media(data),)))


def test_sound_is_fingerprinted_where_that_is_asked_for():
    """The hash is a signal; a bank that knows the sound says so."""
    fake = FakeFingerprinter(HUM)

    signals = sound_examined(fake, SOUND_BANK)

    assert [h.value for h in signals.hashes if h.algorithm == "chromaprint"] == [HUM]
    assert fake.heard_s == [pytest.approx(2, abs=0.1)]
    assert signals.missing == ()
    # Its bytes may be others: only the same bytes are 0 away.
    assert [(m.entry_id, m.distance) for m in signals.matches] == [("hum", 1)]


def test_sound_that_no_fingerprint_can_be_had_of_says_why():
    """A bank waits for it and it is off; sound that is too short is no fault."""
    off = sound_examined(None, SOUND_BANK)

    assert [m.signal for m in off.missing] == ["fingerprint:audio"]
    assert off.missing[0].reason.startswith("not_computed")
    assert sound_examined(None).missing == ()
    short = sound_examined(FakeFingerprinter(""), SOUND_BANK)
    assert short.missing == ()
    assert [h.algorithm for h in short.hashes] == ["sha256"]


def test_a_picture_has_no_fingerprint():
    """Nothing to hear, nothing missing."""
    data = encoded(a_picture())

    assert sound_examined(None, SOUND_BANK, data=data).missing == ()
    assert sound_examined(FakeFingerprinter(HUM), data=data).missing == ()


def test_decisions_name_the_bank_as_it_was_searched():
    """A bank that changes gives each upload the version that was asked."""
    live = LiveBank("covers", [])

    class Followed:
        def banks(self):
            return (live.now(),)

    data = encoded(a_picture())
    whole = understanding(Followed())
    before = whole.examine(Upload(an_event(), (media(data, "cover"),)))
    known = KnownHash("e1", "sha256", sha256_hex(data), "HATE")
    live.apply([("e1", known)])
    after = whole.examine(Upload(an_event(), (media(data, "cover"),)))

    assert before.matches == ()
    assert [match.entry_id for match in after.matches] == ["e1"]
    assert [(m.name, m.sha256) for m in after.models] == [
        ("covers", version_of([known]))
    ]
    assert before.models != after.models


def seen_by_models(data, **models):
    """Examine an upload with one picture or video, and with models that look at it."""
    whole = Understanding(
        FakeTextEncoder(),
        (),
        READER,
        timedelta(days=1),
        picture_models=PictureModels(**models),
    )
    return whole.examine(Upload(an_event(), (media(data, "cover"),)))


def test_a_picture_is_embedded_and_labelled_where_that_is_asked_for():
    """Both models are named; labels come the likeliest first."""
    data = encoded(Image.new("RGB", (900, 700), (40, 200, 10)))
    encoder, classifier = FakePictureModel("image"), FakePictureModel("image_labels")

    signals = seen_by_models(data, encoder=encoder, classifier=classifier)

    (picture,) = signals.pictures
    vector = np.frombuffer(picture.embedding, "<f4")
    assert (picture.role, picture.model, picture.frame_s) == (
        "cover",
        "fake-image",
        None,
    )
    assert np.linalg.norm(vector) == pytest.approx(1)
    assert [one.label for one in signals.labels] == ["green", "red", "blue"]
    assert signals.labels[0].probability == pytest.approx(0.8, abs=0.01)
    assert [m.name for m in signals.models] == ["fake-image", "fake-image_labels"]
    codec = Codec(CommittedIds())
    assert codec.decode(codec.encode(signals), ContentSignals) == signals


def test_each_key_frame_is_seen_at_its_second():
    """As its hash is."""
    signals = seen_by_models(a_video_file(2), encoder=FakePictureModel("image"))

    hashed = [h.frame_s for h in signals.hashes if h.algorithm == "pdq"]
    assert [picture.frame_s for picture in signals.pictures] == hashed
    assert len(hashed) >= 2
    assert signals.labels == ()


def test_models_see_nothing_of_sound_or_of_what_is_broken():
    """What is missing is said once, by the hashes."""
    encoder = FakePictureModel("image")

    assert seen_by_models(a_sound_file("flac", 1), encoder=encoder).pictures == ()
    broken = seen_by_models(b"\x89PNG\r\n\x1a\n then nothing", encoder=encoder)
    assert [m.signal for m in broken.missing] == ["media:cover"]
    assert broken.models == ()


def test_without_models_no_pixels_are_asked_for():
    """They are off by default."""
    assert seen_by_models(encoded(a_picture())).pictures == ()
