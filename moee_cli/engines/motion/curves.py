"""Short filters over motion frames. None reaches further than 40 frames, so a chunk's context always covers them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from moee_cli.core.types import F32


def mixed(values: F32, shares: Mapping[int, float]) -> F32:
    """Return each frame as a mix of its neighbours, [F, ...]; `shares` by offset in frames, ends repeated."""
    reach = max(abs(offset) for offset in shares)
    padded = np.pad(values, [(reach, reach)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    total = np.zeros_like(values, dtype=np.float32)
    for offset, share in shares.items():
        total += np.float32(share) * padded[reach + offset : reach + offset + len(values)]
    return total


def smooth(values: F32, sigma: float) -> F32:
    """Return `values` [F, ...] under a Gaussian of `sigma` frames, cut at 3 sigma; ends repeated."""
    kernel = _gaussian(sigma)
    return mixed(values, {offset: float(share) for offset, share in zip(*_offsets(kernel / kernel.sum()), strict=True)})


def sway(noise: F32, sigma: float) -> F32:
    """Return unit noise [F, ...] made slow by a Gaussian of `sigma` frames, still of unit variance; zero outside."""
    kernel = _gaussian(sigma)
    kernel /= np.linalg.norm(kernel)
    reach = len(kernel) // 2
    padded = np.pad(noise, [(reach, reach)] + [(0, 0)] * (noise.ndim - 1))
    slow: F32 = (sliding_window_view(padded, len(kernel), axis=0) @ kernel).astype(np.float32)
    return slow


def eased(gain: F32, frames: int) -> F32:
    """Return a gain [F] whose steps are ramps of `2 * frames` on the larger side: where it was 0 it stays 0."""
    padded = np.pad(gain, frames, mode="edge")
    least = sliding_window_view(padded, 2 * frames + 1).min(1)
    ramp = np.hanning(2 * frames + 3)[1:-1]
    padded = np.pad(least, frames, mode="edge")
    ramped: F32 = (sliding_window_view(padded, len(ramp)) @ (ramp / ramp.sum())).astype(np.float32)
    return ramped


def smoothstep(values: F32, start: float, stop: float) -> F32:
    """Return 0 up to `start`, 1 from `stop`, a smooth ramp between."""
    share = np.clip((values - start) / (stop - start), 0.0, 1.0)
    ramp: F32 = (share * share * (3.0 - 2.0 * share)).astype(np.float32)
    return ramp


def _gaussian(sigma: float) -> F32:
    reach = int(3 * sigma)
    kernel: F32 = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2).astype(np.float32)
    return kernel


def _offsets(kernel: F32) -> tuple[range, F32]:
    return range(-(len(kernel) // 2), len(kernel) // 2 + 1), kernel
