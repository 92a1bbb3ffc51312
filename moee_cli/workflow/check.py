"""What is wrong with a script, a video or a motion file, all at once.

Scripts are checked without torch and without mediapipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from moee_cli.core.errors import MoeeError, MotionFileError, Problem, ScriptError
from moee_cli.core.types import VIDEO_SUFFIXES, BackgroundKind
from moee_cli.face.motion_file import read_motion
from moee_cli.media.probe import VideoInfo, probe_video
from moee_cli.script.resolve import MOTION_SUFFIXES
from moee_cli.script.schema import Script
from moee_cli.workflow.plan import place, sized
from moee_cli.workflow.provenance import AI_GENERATED, SIDECAR_SUFFIX, read_sidecar, sidecar_path
from moee_cli.workflow.scripts import open_script

CHECKED_SUFFIXES = (*VIDEO_SUFFIXES, ".mkv", ".avi")
"""Files that are checked as videos. A clock and an index in front are asked only of those that a render makes."""
_ALPHA_FORMATS = {".mov": ("prores", ("yuva444p10le", "yuva444p12le")), ".webm": ("vp9", ("yuv420p",))}
"""Codec and pixel formats, by ending, where there is alpha: decoders tell of ProRes 4444 in either depth, and of the
alpha of VP9 not at all."""
MAX_OFFSET_FRAMES = 1
"""Picture and sound must start and end together to less than this; what is shorter than a frame cannot be shown."""


@dataclass(frozen=True)
class FileReport:
    """What a check found in one file."""

    path: str
    kind: str
    """`script`, `video`, `sidecar` or `motion`."""
    facts: Mapping[str, Any]
    """What was measured, for `--json`."""
    summary: str
    """The same in one line."""
    problems: tuple[Problem, ...]

    @property
    def is_ok(self) -> bool:
        """No errors; warnings are allowed."""
        return all(problem.severity == "warning" for problem in self.problems)


def check_file(source: str) -> FileReport:
    """Return the report of a script (`-` for standard input), a video or a motion file, by the name's ending."""
    if source.lower().endswith(CHECKED_SUFFIXES):
        return check_video(Path(source))
    if source.endswith(SIDECAR_SUFFIX):
        told = Problem("is the sidecar of a video, which is checked with it", source, severity="warning")
        return FileReport(source, "sidecar", {}, "", (told,))
    if source.lower().endswith(MOTION_SUFFIXES):
        return check_motion(Path(source))
    return check_script(source)


# --- scripts ---------------------------------------------------------------------------------------------------------


def check_script(source: str) -> FileReport:
    """Return all problems of a script, those included that only its recordings (`to` beyond the end) and pictures show.

    Whether there is a face in a picture is not looked for.
    """
    problems: list[Problem] = []
    facts: dict[str, Any] = {}
    try:
        script = open_script(source)
        # What only a later release can do is no fault of the script.
        problems += [replace(problem, severity="warning") for problem in (*script.warnings, *script.deferred)]
        facts = {"n_segments": len(script.lines), "n_speakers": len({line.speaker for line in script.lines})}
        facts |= {"n_outputs": len(script.outputs)}
        if not any(problem.key in ("matrix", "rows") for problem in script.deferred):  # which change the lines
            problems += _of_sizes(script)
            timeline, remarks = place(script)
            told = dict.fromkeys((*timeline.warnings, *remarks))
            problems += [Problem(warning, severity="warning") for warning in told]
            facts |= {"n_frames": timeline.n_frames, "seconds": round(float(timeline.seconds), 6)}
    except ScriptError as error:
        problems += error.problems
    except MoeeError as error:
        problems.append(Problem(error.message, hint=error.hint))
    length = f", {facts['seconds']:.2f} s" if "seconds" in facts else ""
    summary = f"{_count(facts['n_segments'], 'segment')}{length}" if facts else ""
    if facts.get("n_outputs", 1) > 1:
        summary += f", {facts['n_outputs']} outputs"
    return FileReport(source, "script", facts, summary, tuple(problems))


def _of_sizes(script: Script) -> list[Problem]:
    """Return what is wrong with, or remarkable about, the sizes that come from a picture."""
    try:
        return [Problem(remark, severity="warning") for remark in sized(script)[1]]
    except ScriptError as error:
        return list(error.problems)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


# --- motion files ----------------------------------------------------------------------------------------------------


def check_motion(path: Path) -> FileReport:
    """Return what keeps a file from moving a line (`motion`), and what it holds."""
    try:
        track = read_motion(path)
    except MotionFileError as error:
        return FileReport(str(path), "motion", {}, "", (Problem(error.message, str(path), hint=error.hint),))
    steps = np.diff(track.times) if len(track.times) > 1 else np.array([track.seconds])
    # Timecodes are rounded: the mean, without the gaps, is nearer than the median.
    per_second = round(1 / float(steps[steps < 1.5 * np.median(steps)].mean()), 2)
    facts = {
        "n_rows": len(track.times),
        "seconds": round(track.seconds, 6),
        "rows_per_second": per_second,
        "segments": [part.id for part in track.parts],
    }
    summary = f"{track.seconds:.2f} s, {_count(len(track.times), 'row')} with a face, {per_second:g} per second"
    told = tuple(Problem(remark, str(path), severity="warning") for remark in track.remarks)
    return FileReport(str(path), "motion", facts, summary, told)


# --- videos ----------------------------------------------------------------------------------------------------------


def check_video(path: Path) -> FileReport:
    """Return what differs between a video file and what `moee render` promises of one."""
    try:
        info = probe_video(path)
    except MoeeError as error:
        return FileReport(str(path), "video", {}, "", (Problem(error.message, hint=error.hint),))
    is_ours = path.suffix.lower() in VIDEO_SUFFIXES
    findings = [
        *_picture(info, path.suffix.lower()),
        *(_clock(info, path.suffix.lower()) if is_ours else ()),
        *_sync(info),
        *_origin(info),
        *_sidecar(path, info),
    ]
    problems = tuple(replace(problem, where=str(path)) for problem in findings)
    return FileReport(str(path), "video", _facts(info), _summary(info), problems)


def _picture(info: VideoInfo, suffix: str) -> Iterator[Problem]:
    alpha_format = _ALPHA_FORMATS.get(suffix) if info.has_alpha else None
    if alpha_format is not None:
        codec, pix_fmts = alpha_format
        if info.codec != codec or info.pix_fmt not in pix_fmts:
            hint = f"{suffix} files with a transparent background hold {codec}"
            yield Problem(
                f"is {info.codec} with {info.pix_fmt}, not {codec} with {pix_fmts[0]}", key="codec", hint=hint
            )
    elif info.codec != "h264":
        yield Problem(f"is {info.codec}, not h264", key="codec", hint="browsers and phones play h264")
    if alpha_format is None and info.pix_fmt != "yuv420p":
        yield Problem(f"is {info.pix_fmt}, not yuv420p", key="pixel format", hint="many players show only yuv420p")
    if info.width % 2 or info.height % 2:
        yield Problem(f"{info.width}x{info.height} is not even", key="size")
    if not info.n_frames:
        yield Problem("no picture decodes", key="frames")


def _clock(info: VideoInfo, suffix: str) -> Iterator[Problem]:
    if info.n_frames and not info.even_spacing:
        yield Problem(f"are not evenly 1/{info.fps} s apart", key="frames")
    if not info.faststart and suffix != ".webm":  # which plays as it comes, and is only searched by its index
        hint = "`ffmpeg -i IN -c copy -movflags +faststart OUT` moves it"
        yield Problem("stands behind the data: playback waits for the whole file", key="index", hint=hint)


def _offsets(info: VideoInfo) -> tuple[Fraction, Fraction] | None:
    """Return how much later the sound starts, and how much longer it lasts, in frames; None without sound."""
    if info.audio_start is None or info.audio_seconds is None:
        return None
    return (info.audio_start - info.video_start) * info.fps, (info.audio_seconds - info.video_seconds) * info.fps


def _sync(info: VideoInfo) -> Iterator[Problem]:
    offsets = _offsets(info)
    if offsets is None:
        yield Problem("there is none", key="sound")
        return
    start, length = (float(offset) for offset in offsets)
    if abs(start) >= MAX_OFFSET_FRAMES:
        yield Problem(f"starts {start:+.2f} frames after the picture", key="sound")
    if abs(length) >= MAX_OFFSET_FRAMES:
        yield Problem(f"is {length:+.2f} frames longer than the picture", key="sound")


def _origin(info: VideoInfo) -> Iterator[Problem]:
    if AI_GENERATED not in info.tags.values():
        hint = "generated video must say so; render it again, or keep metadata when converting"
        yield Problem("do not say that the video is AI-generated", key="tags", hint=hint)


def _sidecar(path: Path, info: VideoInfo) -> Iterator[Problem]:
    sidecar = read_sidecar(path)
    if sidecar is None:
        yield Problem(f"{sidecar_path(path).name} is missing or cannot be read", key="sidecar")
        return
    frame = _mapping(sidecar.get("frame"))
    stated = {
        "frames": (sidecar.get("n_frames"), info.n_frames),
        "width": (frame.get("width"), info.width),
        "height": (frame.get("height"), info.height),
        "frames per second": (frame.get("fps"), str(info.fps)),
    }
    for name, (said, measured) in stated.items():
        if said != measured:
            yield Problem(f"says {said} {name}, the video has {measured}", key="sidecar")
    if (frame.get("background") == BackgroundKind.TRANSPARENT.value) != info.has_alpha:
        told = "nothing shows through" if not info.has_alpha else "the video has alpha"
        yield Problem(f"says background {frame.get('background')}, but {told}", key="sidecar")
    yield from _motion_of(path, sidecar.get("motion"))
    yield from _script_of(path, _mapping(sidecar.get("script")))


def _mapping(value: object) -> Mapping[str, Any]:
    """Return a value of a sidecar that should be a mapping; empty if somebody made it something else."""
    return value if isinstance(value, dict) else {}


def _motion_of(path: Path, listed: object) -> Iterator[Problem]:
    """Look for the files of face motion that a sidecar names."""
    for file in listed if isinstance(listed, list) else ():
        name = _mapping(file).get("file")
        if isinstance(name, str) and not (path.parent / name).is_file():
            told = f"names {name}, which is not beside the video"
            yield Problem(told, key="motion", hint="render it again, or move them together", severity="warning")


def _script_of(path: Path, stated: Mapping[str, Any]) -> Iterator[Problem]:
    """Compare the script, where it still lies beside the video, with the one the video was made from."""
    script = path.parent / str(stated.get("name", "-"))
    if stated.get("name", "-") == "-" or not script.is_file():
        return
    try:
        current = {output.source_hash for output in open_script(str(script)).outputs}
    except MoeeError:
        current = set()
    if stated.get("hash") not in current:
        message = f"{script} is not what the video was made from: it, a file it names, or options changed"
        yield Problem(message, key="script", severity="warning")


def _facts(info: VideoInfo) -> dict[str, Any]:
    offsets = _offsets(info)
    return {
        "width": info.width,
        "height": info.height,
        "fps": str(info.fps),
        "n_frames": info.n_frames,
        "seconds": float(info.video_seconds),
        "sound_seconds": None if info.audio_seconds is None else float(info.audio_seconds),
        "sound_starts_later_frames": None if offsets is None else float(offsets[0]),
        "sound_lasts_longer_frames": None if offsets is None else float(offsets[1]),
        "codec": info.codec,
        "pix_fmt": info.pix_fmt,
        "has_alpha": info.has_alpha,
        "colour": dict(info.colour),
        "faststart": info.faststart,
        "tags": dict(info.tags),
    }


def _summary(info: VideoInfo) -> str:
    offsets = _offsets(info)
    picture = f"{info.width}x{info.height}, {info.n_frames} frames at {info.fps} per second"
    return picture if offsets is None else f"{picture}, sound {float(offsets[1]):+.2f} frames"
