"""Hands on or beside a face: what lies on the skin would move with it.

The hand network that mediapipe 0.10 ships (palm detector and 21 landmarks; Zhang et al., arXiv 2006.10214) looks once
at the face's surroundings. How far a hand reaches into the face is measured along its bones, because the landmarks are
joints and fingertips only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.chatter import without_chatter
from moee_cli.face.landmarks import FACE_OVAL, Face, cut_square

_ZOOM = 2.5
"""Side of the crop in sides of the face's box: a hand is about as long as a face, so one that touches it is in."""
_SIDE = 512
_MIN_CONFIDENCE = 0.3
_MOST = 4
"""Hands looked at: two of the person's own and two of somebody else's."""
_STEPS = np.linspace(0, 1, 5)[:, None]
"""Points along a bone."""
_LIPS_OUTLINE = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)


@dataclass(frozen=True)
class Hand:
    """How far a hand reaches into a face, in eye distances; outside is negative."""

    face: float
    """Into the outline of the face."""
    lips: float
    """Into the outline of the lips."""


def nearest_hand(picture: U8, face: Face) -> Hand | None:
    """Return the hand that reaches furthest into a face of an RGB picture [H, W, 3].

    None if no hand is seen, or if this mediapipe ships no hand network (1.x).
    """
    left, top, right, bottom = face.box
    side = _ZOOM * max(right - left, bottom - top)
    corner = np.array([(left + right - side) / 2, (top + bottom - side) / 2])
    square = cut_square(picture, (float(corner[0]), float(corner[1])), side, _SIDE)
    hands = [_along_bones(hand * side + corner) for hand in _seen(square)]
    found = [Hand(_reach(hand, face, FACE_OVAL), _reach(hand, face, _LIPS_OUTLINE)) for hand in hands]
    return max(found, key=lambda hand: hand.face, default=None)


def _seen(square: U8) -> list[F32]:
    """Return the landmarks [21, 2] of hands, as shares of the square's side."""
    try:
        from mediapipe.python.solutions.hands import Hands
    except ImportError:
        return []
    with (
        without_chatter(),
        Hands(static_image_mode=True, max_num_hands=_MOST, min_detection_confidence=_MIN_CONFIDENCE) as network,
    ):
        found: Any = network.process(square).multi_hand_landmarks
    return [np.array([(point.x, point.y) for point in hand.landmark], np.float32) for hand in found or ()]


def _along_bones(joints: F32) -> F32:
    """Return points [N, 2] along the lines from joint to joint."""
    from mediapipe.python.solutions.hands import HAND_CONNECTIONS

    return np.concatenate([joints[one] + (joints[two] - joints[one]) * _STEPS for one, two in sorted(HAND_CONNECTIONS)])


def _reach(points: F32, face: Face, outline: Sequence[int]) -> float:
    """Return how far the innermost of points [N, 2] lies inside a closed outline of the face, in eye distances."""
    import cv2

    shape = np.ascontiguousarray(face.landmarks[list(outline), :2])
    inside = [cv2.pointPolygonTest(shape, (float(x), float(y)), True) for x, y in points]
    return max(inside) / face.eye_distance_px
