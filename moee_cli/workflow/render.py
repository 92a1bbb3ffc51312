"""One script to one file, top to bottom: look, hear, feel, move, draw, encode, stitch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from moee_cli.core.errors import UsageError
from moee_cli.core.progress import Progress, Silent
from moee_cli.core.types import Piece, Timeline
from moee_cli.engines.runtime import choose_runtime
from moee_cli.media.encode import PieceWriter
from moee_cli.media.sound import write_sound
from moee_cli.media.stitch import check_container, stitch
from moee_cli.script.schema import Script
from moee_cli.script.timeline import select
from moee_cli.store.work import work_folder
from moee_cli.workflow.plan import Plan, plan
from moee_cli.workflow.provenance import claim_output, container_tags, sidecar_beside
from moee_cli.workflow.studio import Studio, open_studio

STDOUT = Path("-")


@dataclass(frozen=True)
class RenderResult:
    """What came out."""

    output: Path
    n_frames: int
    seconds: float
    """Length of the film."""
    elapsed: float
    """Wall time of the render."""
    warnings: tuple[str, ...]


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
        MoeeError: see `core.errors`; nothing stands under the output's name unless it is whole.
    """
    begin = time.monotonic()
    told = progress or Silent()
    planned = script if isinstance(script, Plan) else plan(script)
    script, spec = planned.script, planned.spec
    timeline = select(planned.timeline, only) if only else planned.timeline
    target = _target(script, output, only)
    if target != STDOUT:
        check_container(target)
    runtime = choose_runtime(device, spec.requirements.devices)
    for warning in planned.warnings:
        told.warn(warning)

    with ExitStack() as stack:
        if target != STDOUT:
            stack.enter_context(claim_output(script, target, force=force))
        folder = stack.enter_context(work_folder())
        ids = {segment.id for segment in timeline.segments}
        studio = stack.enter_context(open_studio(planned, ids, runtime, told))
        told.start("listen", None, "s")
        write_sound(timeline, folder / "film.pcm", loudness_lufs=script.encoding.loudness_lufs)
        told.start("draw", timeline.n_frames)
        pieces = [
            _write_piece(folder / f"piece-{number:05d}.mp4", piece, timeline, studio, told)
            for number, piece in enumerate(timeline.pieces)
        ]
        told.start("stitch", None)
        if target != STDOUT:
            stack.enter_context(sidecar_beside(target, script, timeline, spec, runtime.device_type))
        stitch(
            pieces,
            folder / "film.pcm",
            target,
            frame=script.frame,
            encoding=script.encoding,
            tags=container_tags(script),
        )
    elapsed = time.monotonic() - begin
    told.event("done", output=str(target), n_frames=timeline.n_frames, elapsed=round(elapsed, 3))
    return RenderResult(
        target, timeline.n_frames, float(timeline.seconds), elapsed, (*planned.warnings, *studio.remarks)
    )


def _target(script: Script, output: Path | None, only: Sequence[str]) -> Path:
    """Where the video goes; a part of a film never takes the place of the whole."""
    if output is not None:
        return output
    whole = script.output
    if whole is None:
        raise UsageError("the script names no output", "add `output: film.mp4` to it, or give -o FILE")
    return whole.with_name(f"{whole.stem}.{'+'.join(only)}{whole.suffix}") if only else whole


def _write_piece(path: Path, piece: Piece, timeline: Timeline, studio: Studio, told: Progress) -> Path:
    """Draw and encode one piece."""
    segment = timeline.segments[piece.segment]
    with PieceWriter(path, studio.script.frame, studio.script.encoding) as writer:
        for pixels in studio.frames(segment.id, piece.start, piece.start + piece.n_frames):
            writer.write(pixels)
            told.advance()
    told.event("piece", segment=segment.id, start=piece.start, n_frames=piece.n_frames)
    return path
