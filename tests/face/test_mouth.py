"""The mouth on the example portraits: what opening lips uncover, and what closing ones hide."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from moee_cli.core.types import Portrait
from moee_cli.engines.motion.poses import SPEECH_POSES
from moee_cli.face import teeth
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.controls import bounded, head_of, motion_frame
from moee_cli.face.landmarks import find_faces
from moee_cli.face.outlines import Outlines
from moee_cli.face.palette import Palette
from moee_cli.face.pose import HeadPose
from moee_cli.face.renderer import FaceRenderer
from moee_cli.face.sprite import Sprite


class Sitter:
    """A portrait with its renderer."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = np.ascontiguousarray(pixels)
        self.landmarks = find_faces(self.pixels)[0].landmarks
        self.renderer = FaceRenderer(Portrait(self.pixels, self.landmarks, "sitter"))
        self.mouth = self.renderer._mouth
        self.unit = self.mouth.scale

    def draw(self, **channels: float) -> np.ndarray:
        return self.renderer.draw(motion_frame(**channels))

    def lips(self, **channels: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the edges of the opening, each [M, 2], in index coordinates."""
        held = bounded(motion_frame(**channels), self.renderer._smile, self.renderer._room)
        weights, pose = self.renderer._weights(held), HeadPose(head_of(held))
        return self.mouth.upper.positions(weights, pose) - 0.5, self.mouth.lower.positions(weights, pose) - 0.5

    def opening(self, **channels: float) -> np.ndarray:
        """Return the mask [H, W] of pixels that lie wholly between the lips."""
        upper, lower = self.lips(**channels)
        height, width = self.pixels.shape[:2]
        columns, rows = np.arange(width), np.arange(height)[:, None]
        top, bottom = np.interp(columns, upper[:, 0], upper[:, 1]), np.interp(columns, lower[:, 0], lower[:, 1])
        across = (columns > upper[0, 0]) & (columns < upper[-1, 0])
        return (rows > top + 0.5) & (rows < bottom - 0.5) & across

    def light(self, **channels: float) -> float:
        """Return the mean grey level between the lips in the middle of the mouth, over that of light skin."""
        frame = cv2.cvtColor(self.draw(**channels), cv2.COLOR_RGB2GRAY)
        upper, lower = self.lips(**channels)
        middle = len(upper) // 2
        x, top, bottom = upper[middle, 0], upper[middle, 1], lower[middle, 1]
        reach = round(0.08 * self.unit)
        part = frame[round(top) : round(bottom) + 1, round(x) - reach : round(x) + reach]
        x0, y0 = self.landmarks[:, :2].min(0).astype(int)
        x1, y1 = self.landmarks[:, :2].max(0).astype(int)
        return float(part.mean() / np.percentile(frame[y0:y1, x0:x1], 90))


@pytest.fixture(scope="module", params=["ana", "kofi"])
def each(request, ana, kofi) -> Sitter:
    return Sitter({"ana": ana, "kofi": kofi}[request.param])


@pytest.fixture(scope="module")
def smiling(ana) -> Sitter:
    """Ana with a mouth that shows teeth, as if photographed so."""
    return Sitter(Sitter(ana).draw(jawOpen=0.25, mouthUpperUp=0.5, mouthSmile=0.4, mouthLowerDown=0.3))


# --- closed ---------------------------------------------------------------------------------------------------------

CLOSED = {
    "spoken": SPEECH_POSES["closed"],
    "pressed": {"mouthPress": 1.0},
    "rolled": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    "over an open jaw": {"jawOpen": 0.6, "mouthClose": 0.6},
}


@pytest.mark.parametrize("pose", CLOSED)
def test_sealed_lips_show_nothing_between_them(pose, each):
    assert not each.opening(**CLOSED[pose]).any()


@pytest.mark.parametrize("pose", CLOSED)
def test_a_mouth_photographed_open_is_sealed_too(pose, smiling):
    assert smiling.opening().sum() > 100
    assert not smiling.opening(**CLOSED[pose]).any()
    before, after = (cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in (smiling.pixels, smiling.draw(**CLOSED[pose])))
    upper, _ = smiling.lips(**CLOSED[pose])
    x, y = upper[len(upper) // 2]
    seam = after[round(y) - 1 : round(y) + 2, round(x) - 10 : round(x) + 10]
    teeth_before = np.percentile(before[smiling.opening()], 75)
    assert seam.mean() < 0.75 * teeth_before


def test_a_bite_is_no_closure(smiling):
    assert smiling.opening(**SPEECH_POSES["bite"]).any()


# --- open -----------------------------------------------------------------------------------------------------------


def test_the_first_gap_is_as_dark_as_the_line_between_the_lips(each):
    """No grey slit: what shows between lips that hardly part does not stand out from the line of closed ones."""
    closed = each.light()
    assert abs(each.light(jawOpen=0.03) - closed) < 0.15
    assert each.light(jawOpen=0.06) < closed + 0.18


def test_an_open_mouth_is_neither_a_hole_nor_a_lamp(each):
    for jaw in (0.3, 0.45, 0.6, 0.8, 1.0):
        assert 0.2 < each.light(jawOpen=jaw) < 1.0, jaw


def test_a_wide_open_mouth_shows_both_rows_and_the_tongue(each):
    frame = each.draw(jawOpen=1.0)
    upper, lower = each.lips(jawOpen=1.0)
    x, top, bottom = round(upper[20, 0]), upper[20, 1], lower[20, 1]
    column = frame[round(top) + 1 : round(bottom), x - 4 : x + 5].astype(float).mean(1)
    red = column[:, 0] - column[:, 1:].mean(1)
    grey = column.mean(1)
    third = len(grey) // 3
    assert grey[:third].max() > 1.8 * grey[third : 2 * third].min()  # upper teeth before the throat
    assert grey[-third:].max() > 1.5 * grey[third : 2 * third].min()  # lower teeth
    tongue = red[third:-4].argmax() + third
    assert red[tongue] > 20.0
    assert grey[tongue] > 1.2 * grey[third : 2 * third].min()


def test_the_opening_changes_smoothly_with_the_jaw(each):
    box = np.s_[int(each.landmarks[1, 1]) :, int(each.landmarks[234, 0]) : int(each.landmarks[454, 0])]
    steps = np.linspace(0.0, 1.0, 41)
    frames = [each.draw(jawOpen=float(jaw))[box].astype(np.int16) for jaw in steps]
    jumps = np.array([np.percentile(np.abs(b - a), 99.5) for a, b in pairwise(frames)])
    assert jumps.max() < 2.5 * np.median(jumps) + 10
    assert np.abs(np.diff(jumps)).max() < 0.6 * np.median(jumps) + 10


def test_interior_of_a_grey_picture_is_grey(kofi):
    grey = cv2.cvtColor(cv2.cvtColor(kofi, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    sitter = Sitter(grey)
    for channels in ({"jawOpen": 0.15}, {"jawOpen": 1.0}, {"jawOpen": 0.4, "tongueOut": 1.0}):
        assert np.ptp(sitter.draw(**channels).astype(int), axis=2).max() <= 2


def test_the_tongue_rises_and_comes_out(each):
    base = each.draw(jawOpen=0.3).astype(int)
    raised = each.draw(jawOpen=0.3, tongueOut=0.3).astype(int)
    opening = each.opening(jawOpen=0.3) & each.opening(jawOpen=0.3, tongueOut=0.3)
    assert (np.abs(raised - base).max(2)[opening] > 12).sum() > 20
    out = each.draw(jawOpen=0.3, tongueOut=1.0).astype(int)
    _, lower = each.lips(jawOpen=0.3, tongueOut=1.0)
    x, y = lower[len(lower) // 2]
    still = each.renderer
    mouth, still._mouth = still._mouth, _Nothing(still._mouth)
    try:
        bare = each.draw(jawOpen=0.3, tongueOut=1.0).astype(int)
    finally:
        still._mouth = mouth
    below = np.s_[round(y + 0.04 * each.unit) : round(y + 0.10 * each.unit), round(x) - 6 : round(x) + 6]
    assert np.abs(out - bare)[below].mean() > 10


class _Nothing:
    """A mouth that draws nothing."""

    def __init__(self, mouth) -> None:
        self.upper, self.lower = mouth.upper, mouth.lower

    def draw(self, *_) -> None:
        return


# --- teeth ----------------------------------------------------------------------------------------------------------


def test_upper_teeth_keep_to_the_skull_when_lips_move(each):
    """The edge of the upper teeth stands still while jaw and upper lip move."""
    edges = []
    for channels in ({"jawOpen": 0.5}, {"jawOpen": 0.9}, {"jawOpen": 0.5, "mouthUpperUp": 0.8}):
        upper, lower = each.lips(**channels)
        frame = cv2.cvtColor(each.draw(**channels), cv2.COLOR_RGB2GRAY).astype(float)
        x, top, bottom = round(upper[20, 0]), round(upper[20, 1]), round(lower[20, 1])
        column = frame[top + 2 : top + 2 + (bottom - top) // 2, x - 8 : x - 2].mean(1)
        edges.append(top + 2 + int(np.diff(column).argmin()))
    assert np.ptp(edges) <= 2


def test_teeth_have_a_plausible_size_for_the_mouth(each):
    """Two central incisors are a quarter to two fifths of the mouth's width, a canine's outer edge lies within it."""
    frame = CanonicalFrame.of(each.landmarks)
    outlines = Outlines.of(each.pixels, each.landmarks, frame)
    width = float(np.hypot(*(outlines.lip_upper[-1] - outlines.lip_upper[0]))) / frame.scale
    size = teeth.row_scale(width)
    assert 0.25 < 2 * size * teeth.UPPER_WIDTHS[0] / width < 0.42
    assert 2 * size * sum(teeth.UPPER_WIDTHS[:3]) < width * 1.02
    assert 2 * size * sum(teeth.LOWER_WIDTHS[:2]) < 2 * size * sum(teeth.UPPER_WIDTHS[:2])


def test_small_mouths_have_small_teeth():
    assert teeth.row_scale(0.30) < 0.8 < 0.99 < teeth.row_scale(teeth.ORDINARY_WIDTH) < 1.01
    assert teeth.row_scale(0.2) == teeth.row_scale(0.1)


def test_teeth_are_told_apart(each):
    """A row is not a white strip: there is shade between the central incisors and their neighbours."""
    frame = CanonicalFrame.of(each.landmarks)
    outlines = Outlines.of(each.pixels, each.landmarks, frame)
    palette = Palette.of(each.pixels, each.landmarks, outlines, frame.scale)
    sprite = Sprite(frame.scale)
    teeth.paint_teeth(sprite, palette, upper=True, scale=1.0, edge=0.0)
    painted = sprite.finish(0.0, np.zeros_like(palette.grain), 0.0)
    row = painted[round((0.30 - 0.05) * sprite.density), :, :3].mean(1)

    def at(x: float) -> float:
        return float(row[round((0.36 + x) * sprite.density)])

    for gap, left, right in ((0.0, -0.044, 0.044), (0.088, 0.044, 0.122), (-0.088, -0.122, -0.044)):
        assert 0.5 < at(gap) / min(at(left), at(right)) < 0.95


# --- the person's own teeth -----------------------------------------------------------------------------------------


def test_own_teeth_survive_in_place_and_colour(smiling):
    """Teeth of the photo are the teeth of the film: same pixels, at the same place, also as the mouth opens."""
    assert smiling.mouth._own is not None
    assert smiling.mouth._own.teeth is not None
    shown = cv2.erode(smiling.opening().astype(np.uint8), np.ones((5, 5))).astype(bool)
    grey = cv2.cvtColor(smiling.pixels, cv2.COLOR_RGB2GRAY)
    upper_half = shown.copy()
    upper_half[int(smiling.mouth._own.edge) - 3 :] = False
    bright = upper_half & (grey > 0.85 * np.percentile(grey[shown], 75))
    assert bright.sum() > 60
    for channels in ({"jawOpen": 0.2}, {"jawOpen": 0.6}, {"mouthLowerDown": 1.0}):
        apart = np.abs(smiling.draw(**channels)[bright].astype(int) - smiling.pixels[bright]).max(1)
        assert np.percentile(apart, 85) < 14
        assert np.median(apart) < 4


def test_lower_teeth_take_the_colour_of_the_own_ones(smiling):
    own = smiling.mouth._own
    painted, _ = smiling.mouth._parts._sprites["lower"]
    solid = painted[..., 3] > 0.98
    brightest = painted[solid][:, :3]
    brightest = brightest[brightest.mean(1) >= np.percentile(brightest.mean(1), 90)].mean(0)
    np.testing.assert_allclose(brightest / brightest.mean(), own.teeth / own.teeth.mean(), atol=0.08)


def test_lips_that_hardly_part_in_the_photo_are_seen_to_part(ana):
    """Lips a hair apart count as open: their dark and their teeth must not ride on a lip."""
    parted = Sitter(Sitter(ana).draw(jawOpen=0.10, mouthUpperUp=0.10))
    outlines = Outlines.of(parted.pixels, parted.landmarks, CanonicalFrame.of(parted.landmarks))
    assert outlines.mouth_open
    assert not Outlines.of(
        ana, find_faces(ana)[0].landmarks, CanonicalFrame.of(find_faces(ana)[0].landmarks)
    ).mouth_open


def test_edges_of_an_open_mouth_are_those_of_the_picture(ana):
    """The mesh may be off by a few pixels; the edge is where lips end in the picture."""
    sitter = Sitter(ana)
    opened = sitter.draw(jawOpen=0.45, mouthUpperUp=0.3)
    points = find_faces(opened)[0].landmarks
    frame = CanonicalFrame.of(points)
    found = Outlines.of(opened, points, frame)
    upper, lower = (curve + 0.5 for curve in sitter.lips(jawOpen=0.45, mouthUpperUp=0.3))
    for seen, true in ((found.lip_upper, upper), (found.lip_lower, lower)):
        middle = seen[12:29]
        apart = middle[:, 1] - np.interp(middle[:, 0], true[:, 0], true[:, 1])
        assert np.abs(apart).mean() < 0.02 * frame.scale
