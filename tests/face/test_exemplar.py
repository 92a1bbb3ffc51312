"""The backdrop behind a head: lines go on straight, texture goes on as rough, what is smooth stays smooth."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest

from moee_cli.face.exemplar import DEPTH, Eyes, carried_on
from moee_cli.face.plate import spread

SIZE, UNIT = 256, 60.0
EYES = Eyes(128.0, 110.0, UNIT)
PERSON = (250, 20, 220)


def hole() -> np.ndarray:
    """Return where a head and shoulders cover the backdrop, bool [SIZE, SIZE]."""
    covered = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(covered, (128, 120), (58, 76), 0, 0, 360, 1, -1)
    cv2.rectangle(covered, (40, 205), (216, SIZE), 1, -1)
    return covered > 0


HOLE = hole()
TRUST = (~HOLE).astype(np.float32)
AWAY = cv2.distanceTransform(HOLE.astype(np.uint8), cv2.DIST_L2, 5) / UNIT
BESIDE = (AWAY > 0.03) & (AWAY < 0.25) & (np.arange(SIZE) < 180)[:, None]
"""What a turning head uncovers beside it."""


@cache
def continued(make: Callable[[], np.ndarray]) -> np.ndarray:
    """Return a made backdrop as it is continued, worked out once."""
    return filled(make())


def filled(backdrop: np.ndarray) -> np.ndarray:
    """Return a backdrop [SIZE, SIZE, 3] as it is continued behind a person of a loud colour."""
    picture = np.where(HOLE[..., None], np.float32(PERSON), backdrop.astype(np.float32))
    result = carried_on(picture, TRUST, ~HOLE, EYES)
    return spread(result.colours, result.holds)


def smeared(backdrop: np.ndarray) -> np.ndarray:
    """Return the same continued smoothly: what the tests must tell from a backdrop that goes on."""
    return spread(
        np.where(HOLE[..., None], np.float32(PERSON), backdrop.astype(np.float32)), 1 - HOLE.astype(np.float32)
    )


def noise(deviation: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, deviation, (SIZE, SIZE, 3)).astype(np.float32)


def level(value: float) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), value, np.float32)


def stripes() -> np.ndarray:
    picture = level(170)
    for y in range(6, SIZE, 24):
        picture[y : y + 8] = (70, 90, 120)
    return picture


def slanted() -> np.ndarray:
    """Return a window frame seen at an angle: dark bars on a light wall."""
    picture = level(200)
    for y in range(-100, SIZE + 100, 50):
        cv2.line(picture, (0, y), (SIZE, y + 70), (60, 50, 40), 7, cv2.LINE_AA)
    return picture


def bricks() -> np.ndarray:
    picture = np.empty((SIZE, SIZE, 3), np.float32)
    picture[:] = (160, 80, 60)
    for row, y in enumerate(range(0, SIZE, 16)):
        picture[y : y + 3] = 200
        for x in range(16 * (row % 2), SIZE, 32):
            picture[y : y + 16, x : x + 3] = 200
    return picture


def wood() -> np.ndarray:
    """Return boards with a grain along them and joints between."""
    boards = np.random.default_rng(2).normal(0, 200, (SIZE, SIZE)).astype(np.float32)
    grain = cv2.GaussianBlur(boards, (0, 0), 0.9, None, 14)
    picture = np.float32((150, 110, 70)) + grain[..., None] * np.float32((1.0, 0.8, 0.6))
    picture[:, ::40] = (60, 40, 20)
    return cv2.GaussianBlur(picture, (0, 0), 0.6)


def foliage() -> np.ndarray:
    leaves = cv2.GaussianBlur(np.random.default_rng(4).normal(0, 1, (SIZE, SIZE)).astype(np.float32), (0, 0), 3.0)
    dark = (leaves > 0)[..., None]
    return np.where(dark, np.float32((40, 70, 30)), np.float32((120, 160, 60))) + noise(6.0)


def laplacian(picture: np.ndarray) -> np.ndarray:
    return np.abs(cv2.Laplacian(picture.astype(np.float32).mean(axis=-1), cv2.CV_32F, ksize=3))


@pytest.mark.parametrize("make", [stripes, slanted], ids=lambda make: make.__name__)
def test_lines_go_on_where_they_would_be(make):
    """Beside the head the continued lines differ little from the true ones, and far less than smears."""
    backdrop = make()
    wrong = np.abs(continued(make) - backdrop)[BESIDE].mean()
    assert wrong < 0.25 * np.abs(smeared(backdrop) - backdrop)[BESIDE].mean()
    assert wrong < 12


@pytest.mark.parametrize("make", [bricks, wood, foliage, stripes], ids=lambda make: make.__name__)
def test_texture_goes_on_as_rough_as_around(make):
    backdrop = make()
    around = ~HOLE & (cv2.dilate(HOLE.astype(np.uint8), np.ones((41, 41))) > 0)
    rough = laplacian(continued(make))[BESIDE].mean() / laplacian(backdrop)[around].mean()
    assert 0.7 < rough < 1.4
    assert laplacian(smeared(backdrop))[BESIDE].mean() / laplacian(backdrop)[around].mean() < 0.5


@pytest.mark.parametrize("make", [bricks, wood, foliage, stripes, slanted], ids=lambda make: make.__name__)
def test_nothing_of_the_person_is_copied(make):
    backdrop = make()
    result = continued(make)
    low, high = backdrop.min((0, 1)) - 12, backdrop.max((0, 1)) + 12
    assert (result[HOLE] >= low).all()
    assert (result[HOLE] <= high).all()


def test_a_smooth_backdrop_stays_smooth():
    """A lit wall: no steps between patches, and its light goes on."""
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    wall = (110 + 110 * np.exp(-((x - 128) ** 2 + (y - 100) ** 2) / 2 / 120**2))[..., None] * np.float32((1, 0.9, 0.8))
    result = filled(wall)
    assert laplacian(result)[BESIDE].max() < 3.0
    assert np.abs(result - wall)[BESIDE].mean() < np.abs(smeared(wall) - wall)[BESIDE].mean()


def test_grain_goes_on():
    grained = level(140) + noise(4.0)
    grain = (filled(grained) - 140)[BESIDE].std()
    assert 3.0 < grain < 5.0
    assert (smeared(grained) - 140)[BESIDE].std() < 2.0


def test_what_is_known_stays_and_depth_is_bounded():
    picture = np.where(HOLE[..., None], np.float32(PERSON), bricks())
    result, holds, _ = carried_on(picture, TRUST, ~HOLE, EYES)
    np.testing.assert_array_equal(result[~HOLE], picture[~HOLE])
    assert (holds[~HOLE] == 1.0).all()
    assert (holds[AWAY > DEPTH + 0.02] == 0.0).all()


def test_what_may_not_be_used_is_not_copied():
    """Another face beside the head is no backdrop to go on with."""
    backdrop, face = level(120) + noise(2.0), np.zeros((SIZE, SIZE), np.bool_)
    face[90:150, 196:240] = True
    backdrop[face] = (255, 0, 0)
    picture = np.where(HOLE[..., None], np.float32(PERSON), backdrop)
    result, holds, _ = carried_on(picture, TRUST, ~HOLE & ~face, EYES)
    assert (holds[BESIDE] > 0.5).mean() > 0.9
    assert result[BESIDE & (holds > 0.5)][:, 0].max() < 160


def test_the_same_every_time():
    np.testing.assert_array_equal(filled(foliage()), continued(foliage))


def test_nothing_to_copy_from():
    nothing = np.zeros((40, 40), np.float32)
    _, holds, _ = carried_on(np.zeros((40, 40, 3), np.float32), nothing, nothing > 0, Eyes(20.0, 20.0, 10.0))
    assert (holds == 0.0).all()
