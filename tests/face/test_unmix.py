"""Dividing pixels between person and backdrop: no trace of the person is left where the person goes away."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from moee_cli.face.backdrop import composed
from moee_cli.face.exemplar import Eyes
from moee_cli.face.unmix import Parts, divided, layers_of

SIZE, EYES = 200, Eyes(100.0, 90.0, 60.0)


def head(shift: float = 0.0, soft: float = 1.2) -> np.ndarray:
    """Return the alpha [SIZE, SIZE] of a head-shaped disc, moved to the right and softened by px."""
    x, y = np.meshgrid(np.arange(SIZE) - 100.0 - shift, np.arange(SIZE) - 110.0)
    edge = 1.0 - (np.hypot(x / 50.0, y / 64.0) - 1.0) * 55.0 / soft
    return np.clip(0.5 * edge, 0.0, 1.0).astype(np.float32)


def before(backdrop: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return a picture of the head in one colour over a backdrop, with the rim that sharpening leaves around it."""
    alpha = head()[..., None]
    picture = alpha * np.float32(colour) + (1 - alpha) * backdrop
    sharp = picture + 0.4 * (picture - cv2.GaussianBlur(picture, (0, 0), 1.0))
    return np.clip(sharp + 0.5, 0, 255).astype(np.uint8)


def plain(grain: float) -> np.ndarray:
    """Return a backdrop that brightens to the right, with grain of a standard deviation in levels."""
    rng = np.random.default_rng(3)
    slope = np.linspace(110, 150, SIZE, dtype=np.float32)[None, :, None] * np.float32((1.0, 0.9, 0.8))
    return np.repeat(slope, SIZE, 0) + rng.normal(0, grain, (SIZE, SIZE, 3)).astype(np.float32)


@pytest.mark.parametrize("colour", [(20, 15, 10), (250, 240, 200)], ids=["dark", "light"])
@pytest.mark.parametrize("grain", [0.0, 2.0])
def test_a_matte_that_is_a_little_off_leaves_no_outline(colour, grain):
    """Means along the silhouette, where an outline would be seen, stay those of the backdrop."""
    picture = before(plain(grain), colour)
    matte = head(shift=0.8, soft=2.0)
    _, behind = divided(picture, Parts.of(picture, matte, EYES))
    apart = cv2.GaussianBlur(behind - plain(0.0), (0, 0), 1.0)
    rim = np.abs(cv2.distanceTransform((head() > 0.5).astype(np.uint8), cv2.DIST_L2, 5) - 1.0) < 3.0
    assert np.abs(apart[rim]).mean() < 2.5
    assert np.percentile(np.abs(apart[rim]), 99) < 6.0


def test_texture_beside_the_head_stays_where_it_is():
    """Stripes up to the silhouette belong to the backdrop, to the level."""
    stripes = plain(0.0)
    stripes[::6] += 60.0
    picture = before(stripes, (20, 15, 10))
    _, behind = divided(picture, Parts.of(picture, head(), EYES))
    beside = (head() == 0.0) & (cv2.dilate(head(), np.ones((5, 5))) > 0.0)
    lines = behind[::6][beside[::6]].mean() - behind[3::6][beside[3::6]].mean()
    assert lines > 45.0


def test_the_picture_comes_back_whatever_the_matte():
    picture = before(plain(4.0), (250, 240, 200))
    alpha, behind = divided(picture, Parts.of(picture, head(shift=2.0, soft=4.0), EYES))
    assert np.abs(composed(layers_of(picture, alpha, behind)).astype(int) - picture).max() <= 1


def test_another_backdrop_shows_nothing_from_beside_the_matte():
    """Leaves about the head stay behind with the rest of their backdrop: outside the matte nothing is laid over."""
    leaves = cv2.GaussianBlur(np.random.default_rng(4).normal(0, 1, (SIZE, SIZE)).astype(np.float32), (0, 0), 2.0) > 0
    picture = before(np.where(leaves[..., None], np.float32((40, 70, 30)), np.float32((130, 170, 60))), (20, 15, 10))
    alpha, behind = divided(picture, Parts.of(picture, head(), EYES, kept=False))
    assert layers_of(picture, alpha, behind).person[..., 3][head() == 0.0].max() == 0


def test_a_larger_picture_keeps_its_grain_behind_the_person():
    """Parts are found at half the size; what is copied shows what the picture itself does."""
    large = np.random.default_rng(6).normal(130, 12, (2 * SIZE, 2 * SIZE, 3)).astype(np.float32)
    matte = cv2.resize(head(), (2 * SIZE, 2 * SIZE))
    picture = np.where(matte[..., None] > 0.0, np.float32((20, 15, 10)), large).clip(0, 255).astype(np.uint8)
    small = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    _, behind = divided(picture, Parts.of(small, head(), EYES))
    deep = cv2.distanceTransform((matte > 0.0).astype(np.uint8), cv2.DIST_L2, 5) / (2 * EYES.unit)
    ring = (deep > 0.05) & (deep < 0.2) & (np.arange(2 * SIZE) < 2 * EYES.y)[:, None]
    grain = np.abs(cv2.Laplacian(behind.astype(np.float32), cv2.CV_32F)).mean(axis=-1)
    assert grain[ring].mean() > 0.7 * grain[:60, :60].mean()
