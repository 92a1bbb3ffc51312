"""The head pose of a photo that shows a turned head."""

from __future__ import annotations

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, HEAD, N_MOTION
from moee_cli.face.landmarks import find_faces
from moee_cli.face.pose import LIMITS, SPENT_AT, HeadPose, limit_head, source_yaw
from moee_cli.face.renderer import FaceRenderer


def test_a_frontal_photo_has_no_yaw(ana):
    assert abs(source_yaw(find_faces(ana)[0].landmarks)) < np.radians(2)


@pytest.mark.parametrize("yaw", [-0.15, 0.15])
def test_the_yaw_of_a_turned_head_has_the_sign_of_the_motion(yaw, ana):
    from moee_cli.core.types import Portrait

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
    here = np.array([0.0], np.float32)
    frontal, turned = HeadPose(head), HeadPose(head, 0.4)
    assert turned.shift_of(here, here, here)[1][0] != pytest.approx(frontal.shift_of(here, here, here)[1][0], abs=1e-3)
