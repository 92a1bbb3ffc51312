"""How a head moves while its owner speaks, listens and feels.

Rigid head motion goes with the voice: nods and turns on stressed syllables, rises with the pitch, new postures between
phrases (Hadar et al. 1983; Munhall et al., "Visual prosody and speech intelligibility", Psych. Science 2004), and it is
larger in anger and happiness than in sadness and neutral speech (Busso et al., IEEE TASLP 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import radians

import numpy as np

from moee_cli.core.labels import CHANNEL, EMOTIONS, HEAD
from moee_cli.core.timebase import MOTION_FPS
from moee_cli.core.types import F32
from moee_cli.engines.motion.curves import eased, smooth, smoothstep, sway
from moee_cli.training.motion.teacher.events import Accent, pulse

_DRIFT = np.array([radians(1.3), radians(0.9), radians(0.9), 0.006, 0.004, 0.008], np.float32)
"""Standard deviation of the slow drift, units of `labels.HEAD`, speaking with ordinary liveliness."""
_POSTURE = np.array([radians(1.6), radians(0.9), radians(1.2), 0.006, 0.003, 0.010], np.float32)
"""The same of a new posture between phrases."""
_NOD = (radians(0.9), radians(2.4))
"""How far a head dips on a weak and on the strongest accent."""
_RISE = radians(1.1)
"""How far it rises per octave of pitch above the speaker's mean."""
_IDLE = 0.5
"""Gain on the drift where nobody speaks."""
_EASE = 8
"""Frames in which the asked gain changes."""
LIVELINESS = {"neutral": 1.0, "happiness": 1.25, "sadness": 0.7, "anger": 1.3, "disgust": 0.95, "fear": 1.05,
              "surprise": 1.1}  # fmt: skip
"""Gain on head motion by emotion, after the order of ranges that Busso et al. report."""


@dataclass(frozen=True)
class Bearing:
    """How one person carries the head in one take; 1 is ordinary."""

    drift: float
    nods: float
    shifts: float
    chance: float
    """Share of accents that get a nod."""


def bearing_of(generator: np.random.Generator) -> Bearing:
    """Return this take's bearing."""
    drift, nods, shifts = np.exp(generator.normal(0.0, (0.25, 0.3, 0.35)))
    return Bearing(float(drift), float(nods), float(shifts), float(generator.uniform(0.35, 0.85)))


@dataclass(frozen=True)
class Voice:
    """What the head hears, per motion frame."""

    accents: Sequence[Accent]
    ends: Sequence[float]
    """Frames at which phrases end."""
    pitch_hz: F32
    saying: F32
    """[F] 1 while somebody speaks."""


def move_head(attitude: F32, emotion: F32, gain: F32, voice: Voice, generator: np.random.Generator) -> F32:
    """Return head motion [F, 6] (`labels.HEAD`); where the gain [F] is 0 the head is perfectly still.

    `attitude` [F, 6] is how the emotion holds the head.
    """
    n_frames, bearing = len(emotion), bearing_of(generator)
    lively = emotion @ np.array([LIVELINESS[name] for name in EMOTIONS], np.float32)
    speaking = smooth(voice.saying, 6.0)
    noise = generator.standard_normal((n_frames, 2 * len(HEAD)), dtype=np.float32)
    drift = 0.85 * sway(noise[:, : len(HEAD)], 14.0) + 0.45 * sway(noise[:, len(HEAD) :], 5.0)
    amount = (_IDLE + (1.0 - _IDLE) * speaking) * lively
    moved = bearing.drift * 2.0 * np.tanh(drift / 2.0) * _DRIFT * amount[:, None]
    moved += bearing.shifts * lively[:, None] * _postures(n_frames, voice.ends, generator)
    moved += lively[:, None] * _nods(n_frames, voice, bearing, generator)
    moved[:, HEAD.index("headPitch")] += _RISE * _tune(voice.pitch_hz) * speaking
    return np.asarray((moved + attitude) * eased(gain, _EASE)[:, None], np.float32)


def _postures(n_frames: int, ends: Sequence[float], generator: np.random.Generator) -> F32:
    """Return how the head is held, [F, 6]: now and then another way, most often where a phrase ends."""
    held = np.empty((n_frames, len(HEAD)), np.float32)
    held[:] = generator.standard_normal(len(HEAD)) * _POSTURE * 0.7
    moments = [end + float(generator.uniform(-4.0, 6.0)) for end in ends if generator.random() < 0.6]
    moments += [float(generator.uniform(0, n_frames)) for _ in range(int(generator.poisson(n_frames / 200)))]
    time = np.arange(n_frames, dtype=np.float32)
    for moment in sorted(moments):
        share = smoothstep(time, moment, moment + float(generator.uniform(9.0, 20.0)))[:, None]
        held += share * (generator.standard_normal(len(HEAD)).astype(np.float32) * _POSTURE - held)
    return held


def _nods(n_frames: int, voice: Voice, bearing: Bearing, generator: np.random.Generator) -> F32:
    """Return dips of the head on accents, [F, 6], each with a little turn and tilt."""
    moved = np.zeros((n_frames, len(HEAD)), np.float32)
    for accent in voice.accents:
        if generator.random() > bearing.chance:
            continue
        size = bearing.nods * (_NOD[0] + (_NOD[1] - _NOD[0]) * accent.strength)
        shape = pulse(
            n_frames, accent.frame + float(generator.normal(0.5, 1.2)), *generator.uniform((3.5, 5.0), (6.5, 11.0))
        )
        way = np.array([generator.normal(0.0, 0.45), -1.0, generator.normal(0.0, 0.35), 0.0, 0.0, 0.0], np.float32)
        if generator.random() < 0.2:
            way[1] = 0.6  # some heads go up where others go down
        moved += size * shape[:, None] * way
    return moved


def _tune(pitch_hz: F32) -> F32:
    """Return octaves above the speaker's mean pitch, slow and within -0.7..1, 0 where there is no voice."""
    voiced = np.asarray(pitch_hz > 0.0, np.float32)
    if voiced.sum() < MOTION_FPS / 5:
        return np.zeros(len(pitch_hz), np.float32)
    octaves = np.log2(np.maximum(pitch_hz, 50.0))
    above = (octaves - float(np.median(octaves[voiced > 0]))) * voiced
    tune = smooth(above, 4.0) / np.maximum(smooth(voiced, 4.0), 0.25)
    return np.asarray(np.clip(tune, -0.7, 1.0), np.float32)


HEAD_COLUMNS = [CHANNEL[name] for name in HEAD]
"""Columns of the head in a motion frame."""
