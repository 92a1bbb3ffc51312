"""Carries colours on into a hole: smoothly, whatever its size."""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.types import F32

_LEVELS = 12


def spread(colours: F32, weight: F32) -> F32:
    """Return colours [H, W, C] where `weight` [H, W] (0..1) is 1, and elsewhere those around, the smoother the farther.

    Pull-push: weighted means at ever lower resolution, from which holes are filled upwards (Gortler et al., 1996).
    """
    means, weights = [colours], [weight]
    while min(means[-1].shape[:2]) > 2 and len(means) < _LEVELS:
        summed = cv2.pyrDown(means[-1] * weights[-1][..., None])
        share = cv2.pyrDown(weights[-1])
        means.append(np.asarray(summed.reshape(*share.shape, -1) / np.maximum(share, 1e-6)[..., None], np.float32))
        weights.append(np.asarray(np.minimum(share * np.float32(4.0), 1.0), np.float32))
    result = means[-1]
    for mean, known in zip(means[-2::-1], weights[-2::-1], strict=True):
        height, width = known.shape
        above = np.asarray(cv2.pyrUp(result, dstsize=(width, height)), np.float32).reshape(mean.shape)
        result = above + (mean - above) * known[..., None]
    return result
