"""Noise levels: how much of a noisy sample is signal.

A level is half the log signal-to-noise ratio, log(alpha / sigma), of x = alpha * clean + sigma * noise with
alpha^2 + sigma^2 = 1. Samplers step through a list of rising levels; the last one, infinity, is the clean sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log, pi, sqrt, tan

FIRST_TIME = 0.997
"""Where sampling starts on the cosine schedule: the signal has 0.5 % of the amplitude (level -5.4)."""


def mixing(level: float) -> tuple[float, float]:
    """Return alpha and sigma of a level; (1, 0) at infinity."""
    if level > 300.0:  # exp would leave the range of floats
        return 1.0, 0.0
    return 1.0 / sqrt(1.0 + exp(-2.0 * level)), 1.0 / sqrt(1.0 + exp(2.0 * level))


def cosine_level(time: float) -> float:
    """Return the level at a time in (0, 1), 0 being clean, with alpha = cos(pi time / 2).

    Source: Nichol and Dhariwal, "Improved denoising diffusion probabilistic models" (2021), without their offset.
    """
    return -log(tan(pi * time / 2.0))


def cosine_levels(n_steps: int, first: float = FIRST_TIME) -> list[float]:
    """Return n_steps + 1 levels at even times of the cosine schedule, from `first` to the clean sample."""
    if n_steps < 1:
        raise ValueError("sampling takes at least one step")
    return [*(cosine_level(first * (1.0 - step / n_steps)) for step in range(n_steps)), inf]


def even_levels(n_steps: int, first: float, last: float) -> list[float]:
    """Return n_steps + 1 levels: n_steps evenly from `first` to `last`, then the clean sample.

    Source: Lu et al., "DPM-Solver++" (arXiv 2211.01095), section 6: even steps of log SNR.
    """
    if n_steps < 2:
        return [first, inf]
    return [*(first + (last - first) * step / (n_steps - 1) for step in range(n_steps)), inf]


def levels_of_products(products: Sequence[float]) -> list[float]:
    """Return the levels of cumulative products of alpha^2 (`alphas_cumprod`), as image checkpoints are trained on."""
    return [0.5 * log(product / (1.0 - product)) for product in products]
