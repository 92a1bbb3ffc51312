"""What is refused and what is remarked, and that every text says how much was measured."""

from __future__ import annotations

import numpy as np
import pytest

from moee_cli.core.errors import PortraitError
from moee_cli.face.gates import check_face
from moee_cli.face.landmarks import Face, find_faces


def turned(face: Face, degrees: float) -> Face:
    """Return the face turned about the vertical."""
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    centre = face.landmarks.mean(axis=0)
    return Face(((face.landmarks - centre) @ matrix.T + centre).astype(np.float32))


@pytest.fixture(scope="module")
def frontal(ana) -> Face:
    return find_faces(ana)[0]


@pytest.mark.parametrize("sign", [-1, 1])
def test_turned_heads(frontal, ana, sign):
    assert check_face(turned(frontal, sign * 8), ana, "a") == []
    (remark,) = check_face(turned(frontal, sign * 25), ana, "a")
    assert "turned by about 2" in remark
    with pytest.raises(PortraitError, match="turned by about 5"):
        check_face(turned(frontal, sign * 52), ana, "a")


def test_open_mouth_and_closed_eyes_are_remarked(frontal, ana):
    points = frontal.landmarks.copy()
    points[14, 1] += 0.1 * frontal.eye_distance_px
    assert any("mouth is open (0.1" in text for text in check_face(Face(points), ana, "a"))
    points = frontal.landmarks.copy()
    points[145] = points[159]
    assert any("one eye looks closed" in text for text in check_face(Face(points), ana, "a"))
    points[374] = points[386]
    assert any("both eyes look closed" in text for text in check_face(Face(points), ana, "a"))
