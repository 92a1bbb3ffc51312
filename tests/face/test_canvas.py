"""A whole picture of which only the head moves: which part that is, and that no border shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from moee_cli.core.types import Canvas, Fit, FrameFormat
from moee_cli.face.canvas import FEATHER_PX, animated_part, on_canvas
from moee_cli.face.controls import motion_frame
from moee_cli.face.portrait import load_portrait
from moee_cli.face.renderer import FaceRenderer


@pytest.fixture(scope="module")
def scene(ana, kofi) -> np.ndarray:
    """RGB [900, 1401, 3]: Ana among lines and noise, smaller Kofi at the left."""
    picture = np.full((900, 1401, 3), (120, 130, 110), np.uint8)
    picture[:, ::37] = 40
    picture = (picture + np.random.default_rng(3).integers(-9, 9, picture.shape)).astype(np.uint8)
    picture[300:812, 700:1212] = ana
    picture[200:456, 100:356] = cv2.resize(kofi, (256, 256), interpolation=cv2.INTER_AREA)
    return picture


@pytest.fixture(scope="module")
def portrait(scene, tmp_path_factory):
    path = tmp_path_factory.mktemp("scene") / "scene.png"
    cv2.imwrite(str(path), scene[..., ::-1])
    return load_portrait(path, FrameFormat(1400, 900, fit=Fit.SOURCE), face="largest")


def test_only_the_part_around_the_head_is_animated(portrait, scene):
    height, width = portrait.pixels.shape[:2]
    assert width * height < 0.5 * 1400 * 900
    assert portrait.held == (True, True, True, True)
    np.testing.assert_array_equal(portrait.canvas.pixels, scene[:, :1400])
    x, y = portrait.canvas.left, portrait.canvas.top
    assert np.abs(portrait.pixels.astype(int) - scene[y : y + height, x : x + width]).max() <= 1
    assert len(portrait.others) == 1


def test_no_border_shows_and_all_else_is_the_picture(portrait, scene):
    rows = [
        motion_frame(headYaw=0.17, headRoll=0.14, headX=0.18, jawOpen=0.8),
        motion_frame(headPitch=-0.14, headZ=0.35, headY=0.1),
    ]
    drawn = [FaceRenderer(portrait).draw(row) for row in rows]
    whole = list(on_canvas(iter(drawn), portrait.canvas, portrait.held))
    height, width = portrait.pixels.shape[:2]
    x, y = portrait.canvas.left, portrait.canvas.top
    for frame in whole:
        outside = np.ones(scene.shape[:2], bool)[:, :1400]
        outside[y : y + height, x : x + width] = False
        np.testing.assert_array_equal(frame[outside], scene[:, :1400][outside])
        moved = np.abs(frame.astype(int) - scene[:, :1400]).max(2)
        rim = np.zeros_like(outside)
        rim[y : y + height, x : x + width] = True
        rim[y + 2 : y + height - 2, x + 2 : x + width - 2] = False
        assert moved[rim].max() <= 2
        assert (moved > 20).sum() > 3000
        left, top, right, bottom = 100, 200, 356, 456
        np.testing.assert_array_equal(frame[top:bottom, left:right], scene[top:bottom, left:right])


def test_a_face_that_fills_the_picture_is_animated_as_a_whole(portrait, ana):
    points = portrait.landmarks + np.array([portrait.canvas.left - 700, portrait.canvas.top - 300, 0], np.float32)
    assert animated_part(points, 512, 512) is None


def test_frames_that_differ_at_the_border_are_blended_in():
    canvas = Canvas(np.zeros((100, 200, 3), np.uint8), 50, 20)
    (frame,) = on_canvas(iter([np.full((60, 80, 3), 200, np.uint8)]), canvas, (True, True, False, True))
    assert frame[50, 90].tolist() == [200, 200, 200]
    assert frame[50, 129].tolist() == [200, 200, 200]  # not held: no soft border there
    steps = np.diff(frame[50, 50 : 50 + FEATHER_PX + 1, 0].astype(int))
    assert (steps >= 0).all()
    assert steps.max() <= 200 // FEATHER_PX + 1
    assert canvas.pixels.max() == 0
