"""Decoded audio frames of any sample format and channel layout as float32 mono or stereo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from moee_cli.core.types import F32

if TYPE_CHECKING:
    from av import AudioFrame

Mix = Callable[["AudioFrame"], F32]
"""Turns a decoded frame into the samples that are kept, time first."""

_LIMIT = 8.0
"""18 dB over full scale: loud float files pass, garbage does not drown everything after it."""

_FULL_SCALE: Mapping[Any, float] = {
    np.dtype(np.int16): 2.0**15,
    np.dtype(np.int32): 2.0**31,
    np.dtype(np.int64): 2.0**63,
}

_SIDE = sqrt(0.5)
_STEREO: Mapping[str, tuple[float, float]] = {
    "FL": (1.0, 0.0), "FR": (0.0, 1.0), "DL": (1.0, 0.0), "DR": (0.0, 1.0),
    "FC": (_SIDE, _SIDE), "BC": (0.5, 0.5), "LFE": (0.0, 0.0), "LFE2": (0.0, 0.0),
    "SL": (_SIDE, 0.0), "SR": (0.0, _SIDE), "BL": (_SIDE, 0.0), "BR": (0.0, _SIDE),
    "FLC": (_SIDE, 0.0), "FRC": (0.0, _SIDE),
}  # fmt: skip
"""Share of each speaker position in left and right: ITU-R BS.775-3, table 2; the bass channel is left out."""
_ELSEWHERE = (0.5, 0.5)
"""Positions without a side: both ears."""


def samples_of(frame: AudioFrame) -> F32:
    """Return a frame as float32 [n, channels], full scale 1, without NaN and infinities."""
    raw = frame.to_ndarray()
    n_channels = frame.layout.nb_channels
    planes = raw.T if frame.format.is_planar else raw.reshape(-1, n_channels)
    if planes.dtype == np.uint8:
        return np.asarray((planes.astype(np.float32) - 128.0) / 128.0, np.float32)
    if planes.dtype in _FULL_SCALE:
        return np.asarray(planes / _FULL_SCALE[planes.dtype], np.float32)
    clean = np.nan_to_num(planes, nan=0.0, posinf=_LIMIT, neginf=-_LIMIT)
    return np.clip(clean, -_LIMIT, _LIMIT).astype(np.float32, copy=False)


def mono(frame: AudioFrame) -> F32:
    """Return a frame as float32 [n]: the mean of left and right, after the downmix to stereo where there are more."""
    if frame.layout.nb_channels == 1:
        return samples_of(frame)[:, 0]
    return np.asarray(stereo(frame).mean(axis=1), np.float32)


def stereo(frame: AudioFrame) -> F32:
    """Return a frame as float32 [n, 2]: mono on both sides, more than two channels mixed down without overflow."""
    samples = samples_of(frame)
    n_channels = samples.shape[1]
    if n_channels == 1:
        return np.repeat(samples, 2, axis=1)
    if n_channels == 2:
        return samples
    return samples @ _downmix(tuple(channel.name for channel in frame.layout.channels))


@lru_cache(maxsize=16)
def _downmix(names: tuple[str, ...]) -> F32:
    """Return the matrix [channels, 2]; no column sums to more than 1, both keep their relation."""
    matrix = np.array([_STEREO.get(name, _ELSEWHERE) for name in names], np.float32)
    return matrix / max(float(matrix.sum(axis=0).max()), 1.0)
