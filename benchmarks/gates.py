"""What the gates answer to portraits as they are, and with masks, hands, glasses, blur and the like drawn over them.

    python benchmarks/gates.py FOLDER [--only "as it is" glasses] [--every 3] [--list]

Every picture should show one good face; pictures without one are named and left out. Each edit is drawn into a copy of
160 px between the outer eye corners and goes the whole way that a render's portrait goes. The table counts, per edit,
the answers: refused, warned of what was drawn, warned of something else only, passed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from drawn_hand import with_hand

from moee_cli.core.errors import MoeeError
from moee_cli.core.types import F32, U8, FrameFormat
from moee_cli.face.picture import read_picture
from moee_cli.face.portrait import choose_face, load_portrait

Edit = Callable[[U8, F32], U8]
"""Picture [H, W, 3] and landmarks [478, 3] px to an edited picture of the same size."""

_JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
"""Along the jaw, from the subject's right ear to the left."""
_EYE_CENTRES = ((33, 133), (263, 362))


def _cv2() -> Any:
    import cv2

    return cv2


def _eyes(points: F32) -> float:
    return float(np.linalg.norm(points[263, :2] - points[33, :2]))


def _axes(points: F32) -> tuple[F32, F32]:
    """Return unit vectors of the face, to the viewer's right and down, times the eye distance."""
    right = points[263, :2] - points[33, :2]
    return right, np.array([-right[1], right[0]])


def _cover(picture: U8, shapes: list[F32], paint: F32, points: F32, opacity: float = 1.0) -> U8:
    """Return the picture with `paint` [H, W, 3] (or a colour) over polygons, soft at the border as a lens makes it."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    for shape in shapes:
        _cv2().fillPoly(mask, [np.round(shape * 16).astype(np.int32)], 255, _cv2().LINE_AA, 4)
    soft = _cv2().GaussianBlur(mask, (0, 0), max(0.006 * _eyes(points), 0.5)).astype(np.float32)[..., None] / 255
    soft *= opacity
    return np.clip(picture * (1 - soft) + np.asarray(paint, np.float32) * soft, 0, 255).astype(np.uint8)


def _noise(shape: tuple[int, int], cell: float, seed: int) -> F32:
    """Return smooth noise [H, W, 1], about -1..1, with spots of `cell` px."""
    generator = np.random.default_rng(seed)
    small = generator.normal(size=(max(int(shape[0] / cell), 1) + 3, max(int(shape[1] / cell), 1) + 3))
    return _cv2().resize(small.astype(np.float32), shape[::-1], interpolation=_cv2().INTER_CUBIC)[..., None]


def _lit(
    picture: U8, points: F32, colour: tuple[float, float, float] | F32, texture: float = 0.04, seed: int = 1
) -> F32:
    """Return a painted surface [H, W, 3] of one colour under the light of the picture, with texture and soft folds."""
    eyes = _eyes(points)
    light = _cv2().GaussianBlur(picture.astype(np.float32).mean(axis=2), (0, 0), 0.35 * eyes)
    face = light[tuple(np.clip(points[[4], :2].astype(int)[0][::-1], 0, np.array(light.shape) - 1))]
    shade = np.clip(light / max(float(face), 1), 0.6, 1.4)[..., None]
    folds = (
        1
        + 0.08 * _noise(picture.shape[:2], 0.3 * eyes, seed)
        + texture * _noise(picture.shape[:2], 0.03 * eyes, seed + 1)
    )
    return np.asarray(colour, np.float32) * shade * folds


def _skin(picture: U8, points: F32) -> F32:
    """Return the colour of the cheeks."""
    spots = points[[50, 280, 101, 330], :2].astype(int)
    height, width = picture.shape[:2]
    r = max(int(0.05 * _eyes(points)), 1)
    parts = [
        picture[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1].reshape(-1, 3)
        for x, y in spots
        if 0 <= x < width and 0 <= y < height
    ]
    return np.median(np.concatenate(parts), axis=0)


# --- over the mouth -------------------------------------------------------------------------------------------------


def _face_mask(colour: tuple[float, float, float], pleats: int = 3) -> Edit:
    """Return an edit that draws a mask from the bridge of the nose to under the chin, with pleats and loops."""

    def edit(picture: U8, points: F32) -> U8:
        right, down = _axes(points)
        jaw = points[list(_JAW), :2]
        middle = points[2, :2]
        grown = middle + (jaw - middle) * 1.04
        outline = np.concatenate([points[[197], :2], points[[117], :2], grown[1:-1], points[[346], :2]])
        outline[0] = points[197, :2] * 0.6 + points[5, :2] * 0.4
        paint = _lit(picture, points, colour, 0.02)
        out = _cover(picture, [outline], paint, points)
        for number in range(pleats):
            y = 0.1 + 0.16 * number
            line = [
                points[2, :2] + right * x + down * (y + 0.03 * (1 - (x / 0.5) ** 2))
                for x in np.linspace(-0.42, 0.42, 12)
            ]
            back = [one + down * 0.012 for one in reversed(line)]
            out = _cover(out, [np.array(line + back)], paint * 0.72, points, 0.7)
        for ear, edge in ((234, 1), (454, -2)):
            loop = np.array([points[ear, :2], points[ear, :2] + down * 0.03, grown[edge] + down * 0.02, grown[edge]])
            out = _cover(out, [loop], paint * 0.95, points)
        return out

    return edit


def _scarf(picture: U8, points: F32) -> U8:
    """Draw a knitted scarf from the upper lip downwards, wider than the face."""
    right, down = _axes(points)
    top = points[164, :2] * 0.5 + points[2, :2] * 0.5
    outline = [top + right * x + down * (0.05 * np.sin(7 * x) - 0.06 * abs(x)) for x in np.linspace(-1.1, 1.1, 24)]
    outline += [top + right * 1.2 + down * 1.2, top - right * 1.2 + down * 1.2]
    rows = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32) / _eyes(points)
    knit = 1 + 0.15 * (np.sin(90 * rows[1] + 4 * np.sin(40 * rows[0])) * np.sin(70 * rows[0]))[..., None]
    return _cover(picture, [np.array(outline)], _lit(picture, points, (120, 35, 40), 0.05) * knit, points)


def _fingers(picture: U8, points: F32, base: F32, along: F32, n_fingers: int = 4) -> U8:
    """Draw fingers in the colour of the cheeks, from `base` along `along` (px), each with its own shadow."""
    skin = _skin(picture, points)
    across = np.array([-along[1], along[0]])
    across = across / np.linalg.norm(across) * 0.19 * _eyes(points)
    out = picture
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    for number in range(n_fingers):
        start = base + across * (number - (n_fingers - 1) / 2)
        length = along * (1 - 0.08 * abs(number - 1.4))
        angles = np.linspace(-np.pi / 2, np.pi / 2, 12)
        unit = along / np.linalg.norm(along)
        half = across * 0.5
        tip = [start + length + unit * np.linalg.norm(half) * np.cos(a) + half * np.sin(a) for a in angles]
        outline = np.array([start - half, *tip, start + half])
        shadow = outline + np.array([0.02, 0.02]) * _eyes(points)
        out = _cover(out, [shadow], skin * 0.35, points, 0.6)
        side = ((columns - start[0]) * half[0] + (rows - start[1]) * half[1]) / float(half @ half)
        round_ = (1.05 - 0.3 * side**2)[..., None]
        out = _cover(out, [outline], _lit(picture, points, skin, 0.03, number) * np.clip(round_, 0.6, 1.1), points)
    return out


def _hand_on_mouth(picture: U8, points: F32) -> U8:
    right, down = _axes(points)
    lips = (points[13, :2] + points[14, :2]) / 2
    return _fingers(picture, points, lips - right * 0.75 + down * 0.25, right * 1.25 - down * 0.2)


def _hand_from_below(picture: U8, points: F32) -> U8:
    right, down = _axes(points)
    lips = (points[13, :2] + points[14, :2]) / 2
    return _fingers(picture, points, lips + down * 1.0, -down * 1.1 + right * 0.05)


def _fingers_on_cheek(picture: U8, points: F32) -> U8:
    right, down = _axes(points)
    cheek = points[454, :2] * 0.45 + points[280, :2] * 0.55
    return _fingers(picture, points, cheek + down * 0.9 + right * 0.15, -down * 0.9)


def _hand_on_cheek(picture: U8, points: F32) -> U8:
    """Draw an open hand that lies on the left cheek, as the viewer sees it, from below."""
    right, down = _axes(points)
    return with_hand(
        picture, _skin(picture, points), points[152, :2] - right * 0.75 + down * 0.6, right * 0.1 - down * 0.8
    )


def _hand_under_chin(picture: U8, points: F32) -> U8:
    """Draw an open hand that lies across the chin, from the right."""
    right, down = _axes(points)
    wrist = points[152, :2] + right * 1.0 + down * 0.35
    return with_hand(picture, _skin(picture, points), wrist, -right * 0.75 - down * 0.15)


def _hand_beside(picture: U8, points: F32) -> U8:
    """Draw an open hand raised beside the head, free of it."""
    right, down = _axes(points)
    return with_hand(picture, _skin(picture, points), points[234, :2] - right * 1.1 + down * 0.9, -down * 0.8)


def _microphone(picture: U8, points: F32) -> U8:
    """Draw a ball of wire mesh before the mouth, on a dark handle."""
    right, down = _axes(points)
    centre = (points[13, :2] + points[14, :2]) / 2 + down * 0.06
    ball = [centre + right * 0.27 * np.cos(a) + down * 0.27 * np.sin(a) for a in np.linspace(0, 2 * np.pi, 40)]
    handle = [
        centre - right * 0.13,
        centre + right * 0.13,
        centre + right * 0.1 + down * 1.6,
        centre - right * 0.1 + down * 1.6,
    ]
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32) / _eyes(points)
    mesh = (1 + 0.35 * np.sin(150 * (rows + columns)) * np.sin(150 * (rows - columns)))[..., None]
    x, y = (columns - centre[0] / _eyes(points)) / 0.27, (rows - centre[1] / _eyes(points)) / 0.27
    round_ = np.clip(1.2 - 0.6 * ((x + 0.3) ** 2 + (y + 0.3) ** 2), 0.3, 1.3)[..., None]
    out = _cover(picture, [np.array(handle)], np.array((25, 25, 28)), points)
    return _cover(out, [np.array(ball)], np.array((95, 95, 100)) * mesh * round_, points)


# --- over the eyes --------------------------------------------------------------------------------------------------


def _lens(points: F32, eye: tuple[int, int], size: float = 0.27) -> F32:
    right, down = _axes(points)
    outward = np.sign(float((points[eye[0], :2] - points[eye[1], :2]) @ right))
    centre = points[list(eye), :2].mean(axis=0) + down * 0.05 + right * 0.02 * outward
    angles = np.linspace(0, 2 * np.pi, 40)
    wide = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.7
    high = np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** 0.7
    return centre + np.outer(wide, right) * size + np.outer(high, down) * size * 0.8


def _glasses(tint: tuple[float, float, float], opacity: float, *, shine: float = 0.0) -> Edit:
    """Return an edit that draws glasses with lenses of a colour and opacity, a frame, a bridge and arms."""

    def edit(picture: U8, points: F32) -> U8:
        right, _down = _axes(points)
        lenses = [_lens(points, eye) for eye in _EYE_CENTRES]
        out = picture
        if opacity:
            rows = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)[0]
            height = (rows - points[168, 1]) / _eyes(points)
            paint = np.asarray(tint, np.float32) + (255 * shine * np.clip(0.3 - height, 0, 1))[..., None]
            out = _cover(out, lenses, paint, points, opacity)
        width = max(round(0.025 * _eyes(points)), 1)
        out = out.copy()
        dark = (35, 28, 25)
        for lens in lenses:
            _cv2().polylines(out, [np.round(lens * 16).astype(np.int32)], True, dark, width, _cv2().LINE_AA, 4)
        inner = [lenses[0][np.argmax(lenses[0] @ right)], lenses[1][np.argmin(lenses[1] @ right)]]
        outer = [lenses[0][np.argmin(lenses[0] @ right)], lenses[1][np.argmax(lenses[1] @ right)]]
        for one, two in ((inner[0], inner[1]), (outer[0], points[127, :2]), (outer[1], points[356, :2])):
            ends = np.round(np.array([one, two]) * 16).astype(np.int32)
            _cv2().line(out, ends[0].tolist(), ends[1].tolist(), dark, width, _cv2().LINE_AA, 4)
        return out

    return edit


def _patch(picture: U8, points: F32) -> U8:
    """Draw a black patch over the subject's left eye, with its band."""
    _right, down = _axes(points)
    band = np.array([points[103, :2], points[103, :2] + down * 0.05, points[361, :2], points[361, :2] - down * 0.05])
    out = _cover(picture, [band], (18, 18, 20), points)
    return _cover(out, [_lens(points, _EYE_CENTRES[1], 0.24)], _lit(picture, points, (22, 22, 24), 0.1), points)


def _hair(picture: U8, points: F32) -> U8:
    """Draw strands of dark hair over the subject's right eye."""
    right, down = _axes(points)
    top, eye = points[10, :2], points[[33, 133], :2].mean(axis=0)
    outline = np.array([
        top - down * 0.3 + right * 0.15, top + right * 0.1 + down * 0.1,
        eye + right * 0.24, eye + right * 0.12 + down * 0.5,
        eye - right * 0.5 + down * 0.6, eye - right * 0.55, top - right * 0.6 - down * 0.2,
    ])  # fmt: skip
    columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)[1] / _eyes(points)
    wave = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)[0] / _eyes(points)
    strands = 1 + 0.35 * np.sin(120 * (columns + 0.15 * wave) + 3 * np.sin(31 * columns))[..., None]
    return _cover(picture, [outline], np.array((52, 36, 28)) * strands, points)


# --- the whole picture ----------------------------------------------------------------------------------------------


def _blurred(share: float) -> Edit:
    """Return an edit that blurs: a Gaussian whose standard deviation is `share` eye distances."""
    return lambda picture, points: _cv2().GaussianBlur(picture, (0, 0), share * _eyes(points))


def _exposed(gain: float) -> Edit:
    """Return an edit that multiplies the light by `gain`, with the sensor's limits."""

    def edit(picture: U8, _points: F32) -> U8:
        linear = (picture / 255.0) ** 2.2 * gain
        return (np.clip(linear, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)

    return edit


def _small(eyes_px: float) -> Edit:
    """Return an edit that reduces the face to so many px between the eye corners."""

    def edit(picture: U8, points: F32) -> U8:
        scale = eyes_px / _eyes(points)
        if scale >= 1:
            return picture
        return _cv2().resize(picture, None, fx=scale, fy=scale, interpolation=_cv2().INTER_AREA)

    return edit


EDITS: dict[str, tuple[Edit, str]] = {
    "as it is": (lambda picture, _points: picture, ""),
    "glasses": (_glasses((0, 0, 0), 0.0), ""),
    "glasses, faint tint": (_glasses((90, 70, 50), 0.25), ""),
    "sharp to 100 px": (_blurred(0.006), ""),
    "blue mask": (_face_mask((120, 170, 205)), "mouth"),
    "white mask": (_face_mask((225, 225, 222)), "mouth"),
    "black mask": (_face_mask((28, 28, 30), 0), "mouth"),
    "skin-coloured mask": (_face_mask((205, 160, 135), 0), "mouth"),
    "scarf": (_scarf, "mouth"),
    "hand on mouth": (_hand_on_mouth, "mouth"),
    "hand from below": (_hand_from_below, "mouth"),
    "microphone": (_microphone, "mouth"),
    "fingers on cheek": (_fingers_on_cheek, "hand"),
    "hand on cheek": (_hand_on_cheek, "hand"),
    "hand under chin": (_hand_under_chin, "hand"),
    "hand beside the head": (_hand_beside, ""),
    "black sunglasses": (_glasses((12, 12, 14), 0.97), "eye"),
    "shiny sunglasses": (_glasses((20, 25, 40), 0.93, shine=0.5), "eye"),
    "brown sunglasses": (_glasses((45, 28, 15), 0.8), "eye"),
    "eye patch": (_patch, "eye"),
    "hair over an eye": (_hair, "eye"),
    "blur 0.02": (_blurred(0.02), "blur"),
    "blur 0.04": (_blurred(0.04), "blur"),
    "blur 0.08": (_blurred(0.08), "blur"),
    "light / 30": (_exposed(1 / 30), "dark"),
    "light x 8": (_exposed(8), "bright"),
    "50 px": (_small(50), "small"),
    "30 px": (_small(30), "small"),
}
"""Name to edit and what the answer should speak of; nothing: no answer wanted."""

EYES_PX = 160.0
"""Outer eye distance of the copies: enough for a good portrait, few enough pixels to be quick."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_SUBJECTS = {
    "mouth": ("mouth", "no face"),
    "hand": ("a hand lies", "a hand covers", "mouth"),
    "eye": ("eye looks", "eyes look", "eyes lie dark"),
    "blur": ("soft", "blurred"),
    "dark": ("dark or flat", "no face"),
    "bright": ("pure white", "no face"),
    "small": ("face is small", "too small", "no face"),
}
"""Words by which an answer is about what was drawn."""
ANSWERS = ("refused", "warned", "other warning", "passed")


def copy_of(path: Path) -> tuple[U8, F32]:
    """Return picture and landmarks, reduced to `EYES_PX` and cut to the head's surroundings.

    Raises:
        MoeeError: no face, or several.
    """
    picture = read_picture(path)
    points = choose_face(picture, None, path.name)[0].landmarks
    scale = EYES_PX / _eyes(points)
    if scale < 1:
        picture = _cv2().resize(picture, None, fx=scale, fy=scale, interpolation=_cv2().INTER_AREA)
        points = points * np.float32(scale)
    margin = 4 * _eyes(points)
    low = np.maximum(points[:, :2].min(axis=0) - margin, 0).astype(int)
    high = (points[:, :2].max(axis=0) + margin).astype(int)
    cut = np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]])
    return cut, points - np.array([*low, 0], np.float32)


def answer_to(picture: U8, subject: str, folder: Path) -> tuple[str, str]:
    """Return which of `ANSWERS` a picture gets, and in which words."""
    from PIL import Image

    path = folder / "portrait.png"
    Image.fromarray(picture).save(path, compress_level=1)
    try:
        warnings = load_portrait(path, FrameFormat(512, 512)).warnings
    except MoeeError as error:
        return "refused", error.message.removeprefix("portrait.png: ")
    text = "; ".join(warning.removeprefix("portrait.png: ") for warning in warnings)
    if not warnings:
        return "passed", ""
    return ("warned" if any(word in text for word in _SUBJECTS.get(subject, ())) else "other warning"), text


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=EDITS, default=list(EDITS), metavar="EDIT")
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture")
    parser.add_argument("--list", action="store_true", help="print every answer")
    options = parser.parse_args()
    counts = {kind: Counter[str]() for kind in options.only}
    files = sorted(file for file in options.folder.iterdir() if file.suffix.lower() in SUFFIXES)
    with tempfile.TemporaryDirectory() as folder:
        for file in files[:: options.every]:
            try:
                picture, points = copy_of(file)
            except MoeeError as error:
                print(f"left out: {error.message}", flush=True)
                continue
            for kind in options.only:
                edit, subject = EDITS[kind]
                answer, text = answer_to(edit(picture, points), subject, Path(folder))
                counts[kind][answer] += 1
                if options.list:
                    print(f"{file.name} | {kind} | {answer} | {text}", flush=True)
    print(f"| edit | {' | '.join(ANSWERS)} |\n|---|{'---|' * len(ANSWERS)}")
    for kind, count in counts.items():
        print(f"| {kind} | {' | '.join(str(count[answer]) for answer in ANSWERS)} |")


if __name__ == "__main__":
    main()
