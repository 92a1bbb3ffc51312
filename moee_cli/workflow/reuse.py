"""`motion: FILE` on a segment: which stretch of a file belongs to which line, and whether it fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import degrees
from pathlib import Path

import numpy as np

from moee_cli.core.errors import AudioError, MotionFileError, Problem
from moee_cli.core.timebase import MOTION_FPS
from moee_cli.core.types import F32, Segment
from moee_cli.face.motion_file import read_motion
from moee_cli.face.track import GAZE_COLUMNS, MotionTrack
from moee_cli.script.schema import Line
from moee_cli.script.timeline import AudioLength

TOLERANCE = 0.2
"""Seconds that a file may be longer or shorter than its sound: the app's recordings of sound and motion do not end with
one frame. What is missing holds the last row, what is too much is left out; the beginnings always meet."""


_OFF_CAMERA = 0.12
"""Radians, half of what left the example portraits with eyes cast down: a phone held low while recording."""


@dataclass(frozen=True)
class Fit:
    """Where a line begins in a motion file."""

    offset: float
    """Seconds in the file."""
    error: float
    """Seconds by which the lengths differ."""
    is_part: bool = False
    """It is a segment of the film that the file was written from, silence before its first sample included."""


def fit(track: MotionTrack, segment_id: str, *, start: Fraction, seconds: Fraction, whole: Fraction) -> Fit:
    """Return where a line of `seconds`, cut from `start` of a recording of `whole` seconds, best begins in a track.

    Of the film that the file was written from, the segment with the line's id; else the file moves with the stretch
    that is heard, or with the whole recording and is cut as it is: whichever length is nearer.
    """
    fits = [
        Fit(float(start), abs(track.seconds - float(whole))),
        Fit(0.0, abs(track.seconds - float(seconds))),
    ]
    if part := track.part(segment_id):
        own = Fit(part.start, abs(part.seconds - float(seconds)), is_part=True)
        if own.error <= TOLERANCE:
            return own
    return min(fits, key=lambda each: each.error)


def motion_faults(lines: Sequence[Line], probe: Callable[[Path], AudioLength]) -> list[Problem]:
    """Return what is wrong with the motion files of lines, and which do not fit their sound."""
    return [problem for line in lines if line.motion is not None for problem in _faults(line, line.motion, probe)]


def _faults(line: Line, path: Path, probe: Callable[[Path], AudioLength]) -> list[Problem]:
    key = f"{line.key}.motion"
    try:
        track = _read(path)
    except MotionFileError as error:
        return [Problem(error.message, line.where, key, error.hint)]
    try:
        whole = _whole(line.audio, probe) or line.pause or Fraction(0)
    except AudioError:
        return []  # of which the timeline tells
    start = line.start or Fraction(0)
    seconds = (whole if line.stop is None else line.stop) - start
    if fit(track, line.id, start=start, seconds=seconds, whole=whole).error <= TOLERANCE:
        return []
    told = f"{path.name} is {track.seconds:.2f} s long, but the segment {float(seconds):.2f} s"
    if seconds < whole:
        told += f" and its whole recording {float(whole):.2f} s"
    hint = f"lengths must agree to {TOLERANCE:g} s; one segment of a film is found in its npz"
    return [Problem(told, line.where, key, hint)]


def motion_remarks(lines: Sequence[Line]) -> tuple[str, ...]:
    """Return what is odd about the motion files of lines: rows that are left out, eyes that look past the camera."""
    paths = dict.fromkeys(line.motion for line in lines if line.motion is not None)
    remarks = [remark for path in paths for remark in _read(path).remarks]
    for path in dict.fromkeys(line.motion for line in lines if line.motion is not None and not line.is_centred):
        off = float(np.hypot(*_read(path).resting_gaze()))
        if off > _OFF_CAMERA:
            told = f"{path.name}: the eyes rest {degrees(off):.0f} degrees off the camera"
            remarks.append(f"{told}; `gaze: camera` beside `motion` turns them back")
    return tuple(remarks)


@dataclass(frozen=True, eq=False)
class Given:
    """The motion of a segment, from a file."""

    motion: F32
    """[n_motion, 52]"""
    path: Path
    start: float
    """Seconds in the file at which the segment begins."""
    stop: float
    is_centred: bool = False

    def leads_to(self, after: Given) -> bool:
        """Whether the file goes on in the next segment: then there is no join to smooth."""
        same = (self.path, self.is_centred) == (after.path, after.is_centred)
        return same and abs(self.stop - after.start) < 0.5 / MOTION_FPS


def given_motion(segment: Segment, probe: Callable[[Path], AudioLength]) -> Given | None:
    """Return the motion of a segment that takes it from a file, on its motion frames."""
    if segment.motion is None:
        return None
    track, audio = _read(segment.motion), segment.audio
    start, seconds, whole = Fraction(0), segment.seconds, segment.seconds
    if audio is not None:
        start, seconds, whole = Fraction(audio.start, audio.rate), audio.seconds, _whole(audio.path, probe) or seconds
    found = fit(track, segment.id, start=start, seconds=seconds, whole=whole)
    first = found.offset - (0.0 if found.is_part else float(segment.pad))
    times = first + np.arange(segment.n_motion) / MOTION_FPS
    motion = track.at(times)
    if segment.is_centred:
        motion[:, GAZE_COLUMNS] -= track.resting_gaze()
    return Given(motion, segment.motion, first, first + float(segment.seconds), segment.is_centred)


def _whole(audio: Path | None, probe: Callable[[Path], AudioLength]) -> Fraction | None:
    """Return the length of a recording in seconds; None for a pause."""
    if audio is None:
        return None
    length = probe(audio)
    return Fraction(length.n_samples, length.rate)


def _read(path: Path) -> MotionTrack:
    try:
        state = path.stat()
    except OSError as error:
        raise MotionFileError(f"cannot read {path.name}: {error.strerror or error}") from None
    return _read_once(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=2)
def _read_once(path: Path, _changed: int, _size: int) -> MotionTrack:
    """Remember the last files: the lines of a film come from few, and a check reads before a render does."""
    return read_motion(path)
