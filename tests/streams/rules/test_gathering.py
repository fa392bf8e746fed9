from datetime import timedelta

import pytest

from schemas.records import MediaFact, Missing, PictureLabel, Stage
from streams.rules.findings import Findings
from streams.rules.gathering import gather
from tests.builders import NOON, a_history, a_recent, a_text_signal, an_event, signals

PICTURE = MediaFact("cover", "image/png", 10, "ab", width_px=10, height_px=10)
SONG = MediaFact("audio", "audio/flac", 10, "ab", has_audio=True, duration_s=200.0)


def gathered(history=None, missing=(), **fields) -> Findings:
    """Gather from signals without any score."""
    upload = signals(missing=tuple(Missing(m, "gone") for m in missing), **fields)
    return gather(
        upload,
        history or a_history(),
        categories={},
        anomalies={},
        banks={},
        missing=upload.missing,
    )


def test_a_text_is_followed_by_what_it_says_undisguised():
    """So a pattern finds both."""
    event = an_event(texts=(("title", "frее gift"), ("lyrics", "la")))
    told = a_text_signal("frее gift", source="title", normalised="free gift")

    found = gathered(event=event, texts=(told,))

    assert found.texts == {"title": "frее gift\nfree gift", "lyrics": "la"}


def test_a_history_tells_uploads_and_age():
    """In days of the upload's own time; a late one finds it no days old."""
    history = a_history([a_recent("a"), a_recent("b", at_s=3600)])

    assert gathered(history, at_s=86_400).history == {"uploads": 2, "age_days": 1.0}
    assert gathered(history, at_s=-60).history == {"uploads": 2, "age_days": 0.0}
    assert gathered(at_s=0).history == {"uploads": 0, "age_days": 0.0}


def test_without_a_time_the_age_is_unknown():
    """And the number of uploads is not."""
    history = a_history([a_recent("a")])

    assert gathered(history, missing=["event_time"]).history == {"uploads": 1}


def test_a_swept_upload_has_no_history():
    """How things were on the day it came is not kept."""
    assert gathered(stage=Stage.SWEPT).history is None


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ({}, {}),
        ({"media": (PICTURE,)}, None),
        ({"missing": ["media:cover"]}, None),
        ({"missing": ["frames:video"]}, None),
        (
            {
                "media": (PICTURE,),
                "labels": (
                    PictureLabel("cover", "m", "knife", 0.2),
                    PictureLabel("cover", "m", "knife", 0.7),
                ),
            },
            {"knife": 0.7},
        ),
    ],
)
def test_labels_are_unknown_where_a_picture_went_unseen(fields, labels):
    """Without a picture there is nothing to see, and that is known."""
    assert gathered(**fields).labels == labels


@pytest.mark.parametrize(
    ("fields", "heard"),
    [
        ({}, ()),
        ({"texts": (a_text_signal("hi", source="transcript:audio"),)}, ("hi",)),
        ({"stage": Stage.SCREENED}, None),
        ({"missing": ["transcript:audio"]}, None),
        ({"missing": ["media:audio"]}, None),
        ({"missing": ["hash:cover"]}, ()),
    ],
)
def test_what_was_heard_is_unknown_where_something_was_not(fields, heard):
    """Or is still to be."""
    assert gathered(**fields).heard == heard


def test_the_longest_medium_gives_the_length():
    """Pictures have none; without the media it is unknown."""
    assert gathered(media=(PICTURE, SONG)).media_s == 200.0
    assert gathered(media=(PICTURE,)).media_s == 0.0
    assert gathered(missing=["media:audio"]).media_s is None


def test_the_event_is_passed_on():
    """What it is, whose, where to and when."""
    found = gathered(uploader_id="u9", territories=("DE",), language="de", at_s=5.0)

    assert (found.uploader_id, found.territories, found.language) == (
        "u9",
        ("DE",),
        "de",
    )
    assert found.event_time == NOON + timedelta(seconds=5)
