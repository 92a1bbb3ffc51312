"""Blinks and glances, as often as asked and as people do them."""

from __future__ import annotations

from collections.abc import Sequence
from math import radians

import numpy as np

from moee_cli.core.labels import CHANNEL
from moee_cli.core.timebase import MOTION_FPS
from moee_cli.core.types import F32
from moee_cli.engines.motion.curves import smooth

_SPREAD = 0.55
"""Standard deviation (log) of the time between blinks: intervals are skewed, few short and some long (Ponder and
Kennedy 1927; Bentivoglio et al., Movement Disorders 1997)."""
_LEAST_GAP = 0.35
"""Seconds between blinks at least."""
_AT_PAUSE = 0.45
"""Share of blinks that wait for the end of a phrase within 0.6 s (Nakano and Kitazawa, Exp. Brain Res. 2010: blinks
gather at pauses of speech)."""
_INCOMPLETE = 0.12
"""Share of blinks that do not close the eye (Portello, Rosenfield and Chu 2013 count 8 to 16 %)."""
_CLOSING = (2.0, 3.0)
_OPENING = (3.5, 6.0)
"""Frames a lid takes to fall (80 to 120 ms) and to rise (140 to 240 ms); it opens half as fast as it closes (VanderWerf
et al., J. Neurophysiology 2003, give 100 and 200 ms)."""

_STAY = (2.6, 0.9)
"""Mean seconds that free eyes rest at the camera and beside it, speaking (Lee, Badler and Badler, "Eyes alive",
SIGGRAPH 2002: 3.1 and 0.9 s)."""
_FREE_SIZE = radians(6.5)
"""Mean size of a free glance; sizes fall exponentially (Lee et al.: 6.9 degrees)."""
_FREE_LIMIT = (radians(14.0), radians(8.0))
_FIXATION_S = 0.9
"""Mean seconds between small saccades around the camera."""
_FIXATION_SIZE = (radians(0.75), radians(0.45))
"""Their standard deviation to the side and up: between the eyes and the mouth of who is spoken to."""
_CAMERA_HOLD = 0.92
"""Share of a head turn that the eyes undo (vestibulo-ocular reflex)."""
_WITH_BLINK = radians(7.0)
"""Glances from this size on are often made behind a blink (Evinger et al., 1994)."""

_YAW, _PITCH = CHANNEL["gazeYaw"], CHANNEL["gazePitch"]


def blink_times(rate: F32, ends: Sequence[float], generator: np.random.Generator) -> list[float]:
    """Return the frames at which lids begin to fall: `rate` [F] per minute on average, often where phrases end."""
    found: list[float] = []
    due, threshold = 0.0, _wait(generator) * float(generator.random())
    for frame, per_minute in enumerate(rate):
        due += float(per_minute) / 60.0 / MOTION_FPS
        if due < threshold:
            continue
        start = frame + float(generator.random())
        near = [end for end in ends if -2.0 <= end - start <= 0.6 * MOTION_FPS]
        if near and generator.random() < _AT_PAUSE:
            start = near[0] + float(generator.uniform(-2.0, 3.0))
        if not found or start - found[-1] > _LEAST_GAP * MOTION_FPS:
            found.append(start)
            due, threshold = 0.0, _wait(generator)
    return found


def _wait(generator: np.random.Generator) -> float:
    """Return the time to the next blink in units of the mean one."""
    return float(np.exp(generator.normal(-0.5 * _SPREAD**2, _SPREAD)))


def lids(n_frames: int, times: Sequence[float], generator: np.random.Generator) -> F32:
    """Return how far blinks close each lid, [F, 2] left and right, 0..1."""
    closed = np.zeros((n_frames, 2), np.float32)
    for start in times:
        fall, rise = float(generator.uniform(*_CLOSING)), float(generator.uniform(*_OPENING))
        depth = float(generator.uniform(0.45, 0.85)) if generator.random() < _INCOMPLETE else 1.0
        stay = float(generator.uniform(0.2, 0.9))
        for side, late in enumerate(generator.uniform(0.0, 0.3, 2)):
            time = np.arange(n_frames) - start - late
            down = np.sin(np.clip(time / fall, 0.0, 1.0) * np.pi / 2) ** 2
            # Lids come up fast at first and settle slowly.
            up = np.clip((time - fall - stay) / rise, 0.0, 1.0) ** 0.75
            closed[:, side] = np.maximum(closed[:, side], depth * down * np.cos(up * np.pi / 2) ** 2)
    return closed


def blinks(rate: F32, ends: Sequence[float], glances: Sequence[float], generator: np.random.Generator) -> F32:
    """Return how far blinks close each lid [F, 2]; `rate` [F] is per minute, and some go with large glances."""
    n_frames = len(rate)
    times = blink_times(rate, ends, generator)
    for frame in glances:
        wanted = generator.random() < 0.5 and rate[min(int(frame), n_frames - 1)] > 4.0
        if wanted and times:
            # The blink nearest to a large glance goes with it, so that their number stays.
            nearest = int(np.argmin([abs(time - frame) for time in times]))
            if abs(times[nearest] - frame) < MOTION_FPS:
                times[nearest] = frame - 1.0
    return lids(n_frames, times, generator)


def gaze(
    n_frames: int, free: F32, turned: F32, restless: F32, generator: np.random.Generator
) -> tuple[F32, list[float]]:
    """Return where the eyes look, [F, 2] yaw and pitch relative to the head, and the frames of large glances.

    `free` [F] is 1 where the gaze may leave the camera; `turned` [F, 2] the head's yaw and pitch; `restless` [F] how
    much more often than ordinary small saccades come.
    """
    looks = np.zeros((n_frames, 2), np.float32)
    large: list[float] = []
    away, frame = False, 0.0
    target = _fixation(generator)
    while frame < n_frames:
        here = min(int(frame), n_frames - 1)
        if free[here] > 0.5:
            away = not away
            target = _glance(generator) if away else _fixation(generator)
            stay = float(generator.exponential(_STAY[1] if away else _STAY[0])) + 0.25
            if np.hypot(*target) > _WITH_BLINK:
                large.append(frame)
        else:
            away, target = False, _fixation(generator)
            stay = (float(generator.exponential(_FIXATION_S)) + 0.2) / float(restless[here])
        looks[here:] = target
        frame += stay * MOTION_FPS
    # A saccade of some degrees takes 30 to 50 ms (main sequence; Bahill, Clark and Stark 1975): one motion frame.
    looks[1:] = np.where(np.abs(np.diff(looks, axis=0)) > radians(5.0), 0.5 * (looks[1:] + looks[:-1]), looks[1:])
    drift = smooth(generator.standard_normal((n_frames, 2), dtype=np.float32), 3.0) * radians(0.12)
    return np.asarray(looks + drift - _CAMERA_HOLD * turned, np.float32), large


def _fixation(generator: np.random.Generator) -> F32:
    return np.asarray(generator.normal(0.0, _FIXATION_SIZE).clip(-radians(2.2), radians(2.2)), np.float32)


def _glance(generator: np.random.Generator) -> F32:
    size = float(generator.exponential(_FREE_SIZE)) + radians(1.5)
    # Sideways more than up and down (Lee et al., table of directions).
    angle = float(generator.normal(0.0, 0.45)) + (np.pi if generator.random() < 0.5 else 0.0)
    return np.clip(np.array([size * np.cos(angle), size * np.sin(angle)], np.float32), *_limits())


def _limits() -> tuple[F32, F32]:
    limit = np.array(_FREE_LIMIT, np.float32)
    return -limit, limit
