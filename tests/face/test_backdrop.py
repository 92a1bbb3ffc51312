"""What stands behind the person."""

from __future__ import annotations

import numpy as np
import pytest

from moee_cli.core.errors import PortraitError
from moee_cli.core.types import Background, BackgroundKind, Layers
from moee_cli.face.backdrop import composed, layers_for, replace_backdrop


@pytest.fixture
def layers() -> Layers:
    person = np.zeros((80, 120, 4), np.uint8)
    person[20:, 40:80] = (200, 100, 50, 255)
    backdrop = np.zeros((80, 120, 3), np.uint8)
    backdrop[:, 60:] = 255
    return Layers(person, backdrop)


@pytest.mark.parametrize("kind", [BackgroundKind.KEEP, BackgroundKind.TRANSPARENT])
def test_backdrop_stays(layers, kind):
    assert replace_backdrop(layers, Background(kind)) is layers


def test_colour(layers):
    frame = composed(replace_backdrop(layers, Background(BackgroundKind.COLOUR, (0, 177, 64))))
    assert tuple(frame[0, 0]) == (0, 177, 64)
    assert tuple(frame[50, 60]) == (200, 100, 50)


def test_blur_softens_the_backdrop_alone(layers):
    out = replace_backdrop(layers, Background(BackgroundKind.BLUR))
    assert 0 < out.backdrop[10, 60, 0] < 255
    assert out.backdrop[10, 0].max() == 0
    assert out.person is layers.person


def test_picture_covers_the_frame(layers, saved):
    wide = np.zeros((50, 400, 3), np.uint8)
    wide[:, 200:] = (10, 20, 250)
    out = replace_backdrop(layers, Background(BackgroundKind.PICTURE, picture=saved(wide, "wall.png")))
    assert out.backdrop.shape == (80, 120, 3)
    assert out.backdrop[0, 0, 2] < 5
    assert out.backdrop[79, 119, 2] > 245


def test_missing_picture_is_refused(layers, tmp_path):
    with pytest.raises(PortraitError, match=r"wall\.png"):
        replace_backdrop(layers, Background(BackgroundKind.PICTURE, picture=tmp_path / "wall.png"))


def test_person_that_cannot_be_told_apart(ana):
    noise = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    square = np.zeros((478, 3), np.float32)
    square[:, :2] = np.random.default_rng(1).uniform(150, 350, (478, 2))
    square[33, :2], square[263, :2] = (190, 240), (310, 240)
    assert layers_for(noise, square, (), Background()) is None
    with pytest.raises(PortraitError, match="cannot be told"):
        layers_for(noise, square, (), Background(BackgroundKind.BLUR), name="a.png")
