"""Audio files as samples: exact length, exact spans, resampled as a stream. PyAV, flat memory.

Samples are counted as they come out of the decoder, encoder priming and padding removed by it where the file tells
of them. `probe_audio` counts what `read_mono` and `read_film` yield, so lengths can never disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from moee_cli.core.errors import AudioError
from moee_cli.core.timebase import FEATURE_RATE, FILM_CHANNELS, FILM_RATE, round_half_up
from moee_cli.core.types import F32, AudioSpan
from moee_cli.media.channels import Mix, mono, samples_of, stereo
from moee_cli.media.decoder import Decoder, borrowed

SILENT_PEAK = 10 ** (-60 / 20)
"""Below -60 dB full scale nothing in a file is speech."""
CLIPPED_PEAK = 0.9999
LOW_RATE = 12_000
"""Under this rate the file lacks the sounds (s, f, sh) that small mouth shapes are told apart by."""
_CUT_OFF = Fraction(1, 10)
"""Seconds missing against the container's own word before a file counts as cut off."""


@dataclass(frozen=True)
class AudioInfo:
    """What an audio file holds."""

    rate: int
    """Samples per second."""
    channels: int
    n_samples: int
    """Per channel at the file's own rate, counted by decoding."""
    codec: str
    peak: float
    """Largest absolute sample, 1 is full scale; a float file may go above."""
    n_broken: int = 0
    """Packets that could not be decoded and are left out."""
    missing: Fraction = Fraction(0)
    """Seconds that the container promises and the file does not hold."""

    @property
    def seconds(self) -> Fraction:
        """Exact length."""
        return Fraction(self.n_samples, self.rate)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the viewer may notice."""
        told = []
        if self.missing > _CUT_OFF and self.n_broken <= 1:  # the cut itself may break the last packet
            told.append(f"the file is cut off: {float(self.missing):.1f} s are missing at its end")
        elif self.n_broken:
            told.append(f"the file is damaged: {self.n_broken} packets cannot be decoded and are left out")
        if self.peak < SILENT_PEAK:
            told.append("the file is silent: the mouth will not move")
        if self.peak >= CLIPPED_PEAK:
            told.append("the recording reaches full scale and may be clipped")
        if self.rate < LOW_RATE:
            told.append(f"the sample rate is only {self.rate} Hz: mouth shapes will be less distinct")
        return tuple(told)


def probe_audio(path: Path) -> AudioInfo:
    """Return what an audio file holds, counted by decoding all of it. Remembered until the file changes.

    Raises:
        AudioError: it is missing, a folder, empty, not audio, without an audio stream, or nothing in it decodes.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise AudioError(f"cannot read {path}: {error.strerror}", "check the path in the script") from error
    return _probe(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1024)
def _probe(path: Path, _modified: int, _size: int) -> AudioInfo:
    with Decoder(path) as decoder:
        peak, channels, n_frames = 0.0, 0, 0
        for _, frame in decoder.frames():
            n_frames += 1
            channels = max(channels, frame.layout.nb_channels)
            peak = max(peak, float(np.abs(samples_of(frame)).max(initial=0.0)))
        n_samples = decoder.position
        if n_samples == 0:
            raise AudioError(f"{path} holds no sound", "the file is empty or damaged; export it again")
        if decoder.n_broken > n_frames:  # chance finds a few frames in anything
            raise AudioError(f"{path} is damaged: most of it cannot be decoded", "export it again")
        return AudioInfo(decoder.rate, channels, n_samples, decoder.codec, peak, decoder.n_broken, decoder.missing)


def read_mono(span: AudioSpan, *, rate: int = FEATURE_RATE, block: int | None = None) -> Iterator[F32]:
    """Yield the span as float32 mono at `rate`: round(n * rate / span.rate) samples, `block` at a time (default 1 s).

    Nothing outside the span has any influence on it.

    Raises:
        AudioError: the file cannot be read, or is not what the span was measured on.
    """
    total = resampled_length(span, rate)
    resampled = _resample(_read(span, mono), span.rate, rate, 1, total)
    yield from _in_blocks(resampled, block or rate)


def read_film(span: AudioSpan) -> Iterator[F32]:
    """Yield the span as float32 stereo [n, 2] at `FILM_RATE`: round(n * FILM_RATE / span.rate) samples in all.

    Raises:
        AudioError: the file cannot be read, or is not what the span was measured on.
    """
    total = resampled_length(span, FILM_RATE)
    yield from _resample(_read(span, stereo), span.rate, FILM_RATE, FILM_CHANNELS, total)


def resampled_length(span: AudioSpan, rate: int) -> int:
    """Return how many samples a span lasts at `rate`."""
    return round_half_up(span.seconds * rate)


def _read(span: AudioSpan, mix: Mix) -> Iterator[F32]:
    """Yield exactly the samples of a span at the file's own rate."""
    with borrowed(span.path, span.start) as decoder:
        if decoder.rate != span.rate:
            raise _changed(span)
        for first, frame in decoder.frames(span.start):
            stop = first + frame.samples
            if stop > span.start:
                yield mix(frame)[max(span.start - first, 0) : span.stop - first]
            if stop >= span.stop:
                decoder.push_back(first, frame)
                return
        raise _changed(span)


def _changed(span: AudioSpan) -> AudioError:
    return AudioError(f"{span.path} changed while it was read", "run the same command again")


def _resample(parts: Iterable[F32], rate_in: int, rate_out: int, channels: int, total: int) -> Iterator[F32]:
    """Yield `total` samples at `rate_out`. The result does not depend on how the parts are cut."""
    if rate_in == rate_out:
        yield from parts
        return
    import soxr

    stream = soxr.ResampleStream(rate_in, rate_out, channels, dtype="float32", quality="VHQ")
    silence = np.zeros((0,) if channels == 1 else (0, channels), np.float32)
    left = total
    for part, last in _mark_last(parts, silence):
        resampled = stream.resample_chunk(np.ascontiguousarray(part), last=last)[:left]
        left -= len(resampled)
        if len(resampled):
            yield resampled
    if left:  # the resampler's own rounding of the length
        yield np.zeros((left, *silence.shape[1:]), np.float32)


def _mark_last(parts: Iterable[F32], end: F32) -> Iterator[tuple[F32, bool]]:
    for part in parts:
        yield part, False
    yield end, True


def _in_blocks(parts: Iterable[F32], size: int) -> Iterator[F32]:
    """Yield the same samples, `size` at a time; the last block holds the rest."""
    held: list[F32] = []
    n_held = 0
    for part in parts:
        held.append(part)
        n_held += len(part)
        if n_held >= size:
            joined = np.concatenate(held)
            whole = n_held - n_held % size
            for start in range(0, whole, size):
                yield joined[start : start + size]
            held, n_held = [joined[whole:]], n_held - whole
    if n_held:
        yield np.concatenate(held)
