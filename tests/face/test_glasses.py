"""Glasses, drawn over the example portraits: they are found, they stand still, and bare faces wear none."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from moee_cli.core.types import FrameFormat
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.controls import motion_frame
from moee_cli.face.portrait import load_portrait
from moee_cli.face.renderer import FaceRenderer
from moee_cli.face.rims import find_glasses

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def worn():
    """The benchmark that draws frames and watches them."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        spec = importlib.util.spec_from_file_location("glasses_benchmark", ROOT / "benchmarks" / "glasses.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    return module


@pytest.fixture(scope="module", params=["ana", "kofi"])
def portrait(request):
    return load_portrait(ROOT / "examples" / f"{request.param}.png", FrameFormat(512, 512))


def with_frame(worn, portrait, name):
    style = worn.STYLES[name]
    return replace(portrait, pixels=worn.with_frame(portrait.pixels, portrait.landmarks, style), layers=None), style


def found(portrait):
    return find_glasses(portrait.pixels, portrait.landmarks, CanonicalFrame.of(portrait.landmarks))


def test_bare_faces_wear_no_glasses(portrait):
    assert found(portrait) is None
    assert found(replace(portrait, pixels=cv2.GaussianBlur(portrait.pixels, (0, 0), 2.0))) is None


@pytest.mark.parametrize("name", ["thin dark", "dark", "thick black", "red", "gold"])
def test_frames_are_found_where_they_are(worn, portrait, name):
    dressed, _style = with_frame(worn, portrait, name)
    seen = found(dressed)
    changed = np.abs(dressed.pixels.astype(int) - portrait.pixels).max(axis=2) > 20
    unit = CanonicalFrame.of(portrait.landmarks).scale
    x, _ = CanonicalFrame.of(portrait.landmarks).origin
    changed[:, : int(x - 0.7 * unit)] = changed[:, int(x + 0.7 * unit) :] = False  # the far ends of the arms
    assert seen[changed].mean() > 0.9
    near = cv2.dilate(changed.astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    assert (seen > 0.5)[~near].sum() < 0.15 * changed.sum()


def test_a_frame_stands_still_while_the_face_moves(worn, portrait):
    dressed, style = with_frame(worn, portrait, "dark")
    renderer = FaceRenderer(dressed)
    rest = renderer.draw(motion_frame())
    for pose, frame in worn.poses().items():
        drawn = renderer.draw(frame)
        assert worn.frame_shift(drawn, rest, portrait.landmarks, style) < 0.005, pose


def test_the_measure_sees_a_frame_that_goes_with_the_brow(worn, portrait):
    dressed, style = with_frame(worn, portrait, "dark")
    renderer = FaceRenderer(dressed)
    rest = renderer.draw(motion_frame())
    renderer._glasses, renderer._pixels = None, dressed.pixels
    renderer._sharp._dense = type(renderer._sharp)(dressed.pixels, renderer._head, 53)._dense
    assert worn.frame_shift(renderer.draw(motion_frame(browDown=1.0)), rest, portrait.landmarks, style) > 0.02


def test_a_frame_turns_with_the_head_and_at_rest_is_the_photo(worn, portrait):
    dressed, _style = with_frame(worn, portrait, "thick black")
    renderer = FaceRenderer(dressed)
    rest = renderer.draw(motion_frame())
    box = renderer._glasses._box
    part = slice(box.y, box.y + box.height), slice(box.x, box.x + box.width)
    bare = FaceRenderer(portrait).draw(motion_frame())
    lifted = np.abs(rest[part].astype(int) - dressed.pixels[part])
    assert np.percentile(lifted, 99.9) <= max(
        3, np.percentile(np.abs(bare[part].astype(int) - portrait.pixels[part]), 99.9)
    )
    turned = motion_frame(headYaw=0.15, headRoll=0.10)
    stiff, head = renderer.draw(turned), FaceRenderer(portrait).draw(turned)
    black = stiff.max(axis=2) < 40
    # As much of the frame is seen as at rest, no part of it is lost at a border of what moves.
    assert black.sum() - (head.max(axis=2) < 40).sum() > 0.85 * (
        (rest.max(axis=2) < 40).sum() - (bare.max(axis=2) < 40).sum()
    )


def test_skin_without_the_frame_has_its_colour(worn, portrait):
    dressed, _ = with_frame(worn, portrait, "dark")
    glasses = FaceRenderer(dressed)._glasses
    changed = np.abs(dressed.pixels.astype(int) - portrait.pixels).max(axis=2) > 40
    left = np.abs(glasses.skin.astype(int) - portrait.pixels).max(axis=2)[changed]
    assert np.median(left) < 12
    assert np.percentile(left, 90) < 45
