"""The person and what is behind: exact at rest, along the silhouette, away from other people."""

from __future__ import annotations

import numpy as np
import pytest

from moee_cli.core.types import Layers
from moee_cli.face.backdrop import composed
from moee_cli.face.landmarks import find_faces
from moee_cli.face.matte import take_apart


@pytest.fixture(scope="module")
def marks(ana) -> np.ndarray:
    return find_faces(ana)[0].landmarks


@pytest.fixture(scope="module")
def layers(ana, marks) -> Layers:
    taken = take_apart(ana, marks)
    assert taken is not None
    return taken


def test_layers_give_the_picture_back(ana, layers):
    assert np.abs(composed(layers).astype(int) - ana).max() <= 1
    assert layers.person.shape == (*ana.shape[:2], 4)
    assert (layers.person[..., :3] <= layers.person[..., 3:]).all()


def test_person_is_opaque_and_the_corners_are_backdrop(ana, marks, layers):
    x, y = marks[1, :2].astype(int)
    assert layers.person[y, x, 3] == 255
    assert layers.person[:40, :40, 3].max() == 0
    np.testing.assert_array_equal(layers.backdrop[:40, :40], ana[:40, :40])


def test_nothing_of_the_person_is_in_the_backdrop(layers):
    """The scarf of the example is blue, what is behind it brown: no pixel of the backdrop is bluer than red."""
    backdrop = layers.backdrop.astype(int)
    assert np.percentile(backdrop[..., 2] - backdrop[..., 0], 99.5) < 10


def test_same_layers_every_time(ana, marks, layers):
    again = take_apart(ana, marks)
    np.testing.assert_array_equal(again.person, layers.person)
    np.testing.assert_array_equal(again.backdrop, layers.backdrop)


def test_face_where_there_is_no_person_is_refused(marks):
    noise = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    assert take_apart(noise, marks) is None


def _seen(monkeypatch, probability: np.ndarray) -> None:
    monkeypatch.setattr("moee_cli.face.matte.person_seen", lambda *_: probability.astype(np.float32))


def test_a_matte_that_takes_the_room_for_the_person_is_not_used(ana, marks, monkeypatch):
    _seen(monkeypatch, np.full(ana.shape[:2], 0.97))
    assert take_apart(ana, marks) is None


def test_a_matte_in_shreds_is_not_used(ana, marks, monkeypatch, layers):
    """The face is seen, the rest now here, now there."""
    blocks = np.random.default_rng(1).random((32, 32)) > 0.35
    person = layers.person[..., 3] > 128
    probability = np.where(person & np.kron(blocks, np.ones((16, 16), bool)), 0.97, 0.02)
    low, high = marks[:, :2].min(0).astype(int), marks[:, :2].max(0).astype(int)
    probability[low[1] : high[1], low[0] : high[0]] = 0.97
    _seen(monkeypatch, probability)
    assert take_apart(ana, marks) is None


def test_a_matte_as_the_person_is_used(ana, marks, monkeypatch, layers):
    _seen(monkeypatch, np.where(layers.person[..., 3] > 128, 0.97, 0.02))
    assert take_apart(ana, marks) is not None


def test_other_people_stay_behind(ana, kofi):
    two = np.ascontiguousarray(np.concatenate([ana, kofi], axis=1))
    left, right = (face.landmarks for face in find_faces(two))
    taken = take_apart(two, left, [right])
    x, y = right[1, :2].astype(int)
    assert taken.person[y, x, 3] == 0
    assert np.abs(composed(taken).astype(int) - two).max() <= 1


def test_frame_with_an_extended_border(ana, marks):
    frame = np.pad(ana, ((0, 0), (100, 60), (0, 0)), mode="edge")
    shifted = marks + np.array([100, 0, 0], np.float32)
    taken = take_apart(frame, shifted, part=(100, 0, 612, 512))
    assert taken.person.shape == (512, 672, 4)
    assert np.abs(composed(taken).astype(int) - frame).max() <= 1
