"""The one soft step with which motion, paint and weights set in and fade out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from moee_cli.core.types import F32


def smooth(t: ArrayLike) -> F32:
    """Return 0 below 0, 1 above 1, and in between a cubic that is flat at both ends; an array of the shape of `t`."""
    held = np.clip(np.asarray(t, np.float32), 0.0, 1.0)
    return np.asarray(held * held * (3.0 - 2.0 * held), np.float32)
