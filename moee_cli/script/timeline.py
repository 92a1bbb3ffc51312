"""A script becomes a timeline: every segment on whole video frames, every sample accounted for.

Placement looks at neighbours only, and everything that keys a performance (segment id, take, motion frame inside the
segment) is counted from the segment's own first sample. Inserting, lengthening, deleting or moving a line therefore
leaves the motion of all lines that do not touch it as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
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
    """A line with its audio span, before it has a place in the film."""

    line: Line
    audio: AudioSpan | None
    continues: bool


def build_timeline(lines: Sequence[Line], fps: Fraction, probe: Callable[[Path], AudioLength]) -> Timeline:
    """Return the timeline of `lines` at `fps`; `probe` says how long an audio file is.

    Raises:
        ScriptError: an audio file cannot be read, or `from`/`to` do not fit it; all such faults at once.
    """
    placed = _measure(lines, probe)
    segments = _place(placed, fps)
    runs_and_joins, warnings = _join(segments, placed, fps)
    return Timeline(fps, runs_and_joins, _cut_pieces(runs_and_joins, fps), tuple(warnings))


def _measure(lines: Sequence[Line], probe: Callable[[Path], AudioLength]) -> list[_Placed]:
    """Find the sample span of every line; collect what does not fit."""
    problems: list[Problem] = []
    placed: list[_Placed] = []
    for line in lines:
        span: AudioSpan | None = None
        if line.audio is not None:
            try:
                span = _span(line, line.audio, probe(line.audio))
            except AudioError as error:
                problems.append(Problem(error.message, line.where, f"{line.key}.audio", error.hint))
                continue
            except _SpanFault as fault:
                problems.append(Problem(fault.message, line.where, f"{line.key}.{fault.key}", fault.hint))
                continue
        before = placed[-1].audio if placed else None
        continues = bool(
            span and before and span.path == before.path and span.start == before.stop and span.rate == before.rate
        )
        placed.append(_Placed(line, span, continues))
    if problems:
        raise ScriptError(problems)
    return placed


class _SpanFault(Exception):
    def __init__(self, key: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.key, self.message, self.hint = key, message, hint


def _span(line: Line, path: Path, length: AudioLength) -> AudioSpan:
    seconds = Fraction(length.n_samples, length.rate)
    start = round_half_up((line.start or Fraction(0)) * length.rate)
    # A time typed with three decimals may lie up to half a millisecond past the last sample.
    stop = length.n_samples if line.stop is None else round_half_up(line.stop * length.rate)
    if length.n_samples < stop <= length.n_samples + length.rate // 1000:
        stop = length.n_samples
    told = f"{path.name} is {float(seconds):.3f} s long"
    if start >= length.n_samples:
        raise _SpanFault("from", f"starts at {float(line.start or 0):.3f} s, but {told}", "choose an earlier time")
    if stop > length.n_samples:
        raise _SpanFault(
            "to", f"ends at {float(line.stop or 0):.3f} s, but {told}", "leave `to` out to play to the end"
        )
    if stop <= start:
        raise _SpanFault("to", "holds no sample between `from` and `to`", "`to` must be later than `from`")
    return AudioSpan(path, start, stop, length.rate)


def _place(placed: Sequence[_Placed], fps: Fraction) -> list[Segment]:
    """Put every line on whole frames; runs and transitions come later."""
    segments: list[Segment] = []
    problems: list[Problem] = []
    frame = 0
    chain_start, chain_seconds = 0, Fraction(0)
    for index, item in enumerate(placed):
        line = item.line
        goes_on = index + 1 < len(placed) and placed[index + 1].continues
        if item.audio is None:
            stop = frame + max(1, nearest_frame(line.pause or Fraction(0), fps))
            seconds, lead = (stop - frame) / fps, Fraction(0)
        else:
            if not item.continues:
                chain_start, chain_seconds = frame, Fraction(0)
            lead = (frame - chain_start) / fps - chain_seconds
            first = chain_seconds
            chain_seconds += item.audio.seconds
            if goes_on:
                stop, seconds = chain_start + nearest_frame(chain_seconds, fps), item.audio.seconds
            else:
                stop = chain_start + frames_covering(chain_seconds, fps)
                seconds = (stop - chain_start) / fps - first
            if stop <= frame:
                problems.append(
                    Problem(
                        f"lasts {float(item.audio.seconds) * 1000:.0f} ms, less than a video frame",
                        line.where,
                        line.key,
                        "join it with the line before or after it",
                    )
                )
        segments.append(
            Segment(
                id=line.id,
                take=line.take,
                speaker=line.speaker,
                audio=item.audio,
                continues=item.continues,
                start_frame=frame,
                n_frames=stop - frame,
                lead=lead,
                seconds=seconds,
                run=0,
                transition=TransitionKind.CUT,
                transition_frames=0,
                handle_before=0,
                handle_after=0,
                emotion=_emotion(line, segments),
                controls=line.controls,
                where=line.where,
            )
        )
        frame = stop
    if problems:
        raise ScriptError(problems)
    return segments


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
        segments.append(
            replace(segment, start_frame=frame, continues=goes_on, lead=segment.lead if goes_on else Fraction(0))
        )
        frame += segment.n_frames
    return Timeline(timeline.fps, tuple(segments), _cut_pieces(segments, timeline.fps), timeline.warnings)


def sound_start(segment: Segment, fps: Fraction) -> int:
    """Return the film sample at which a segment that does not continue another begins."""
    return sample_of_frame(segment.start_frame, fps)
