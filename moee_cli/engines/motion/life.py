"""What moves without words: blinks, glances, head sway, the small unrest of a held expression.

All of it comes from noise keyed by position, through filters and rules that look at most 50 frames around, so every
chunk that contains a moment sees the same blink there.
"""

from __future__ import annotations

from math import radians

import numpy as np

from moee_cli.core.types import F32
from moee_cli.engines.motion.curves import mixed, sway

_REFRACTORY = 25
"""Frames that two blinks are apart at least (1 s), as long as the wanted rate leaves room for it."""
_CLOSING, _OPENING = 3.0, 5.5
"""Frames a lid takes to fall and to rise (120 and 220 ms): it opens about half as fast as it closes."""
_SACCADE_GAP = 8
"""Frames between glances at least (320 ms)."""
_GLANCE = 28
"""Frames after which the eyes are back at the camera (1.1 s)."""

CAMERA_GLANCE = (radians(1.2), radians(0.7))
"""Largest glance, yaw and pitch, while the gaze holds the camera: fixational, hardly seen, but not frozen."""
FREE_GLANCE = (radians(9.0), radians(5.0))

_SWAY_SD = np.array([radians(1.3), radians(0.9), radians(0.8), 0.006, 0.004, 0.008], np.float32)
"""Standard deviation of head sway while speaking: yaw, pitch, roll, x, y, z (units of `labels.HEAD`)."""


def blinks(uniform: F32, per_minute: F32) -> F32:
    """Return how far each lid is closed by blinks, [F, 2] left and right, 0..1.

    `uniform` [F, 3]: chance, timing within the frame, length. `per_minute` [F] is met on average.
    """
    n = len(uniform)
    lids = np.zeros((n, 2), np.float32)
    for frame in events(uniform[:, 0], per_minute / 1500.0, _REFRACTORY):
        stretch = 0.9 + 0.3 * float(uniform[frame, 2])
        start = frame + float(uniform[frame, 1])
        for side, late in enumerate((0.0, 0.15)):
            time = (np.arange(n) - start - late) / stretch
            fall = np.clip(time / _CLOSING, 0.0, 1.0)
            rise = np.clip((time - _CLOSING - 0.8) / _OPENING, 0.0, 1.0)
            lids[:, side] = np.maximum(lids[:, side], np.sin(fall * np.pi / 2) ** 2 * np.cos(rise * np.pi / 2) ** 2)
    return lids


def events(uniform: F32, rate: F32, gap: int) -> list[int]:
    """Return frames of random events, `rate` [F] per frame on average and more than `gap` frames apart.

    Source: Matérn's second hard-core process: of candidates closer than `gap` the one with the lowest mark stays. It
    looks `gap` frames around and no further. P(kept) = (1 - (1 - c)^(2 gap + 1)) / (2 gap + 1), solved for c. A rate
    that leaves no room for the gap shortens it.
    """
    room = np.floor((0.85 / np.maximum(rate, 1e-6) - 1.0) / 2.0)
    gaps = np.clip(room, 2, gap).astype(int)
    span = 2 * gaps + 1
    chance = 1.0 - (1.0 - np.minimum(rate * span, 0.95)) ** (1.0 / span)
    marks = np.where(uniform < chance, uniform / np.maximum(chance, 1e-9), np.inf)
    found = []
    for frame in np.flatnonzero(np.isfinite(marks)):
        near = marks[max(0, frame - gaps[frame]) : frame + gaps[frame] + 1]
        if marks[frame] <= near.min():
            found.append(int(frame))
    return found


def glances(uniform: F32, free: F32) -> F32:
    """Return where the eyes look beside the camera, [F, 2] yaw and pitch in radians.

    `uniform` [F, 3]: chance, yaw, pitch; `free` [F] is 1 where the gaze may wander.
    """
    largest = np.outer(1.0 - free, CAMERA_GLANCE) + np.outer(free, FREE_GLANCE)
    looks = np.zeros((len(uniform), 2), np.float32)
    for frame in events(uniform[:, 0], np.full(len(uniform), 0.03, np.float32), _SACCADE_GAP):
        looks[frame : frame + _GLANCE] = (2.0 * uniform[frame, 1:3] - 1.0) * largest[frame]
    return mixed(looks, {-1: 0.25, 0: 0.5, 1: 0.25})


def head_sway(noise: F32, amount: F32) -> F32:
    """Return idle head motion [F, 6] (units of `labels.HEAD`) from unit noise [F, 12]; `amount` [F] is its gain."""
    drift = 0.88 * sway(noise[:, :6], 12.0) + 0.48 * sway(noise[:, 6:], 4.5)
    moved: F32 = 2.0 * np.tanh(drift / 2.0) * _SWAY_SD * amount[:, None]
    return moved


def unrest(noise: F32) -> F32:
    """Return slow wandering within -1..1 [F, k] from unit noise [F, k]."""
    wander: F32 = np.tanh(0.8 * sway(noise, 9.0))
    return wander
