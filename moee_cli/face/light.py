"""How sharp and how well lit a face is, measured at one size whatever the picture's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import U8
from moee_cli.face.landmarks import Face, cut_square

_SIDE, _ZOOM = 160, 1.2
"""The crop that is looked at: px, and sides of the face's box."""
_LUMA = (0.299, 0.587, 0.114)
_PARTS = ((33, 133), (263, 362), (61, 291))
"""Corners of the eyes and of the mouth: every face has edges there."""
_WHITE = 250
_LEAST_CONTRAST = 4.0
"""Grey levels; below, nothing can be said about edges."""


@dataclass(frozen=True)
class Light:
    """Sharpness and exposure of a face."""

    sharpness: float
    """Steepest edge of eyes and mouth, in their own contrast per eye distance."""
    white: float
    """Share of the face that is pure white."""
    contrast: float
    """Grey levels between the darkest and the lightest 5 %."""


def measure_light(picture: U8, face: Face) -> Light:
    """Return sharpness and exposure of a face in an RGB picture [H, W, 3]."""
    import cv2

    left, top, right, bottom = face.box
    side = _ZOOM * max(right - left, bottom - top)
    corner = ((left + right - side) / 2, (top + bottom - side) / 2)
    grey = cut_square(picture, corner, side, _SIDE).astype(np.float32) @ np.array(_LUMA, np.float32)
    points = ((face.landmarks[:, :2] - np.array(corner)) * _SIDE / side).astype(np.float32)
    hull = cv2.convexHull(points).astype(np.int32)
    inside = grey[cv2.fillConvexPoly(np.zeros(grey.shape, np.uint8), hull, (1,)) > 0]
    steepness = max(_steepness(grey, points[list(corners)]) for corners in _PARTS)
    low, high = np.percentile(inside, (5, 95))
    return Light(steepness * face.eye_distance_px * _SIDE / side, float(np.mean(inside >= _WHITE)), float(high - low))


def _steepness(grey: NDArray[Any], corners: NDArray[Any]) -> float:
    """Return the steepest edge around two corners, in the contrast found there per px; 0 outside the picture."""
    import cv2

    reach = 0.6 * float(np.linalg.norm(corners[0] - corners[1]))
    x, y = corners.mean(axis=0)
    rows = slice(max(int(y - 0.6 * reach), 0), max(int(y + 0.6 * reach) + 1, 0))
    columns = slice(max(int(x - reach), 0), max(int(x + reach) + 1, 0))
    slope = np.hypot(*(cv2.Sobel(grey, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0)))[rows, columns]
    if slope.size == 0:
        return 0.0
    low, high = np.percentile(grey[rows, columns], (2, 98))
    return float(np.percentile(slope, 98)) / max(float(high - low), _LEAST_CONTRAST)
