"""Sampling of face motion: drives of chunks to motion, all chunks at once, each as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moee_cli.core.labels import N_MOTION, SHAPES
from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import F32, Drive
from moee_cli.sampling.guidance import guess_shares, guide
from moee_cli.sampling.samplers import sample_dpm_2m
from moee_cli.sampling.schedules import cosine_levels

if TYPE_CHECKING:
    from torch import Tensor

    from moee_cli.models.motion_denoiser import MotionContext, MotionDenoiser, MotionInput

NOISE_STREAM = "motion"
CONTEXT = 25
"""Frames of context sampled on either side, as far as one layer attends; more would cost more than it helps."""
_MOUTH = [index for index, name in enumerate(SHAPES) if name.startswith(("jaw", "mouth", "tongue"))]


@dataclass(frozen=True)
class SamplerSettings:
    """How motion is sampled."""

    steps: int = 10
    audio: float = 1.0
    """Guidance towards the sound: 1 takes the network at its word, more exaggerates."""
    emotion: float = 1.0
    """Guidance from the neutral face towards the emotion."""
    mouth_noise: float = 1.0
    """Amplitude of the first noise on jaw, mouth and tongue. Below 1 the mouth says what is heard with less of its own
    chance; head, gaze and brows keep theirs."""


def sample_motion(
    model: MotionDenoiser, drives: Sequence[Drive], noise: NoiseSource, settings: SamplerSettings
) -> list[F32]:
    """Return the motion of each chunk's own frames, float32 [n_frames, 52], columns `labels.MOTION_CHANNELS`.

    Context frames are sampled too, so that neighbouring chunks, which see the same noise there, come to the same.
    """
    import torch

    drives = [_near(drive) for drive in drives]
    with torch.inference_mode():
        guesses, shares = _guesses(model, input_of(drives), settings)
        x = torch.from_numpy(_filled([noise.normal(NOISE_STREAM, d.spans, (N_MOTION,)) for d in drives], 0.0))
        x[..., _MOUTH] *= settings.mouth_noise

        def denoise(noisy: Tensor, level: float) -> Tensor:
            at = torch.full((len(noisy),), level)
            return guide([model(noisy, at, context) for context in guesses], shares)

        motion = model.denormalise(sample_dpm_2m(denoise, x, cosine_levels(settings.steps))).numpy()
    return [
        _within_limits(motion[row, drive.before : drive.before + drive.n_frames]) for row, drive in enumerate(drives)
    ]


def input_of(drives: Sequence[Drive]) -> MotionInput:
    """Return what the network is given for chunks, filled up with neutral silence to the longest."""
    import torch

    from moee_cli.audio.features import MEL_FLOOR
    from moee_cli.models.motion_denoiser import MotionInput

    controls = [np.stack([d.speech, d.head, d.gaze_free, d.blinks], -1).astype(np.float32) for d in drives]
    arrays = (
        _filled([drive.features.log_mel for drive in drives], MEL_FLOOR),
        _filled([drive.features.pitch_hz for drive in drives], 0.0),
        _filled(controls, 0.0),
        _filled([drive.emotion for drive in drives], 0.0),
        _filled([np.ones(len(drive), np.bool_) for drive in drives], fill=False),
    )
    log_mel, pitch_hz, told, weights, valid = (torch.from_numpy(array) for array in arrays)
    weights[..., 0] += 1.0 - weights.sum(-1)
    return MotionInput(log_mel, pitch_hz, told, weights, valid)


def _guesses(
    model: MotionDenoiser, given: MotionInput, settings: SamplerSettings
) -> tuple[list[MotionContext], list[float]]:
    """Return the contexts that guidance needs, told more and more, and their shares; those without a share left out."""
    import torch

    none = torch.zeros_like(given.weights)
    none[..., 0] = 1.0
    neutral = replace(given, weights=none)
    unheard = torch.zeros(len(given.valid), dtype=torch.bool)
    told: list[tuple[MotionInput, Tensor | None]] = [(given, unheard), (given, None)]
    scales = [settings.audio]
    if settings.emotion != 1.0:
        told, scales = [(neutral, unheard), (neutral, None), (given, None)], [settings.audio, settings.emotion]
    shares = guess_shares(scales)
    used = [
        (model.prepare(this, hears=hears), share) for (this, hears), share in zip(told, shares, strict=True) if share
    ]
    return [context for context, _ in used], [share for _, share in used]


def _near(drive: Drive) -> Drive:
    """Return the drive with no more context than is sampled."""
    start = max(0, drive.before - CONTEXT)
    stop = drive.before + drive.n_frames + min(drive.after, CONTEXT)
    near = slice(start, stop)
    spans, place = [], 0
    for span in drive.spans:
        first, last = max(start - place, 0), min(stop - place, len(span))
        if last > first:
            spans.append(replace(span, start=span.start + first, stop=span.start + last))
        place += len(span)
    frames = {
        name: getattr(drive, name)[near] for name in ("features", "emotion", "speech", "head", "gaze_free", "blinks")
    }
    before, after = drive.before - start, stop - drive.before - drive.n_frames
    return replace(drive, **frames, spans=tuple(spans), before=before, after=after)


def _filled(parts: Sequence[F32], fill: float) -> F32:
    """Return arrays [F, ...] as one [B, longest F, ...]."""
    longest = max(len(part) for part in parts)
    whole = np.full((len(parts), longest, *parts[0].shape[1:]), fill, parts[0].dtype)
    for row, part in zip(whole, parts, strict=True):
        row[: len(part)] = part
    return whole


def _within_limits(motion: F32) -> F32:
    limited = np.array(motion, np.float32)
    np.clip(limited[:, : len(SHAPES)], 0.0, 1.0, out=limited[:, : len(SHAPES)])
    return limited
