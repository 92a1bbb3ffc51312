"""What is refused and what is remarked, and that every text says how much was measured."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from moee_cli.core.errors import PortraitError
from moee_cli.face.evidence import Evidence, gather
from moee_cli.face.gates import check_covered, check_face, check_light
from moee_cli.face.hands import Hand, nearest_hand
from moee_cli.face.landmarks import Face, find_faces
from moee_cli.face.light import Light, measure_light


def turned(face: Face, degrees: float) -> Face:
    """Return the face turned about the vertical."""
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    centre = face.landmarks.mean(axis=0)
    return Face(((face.landmarks - centre) @ matrix.T + centre).astype(np.float32))


def tipped(face: Face, degrees: float) -> Face:
    """Return the face turned about the line of its ears: upwards is negative."""
    angle = np.radians(degrees)
    matrix = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    centre = face.landmarks.mean(axis=0)
    return Face(((face.landmarks - centre) @ matrix.T + centre).astype(np.float32))


@pytest.fixture(scope="module")
def frontal(ana) -> Face:
    return find_faces(ana)[0]


@pytest.mark.parametrize("sign", [-1, 1])
def test_turned_heads(frontal, ana, sign):
    assert check_face(turned(frontal, sign * 8), ana, "a") == []
    (remark,) = check_face(turned(frontal, sign * 25), ana, "a")
    assert "turned by about 2" in remark
    with pytest.raises(PortraitError, match="turned by about 5"):
        check_face(turned(frontal, sign * 52), ana, "a")


@pytest.mark.parametrize(("degrees", "way"), [(-32, "up"), (32, "down")])
def test_heads_that_look_up_or_down(frontal, ana, degrees, way):
    assert check_face(tipped(frontal, degrees / 4), ana, "a") == []
    remarks = check_face(tipped(frontal, degrees), ana, "a")
    assert any(f"the head looks {way} by about 3" in text or f"looks {way} by about 2" in text for text in remarks)


def test_open_mouth_and_closed_eyes_are_remarked(frontal, ana):
    points = frontal.landmarks.copy()
    points[14, 1] += 0.1 * frontal.eye_distance_px
    assert any("mouth is open (0.1" in text for text in check_face(Face(points), ana, "a"))
    points = frontal.landmarks.copy()
    points[145] = points[159]
    assert any("one eye looks closed" in text for text in check_face(Face(points), ana, "a"))
    points[374] = points[386]
    assert any("both eyes look closed" in text for text in check_face(Face(points), ana, "a"))


# --- covered --------------------------------------------------------------------------------------------------------

JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)


def painted(pixels: np.ndarray, outline: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Return the picture with a polygon [N, 2] px in one colour."""
    import cv2

    return cv2.fillPoly(pixels.copy(), [np.round(outline).astype(np.int32)], colour, cv2.LINE_AA)


def ellipse(centre: np.ndarray, wide: float, high: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 40)
    return centre + np.stack([wide * np.cos(angles), high * np.sin(angles)], axis=1)


def masked(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    points = find_faces(pixels)[0].landmarks[:, :2]
    return painted(pixels, np.concatenate([points[[5, 117]], points[list(JAW)], points[[346]]]), colour)


def dark_glasses(pixels: np.ndarray, *eyes: tuple[int, int], seen: float = 0.0) -> np.ndarray:
    points = find_faces(pixels)[0].landmarks[:, :2]
    dark = pixels
    for eye in eyes:
        dark = painted(dark, ellipse(points[list(eye)].mean(axis=0) + np.array([0, 4]), 32, 25), (14, 14, 16))
    return (dark * (1 - seen) + pixels * seen).astype(np.uint8)


def answer(pixels: np.ndarray) -> list[str]:
    return check_covered(gather(pixels, find_faces(pixels)[0]), "a")


@pytest.fixture(params=["ana", "kofi"])
def pixels(request) -> np.ndarray:
    return request.getfixturevalue(request.param)


def test_free_faces_are_seen(pixels):
    found = gather(pixels, find_faces(pixels)[0])
    assert min(found.mouth, *found.eyes) > 0.7
    assert 0 < found.scatter < 0.015
    assert check_covered(found, "a") == []


def test_ordinary_glasses_pass(pixels):
    import cv2

    points = find_faces(pixels)[0].landmarks[:, :2]
    glasses = pixels.copy()
    for eye in ((33, 133), (263, 362)):
        rim = np.round(ellipse(points[list(eye)].mean(axis=0) + np.array([0, 4]), 32, 25)).astype(np.int32)
        cv2.polylines(glasses, [rim], True, (35, 28, 25), 3, cv2.LINE_AA)
    assert answer(glasses) == []


@pytest.mark.parametrize("colour", [(120, 170, 205), (225, 225, 222), (28, 28, 30), (150, 105, 85)])
def test_mask_is_refused(pixels, colour):
    with pytest.raises(
        PortraitError, match=r"^a: the mouth is covered, or this is no human face: .* by \d+%, 60% are needed$"
    ) as caught:
        answer(masked(pixels, colour))
    assert "without mask, scarf, hand or microphone" in (caught.value.hint or "")


def test_beard_is_no_mask(ana):
    """Dark hair all round the mouth, lips free."""
    points = find_faces(ana)[0].landmarks[:, :2]
    bearded = masked(ana, (60, 45, 38))
    lips = points[[61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91]]
    centre = lips.mean(axis=0)
    mask = painted(np.zeros_like(ana), centre + (lips - centre) * 1.15, (255, 255, 255)) / 255
    nose = painted(np.zeros_like(ana), ellipse(points[4], 26, 34), (255, 255, 255)) / 255
    free = np.maximum(mask, nose)
    assert answer((bearded * (1 - free) + ana * free).astype(np.uint8)) == []


def test_dark_glasses_and_patch_are_remarked(pixels):
    (remark,) = answer(dark_glasses(pixels, (33, 133), (263, 362)))
    assert remark.startswith("both eyes look covered or blank (followed by ")
    (remark,) = answer(dark_glasses(pixels, (263, 362)))
    assert remark.startswith("one eye looks covered or blank (followed by ")


def test_tinted_glasses_are_remarked(pixels):
    both = ((33, 133), (263, 362))
    (remark,) = answer(dark_glasses(pixels, *both, seen=0.25))
    assert "the skin's light, good from 70%" in remark or "look covered" in remark
    assert answer(dark_glasses(pixels, *both, seen=0.8)) == []


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Evidence(0.7, (0.9, 0.9), 0.01), "mouth may be partly covered (followed by 70%, lips uncertain by 0.010"),
        (Evidence(0.9, (0.9, 0.9), 0.03), "mouth may be partly covered (followed by 90%, lips uncertain by 0.030"),
        (Evidence(0.9, (0.4, 0.9), 0.01), "one eye looks covered or blank (followed by 40%, 50% are needed)"),
        (Evidence(0.9, (0.9, 0.9), 0.01, 0.4), "the eyes lie dark, at 40% of the skin's light, good from 70%"),
        (Evidence(0.9, (-0.2, 0.3), 0.01), "both eyes look covered or blank (followed by 0%, 50% are needed)"),
    ],
)
def test_remarks_say_what_was_measured(found, text):
    (remark,) = check_covered(found, "a")
    assert text in remark


# --- hands ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_hand():
    """`benchmarks/drawn_hand.py`: the picture with a hand drawn into it."""
    path = Path(__file__).parents[2] / "benchmarks" / "drawn_hand.py"
    spec = importlib.util.spec_from_file_location("drawn_hand", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.with_hand


def handed(with_hand, pixels: np.ndarray, at: tuple[float, float], up: tuple[float, float]) -> np.ndarray:
    """Return the picture with a hand of the cheek's colour: wrist from the chin, direction, in eye distances."""
    points = find_faces(pixels)[0].landmarks[:, :2]
    x, y = points[280].astype(int)
    eyes = float(np.linalg.norm(points[263] - points[33]))
    return with_hand(pixels, pixels[y, x], points[152] + np.array(at) * eyes, np.array(up) * eyes)


def test_hand_on_the_cheek_is_remarked(with_hand, pixels):
    remarks = answer(handed(with_hand, pixels, (-0.75, 0.6), (0.05, -0.7)))
    assert any(text.startswith("a hand lies on the face, 0.") and "use a picture without" in text for text in remarks)


def test_hand_beside_the_head_passes(with_hand, pixels):
    picture = handed(with_hand, pixels, (-1.65, 0.2), (0.0, -0.6))
    hand = nearest_hand(picture, find_faces(picture)[0])
    assert hand is not None
    assert hand.face < -0.25
    assert answer(picture) == []


def test_no_hand_in_the_examples(pixels):
    assert nearest_hand(pixels, find_faces(pixels)[0]) is None


@pytest.mark.parametrize(
    ("hand", "text"),
    [
        (Hand(0.3, -0.2), "a hand lies on the face, 0.30 eye distances inside its outline; it will move"),
        (Hand(-0.2, -0.6), "a hand lies beside the face, 0.20 eye distances from its outline; it will move"),
    ],
)
def test_hand_remarks_say_where(hand, text):
    (remark,) = check_covered(Evidence(0.9, (0.9, 0.9), 0.01, hand=hand), "a")
    assert remark.startswith(text)


def test_hand_before_the_mouth(pixels):
    """Refused where the lips are hard to see, too; a finger on lips that are seen is remarked."""
    with pytest.raises(PortraitError, match=r"a hand covers the mouth: it reaches 0\.10 eye .* follow .* by 70%$"):
        check_covered(Evidence(0.7, (0.9, 0.9), 0.01, hand=Hand(0.5, 0.1)), "a")
    (remark,) = check_covered(Evidence(0.9, (0.9, 0.9), 0.01, hand=Hand(0.5, 0.1)), "a")
    assert remark.startswith("a hand lies on the face, 0.50 ")


# --- light ----------------------------------------------------------------------------------------------------------


def test_blur_is_remarked_then_refused(pixels):
    import cv2

    (face,) = find_faces(pixels)
    assert check_light(measure_light(pixels, face), "a") == []
    (remark,) = check_light(measure_light(cv2.GaussianBlur(pixels, (0, 0), 0.045 * 119), face), "a")
    assert remark.startswith("the face is soft, sharpness 1")
    with pytest.raises(PortraitError, match=r"the face is blurred, sharpness [5-8]\.\d, less than 9"):
        check_light(measure_light(cv2.GaussianBlur(pixels, (0, 0), 0.08 * 119), face), "a")


def test_light_is_remarked_then_refused(ana):
    (face,) = find_faces(ana)
    with pytest.raises(PortraitError, match="too dark or flat"):
        check_light(measure_light((ana * 0.1).astype(np.uint8), face), "a")
    with pytest.raises(PortraitError, match="of the face are pure white, more than 50%"):
        check_light(measure_light(np.clip(ana * 4.0, 0, 255).astype(np.uint8), face), "a")
    (dark,) = check_light(Light(20, 0, 30), "a")
    assert "30 grey levels of contrast, good from 40" in dark
    (bright,) = check_light(Light(20, 0.3, 100), "a")
    assert "30% of the face are pure white, good to 15%" in bright
