"""What a trained network can do, in figures: how lips follow sound it never heard, and whether emotions tell apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from moee_cli.core.labels import CHANNEL, EMOTIONS, N_EMOTIONS, SHAPES
from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import F32, AudioFeatures, Drive, NoiseSpan
from moee_cli.engines.motion.poses import emotion_poses
from moee_cli.engines.motion.sampler import SamplerSettings, sample_motion
from moee_cli.models.motion_denoiser import MotionDenoiser
from moee_cli.models.motion_weights import load_motion_weights
from moee_cli.sampling.chunks import OverlapBlender, plan_chunks
from moee_cli.store.atomic import write_text
from moee_cli.training.denoiser.losses import ARTICULATION
from moee_cli.training.motion.clip import Clip
from moee_cli.training.motion.measures import Performance, lip_figures, liveliness, share_at_rest

CHUNK, OVERLAP, CONTEXT = 100, 12, 50
"""As the engine cuts time."""
FIGURES_FILE = "figures.json"
_CLIPS = 24
"""Held-out clips that figures are taken from."""
_BATCH = 16
"""Chunks sampled at once."""
_SHIFT_S = 0.4
"""By so much sound and lips are moved apart to see chance."""
_EXPRESSION = [CHANNEL[name] for name in SHAPES if name not in ARTICULATION and not name.startswith("eyeBlink")]


def write_figures(weights: Path, clips: Sequence[Clip], folder: Path) -> dict[str, float]:
    """Write `figures.json`, figures of the network on some held-out clips, and return them; nothing without clips.

    Raises:
        OutputError, EnvironmentFailed: the file cannot be written.
    """
    if not clips:
        return {}
    apart = clips[:: max(1, len(clips) // _CLIPS)][:_CLIPS]
    figures = figures_of(load_motion_weights(weights), apart, SamplerSettings())
    told = {name: None if np.isnan(value) else round(value, 4) for name, value in figures.items()}
    write_text(folder / FIGURES_FILE, json.dumps(told, indent=1) + "\n")
    return figures


def drives_of(clip: Clip, name: str, emotion: F32 | None = None) -> list[Drive]:
    """Return the chunks of a clip, at another `emotion` [7] throughout if one is given; `name` keys the noise."""
    n_frames = len(clip.motion)
    felt = clip.emotion if emotion is None else np.tile(emotion.astype(np.float32), (n_frames, 1))
    spectrum = np.zeros((n_frames, 0), np.float32)  # the network does not look at it
    features = AudioFeatures(clip.log_mel, clip.energy_db, clip.pitch_hz, spectrum)
    drives = []
    for chunk in plan_chunks(n_frames, CHUNK, OVERLAP):
        start, stop = max(0, chunk.start - CONTEXT), min(n_frames, chunk.stop + CONTEXT)
        speech, head, gaze_free, blinks = clip.controls[start:stop].T
        span = NoiseSpan(name, 1, start, stop)
        before, after = chunk.start - start, stop - chunk.stop
        drives.append(
            Drive(
                features[start:stop], felt[start:stop], speech, head, gaze_free, blinks,
                (span,), before, len(chunk), after,
            )
        )  # fmt: skip
    return drives


def perform(
    model: MotionDenoiser, clips: Sequence[Clip], settings: SamplerSettings, emotion: F32 | None = None, seed: int = 0
) -> list[F32]:
    """Return sampled motion [F, 52] for each clip, blended from its chunks."""
    cut = [(index, drive) for index, clip in enumerate(clips) for drive in drives_of(clip, str(index), emotion)]
    sampled: list[F32] = []
    for first in range(0, len(cut), _BATCH):
        part = [drive for _, drive in cut[first : first + _BATCH]]
        sampled += sample_motion(model, part, NoiseSource(seed), settings)
    blenders = [OverlapBlender(0, len(clip.motion), OVERLAP) for clip in clips]
    plans = [chunk for clip in clips for chunk in plan_chunks(len(clip.motion), CHUNK, OVERLAP)]
    for (index, _), chunk, values in zip(cut, plans, sampled, strict=True):
        blenders[index].add(chunk, values)
    return [blender.result() for blender in blenders]


def figures_of(model: MotionDenoiser, clips: Sequence[Clip], settings: SamplerSettings) -> dict[str, float]:
    """Return named figures on clips of voices that were not trained on."""
    motions = perform(model, clips, settings)
    acted = [Performance(motion, clip.phones, clip.emotion) for motion, clip in zip(motions, clips, strict=True)]
    lips, apart = lip_figures(acted), lip_figures(acted, shift_s=_SHIFT_S)
    found = {
        "lips: open vowels against closures, AUC": lips.auc,
        "lips: the same, sound moved by 400 ms": apart.auc,
        "lips: p b m closed": lips.closed,
        "lips: closed less falsely closed": lips.closed - lips.falsely,
        "lips: lag in frames": float(lips.lag),
        "silence: mouth at rest": share_at_rest(acted),
        "life: thousandths of the eye distance per frame": float(np.mean([liveliness(m).mean() for m in motions])),
    }
    return {**found, **emotion_figures(model, clips, settings)}


def emotion_figures(model: MotionDenoiser, clips: Sequence[Clip], settings: SamplerSettings) -> dict[str, float]:
    """Return in which share of clips each intensity of each emotion is taken for what it is, and whether more is more.

    A face is taken for the emotion whose authored posture its mean expression is most like (cosine).
    """
    poses = emotion_poses()[1:, _EXPRESSION]
    poses = poses / np.linalg.norm(poses, axis=1, keepdims=True)
    neutral = _expressions(model, clips, settings, 0, 0.0)
    right: dict[float, list[bool]] = {0.5: [], 1.0: []}
    rising: list[bool] = []
    for emotion in range(1, N_EMOTIONS):
        sizes = [np.zeros(len(clips))]
        for intensity in right:
            moved = _expressions(model, clips, settings, emotion, intensity) - neutral
            right[intensity] += ((moved @ poses.T).argmax(1) == emotion - 1).tolist()
            sizes.append(moved @ poses[emotion - 1])
        rising += (np.diff(sizes, axis=0) > 0).all(0).tolist()
    return {
        **{f"emotion: told at intensity {intensity:g}": float(np.mean(hits)) for intensity, hits in right.items()},
        "emotion: more at 1 than at 0.5 than at 0": float(np.mean(rising)),
        "emotion: neutral, largest mean of a shape": float(np.abs(neutral).mean(0).max()),
    }


def _expressions(
    model: MotionDenoiser, clips: Sequence[Clip], settings: SamplerSettings, emotion: int, intensity: float
) -> F32:
    """Return the mean expression of each clip at an emotion, [clips, shapes]."""
    weights = intensity * np.eye(len(EMOTIONS), dtype=np.float32)[emotion]
    weights[0] += 1.0 - intensity
    motions = perform(model, clips, settings, weights)
    return np.stack([motion[:, _EXPRESSION].mean(0) for motion in motions])
