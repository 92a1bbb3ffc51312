"""A script becomes a timeline: every segment on whole video frames, every sample accounted for.

Placement looks at neighbours only, and everything that keys a performance (segment id, take, motion frame inside the
segment) is counted from the segment's own first sample. Inserting, lengthening, deleting or moving a line therefore
leaves the motion of all lines that do not touch it as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Protocol

from moee_cli.core.errors import AudioError, Problem, ScriptError
from moee_cli.core.timebase import (
    frames_covering,
    max_piece_frames,
    nearest_frame,
    round_half_up,
    sample_of_frame,
)
from moee_cli.core.types import AudioSpan, EmotionKey, Piece, Segment, Timeline, TransitionKind
from moee_cli.script.schema import Line

DEFAULT_BLEND = Fraction(2, 5)
"""Length of a blend without one, in seconds: about the onset time of a posed expression (0.3-0.5 s)."""
DEFAULT_DISSOLVE = Fraction(1, 2)
"""Length of a dissolve without one, in seconds."""
_TYPED = Fraction(1, 1000)
"""A time typed with three decimals may lie this much past the last sample."""
PAUSE_REMAINDER = 0.2
"""Share of the previous intensity that a pause keeps: expressions fade, they do not switch off."""
NEUTRAL = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class AudioLength(Protocol):
    """What a timeline needs to know about an audio file."""

    @property
    def rate(self) -> int:
        """Samples per second of the file."""

    @property
    def n_samples(self) -> int:
        """Exact length."""


@dataclass(frozen=True)
class _Placed:
    """A line with its stretch of audio, before it has a place in the film."""

    line: Line
    audio: AudioSpan | None = None
    start: Fraction = Fraction(0)
    """Exact seconds in the file, as typed: samples are rounded, frames must not be."""
    stop: Fraction = Fraction(0)
    continues: bool = False


def build_timeline(lines: Sequence[Line], fps: Fraction, probe: Callable[[Path], AudioLength]) -> Timeline:
    """Return the timeline of `lines` at `fps`; `probe` says how long an audio file is.

    Raises:
        ScriptError: an audio file cannot be read, or `from`/`to` do not fit it; all such faults at once.
    """
    placed = _measure(lines, probe)
    segments, warnings = _join(_place(placed, fps), placed, fps)
    return Timeline(fps, segments, _cut_pieces(segments, fps), (*warnings, *_late_keys(segments)))


def _measure(lines: Sequence[Line], probe: Callable[[Path], AudioLength]) -> list[_Placed]:
    """Find the stretch of audio of every line; collect what does not fit."""
    problems: list[Problem] = []
    placed: list[_Placed] = []
    for line in lines:
        item = _Placed(line)
        if line.audio is not None:
            try:
                item = _stretch(line, line.audio, probe(line.audio))
            except AudioError as error:
                problems.append(Problem(error.message, line.where, f"{line.key}.audio", error.hint))
                continue
            except _StretchFault as fault:
                problems.append(Problem(fault.message, line.where, f"{line.key}.{fault.key}", fault.hint))
                continue
        before = placed[-1].audio if placed else None
        if item.audio and before and item.audio.path == before.path and item.audio.start == before.stop:
            item = replace(item, continues=True)
        placed.append(item)
    if problems:
        raise ScriptError(problems)
    return placed


class _StretchFault(Exception):
    def __init__(self, key: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.key, self.message, self.hint = key, message, hint


def _stretch(line: Line, path: Path, length: AudioLength) -> _Placed:
    whole = Fraction(length.n_samples, length.rate)
    start = line.start or Fraction(0)
    stop = whole if line.stop is None else line.stop
    if whole < stop <= whole + _TYPED:
        stop = whole
    told = f"{path.name} is {float(whole):.3f} s long"
    if start >= whole:
        raise _StretchFault("from", f"starts at {float(start):.3f} s, but {told}", "choose an earlier time")
    if stop > whole:
        hint = "leave `to` out to play to the end"
        raise _StretchFault("to", f"ends at {float(stop):.3f} s, but {told}", hint)
    span = AudioSpan(path, round_half_up(start * length.rate), round_half_up(stop * length.rate), length.rate)
    if span.stop <= span.start:
        raise _StretchFault("to", "holds no sample between `from` and `to`", "`to` must be later than `from`")
    return _Placed(line, span, start, stop)


def _place(placed: Sequence[_Placed], fps: Fraction) -> list[Segment]:
    """Put every line on whole frames; runs and transitions come later."""
    segments: list[Segment] = []
    problems: list[Problem] = []
    frame = 0
    for index, item in enumerate(placed):
        line = item.line
        goes_on = index + 1 < len(placed) and placed[index + 1].continues
        audio, pad, n_frames = _on_frames(item, fps, goes_on=goes_on)
        if n_frames < 1:
            told = f"lasts {float(item.stop - item.start) * 1000:.0f} ms, less than a video frame"
            problems.append(Problem(told, line.where, line.key, "join it with the line before or after it"))
        segments.append(
            Segment(
                id=line.id,
                take=line.take,
                speaker=line.speaker,
                audio=audio,
                continues=item.continues,
                start_frame=frame,
                n_frames=n_frames,
                pad=pad,
                seconds=n_frames / fps,
                run=0,
                transition=TransitionKind.CUT,
                transition_frames=0,
                handle_before=0,
                handle_after=0,
                emotion=_emotion(line, segments),
                controls=line.controls,
                motion=line.motion,
                is_centred=line.is_centred,
                where=line.where,
            )
        )
        frame += n_frames
    if problems:
        raise ScriptError(problems)
    return segments


def _on_frames(item: _Placed, fps: Fraction, *, goes_on: bool) -> tuple[AudioSpan | None, Fraction, int]:
    """Return the audio, the silence before it, and the video frames of one line, from itself and its neighbours alone.

    Where one line continues the recording of another, the border between them moves to the nearest frame of the
    *recording's* clock, and the first of them is padded in front. So the frames of a chain do not depend on where in
    the film, or at which line, it begins.
    """
    if item.audio is None:
        return None, Fraction(0), max(1, nearest_frame(item.line.pause or Fraction(0), fps))
    if not item.continues and not goes_on:
        return item.audio, Fraction(0), frames_covering(item.stop - item.start, fps)
    first = nearest_frame(item.start, fps) if item.continues else floor(item.start * fps)
    last = nearest_frame(item.stop, fps) if goes_on else frames_covering(item.stop, fps)
    audio, rate = item.audio, item.audio.rate
    if item.continues:
        audio = replace(audio, start=sample_of_frame(first, fps, rate))
    if goes_on:
        audio = replace(audio, stop=sample_of_frame(last, fps, rate))
    pad = Fraction(0) if item.continues else item.start - first / fps
    return audio, pad, last - first


def _emotion(line: Line, before: Sequence[Segment]) -> tuple[EmotionKey, ...]:
    """Return the keys of a line; a pause without an emotion of its own keeps a faint rest of what was there."""
    if line.pause is None or line.emotion_given:
        return line.emotion
    if not before:
        return (EmotionKey(NEUTRAL, 0.0),)
    last = before[-1].emotion[-1]
    return (EmotionKey(last.weights, PAUSE_REMAINDER * last.intensity),)


def _join(
    segments: Sequence[Segment], placed: Sequence[_Placed], fps: Fraction
) -> tuple[tuple[Segment, ...], list[str]]:
    """Resolve how each segment starts: runs, transition lengths, dissolve handles."""
    joined = list(segments)
    problems: list[Problem] = []
    warnings: list[str] = []
    run = 0
    for index, item in enumerate(placed):
        segment, wish = joined[index], item.line.transition
        if index == 0:
            if wish.kind in (TransitionKind.BLEND, TransitionKind.DISSOLVE):
                warnings.append(
                    f"{item.line.where}: the first segment has nothing to {wish.kind.value} from: it starts"
                )
            continue
        before = joined[index - 1]
        same = before.speaker == segment.speaker
        kind = wish.kind
        if kind is TransitionKind.AUTO:
            kind = TransitionKind.BLEND if same else TransitionKind.CUT
        if kind is TransitionKind.BLEND and not same:
            problems.append(
                Problem(
                    f"blend needs one speaker, but {before.speaker} comes before {segment.speaker}",
                    item.line.where,
                    f"{item.line.key}.transition",
                    "use `dissolve` or `cut` between speakers",
                )
            )
        half = _half_frames(kind, wish.seconds, fps)
        room = min(before.n_frames, segment.n_frames) // 2
        if half > room:
            if wish.seconds is not None:
                warnings.append(
                    f"{item.line.where}: {kind.value} of {float(wish.seconds):g} s is longer than its neighbours allow:"
                    f" shortened to {float(2 * room / fps):.3f} s"
                )
            half = room
        if kind is TransitionKind.DISSOLVE and half == 0:
            kind = TransitionKind.CUT
        run += kind is not TransitionKind.BLEND
        handle = half if kind is TransitionKind.DISSOLVE else 0
        joined[index - 1] = replace(before, handle_after=handle)
        joined[index] = replace(segment, run=run, transition=kind, transition_frames=2 * half, handle_before=handle)
    if problems:
        raise ScriptError(problems)
    return tuple(joined), warnings


def _late_keys(segments: Sequence[Segment]) -> list[str]:
    """Name the keyframes that lie after the end of their segment."""
    return [
        f"{segment.where}: the keyframe at {float(key.at):g} s is never reached: {segment.id} lasts"
        f" {float(segment.seconds - segment.pad):.2f} s"
        for segment in segments
        for key in segment.emotion
        if isinstance(key.at, Fraction) and key.at > segment.seconds
    ]


def _half_frames(kind: TransitionKind, seconds: Fraction | None, fps: Fraction) -> int:
    """Video frames of half a transition."""
    if kind is TransitionKind.CUT:
        return 0
    default = DEFAULT_DISSOLVE if kind is TransitionKind.DISSOLVE else DEFAULT_BLEND
    return nearest_frame((default if seconds is None else seconds) / 2, fps)


def _cut_pieces(segments: Sequence[Segment], fps: Fraction) -> tuple[Piece, ...]:
    """Cut every segment into pieces on a grid from its own start."""
    size = max_piece_frames(fps)
    return tuple(
        Piece(index, start, min(size, segment.n_frames - start))
        for index, segment in enumerate(segments)
        for start in range(0, segment.n_frames, size)
    )


def select(timeline: Timeline, ids: Sequence[str]) -> Timeline:
    """Return the film of the segments named in `ids` alone, in film order, closed up, each as in the whole.

    Only places change: frames, motion and joins are those of the whole film.

    Raises:
        ScriptError: an id is not in the script.
    """
    known = {segment.id for segment in timeline.segments}
    if unknown := [name for name in ids if name not in known]:
        hint = "ids: " + ", ".join(segment.id for segment in timeline.segments if not segment.is_pause)
        raise ScriptError([Problem(f'no segment has the id "{name}"', hint=hint) for name in unknown])
    kept = [index for index, segment in enumerate(timeline.segments) if segment.id in set(ids)]
    segments: list[Segment] = []
    frame = 0
    for index in kept:
        segment = timeline.segments[index]
        goes_on = segment.continues and index - 1 in kept
        segments.append(replace(segment, start_frame=frame, continues=goes_on))
        frame += segment.n_frames
    return Timeline(timeline.fps, tuple(segments), _cut_pieces(segments, timeline.fps), timeline.warnings)
