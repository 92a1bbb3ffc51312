"""Skin never folds over itself: the motion keeps its orientation in every patch, in any sum of shapes and turns."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, EMOTIONS
from moee_cli.core.types import FrameFormat
from moee_cli.engines.motion.poses import emotion_poses, speech_poses
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.controls import bounded, head_of, motion_frame
from moee_cli.face.fields import Box, Patch
from moee_cli.face.outlines import Outlines
from moee_cli.face.portrait import load_portrait
from moee_cli.face.pose import LIMITS, HeadPose
from moee_cli.face.renderer import FaceRenderer

EXAMPLES = Path(__file__).parents[2] / "examples"


class Skin:
    """Patches of a portrait, each with the cells of its grid that are shown."""

    def __init__(self, name: str) -> None:
        portrait = load_portrait(EXAMPLES / f"{name}.png", FrameFormat(512, 512))
        self.renderer = renderer = FaceRenderer(portrait)
        outlines = Outlines.of(renderer._pixels, portrait.landmarks, CanonicalFrame.of(portrait.landmarks))
        self.parts = {
            "upper lip": (renderer._lip, shown(renderer._lip, outlines.lip_upper, above=True)),
            "jaw": (renderer._chin, shown(renderer._chin, outlines.lip_lower, above=False)),
        }
        apart = [renderer._lip.box, renderer._chin.box]
        for eye, (upper, lower) in zip(renderer._eyes, outlines.lids, strict=True):
            self.parts[f"upper lid {eye.side}"] = (eye.above, shown(eye.above, upper, above=True))
            self.parts[f"lower lid {eye.side}"] = (eye.below, shown(eye.below, lower, above=False))
            apart.append(eye.box)
        outside = ~np.any([inside(nodes(renderer._skin), box) for box in apart], axis=0)
        self.parts["face"] = (renderer._skin, whole(outside))

    def least(self, motion: np.ndarray) -> dict[str, float]:
        """Return by part the least area of a cell, 1 at rest, below 0 where it is turned over."""
        held = bounded(motion, self.renderer._smile, self.renderer._room)
        weights, pose = self.renderer._weights(held), HeadPose(head_of(held), self.renderer._turned)
        lids = {
            f"{lid} lid {eye.side}": eye._apart(weights) for eye in self.renderer._eyes for lid in ("upper", "lower")
        }
        return {
            name: float(areas(patch, lids.get(name, weights), pose)[cells].min())
            for name, (patch, cells) in self.parts.items()
        }


def nodes(patch: Patch) -> np.ndarray:
    return patch.points.pixels.reshape(patch.rows, patch.columns, 2)


def inside(at: np.ndarray, box: Box) -> np.ndarray:
    x, y = at[..., 0], at[..., 1]
    return (x >= box.x) & (x < box.x + box.width) & (y >= box.y) & (y < box.y + box.height)


def whole(chosen: np.ndarray) -> np.ndarray:
    """Return the cells [rows - 1, columns - 1] whose four nodes are chosen."""
    return chosen[:-1, :-1] & chosen[1:, :-1] & chosen[:-1, 1:] & chosen[1:, 1:]


def shown(patch: Patch, edge: np.ndarray, *, above: bool) -> np.ndarray:
    """Return the cells of a patch on its own side of a slit."""
    at = nodes(patch)
    line = np.interp(at[..., 0], edge[:, 0], edge[:, 1])
    return whole(inside(at, patch.box) & ((at[..., 1] <= line) if above else (at[..., 1] >= line)))


def areas(patch: Patch, weights: np.ndarray, pose: HeadPose) -> np.ndarray:
    """Return the lesser area of the two triangles of every cell, in cells at rest."""
    at = patch.points.positions(weights, pose).reshape(patch.rows, patch.columns, 2) / patch.step
    right, down = np.diff(at, axis=1), np.diff(at, axis=0)
    return np.minimum(cross(right[:-1], down[:, :-1]), cross(right[1:], down[:, 1:]))


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


@pytest.fixture(scope="module", params=["ana", "kofi"])
def skin(request):
    return Skin(request.param)


HEADS = [(0, 0, 0), (1, 0, 0), (-1, 1, 0), (0, -1, 1), (1, 1, 1), (-1, -1, -1)]


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_no_emotion_folds_while_it_speaks_and_turns(skin, emotion):
    posture = emotion_poses()[EMOTIONS.index(emotion)]
    for spoken, head in product(speech_poses(), HEADS):
        motion = np.clip(posture + spoken, 0.0, 1.0)
        motion[CHANNEL["headYaw"] :] = 0.0
        motion[CHANNEL["headYaw"] : CHANNEL["headYaw"] + 3] = np.array(head) * LIMITS[:3]
        least = skin.least(motion)
        assert min(least.values()) > 0.0, (head, least)


def test_no_sum_of_shapes_folds(skin):
    random = np.random.default_rng(1)
    for number in range(200):
        motion = motion_frame()
        motion[:44] = random.random(44) ** random.choice([1, 2, 4]) if number % 2 else random.random(44) < 0.2
        motion[44:47] = random.uniform(-1.0, 1.0, 3) * LIMITS[:3]
        least = skin.least(motion)
        assert min(least.values()) > 0.0, (number, least)


def test_a_fold_is_found(skin):
    """The measure itself: skin that is pushed over what stands still is seen."""
    held = bounded(motion_frame(mouthSmile=1.0))
    weights = 4.0 * skin.renderer._weights(held)
    patch, cells = skin.parts["upper lip"]
    assert areas(patch, weights, HeadPose(head_of(held)))[cells].min() < 0.0
