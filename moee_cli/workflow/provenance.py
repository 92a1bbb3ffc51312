"""What an output says about itself: container tags and a sidecar JSON. No absolute paths, no machine names.

The sidecar also answers whether an existing file may be overwritten: only one that came from the same script.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from fractions import Fraction
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from moee_cli import __version__
from moee_cli.core.errors import OutputError, from_os_error
from moee_cli.core.labels import EMOTIONS
from moee_cli.core.types import EmotionKey, Timeline
from moee_cli.engines.base import EngineSpec
from moee_cli.media.ffmpeg import ffmpeg_version
from moee_cli.script.schema import Output, Script, input_files
from moee_cli.store.atomic import check_target, replacing

SIDECAR_KEY, SIDECAR_FORMAT = "moee_sidecar", 1
SIDECAR_SUFFIX = ".moee.json"
AI_GENERATED = "AI-generated video: the face was animated by moee; it is not a recording"
LIBRARIES = ("numpy", "opencv-contrib-python", "mediapipe", "av", "soxr")
"""Libraries whose version can change a frame or a sample."""


def sidecar_path(video: Path) -> Path:
    """Return where the sidecar of a video lies: `film.mp4.moee.json`."""
    return video.with_name(video.name + SIDECAR_SUFFIX)


def read_sidecar(video: Path) -> dict[str, Any] | None:
    """Return the sidecar of a video, or None if it has none that can be read."""
    try:
        content = json.loads(sidecar_path(video).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def script_name(script: Script, output: Path) -> str:
    """Return what identifies a script beside its output: its path seen from the output's folder, `-` for stdin."""
    if script.path is None:
        return "-"
    return Path(os.path.relpath(script.path, output.parent)).as_posix()


@contextmanager
def claim_output(script: Script, output: Path, beside: Sequence[Path] = (), *, force: bool) -> Iterator[None]:
    """Make sure that the output may be written, before anything slow; its folder is made, and removed on failure.

    `beside` are further files of the render: those that are there must come from an earlier render of the same script.

    Raises:
        OutputError: the output is no plain file, an input of the script, or not ours; its folder cannot be written.
    """
    made = _make_folder(output.parent)
    try:
        _check_output(script, output, beside, force=force)
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder; return those that were missing, inner ones first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, f"cannot make the folder {folder}") from None
    return missing


def _check_output(script: Script, output: Path, beside: Sequence[Path], *, force: bool) -> None:
    sidecar = sidecar_path(output)
    for path in (output, sidecar, *beside):
        check_target(path)
    try:
        # Asking for permission is not enough: a mount may be read-only or full.
        with tempfile.TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise from_os_error(error, f"cannot write into the folder {output.parent}") from None
    for source in input_files(script.path, script.cast, script.lines, [output.frame for output in script.outputs]):
        for path in (output, sidecar, *beside) if source.exists() else ():
            if path.exists() and path.samefile(source):
                told = path if path in beside else output
                raise OutputError(f"{told}: is an input of this script", "choose another name with -o")
    if force:
        return
    if output.exists() and not _is_from(script, output):
        hint = "give --force to overwrite it, or another name with -o"
        raise OutputError(f"{output}: exists and was not made from this script", hint)
    if sidecar.exists() and SIDECAR_KEY not in (read_sidecar(output) or {}):
        hint = "give --force to overwrite it, or choose another output with -o"
        raise OutputError(f"{sidecar}: exists and is not a sidecar of moee", hint)
    listed = (read_sidecar(output) or {}).get("motion")
    own = [file.get("file") for file in listed if isinstance(file, dict)] if isinstance(listed, list) else []
    for path in beside:
        if path.exists() and not (path.name in own and _is_from(script, output)):
            hint = "give --force to overwrite it, or another name with -o"
            raise OutputError(f"{path}: exists and was not made from this script", hint)


def _is_from(script: Script, output: Path) -> bool:
    """Whether the sidecar of an output says that it came from this script."""
    told = (read_sidecar(output) or {}).get("script")
    return isinstance(told, dict) and told.get("name") == script_name(script, output)


def container_tags(script: Script) -> dict[str, str]:
    """Return the metadata written into the container."""
    consent = "; ".join(f"{name}: {member.consent}" for name, member in script.cast.items() if member.consent)
    tags = {"title": script.stem, "comment": AI_GENERATED, "software": f"moee {__version__}"}
    return {**tags, "copyright": f"consent: {consent}"} if consent else tags


@contextmanager
def sidecar_beside(
    video: Path,
    output: Output,
    script: Script,
    timeline: Timeline,
    *,
    spec: EngineSpec,
    device: str,
    motion: Sequence[Mapping[str, str]] = (),
) -> Iterator[None]:
    """Write the sidecar under a temporary name; it takes its own when the block, which makes the video, ends well.

    So a sidecar that cannot be written is found out before there is a video without one. `motion` describes
    the files of face motion beside the video.

    Raises:
        OutputError, EnvironmentFailed: it cannot be written.
    """
    content = _describe(video, output, script, timeline, spec=spec, device=device) | {"motion": list(motion)}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    with replacing(sidecar_path(video)) as temporary:
        try:
            temporary.write_text(text, encoding="utf-8")
        except OSError as error:
            raise from_os_error(error, f"cannot write {sidecar_path(video)}") from None
        yield


def _describe(
    video: Path, output: Output, script: Script, timeline: Timeline, *, spec: EngineSpec, device: str
) -> dict[str, Any]:
    return {
        SIDECAR_KEY: SIDECAR_FORMAT,
        "ai_generated": True,
        "notice": AI_GENERATED,
        "output": video.name,
        "script": {"name": script_name(script, video), "hash": output.source_hash, "presets": list(output.presets)},
        "engine": {"name": spec.name, "weights": spec.weights_licence, "device": device},
        "seed": script.seed,
        "frame": {
            "width": output.frame.width,
            "height": output.frame.height,
            "fps": str(output.frame.fps),
            "fit": output.frame.fit.value,
            "background": str(output.frame.background),
        },
        "encoding": asdict(output.encoding),
        "n_frames": timeline.n_frames,
        "seconds": _rounded(timeline.seconds),
        "cast": {
            name: {"portrait": member.portrait.name, "consent": member.consent}
            for name, member in script.cast.items()
            if name in timeline.speakers
        },
        "segments": describe_segments(timeline),
        "versions": {"moee": __version__, "ffmpeg": ffmpeg_version(), **_library_versions()},
    }


def describe_segments(timeline: Timeline) -> list[dict[str, Any]]:
    """Return the timeline as plain values, for the sidecar and `moee plan --json`."""
    return [
        {
            "id": segment.id,
            "take": segment.take,
            "speaker": segment.speaker,
            "kind": "pause" if segment.audio is None else "speech",
            "audio": None if segment.audio is None else segment.audio.path.name,
            "motion": None if segment.motion is None else segment.motion.name,
            "start_frame": segment.start_frame,
            "n_frames": segment.n_frames,
            "start_seconds": _rounded(segment.start_frame / timeline.fps),
            "seconds": _rounded(segment.n_frames / timeline.fps),
            "run": segment.run,
            "transition": segment.transition.value,
            "transition_seconds": _rounded(segment.transition_frames / timeline.fps),
            "emotion": [describe_key(key) for key in segment.emotion],
        }
        for segment in timeline.segments
    ]


def describe_key(key: EmotionKey) -> dict[str, Any]:
    """Return an emotion key as plain values: weights by name, intensity, time."""
    weights: Mapping[str, float] = {
        name: _rounded(weight) for name, weight in zip(EMOTIONS, key.weights, strict=True) if weight > 0
    }
    at = f"{key.at:.0%}" if isinstance(key.at, float) else f"{float(key.at):g}s"
    return {"at": at, "weights": weights, "intensity": _rounded(key.intensity)}


def _rounded(value: Fraction | float) -> float:
    return round(float(value), 6)


def _library_versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
