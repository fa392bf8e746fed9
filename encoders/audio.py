"""Sound from bytes: what speech recognition and everything else hears.

After `media_format`, before `speech`. Samples are made as a stream, so that memory
stays bounded by the limit on seconds, whatever the file claims.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from encoders.media_format import (
    AUDIO_CODECS,
    MediaLimits,
    check_codec,
    check_length,
    declared_s,
    open_container,
)
from encoders.signals import SAMPLE_RATE_HZ, EncodeError, Waveform

OPENING_S: Final = 120  # What `fpcalc` and AcoustID fingerprint of a recording.
_WHOLE: Final = 0.95  # Less than this of what was declared counts as cut short.
# From half of telephone speech to studio masters. A rate outside makes one small
# packet swell, or the resampler build a filter of gigabytes.
_RATES_HZ: Final = range(4_000, 384_001)
_MAX_CHANNELS: Final = 64  # Seventh-order ambisonics, the most that is recorded.
_UNSIZED_BYTES: Final = 0x7FFF_0000  # RIFF sizes from here on mean: not known.
_OGG_LAST_PAGE: Final = 0x04  # RFC 3533, section 6: header type flag, end of stream.


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """A file's sound, and whether some of it is missing.

    `truncated`: the file ends before its declared end, or more than a twentieth of it
    could not be decoded. What is there is in the waveform.
    """

    waveform: Waveform
    truncated: bool


def decode_audio(data: bytes, limits: MediaLimits) -> DecodedAudio:
    """Decode the first sound track, mixed to mono at 16 kHz; blocks.

    Raises:
        EncodeError: `empty`, `too_large`, `unknown_format`, `no_audio`, `too_long` (as
            soon as the limit is passed) or `undecodable` (not one sample).
    """
    pcm = bytearray()  # int16: half the memory of float32 while it grows.
    truncated = stream_audio(data, limits, pcm.extend)
    return DecodedAudio(waveform_of(pcm), truncated)


def stream_audio(
    data: bytes, limits: MediaLimits, take: Callable[[bytes], object]
) -> bool:
    """Do as `decode_audio`, handing sound on as it is decoded.

    `take` is called with int16 samples, little-endian, a few thousand at a time.

    Returns:
        Whether the sound is truncated: see `DecodedAudio`.
    """
    with open_container(data, limits) as container:
        stream = _sound_track(container)
        declared = declared_s(container, data)
        check_length(declared, limits)
        reading = _Reading(stream, limits, take)
        complete = reading.read(container)
    if not reading.n_samples:
        raise EncodeError(
            "undecodable", "the sound track has no sample that can be decoded"
        )
    short = declared is not None and reading.reached_s < _WHOLE * declared
    return short or not complete or reading.lossy or _lacks_its_end(data)


def decode_opening(data: bytes, limits: MediaLimits) -> Waveform:
    """Decode the first OPENING_S seconds of sound and no more; see `decode_audio`."""
    pcm = bytearray()
    stream_opening(data, limits, pcm.extend)
    return waveform_of(pcm)


def stream_opening(
    data: bytes, limits: MediaLimits, take: Callable[[bytes], object]
) -> None:
    """Do as `decode_opening`, handing sound on as it is decoded."""
    left_bytes = 2 * OPENING_S * SAMPLE_RATE_HZ

    def take_what_is_wanted(pcm: bytes) -> None:
        nonlocal left_bytes
        take(pcm[:left_bytes])
        left_bytes -= min(left_bytes, len(pcm))
        if not left_bytes:
            raise _EnoughError

    with suppress(_EnoughError):
        stream_audio(data, limits, take_what_is_wanted)


class _EnoughError(Exception):
    """Ends decoding: the rest of the sound is not wanted."""


def waveform_of(pcm: bytes | bytearray) -> Waveform:
    """Return int16 samples, little-endian, as a waveform."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    samples /= 32_768  # As Whisper's own loader scales int16.
    return Waveform(samples)


class _Reading:
    """The state of one decode: how many samples, where it is, what was lost."""

    def __init__(
        self,
        stream: AudioStream,
        limits: MediaLimits,
        take: Callable[[bytes], object],
    ) -> None:
        self._stream = stream
        self._limits = limits
        self._hand_on = take
        self._resampler: AudioResampler | None = None
        self._source: tuple[str, str, int] | None = None
        self._packets = 0
        self._bad_packets = 0
        self.n_samples = 0
        self.reached_s = 0.0

    @property
    def lossy(self) -> bool:
        """Whether more packets were bad than a whole file may have."""
        return self._bad_packets > (1 - _WHOLE) * self._packets

    def read(self, container: InputContainer) -> bool:
        """Decode to the end; False where the container itself breaks off."""
        complete = True
        try:
            # Every stream's packets: in a video, sound may end before the pictures,
            # and only together do they tell how far the file goes.
            for packet in container.demux():
                self._take(packet)
        except av.FFmpegError:
            complete = False
        self._resample(None)
        return complete

    def _take(self, packet: "Packet[Stream]") -> None:
        """Decode one packet; a bad one is counted and passed over, as players do.

        Stopping there would let one broken packet hide all that follows it.
        """
        if packet.stream.index == self._stream.index:
            self._packets += packet.size > 0
            try:
                frames = self._stream.codec_context.decode(packet)
            except av.FFmpegError:
                self._bad_packets += packet.size > 0
                return
            for frame in frames:
                self._add(frame)
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self.reached_s = max(self.reached_s, float(end))

    def _add(self, frame: AudioFrame) -> None:
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source != self._source:  # Chained streams may change on the way.
            _check_source(frame)
            self._resample(None)
            self._source = source
            self._resampler = AudioResampler("s16", "mono", SAMPLE_RATE_HZ)
        frame.pts = None  # Their gaps and leaps are no samples.
        self._resample(frame)

    def _resample(self, frame: AudioFrame | None) -> None:
        """Add a frame's sound; None draws out what the filter, looking ahead, holds."""
        if self._resampler is None:
            return
        try:
            resampled = self._resampler.resample(frame)
        except av.FFmpegError:  # A layout or format that it can't mix.
            self._bad_packets += 1
            self._resampler = self._source = None
            return
        for part in resampled:
            samples = part.to_ndarray().astype("<i2", copy=False)
            self.n_samples += samples.size
            self._hand_on(samples.tobytes())
        check_length(self.n_samples / SAMPLE_RATE_HZ, self._limits)


def _sound_track(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise EncodeError("no_audio", "the file has no sound track")
    stream = container.streams.audio[0]
    check_codec(stream, AUDIO_CODECS)
    return stream


def _check_source(frame: AudioFrame) -> None:
    """Refuse sound that only an attack would have."""
    rate, channels = frame.sample_rate, frame.layout.nb_channels
    if rate not in _RATES_HZ or not 1 <= channels <= _MAX_CHANNELS:
        raise EncodeError(
            "undecodable",
            f"{channels} channels at {rate} Hz; expected 1 to {_MAX_CHANNELS} at "
            f"{_RATES_HZ[0]} to {_RATES_HZ[-1]} Hz",
        )


def _lacks_its_end(data: bytes) -> bool:
    """Tell whether a WAV or OGG is shorter than it should be; FFmpeg doesn't say."""
    if data.startswith(b"RIFF"):
        stated = int.from_bytes(data[4:8], "little")
        return stated < _UNSIZED_BYTES and len(data) < _WHOLE * stated
    if data.startswith(b"OggS"):
        last = data[data.rfind(b"OggS") :]
        return len(last) < 6 or not last[5] & _OGG_LAST_PAGE
    return False
