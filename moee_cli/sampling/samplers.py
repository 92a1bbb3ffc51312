"""Samplers: from noise to a clean sample, by a function that guesses the clean sample behind a noisy one.

Each takes that function, the noise to begin with, and rising levels (`schedules`). Nothing is random but what is passed
in. Samples are torch tensors; numpy arrays work as well, since nothing but arithmetic is asked of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import expm1, isinf, sqrt
from typing import TYPE_CHECKING

from moee_cli.core.types import OnStep
from moee_cli.sampling.schedules import mixing

if TYPE_CHECKING:
    from torch import Tensor

Denoiser = Callable[["Tensor", float], "Tensor"]
"""(noisy sample [B, ...], level) -> guess of the clean sample, same shape."""
FreshNoise = Callable[[int], "Tensor"]
"""Step number -> unit noise of the sample's shape."""


def sample_ddim(
    denoise: Denoiser,
    x: Tensor,
    levels: Sequence[float],
    *,
    eta: float = 0.0,
    fresh: FreshNoise | None = None,
    on_step: OnStep | None = None,
) -> Tensor:
    """Return a clean sample from unit noise `x`; `eta` > 0 stirs in `fresh` noise at each step, 1 as much as DDPM.

    Source: Song et al., "Denoising diffusion implicit models" (arXiv 2010.02502), equations 12 and 16.

    Raises:
        ValueError: levels do not rise, or `eta` without `fresh`.
    """
    steps = _steps(levels)
    if eta and fresh is None:
        raise ValueError("eta above 0 needs fresh noise")
    for number, (level, following) in enumerate(steps):
        clean = denoise(x, level)
        (alpha, sigma), (next_alpha, next_sigma) = mixing(level), mixing(following)
        noise = (x - alpha * clean) / sigma
        if eta and fresh is not None and next_sigma:
            stirred = eta * next_sigma / sigma * sqrt(1.0 - (alpha / next_alpha) ** 2)
            x = next_alpha * clean + sqrt(next_sigma**2 - stirred**2) * noise + stirred * fresh(number)
        else:
            x = next_alpha * clean + next_sigma * noise
        if on_step:
            on_step(number + 1, len(steps))
    return x


def sample_dpm_2m(denoise: Denoiser, x: Tensor, levels: Sequence[float], *, on_step: OnStep | None = None) -> Tensor:
    """Return a clean sample from unit noise `x` by a second-order multistep solver: better than DDIM at few steps.

    Source: Lu et al., "DPM-Solver++" (arXiv 2211.01095), algorithm 2 (2M). The last step, to the clean sample, is of
    first order, as is the first one.

    Raises:
        ValueError: levels do not rise.
    """
    steps = _steps(levels)
    previous: Tensor | None = None
    for number, (level, following) in enumerate(steps):
        clean = denoise(x, level)
        guess = clean
        if previous is not None and not isinf(following):
            ratio = (following - level) / (level - levels[number - 1])
            guess = clean + 0.5 * ratio * (clean - previous)
        sigma, (next_alpha, next_sigma) = mixing(level)[1], mixing(following)
        # expm1(-infinity) is -1: the last step returns the guess itself.
        x = (next_sigma / sigma) * x - (next_alpha * expm1(level - following)) * guess
        previous = clean
        if on_step:
            on_step(number + 1, len(steps))
    return x


def _steps(levels: Sequence[float]) -> list[tuple[float, float]]:
    steps = list(pairwise(levels))
    if not steps or any(later <= earlier for earlier, later in steps) or isinf(levels[0]):
        raise ValueError("levels must rise, from the first noisy sample on")
    return steps
