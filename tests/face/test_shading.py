"""Expression shading: as deep, as soft and as lit as the portrait's own skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.complexion import Complexion
from moee_cli.face.controls import motion_frame
from moee_cli.face.fields import Anatomy
from moee_cli.face.landmarks import find_faces
from moee_cli.face.outlines import Outlines
from moee_cli.face.shading import Folds

FROWN, SMILE = motion_frame(browDown=1.0), motion_frame(mouthSmile=1.0, cheekSquint=1.0)
RAISED = motion_frame(browInnerUp=1.0, browOuterUp=1.0)


@pytest.fixture(scope="module")
def points(ana) -> np.ndarray:
    """Landmarks [478, 3]."""
    return find_faces(ana)[0].landmarks


@pytest.fixture(scope="module")
def anatomy(ana, points) -> Anatomy:
    frame = CanonicalFrame.of(points)
    return Anatomy(frame, Outlines.of(ana, points, frame).slits(frame), ana.shape[1], ana.shape[0])


@pytest.fixture(scope="module")
def folds_of(anatomy, points):
    """Function that prepares the folds of ana's face in another picture of her."""

    def prepare(pixels: np.ndarray, *, colour: float = 1.0, softness: float = 0.0) -> Folds:
        return Folds(anatomy, np.ascontiguousarray(pixels), points, colour=colour, softness=softness)

    return prepare


def scaled(pixels: np.ndarray, gain: np.ndarray | float) -> np.ndarray:
    return np.clip(pixels * gain, 0, 255).astype(np.uint8)


def gain_at(folds: Folds, motion: np.ndarray, anatomy: Anatomy, *places: tuple[float, float]) -> list[float]:
    """Return the gain at canonical places."""
    frame, gain = anatomy.frame, folds.gain(motion)
    xs, ys = np.arange(folds.box.width) + folds.box.x + 0.5, np.arange(folds.box.height) + folds.box.y + 0.5
    pixels = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float32)
    at = frame.places(pixels)[:, :2]
    return [float(gain.ravel()[np.hypot(*(at - place).T).argmin()]) for place in places]


def test_skin_is_measured_as_it_is(ana, anatomy, points):
    x = (np.arange(ana.shape[1]) - ana.shape[1] / 2)[None, :, None] / anatomy.frame.scale
    found = [
        Complexion.of(pixels, points, anatomy.frame)
        for pixels in (ana, scaled(ana, 0.5), scaled(ana, np.exp(0.3 * x)), cv2.GaussianBlur(ana, (0, 0), 4.0))
    ]
    plain, dark, lit, soft = found
    assert dark.lightness == pytest.approx(plain.lightness / 2, abs=2)
    assert lit.light[0] - plain.light[0] == pytest.approx(0.3, abs=0.08)
    assert soft.texture < 0.9 * plain.texture


def test_a_scarf_is_no_skin(ana, anatomy, points):
    frame = anatomy.frame
    skin = Complexion.of(ana, points, frame)
    spots = points[[9, 425, 205, 151], :2]
    scarf = points[[10], :2] - np.array([0.0, 0.35 * frame.scale], np.float32)
    at = np.concatenate([spots, scarf]).astype(np.float32)
    shows = skin.shows(ana, at, frame.places(at), frame.scale)
    assert shows[:4].min() > 0.8
    assert shows[4] < 0.1


def test_a_drawing_in_flat_colour_gets_no_folds(ana, folds_of):
    flat = np.empty_like(ana)
    flat[:] = (224, 178, 150)
    for motion in (FROWN, SMILE, RAISED):
        gain = folds_of(flat).gain(motion)
        np.testing.assert_allclose(gain, 1.0, atol=0.01)
        assert folds_of(ana).gain(motion).min() < 0.97


def test_darker_skin_is_pressed_deeper(ana, folds_of):
    fair, dark = (folds_of(pixels).gain(FROWN) for pixels in (ana, scaled(ana, 0.4)))
    assert dark.min() < fair.min() - 0.02
    assert dark.max() > fair.max()


def test_a_soft_picture_gets_soft_folds(ana, folds_of):
    sharp, soft = (folds_of(ana, softness=blur).gain(FROWN) for blur in (0.0, 0.014))
    assert np.abs(np.diff(soft, axis=1)).max() < 0.8 * np.abs(np.diff(sharp, axis=1)).max()


def test_grey_pictures_get_grey_folds(ana, folds_of):
    grey = np.repeat(cv2.cvtColor(ana, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    shaded = folds_of(grey, colour=0.0).shaded(grey, folds_of(grey, colour=0.0).gain(SMILE))
    assert (shaded.max(axis=2) == shaded.min(axis=2)).all()
    assert (shaded != grey).any()


def test_the_wall_that_faces_the_light_is_lighter(ana, anatomy, folds_of):
    """Two sides of the furrow over the root of the brow, lit from either side."""
    x = (np.arange(ana.shape[1]) - ana.shape[1] / 2)[None, :, None] / anatomy.frame.scale
    places = (0.052, 0.17), (0.112, 0.17)
    differences = []
    for slope in (-0.5, 0.5):
        inner, outer = gain_at(folds_of(scaled(ana, np.exp(slope * x))), FROWN, anatomy, *places)
        differences.append(outer - inner)
    # A furrow is a hollow: light from the left falls on the wall on its right.
    assert differences[0] > differences[1] + 0.01


def test_lips_and_cheeks_that_come_forward_catch_the_light(ana, anatomy, folds_of):
    folds = folds_of(ana)
    lip, under = gain_at(folds, motion_frame(mouthPucker=1.0), anatomy, (0.0, -0.86), (0.0, -0.985))
    assert lip > 1.01
    assert under < 0.985
    assert gain_at(folds, motion_frame(cheekPuff=1.0), anatomy, (0.46, -0.72))[0] > 1.01


def test_small_movements_press_nothing(folds_of, ana):
    assert folds_of(ana).gain(motion_frame(mouthSmile=0.015, jawOpen=0.8)) is None
