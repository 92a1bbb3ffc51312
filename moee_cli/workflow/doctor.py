"""What this machine can do, and what to install where something is missing."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from moee_cli.core.errors import MoeeError, Unavailable
from moee_cli.engines.registry import engine_specs
from moee_cli.engines.runtime import choose_runtime, usable_cores
from moee_cli.media.ffmpeg import ffmpeg_version, find_ffmpeg
from moee_cli.store.paths import cache_folder
from moee_cli.store.work import work_folder

PYTHON_FROM, PYTHON_BEFORE = (3, 11), (3, 13)
"""As in pyproject.toml."""
PLATFORMS = {("Linux", "x86_64"), ("Darwin", "arm64"), ("Darwin", "x86_64"), ("Windows", "AMD64")}
"""Where mediapipe 0.10.21 has wheels; see docs/platforms.md."""
_LOW_DISK = 2 * 2**30


class Status(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Diagnosis:
    """One line of the doctor."""

    name: str
    status: Status
    found: str
    advice: str = ""
    """What to do; empty where all is well."""


def examine() -> list[Diagnosis]:
    """Return one diagnosis for each thing that rendering needs, in order from the ground up. Imports torch."""
    steps: tuple[Callable[[], Diagnosis], ...] = (_python, _platform, _ffmpeg, _av, _opencv, _mediapipe, _torch, _disk)
    return [*(step() for step in steps), *_engines()]


def _python() -> Diagnosis:
    found = f"{platform.python_version()}, {sys.executable}"
    if PYTHON_FROM <= sys.version_info[:2] < PYTHON_BEFORE:
        return Diagnosis("python", Status.OK, found)
    return Diagnosis("python", Status.WARN, found, "moee is tested with Python 3.11 and 3.12")


def _platform() -> Diagnosis:
    found = f"{platform.system()} {platform.machine()}, {usable_cores()} cores"
    if (platform.system(), platform.machine()) in PLATFORMS:
        return Diagnosis("platform", Status.OK, found)
    advice = "mediapipe 0.10.21 has no wheel here; give mediapipe >= 1 a landmark model, see docs/platforms.md"
    return Diagnosis("platform", Status.WARN, found, advice)


def _ffmpeg() -> Diagnosis:
    try:
        path = find_ffmpeg()
        return Diagnosis("ffmpeg", Status.OK, f"{ffmpeg_version()} with libx264 and aac, {path}")
    except MoeeError as error:
        return Diagnosis("ffmpeg", Status.FAIL, error.message, error.hint or "")


def _av() -> Diagnosis:
    return _library("av", "av", "pip install av")


def _opencv() -> Diagnosis:
    advice = "pip install mediapipe, which brings it; if libGL.so.1 is missing: apt install libgl1 libglib2.0-0"
    return _library("cv2", "opencv-contrib-python", advice)


def _mediapipe() -> Diagnosis:
    return _library("mediapipe", "mediapipe", "pip install mediapipe==0.10.21")


def _library(module: str, distribution: str, advice: str) -> Diagnosis:
    """Import a library, since one that is installed may still lack a system library."""
    try:
        import_module(module)
        return Diagnosis(module, Status.OK, version(distribution))
    except PackageNotFoundError:
        return Diagnosis(module, Status.WARN, "installed, but not as the package expected", advice)
    except (ImportError, OSError) as error:
        return Diagnosis(module, Status.FAIL, str(error), advice)


def _torch() -> Diagnosis:
    diagnosis = _library("torch", "torch", "pip install torch")
    if diagnosis.status is not Status.OK:
        return diagnosis
    import torch

    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    names = [f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(n_devices)]
    return Diagnosis("torch", Status.OK, f"{diagnosis.found}, runs on {', '.join(['cpu', *names])}")


def _disk() -> Diagnosis:
    folder = cache_folder()
    try:
        with work_folder() as there:
            free = shutil.disk_usage(there).free
    except Unavailable as error:
        return Diagnosis("cache", Status.FAIL, error.message, error.hint or "")
    found = f"{free / 2**30:.1f} GiB free, {folder}"
    if free < _LOW_DISK:
        return Diagnosis("cache", Status.WARN, found, "free some space, or set MOEE_CACHE to another disk")
    return Diagnosis("cache", Status.OK, found)


def _engines() -> list[Diagnosis]:
    found = []
    for spec in engine_specs().values():
        name = f"engine {spec.name}"
        try:
            runtime = choose_runtime("auto", spec.requirements.devices)
            found.append(Diagnosis(name, Status.OK, f"runs on {runtime.device}"))
        except MoeeError as error:
            found.append(Diagnosis(name, Status.WARN, error.message, error.hint or ""))
    return found


def has_failed(diagnoses: list[Diagnosis]) -> bool:
    """Tell whether something is missing without which nothing renders."""
    return any(diagnosis.status is Status.FAIL for diagnosis in diagnoses)
