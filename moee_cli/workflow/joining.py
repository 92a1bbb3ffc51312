"""Joins of motion that comes from files: into sampled motion, and from file to file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moee_cli.core.labels import SHAPES
from moee_cli.core.types import F32

LEAST_RAMP = 3
"""Motion frames of a join at least (120 ms): as long as speech takes from one mouth shape to the next."""


@dataclass(frozen=True, eq=False)
class Beside:
    """What lies on one side of a stretch of motion from a file."""

    ramp: int = 0
    """Motion frames within the stretch that lead over; 0: nothing to join."""
    motion: F32 | None = None
    """Two frames of motion from a file across the join, in film order; None: the neighbour is sampled."""


def joined(given: F32, sampled: F32, before: Beside, after: Beside) -> F32:
    """Return `given` [n, 52] with its ends led over to their neighbours.

    Beside sampled motion it turns into what was sampled for the same frames, which flows on across the join. Beside
    motion of another file both sides come half of the way.
    """
    motion = given.copy()
    before_ramp, after_ramp = _room(len(given), before.ramp, after.ramp)
    for beside, ramp, is_start in ((before, before_ramp, True), (after, after_ramp, False)):
        if not ramp:
            continue
        share = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp, dtype=np.float32) + 0.5) / ramp)
        span = slice(0, ramp) if is_start else slice(len(given) - ramp, len(given))
        share = (share if is_start else share[::-1])[:, None]
        if beside.motion is None:
            motion[span] = sampled[span] + (motion[span] - sampled[span]) * share
        else:
            half = _half_jump(given, beside.motion, is_start=is_start)
            motion[span] += (1.0 - share) * half
    motion[:, : len(SHAPES)] = np.clip(motion[:, : len(SHAPES)], 0.0, 1.0)
    return motion.astype(np.float32)


def _room(n: int, before: int, after: int) -> tuple[int, int]:
    """Return the ramps, shortened so that they do not meet."""
    if before + after <= n:
        return before, after
    return (n // 2, n // 2) if before and after else (min(before, n), min(after, n))


def _half_jump(given: F32, across: F32, *, is_start: bool) -> F32:
    """Return by how much our side of a join from file to file is to move: half of what the step is out of line."""
    own = given[:2] if is_start else given[-2:]
    step = own[0] - across[-1] if is_start else across[0] - own[-1]
    usual = 0.5 * (own[-1] - own[0] + across[-1] - across[0])
    half = 0.5 * (step - usual)
    return np.asarray(-half if is_start else half, np.float32)
