"""One script to its videos, top to bottom: look, hear, feel, move, draw, encode, stitch.

A script with several outputs is moved once and drawn for each: piece by piece, one output after the other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from moee_cli.core.errors import MoeeError, UsageError
from moee_cli.core.progress import Progress, Silent
from moee_cli.core.types import Timeline
from moee_cli.engines.runtime import choose_runtime
from moee_cli.media.coding import H264, Coding, coding_of
from moee_cli.media.encode import PieceWriter
from moee_cli.media.ffmpeg import require_encoders
from moee_cli.media.sound import write_sound
from moee_cli.media.stitch import stitch
from moee_cli.script.schema import Output, Script
from moee_cli.script.timeline import select
from moee_cli.store.work import work_folder
from moee_cli.workflow.motion_out import MotionFile, MotionSpool, describe_motion, motion_beside, motion_files
from moee_cli.workflow.plan import Plan, plan
from moee_cli.workflow.provenance import claim_output, container_tags, sidecar_beside
from moee_cli.workflow.studio import Studio, open_studio

STDOUT = Path("-")


@dataclass(frozen=True)
class Video:
    """One video that came out."""

    path: Path
    n_frames: int
    seconds: float
    """Length of the film."""
    motion: tuple[Path, ...] = ()
    """Files of its face motion (`write`)."""


@dataclass(frozen=True)
class RenderResult:
    """What came out."""

    videos: tuple[Video, ...]
    """In the order of the script's outputs."""
    elapsed: float
    """Wall time of the render."""
    warnings: tuple[str, ...]

    @property
    def output(self) -> Path:
        """The video, or the first of several."""
        return self.videos[0].path

    @property
    def n_frames(self) -> int:
        """Frames of the first video."""
        return self.videos[0].n_frames

    @property
    def seconds(self) -> float:
        """Length of the first video; others differ by less than a frame for each segment."""
        return self.videos[0].seconds


@dataclass(frozen=True)
class _Underway:
    """An output that is being made."""

    number: int
    path: Path
    output: Output
    timeline: Timeline
    coding: Coding
    motion: tuple[MotionFile, ...] = ()
    pieces: list[Path] = field(default_factory=list)


def render(
    script: Script | Plan,
    *,
    output: Path | None = None,
    only: Sequence[str] = (),
    force: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> RenderResult:
    """Render a script and return what came out.

    Args:
        script: a loaded script, or its plan.
        output: where the video goes instead of the script's own output; `-` streams it to stdout.
        only: ids of the segments to render, each exactly as in the whole film.
        force: overwrite an output that did not come from this script.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        progress: is told of stages, frames and warnings.

    Raises:
        MoeeError: see `core.errors`; nothing stands under an output's name unless it is whole.
    """
    begin = time.monotonic()
    told = progress or Silent()
    planned = script if isinstance(script, Plan) else plan(script)
    script, spec = planned.script, planned.spec
    videos = _underway(planned, output, only)
    named = [video for video in videos if video.path != STDOUT]
    for video in videos:
        require_encoders(video.coding.encoders)
    runtime = choose_runtime(device, spec.requirements.devices)
    for warning in planned.warnings:
        told.warn(warning)

    if script.write and len(named) < len(videos):
        told.warn("the film goes to standard output: `write` puts no face motion beside it")

    with ExitStack() as stack:
        for video in named:
            beside = [file.path for file in video.motion]
            stack.enter_context(claim_output(script, video.path, beside, force=force))
        folder = stack.enter_context(work_folder())
        ids = {segment.id for segment in videos[0].timeline.segments}
        studio = stack.enter_context(open_studio(planned, ids, runtime, told))
        told.start("listen", None, "s")
        sounds = _write_sounds(videos, folder)
        told.start("draw", sum(video.timeline.n_frames for video in videos))
        spools: dict[Fraction, MotionSpool] = {}
        for fps in planned.timelines:
            alike = [video for video in videos if video.timeline.fps == fps]
            if any(video.motion for video in alike):
                spools[fps] = MotionSpool(folder, alike[0].timeline)
            _draw(alike, folder, studio, told, spools.get(fps))
        told.start("stitch", None)
        failures: list[MoeeError] = []
        for video, sound in zip(videos, sounds, strict=True):
            try:
                _finish(video, sound, planned, runtime.device_type, spools.get(video.timeline.fps))
            except MoeeError as failure:  # what is drawn of the others is not lost
                failures.append(failure)
                continue
            elapsed = round(time.monotonic() - begin, 3)
            motion = [str(file.path) for file in video.motion]
            n_frames = video.timeline.n_frames
            told.event("done", output=str(video.path), motion=motion, n_frames=n_frames, elapsed=elapsed)
        _raise_first(failures, told)
    made = tuple(
        Video(
            video.path,
            video.timeline.n_frames,
            float(video.timeline.seconds),
            tuple(file.path for file in video.motion),
        )
        for video in videos
    )
    return RenderResult(made, time.monotonic() - begin, (*planned.warnings, *studio.remarks))


def _raise_first(failures: Sequence[MoeeError], told: Progress) -> None:
    """Raise the first of what went wrong, if anything did, and tell the rest."""
    for failure in failures[1:]:
        told.warn(failure.message)
    if failures:
        raise failures[0]


def _underway(planned: Plan, given: Path | None, only: Sequence[str]) -> list[_Underway]:
    """Return what is to be made; a part of a film never takes the place of the whole."""
    script = planned.script if given is None else planned.script.redirected(given)
    timelines = {fps: select(whole, only) if only else whole for fps, whole in planned.timelines.items()}
    videos = []
    for number, output in enumerate(script.outputs):
        path = output.path
        if path is None:
            raise UsageError("the script names no output", "add `output: film.mp4` to it, or give -o FILE")
        if only and given is None:
            path = path.with_name(f"{path.stem}.{'+'.join(only)}{path.suffix}")
        coding = H264 if path == STDOUT else coding_of(path, output.frame)
        timeline = timelines[output.frame.fps]
        motion = () if path == STDOUT else motion_files(path, script.write, timeline)
        videos.append(_Underway(number, path, output, timeline, coding, motion))
    return videos


def _write_sounds(videos: Sequence[_Underway], folder: Path) -> list[Path]:
    """Write the sound track of each video; those that sound alike share one."""
    written: dict[tuple[Fraction, float | None], Path] = {}
    for video in videos:
        key = (video.timeline.fps, video.output.encoding.loudness_lufs)
        if key not in written:
            written[key] = folder / f"film-{len(written)}.pcm"
            write_sound(video.timeline, written[key], loudness_lufs=key[1])
    return [written[video.timeline.fps, video.output.encoding.loudness_lufs] for video in videos]


def _draw(videos: Sequence[_Underway], folder: Path, studio: Studio, told: Progress, spool: MotionSpool | None) -> None:
    """Draw and encode videos of one frame rate: each piece is moved once, then drawn for one video after the other.

    What moves is kept in the spool, if there is one.
    """
    timeline = videos[0].timeline
    for number, piece in enumerate(timeline.pieces):
        segment = timeline.segments[piece.segment]
        moves = studio.move(timeline.fps, segment.id, piece.start, piece.start + piece.n_frames)
        if spool is not None:
            spool.add(timeline.segments[piece.segment].start_frame + piece.start, moves)
        for video in videos:
            path = folder / f"{video.number}-piece-{number:05d}.{video.coding.container}"
            with PieceWriter(path, video.output.frame, video.output.encoding, video.coding) as writer:
                for pixels in studio.draw(moves, video.output.frame):
                    writer.write(pixels)
                    told.advance()
            video.pieces.append(path)
            told.event("piece", output=str(video.path), segment=segment.id, start=piece.start, n_frames=piece.n_frames)


def _finish(video: _Underway, sound: Path, planned: Plan, device: str, spool: MotionSpool | None) -> None:
    """Put pieces and sound together under the video's name; the sidecar and the motion files beside it."""
    with ExitStack() as stack:
        if video.path != STDOUT:
            script, spec = planned.script, planned.spec
            told = [describe_motion(file) for file in video.motion]
            sidecar = sidecar_beside(
                video.path, video.output, script, video.timeline, spec=spec, device=device, motion=told
            )
            stack.enter_context(sidecar)
            if spool is not None:
                stack.enter_context(motion_beside(video.motion, spool, video.timeline))
        stitch(
            video.pieces,
            sound,
            video.path,
            frame=video.output.frame,
            encoding=video.output.encoding,
            tags=container_tags(planned.script),
        )
