"""Whether mouth and eyes are really seen: the landmark network draws them anyway, also behind a mask or a lens.

It reports no confidence, so it is put to the test: what lies under the part is shifted a little to all four sides, as
if on rubber. Landmarks that are seen follow the shift; those that are guessed from the rest of the face stay.
Hands are looked for by a network of their own (`hands`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import U8
from moee_cli.face.detectors import Detect, Points, detector
from moee_cli.face.hands import Hand, nearest_hand
from moee_cli.face.landmarks import Face, agreement, cut_square
from moee_cli.face.light import eyes_light

_SIDE = 512
_ZOOM = 2.0
"""The crop that is looked at: px, and sides of the face's box."""
_LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409, 78, 95, 88, 178, 87, 14,
    317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
)  # fmt: skip
_IRISES = (range(468, 473), range(473, 478))
_MOUTH_SHIFT, _MOUTH_REACH = 0.1, 0.3
_EYE_SHIFT, _EYE_REACH = 0.05, 0.08
"""Shift, and standard deviation of the Gaussian it fades with, in eye distances: about a lip, and about an iris."""


@dataclass(frozen=True)
class Evidence:
    """How far landmarks follow a shift of what lies under them: 1 is fully, 0 is not at all."""

    mouth: float
    eyes: tuple[float, float]
    """The subject's right and left iris."""
    scatter: float
    """How far the lips' landmarks lie apart between crops, in eye distances; 0 where that was not measured."""
    eyes_light: float = 1.0
    """How light the eyes are, as a share of the skin (`light.eyes_light`)."""
    hand: Hand | None = None
    """The hand that reaches furthest into the face."""


def gather(picture: U8, face: Face, *, model: Path | None = None) -> Evidence:
    """Return what speaks for mouth and eyes of a face in an RGB picture [H, W, 3] being seen.

    Raises:
        Unavailable, InputError: as `landmarks.find_faces`.
    """
    left, top, right, bottom = face.box
    side = _ZOOM * max(right - left, bottom - top)
    corner = ((left + right - side) / 2, (top + bottom - side) / 2)
    square = cut_square(picture, corner, side, _SIDE)
    guess = ((face.landmarks - np.array([*corner, 0.0])) * _SIDE / side).astype(np.float32)
    with detector(model) as detect:
        rest = _nearest(detect(square), guess)
        if rest is None:
            return Evidence(0.0, (0.0, 0.0), _lips_scatter(face))
        mouth = _follows(square, rest, np.array(_LIPS), (_MOUTH_SHIFT, _MOUTH_REACH), detect)
        eyes = [_follows(square, rest, np.array(iris), (_EYE_SHIFT, _EYE_REACH), detect) for iris in _IRISES]
    hand = nearest_hand(picture, face)
    return Evidence(mouth, (eyes[0], eyes[1]), _lips_scatter(face), eyes_light(square, rest), hand)


def _lips_scatter(face: Face) -> float:
    return 0.0 if face.scatter is None else float(face.scatter[list(_LIPS)].mean())


def _nearest(faces: list[Points], near: Points) -> Points | None:
    return max(faces, key=lambda points: agreement(points, near), default=None)


def _follows(
    square: U8, rest: Points, part: NDArray[np.intp], shift_and_reach: tuple[float, float], detect: Detect
) -> float:
    """Return the mean over four shifts of: movement of the part's landmarks along it, per movement of the picture."""
    shift, reach = (value * Face(rest).eye_distance_px for value in shift_and_reach)
    centre = rest[part, :2].mean(axis=0)
    expected = _fade(rest[part, :2], centre, reach).mean() * shift
    answers = []
    for direction in np.array([(1, 0), (-1, 0), (0, 1), (0, -1)], np.float32):
        moved = _nearest(detect(_shifted(square, centre, reach, shift * direction)), rest)
        answers.append(0.0 if moved is None else float(((moved - rest)[part, :2] @ direction).mean() / expected))
    return float(np.mean(answers))


def _fade(points: NDArray[Any], centre: NDArray[Any], reach: float) -> NDArray[Any]:
    faded: NDArray[Any] = np.exp(-np.sum((points - centre) ** 2, axis=-1) / (2 * reach**2))
    return faded


def _shifted(square: U8, centre: NDArray[Any], reach: float, shift: NDArray[Any]) -> U8:
    """Return the picture with what lies around `centre` moved by `shift` px, fading over `reach` px."""
    import cv2

    places = np.stack(np.meshgrid(np.arange(square.shape[1]), np.arange(square.shape[0])), axis=-1).astype(np.float32)
    origin = (places - _fade(places + 0.5, centre, reach)[..., None] * shift).astype(np.float32)
    x, y = np.ascontiguousarray(origin[..., 0]), np.ascontiguousarray(origin[..., 1])
    return cv2.remap(square, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
