"""From file to `Portrait`: the choice among faces, what is refused, what is remarked, and exact landmarks."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from moee_cli.core.errors import PortraitError
from moee_cli.core.types import Fit, FrameFormat
from moee_cli.face.landmarks import Face, find_faces, load_library
from moee_cli.face.portrait import choose_face, load_portrait, source_frame
from moee_cli.face.sideview import side_view

FRAME = FrameFormat(512, 512)


def resized(pixels: np.ndarray, width: int, height: int | None = None) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((width, height or width), Image.Resampling.LANCZOS))


def beside(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return two pictures side by side, the lower one filled up with grey."""
    height = max(left.shape[0], right.shape[0])
    return np.concatenate(
        [np.pad(one, ((0, height - one.shape[0]), (0, 0), (0, 0)), constant_values=128) for one in (left, right)],
        axis=1,
    )


# --- the frame ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(512, 512), (1280, 720), (300, 514)])
@pytest.mark.parametrize("fit", [Fit.CROP, Fit.PAD, Fit.SOURCE])
def test_landmarks_are_those_of_the_frame(saved, kofi, size, fit):
    portrait = load_portrait(saved(kofi), FrameFormat(*size, fit=fit))
    assert portrait.pixels.shape == (size[1], size[0], 3)
    assert portrait.pixels.dtype == np.uint8
    assert portrait.pixels.flags.c_contiguous
    assert portrait.landmarks.shape == (478, 3)
    assert portrait.landmarks.dtype == np.float32
    again = find_faces(portrait.pixels)[0]
    apart = np.linalg.norm((again.landmarks - portrait.landmarks)[:, :2], axis=1)
    assert apart.mean() < 0.005 * again.eye_distance_px + 0.2
    assert apart.max() < 0.02 * again.eye_distance_px + 0.5


def test_example_is_used_whole_in_a_square(saved, ana):
    portrait = load_portrait(saved(ana, "ana.png"), FRAME)
    np.testing.assert_array_equal(portrait.pixels, ana)
    assert portrait.name == "ana.png"
    assert portrait.warnings == ()


def test_face_fills_the_frame_alike_wherever_it_comes_from(saved, ana):
    """The same head in a much larger picture gives the same shot."""
    large = np.full((1500, 2600, 3), 128, np.uint8)
    large[600:1112, 1700:2212] = ana
    near, far = (load_portrait(saved(pixels), FRAME).landmarks for pixels in (ana, large))
    assert np.linalg.norm((near - far)[:, :2], axis=1).max() < 8


def test_same_file_same_portrait(saved, kofi):
    path = saved(kofi)
    first, second = (load_portrait(path, FrameFormat(640, 360)) for _ in range(2))
    np.testing.assert_array_equal(first.pixels, second.pixels)
    np.testing.assert_array_equal(first.landmarks, second.landmarks)


def test_rotated_by_exif(saved, ana):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = np.ascontiguousarray(np.rot90(ana, 1))
    portrait = load_portrait(saved(lying, exif=exif), FRAME)
    np.testing.assert_array_equal(portrait.pixels, ana)


def test_cut_out_person_on_transparent_ground(saved, ana):
    rows, columns = np.mgrid[0:512, 0:512]
    alpha = (np.hypot(rows - 256, columns - 256) < 230).astype(np.uint8) * 255
    portrait = load_portrait(saved(np.dstack([ana, alpha])), FRAME)
    assert (portrait.pixels[0, 0] == 128).all()


def test_grey_and_deep_pictures(saved, ana):
    grey = ana.mean(axis=2).astype(np.uint16)
    for pixels in (grey.astype(np.uint8), grey * 257):
        portrait = load_portrait(saved(pixels), FRAME)
        assert np.abs(portrait.pixels[..., 0].astype(int) - grey).max() <= 1


def test_source_frame_is_the_picture_in_even_size(saved, ana):
    frame, told = source_frame(saved(ana[:401, :507]), FrameFormat(1280, 720, fit=Fit.SOURCE))
    assert told == ()
    assert (frame.width, frame.height, frame.fit) == (506, 400, Fit.SOURCE)
    portrait = load_portrait(saved(ana[:401, :507]), frame)
    assert np.abs(portrait.pixels.astype(int) - ana[:400, :506]).mean() < 2


def test_source_frame_stays_within_what_a_frame_may_be(saved, ana):
    frame, (told,) = source_frame(saved(np.zeros((90, 5000, 3), np.uint8)), FrameFormat(fit=Fit.SOURCE))
    assert (frame.width, frame.height) == (4096, 74)
    assert "4096x74" in told
    with pytest.raises(PortraitError, match="makes the frame 50x50, smaller than 64 pixels"):
        source_frame(saved(ana), FrameFormat(fit=Fit.SOURCE, scale_of_picture=0.0985))


@pytest.mark.parametrize("name", ["Zoë Ünï.png", "two\nlines.png", 'it\'s "her".png', "-n.png"])
def test_unusual_file_names(saved, ana, name):
    portrait = load_portrait(saved(ana, name), FRAME)
    assert portrait.name.isprintable()


def test_second_backend(saved, ana, task_file):
    ours, theirs = (load_portrait(saved(ana), FRAME, landmarker_model=model) for model in (None, task_file))
    np.testing.assert_array_equal(ours.pixels, theirs.pixels)
    assert np.linalg.norm((ours.landmarks - theirs.landmarks)[:468, :2], axis=1).mean() < 2


def test_frame_that_must_cut_the_face(saved, ana):
    with pytest.raises(PortraitError, match="a 1280x160 frame cuts the face") as caught:
        load_portrait(saved(ana), FrameFormat(1280, 160, fit=Fit.SOURCE))
    assert "fit: crop" in (caught.value.hint or "")
    assert load_portrait(saved(ana), FrameFormat(1280, 160, fit=Fit.CROP)).pixels.shape == (160, 1280, 3)


# --- the choice -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two(ana, kofi) -> np.ndarray:
    """Kofi on the left, a little smaller; Ana on the right."""
    return beside(resized(kofi, 440), ana)


def middle_of(picture: np.ndarray, face: str | None) -> float:
    chosen, _, _ = choose_face(picture, face, "two.png")
    return float(chosen.landmarks[:, 0].mean())


@pytest.mark.parametrize(
    ("face", "side"),
    [
        ("left", 0), ("right", 1), ("largest", 1), ("Largest", 1), ("0", 0), ("1", 1), ("60,60,300,320", 0),
        ("500, 60, 400, 400", 1), ("0,0,440,440", 0),
    ],
)  # fmt: skip
def test_chosen_face(two, face, side):
    assert (middle_of(two, face) > 440) == bool(side)


@pytest.mark.parametrize(("face", "eyes_px"), [("left", 41), ("0", 41), ("right", 119), ("1", 119), ("largest", 119)])
def test_small_face_can_be_chosen_beside_a_large_one(ana, kofi, face, eyes_px):
    picture = np.full((700, 1500, 3), 128, np.uint8)
    picture[100:275, 100:275] = resized(ana, 175)
    picture[100:612, 900:1412] = kofi
    chosen, _, _ = choose_face(picture, face, "both.png")
    assert chosen.eye_distance_px == pytest.approx(eyes_px, abs=2)


@pytest.mark.parametrize("left", [True, False])
def test_profile_is_told_from_nobody(monkeypatch, left):
    """Marks of a head that looks to one side: the nose far outside the ears."""
    ears = (0.5, 0.6) if left else (0.4, 0.5)
    nose = 0.35 if left else 0.65
    marks = [SimpleNamespace(x=x) for x in (0.45, 0.5, nose, 0.45, *ears)]
    found = SimpleNamespace(detections=[SimpleNamespace(location_data=SimpleNamespace(relative_keypoints=marks))])
    load_library()
    from mediapipe.python.solutions.face_detection import FaceDetection

    monkeypatch.setattr(FaceDetection, "process", lambda *_: found)
    with pytest.raises(PortraitError, match=r"^p\.png: the head is seen from the side, its nose 2\.0 ear .* 0\.7$"):
        choose_face(np.full((64, 64, 3), 90, np.uint8), None, "p.png")


def test_frontal_and_empty_pictures_are_no_profiles(ana):
    assert side_view(ana) is None
    assert side_view(np.full((64, 64, 3), 90, np.uint8)) is None


def test_of_a_crowd_the_first_are_named(monkeypatch):
    generator = np.random.default_rng(2)
    points = generator.uniform(0, 90, (11, 478, 3)) + np.arange(0, 1100, 100)[:, None, None] * [1, 0, 0]
    crowd = [Face(one.astype(np.float32)) for one in points]
    monkeypatch.setattr("moee_cli.face.portrait.find_faces", lambda *_args, **_options: list(crowd))
    with pytest.raises(PortraitError, match=r"shows 11 faces: 0 at .*; 7 at \d+,\d+,\d+,\d+; \.\.\.$"):
        choose_face(np.zeros((100, 1200, 3), np.uint8), None, "crowd.png")


def test_two_faces_without_a_choice(saved, two):
    with pytest.raises(PortraitError, match=r"two\.png shows 2 faces: 0 at \d+,\d+,\d+,\d+; 1 at") as caught:
        load_portrait(saved(two, "two.png"), FRAME)
    assert "face: largest" in (caught.value.hint or "")


def test_listed_boxes_are_choices(saved, two):
    with pytest.raises(PortraitError) as caught:
        load_portrait(saved(two), FRAME)
    boxes = [part.split(" at ")[1] for part in caught.value.message.split(": ")[1].split("; ")]
    assert [middle_of(two, box) > 440 for box in boxes] == [False, True]


def test_one_face_much_larger_needs_no_choice(saved, ana, kofi):
    path = saved(beside(resized(kofi, 300), ana))
    portrait = load_portrait(path, FRAME)
    assert any("2 faces, the largest is used (face 1 from the left)" in text for text in portrait.warnings)
    assert not load_portrait(path, FRAME, face="largest").warnings


def shape_of(points: np.ndarray) -> np.ndarray:
    """Return landmarks without place and size."""
    centred = points[:, :2] - points[:, :2].mean(axis=0)
    return centred / centred.std()


def test_chosen_portrait_shows_that_face(saved, two, ana, kofi):
    chosen = shape_of(load_portrait(saved(two), FRAME, face="left").landmarks)
    to_kofi, to_ana = (np.abs(chosen - shape_of(find_faces(pixels)[0].landmarks)).mean() for pixels in (kofi, ana))
    assert to_kofi < 0.01
    assert to_ana > 2 * to_kofi


@pytest.mark.parametrize(
    ("face", "message"),
    [
        ("2", "face 2 asked for, but it shows 2 faces"),
        ("middle", '"middle" does not choose a face'),
        ("-1", '"-1" does not choose a face'),
        ("1,2,3", "does not choose a face"),
        ("9" * 5000, r'^two\.png: "9{40}" does not choose a face$'),
        ("0,0," + "9" * 400 + ",10", "does not choose a face"),
        ("5000,10,50,50", "is not in the picture"),
        ("10,10,0,50", "is not in the picture"),
        ("430,420,20,20", "no face found in the box"),
    ],
)
def test_choice_that_fits_none(two, face, message):
    with pytest.raises(PortraitError, match=message) as caught:
        choose_face(two, face, "two.png")
    assert caught.value.hint


def test_box_finds_a_face_too_small_for_the_whole_picture(ana):
    picture = np.full((3000, 3000, 3), 128, np.uint8)
    picture[2000:2200, 300:500] = resized(ana, 200)
    chosen, _, _ = choose_face(picture, "330,2020,140,140", "crowd.png")
    assert chosen.landmarks[:, 0].mean() == pytest.approx(400, abs=10)
    assert chosen.eye_distance_px == pytest.approx(46.7, abs=2)


# --- refused --------------------------------------------------------------------------------------------------------


def test_no_face(saved):
    with pytest.raises(PortraitError, match=r"^wall\.png: no face found$") as caught:
        load_portrait(saved(np.full((300, 300, 3), 90, np.uint8), "wall.png"), FRAME)
    assert "from the front" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("quarters", "message"), [(1, "lies on its side|leans by [89]"), (2, "stands on its head|leans by 1[78]")]
)
def test_picture_on_its_side(saved, ana, quarters, message):
    with pytest.raises(PortraitError, match=message) as caught:
        load_portrait(saved(np.ascontiguousarray(np.rot90(ana, quarters))), FRAME)
    assert "upright" in (caught.value.hint or "")


def test_too_small(saved, ana):
    with pytest.raises(PortraitError, match=r"the face is too small, (2[0-9]|3[0-9]) px") as caught:
        load_portrait(saved(resized(ana, 140)), FRAME)
    assert "larger picture" in (caught.value.hint or "")


def test_cut_off_face(saved, ana):
    with pytest.raises(PortraitError, match="outside the picture"):
        load_portrait(saved(ana[:, 215:]), FRAME)


# --- remarked -------------------------------------------------------------------------------------------------------


def test_small_face_is_remarked(saved, ana):
    warnings = load_portrait(saved(resized(ana, 220), "small.png"), FRAME).warnings
    assert any(text.startswith("small.png: the face is small, 5") for text in warnings)
    assert any("enlarged 2." in text for text in warnings)


def test_tilted_head_is_remarked(saved, ana):
    tilted = np.asarray(Image.fromarray(ana).rotate(28, Image.Resampling.BICUBIC, fillcolor=(140, 110, 95)))
    assert any("tilted by 2" in text for text in load_portrait(saved(tilted), FRAME).warnings)


def test_face_that_padding_makes_small_is_remarked(saved, ana):
    warnings = load_portrait(saved(ana), FrameFormat(1280, 160, fit=Fit.PAD)).warnings
    assert any("small in the frame, 37 px" in text for text in warnings)


def test_errors_survive_a_worker_process(saved):
    with pytest.raises(PortraitError) as caught:
        load_portrait(saved(np.full((300, 300, 3), 90, np.uint8)), FRAME)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.message, copy.hint, copy.exit_code) == (caught.value.message, caught.value.hint, 3)
