"""From a motion frame to field weights: ranges, shapes that exclude each other, lids that follow the gaze."""

from __future__ import annotations

import numpy as np

from moee_cli.core.labels import CHANNEL, GAZE, HEAD, N_MOTION, SHAPES
from moee_cli.core.types import F32
from moee_cli.face.pose import soft_limit

N_SHAPES = len(SHAPES)
JAW_LIMIT = 0.92
"""jawOpen bends towards this: a photo has no skin for the last of the way."""
_HEAD = slice(CHANNEL[HEAD[0]], CHANNEL[HEAD[-1]] + 1)
_GAZE = [CHANNEL[name] for name in GAZE]
GAZE_LIMITS = (0.55, 0.40)
"""Largest gaze yaw and pitch in radians; further the iris would leave the lids."""
_SPOKEN_PRESS, _SPOKEN_ROLL = 0.17, 0.10
"""mouthPress, and the roll of both lips, of a spoken p, b or m (`engines/motion/poses.py`)."""


def bounded(motion: F32, smile: float = 0.0) -> F32:
    """Return a copy of a motion frame [52] with shapes in 0..1, gaze within limits and no shapes at odds.

    `smile` 0..1 is how far the photo smiles already: only the rest of the way is left.
    A lid that blinks neither widens nor squints; lips close only as far as the jaw has opened them.
    """
    if motion.shape != (N_MOTION,):
        raise ValueError(f"a motion frame has shape ({N_MOTION},), not {motion.shape}")
    held = np.nan_to_num(np.asarray(motion, np.float32))
    held[:N_SHAPES] = np.clip(held[:N_SHAPES], 0.0, 1.0)
    held[_GAZE] = soft_limit(held[_GAZE], np.array(GAZE_LIMITS, np.float32))
    for side in ("Left", "Right"):
        open_share = 1.0 - held[CHANNEL["eyeBlink" + side]]
        for name in ("mouthSmile", "mouthStretch"):
            held[CHANNEL[name + side]] *= 1.0 - 0.65 * smile
        for name in ("eyeWide", "eyeSquint"):
            held[CHANNEL[name + side]] *= open_share
    jaw = CHANNEL["jawOpen"]
    held[jaw] = soft_limit(held[jaw], JAW_LIMIT, knee=0.65)
    close = CHANNEL["mouthClose"]
    held[close] = min(held[close], held[CHANNEL["jawOpen"]])
    return held


def field_weights(held: F32, seals: int) -> F32:
    """Return weights [44 + 2 + seals] of the fields: shapes, lids following the gaze up and down, seals at 0."""
    weights = np.zeros(N_SHAPES + 2 + seals, np.float32)
    weights[:N_SHAPES] = held[:N_SHAPES]
    blink = (held[CHANNEL["eyeBlinkLeft"]] + held[CHANNEL["eyeBlinkRight"]]) / 2
    pitch = held[CHANNEL["gazePitch"]] * (1.0 - blink)
    weights[N_SHAPES], weights[N_SHAPES + 1] = max(pitch, 0.0), max(-pitch, 0.0)
    return weights


def lips_together(held: F32) -> float:
    """Return 0..1: how far a mouth that is open in the photo is to be shut by lips that press, roll or close.

    The press and roll of a spoken p, b or m shut it wholly. A lower lip that rolls alone bites (f, v): nothing shuts.
    """
    press = (held[CHANNEL["mouthPressLeft"]] + held[CHANNEL["mouthPressRight"]]) / 2
    roll = min(held[CHANNEL["mouthRollLower"]], held[CHANNEL["mouthRollUpper"]])
    share = min(1.0, float(max(press / _SPOKEN_PRESS, roll / _SPOKEN_ROLL, 1.6 * held[CHANNEL["mouthClose"]])))
    return share * share * (3.0 - 2.0 * share)


def head_of(held: F32) -> F32:
    """Return the head channels [6]."""
    return held[_HEAD]
