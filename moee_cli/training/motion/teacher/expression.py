"""Emotion weights to a face that feels: postures with onset, apex and decay, asymmetry, and a life of their own.

Postures are the action units of EMFACS (`engines.motion.poses`). A compound shows the units of both its parts, each
between what the parts show alone (Du, Tao and Martinez, "Compound facial expressions of emotion", PNAS 2014, find the
units of both, the conflicting ones left out). Spontaneous expressions come on and go smoothly, upper and lower face
not at once, and hold an apex below the peak (Ekman and Friesen 1982; Cohn and Schmidt 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moee_cli.core.labels import CHANNEL, N_EMOTIONS, N_MOTION, SHAPES
from moee_cli.core.types import F32
from moee_cli.engines.motion.curves import sway
from moee_cli.engines.motion.poses import channels, emotion_poses
from moee_cli.training.motion.teacher.events import pulse

MIXING_POWER = 1.5
"""Exponent of the mean in which a compound's parts meet. It lies between the parts for any exponent; at 1 a unit that
one of two equal parts has would show at half, which looks like two faint emotions; at 1.5 it shows at 0.63."""
_OVERSHOOT = 0.14
"""How far a fresh expression passes the level it then holds."""
_FAST, _SLOW = 4.0, 22.0
"""Frames of the two averages whose difference is the freshness of an expression (0.16 and 0.9 s)."""
_VARIETY = 0.13
"""Standard deviation (log) of how strongly a unit takes part in one take."""
_ASYMMETRY = 0.05
"""Standard deviation of left over right within a take, over what the postures have anyway."""
_RESTLESS = (0.07, 0.025)
"""Standard deviation of the slow swell of a held expression, upper and lower face: a mouth that keeps moving seems to
speak."""

_N_SHAPES = len(SHAPES)
_PAIRS = [(CHANNEL[f"{name[:-4]}Left"], CHANNEL[f"{name[:-4]}Right"]) for name in SHAPES if name.endswith("Left")
          and f"{name[:-4]}Right" in CHANNEL]  # fmt: skip
_UPPER = channels("browDown", "browInnerUp", "browOuterUp", "eyeWide", "eyeSquint", "cheekSquint")
_MICRO = (
    ("browInnerUp", 0.100), ("browOuterUp", 0.095), ("browDown", 0.080), ("eyeSquint", 0.110), ("cheekSquint", 0.080),
    ("noseSneer", 0.035),
)  # fmt: skip
"""Size of the small motion that no face at rest is without: mean and standard deviation are 0.6 of it."""
_FLICKERS = (
    ("browInnerUp", 0.30), ("browOuterUp", 0.28), ("browDown", 0.25), ("eyeSquint", 0.32), ("eyeWide", 0.20),
    ("cheekSquint", 0.20), ("mouthDimple", 0.05), ("mouthPress", 0.05), ("mouthSmile", 0.05),
)  # fmt: skip
"""Largest of passing movements, those of the mouth stay too small to look like speech."""
_FLICKER_FRAMES = 40.0
"""Frames from one to the next, on average."""


@dataclass(frozen=True)
class Temper:
    """How one person shows emotions in one take."""

    poses: F32
    """[7, 52] this take's postures."""
    delay: F32
    """[2] frames by which upper and lower face follow the emotion."""
    swell: float
    """Gain on the slow swell."""


def temper_of(generator: np.random.Generator) -> Temper:
    """Return this take's way to show emotions: the same units, each a little more or less, one side a little more."""
    poses = emotion_poses().copy()
    gain = np.exp(generator.normal(0.0, _VARIETY, (N_EMOTIONS, _N_SHAPES))).astype(np.float32)
    side = generator.normal(0.0, _ASYMMETRY, (N_EMOTIONS, len(_PAIRS))).astype(np.float32)
    for pair, (left, right) in enumerate(_PAIRS):
        gain[:, right] = gain[:, left] * (1.0 - side[:, pair])
        gain[:, left] *= 1.0 + side[:, pair]
    poses[:, :_N_SHAPES] = np.minimum(poses[:, :_N_SHAPES] * np.clip(gain, 0.7, 1.4), 1.0)
    attitude = np.exp(generator.normal(0.0, 0.35, (N_EMOTIONS, N_MOTION - _N_SHAPES)))
    turned = np.where(generator.random((N_EMOTIONS, 1)) < 0.5, -1.0, 1.0)
    poses[:, _N_SHAPES:] *= np.asarray(attitude, np.float32)
    # To which side a head turns or leans is no part of an emotion.
    poses[:, [CHANNEL["headYaw"], CHANNEL["headRoll"]]] *= np.asarray(turned, np.float32)
    return Temper(poses, generator.uniform(0.0, (1.5, 4.0)).astype(np.float32), float(generator.uniform(0.5, 1.5)))


def express(emotion: F32, temper: Temper, generator: np.random.Generator) -> F32:
    """Return the face [F, 52] of weights [F, 7]; weights of neutral alone give the small motion of a face at rest."""
    n_frames = len(emotion)
    shown = np.empty((n_frames, N_MOTION), np.float32)
    fresh = emotion + _OVERSHOOT * (_average(emotion, _FAST) - _average(emotion, _SLOW))
    fresh = np.clip(fresh, 0.0, 1.0 + _OVERSHOOT)
    swell = 1.0 + temper.swell * np.array(_RESTLESS, np.float32) * sway(_noise(generator, n_frames, 2), 14.0)
    lower = [column for column in range(_N_SHAPES) if column not in _UPPER]
    rest = list(range(_N_SHAPES, N_MOTION))
    for index, columns in enumerate((_UPPER, lower)):
        felt = mixed_poses(_late(fresh, float(temper.delay[index])), temper.poses)
        shown[:, columns] = felt[:, columns] * np.clip(swell[:, [index]], 0.8, 1.2)
    shown[:, rest] = mixed_poses(emotion, temper.poses)[:, rest]
    shown += _life(n_frames, temper.swell, generator)
    return np.asarray(np.clip(shown, -1.0, 1.0), np.float32)


def _life(n_frames: int, gain: float, generator: np.random.Generator) -> F32:
    """Return the motion [F, 52] of a face that feels nothing and is awake: small unrest, and passing movements."""
    moved = np.zeros((n_frames, N_MOTION), np.float32)
    for name, size in _MICRO:
        columns = channels(name)
        both, own = sway(_noise(generator, n_frames, 1), 5.0), sway(_noise(generator, n_frames, len(columns)), 2.5)
        moved[:, columns] += 0.6 * size * gain * np.maximum(1.0 + 0.8 * both + 0.6 * own, 0.0)
    for _ in range(int(generator.poisson(n_frames / _FLICKER_FRAMES))):
        name, largest = _FLICKERS[int(generator.integers(len(_FLICKERS)))]
        size = largest * float(generator.uniform(0.3, 1.0))
        rise, fall = generator.uniform((4.0, 6.0), (9.0, 18.0))
        bump = pulse(n_frames, float(generator.uniform(0, n_frames)), float(rise), float(fall))
        for column in channels(name):
            moved[:, column] += size * float(generator.uniform(0.75, 1.0)) * bump
    return moved


def mixed_poses(emotion: F32, poses: F32) -> F32:
    """Return the posture [F, 52] of weights [F, 7]: each unit between its parts, all scaled by what is not neutral.

    Of one emotion alone the posture is proportional to its weight. Head and gaze, which have a sign, mix linearly.
    """
    felt = np.maximum(emotion[:, 1:], 0.0)
    amount = felt.sum(1, keepdims=True)
    share = felt / np.maximum(amount, 1e-6)
    posture = np.asarray(emotion[:, 1:] @ poses[1:], np.float32)
    units = np.maximum(poses[1:, :_N_SHAPES], 0.0) ** MIXING_POWER
    posture[:, :_N_SHAPES] = amount * (share @ units) ** (1.0 / MIXING_POWER)
    return posture


def _average(values: F32, frames: float) -> F32:
    """Return the exponential average over the past [F, k]; it starts at its first value."""
    keep = np.float32(np.exp(-1.0 / frames))
    averaged = np.empty_like(values)
    state = values[0] if len(values) else None
    for index, row in enumerate(values):
        state = row + keep * (state - row)
        averaged[index] = state
    return averaged


def _late(values: F32, frames: float) -> F32:
    """Return values as they were so many frames ago."""
    at = np.clip(np.arange(len(values)) - frames, 0, max(len(values) - 1, 0))
    low = at.astype(int)
    high = np.minimum(low + 1, len(values) - 1)
    share = (at - low)[:, None]
    return np.asarray((1.0 - share) * values[low] + share * values[high], np.float32)


def _noise(generator: np.random.Generator, n_frames: int, width: int) -> F32:
    return generator.standard_normal((n_frames, width), dtype=np.float32)
