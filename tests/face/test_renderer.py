"""The renderer on the example portraits: what each channel does to the picture, and what must never happen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import cv2
import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, MOTION_CHANNELS
from moee_cli.core.types import Portrait
from moee_cli.face.controls import bounded, head_of, motion_frame
from moee_cli.face.fields import sample
from moee_cli.face.landmarks import find_faces
from moee_cli.face.pose import HeadPose
from moee_cli.face.renderer import FaceRenderer


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-12)))


def landmarks(picture: np.ndarray) -> np.ndarray:
    """Return what the landmark detector reads in a picture [478, 2]."""
    faces = find_faces(picture)
    assert len(faces) == 1
    return faces[0].landmarks[:, :2]


def span(points: np.ndarray, one: int, other: int) -> float:
    """Return the distance of two landmarks in units of the eye-corner distance."""
    return float(np.hypot(*(points[one] - points[other])) / np.hypot(*(points[33] - points[263])))


def portrait_of(pixels: np.ndarray, name: str) -> Portrait:
    return Portrait(np.ascontiguousarray(pixels), find_faces(pixels)[0].landmarks, name)


@pytest.fixture(scope="module")
def portrait(ana) -> Portrait:
    return portrait_of(ana, "ana")


@pytest.fixture(scope="module")
def renderer(portrait) -> FaceRenderer:
    return FaceRenderer(portrait)


@pytest.fixture(scope="module", params=["ana", "kofi"])
def each(request, ana, kofi) -> tuple[Portrait, FaceRenderer]:
    found = portrait_of({"ana": ana, "kofi": kofi}[request.param], request.param)
    return found, FaceRenderer(found)


def lips(renderer: FaceRenderer, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges of the mouth opening, each [M, 2], at a motion frame."""
    held = bounded(frame)
    weights, pose = renderer._weights(held), HeadPose(head_of(held))
    return renderer._mouth.upper.positions(weights, pose), renderer._mouth.lower.positions(weights, pose)


# --- the photo itself -----------------------------------------------------------------------------------------------


def test_at_rest_the_frame_is_the_photo(each):
    portrait, renderer = each
    frame = renderer.draw(motion_frame())
    assert frame.shape == portrait.pixels.shape
    assert frame.dtype == np.uint8
    assert psnr(frame, portrait.pixels) > 55
    assert np.abs(frame.astype(int) - portrait.pixels).max() <= 16


def test_drawing_leaves_the_portrait_alone(portrait, renderer):
    before = portrait.pixels.copy()
    renderer.draw(motion_frame(jawOpen=0.6, eyeBlink=0.7, browInnerUp=1.0, headYaw=0.1))
    np.testing.assert_array_equal(portrait.pixels, before)


@pytest.mark.parametrize("name", MOTION_CHANNELS)
def test_every_channel_changes_the_picture(name, renderer, portrait):
    base = motion_frame(jawOpen=0.4) if name in {"mouthClose", "tongueOut"} else motion_frame()
    moved = base.copy()
    moved[CHANNEL[name]] = {"head": 0.1, "gaze": 0.3}.get(name[:4], 1.0)
    difference = cv2.absdiff(renderer.draw(base), renderer.draw(moved))
    assert np.count_nonzero(difference.max(2) > 8) > 40


def test_a_motion_frame_of_another_shape_is_refused(renderer):
    with pytest.raises(ValueError, match="52"):
        renderer.draw(np.zeros(44, np.float32))


# --- what the shapes do, read back by the landmark detector ---------------------------------------------------------

READ_BACK = {
    "jaw opens the mouth": ("jawOpen", (0.0, 0.25, 0.5, 0.8), lambda p: span(p, 13, 14), 0.12),
    "smile widens the mouth": ("mouthSmile", (0.0, 0.35, 0.7, 1.0), lambda p: span(p, 61, 291), 0.05),
    "pucker narrows it": ("mouthPucker", (0.0, 0.5, 1.0), lambda p: -span(p, 61, 291), 0.05),
    "blink shuts the eyes": ("eyeBlink", (0.0, 0.4, 0.9), lambda p: -span(p, 159, 145) - span(p, 386, 374), 0.08),
    "wide opens the eyes": ("eyeWide", (0.0, 0.5, 1.0), lambda p: span(p, 159, 145) + span(p, 386, 374), 0.02),
    "inner brows rise": ("browInnerUp", (0.0, 0.5, 1.0), lambda p: span(p, 107, 133) + span(p, 336, 362), 0.03),
    "brows fall": ("browDown", (0.0, 0.5, 1.0), lambda p: -span(p, 105, 159) - span(p, 334, 386), 0.03),
    "lips stretch": ("mouthStretch", (0.0, 0.5, 1.0), lambda p: span(p, 61, 291), 0.05),
    "frown lowers the corners": (
        "mouthFrown", (0.0, 0.5, 1.0), lambda p: span(p, 61, 33) + span(p, 291, 263), 0.02,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", READ_BACK)
def test_the_detector_reads_back_what_a_shape_says(what, each):
    _, renderer = each
    name, amounts, measure, least = READ_BACK[what]
    values = [measure(landmarks(renderer.draw(motion_frame(**{name: amount})))) for amount in amounts]
    assert (np.diff(values) > 0).all(), values
    assert values[-1] - values[0] > least, values


@pytest.mark.parametrize(
    ("channel", "axis", "sign"),
    [("headYaw", 0, 1), ("headPitch", 1, -1)],
)
def test_the_nose_follows_the_head(channel, axis, sign, each):
    _, renderer = each
    places = []
    for value in (-0.14, -0.07, 0.0, 0.07, 0.14):
        points = landmarks(renderer.draw(motion_frame(**{channel: value})))
        places.append(sign * (points[1] - points[[234, 454]].mean(0))[axis])
    assert (np.diff(places) > 0.5).all(), places


def test_roll_tilts_to_the_subjects_left_shoulder(each):
    _, renderer = each
    angles = []
    for roll in (-0.12, 0.0, 0.12):
        points = landmarks(renderer.draw(motion_frame(headRoll=roll)))
        angles.append(np.arctan2(*(points[263] - points[33])[::-1]))
    # The subject's left is the right of the picture, and y grows downward: a tilt to the left sinks the left eye.
    assert np.diff(angles).min() > 0.08


def test_gaze_moves_the_irises_against_the_head(each):
    _, renderer = each
    places = []
    for yaw in (-0.35, 0.0, 0.35):
        points = landmarks(renderer.draw(motion_frame(gazeYaw=yaw)))
        places.append((points[468] - points[[33, 133]].mean(0) + points[473] - points[[362, 263]].mean(0))[0])
    assert (np.diff(places) > 1.0).all(), places


def test_sides_are_the_subjects(renderer, portrait):
    middle = int(portrait.landmarks[168, 0])
    for name in ("eyeBlinkLeft", "browOuterUpLeft", "mouthSmileLeft", "noseSneerLeft"):
        changed = cv2.absdiff(renderer.draw(motion_frame(**{name: 1.0})), portrait.pixels).max(2) > 12
        assert changed[:, middle:].sum() > 4 * changed[:, :middle].sum(), name


# --- what must never happen -----------------------------------------------------------------------------------------

CLOSED = {
    "at rest": {},
    "pressed": {"mouthPress": 1.0},
    "rolled": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    "sealed over an open jaw": {"jawOpen": 0.6, "mouthClose": 0.6},
    "shrugged": {"mouthShrugLower": 1.0},
    "frowning": {"mouthFrown": 1.0},
    "everything at once": {"mouthPress": 1.0, "mouthRollLower": 1.0, "mouthShrugLower": 1.0, "mouthClose": 1.0},
}


@pytest.mark.parametrize("pose", CLOSED)
def test_closed_lips_are_closed_and_never_cross(pose, each):
    portrait, renderer = each
    upper, lower = lips(renderer, motion_frame(**CLOSED[pose]))
    unit = np.hypot(*(portrait.landmarks[263, :2] - portrait.landmarks[33, :2]))
    opening = (lower - upper)[:, 1] / unit
    assert opening.max() < 0.012
    assert opening.min() > -0.012


def test_lips_never_cross_at_random_motion(renderer, portrait):
    random = np.random.default_rng(1)
    unit = np.hypot(*(portrait.landmarks[263, :2] - portrait.landmarks[33, :2]))
    for _ in range(100):
        frame = motion_frame()
        frame[:44] = random.random(44) ** 3
        upper, lower = lips(renderer, frame)
        assert (lower - upper)[:, 1].min() / unit > -0.03


def test_nothing_folds_within_the_limits(each):
    """The skull-side motion of the whole frame keeps its orientation, away from the slits, in the strongest poses."""
    _, renderer = each
    patch = renderer._skin
    slits = np.zeros((patch.rows, patch.columns), bool)
    for eye in renderer._eyes:
        box = eye.box
        slits[box.y // patch.step : (box.y + box.height) // patch.step + 1,
              box.x // patch.step : (box.x + box.width) // patch.step + 1] = True  # fmt: skip
    box = renderer._chin.box  # drawn by a patch of its own, on the jaw's side
    slits[box.y // patch.step :, box.x // patch.step : (box.x + box.width) // patch.step + 1] = True
    for channels in (
        {"headYaw": 1.0}, {"headYaw": -1.0, "headPitch": 1.0}, {"headPitch": -1.0, "headRoll": 1.0}, {"headZ": 1.0},
        {"browInnerUp": 1.0, "browOuterUp": 1.0}, {"browDown": 1.0, "noseSneer": 1.0}, {"cheekPuff": 1.0},
        {"mouthSmile": 1.0, "cheekSquint": 1.0, "headYaw": 1.0}, {"jawOpen": 1.0, "jawLeft": 1.0, "headX": 1.0},
    ):  # fmt: skip
        held = bounded(motion_frame(**channels))
        moved = patch.points.displacement(renderer._weights(held), HeadPose(head_of(held)))
        field = moved.reshape(patch.rows, patch.columns, 2) / patch.step
        along_x, along_y = np.gradient(field, axis=1), np.gradient(field, axis=0)
        area = (1 + along_x[..., 0]) * (1 + along_y[..., 1]) - along_x[..., 1] * along_y[..., 0]
        assert area[~slits].min() > 0.15, channels


def test_patches_meet_the_whole_frame_at_their_borders(each):
    """A fine patch and the coarse frame show the same skin where one ends, so that no seam appears."""
    _, renderer = each
    strong = motion_frame(headYaw=0.17, headPitch=-0.1, headRoll=0.1, jawOpen=0.5, mouthSmile=0.7, browInnerUp=0.5)
    held = bounded(strong)
    weights, pose = renderer._weights(held), HeadPose(head_of(held))
    whole = renderer._skin.backward(weights, pose)
    for patch in (renderer._lip, renderer._eyes[0].above, renderer._eyes[1].above):
        middle = patch.points.displacement(np.zeros_like(weights), pose).reshape(patch.rows, patch.columns, 2)
        dx, dy = np.round(middle[patch.rows // 2, patch.columns // 2]).astype(int)
        box = patch.box.moved(dx, dy)
        fine = patch.backward(weights, pose, (dx, dy))
        coarse = whole[box.y : box.y + box.height, box.x : box.x + box.width]
        apart = np.abs(fine - coarse).max(2)
        rim = np.concatenate([apart[0], apart[:, 0], apart[:, -1]])
        assert np.percentile(rim, 95) < 0.6


def test_far_background_is_still(each):
    portrait, renderer = each
    frame = renderer.draw(motion_frame(jawOpen=0.7, headYaw=0.15, headPitch=0.1, headRoll=0.1, browInnerUp=1.0))
    height, width = frame.shape[:2]
    corner = (slice(0, height // 8), slice(0, width // 10))
    np.testing.assert_allclose(frame[corner].astype(int), portrait.pixels[corner], atol=2)
    sides = np.s_[: height // 2, : width // 24]
    assert psnr(frame[sides], portrait.pixels[sides]) > 45


def test_only_the_face_moves_without_the_head(each):
    portrait, renderer = each
    frame = renderer.draw(motion_frame(jawOpen=0.5, mouthSmile=0.5, browInnerUp=0.5))
    points = portrait.landmarks[:, :2]
    top, left, right = points[:, 1].min(), points[:, 0].min(), points[:, 0].max()
    unit = np.hypot(*(points[263] - points[33]))
    away = np.ones(frame.shape[:2], bool)
    away[int(top - 0.4 * unit) :, int(left - 0.4 * unit) : int(right + 0.4 * unit)] = False
    np.testing.assert_array_equal(frame[away], portrait.pixels[away])


def test_identity_outside_the_mouth_is_kept_sharp(each):
    portrait, renderer = each
    still = cv2.Laplacian(cv2.cvtColor(portrait.pixels, cv2.COLOR_RGB2GRAY), cv2.CV_32F)
    turned = renderer.draw(motion_frame(headYaw=0.05, headPitch=0.03))
    moved = cv2.Laplacian(cv2.cvtColor(turned, cv2.COLOR_RGB2GRAY), cv2.CV_32F)
    x0, y0 = portrait.landmarks[:, :2].min(0).astype(int)
    x1, y1 = portrait.landmarks[:, :2].max(0).astype(int)
    assert moved[y0:y1, x0:x1].std() > 0.8 * still[y0:y1, x0:x1].std()


SWEEPS = {
    "jaw": {"jawOpen": 0.7}, "blink": {"eyeBlink": 1.0}, "gaze": {"gazeYaw": 0.4, "gazePitch": -0.2},
    "smile": {"mouthSmile": 1.0}, "brows": {"browInnerUp": 1.0}, "turn": {"headYaw": 0.15, "headRoll": 0.1},
}  # fmt: skip


@pytest.mark.parametrize("name", SWEEPS)
def test_a_slow_sweep_has_no_jumps(name, renderer):
    end = motion_frame(**SWEEPS[name])
    steps = 24
    frames = [renderer.draw(end * np.float32(i / steps)).astype(np.int16) for i in range(steps + 1)]
    jumps = np.array([np.percentile(np.abs(b - a), 99.9) for a, b in pairwise(frames)])
    assert jumps.max() < 75
    assert jumps.max() < 4.0 * np.median(jumps) + 12


def test_same_motion_same_frame_in_any_order_and_thread(portrait, renderer):
    random = np.random.default_rng(2)
    frames = []
    for _ in range(8):
        frame = motion_frame(headYaw=random.uniform(-0.2, 0.2), gazeYaw=random.uniform(-0.3, 0.3))
        frame[:44] = random.random(44) ** 2
        frames.append(frame)
    alone = [renderer.draw(frame) for frame in frames]
    again = [FaceRenderer(portrait).draw(frame) for frame in reversed(frames)][::-1]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(renderer.draw, frames * 2))
    for index, expected in enumerate(alone):
        np.testing.assert_array_equal(again[index], expected)
        np.testing.assert_array_equal(together[index], expected)
        np.testing.assert_array_equal(together[index + len(frames)], expected)


def test_values_beyond_range_are_held(renderer):
    wild = np.full(len(MOTION_CHANNELS), 40.0, np.float32)
    wild[3] = np.nan
    frame = renderer.draw(wild)
    held = motion_frame()
    held[:] = 40.0
    held[:44] = 1.0
    held[3] = 0.0
    np.testing.assert_array_equal(frame, renderer.draw(held))


# --- other pictures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(640, 360), (270, 480), (417, 533), (1024, 1024)])
def test_other_shapes_and_sizes_of_frame(size, ana):
    width, height = size
    scale = min(width, height) / 512
    square = cv2.resize(ana, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tall, wide = height - square.shape[0], width - square.shape[1]
    picture = cv2.copyMakeBorder(square, tall // 2, tall - tall // 2, wide // 2, wide - wide // 2, cv2.BORDER_REFLECT)
    renderer = FaceRenderer(portrait_of(picture, "framed"))
    assert psnr(renderer.draw(motion_frame()), picture) > 50
    moved = renderer.draw(motion_frame(jawOpen=0.5, eyeBlink=1.0, headYaw=0.15))
    assert moved.shape == (height, width, 3)
    assert span(landmarks(moved), 13, 14) > 0.1


def test_a_face_cut_by_the_border_still_renders(ana):
    points = find_faces(ana)[0].landmarks
    left, bottom = int(points[33, 0]) - 20, int(points[17, 1]) + 12
    cut = np.ascontiguousarray(ana[:bottom, left:])
    shifted = points - np.array([left, 0, 0], np.float32)
    renderer = FaceRenderer(Portrait(cut, shifted, "cut"))
    frame = renderer.draw(motion_frame(jawOpen=0.8, headYaw=-0.17, headRoll=0.14, eyeBlink=0.6, mouthSmile=1.0))
    assert frame.shape == cut.shape
    assert psnr(renderer.draw(motion_frame()), cut) > 50


def test_a_tilted_portrait_moves_along_its_own_axes(ana):
    turn = cv2.getRotationMatrix2D((256, 256), 20, 1.0)
    picture = cv2.warpAffine(ana, turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    renderer = FaceRenderer(portrait_of(picture, "tilted"))
    assert psnr(renderer.draw(motion_frame()), picture) > 50
    upper, lower = lips(renderer, motion_frame(jawOpen=0.6))
    middle = len(upper) // 2
    drop = lower[middle] - upper[middle]
    assert np.degrees(np.arctan2(drop[0], drop[1])) == pytest.approx(20, abs=6)


def test_an_open_mouth_keeps_its_own_teeth_and_can_be_shut(ana):
    closed = FaceRenderer(portrait_of(ana, "ana"))
    smiling = closed.draw(motion_frame(jawOpen=0.25, mouthUpperUp=0.5, mouthSmile=0.4, mouthLowerDown=0.3))
    renderer = FaceRenderer(portrait_of(smiling, "smiling"))
    assert renderer._mouth._own is not None
    assert psnr(renderer.draw(motion_frame()), smiling) > 50
    upper, lower = lips(renderer, motion_frame(mouthPress=1.0, mouthRollLower=0.5))
    assert np.abs((lower - upper)[:, 1]).max() < 3.0


def test_a_grey_picture_stays_grey(ana):
    grey = cv2.cvtColor(cv2.cvtColor(ana, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    renderer = FaceRenderer(portrait_of(grey, "grey"))
    frame = renderer.draw(motion_frame(jawOpen=0.7, eyeBlink=0.8, mouthSmile=0.8, browDown=1.0))
    assert np.ptp(frame.astype(int), axis=2).max() <= 2


def test_dark_make_up_is_not_smeared_over_closing_lids(ana):
    """A closed lid has the tone of the skin around the eye, whatever is painted between lid and brow."""
    points = find_faces(ana)[0].landmarks
    unit = float(np.hypot(*(points[263, :2] - points[33, :2])))
    painted = ana.copy()
    for upper in (np.arange(384, 389), np.arange(157, 162)):
        x, y = points[upper, 0], points[upper, 1].min()
        rows = slice(round(y - 0.11 * unit), round(y - 0.005 * unit))
        columns = slice(round(x.min() - 0.05 * unit), round(x.max() + 0.05 * unit))
        painted[rows, columns] = painted[rows, columns] * 0.35
    renderer = FaceRenderer(Portrait(painted, points, "painted"))
    frame = renderer.draw(motion_frame(eyeBlink=1.0)).astype(np.float32)
    weights, pose = renderer._weights(bounded(motion_frame(eyeBlink=1.0))), HeadPose(np.zeros(6, np.float32))
    for eye in renderer._eyes:
        x, y = eye.upper.positions(weights, pose)[15:26].mean(0)
        middle = slice(round(x - 0.07 * unit), round(x + 0.07 * unit))
        lid = frame[round(y - 0.06 * unit) : round(y - 0.02 * unit), middle].mean((0, 1))
        cheek = frame[round(y + 0.10 * unit) : round(y + 0.16 * unit), middle].mean((0, 1))
        np.testing.assert_allclose(lid / cheek, 1.0, atol=0.15)


def test_a_closed_lid_is_neither_flat_nor_hard_edged(each):
    _, renderer = each
    frame = cv2.cvtColor(renderer.draw(motion_frame(eyeBlink=1.0)), cv2.COLOR_RGB2GRAY).astype(np.float32)
    weights, pose = renderer._weights(bounded(motion_frame(eyeBlink=1.0))), HeadPose(np.zeros(6, np.float32))
    for eye in renderer._eyes:
        x, y = eye.upper.positions(weights, pose)[20]
        column = frame[:, round(x) - 2 : round(x) + 3].mean(1)
        edge = round(y)
        lash = column[edge - 1 : edge + round(0.05 * eye.unit)].min()
        lid = column[edge - round(0.13 * eye.unit) : edge - round(0.03 * eye.unit)]
        assert lash < 0.75 * lid.mean()
        assert np.ptp(lid) > 3.0  # bulge and crease
        assert np.abs(np.diff(lid)).max() < 12.0


def test_lips_round_an_open_mouth_fade_into_shadow(each, monkeypatch):
    _, renderer = each
    frame = motion_frame(jawOpen=0.8)
    drawn = renderer.draw(frame).astype(np.float32)
    monkeypatch.setattr(renderer._mouth, "draw", lambda *_: None)
    bare = renderer.draw(frame).astype(np.float32)
    upper, lower = lips(renderer, frame)
    opening = np.zeros(bare.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.round(np.concatenate([upper, lower[::-1]])).astype(np.int32)], (1.0,))
    away = cv2.distanceTransform(1 - opening, cv2.DIST_L2, 5) / renderer._unit
    light = drawn.mean(2) / np.maximum(bare.mean(2), 1.0)
    assert light[(away > 0.015) & (away < 0.03)].mean() < 0.95
    assert light[(away > 0.015) & (bare.mean(2) > 20.0)].min() > 0.4
    np.testing.assert_array_equal(drawn[away > 0.12], bare[away > 0.12])


def test_parting_lips_keep_the_folds_of_the_face(renderer):
    held = bounded(motion_frame(mouthSmile=1.0, cheekSquint=1.0))
    gain = renderer._folds.gain(held)
    source = renderer._folds.shaded(renderer._pixels, gain)
    apart = renderer._mouth.upper.pixels, renderer._mouth.lower.pixels + np.array([0.0, 30.0], np.float32)
    box = renderer._band
    for parted in renderer._with_parted_lips(source, gain, apart):
        changed = np.abs(parted.astype(int) - source).max(2)
        assert changed[box.y : box.y + box.height, box.x : box.x + box.width].any()
        assert not changed[box.y, box.x : box.x + box.width].any()
        changed[box.y : box.y + box.height, box.x : box.x + box.width] = 0
        assert not changed.any()


def test_the_denser_photo_reads_like_one_read_with_lanczos_windows(renderer, portrait):
    rows, columns = renderer._head
    y, x = np.mgrid[rows, columns].astype(np.float32)
    still = np.stack([x, y], axis=-1)
    np.testing.assert_array_equal(renderer._sharp.read(still), portrait.pixels[renderer._head])
    moved = still + np.random.default_rng(0).uniform(-3, 3, still.shape).astype(np.float32)
    nothing = np.empty(0, np.float32)
    exact = cv2.remap(portrait.pixels, moved, nothing, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE).astype(int)
    dense, bilinear = renderer._sharp.read(moved), sample(portrait.pixels, moved, sharp=False)
    assert np.mean((dense - exact) ** 2.0) < 0.25 * np.mean((bilinear - exact) ** 2.0)


def test_pixels_are_read_from_where_the_skin_came_from(each):
    """What `backward` reads is what moves there: maps of all patches are inverses, in the strongest poses too."""
    _, renderer = each
    left, right = renderer._eyes
    for channels in ({"jawOpen": 1.0, "headYaw": 0.17}, {"eyeBlink": 1.0, "headPitch": -0.1}, {"mouthSmile": 1.0}):
        held = bounded(motion_frame(**channels))
        weights, pose = renderer._weights(held), HeadPose(head_of(held))
        for patch in (renderer._lip, renderer._chin, left.above, left.below, right.above, right.below):
            rests = list(-patch.points.across_and_down(weights, pose).reshape(2, patch.rows, patch.columns))
            back = patch._inverse(rests)
            at = (patch._nodes + back / patch.step).astype(np.float32)
            nothing = np.empty(0, np.float32)
            read = cv2.remap(cv2.merge(rests), at, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            assert np.percentile(np.abs(read - back).max(2), 99) < 0.3, (channels, patch.box)


@pytest.mark.parametrize("size", [(1080, 1920), (1920, 1080)])
def test_large_frames_do_not_need_larger_grids(size, ana):
    width, height = size
    side = min(size)
    square = cv2.resize(ana, (side, side))
    tall, wide = height - side, width - side
    picture = cv2.copyMakeBorder(square, tall // 2, tall - tall // 2, wide // 2, wide - wide // 2, cv2.BORDER_REPLICATE)
    renderer = FaceRenderer(portrait_of(picture, "large"))
    patches = [renderer._skin, renderer._lip, renderer._chin, *(eye.above for eye in renderer._eyes)]
    assert max(max(patch.rows, patch.columns) for patch in patches) <= 140
    assert renderer._sharp._dense.nbytes <= 5 * picture.nbytes
    assert psnr(renderer.draw(motion_frame()), picture) > 50
    assert renderer.draw(motion_frame(jawOpen=0.6, mouthSmile=0.5, headYaw=0.1)).shape == picture.shape
