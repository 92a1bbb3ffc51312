"""Lids moved out to the white of eyes that are drawn larger than the mesh believes."""

import cv2
import numpy as np
import pytest

from moee_cli.face.eyebox import EyeBox
from moee_cli.face.eyefit import fitted_lids

UNIT = 120.0
CENTRES = ((200.0, 100.0), (80.0, 100.0))
IRIS = 7.0


def lid_curves(centre, half_width, half_height):
    x = np.linspace(-1.0, 1.0, 41)
    bow = half_height * (1.0 - x**2)
    columns = centre[0] + half_width * x
    return tuple(np.column_stack([columns, centre[1] + sign * bow]).astype(np.float32) for sign in (-1, 1))


def fitted(half_width, half_height, *, white=(235, 235, 238), skin=(205, 150, 120), light=1.0):
    """Return lids of the mesh and fitted ones of two eyes whose white is as large as given, in units."""
    picture = np.full((200, 280, 3), skin, np.float32)
    for centre in CENTRES:
        outline = np.concatenate([*lid_curves(centre, half_width * UNIT, half_height * UNIT)])
        hull = cv2.convexHull(np.round((outline - 0.5) * 16).astype(np.int32))
        fine = np.zeros((200, 280), np.uint8)
        cv2.fillConvexPoly(fine, hull, (255,), cv2.LINE_AA, 4)
        share = fine[..., None] / np.float32(255.0)
        picture = picture + (np.array(white, np.float32) - picture) * share
        cv2.circle(picture, (round(centre[0]), round(centre[1])), round(IRIS), (60, 90, 150), -1, cv2.LINE_AA)
    pixels = (cv2.GaussianBlur(picture, (0, 0), 0.8) * light).astype(np.uint8)
    mesh = [lid_curves(centre, 0.15 * UNIT, 0.06 * UNIT) for centre in CENTRES]
    eyes = tuple(EyeBox(pixels, lids, UNIT) for lids in mesh)
    return mesh, fitted_lids(eyes, tuple((np.array(centre, np.float32), IRIS) for centre in CENTRES))


def test_an_eye_as_large_as_the_mesh_believes_stays():
    mesh, lids = fitted(0.15, 0.06)
    np.testing.assert_allclose(lids, mesh, atol=0.02 * UNIT)


@pytest.mark.parametrize("light", [1.0, 0.6])
def test_lids_go_out_to_a_larger_white(light):
    _, lids = fitted(0.19, 0.10, light=light)
    for (upper, lower), centre in zip(lids, CENTRES, strict=True):
        assert abs(upper[0, 0] - (centre[0] - 0.19 * UNIT)) < 0.02 * UNIT
        assert abs(upper[-1, 0] - (centre[0] + 0.19 * UNIT)) < 0.02 * UNIT
        beside = np.abs(upper[:, 0] - centre[0] + 0.09 * UNIT).argmin()
        edge = 0.10 * (1.0 - (0.09 / 0.19) ** 2) * UNIT
        assert centre[1] - upper[beside, 1] == pytest.approx(edge, abs=0.02 * UNIT)
        assert lower[beside, 1] - centre[1] == pytest.approx(edge, abs=0.02 * UNIT)
        assert (upper[[0, -1]] == lower[[0, -1]]).all()


def test_white_that_is_hardly_lighter_than_skin_says_nothing():
    mesh, lids = fitted(0.19, 0.10, white=(215, 165, 140))
    np.testing.assert_array_equal(lids, mesh)


def test_white_without_an_end_says_nothing():
    mesh, lids = fitted(0.40, 0.30)
    np.testing.assert_array_equal(lids, mesh)
