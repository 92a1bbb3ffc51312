"""How sharp and how well lit a face is, measured at one size whatever the picture's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import U8
from moee_cli.face.detectors import Points
from moee_cli.face.landmarks import Face, cut_square

_SIDE, _ZOOM = 160, 1.2
"""The crop that is looked at: px, and sides of the face's box."""
_LUMA = (0.299, 0.587, 0.114)
_PARTS = ((33, 133), (263, 362), (61, 291))
"""Corners of the eyes and of the mouth: every face has edges there."""
_EYES = ((33, 133, 159, 145), (263, 362, 386, 374))
_AROUND_EYE = 0.2
"""Radius of what belongs to an eye, in eye distances: the lids and what a lens covers of the cheek."""
_SKIN, _SPOT = ((36, 205, 206), (266, 425, 426), (4,), (9, 107, 151, 336)), 0.05
"""Lower cheeks, nose tip, forehead, which glasses leave free; radius around each point, in eye distances."""
_LEAST_LIGHT = 4.0
"""Grey levels; a darker face is refused for that."""
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


def eyes_light(square: U8, points: Points) -> float:
    """Return how light the lightest tenth around the lighter eye is, as a share of the skin: about 1, 0 is black.

    The skin is the median of both lower cheeks, the nose tip and the forehead: so a beard, hat or highlight
    is one of four.
    """
    grey = square.astype(np.float32) @ np.array(_LUMA, np.float32)
    unit = Face(points).eye_distance_px
    skin = [np.median(np.concatenate([_disc(grey, points[i, :2], _SPOT * unit) for i in spots])) for spots in _SKIN]
    eyes = [_disc(grey, points[list(eye), :2].mean(axis=0), _AROUND_EYE * unit) for eye in _EYES]
    return max(float(np.percentile(eye, 90)) for eye in eyes) / max(float(np.median(skin)), _LEAST_LIGHT)


def _disc(grey: NDArray[Any], centre: NDArray[Any], radius: float) -> NDArray[Any]:
    """Return the grey levels within `radius` px of a point; of the nearest pixel where there are none."""
    rows, columns = (np.arange(length, dtype=np.float32) + 0.5 for length in grey.shape)
    inside = np.hypot(rows[:, None] - centre[1], columns[None] - centre[0]) <= radius
    if inside.any():
        found: NDArray[Any] = grey[inside]
        return found
    x, y = (int(np.clip(value, 0, length - 1)) for value, length in zip(centre, grey.shape[::-1], strict=True))
    return grey[y : y + 1, x]


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
