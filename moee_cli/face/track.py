"""Face motion with times of its own: what a motion file holds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.labels import CHANNEL, GAZE
from moee_cli.core.types import F32

F64 = NDArray[np.float64]
GAZE_COLUMNS = [CHANNEL[name] for name in GAZE]
_SAME = 1e-6
"""Seconds between two times that are one: more than sums of floats are off, less than a timecode tells."""


@dataclass(frozen=True)
class TrackPart:
    """One segment of the film that a track was written from."""

    id: str
    start: float
    """Seconds from the beginning of the track."""
    seconds: float


@dataclass(frozen=True, eq=False)
class MotionTrack:
    """Motion of one face, at times of its own."""

    motion: F32
    """[n, 52], columns `labels.MOTION_CHANNELS`."""
    times: F64
    """[n] seconds from the beginning of the track, growing; the first may be above 0."""
    seconds: float
    """Length, the last row's own duration included."""
    parts: tuple[TrackPart, ...] = ()
    remarks: tuple[str, ...] = ()
    """What is odd about the file, for the user."""

    def resting_gaze(self) -> F32:
        """Return where the eyes mostly look, yaw and pitch [2] in radians: the camera, at 0, or beside it."""
        return np.asarray(np.median(self.motion[:, GAZE_COLUMNS], axis=0), np.float32)

    def part(self, segment_id: str) -> TrackPart | None:
        """Return the part that was written for the segment of this id."""
        return next((part for part in self.parts if part.id == segment_id), None)

    def at(self, times: F64) -> F32:
        """Return motion [len(times), 52] at times in seconds: linear between rows, held before and after them."""
        # A time that is a row's in exact arithmetic gives that row, to the bit.
        near = np.searchsorted(self.times, times - _SAME).clip(max=len(self.times) - 1)
        times = np.where(np.abs(self.times[near] - times) < _SAME, self.times[near], times)
        columns = [np.interp(times, self.times, column) for column in self.motion.T]
        return np.asarray(np.stack(columns, axis=1), np.float32)


def even_times(n: int, fps: Fraction) -> F64:
    """Return the times [n] of video frames, each correctly rounded: a sum of steps would drift."""
    return np.arange(n, dtype=np.float64) * fps.denominator / fps.numerator
