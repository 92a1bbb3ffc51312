"""What in speech makes a face and a head move: stressed syllables, and the pauses between phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from moee_cli.core.timebase import MOTION_FPS
from moee_cli.core.types import F32
from moee_cli.engines.motion.curves import smooth
from moee_cli.training.motion.phones import VOWELS, Phone

PHRASE_GAP_S = 0.18
"""Pauses from this length on end a phrase."""


@dataclass(frozen=True)
class Accent:
    """A stressed syllable."""

    frame: float
    strength: float
    """0..1"""


def accents(phones: Sequence[Phone], energy_db: F32, pitch_hz: F32) -> list[Accent]:
    """Return the syllables that stand out in level and pitch, in order of time and at least 0.24 s apart.

    Prominence = 1 per 6 dB above the level around (0.6 s) + 1 per quarter octave above the pitch around; what exceeds
    0.6 is an accent, and 2 is the strongest.
    """
    voiced = np.asarray(pitch_hz > 0.0, np.float32)
    octaves = np.log2(np.maximum(pitch_hz, 50.0)) * voiced
    around = smooth(octaves, 15.0) / np.maximum(smooth(voiced, 15.0), 1e-3)
    level = np.maximum(energy_db, -60.0)
    loud = (level - smooth(level, 15.0)) / 6.0
    high = np.where(voiced > 0, (octaves - around) * 4.0, 0.0)
    prominence = np.asarray(loud + np.clip(high, -1.0, 2.0), np.float32)
    found: list[Accent] = []
    for phone in phones:
        rows = slice(int(phone.start * MOTION_FPS), int(phone.stop * MOTION_FPS) + 1)
        if phone.name not in VOWELS or not len(prominence[rows]):
            continue
        strength = float(np.clip((prominence[rows].max() - 0.6) / 1.4, 0.0, 1.0))
        frame = 0.5 * (phone.start + phone.stop) * MOTION_FPS
        if strength <= 0.0:
            continue
        if found and frame - found[-1].frame < 6:
            if strength > found[-1].strength:
                found[-1] = Accent(frame, strength)
        else:
            found.append(Accent(frame, strength))
    return found


def phrase_ends(phones: Sequence[Phone]) -> list[float]:
    """Return the motion frames (not whole) at which phrases end."""
    spoken = [phone for phone in phones if phone.name != "silence"]
    ends = [a.stop for a, b in pairwise(spoken) if b.start - a.stop > PHRASE_GAP_S]
    return [end * MOTION_FPS for end in (*ends, *(phone.stop for phone in spoken[-1:]))]


def pulse(n_frames: int, peak: float, rise: float, fall: float) -> F32:
    """Return one smooth bump [F] of height 1 at frame `peak`, which takes `rise` frames to come and `fall` to go."""
    time = np.arange(n_frames) - peak
    share = np.where(time < 0, 1.0 + time / rise, 1.0 - time / fall).clip(0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)
