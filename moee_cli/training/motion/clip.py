"""Clips, what the motion network learns from, and the shards they are kept in.

A shard is one `.npz` of float16 arrays, the frames of all its clips one after the other, written so that equal clips
give equal bytes; `manifest.json` beside the shards names sources, licences and checksums. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from moee_cli.core.errors import InputError, from_os_error
from moee_cli.core.labels import N_EMOTIONS, N_MOTION
from moee_cli.core.timebase import FEATURE_HOP, MOTION_FPS
from moee_cli.core.types import F32
from moee_cli.store.atomic import replacing, write_text
from moee_cli.training.motion.phones import CLASS, CLASSES, Phone

CONTROLS = ("speech", "head", "gaze_free", "blinks")
"""Columns of `Clip.controls`, as in `types.Drive`: 0 or 1, gain, 0 or 1, per minute."""
MANIFEST = "manifest.json"
FORMAT = 1
"""Version of the shards."""
_FRAMES = {"log_mel": (4, 80), "energy_db": (), "pitch_hz": (), "motion": (N_MOTION,), "emotion": (N_EMOTIONS,),
           "controls": (len(CONTROLS),)}  # fmt: skip
"""Arrays of a clip with one row per motion frame, and the shape of a row."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Some seconds of one performance: what is heard, felt and asked for, and how the face moves. F motion frames."""

    log_mel: F32
    """[F, 4, 80], as in `types.AudioFeatures`."""
    energy_db: F32
    """[F] dB relative to full scale."""
    pitch_hz: F32
    """[F] 0 where unvoiced."""
    motion: F32
    """[F, 52], columns `labels.MOTION_CHANNELS`."""
    emotion: F32
    """[F, 7], intensity folded in, rows sum to 1."""
    controls: F32
    """[F, 4], columns `CONTROLS`."""
    phones: tuple[Phone, ...]
    """Classes of `phones.CLASSES` in order of time; seconds from the first frame."""
    voice: str
    """Who speaks: source and speaker."""
    held_out: bool
    """The voice is for validation: nothing may be fitted or chosen by it."""

    def __len__(self) -> int:
        return len(self.motion)

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self) / MOTION_FPS


def write_shard(path: Path, clips: Sequence[Clip]) -> str:
    """Write a shard and return its SHA-256; equal clips give equal bytes.

    Raises:
        OutputError, EnvironmentFailed: the file cannot be written.
    """
    arrays: dict[str, Any] = {
        name: np.concatenate([np.asarray(getattr(clip, name), np.float16) for clip in clips]) for name in _FRAMES
    }
    phones = [phone for clip in clips for phone in clip.phones]
    arrays["lengths"] = np.array([len(clip) for clip in clips], np.int32)
    arrays["phone_counts"] = np.array([len(clip.phones) for clip in clips], np.int32)
    arrays["phone_classes"] = np.array([CLASS[phone.name] for phone in phones], np.uint8)
    arrays["phone_times"] = np.array([(phone.start, phone.stop) for phone in phones], np.float32).reshape(-1, 2)
    arrays["voices"] = np.array([clip.voice for clip in clips], np.str_)
    arrays["held_out"] = np.array([clip.held_out for clip in clips], np.bool_)
    with replacing(path) as temporary:
        try:
            with temporary.open("wb") as file:
                np.savez(file, **arrays)
        except OSError as error:
            raise from_os_error(error, f"cannot write {path}") from error
    return checksum(path)


def read_shard(path: Path) -> list[Clip]:
    """Return the clips of a shard.

    Raises:
        InputError: it is no shard of this format.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return list(_clips(arrays))
    except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"cannot read {path}: {told}", "make the corpus again: moee train data --out DIR") from error


def _clips(arrays: Mapping[str, Any]) -> Iterator[Clip]:
    frames = np.concatenate([[0], np.cumsum(arrays["lengths"])])
    counts = np.concatenate([[0], np.cumsum(arrays["phone_counts"])])
    for index in range(len(arrays["lengths"])):
        rows, own = slice(frames[index], frames[index + 1]), slice(counts[index], counts[index + 1])
        values = {name: np.asarray(arrays[name][rows], np.float32) for name in _FRAMES}
        for name, shape in _FRAMES.items():
            if values[name].shape != (rows.stop - rows.start, *shape):
                raise ValueError(f"{name} has the shape {values[name].shape}")
        phones = zip(arrays["phone_classes"][own], arrays["phone_times"][own].tolist(), strict=True)
        yield Clip(
            **values,
            phones=tuple(Phone(CLASSES[kind], start, stop) for kind, (start, stop) in phones),
            voice=str(arrays["voices"][index]),
            held_out=bool(arrays["held_out"][index]),
        )


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest.json` with the format's own entries; equal content gives equal bytes."""
    own = {"format": FORMAT, "fps": MOTION_FPS, "hop": FEATURE_HOP, "classes": list(CLASSES)}
    write_text(folder / MANIFEST, json.dumps({**own, **manifest}, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a corpus.

    Raises:
        InputError: there is none, or it is of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"no corpus in {folder}: {error}", "make one: moee train data --out DIR") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT or manifest.get("classes") != list(CLASSES):
        raise InputError(f"{path} is of another version", "make the corpus again: moee train data --out DIR")
    return manifest


def read_corpus(folder: Path, *, held_out: bool | None = None) -> Iterator[Clip]:
    """Yield the clips of a corpus in order: all, only held-out voices, or only the others.

    Raises:
        InputError: there is no corpus, or a shard is missing or damaged.
    """
    for entry in read_manifest(folder)["shards"]:
        for clip in read_shard(folder / entry["file"]):
            if held_out is None or clip.held_out is held_out:
                yield clip


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
