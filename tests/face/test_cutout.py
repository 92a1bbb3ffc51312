"""A person who moves over a backdrop: the background stands still, edges keep the person's own colour."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from moee_cli.core.types import Layers, Portrait
from moee_cli.face.controls import bounded, head_of, motion_frame
from moee_cli.face.cutout import Cutout
from moee_cli.face.landmarks import find_faces
from moee_cli.face.pose import HeadPose
from moee_cli.face.renderer import FaceRenderer

TURNED = motion_frame(headYaw=0.15, headPitch=0.08, headRoll=0.1, headX=0.1)


def stripes(size: int) -> np.ndarray:
    """Return a backdrop of straight lines, RGB."""
    picture = np.full((size, size, 3), (150, 170, 190), np.uint8)
    picture[:, ::24] = (40, 60, 90)
    picture[::40] = (220, 90, 60)
    return picture


def head_alpha(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Return a plain matte [H, W] 0..1: an ellipse about the head on a trunk, with a soft edge."""
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    matte = np.zeros((size, size), np.uint8)
    x, y = (low + high) / 2
    wide, tall = (high - low) * (0.75, 0.80)
    cv2.ellipse(matte, (round(x), round(y)), (round(wide), round(tall)), 0, 0, 360, 255, -1)
    cv2.rectangle(matte, (round(x - 1.3 * wide), round(y + 0.9 * tall)), (round(x + 1.3 * wide), size), 255, -1)
    return cv2.GaussianBlur(matte, (0, 0), 2.0).astype(np.float32) / 255


@pytest.fixture(scope="module")
def before_stripes(ana) -> Portrait:
    """Ana's head over straight lines, taken apart exactly."""
    points = find_faces(ana)[0].landmarks
    alpha = head_alpha(points, 512)
    alpha = np.round(alpha * 255) / 255
    person = np.round(ana * alpha[..., None])
    pixels = np.round(person + (1 - alpha[..., None]) * stripes(512)).astype(np.uint8)
    rgba = np.dstack([person, alpha * 255]).astype(np.uint8)
    return Portrait(pixels, points, "ana", layers=Layers(rgba, stripes(512)))


@pytest.fixture(scope="module")
def renderer(before_stripes) -> FaceRenderer:
    return FaceRenderer(before_stripes)


def test_at_rest_the_frame_is_the_photo(before_stripes, renderer):
    apart = np.abs(renderer.draw(motion_frame()).astype(int) - before_stripes.pixels)
    assert np.percentile(apart, 99.9) <= 1
    assert apart.max() <= 16  # eyes and lips are layers of their own


def test_the_background_stands_still_and_straight(before_stripes, renderer):
    """Where the person neither was nor is, a turned frame is the backdrop to the bit."""
    frame = renderer.draw(TURNED)
    reach = cv2.dilate(before_stripes.layers.person[..., 3], np.ones((61, 61), np.uint8))
    assert (reach == 0).mean() > 0.15
    np.testing.assert_array_equal(frame[reach == 0], stripes(512)[reach == 0])


def test_what_the_head_uncovers_is_backdrop(before_stripes, renderer):
    frame = renderer.draw(TURNED).astype(int)
    was, still = before_stripes.layers.person[..., 3] > 250, np.abs(frame - stripes(512)).max(2) <= 1
    assert (was & still).sum() > 300


def test_a_new_backdrop_shows_no_trace_of_the_old_one(before_stripes, renderer):
    """The edge mixes the person's own colours with the new backdrop, moved or not."""
    green = np.zeros((512, 512, 3), np.uint8)
    green[:] = (0, 255, 0)
    elsewhere = FaceRenderer(replace(before_stripes, layers=Layers(before_stripes.layers.person, green)))
    for row in (motion_frame(), TURNED):
        one, other = renderer.draw(row).astype(float), elsewhere.draw(row).astype(float)
        # The same cover in both: what differs is the backdrop alone.
        covered = (np.abs(one - stripes(512)).max(2) > 8) & (np.abs(other - green).max(2) > 8)
        edge = covered & (np.abs(one - other).max(2) > 3)
        lost = (other - one)[edge] / (green.astype(float) - stripes(512))[edge]
        assert np.ptp(lost, axis=1).max() < 0.08


def test_transparent_frames_hold_the_person_alone(before_stripes, renderer):
    clear = FaceRenderer(replace(before_stripes, transparent=True))
    for row in (motion_frame(), TURNED):
        frame = clear.draw(row)
        assert frame.shape == (512, 512, 4)
        assert (frame[..., :3] <= frame[..., 3:].astype(int) + 1).all()
        alpha = frame[..., 3:] / 255
        composed = frame[..., :3] + (1 - alpha) * stripes(512)
        assert np.abs(composed - renderer.draw(row)).max() <= 2
    assert (clear.draw(TURNED)[:8, :8, 3] == 0).all()


def test_colours_go_on_beyond_the_silhouette(before_stripes):
    cutout = Cutout(before_stripes.layers, transparent=False)
    alpha = before_stripes.layers.person[..., 3]
    near = (cv2.dilate(alpha, np.ones((5, 5), np.uint8)) > 0) & (alpha == 0)
    inside = cv2.GaussianBlur(np.where(alpha[..., None] > 128, cutout.colours, 0).astype(np.float32), (0, 0), 6)
    weight = cv2.GaussianBlur((alpha > 128).astype(np.float32), (0, 0), 6)[..., None]
    mean = (inside / np.maximum(weight, 1e-3))[near]
    assert np.abs(cutout.colours[near] - mean).mean() < 25


def test_another_face_stays_still(ana, kofi):
    """Two people side by side: the one who is not animated keeps every pixel."""
    picture = np.hstack([ana, kofi])
    hers, his = sorted(find_faces(picture), key=lambda face: face.box[0])
    frame = FaceRenderer(Portrait(picture, hers.landmarks, "both", others=(his.landmarks,))).draw(TURNED)
    left, top, right, bottom = (round(value) for value in his.box)
    np.testing.assert_array_equal(frame[top:bottom, left:right], picture[top:bottom, left:right])
    left, top, right, bottom = (round(value) for value in hers.box)
    assert np.abs(frame[top:bottom, left:right].astype(int) - picture[top:bottom, left:right]).mean() > 3


@pytest.mark.parametrize("row", [TURNED, motion_frame(headYaw=0.02, headX=0.01)], ids=["far", "little"])
def test_tiles_left_alone_would_have_come_out_the_same(row, before_stripes, renderer):
    """Composing only near the silhouette gives what composing every pixel gives."""
    cutout = renderer._cutout
    held = bounded(row)
    back = renderer._skin.backward(renderer._weights(held), HeadPose(head_of(held)))
    frame = np.random.default_rng(5).integers(0, 256, (512, 512, 3)).astype(np.uint8)
    cover = cutout._moved(back)
    expected = cv2.blendLinear(frame, stripes(512), cover, 1.0 - cover)
    parts = cutout.parts(back)
    np.testing.assert_array_equal(cutout.over(frame.copy(), back, parts), expected)
    shown, edge, empty = (np.zeros((512, 512), int) for _ in parts)
    for count, places in zip((shown, edge, empty), parts, strict=True):
        for place in places:
            count[place] += 1
    np.testing.assert_array_equal(shown + empty, 1, err_msg="places neither overlap nor leave any pixel out")
    assert (edge <= shown).all()
    assert edge.mean() < (1.0 if row is TURNED else 0.6)


def test_an_outline_that_the_border_cuts_goes_straight_on():
    rows, columns = np.mgrid[:96, :96]
    cover = np.where(np.abs(columns - 48) < 12 + rows / 2, 255, 0)  # widens downwards; the border cuts its top off
    person = np.dstack([np.full((96, 96, 3), 200) * (cover[..., None] > 0), cover]).astype(np.uint8)
    lowered = np.stack([columns, rows - 16], axis=-1).astype(np.float32)
    cutout = Cutout(Layers(person, np.zeros((96, 96, 3), np.uint8)), transparent=True)
    alpha = cutout.over(np.full((96, 96, 3), 200, np.uint8), lowered, cutout.parts(lowered))[..., 3]
    assert (alpha[:16] == cover[0]).all(), "mirrored, it would grow ears"
