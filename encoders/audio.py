"""Sound from bytes: what speech recognition and everything else hears.

After `media_format`, before `speech`. Samples are made as a stream, so that memory
stays bounded by the limit on seconds, whatever the file claims.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final, Literal

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

_WHOLE: Final = 0.95  # Less than this of what was declared counts as cut short.
# From half of telephone speech to studio masters. A rate outside makes one small
# packet swell, or the resampler build a filter of gigabytes.
_RATES_HZ: Final = range(4_000, 384_001)
_MAX_CHANNELS: Final = 64  # Seventh-order ambisonics, the most that is recorded.
_UNSIZED_BYTES: Final = 0x7FFF_0000  # RIFF sizes from here on mean: not known.
_OGG_LAST_PAGE: Final = 0x04  # RFC 3533, section 6: header type flag, end of stream.
BYTES_PER_SAMPLE: Final = 2  # int16.

# Why sound is not whole: it ends before the end that its headers state, the file breaks
# off, more than a twentieth of it could not be decoded, or its last page is not there.
Truncation = Literal["too_short", "broken_off", "damaged", "no_last_page"]


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """A file's sound, and why some of it is missing; None where it is whole.

    What is there is in the waveform.
    """

    waveform: Waveform
    truncated: Truncation | None


def decode_audio(data: bytes, limits: MediaLimits) -> DecodedAudio:
    """Decode the first sound track, mixed to mono at 16 kHz; blocks.

    Raises:
        EncodeError: `empty`, `too_large`, `unknown_format`, `no_audio`, `too_long` (as
            soon as the limit is passed) or `undecodable` (not one sample).
    """
    decoding = SoundDecoding(data, limits)
    pcm = bytearray()  # int16: half the memory of float32 while it grows.
    for part in decoding:
        pcm += part
    return DecodedAudio(waveform_of(pcm), decoding.truncated)


class SoundDecoding:
    """One decode of a sound: iterate over it once, then ask whether it is `truncated`.

    Gives int16 samples, little-endian, as they are decoded, some thousand at a time,
    without the first `skip_samples`. Those are decoded and dropped: a seek is not exact
    in codecs whose frames build on one another, and decoding is quick. Raises as
    `decode_audio` does, at any part.
    """

    def __init__(self, data: bytes, limits: MediaLimits, skip_samples: int = 0) -> None:
        self._data = data
        self._limits = limits
        self._skip_bytes = skip_samples * BYTES_PER_SAMPLE
        self.truncated: Truncation | None = None  # Known after the last part.

    def __iter__(self) -> Generator[bytes, None, None]:
        """See `sound_stream.Decoding`."""
        left = self._skip_bytes
        for part in self._parts():
            if left < len(part):
                yield part[left:]
            left = max(left - len(part), 0)

    def abandon(self) -> None:
        """See `sound_stream.Decoding`; a part takes milliseconds."""

    def _parts(self) -> Iterator[bytes]:
        with open_container(self._data, self._limits) as container:
            stream = _sound_track(container)
            declared = declared_s(container, self._data)
            check_length(declared, self._limits)
            reading = _Reading(stream, self._limits)
            yield from reading.parts(container)
        if not reading.n_samples:
            raise EncodeError(
                "undecodable", "the sound track has no sample that can be decoded"
            )
        self.truncated = self._truncation(reading, declared)

    def _truncation(
        self, reading: "_Reading", declared: float | None
    ) -> Truncation | None:
        if declared is not None and reading.reached_s < _WHOLE * declared:
            return "too_short"
        if reading.broken_off:
            return "broken_off"
        if reading.lossy:
            return "damaged"
        return "no_last_page" if _lacks_its_end(self._data) else None


def waveform_of(pcm: bytes | bytearray) -> Waveform:
    """Return int16 samples, little-endian, as a waveform."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    samples /= 32_768  # As Whisper's own loader scales int16.
    return Waveform(samples)


class _Reading:
    """The state of one decode: how many samples, where it is, what was lost."""

    def __init__(self, stream: AudioStream, limits: MediaLimits) -> None:
        self._stream = stream
        self._limits = limits
        self._resampler: AudioResampler | None = None
        self._source: tuple[str, str, int] | None = None
        self._packets = 0
        self._bad_packets = 0
        self.n_samples = 0
        self.reached_s = 0.0
        self.broken_off = False  # The container itself ends in the middle.

    @property
    def lossy(self) -> bool:
        """Whether more packets were bad than a whole file may have."""
        return self._bad_packets > (1 - _WHOLE) * self._packets

    def parts(self, container: InputContainer) -> Iterator[bytes]:
        """Decode to the end, int16 samples at a time."""
        try:
            # Every stream's packets: in a video, sound may end before the pictures,
            # and only together do they tell how far the file goes.
            for packet in container.demux():
                yield from self._decoded(packet)
        except av.FFmpegError:
            self.broken_off = True
        yield from self._resampled(None)

    def _decoded(self, packet: "Packet[Stream]") -> Iterator[bytes]:
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
                yield from self._added(frame)
        if packet.pts is not None and packet.time_base:
            end = (packet.pts + (packet.duration or 0)) * packet.time_base
            self.reached_s = max(self.reached_s, float(end))

    def _added(self, frame: AudioFrame) -> Iterator[bytes]:
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source != self._source:  # Chained streams may change on the way.
            _check_source(frame)
            yield from self._resampled(None)
            self._source = source
            self._resampler = AudioResampler("s16", "mono", SAMPLE_RATE_HZ)
        frame.pts = None  # Their gaps and leaps are no samples.
        yield from self._resampled(frame)

    def _resampled(self, frame: AudioFrame | None) -> Iterator[bytes]:
        """Yield a frame's sound; None draws out what the filter, ahead of it, holds."""
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
            yield samples.tobytes()
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
