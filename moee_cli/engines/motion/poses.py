"""Postures: what a face does for each emotion and for each mouth shape, as ARKit shapes.

Emotion postures are the action units of EMFACS (Friesen and Ekman 1983; compounds: Du, Tao and Martinez, PNAS 2014),
translated to ARKit's shapes: AU1 browInnerUp, AU2 browOuterUp, AU4 browDown, AU5 eyeWide, AU6 cheekSquint,
AU7 eyeSquint, AU9 noseSneer, AU10 mouthUpperUp, AU12 mouthSmile, AU15 mouthFrown, AU16 mouthLowerDown, AU17
mouthShrugLower, AU20 mouthStretch, AU23/24 mouthPress and mouthRoll, AU26 jawOpen. Amounts were chosen by eye for a
clear but human expression at intensity 1; they enter linearly, so a mix lies between its parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import radians

import numpy as np

from moee_cli.audio.visemes import MOUTH_SHAPES
from moee_cli.core.labels import CHANNEL, EMOTIONS, N_MOTION
from moee_cli.core.types import F32

EMOTION_POSES: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "happiness": {
        "mouthSmile": 0.82, "cheekSquint": 0.70, "eyeSquint": 0.32, "mouthDimple": 0.15, "mouthUpperUp": 0.12,
        "browInnerUp": 0.06, "browOuterUp": 0.08,
    },
    "sadness": {
        "browInnerUp": 0.95, "browDown": 0.05, "mouthFrown": 0.80, "mouthShrugLower": 0.35, "eyeSquint": 0.12,
        "eyeBlink": 0.18, "mouthPress": 0.08,
    },
    "anger": {
        "browDown": 0.95, "eyeWide": 0.15, "eyeSquint": 0.50, "mouthPress": 0.60, "mouthRollLower": 0.30,
        "mouthRollUpper": 0.25, "noseSneer": 0.42, "mouthFrown": 0.35, "jawForward": 0.20,
    },
    "disgust": {
        "noseSneer": 0.90, "mouthUpperUp": 0.26, "mouthFrown": 0.50, "mouthLowerDown": 0.06, "browDown": 0.50,
        "eyeSquint": 0.45, "cheekSquint": 0.40, "mouthShrugLower": 0.34,
    },
    "fear": {
        "browInnerUp": 0.85, "browOuterUp": 0.40, "browDown": 0.12, "eyeWide": 0.75, "mouthStretch": 0.60,
        "jawOpen": 0.10, "mouthLowerDown": 0.15,
    },
    "surprise": {
        "browInnerUp": 0.85, "browOuterUp": 0.90, "eyeWide": 0.65, "jawOpen": 0.24, "mouthFunnel": 0.12,
    },
}  # fmt: skip
"""Shape to amount at weight 1; a name without side means both sides."""

EMOTION_ATTITUDES: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "happiness": {"headPitch": 1.2, "headRoll": 1.2},
    "sadness": {"headPitch": -3.5, "headRoll": -1.2, "gazePitch": -3.0},
    "anger": {"headPitch": -2.0, "headZ": 0.03},
    "disgust": {"headPitch": 1.0, "headYaw": 2.0, "headZ": -0.02},
    "fear": {"headPitch": 1.2, "headZ": -0.03},
    "surprise": {"headPitch": 1.8, "headZ": -0.02},
}
"""Head and gaze at weight 1: degrees, translation in outer-eye distances. Small: the picture allows 8 degrees in all,
and sway needs its share."""

EMOTION_BLINKS: Mapping[str, float] = {
    "neutral": 1.0, "happiness": 1.1, "sadness": 0.9, "anger": 0.7, "disgust": 1.0, "fear": 1.4, "surprise": 0.6,
}  # fmt: skip
"""Factor on the blink rate."""

SPEECH_POSES: Mapping[str, Mapping[str, float]] = {
    "rest": {},
    "closed": {"jawOpen": 0.04, "mouthPress": 0.18, "mouthRollLower": 0.14, "mouthRollUpper": 0.10},
    "bite": {"jawOpen": 0.06, "mouthRollLower": 0.35, "mouthUpperUp": 0.16, "mouthShrugLower": 0.10},
    "teeth": {"jawOpen": 0.07, "mouthLowerDown": 0.24, "mouthUpperUp": 0.12, "mouthStretch": 0.14},
    "narrow": {"jawOpen": 0.11, "mouthLowerDown": 0.12, "mouthUpperUp": 0.05},
    "mid": {"jawOpen": 0.24, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06},
    "open": {"jawOpen": 0.46, "mouthLowerDown": 0.20, "mouthUpperUp": 0.12},
    "spread": {"jawOpen": 0.18, "mouthLowerDown": 0.18, "mouthUpperUp": 0.10, "mouthStretch": 0.22, "mouthSmile": 0.14},
    "round": {"jawOpen": 0.20, "mouthFunnel": 0.40, "mouthPucker": 0.70},
}
"""Mouth shape to shapes at weight 1. jawOpen 0.46 drops the lower lip by a fifth of the outer-eye distance
(ICT-FaceKit: 0.39 at 1), an open but unforced "ah"."""

_STRONGER_LEFT = {"mouthSmile": 1.04, "mouthFrown": 0.96, "browDown": 0.97, "browOuterUp": 1.05, "noseSneer": 1.06}
"""Left over right, no face being even; the emotional expression tends to be stronger on the left."""


@cache
def emotion_poses() -> F32:
    """Return the postures of the emotions, [7, 52], rows in the order of `EMOTIONS`."""
    poses = _matrix([EMOTION_POSES[name] for name in EMOTIONS], _STRONGER_LEFT)
    for row, name in enumerate(EMOTIONS):
        for channel, amount in EMOTION_ATTITUDES[name].items():
            turns = channel.endswith(("Yaw", "Pitch", "Roll"))
            poses[row, CHANNEL[channel]] = radians(amount) if turns else amount
    return poses


@cache
def speech_poses() -> F32:
    """Return the postures of the mouth shapes, [9, 52], rows in the order of `MOUTH_SHAPES`."""
    return _matrix([SPEECH_POSES[name] for name in MOUTH_SHAPES], {})


@cache
def blink_factors() -> F32:
    """Return the factor of each emotion on the blink rate, [7]."""
    return np.array([EMOTION_BLINKS[name] for name in EMOTIONS], np.float32)


def channels(*names: str) -> list[int]:
    """Return the columns of the named shapes; a name without side means both sides."""
    return [CHANNEL[full] for name in names for full in _sides(name)]


def _sides(name: str) -> tuple[str, ...]:
    return (name,) if name in CHANNEL else (f"{name}Left", f"{name}Right")


def _matrix(poses: Sequence[Mapping[str, float]], stronger_left: Mapping[str, float]) -> F32:
    matrix = np.zeros((len(poses), N_MOTION), np.float32)
    for row, pose in enumerate(poses):
        for name, amount in pose.items():
            tilt = stronger_left.get(name, 1.0)
            sides = _sides(name)
            for side, factor in zip(sides, (tilt, 2.0 - tilt) if len(sides) == 2 else (1.0,), strict=True):
                matrix[row, CHANNEL[side]] = amount * factor
    return matrix
