"""How rough a backdrop is near each pixel: what tells texture and grain from what is plain or out of focus."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32
from moee_cli.face.plate import spread

STROKE = 0.02
"""Width, in outer-eye distances, of pixels between which texture is told from what is out of focus."""
_GAIN = 20.0
"""Variance of the Laplacian of noise of variance 1."""


def roughness(picture: F32, known: NDArray[np.bool_], step: float) -> F32:
    """Return how rough [h, w, 1] what is known of a picture [h, w, 3] is near each pixel, in levels, carried on.

    It is the deviation of noise with as large a Laplacian between pixels `step` px wide: blind to slopes.
    """
    height, width = known.shape
    size = (max(1, round(width / max(1.0, step))), max(1, round(height / max(1.0, step))))
    share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(picture * known[..., None], size, interpolation=cv2.INTER_AREA)
    mean = np.asarray(total / np.maximum(share, 1e-3)[..., None], np.float32)
    whole = cv2.erode((share > 0.99).astype(np.float32), np.ones((3, 3), np.uint8), borderValue=(0,))
    edges = np.asarray(cv2.Laplacian(mean, cv2.CV_32F), np.float32)
    square = spread((edges * edges).mean(axis=-1, keepdims=True) / _GAIN, np.asarray(whole, np.float32))
    large = cv2.resize(square, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.sqrt(np.maximum(large, 0.0))[..., None], np.float32)
