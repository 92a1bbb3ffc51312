"""The head pose of a photo that shows a turned head."""

from __future__ import annotations

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, HEAD, N_MOTION
from moee_cli.core.types import Portrait
from moee_cli.face.landmarks import find_faces
from moee_cli.face.pose import LIMITS, SPENT_AT, HeadPose, limit_head, source_yaw
from moee_cli.face.renderer import FaceRenderer


def test_a_frontal_photo_has_no_yaw(ana):
    assert abs(source_yaw(find_faces(ana)[0].landmarks)) < np.radians(2)


@pytest.mark.parametrize("yaw", [-0.15, 0.15])
def test_the_yaw_of_a_turned_head_has_the_sign_of_the_motion(yaw, ana):
    motion = np.zeros(N_MOTION, np.float32)
    motion[CHANNEL["headYaw"]] = yaw
    frame = FaceRenderer(Portrait(ana, find_faces(ana)[0].landmarks)).draw(motion)
    assert source_yaw(find_faces(frame)[0].landmarks) / yaw > 0.4


def test_a_turned_head_has_less_room_to_turn_further_than_back():
    ahead, back = np.zeros((2, len(HEAD)), np.float32)
    ahead[0], back[0] = 1.0, -1.0
    rooms = [limit_head(head, turned)[0] for turned in (0.0, SPENT_AT / 2, SPENT_AT) for head in (ahead, back)]
    assert rooms[0] == -rooms[1] == pytest.approx(LIMITS[0], rel=0.01)
    assert 0 < rooms[4] < rooms[2] < rooms[0]
    assert rooms[4] < -rooms[5] < LIMITS[0]


def test_a_turned_head_turns_about_a_neck_that_is_turned_too():
    """Pitch leaves the neck of a turned head where it is: there the pivot lies to the side."""
    head = np.zeros(len(HEAD), np.float32)
    head[2] = 0.1
    here = np.array([[0.0], [0.0], [0.0], [1.0]], np.float32)
    frontal, turned = HeadPose(head), HeadPose(head, 0.4)
    assert turned.shift_of(here)[1, 0] != pytest.approx(frontal.shift_of(here)[1, 0], abs=1e-3)


@pytest.mark.parametrize("turned", [0.0, -0.35, 0.5])
def test_no_turn_folds_a_turned_head(turned, ana):
    """Depths of a turned head are steep at its far side; the field keeps a fifth of every area all the same."""
    face = find_faces(ana)[0]
    points = face.landmarks.copy()
    middle = (points[33] + points[263]) / 2
    cosine, sine = np.cos(turned), np.sin(turned)
    x, z = (points[:, 0] - middle[0]).copy(), (points[:, 2] - middle[2]).copy()
    # z grows away from the camera: to the subject's left the near side of the head comes round from the left.
    points[:, 0], points[:, 2] = middle[0] + cosine * x - sine * z, middle[2] + cosine * z + sine * x
    renderer = FaceRenderer(Portrait(ana, points))
    assert renderer._turned == pytest.approx(turned, abs=0.05)
    patch = renderer._skin
    for yaw, pitch, roll in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)):
        head = np.array([yaw, pitch, roll, 0, 0, 0], np.float32)
        still = np.zeros(patch.points.n_weights, np.float32)
        moved = patch.points.displacement(still, HeadPose(head, renderer._turned))
        field = moved.reshape(patch.rows, patch.columns, 2) / patch.step
        along_x, along_y = np.gradient(field, axis=1), np.gradient(field, axis=0)
        area = (1 + along_x[..., 0]) * (1 + along_y[..., 1]) - along_x[..., 1] * along_y[..., 0]
        assert area.min() > 0.2
