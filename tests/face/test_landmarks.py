"""Both detector backends: where landmarks lie to the pixel, which faces are found, what is not taken for one."""

from __future__ import annotations

import builtins
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
from PIL import Image

from moee_cli.core.errors import InputError, Unavailable
from moee_cli.face import landmarks as landmarks_module
from moee_cli.face.landmarks import Face, find_faces, track

N_MESH = 468


@pytest.fixture(scope="module", params=["bundled", "task file"])
def model(request):
    return request.getfixturevalue("task_file") if request.param == "task file" else None


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Px between matching landmarks of the mesh."""
    return np.linalg.norm((one - other)[:N_MESH, :2], axis=1)


def pasted(pixels: np.ndarray, size: tuple[int, int], *places: tuple[int, int]) -> np.ndarray:
    """Return a grey picture of (width, height) with `pixels` at each (left, top)."""
    canvas = np.full((size[1], size[0], 3), 128, np.uint8)
    for left, top in places:
        canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return canvas


def resized(pixels: np.ndarray, width: int, height: int | None = None) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize((width, height or width), Image.Resampling.LANCZOS))


def test_landmarks_lie_on_the_face(ana, model):
    (face,) = find_faces(ana, model=model)
    points = face.landmarks
    assert points.shape == (478, 3)
    assert points.dtype == np.float32
    # Read off the picture by eye, px: eye corners, lip line, chin.
    for index, place in {33: (196, 192), 133: (234, 196), 362: (279, 196), 263: (316, 192), 13: (256, 283)}.items():
        assert np.hypot(*(points[index, :2] - place)) < 5, index
    assert points[152, 1] == pytest.approx(340, abs=8)
    assert face.eye_distance_px == pytest.approx(120, abs=4)
    left, top, right, bottom = face.box
    assert left < points[33, 0] < points[263, 0] < right
    assert top < points[10, 1] + 1
    assert bottom > points[152, 1] - 1
    assert points[1, 2] < points[33, 2], "the nose is nearer than the eyes"


def test_pixel_centres_lie_at_one_half(ana, kofi, model):
    """Repeating every pixel three times multiplies every coordinate by three, and adds nothing."""
    offsets = []
    for picture in (ana, kofi):
        small = resized(picture, 256)
        one = find_faces(small, model=model)[0].landmarks
        three = find_faces(np.repeat(np.repeat(small, 3, axis=0), 3, axis=1), model=model)[0].landmarks
        offsets.append((three / 3 - one)[:N_MESH, :2].mean(axis=0))
    assert np.abs(np.mean(offsets, axis=0)).max() < 0.12, "index coordinates would give 0.33"


def test_mirrored_picture_gives_mirrored_landmarks(ana, kofi):
    for picture in (ana, kofi):
        straight = find_faces(picture)[0].landmarks
        mirrored = find_faces(picture[:, ::-1])[0].landmarks[landmarks_module._TWIN]
        mirrored[:, 0] = picture.shape[1] - mirrored[:, 0]
        assert distances(straight, mirrored).max() < 0.01 * 119


def test_twins():
    twin = landmarks_module._TWIN
    assert sorted(twin) == list(range(478))
    np.testing.assert_array_equal(twin[twin], np.arange(478))
    for right, left in [(33, 263), (133, 362), (159, 386), (61, 291), (78, 308), (234, 454), (70, 300), (468, 473)]:
        assert twin[right] == left


def test_same_picture_same_landmarks(kofi, model):
    first, second = (find_faces(kofi, model=model)[0].landmarks for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("size", [(1100, 512), (512, 1100)])
def test_shape_of_the_picture_moves_nothing(ana, size, model):
    left, top = (size[0] - 512) // 2, (size[1] - 512) // 2
    alone = find_faces(ana, model=model)[0].landmarks
    beside = find_faces(pasted(ana, size, (left, top)), model=model)[0].landmarks - [left, top, 0]
    assert distances(alone, beside).mean() < 1.0
    assert beside[:N_MESH, 2].std() == pytest.approx(alone[:N_MESH, 2].std(), rel=0.05)


def test_faces_come_left_to_right(ana, kofi):
    faces = find_faces(np.concatenate([kofi, ana, kofi], axis=1))
    assert len(faces) == 3
    assert [int(face.box[0] // 512) for face in faces] == [0, 1, 2]


def test_small_face_in_a_large_picture(ana):
    small = resized(ana, 180)  # 42 px between the eyes, 2 % of the picture
    (face,) = find_faces(pasted(small, (2000, 1400), (1500, 300)))
    expected = find_faces(small)[0].landmarks + np.array([1500, 300, 0])
    assert distances(face.landmarks, expected).mean() < 0.5


def test_small_face_beside_a_large_one(ana, kofi):
    picture = pasted(resized(ana, 175), (2400, 1600), (2100, 1300))
    picture[100:1124, 100:1124] = np.repeat(np.repeat(kofi, 2, axis=0), 2, axis=1)
    large, small = find_faces(picture, every=True)
    assert large.eye_distance_px == pytest.approx(239, abs=2)
    assert small.eye_distance_px == pytest.approx(41, abs=2)


def test_forty_px_in_four_thousand(ana):
    (face,) = find_faces(pasted(resized(ana, 175), (4000, 3000), (3000, 2100)))
    assert face.eye_distance_px == pytest.approx(41, abs=1)


def test_of_a_crowd_the_largest_are_found(kofi, ana, monkeypatch):
    monkeypatch.setattr(landmarks_module, "MOST_FACES", 2)
    assert len(find_faces(np.concatenate([kofi, ana, kofi], axis=1), every=True)) == 2


def test_noise_that_looks_like_faces_is_given_up(monkeypatch):
    """A detector that finds sixteen faces everywhere, elsewhere each time: what is tried is bounded."""
    generator = np.random.default_rng(3)
    calls = []

    def detect(square):
        calls.append(square.shape[0])
        corners = generator.uniform(0, 0.8, (16, 1, 2)) * square.shape[0]
        points = corners + generator.uniform(0, 0.2, (16, 478, 2)) * square.shape[0]
        return [np.concatenate([one, np.zeros((478, 1))], axis=1).astype(np.float32) for one in points]

    monkeypatch.setattr(landmarks_module, "detector", lambda _model: nullcontext(detect))
    assert find_faces(np.zeros((600, 800, 3), np.uint8), every=True) == []
    squares = 1 + 2 * 3 + 6 * 7  # at most, of the whole, halves, quarters; eighths are too small
    assert len(calls) < squares + 10 * landmarks_module._MOST_TRIED


def test_face_seen_by_two_search_windows_counts_once(ana):
    small = resized(ana, 180)
    assert len(find_faces(pasted(small, (2000, 1400), (910, 610)))) == 1


@pytest.mark.parametrize("degrees", [-30, 20])
def test_tilted_face(ana, degrees):
    turned = np.asarray(Image.fromarray(ana).rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(140, 110, 95)))
    (face,) = find_faces(turned)
    right, left = face.landmarks[33, :2], face.landmarks[263, :2]
    assert np.degrees(np.arctan2(*(left - right)[::-1])) == pytest.approx(-degrees, abs=3)


def test_dark_and_grey_faces(kofi):
    dark = (kofi * 0.15).astype(np.uint8)
    grey = np.repeat(kofi.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    assert len(find_faces(dark)) == len(find_faces(grey)) == 1


def not_a_face(kind: str) -> np.ndarray:
    generator = np.random.default_rng(3)
    if kind == "noise":
        return generator.integers(0, 256, (400, 400, 3), dtype=np.uint8)
    if kind == "plain":
        return np.full((400, 600, 3), 90, np.uint8)
    if kind == "blobs":
        return resized(generator.integers(0, 256, (9, 9, 3), dtype=np.uint8), 500)
    import cv2

    picture = np.full((500, 500, 3), 235, np.uint8)
    cv2.circle(picture, (250, 250), 180, (20, 20, 20), 3)
    return picture


@pytest.mark.parametrize("kind", ["noise", "plain", "blobs", "circle"])
def test_no_face(kind):
    assert find_faces(not_a_face(kind)) == []


def test_extreme_shapes_of_picture():
    assert find_faces(np.zeros((40, 3000, 3), np.uint8)) == []
    assert find_faces(np.zeros((33, 33, 3), np.uint8)) == []


def test_tracking_follows_the_face_at_once(ana):
    """A face that jumps between two places and sizes is measured where it is, in the very same frame."""
    small = resized(ana, 400)
    frames = [pasted(small, (640, 512), (40 + 30 * (number % 3), 60)) for number in range(6)]
    found = list(track(iter(frames)))
    for frame, points in zip(frames, found, strict=True):
        assert points is not None
        assert distances(points, find_faces(frame)[0].landmarks).mean() < 1.5


def test_tracking_a_still_face_is_still(ana):
    """Noise of a few grey levels, as an encoder leaves it, moves landmarks by a small part of a pixel."""
    generator = np.random.default_rng(4)
    frames = [np.clip(ana + generator.normal(0, 3, ana.shape), 0, 255).astype(np.uint8) for _ in range(6)]
    found = np.stack([points for points in track(frames) if points is not None])
    assert len(found) == 6
    assert found[:, :N_MESH, :2].std(axis=0).mean() < 0.25


def test_tracking_loses_and_finds(ana, kofi):
    nobody = np.full_like(ana, 128)
    found = list(track([nobody, ana, nobody, nobody, kofi]))
    assert [points is not None for points in found] == [False, True, False, False, True]


def test_tracking_takes_the_larger_of_two(ana, kofi):
    picture = pasted(resized(ana, 250), (1100, 512), (830, 100))
    picture[:, 100:612] = kofi
    (points,) = track([picture])
    assert points is not None
    assert points[:, 0].mean() < 612


# --- what may be missing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"no model at all" * 100])
def test_model_file_that_is_none(tmp_path, ana, content):
    path = tmp_path / "face_landmarker.task"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"face_landmarker\.task is no face landmark model"):
        find_faces(ana, model=path)


def test_model_file_that_is_missing(tmp_path, ana):
    with pytest.raises(InputError, match=r"face_landmarker\.task cannot be read: No such file"):
        find_faces(ana, model=tmp_path / "face_landmarker.task")


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (ModuleNotFoundError("No module named 'mediapipe'", name="mediapipe"), "not installed", "pip install"),
        (
            ImportError("libGL.so.1: cannot open shared object file: No such file or directory"),
            r"system library libGL\.so\.1",
            "apt-get install libgl1",
        ),
        (ImportError("DLL load failed"), "cannot be loaded: DLL load failed", "force-reinstall"),
        (
            ModuleNotFoundError("No module named 'mediapipe.python'", name="mediapipe.python"),
            "no landmark models",
            "face_landmarker.task",
        ),
    ],
)
def test_what_cannot_be_imported_is_named(monkeypatch, ana, error, message, hint):
    real = builtins.__import__

    def failing(name, *args, **kwargs):
        wanted = error.name or "mediapipe"
        if name == wanted or name.startswith(f"{wanted}."):
            raise error
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.split(".")[0] == "mediapipe"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", failing)
    with pytest.raises(Unavailable, match=message) as caught:
        find_faces(ana)
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 4


def test_nothing_is_imported_before_it_is_needed():
    code = (
        "import sys, moee_cli.face.landmarks, moee_cli.face.portrait\n"
        "print([name for name in ('mediapipe', 'cv2', 'torch', 'PIL', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_stderr_stays_empty(tmp_path, ana):
    Image.fromarray(ana).save(tmp_path / "ana.png")
    code = (
        "import numpy, sys; from PIL import Image; from moee_cli.face.landmarks import find_faces, track\n"
        "picture = numpy.asarray(Image.open(sys.argv[1]))\n"
        "print(len(find_faces(picture)), sum(points is not None for points in track([picture] * 3)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "ana.png")], capture_output=True, text=True, check=True
    )
    assert (done.stdout.split(), done.stderr) == (["1", "3"], "")


def test_face_measures():
    points = np.zeros((478, 3), np.float32)
    points[33, :2], points[263, :2] = (10, 20), (40, 60)
    face = Face(points)
    assert face.eye_distance_px == pytest.approx(50)
    assert face.box == (0, 0, 40, 60)
    assert face.area == 2400
