"""A plan: the timeline of a script with mixes, pieces and an estimate. Runs nothing, imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moee_cli.core.errors import EngineUnavailable, NotInRelease, PortraitError, Problem, ScriptError
from moee_cli.core.labels import EMOTIONS
from moee_cli.core.types import EmotionKey, Segment, Timeline
from moee_cli.engines.base import EngineSpec
from moee_cli.engines.registry import engine_spec
from moee_cli.script.positions import spell_path
from moee_cli.script.schema import Output, Script
from moee_cli.script.timeline import AudioLength, build_timeline
from moee_cli.workflow.motion_out import MotionFile, describe_motion, motion_files
from moee_cli.workflow.provenance import describe_segments
from moee_cli.workflow.reuse import motion_faults, motion_remarks

if TYPE_CHECKING:
    from moee_cli.media.decode import AudioInfo

START_UP_SECONDS = 2.5
"""Imports, landmarks and stitching of one render; see docs/benchmarks.md."""
MEASURED_AT = 512 * 512
"""Pixels of the frame that an engine's `frames_per_second` and memory were measured at."""
BYTES_PER_PIXEL = 240
"""Growth of memory with the frame, measured between 512x512 and 1080x1920; see docs/benchmarks.md."""

KEPT_BYTES_PER_PIXEL = 60
"""What every further output keeps: prepared portraits, while only one is drawn and encoded; see docs/benchmarks.md."""


@dataclass(frozen=True)
class PlanRow:
    """One segment, as a person reads it."""

    id: str
    speaker: str
    start_seconds: float
    seconds: float
    n_frames: int
    emotion: str
    transition: str
    n_pieces: int
    run: int
    is_pause: bool


@dataclass(frozen=True)
class Plan:
    """What a render would do."""

    script: Script
    spec: EngineSpec
    timelines: Mapping[Fraction, Timeline]
    """One for each frame rate among the outputs, the first output's first."""
    remarks: tuple[str, ...] = ()
    """What is odd about audio files and pictures."""

    @property
    def timeline(self) -> Timeline:
        """The timeline of the first output."""
        return self.timelines[self.script.outputs[0].frame.fps]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know before rendering."""
        placed = [warning for timeline in self.timelines.values() for warning in timeline.warnings]
        return tuple(dict.fromkeys([*(str(problem) for problem in self.script.warnings), *placed, *self.remarks]))

    @property
    def rows(self) -> tuple[PlanRow, ...]:
        """One row per segment, as the first output shows it."""
        pieces = [piece.segment for piece in self.timeline.pieces]
        return tuple(
            PlanRow(
                id=segment.id,
                speaker=segment.speaker,
                start_seconds=float(segment.start_frame / self.timeline.fps),
                seconds=float(segment.n_frames / self.timeline.fps),
                n_frames=segment.n_frames,
                emotion=emotion_text(segment),
                transition=transition_text(segment, self.timeline.fps) if index else "",
                n_pieces=pieces.count(index),
                run=segment.run,
                is_pause=segment.is_pause,
            )
            for index, segment in enumerate(self.timeline.segments)
        )

    @property
    def estimate_seconds(self) -> float:
        """Wall time of a render on a machine like the one of docs/benchmarks.md."""
        fixed = self.spec.seconds_per_frame
        total = START_UP_SECONDS
        for output in self.script.outputs:
            area = output.frame.width * output.frame.height / MEASURED_AT
            n_frames = self.timelines[output.frame.fps].n_frames
            total += n_frames * (fixed + area * (1 / self.spec.frames_per_second - fixed))
        return total

    @property
    def estimate_memory_bytes(self) -> int:
        """Peak memory of a render; does not grow with the film's length."""
        pixels = sorted(output.frame.width * output.frame.height for output in self.script.outputs)
        growth = max(0, pixels[-1] - MEASURED_AT) * BYTES_PER_PIXEL + sum(pixels[:-1]) * KEPT_BYTES_PER_PIXEL
        return self.spec.requirements.memory_bytes + growth

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain values, for `--json`; segments are counted in frames of the first output."""
        return {
            "script": self.script.stem,
            "engine": self.spec.name,
            "seed": self.script.seed,
            **self._describe(self.script.outputs[0]),
            "outputs": [self._describe(output) for output in self.script.outputs],
            "estimate": {"seconds": round(self.estimate_seconds, 1), "memory_bytes": self.estimate_memory_bytes},
            "segments": describe_segments(self.timeline),
            "warnings": list(self.warnings),
        }

    def _describe(self, output: Output) -> dict[str, Any]:
        timeline = self.timelines[output.frame.fps]
        return {
            "output": None if output.path is None else str(output.path),
            "presets": list(output.presets),
            "frame": {
                "width": output.frame.width,
                "height": output.frame.height,
                "fps": str(timeline.fps),
                "background": str(output.frame.background),
            },
            "n_frames": timeline.n_frames,
            "seconds": round(float(timeline.seconds), 6),
            "n_pieces": len(timeline.pieces),
            "motion": [describe_motion(file) for file in self.motion_files(output)],
        }

    def motion_files(self, output: Output) -> tuple[MotionFile, ...]:
        """Return the files of face motion that are written beside an output."""
        if output.path is None:
            return ()
        return motion_files(output.path, self.script.write, self.timelines[output.frame.fps])


def plan(script: Script) -> Plan:
    """Return the plan of a script.

    Raises:
        NotInRelease: the script uses something this release does not do yet.
        EngineUnavailable: its engine cannot draw the background it asks for, or its motion is not that of a face.
        ScriptError: audio or motion is missing or does not fit (all faults at once), or `fit: source` makes too small
            a frame.
    """
    from moee_cli.media.decode import probe_audio

    if script.deferred:
        raise NotInRelease(script.deferred)
    script, sizes = sized(script)
    probe = cache(probe_audio)  # whose own memory a script of many files outgrows
    spec = engine_spec(script.engine)
    if not spec.draws_transparent and any(output.frame.is_transparent for output in script.outputs):
        hint = "choose another `background`, or another engine"
        raise EngineUnavailable(f"engine {spec.name} cannot draw `background: transparent`", hint)
    if not spec.moves_face and (script.write or any(line.motion is not None for line in script.lines)):
        hint = "remove `write` and `motion`, or choose another engine"
        raise EngineUnavailable(f"engine {spec.name} moves no face that files could hold", hint)
    timelines = _timelines(script, probe)
    return Plan(script, spec, timelines, (*sizes, *_file_remarks(script, probe)))


def _file_remarks(script: Script, probe: Callable[[Path], AudioInfo]) -> tuple[str, ...]:
    """Return what is odd about the sounds and motion files of a script."""
    files = dict.fromkeys(line.audio for line in script.lines if line.audio is not None)
    heard = [f"{path.name}: {warning}" for path in files for warning in probe(path).warnings]
    return (*heard, *motion_remarks(script.lines))


def sized(script: Script) -> tuple[Script, tuple[str, ...]]:
    """Return the script with the sizes that come from the first speaker's picture (`fit: source`), and remarks.

    Raises:
        ScriptError: that picture cannot be used, or makes too small a frame.
    """
    if all(output.frame.scale_of_picture is None for output in script.outputs):
        return script, ()
    from moee_cli.face.portrait import source_frame

    member = script.cast[script.lines[0].speaker]
    outputs: list[Output] = []
    remarks: list[str] = []
    for output in script.outputs:
        frame = output.frame
        if frame.scale_of_picture is not None:
            try:
                frame, told = source_frame(member.portrait, frame)
            except PortraitError as error:
                key = spell_path(("cast", member.name, "portrait"))
                raise ScriptError([Problem(error.message, member.where, key, error.hint)]) from None
            remarks += told
        outputs.append(replace(output, frame=frame))
    return replace(script, outputs=tuple(outputs)), tuple(dict.fromkeys(remarks))


def place(script: Script) -> tuple[Timeline, tuple[str, ...]]:
    """Return the timeline of a script, at the frame rate of its first output, and remarks about the files it names.

    Raises:
        ScriptError: audio or motion is missing or does not fit; all faults at once.
    """
    from moee_cli.media.decode import probe_audio

    probe = cache(probe_audio)
    timeline = next(iter(_timelines(script, probe).values()))
    return timeline, _file_remarks(script, probe)


def _timelines(script: Script, probe: Callable[[Path], AudioLength]) -> dict[Fraction, Timeline]:
    rates = dict.fromkeys(output.frame.fps for output in script.outputs)
    faults = motion_faults(script.lines, probe)
    try:
        timelines = {fps: build_timeline(script.lines, fps, probe) for fps in rates}
    except ScriptError as error:
        raise ScriptError([*error.problems, *faults]) from None
    if faults:
        raise ScriptError(faults)
    return timelines


def emotion_text(segment: Segment) -> str:
    """Return a segment's emotion in words: `anger 80% disgust 20% @ 0.7`, keys joined by arrows.

    Where the motion comes from a file, the file.
    """
    if segment.motion is not None:
        return f"as in {segment.motion.name}"
    return " → ".join(_key_text(key) for key in segment.emotion)


def _key_text(key: EmotionKey) -> str:
    parts = [(name, weight) for name, weight in zip(EMOTIONS, key.weights, strict=True) if weight > 0.005]
    if parts == [("neutral", 1.0)] or key.intensity == 0:
        return "neutral"
    names = [f"{name} {weight:.0%}" if len(parts) > 1 else name for name, weight in parts]
    return f"{' '.join(names)} @ {key.intensity:.2g}"


def transition_text(segment: Segment, fps: Fraction) -> str:
    """Return how a segment starts: `cut`, `blend 0.4s`."""
    seconds = float(segment.transition_frames / fps)
    return f"{segment.transition.value} {seconds:.2g}s" if seconds else segment.transition.value
