"""Heads seen from the side, in which the landmark network finds no face: the detector before it still sees them.

That detector (BlazeFace, Bazarevsky et al., arXiv 1907.05047, inside mediapipe 0.10) marks eyes, nose, mouth and ears.
"""

from __future__ import annotations

import numpy as np

from moee_cli.core.types import U8
from moee_cli.face.chatter import without_chatter
from moee_cli.face.landmarks import cut_square

FROM_THE_SIDE = 0.7
"""How far the nose stands from the middle between the ears, in distances of these, from which a head counts as seen
from the side: over an ear it is 0.5. Five profiles measured 0.79 to 2.14; what else is seen in pictures without
landmarks (animals, half a face, a face upside down) to 0.61."""
_SIDE = 512
_MIN_CONFIDENCE = 0.65
"""The profiles have 0.75 to 0.91; a hand whose marks look like one has 0.52."""
_NOSE, _RIGHT_EAR, _LEFT_EAR = 2, 4, 5


def side_view(picture: U8) -> float | None:
    """Return how far the nose stands from between the ears for a head seen from the side in RGB [H, W, 3], else None.

    In distances of the ears. None also where this mediapipe ships no such detector (1.x).
    """
    try:
        from mediapipe.python.solutions.face_detection import FaceDetection
    except ImportError:
        return None
    height, width = picture.shape[:2]
    side = max(height, width)
    square = np.ascontiguousarray(cut_square(picture, ((width - side) / 2, (height - side) / 2), side, _SIDE))
    with without_chatter(), FaceDetection(min_detection_confidence=_MIN_CONFIDENCE) as network:
        found = network.process(square).detections or ()
    marks = [[mark.x for mark in one.location_data.relative_keypoints] for one in found]
    return max((reach for reach in map(_reach, marks) if reach > FROM_THE_SIDE), default=None)


def _reach(marks: list[float]) -> float:
    middle = (marks[_RIGHT_EAR] + marks[_LEFT_EAR]) / 2
    return abs(marks[_NOSE] - middle) / max(abs(marks[_LEFT_EAR] - marks[_RIGHT_EAR]), 1e-6)
