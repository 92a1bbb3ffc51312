"""Everything needed to draw any frame of a film: one engine, its prepared portraits, a performance per frame rate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from moee_cli.audio.features import extract_features, silence
from moee_cli.core.noise import NoiseSource
from moee_cli.core.progress import Progress
from moee_cli.core.timebase import FEATURE_RATE
from moee_cli.core.types import F32, U8, AudioFeatures, AudioSpan, Canvas, Drive, FrameFormat, Segment, Timeline
from moee_cli.engines.base import Engine, SamplesTogether, create_engine
from moee_cli.engines.registry import check_options
from moee_cli.engines.runtime import Runtime
from moee_cli.media.decode import probe_audio, read_mono
from moee_cli.workflow.performance import ChunkGrid, Performance
from moee_cli.workflow.plan import Plan
from moee_cli.workflow.reuse import Given, given_motion

_EDGE_SAMPLES = FEATURE_RATE // 10
"""Feature-rate samples (0.1 s) heard beyond a segment's ends where the recording goes on."""


@dataclass(frozen=True, eq=False)
class _Sitter:
    """What the engine made of a speaker's portrait, and the whole picture if it is a part of one."""

    prepared: Any
    canvas: Canvas | None
    held: tuple[bool, bool, bool, bool]


Prepared = dict[tuple[str, FrameFormat], _Sitter]
"""The speakers, for each picture that is drawn."""


@contextmanager
def open_studio(planned: Plan, ids: Collection[str], runtime: Runtime, told: Progress) -> Iterator[Studio]:
    """Yield a studio that can draw the segments `ids` for every output; the engine is closed at the end.

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
) -> tuple[Prepared, tuple[str, ...]]:
    """Find the face of every speaker that appears, and let the engine prepare it for every picture that is drawn."""
    from moee_cli.face.portrait import load_portrait

    speakers = set().union(*(_speakers_needed(timeline, ids) for timeline in planned.timelines.values()))
    cast = [member for name, member in planned.script.cast.items() if name in speakers]
    pictures = dict.fromkeys(output.frame for output in planned.script.outputs)
    told.start("look", len(cast) * len(pictures), "portraits")
    prepared: Prepared = {}
    remarks: list[str] = []
    for member in cast:
        found: dict[str, list[str]] = {}
        for frame in pictures:
            portrait = load_portrait(
                member.portrait, frame, face=member.face, landmarker_model=getattr(options, "landmarker", None)
            )
            for warning in portrait.warnings:
                found.setdefault(warning, []).append(f"{frame.width}x{frame.height}")
            prepared[member.name, frame] = _Sitter(engine.prepare(portrait), portrait.canvas, portrait.held)
            told.advance()
        for warning, sizes in found.items():
            where = "" if len(sizes) == len(pictures) else f" ({', '.join(sizes)})"
            remarks.append(f"{member.name}: {warning}{where}")
            told.warn(remarks[-1])
    return prepared, tuple(remarks)


def _speakers_needed(whole: Timeline, ids: Collection[str]) -> set[str]:
    """Return who is seen in the segments `ids`: who speaks, and who idles through a dissolve at their ends."""
    needed = set()
    for index, segment in enumerate(whole.segments):
        if segment.id in ids:
            first, last = index - bool(segment.handle_before), index + bool(segment.handle_after)
            needed |= {seen.speaker for seen in whole.segments[first : last + 1]}
    return needed


@dataclass(frozen=True, eq=False)
class Moves:
    """The motion of a stretch of a segment on video frames, and of the neighbours that idle through its dissolves."""

    segment: Segment
    start: int
    """First video frame, counted from the segment's start."""
    own: tuple[str, F32]
    """Speaker, and motion [n, D]."""
    incoming: tuple[str, F32]
    """Of the segment before: empty outside the dissolve that brings this one in."""
    outgoing: tuple[str, F32]
    """Of the segment after: empty outside the dissolve that takes this one out."""


class Studio:
    """Moves and draws any frame of the film, dissolves included: moved once, drawn for every output."""

    def __init__(self, planned: Plan, engine: Engine, prepared: Prepared, remarks: tuple[str, ...]) -> None:
        self.remarks = remarks
        """What viewers may notice about the portraits."""
        self._engine = engine
        self._prepared = prepared
        self._timelines = planned.timelines
        self._index = {segment.id: index for index, segment in enumerate(planned.timeline.segments)}
        self.performances = {fps: self._perform(planned, timeline) for fps, timeline in planned.timelines.items()}
        """By frame rate: where segments start and end on whole frames decides, by a hair, what they perform."""

    def _perform(self, planned: Plan, timeline: Timeline) -> Performance:
        """Return the performance at one frame rate; the engine sees the portraits of the first output that has it."""
        noise = NoiseSource(planned.script.seed)
        frame = next(output.frame for output in planned.script.outputs if output.frame.fps == timeline.fps)

        def sample(index: int, drives: Sequence[Drive]) -> Sequence[F32]:
            prepared = self._prepared[timeline.segments[index].speaker, frame].prepared
            if isinstance(self._engine, SamplesTogether):
                return self._engine.sample_together(prepared, drives, noise=noise)
            return [self._engine.sample(prepared, drive, noise=noise) for drive in drives]

        def given(index: int) -> Given | None:
            return given_motion(timeline.segments[index], probe_audio)

        grid = ChunkGrid(planned.spec.chunk, planned.spec.overlap, planned.spec.context)
        hear = partial(_hear, timeline)
        return Performance(timeline, grid, features=hear, silence=silence, sample=sample, given=given)

    def move(self, fps: Fraction, segment_id: str, start: int, stop: int) -> Moves:
        """Return the motion of the frames [start, stop) of a segment, at the frame rate of one or more outputs."""
        segments, index = self._timelines[fps].segments, self._index[segment_id]
        segment = segments[index]
        n, before, after = segment.n_frames, segment.handle_before, segment.handle_after
        n_earlier = segments[index - 1].n_frames if index else 0
        return Moves(
            segment,
            start,
            own=self._moved(fps, index, start, stop),
            incoming=self._moved(fps, index - 1, start, min(stop, before), offset=n_earlier),
            outgoing=self._moved(fps, index + 1, max(start, n - after), stop, offset=-n),
        )

    def _moved(self, fps: Fraction, index: int, start: int, stop: int, *, offset: int = 0) -> tuple[str, F32]:
        """Return speaker and motion of a segment; nobody and nothing if the range is empty."""
        if stop <= start:
            return "", np.empty((0, 0), np.float32)
        motion = self.performances[fps].at_frames(index, start + offset, stop + offset)
        return self._timelines[fps].segments[index].speaker, motion

    def draw(self, moves: Moves, frame: FrameFormat) -> Iterator[U8]:
        """Yield the finished frames, dissolves included, in the picture of one output."""
        n, before, after = moves.segment.n_frames, moves.segment.handle_before, moves.segment.handle_after
        incoming, outgoing = self._drawn(moves.incoming, frame), self._drawn(moves.outgoing, frame)
        for number, pixels in enumerate(self._drawn(moves.own, frame), moves.start):
            if number < before:
                yield _mix(next(incoming), pixels, (number + 0.5 + before) / (2 * before))
            elif number >= n - after:
                yield _mix(pixels, next(outgoing), (number + 0.5 - n + after) / (2 * after))
            else:
                yield pixels

    def _drawn(self, moved: tuple[str, F32], frame: FrameFormat) -> Iterator[U8]:
        from moee_cli.face.canvas import on_canvas

        speaker, motion = moved
        if not len(motion):
            return iter(())
        sitter = self._prepared[speaker, frame]
        frames = self._engine.draw(sitter.prepared, motion)
        return frames if sitter.canvas is None else on_canvas(frames, sitter.canvas, sitter.held)


def _hear(timeline: Timeline, index: int) -> AudioFeatures:
    """Features of a segment; the recording is heard a little beyond its ends where the film goes on with it."""
    segment = timeline.segments[index]
    if segment.audio is None:
        return silence(segment.n_motion)
    edge = _EDGE_SAMPLES * segment.audio.rate // FEATURE_RATE
    span = segment.audio
    lead = tail = None
    if segment.continues:
        lead = _read(AudioSpan(span.path, max(0, span.start - edge), span.start, span.rate))
    after = timeline.segments[index + 1] if index + 1 < len(timeline.segments) else None
    if after is not None and after.continues and after.audio is not None:
        tail = _read(AudioSpan(span.path, span.stop, min(span.stop + edge, after.audio.stop), span.rate))
    silent = np.zeros(round(segment.pad * FEATURE_RATE), np.float32)
    return extract_features(chain([silent], read_mono(span)), segment.n_motion, lead=lead, tail=tail)


def _read(span: AudioSpan) -> F32 | None:
    blocks = list(read_mono(span)) if span.stop > span.start else []
    return np.concatenate(blocks) if blocks else None


def _mix(earlier: U8, later: U8, share: float) -> U8:
    """Cross-fade two frames; `share` 0..1 of time, eased like every other curve."""
    weight = np.float32(0.5 - 0.5 * np.cos(np.pi * share))
    return np.asarray(earlier + (later.astype(np.float32) - earlier) * weight + np.float32(0.5), np.uint8)
