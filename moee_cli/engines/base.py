"""What an engine is: a light description, and four methods.

An engine samples motion for one chunk at a time, from a `Drive` that holds everything that may decide it, and draws
frames from motion. Chunk planning, overlap blending, interpolation to video frames, pieces and joins happen outside,
once for all engines. Sampling and drawing are apart because motion is cheap to repeat and pictures are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import F32, U8, Drive, Portrait
from moee_cli.engines.runtime import Runtime


@dataclass(frozen=True)
class Requirements:
    """What a machine must have."""

    devices: tuple[str, ...]
    """Device types the engine runs on, preferred first: `cpu`, `cuda`."""
    memory_bytes: int
    """Peak memory of a 512x512 render, measured (see docs/benchmarks.md)."""
    needs_download: bool = False


@dataclass(frozen=True)
class EngineSpec:
    """The light description of an engine; importing it must not import torch."""

    name: str
    summary: str
    status: str
    """Honest one-line state: what works, what is not there yet."""
    requirements: Requirements
    options: type[BaseModel]
    """Model of `engines: {name: {...}}`; unknown keys are errors."""
    chunk: int
    """Motion frames sampled at once."""
    overlap: int
    """Motion frames shared by neighbouring chunks."""
    context: int
    """Motion frames of audio and emotion a chunk sees on each side."""
    frames_per_second: float
    """Frames rendered per second at 512x512 on the machine of docs/benchmarks.md; `moee plan` estimates from it."""
    seconds_per_frame: float
    """The part of a frame's time that does not grow with its size, measured with small frames."""
    weights_licence: str
    target: str
    """`module:Class` of the engine."""
    moves_face: bool = False
    """Its motion has the columns `labels.MOTION_CHANNELS`: it can be written to a file and taken from one."""
    draws_transparent: bool = False
    """It can draw the person alone, for `background: transparent`; if not, such scripts are refused."""


class Engine(Protocol):
    """The contract; `tests/engines/test_contract.py` runs over every registered engine."""

    def prepare(self, portrait: Portrait) -> Any:
        """Return whatever drawing this portrait needs, computed once."""

    def sample(self, prepared: Any, drive: Drive, *, noise: NoiseSource) -> F32:
        """Return the motion of one chunk, float32 [drive.n_frames, D]; depends on the arguments alone.

        A film with several outputs is sampled once, with the portrait prepared for the first of them.
        """

    def draw(self, prepared: Any, motion: F32) -> Iterator[U8]:
        """Yield one RGB frame uint8 [H, W, 3] for each row of motion [n, D] (already on video frames).

        For a transparent portrait, if `EngineSpec.draws_transparent`, premultiplied RGBA [H, W, 4].
        """

    def close(self) -> None:
        """Release threads and device memory; safe to call twice and after an error."""


@dataclass(frozen=True, eq=False)
class Pose:
    """One picture of a sheet (`moee sheet`): what a viewer is to judge."""

    group: str
    """What it is shown with."""
    name: str
    motion: F32
    """[D], a row that `draw` takes."""
    whole_head: bool = False
    """Shown with hair and background, not the face alone."""


@runtime_checkable
class HasPoses(Protocol):
    """What an engine has besides, if its faces can be shown on a sheet."""

    def poses(self) -> Sequence[Pose]:
        """Return the poses, those of a group together."""


@runtime_checkable
class SamplesTogether(Protocol):
    """What an engine has besides, if several chunks at once cost less than one after the other."""

    def sample_together(self, prepared: Any, drives: Sequence[Drive], *, noise: NoiseSource) -> Sequence[F32]:
        """Return what `sample` returns for each of the drives, to 1e-5: each is sampled as if it were alone."""


def create_engine(spec: EngineSpec, options: BaseModel, runtime: Runtime) -> Engine:
    """Import an engine and build it.

    Raises:
        EngineUnavailable: weights or hardware are missing.
    """
    module, _, name = spec.target.partition(":")
    engine: Engine = getattr(import_module(module), name)(options, runtime)
    return engine
