"""Guidance: from how a guess changes with what is told, to one that follows it more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def guess_shares(scales: Sequence[float]) -> list[float]:
    """Return the factor of each guess in g0 + s1 (g1 - g0) + s2 (g2 - g1) + ...; they sum to 1.

    Each guess was told one thing more than the one before. Where the factor is 0 the guess need not be made: with all
    scales at 1 that is every one but the last. Source: Ho and Salimans, "Classifier-free diffusion guidance" (arXiv
    2207.12598); one scale for each condition as in Brooks et al., "InstructPix2Pix" (arXiv 2211.09800), equation 3.
    """
    return [here - after for here, after in pairwise([1.0, *scales, 0.0])]


def guide(guesses: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Return the sum of the guesses, each times its share.

    Raises:
        ValueError: there is not one share for each guess.
    """
    if not guesses or len(shares) != len(guesses):
        raise ValueError(f"{len(guesses)} guesses with {len(shares)} shares")
    total = guesses[0] * shares[0]
    for guess, share in zip(guesses[1:], shares[1:], strict=True):
        total = total + share * guess
    return total
