"""One script to one file, top to bottom: look, hear, feel, move, draw, encode, stitch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moee_cli.core.errors import UsageError
from moee_cli.core.noise import NoiseSource
from moee_cli.core.progress import Progress, Silent
from moee_cli.core.types import F32, U8, AudioFeatures, AudioSpan, Drive, Piece, Timeline
from moee_cli.engines.base import Engine, create_engine
from moee_cli.engines.registry import check_options
from moee_cli.engines.runtime import choose_runtime
from moee_cli.media.encode import PieceWriter
from moee_cli.media.sound import write_sound
from moee_cli.media.stitch import check_container, stitch
from moee_cli.script.schema import Script
from moee_cli.script.timeline import select
from moee_cli.store.work import work_folder
from moee_cli.workflow.performance import ChunkGrid, Performance
from moee_cli.workflow.plan import Plan, plan
from moee_cli.workflow.provenance import check_target, container_tags, write_sidecar

STDOUT = Path("-")
_EDGE_SAMPLES = 1600
"""Feature-rate samples (0.1 s) heard beyond a segment's ends where the recording goes on."""


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
        check_target(script, target, force=force)
    options = check_options(spec, script.engine_options.get(spec.name, {}))
    runtime = choose_runtime(device, spec.requirements.devices)
    for warning in planned.warnings:
        told.warn(warning)

    with ExitStack() as stack:
        folder = stack.enter_context(work_folder())
        engine = stack.enter_context(closing(create_engine(spec, options, runtime)))
        prepared, remarks = _look(planned, timeline, engine, options, told)
        studio = _Studio(planned, engine, prepared)
        told.start("listen", None, "s")
        write_sound(timeline, folder / "film.pcm", loudness_lufs=script.encoding.loudness_lufs)
        told.start("draw", timeline.n_frames)
        pieces = [
            _write_piece(studio, piece, timeline, folder / f"piece-{number:05d}.mp4", told)
            for number, piece in enumerate(timeline.pieces)
        ]
        told.start("stitch", None)
        stitch(
            pieces,
            folder / "film.pcm",
            target,
            frame=script.frame,
            encoding=script.encoding,
            tags=container_tags(script),
        )
        if target != STDOUT:
            write_sidecar(target, script, timeline, spec, runtime.device_type)
    elapsed = time.monotonic() - begin
    told.event("done", output=str(target), n_frames=timeline.n_frames, elapsed=round(elapsed, 3))
    return RenderResult(target, timeline.n_frames, float(timeline.seconds), elapsed, (*planned.warnings, *remarks))


def _target(script: Script, output: Path | None, only: Sequence[str]) -> Path:
    """Where the video goes; a part of a film never takes the place of the whole."""
    if output is not None:
        return output
    whole = script.output or (script.path.with_suffix(".mp4") if script.path else None)
    if whole is None:
        raise UsageError("the script names no output", "add `output: film.mp4` to it, or give -o FILE")
    return whole.with_name(f"{whole.stem}.{'+'.join(only)}{whole.suffix}") if only else whole


def _look(
    planned: Plan, timeline: Timeline, engine: Engine, options: Any, told: Progress
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Find the face of every speaker that appears, and let the engine prepare it."""
    from moee_cli.face.portrait import load_portrait

    speakers = _speakers_needed(planned.timeline, {segment.id for segment in timeline.segments})
    cast = [member for name, member in planned.script.cast.items() if name in speakers]
    told.start("look", len(cast), "portraits")
    prepared, remarks = {}, []
    for member in cast:
        portrait = load_portrait(
            member.portrait,
            planned.script.frame,
            face=member.face,
            landmarker_model=getattr(options, "landmarker", None),
        )
        for warning in portrait.warnings:
            remarks.append(f"{member.name}: {warning}")
            told.warn(remarks[-1])
        prepared[member.name] = engine.prepare(portrait)
        told.advance()
    return prepared, tuple(remarks)


def _speakers_needed(whole: Timeline, ids: set[str]) -> set[str]:
    """Return who is seen in the segments `ids`: who speaks, and who idles through a dissolve at their ends."""
    needed = set()
    for index, segment in enumerate(whole.segments):
        if segment.id in ids:
            first, last = index - bool(segment.handle_before), index + bool(segment.handle_after)
            needed |= {seen.speaker for seen in whole.segments[first : last + 1]}
    return needed


def _write_piece(studio: _Studio, piece: Piece, timeline: Timeline, path: Path, told: Progress) -> Path:
    """Draw and encode one piece."""
    segment = timeline.segments[piece.segment]
    with PieceWriter(path, studio.script.frame, studio.script.encoding) as writer:
        for pixels in studio.frames(segment.id, piece.start, piece.start + piece.n_frames):
            writer.write(pixels)
            told.advance()
    told.event("piece", segment=segment.id, start=piece.start, n_frames=piece.n_frames)
    return path


class _Studio:
    """Everything needed to draw any frame of the film: one engine, its prepared portraits, one performance."""

    def __init__(self, planned: Plan, engine: Engine, prepared: dict[str, Any]) -> None:
        from moee_cli.audio.features import silence

        self.script = planned.script
        self._timeline = planned.timeline
        self._engine = engine
        self._prepared = prepared
        self._noise = NoiseSource(planned.script.seed)
        self._index = {segment.id: index for index, segment in enumerate(planned.timeline.segments)}
        spec = planned.spec
        self._performance = Performance(
            planned.timeline,
            ChunkGrid(spec.chunk, spec.overlap, spec.context),
            features=self._hear,
            silence=silence,
            sample=self._sample,
        )

    def _hear(self, index: int) -> AudioFeatures:
        """Features of a segment; the recording is heard a little beyond its ends where the film goes on with it."""
        from moee_cli.audio.features import extract_features, silence
        from moee_cli.media.decode import read_mono

        segment = self._timeline.segments[index]
        if segment.audio is None:
            return silence(segment.n_motion)
        edge = _EDGE_SAMPLES * segment.audio.rate // 16_000
        span = segment.audio
        lead = tail = None
        if segment.continues:
            lead = _read(AudioSpan(span.path, max(0, span.start - edge), span.start, span.rate))
        after = self._timeline.segments[index + 1] if index + 1 < len(self._timeline.segments) else None
        if after is not None and after.continues and after.audio is not None:
            tail = _read(AudioSpan(span.path, span.stop, min(span.stop + edge, after.audio.stop), span.rate))
        return extract_features(read_mono(span), segment.n_motion, lead=lead, tail=tail)

    def _sample(self, index: int, drive: Drive) -> F32:
        prepared = self._prepared[self._timeline.segments[index].speaker]
        return self._engine.sample(prepared, drive, noise=self._noise)

    def frames(self, segment_id: str, start: int, stop: int) -> Iterator[U8]:
        """Yield the finished frames [start, stop) of a segment, dissolves included."""
        index = self._index[segment_id]
        segment = self._timeline.segments[index]
        n, before, after = segment.n_frames, segment.handle_before, segment.handle_after
        incoming = self._idle(index - 1, start, min(stop, before), offset=self._n_frames(index - 1))
        outgoing = self._idle(index + 1, max(start, n - after), stop, offset=-n)
        for frame, pixels in zip(range(start, stop), self._drawn(index, start, stop), strict=True):
            if frame < before:
                yield _mix(next(incoming), pixels, (frame + 0.5 + before) / (2 * before))
            elif frame >= n - after:
                yield _mix(pixels, next(outgoing), (frame + 0.5 - n + after) / (2 * after))
            else:
                yield pixels

    def _n_frames(self, index: int) -> int:
        return self._timeline.segments[index].n_frames if index >= 0 else 0

    def _idle(self, index: int, start: int, stop: int, *, offset: int) -> Iterator[U8]:
        """Frames of a neighbour that idles through a dissolve; nothing if the range is empty."""
        if stop > start:
            yield from self._drawn(index, start + offset, stop + offset)

    def _drawn(self, index: int, start: int, stop: int) -> Iterator[U8]:
        motion = self._performance.at_frames(index, start, stop)
        return self._engine.draw(self._prepared[self._timeline.segments[index].speaker], motion)


def _read(span: AudioSpan) -> F32 | None:
    from moee_cli.media.decode import read_mono

    blocks = list(read_mono(span)) if span.stop > span.start else []
    return np.concatenate(blocks) if blocks else None


def _mix(earlier: U8, later: U8, share: float) -> U8:
    """Cross-fade two frames; `share` 0..1 of time, eased like every other curve."""
    weight = np.float32(0.5 - 0.5 * np.cos(np.pi * share))
    return np.asarray(earlier + (later.astype(np.float32) - earlier) * weight + np.float32(0.5), np.uint8)
