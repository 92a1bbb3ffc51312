"""Speech whose phone times are known: what every source of speech gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moee_cli.core.timebase import FEATURE_RATE
from moee_cli.core.types import F32
from moee_cli.training.motion.phones import Phone


@dataclass(frozen=True, eq=False)
class Recording:
    """Mono samples at 16 kHz, and which class of articulation is heard when."""

    samples: F32
    """[n] within -1..1."""
    phones: tuple[Phone, ...]
    """In order of time; seconds from the first sample."""
    voice: str
    """Source and speaker, such as `flite slt`."""
    emotion: str | None = None
    """What the speaker acted, if that is known."""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / FEATURE_RATE


def joined(recordings: Sequence[Recording], gaps: Sequence[float]) -> Recording:
    """Return recordings of one voice one after the other; `gaps` are seconds before each of them, and after the last.

    The gaps are digital silence; whatever room they should have is added with the noise.
    """
    assert len(gaps) == len(recordings) + 1
    parts: list[F32] = []
    phones: list[Phone] = []
    n_samples = 0
    for recording, gap in zip(recordings, gaps, strict=False):
        parts += [_quiet(gap), _faded(recording.samples)]
        n_samples += len(parts[-2])
        phones += [phone.moved(n_samples / FEATURE_RATE) for phone in recording.phones]
        n_samples += len(parts[-1])
    parts.append(_quiet(gaps[-1]))
    first = recordings[0]
    return Recording(np.concatenate(parts), tuple(phones), first.voice, first.emotion)


def _quiet(seconds: float) -> F32:
    return np.zeros(round(seconds * FEATURE_RATE), np.float32)


def _faded(samples: F32) -> F32:
    """Return samples with 5 ms ramps at both ends: a cut is no click."""
    ramp = np.linspace(0.0, 1.0, FEATURE_RATE // 200, dtype=np.float32)
    if len(samples) < 2 * len(ramp):
        return samples
    faded = samples.copy()
    faded[: len(ramp)] *= ramp
    faded[-len(ramp) :] *= ramp[::-1]
    return faded
