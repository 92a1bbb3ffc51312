"""The motion of a film, segment by segment: drives for chunks, one blend, interpolation to video frames.

What a chunk may see is decided here. A chunk inside its segment sees that segment and the one before it in the run; a
chunk that reaches over a join sees its two segments and nothing else. So a line's motion depends on itself and the
lines beside it, never on the rest of the film.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.timebase import MOTION_FPS, frames_covering
from moee_cli.core.types import F32, AudioFeatures, Drive, Gaze, NoiseSpan, Timeline
from moee_cli.emotion.track import emotion_track
from moee_cli.sampling.chunks import Chunk, OverlapBlender, plan_chunks
from moee_cli.workflow.joining import LEAST_RAMP, Beside, joined
from moee_cli.workflow.reuse import Given

T = TypeVar("T")

_TOGETHER = 16
"""Chunks that an engine is given at once: about a minute, so that memory does not grow with a segment's length."""
_KEPT = 3
"""Segments whose motion stays in memory: the one being drawn and the two beside it."""


@dataclass(frozen=True)
class ChunkGrid:
    """How an engine cuts time, in motion frames."""

    size: int
    overlap: int
    context: int


class Performance:
    """Samples, blends and interpolates the motion of one film, on demand and with flat memory.

    `features(index)` hears a segment, [n_motion] frames; `silence(n)` is what a silent stretch sounds like;
    `sample(index, drives)` runs the engine for chunks of segment `index`; `given(index)` is the motion of a segment
    that takes it from a file. Such a segment is sampled as well, for what leads over to it: so the motion of its
    neighbours does not depend on the file.
    """

    def __init__(
        self,
        timeline: Timeline,
        grid: ChunkGrid,
        *,
        features: Callable[[int], AudioFeatures],
        silence: Callable[[int], AudioFeatures],
        sample: Callable[[int, Sequence[Drive]], Sequence[F32]],
        given: Callable[[int], Given | None] = lambda _index: None,
    ) -> None:
        self._timeline = timeline
        self._grid = grid
        self._features = _Recent(features)
        self._silence = silence
        self._sample = sample
        self._chunks = _Recent(self._sample_chunks)
        self._given = _Recent(given)
        self._motion = _Recent(self._moved)

    # --- extent -----------------------------------------------------------------------------------------------------

    def first(self, index: int) -> int:
        """Return the first motion frame of a segment: 0, or below it where the segment idles before its start."""
        return -frames_covering(self._timeline.segments[index].handle_before / self._timeline.fps, Fraction(MOTION_FPS))

    def stop(self, index: int) -> int:
        """Return the end of a segment's motion frames, idling after its end included."""
        segment = self._timeline.segments[index]
        return segment.n_motion + frames_covering(segment.handle_after / self._timeline.fps, Fraction(MOTION_FPS))

    def _joins(self, index: int) -> bool:
        """Whether the segment flows into the next one."""
        segments = self._timeline.segments
        return index + 1 < len(segments) and segments[index].run == segments[index + 1].run

    def _reach(self, index: int) -> int:
        """Motion frames that the segment's last chunk covers in the next segment."""
        if not self._joins(index):
            return 0
        here, after = self._timeline.segments[index : index + 2]
        return min(self._grid.overlap, here.n_motion, after.n_motion)

    def plan(self, index: int) -> list[Chunk]:
        """Return the chunks of a segment, on a grid from its own start."""
        n_motion = self._timeline.segments[index].n_motion
        after = self._reach(index) or self.stop(index) - n_motion
        return plan_chunks(n_motion, self._grid.size, self._grid.overlap, before=-self.first(index), after=after)

    # --- drives -----------------------------------------------------------------------------------------------------

    def drive(self, index: int, chunk: Chunk) -> Drive:
        """Return everything that decides the motion of one chunk of segment `index`."""
        n_motion = self._timeline.segments[index].n_motion
        straddles = self._reach(index) > 0 and chunk.stop > n_motion
        sees_before = not straddles and index > 0 and self._joins(index - 1)
        earliest = -self._timeline.segments[index - 1].n_motion if sees_before else self.first(index)
        latest = n_motion + self._timeline.segments[index + 1].n_motion if straddles else self.stop(index)
        start = max(chunk.start - self._grid.context, earliest)
        stop = min(chunk.stop + self._grid.context, latest)
        parts = [
            (index - 1, start - earliest, -earliest),
            (index, max(start, 0) if sees_before else start, min(stop, n_motion) if straddles else stop),
            (index + 1, 0, stop - n_motion),
        ]
        if not straddles:
            del parts[2]
        if not sees_before:
            del parts[0]
        return self._assemble(parts, chunk.start - start, len(chunk), stop - chunk.stop)

    def _assemble(self, parts: list[tuple[int, int, int]], before: int, n_frames: int, after: int) -> Drive:
        segments = self._timeline.segments
        parts = [part for part in parts if part[2] > part[1]]
        lengths = [stop - start for _, start, stop in parts]
        controls = [segments[index].controls for index, _, _ in parts]

        def per_frame(values: list[float]) -> F32:
            return np.repeat(np.asarray(values, np.float32), lengths)

        return Drive(
            features=AudioFeatures.join([self._heard(*part) for part in parts]),
            emotion=np.concatenate([emotion_track(self._timeline, *part) for part in parts]),
            speech=np.concatenate([self._speaks(*part) for part in parts]),
            head=per_frame([control.head for control in controls]),
            gaze_free=per_frame([float(control.gaze is Gaze.FREE) for control in controls]),
            blinks=per_frame([control.blinks for control in controls]),
            spans=tuple(NoiseSpan(*segments[index].key, start, stop) for index, start, stop in parts),
            before=before,
            n_frames=n_frames,
            after=after,
        )

    def _heard(self, index: int, start: int, stop: int) -> AudioFeatures:
        """Features of motion frames [start, stop); silence before a segment's start and after its end."""
        features = self._features(index)
        inside = features[max(start, 0) : min(stop, len(features))]
        early, late = max(0, min(stop, 0) - start), max(0, stop - max(start, len(features)))
        return AudioFeatures.join([self._silence(early), inside, self._silence(late)])

    def _speaks(self, index: int, start: int, stop: int) -> F32:
        segment = self._timeline.segments[index]
        frames = np.arange(start, stop)
        return ((frames >= 0) & (frames < segment.n_motion) & (not segment.is_pause)).astype(np.float32)

    # --- motion -----------------------------------------------------------------------------------------------------

    def _sample_chunks(self, index: int) -> list[tuple[Chunk, F32]]:
        plan = self.plan(index)
        sampled: list[F32] = []
        for first in range(0, len(plan), _TOGETHER):
            drives = [self.drive(index, chunk) for chunk in plan[first : first + _TOGETHER]]
            sampled += self._sample(index, drives)
        return list(zip(plan, sampled, strict=True))

    def _blend(self, index: int) -> F32:
        """Motion [stop - first, D] of a segment, blended from its chunks and the one that reaches in."""
        blender = OverlapBlender(self.first(index), self.stop(index), self._grid.overlap)
        if index and self._joins(index - 1):
            n_before = self._timeline.segments[index - 1].n_motion
            for chunk, values in self._chunks(index - 1):
                if chunk.stop > n_before:
                    blender.add(Chunk(chunk.start - n_before, chunk.stop - n_before), values)
        for chunk, values in self._chunks(index):
            blender.add(chunk, values)
        return blender.result()

    def _moved(self, index: int) -> F32:
        """Motion of a segment, sampled, or from a file and led over to what is sampled around it."""
        given = self._given(index)
        if given is None:
            return self._blend(index)
        first, n_motion = self.first(index), self._timeline.segments[index].n_motion
        before, after = self._beside(index, given, -1), self._beside(index, given, 1)
        if first == 0 and self.stop(index) == n_motion and not before.ramp and not after.ramp:
            return given.motion
        motion = self._blend(index)
        inside = slice(-first, n_motion - first)
        motion[inside] = joined(given.motion, motion[inside], before, after)
        return motion

    def _beside(self, index: int, given: Given, way: int) -> Beside:
        """Return what a segment with motion from a file is to be joined to, before it (`way` -1) or after it (1)."""
        segment, other = self._timeline.segments[index], index + way
        if segment.handle_before if way < 0 else segment.handle_after:
            return Beside(LEAST_RAMP)
        if not (0 <= other < len(self._timeline.segments) and self._joins(min(index, other))):
            return Beside()
        later = self._timeline.segments[max(index, other)]
        ramp = max(LEAST_RAMP, round(later.transition_frames / self._timeline.fps * MOTION_FPS))
        beside = self._given(other)
        if beside is None:
            return Beside(ramp)
        if beside.leads_to(given) if way < 0 else given.leads_to(beside):
            return Beside()
        return Beside(ramp, beside.motion[-2:] if way < 0 else beside.motion[:2])

    def motion(self, index: int) -> F32:
        """Return the motion of a segment on its own motion frames, float32 [stop - first, D]."""
        return self._motion(index)

    def at_frames(self, index: int, start: int, stop: int) -> F32:
        """Return motion [stop - start, D] at video frames [start, stop), counted from the segment's first.

        Linear between motion frames. Where a segment's length is no multiple of 1/25 s, its last motion frame meets the
        first of the next segment at the join, so that a run has no gap at any frame rate.
        """
        segment = self._timeline.segments[index]
        times = np.arange(start, stop) / float(self._timeline.fps)
        values = self.motion(index)
        knots = np.arange(self.first(index), self.stop(index)) / MOTION_FPS
        if self._joins(index):
            after = self.motion(index + 1)[-self.first(index + 1) :]
            values, knots = np.vstack([values, after[:1]]), np.append(knots, float(segment.seconds))
        return _interpolate(times, knots, values)


def _interpolate(times: NDArray[np.float64], knots: NDArray[np.float64], values: F32) -> F32:
    """Linear interpolation of [K, D] at `knots`, held outside."""
    if len(knots) == 1:
        return values.repeat(len(times), axis=0)
    right = np.clip(np.searchsorted(knots, times, side="right"), 1, len(knots) - 1)
    width = knots[right] - knots[right - 1]
    share = np.clip((times - knots[right - 1]) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    # Times that are multiples of 1/25 s in exact arithmetic must hit their motion frame exactly.
    share = np.where(share < 1e-9, 0.0, np.where(share > 1 - 1e-9, 1.0, share)).astype(np.float32)
    column = share.reshape(-1, *([1] * (values.ndim - 1)))
    return np.asarray(values[right - 1] * (1 - column) + values[right] * column, np.float32)


class _Recent(Generic[T]):
    """Remembers what a function returned for the last few segments."""

    def __init__(self, function: Callable[[int], T]) -> None:
        self._function = function
        self._kept: dict[int, T] = {}

    def __call__(self, index: int) -> T:
        if index not in self._kept:
            value = self._function(index)
            while len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[index] = value
        return self._kept[index]
