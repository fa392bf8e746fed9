"""Facts about opening sound and video within limits."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import av
import pytest

from encoders.media_format import (
    AUDIO_CODECS,
    MediaLimits,
    check_codec,
    open_container,
    probe_media,
)
from encoders.signals import EncodeError
from tests.media_builders import (
    LIMITS,
    a_picture,
    a_sound_file,
    a_video_file,
    encoded,
    with_cover,
)

SDP = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
SDP += b"m=audio 45678 RTP/AVP 0\r\n"


@contextmanager
def a_trap() -> Iterator[tuple[int, list[object]]]:
    """Listen on a port and note who connects."""
    caught: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    caught.append(server.accept())
                except OSError:
                    return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield server.getsockname()[1], caught
        time.sleep(0.05)
        server.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)
        for connection, _ in caught:
            connection.close()


def lures(port: int) -> dict[str, bytes]:
    """Build texts that a player would follow to the trap."""
    url = f"http://127.0.0.1:{port}/a.mp3"
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n".encode(),
        "concat": f"ffconcat version 1.0\nfile '{url}'\n".encode(),
        "dash": (
            "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011' "
            "type='static' mediaPresentationDuration='PT9S'><Period><AdaptationSet "
            f"mimeType='audio/mp4'><Representation id='1'><BaseURL>{url}</BaseURL>"
            "</Representation></AdaptationSet></Period></MPD>"
        ).encode(),
        "url": url.encode(),
    }


@pytest.mark.parametrize("kind", ["hls", "concat", "dash", "url"])
def test_text_that_names_an_address_is_refused_and_not_followed(kind: str) -> None:
    """A playlist in place of a sound file opens no connection."""
    with a_trap() as (port, caught), pytest.raises(EncodeError) as refusal:
        probe_media(lures(port)[kind], LIMITS)

    assert refusal.value.code == "unknown_format"
    assert caught == []


def test_the_protocol_list_holds_where_the_format_list_would_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even with SDP among the formats, no socket may be opened and waited on."""
    monkeypatch.setattr("encoders.media_format.FORMATS", ("sdp",))
    start = time.monotonic()

    with pytest.raises(EncodeError):
        probe_media(SDP, LIMITS)

    assert time.monotonic() - start < 2


def test_the_trap_catches_what_follows_a_playlist() -> None:
    """FFmpeg as it comes does connect, so that the facts above can fail."""
    with a_trap() as (port, caught), pytest.raises(av.FFmpegError):
        av.open(f"http://127.0.0.1:{port}/a.mp3", timeout=0.2)

    assert caught


def test_a_session_description_is_refused_at_once() -> None:
    """SDP text, on which FFmpeg would wait for packets, takes no time."""
    start = time.monotonic()

    with pytest.raises(EncodeError) as refusal:
        probe_media(SDP, LIMITS)

    assert refusal.value.code == "unknown_format"
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("container", "mime", "tells_length"),
    [
        ("wav", "audio/wav", True),
        ("mp3", "audio/mpeg", True),
        ("flac", "audio/flac", True),
        ("ogg", "audio/ogg", True),
        ("mp4", "audio/mp4", True),
        ("mov", "video/quicktime", True),
        ("matroska", "audio/x-matroska", True),
        ("webm", "audio/webm", True),
        ("adts", "audio/aac", False),
    ],
)
def test_a_sound_file_is_known_by_its_bytes(
    container: str, mime: str, tells_length: bool
) -> None:
    """Type, tracks and length come from the content alone."""
    probe = probe_media(a_sound_file(container, 2), LIMITS)

    assert (probe.mime, probe.has_audio, probe.has_video) == (mime, True, False)
    assert probe.duration_s == (pytest.approx(2, abs=0.05) if tells_length else None)


def test_an_mp3_that_does_not_tell_its_length_has_none() -> None:
    """A guess from the bit rate is not passed on as a fact."""
    data = a_sound_file("mp3", 2).replace(b"Info", b"Inf0").replace(b"Xing", b"Xin0")

    assert probe_media(data, LIMITS).duration_s is None


@pytest.mark.parametrize(
    ("container", "codec", "sound", "mime"),
    [
        ("mp4", "libx264", "aac", "video/mp4"),
        ("webm", "libvpx-vp9", "libopus", "video/webm"),
    ],
)
def test_a_video_file_tells_its_size(
    container: str, codec: str, sound: str, mime: str
) -> None:
    """Width and height are read without decoding a frame."""
    data = a_video_file(1, container=container, codec=codec, sound_codec=sound)

    probe = probe_media(data, LIMITS)

    assert (probe.mime, probe.has_audio, probe.has_video) == (mime, True, True)
    assert (probe.width_px, probe.height_px) == (96, 64)


def test_a_cover_in_a_sound_file_is_no_video() -> None:
    """An attached picture doesn't make a track a video."""
    probe = probe_media(with_cover(a_sound_file("mp3"), encoded(a_picture())), LIMITS)

    assert (probe.mime, probe.has_audio, probe.has_video) == (
        "audio/mpeg",
        True,
        False,
    )


@pytest.mark.parametrize(("codecs", "decoded"), [((), False), (("png",), True)])
def test_the_codec_list_keeps_a_cover_from_being_decoded(
    codecs: tuple[str, ...], decoded: bool
) -> None:
    """The cover's pixel format, which only decoding tells, stays unknown."""
    data = with_cover(a_sound_file("mp3"), encoded(a_picture(600, 600)))

    with open_container(data, LIMITS, AUDIO_CODECS + codecs) as container:
        cover = container.streams.video[0].codec_context

        assert (cover.pix_fmt is not None) is decoded
        assert (cover.width == 600) is decoded


def test_a_stream_of_a_codec_not_listed_is_refused() -> None:
    """The check before decoding doesn't rest on FFmpeg's own list."""
    with (
        open_container(a_sound_file("flac"), LIMITS) as container,
        pytest.raises(EncodeError, match="codec flac"),
    ):
        check_codec(container.streams.audio[0], ("opus",))


def test_tags_in_an_unknown_encoding_do_no_harm() -> None:
    """A title that isn't UTF-8 is no reason to refuse the sound."""
    data = a_sound_file("flac", title="Käse").replace("ä".encode(), b"\xe4\xff")

    assert probe_media(data, LIMITS).has_audio


@pytest.mark.parametrize(
    ("data", "limits", "code"),
    [
        (b"", LIMITS, "empty"),
        (b"\0" * 2000, MediaLimits(max_bytes=1999, max_s=9), "too_large"),
        (b"a", LIMITS, "unknown_format"),
        (b"These are words, not sound.\n" * 999, LIMITS, "unknown_format"),
        (os.urandom(100_000), LIMITS, "unknown_format"),
        (encoded(a_picture()), LIMITS, "unknown_format"),
        (a_sound_file("mp4")[:5000], LIMITS, "undecodable"),
        (a_sound_file("mp4")[:-900], LIMITS, "undecodable"),  # Half its index.
        (a_sound_file("matroska")[:100], LIMITS, "undecodable"),
        (a_sound_file("flac", 2), MediaLimits(10**6, max_s=1.9), "too_long"),
    ],
)
def test_what_can_not_be_used_is_named(
    data: bytes, limits: MediaLimits, code: str
) -> None:
    """Each way of being no usable sound has its own short word."""
    with pytest.raises(EncodeError) as refusal:
        probe_media(data, limits)

    assert refusal.value.code == code


def test_damaged_files_are_refused_in_silence(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """FFmpeg's own messages don't reach the terminal."""
    data = bytearray(a_sound_file("mp3"))
    data[1000:3000] = bytes(2000)

    probe_media(bytes(data), LIMITS)

    assert capfd.readouterr() == ("", "")
