"""Device, dtype and threads: chosen here and nowhere else."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from moee_cli.core.errors import EngineUnavailable, UsageError

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Runtime:
    """Where an engine runs."""

    device: str = "cpu"
    """`cpu`, `cuda` or `cuda:N`."""
    dtype: str = "float32"
    """Name of a torch dtype."""
    threads: int = 2
    """Threads that draw; never more than the cores this process may use."""

    @property
    def device_type(self) -> str:
        """`cpu` or `cuda`, which is what cache keys hold."""
        return self.device.partition(":")[0]


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_runtime(wish: str, supported: tuple[str, ...]) -> Runtime:
    """Return the runtime for a `--device` wish on an engine that supports the given device types.

    `auto` takes the engine's first device that is there. torch is imported only if a CUDA device is in question.

    Raises:
        UsageError: the wish is no device name.
        EngineUnavailable: the engine does not run on that device, or it is not there.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", wish):
        raise UsageError(f'--device: "{wish}" is not a device', "choose auto, cpu, cuda or cuda:N")
    kind = wish.partition(":")[0]
    if kind not in ("auto", *supported):
        raise EngineUnavailable(f"this engine does not run on {kind}", f"it runs on: {', '.join(supported)}")
    threads = min(4, usable_cores())
    for device in supported if kind == "auto" else (wish,):
        if device == "cpu":
            return Runtime(threads=threads)
        if _cuda_is_there(device):
            return Runtime(device, "float16", threads)
    raise EngineUnavailable("no CUDA device was found", "run `moee doctor`, or choose an engine that runs on cpu")


def _cuda_is_there(device: str) -> bool:
    import torch

    index = int(device.partition(":")[2] or 0)
    return torch.cuda.is_available() and index < torch.cuda.device_count()
