"""Frames: where they lie over the picture, and that drawing moves no pixel from where the arithmetic says."""

from __future__ import annotations

import numpy as np
import pytest

from moee_cli.face.framing import Placement, place_cover, place_face, place_whole, render

SQUARE, WIDE, TALL = (512, 512), (1280, 720), (720, 1280)
FRAMES = [SQUARE, WIDE, TALL]


def face_at(x: float, y: float, height: float) -> np.ndarray:
    """Landmarks [478, 3] of which only those that framing reads are set: hair line, chin, cheeks."""
    points = np.zeros((478, 3), np.float32)
    points[10], points[152] = (x, y - height / 2, 0), (x, y + height / 2, 0)
    points[234], points[454] = (x - 0.38 * height, y, 0), (x + 0.38 * height, y, 0)
    return points


def spot(width: int, height: int, x: float, y: float, size: float) -> np.ndarray:
    """Black picture with a soft white spot, pixel centres at .5."""
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    value = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * size**2))
    return np.repeat(value.astype(np.uint8)[..., None], 3, axis=2)


def centre_of_light(frame: np.ndarray) -> tuple[float, float]:
    light = frame[..., 0].astype(float)
    rows, columns = np.mgrid[0 : frame.shape[0], 0 : frame.shape[1]] + 0.5
    return float((light * columns).sum() / light.sum()), float((light * rows).sum() / light.sum())


@pytest.mark.parametrize(
    "placement",
    [
        Placement(0, 0, 1, 400, 300),
        Placement(0, 0, 0.5, 200, 150),
        Placement(31.37, 17.81, 0.731, 200, 150),
        Placement(100.3, 70.9, 2.37, 330, 340),
        Placement(-40.6, -33.3, 0.613, 300, 220),
        Placement(-20.25, 30.5, 1.9, 640, 360),
    ],
)
def test_pixels_land_where_landmarks_do(placement):
    x, y = 171.3, 142.8
    frame = render(spot(400, 300, x, y, 12), placement)
    assert frame.shape == (placement.height, placement.width, 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    expected = placement.to_frame(np.array([[x, y, 3.0]], np.float32))[0]
    assert centre_of_light(frame) == pytest.approx(tuple(expected[:2]), abs=0.06)
    assert expected[2] == pytest.approx(3 * placement.scale)


def test_whole_picture_in_its_own_size_is_untouched():
    picture = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    np.testing.assert_array_equal(render(picture, place_whole((400, 300), (400, 300))), picture)


def test_shrinking_does_not_alias():
    """Stripes finer than a frame pixel become grey, not coarser stripes."""
    picture = np.zeros((900, 900, 3), np.uint8)
    picture[:, ::2] = 255
    frame = render(picture, place_whole((900, 900), (290, 290)))[20:-20, 20:-20]
    assert frame.std() < 3
    assert frame.mean() == pytest.approx(127.5, abs=2)


@pytest.mark.parametrize("frame", FRAMES)
def test_large_picture_gives_head_and_shoulders_inside_it(frame):
    placement = place_face(face_at(2000, 1500, 400), (4000, 3000), frame)
    assert placement.left >= 0
    assert placement.top >= 0
    assert placement.left + frame[0] / placement.scale <= 4000
    assert placement.top + frame[1] / placement.scale <= 3000
    points = placement.to_frame(face_at(2000, 1500, 400))
    share = (points[152, 1] - points[10, 1]) / min(frame)
    assert 0.40 <= share <= 0.56
    assert points[10, 0] == pytest.approx(frame[0] / 2, abs=0.01)
    assert (points[10, 1] + points[152, 1]) / 2 / frame[1] == pytest.approx(0.455, abs=0.01)


def test_square_shows_the_face_at_42_percent():
    points = place_face(face_at(2000, 1500, 400), (4000, 3000), SQUARE).to_frame(face_at(2000, 1500, 400))
    assert (points[152, 1] - points[10, 1]) / 512 == pytest.approx(0.42)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("place", [(150, 200), (3850, 250), (2000, 2900)])
def test_frame_moves_into_the_picture_first(frame, place):
    middle = place_face(face_at(2000, 1500, 300), (4000, 3000), frame)
    corner = place_face(face_at(*place, 300), (4000, 3000), frame)
    assert corner.scale == middle.scale
    assert corner.left >= 0
    assert corner.top >= 0
    assert corner.left + frame[0] / corner.scale <= 4000 + 1e-6
    assert corner.top + frame[1] / corner.scale <= 3000 + 1e-6


def test_then_it_becomes_smaller():
    placement = place_face(face_at(500, 480, 430), (1000, 900), SQUARE)
    assert placement.top == 0
    assert 512 / placement.scale == pytest.approx(900)


def test_then_it_reaches_beyond_the_picture():
    placement = place_face(face_at(512, 470, 430), (1024, 1024), WIDE)
    width = WIDE[0] / placement.scale
    assert width > 1024
    assert placement.left == pytest.approx(512 - width / 2)
    points = placement.to_frame(face_at(512, 470, 430))
    assert (points[152, 1] - points[10, 1]) / 720 == pytest.approx(0.53)


def test_nearly_the_whole_picture_is_the_whole_picture():
    placement = place_face(face_at(512, 460, 425), (1024, 1024), SQUARE)
    assert (placement.left, placement.top, placement.scale) == (0, 0, 0.5)


def test_few_pixels_show_more_of_the_picture_instead_of_growing():
    dense = place_face(face_at(500, 480, 160), (1000, 1000), (256, 256))
    sparse = place_face(face_at(500, 480, 160), (1000, 1000), (1024, 1024))
    assert 1024 / sparse.scale == pytest.approx(1.3 * 256 / dense.scale)


def test_cover_takes_all_it_can():
    placement = place_cover(face_at(300, 400, 100), (1000, 1000), WIDE)
    assert placement.left == 0
    assert WIDE[0] / placement.scale == pytest.approx(1000)
    assert 0 < placement.top < 400


def test_whole_picture_is_centred():
    placement = place_whole((1000, 500), SQUARE)
    corners = placement.to_frame(np.array([[0, 0, 0], [1000, 500, 0]], np.float32))
    np.testing.assert_allclose(corners[:, :2], [[0, 128], [512, 384]])


def test_extension_continues_the_border_without_an_edge():
    picture = np.empty((300, 300, 3), np.uint8)
    picture[:] = np.linspace(40, 200, 300).astype(np.uint8)[:, None, None]
    frame = render(picture, place_whole((300, 300), (600, 300))).astype(int)
    np.testing.assert_array_equal(frame[:, 150:450], picture)
    assert np.abs(frame[:, 149] - frame[:, 150]).max() <= 1
    assert np.abs(np.diff(frame, axis=1)).max() <= 2, "no visible line where the picture ends"
    assert frame[:100, 0].mean() + 30 < frame[200:, 0].mean(), "light and dark stay where they were"


def test_extension_of_texture_gets_softer_outwards():
    picture = np.random.default_rng(2).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    frame = render(picture, place_whole((300, 300), (900, 300))).astype(float)
    roughness = [np.abs(np.diff(frame[:, column].mean(axis=1))).mean() for column in (295, 270, 200, 20)]
    assert roughness == sorted(roughness, reverse=True)
    assert roughness[-1] < 2


def test_low_frame_keeps_the_chin_before_the_hat():
    points = place_cover(face_at(500, 500, 400), (1000, 1000), WIDE).to_frame(face_at(500, 500, 400))
    assert points[152, 1] < 720
    assert points[10, 1] > 0


@pytest.mark.parametrize(("share", "is_whole"), [(0.60, True), (0.68, True), (0.80, False)])
def test_a_close_portrait_is_shown_as_close_as_it_was_taken(share, is_whole):
    """No border is made up round a picture of the frame's own shape, unless hair and chin would be cut."""
    points = face_at(300, 300, 600 * share)
    placed = place_face(points, (600, 600), (512, 512))
    assert (placed.left >= 0 and placed.top >= 0 and 512 / placed.scale <= 600.001) is is_whole
