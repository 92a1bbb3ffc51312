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
    weights: Path | None = Field(
        default=None, description="a motion.safetensors of `moee train motion`, to sample motion with"
    )
    steps: int = Field(default=10, ge=1, le=100, description="steps of the sampler; more are finer and slower")
    audio_guidance: float = Field(
        default=1.0, ge=0.0, le=5.0, description="how closely sampled motion follows the sound; 1 is as trained"
    )
    emotion_guidance: float = Field(
        default=1.0,
        ge=0.0,
        le=5.0,
        description="how far sampled motion goes from neutral to the emotion; 1 is as trained",
    )
    mouth_noise: float = Field(
        default=1.0, ge=0.0, le=1.0, description="how much of the mouth's motion is left to chance; 1 is as trained"
    )


SPEC = EngineSpec(
    name="motion",
    summary="moves your own photo; CPU, offline, nothing to download",
    status="works; motion follows the sound by signal processing, the trained sampler is not there yet",
    requirements=Requirements(devices=("cpu",), memory_bytes=570_000_000),
    options=MotionOptions,
    chunk=100,
    overlap=12,
    context=50,
    frames_per_second=60.0,
    seconds_per_frame=0.009,
    weights_licence="no weights",
    target="moee_cli.engines.motion.engine:MotionEngine",
    moves_face=True,
    draws_transparent=True,
)
