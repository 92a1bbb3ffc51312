"""Everything needed to draw any frame of a film: one engine, its prepared portraits, one performance."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from typing import Any

import numpy as np

from moee_cli.audio.features import extract_features, silence
from moee_cli.core.noise import NoiseSource
from moee_cli.core.progress import Progress
from moee_cli.core.timebase import FEATURE_RATE
from moee_cli.core.types import F32, U8, AudioFeatures, AudioSpan, Drive, Timeline
from moee_cli.engines.base import Engine, create_engine
from moee_cli.engines.registry import check_options
from moee_cli.engines.runtime import Runtime
from moee_cli.media.decode import read_mono
from moee_cli.workflow.performance import ChunkGrid, Performance
from moee_cli.workflow.plan import Plan

_EDGE_SAMPLES = FEATURE_RATE // 10
"""Feature-rate samples (0.1 s) heard beyond a segment's ends where the recording goes on."""


@contextmanager
def open_studio(planned: Plan, ids: Collection[str], runtime: Runtime, told: Progress) -> Iterator[Studio]:
    """Yield a studio that can draw the segments `ids`; the engine is closed at the end.

    Raises:
        PortraitError: a portrait of somebody who is seen cannot be used.
        EngineUnavailable: weights or hardware are missing.
    """
    spec = planned.spec
    options = check_options(spec, planned.script.engine_options.get(spec.name, {}), planned.script.engine_where)
    with closing(create_engine(spec, options, runtime)) as engine:
        prepared, remarks = _look(planned, ids, engine, options, told)
        yield Studio(planned, engine, prepared, remarks)


def _look(
    planned: Plan, ids: Collection[str], engine: Engine, options: Any, told: Progress
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Find the face of every speaker that appears, and let the engine prepare it."""
    from moee_cli.face.portrait import load_portrait

    speakers = _speakers_needed(planned.timeline, ids)
    cast = [member for name, member in planned.script.cast.items() if name in speakers]
    told.start("look", len(cast), "portraits")
    prepared, remarks = {}, []
    for member in cast:
        portrait = load_portrait(
            member.portrait,
            planned.script.frame,
            face=member.face,
            landmarker_model=getattr(options, "landmarker", None),
        )
        for warning in portrait.warnings:
            remarks.append(f"{member.name}: {warning}")
            told.warn(remarks[-1])
        prepared[member.name] = engine.prepare(portrait)
        told.advance()
    return prepared, tuple(remarks)


def _speakers_needed(whole: Timeline, ids: Collection[str]) -> set[str]:
    """Return who is seen in the segments `ids`: who speaks, and who idles through a dissolve at their ends."""
    needed = set()
    for index, segment in enumerate(whole.segments):
        if segment.id in ids:
            first, last = index - bool(segment.handle_before), index + bool(segment.handle_after)
            needed |= {seen.speaker for seen in whole.segments[first : last + 1]}
    return needed


class Studio:
    """Draws any frame of the film, dissolves included."""

    def __init__(self, planned: Plan, engine: Engine, prepared: dict[str, Any], remarks: tuple[str, ...]) -> None:
        self.script = planned.script
        self.remarks = remarks
        """What viewers may notice about the portraits."""
        self._timeline = planned.timeline
        self._engine = engine
        self._prepared = prepared
        self._noise = NoiseSource(planned.script.seed)
        self._index = {segment.id: index for index, segment in enumerate(planned.timeline.segments)}
        spec = planned.spec
        self.performance = Performance(
            planned.timeline,
            ChunkGrid(spec.chunk, spec.overlap, spec.context),
            features=self._hear,
            silence=silence,
            sample=self._sample,
        )

    def _hear(self, index: int) -> AudioFeatures:
        """Features of a segment; the recording is heard a little beyond its ends where the film goes on with it."""
        segment = self._timeline.segments[index]
        if segment.audio is None:
            return silence(segment.n_motion)
        edge = _EDGE_SAMPLES * segment.audio.rate // FEATURE_RATE
        span = segment.audio
        lead = tail = None
        if segment.continues:
            lead = _read(AudioSpan(span.path, max(0, span.start - edge), span.start, span.rate))
        after = self._timeline.segments[index + 1] if index + 1 < len(self._timeline.segments) else None
        if after is not None and after.continues and after.audio is not None:
            tail = _read(AudioSpan(span.path, span.stop, min(span.stop + edge, after.audio.stop), span.rate))
        silent = np.zeros(round(segment.pad * FEATURE_RATE), np.float32)
        return extract_features(chain([silent], read_mono(span)), segment.n_motion, lead=lead, tail=tail)

    def _sample(self, index: int, drive: Drive) -> F32:
        prepared = self._prepared[self._timeline.segments[index].speaker]
        return self._engine.sample(prepared, drive, noise=self._noise)

    def frames(self, segment_id: str, start: int, stop: int) -> Iterator[U8]:
        """Yield the finished frames [start, stop) of a segment, dissolves included."""
        index = self._index[segment_id]
        segment = self._timeline.segments[index]
        n, before, after = segment.n_frames, segment.handle_before, segment.handle_after
        incoming = self._idle(index - 1, start, min(stop, before), offset=self._n_frames(index - 1))
        outgoing = self._idle(index + 1, max(start, n - after), stop, offset=-n)
        for frame, pixels in zip(range(start, stop), self._drawn(index, start, stop), strict=True):
            if frame < before:
                yield _mix(next(incoming), pixels, (frame + 0.5 + before) / (2 * before))
            elif frame >= n - after:
                yield _mix(pixels, next(outgoing), (frame + 0.5 - n + after) / (2 * after))
            else:
                yield pixels

    def _n_frames(self, index: int) -> int:
        return self._timeline.segments[index].n_frames if index >= 0 else 0

    def _idle(self, index: int, start: int, stop: int, *, offset: int) -> Iterator[U8]:
        """Frames of a neighbour that idles through a dissolve; nothing if the range is empty."""
        if stop > start:
            yield from self._drawn(index, start + offset, stop + offset)

    def _drawn(self, index: int, start: int, stop: int) -> Iterator[U8]:
        motion = self.performance.at_frames(index, start, stop)
        return self._engine.draw(self._prepared[self._timeline.segments[index].speaker], motion)


def _read(span: AudioSpan) -> F32 | None:
    blocks = list(read_mono(span)) if span.stop > span.start else []
    return np.concatenate(blocks) if blocks else None


def _mix(earlier: U8, later: U8, share: float) -> U8:
    """Cross-fade two frames; `share` 0..1 of time, eased like every other curve."""
    weight = np.float32(0.5 - 0.5 * np.cos(np.pi * share))
    return np.asarray(earlier + (later.astype(np.float32) - earlier) * weight + np.float32(0.5), np.uint8)
