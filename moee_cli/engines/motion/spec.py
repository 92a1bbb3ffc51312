"""Description of the embedded engine."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from moee_cli.engines.base import EngineSpec, Requirements


class MotionOptions(BaseModel):
    """Options under `engines: {motion: ...}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    landmarker: Path | None = Field(
        default=None, description="a face_landmarker.task file to find the face with, instead of the bundled model"
    )


SPEC = EngineSpec(
    name="motion",
    summary="moves your own photo; CPU, offline, nothing to download",
    status="works; motion follows the sound by signal processing, the trained sampler is not there yet",
    requirements=Requirements(devices=("cpu",), memory_bytes=500_000_000),
    options=MotionOptions,
    chunk=100,
    overlap=12,
    context=50,
    frames_per_second=32.0,
    seconds_per_frame=0.019,
    weights_licence="no weights",
    target="moee_cli.engines.motion.engine:MotionEngine",
    moves_face=True,
    draws_transparent=True,
)
