"""The film's one sound track: every segment's audio at its exact sample, silence elsewhere.

The track is a headerless file of little-endian float32 stereo samples at `FILM_RATE`: no size limit (WAV ends at
4 GiB, three hours), nothing clipped or dithered before the one AAC encoding at the stitch.
Loudness: docs/decisions/0004-loudness.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from moee_cli.core.errors import EnvironmentFailed, from_os_error
from moee_cli.core.timebase import FILM_CHANNELS, FILM_RATE, round_half_up, sample_of_frame
from moee_cli.core.types import F32, AudioSpan, Timeline
from moee_cli.media import ffmpeg
from moee_cli.media.decode import probe_audio, read_film, resampled_length
from moee_cli.store.atomic import replacing, scratch

SAMPLE_BYTES = 4 * FILM_CHANNELS
"""Bytes of one moment of the track."""
RAW_FORMAT = {"format": "f32le", "ar": FILM_RATE, "ac": FILM_CHANNELS}
"""How ffmpeg is told what the track is."""

_EDGE = FILM_RATE // 500
"""2 ms: fade where a span is cut out of the middle of a file; without it the cut clicks."""
_BLOCK = FILM_RATE
_PEAK_DB = -1.5
"""Ceiling after loudness normalisation; EBU R 128 asks for -1 dB, AAC adds up to half a dB."""
_SILENT_LUFS = -60.0
"""A film quieter than this is not made louder: there is only noise to raise."""


def write_sound(timeline: Timeline, path: Path, *, loudness_lufs: float | None = None) -> int:
    """Write the sound track of a film; return its length, exactly `sample_of_frame(timeline.n_frames)`.

    `loudness_lufs` moves the whole film to that loudness by one gain, so the balance between its lines stays.

    Raises:
        AudioError: an audio file cannot be read, or changed since the timeline was made.
        OutputError, EnvironmentFailed: the track cannot be written.
    """
    n_samples = sample_of_frame(timeline.n_frames, timeline.fps)
    doing = f"cannot write the sound track {path}"
    with replacing(path) as finished:
        try:
            if loudness_lufs is None or n_samples == 0:
                _write_track(timeline, n_samples, finished)
                return n_samples
            with scratch(path) as plain:
                _write_track(timeline, n_samples, plain)
                _normalise(plain, finished, loudness_lufs, doing)
        except OSError as error:
            raise from_os_error(error, doing) from error
        if (written := finished.stat().st_size) != n_samples * SAMPLE_BYTES:
            raise EnvironmentFailed(f"{doing}: {written} bytes came back, not {n_samples * SAMPLE_BYTES}")
    return n_samples


def _write_track(timeline: Timeline, n_samples: int, path: Path) -> None:
    written = 0
    with path.open("wb") as file:
        for start, stop, span in _placed_spans(timeline):
            _write_silence(file, start - written)
            written = start
            for part in _soften_edges(read_film(span), span):
                kept = part[: stop - written]
                file.write(kept.astype("<f4", copy=False).tobytes())
                written += len(kept)
        _write_silence(file, n_samples - written)


def _placed_spans(timeline: Timeline) -> Iterator[tuple[int, int, AudioSpan]]:
    """Yield (first sample, sample it must end before, audio), segments that continue each other as one."""
    merged: list[tuple[int, int, AudioSpan]] = []
    for segment in timeline.segments:
        if segment.audio is None:
            continue
        stop = sample_of_frame(segment.stop_frame, timeline.fps)
        if segment.continues and merged:
            first, _, span = merged[-1]
            merged[-1] = (first, stop, replace(span, stop=segment.audio.stop))
        else:
            start = sample_of_frame(segment.start_frame, timeline.fps) + round_half_up(segment.pad * FILM_RATE)
            merged.append((start, stop, segment.audio))
    yield from merged


def _soften_edges(parts: Iterable[F32], span: AudioSpan) -> Iterator[F32]:
    """Fade where the span begins or ends inside its file; a file's own beginning and end stay as they are."""
    total = resampled_length(span, FILM_RATE)
    fades_in = span.start > 0
    fades_out = span.stop < probe_audio(span.path).n_samples
    done = 0
    for part in parts:
        position = np.arange(done, done + len(part))
        gain = np.ones(len(part), np.float32)
        if fades_in and done < _EDGE:
            gain *= _ramp(position)
        if fades_out and done + len(part) > total - _EDGE:
            gain *= _ramp(total - 1 - position)
        done += len(part)
        yield part * gain[:, None]


def _ramp(distance: np.ndarray[Any, np.dtype[np.int64]]) -> F32:
    """Return a raised cosine that reaches 1 at `_EDGE` samples from the cut."""
    inside = np.clip((distance + 0.5) / _EDGE, 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * inside), np.float32)


def _write_silence(file: BinaryIO, n_samples: int) -> None:
    block = bytes(_BLOCK * SAMPLE_BYTES)
    file.writelines(block[: (n_samples - start) * SAMPLE_BYTES] for start in range(0, n_samples, _BLOCK))


# --- loudness -------------------------------------------------------------------------------------------------------


def _normalise(plain: Path, finished: Path, target_lufs: float, doing: str) -> None:
    """Write `plain` at the wanted loudness: one gain, and a limiter only where peaks would pass the ceiling."""
    loudness, peak_db = _measure(plain, doing)
    if loudness < _SILENT_LUFS:
        plain.replace(finished)
        return
    gain_db = target_lufs - loudness
    stream = ffmpeg.file_input(plain, **RAW_FORMAT).audio.filter("volume", volume=f"{gain_db:.4f}dB")
    if peak_db + gain_db > _PEAK_DB:
        ceiling = 10 ** (_PEAK_DB / 20)
        # `latency` takes the limiter's own delay out again, `level` would raise everything to full scale.
        stream = stream.filter("alimiter", limit=f"{ceiling:.6f}", attack=5, release=80, level=0, latency=1)
    ffmpeg.run(stream.output(ffmpeg.file_url(finished), **RAW_FORMAT, acodec="pcm_f32le"), doing)


def _measure(track: Path, doing: str) -> tuple[float, float]:
    """Return integrated loudness (LUFS) and true peak (dB) of a track; -inf for silence. EBU R 128 by `loudnorm`."""
    stream = ffmpeg.file_input(track, **RAW_FORMAT).audio.filter("loudnorm", print_format="json")
    report = ffmpeg.run(stream.output("-", format="null"), doing, loglevel="info")
    try:
        figures = json.loads(report[report.rindex("{") : report.rindex("}") + 1])
        return float(figures["input_i"]), float(figures["input_tp"])
    except (ValueError, KeyError) as error:
        raise EnvironmentFailed(f"{doing}: ffmpeg measured no loudness but said {report[-200:]!r}") from error
