"""Faces and their 478 landmarks in a picture.

Measured on six portraits with FaceMesh 0.10.21, and acted on here:
- Landmarks come in pixel *index* coordinates: repeating every pixel four times moves them by 0.23-0.63 px, where that
  convention predicts 0.375 and pixel centres at .5 predict 0. So half a pixel is added.
- Eyes and brows come out up to 1 % of the eye distance to the right of where they are, and in a mirrored picture as
  much to the left. Shifting and zooming the crop moves all landmarks by 0.35 % (standard deviation). So the mean over
  several crops, each seen both ways, is returned.
- Faces whose eye distance is under 7 % of the picture are missed. So smaller parts are searched when the whole shows
  none, or when every face is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32, U8
from moee_cli.face.detectors import N_LANDMARKS, Detect, Points, detector, import_mediapipe

OUTER_EYES = (33, 263)
"""Outer corners: the subject's right eye, the subject's left eye."""
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip

MOST_FACES = 24
"""Faces found in one picture: the largest of a crowd, each of which costs a third of a second."""
_MOST_TRIED = 64
"""Places measured in one picture, those that turn out to be none included."""
_SEARCH_SIDE = 1280
"""Pictures are searched at most this large; the detector itself looks at 128 px."""
_SMALL_ENOUGH = 570
"""Squares in which a face of 40 px between the eyes, the least that is used, takes the 7 % that are found."""
_CROP_SIDE = 512
"""Size at which the crop around a face is measured; the landmark network looks at 192 px."""
_CROPS = ((2.0, 0.0, 0.0), (1.7, 0.06, 0.03), (1.7, -0.06, -0.03), (2.4, 0.05, -0.06), (2.4, -0.05, 0.06))
"""Crops whose landmarks are averaged: side and shift in face sizes."""
_MAX_SPREAD = 0.04
"""Landmarks of a real face agree between the crops to 0.004-0.008 eye distances (RMS; six portraits); those "found" in
cats, coins, moons and cells scatter by 0.058-0.33. The first crop alone, seen both ways, shows each of 185 real faces
and 17 of 37 others: those it does not show are given up at once."""
_STAYS, _GROWS = 0.85, 1.5
"""A tracked face stays while it shares this much of the smaller box, and its area changes by less than this factor."""
_SAME = 0.4
"""A face found in a crop is the one looked for if the boxes agree this much (common area over united area): sometimes
the detector sees a small face inside a large one."""
_OVERLAP = 0.5
"""Faces sharing this much of the smaller box are one face seen twice."""

_MIDLINE = (
    0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 94, 151, 152, 164, 168, 175, 195, 197, 199, 200,
)  # fmt: skip


def _twins() -> NDArray[np.intp]:
    """Return for each landmark the one on the other side of the face.

    Mesh points 248..467 are the twins of those below 248 off the midline, in the same order (found by matching
    landmarks of mirrored pictures); the irises follow: centre, then right, top, left, bottom as the viewer sees them.
    """
    twin = np.arange(N_LANDMARKS)
    right = [index for index in range(248) if index not in _MIDLINE] + [468, 469, 470, 471, 472]
    left = [*range(248, 468), 473, 476, 475, 474, 477]
    twin[right], twin[left] = left, right
    return twin


_TWIN = _twins()


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a picture."""

    landmarks: Points
    """[478, 3] px, MediaPipe order, pixel centres at .5; z in the same unit, smaller is nearer."""
    scatter: F32 | None = None
    """[478] how far each landmark lies apart between the crops it was measured in (RMS, eye distances); None where it
    was measured once."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the landmarks in px."""
        low, high = self.landmarks[:, :2].min(axis=0), self.landmarks[:, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def area(self) -> float:
        """Area of the box in square px."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)

    @property
    def eye_distance_px(self) -> float:
        """Distance of the outer eye corners in the picture plane."""
        right, left = self.landmarks[OUTER_EYES[0], :2], self.landmarks[OUTER_EYES[1], :2]
        return float(np.hypot(*(right - left)))


def load_library() -> None:
    """Import mediapipe, which takes a second, now and not in the middle of something.

    Raises:
        Unavailable: mediapipe or a system library it needs is missing.
    """
    import_mediapipe()


def find_faces(picture: U8, *, model: Path | None = None, every: bool = False) -> list[Face]:
    """Return the faces of an RGB picture [H, W, 3], left to right; an empty list if there is none.

    Ends with the size at which one is found; where there are several, or `every` is asked for, smaller ones are looked
    for too, down to 40 px between the eyes or until there are `MOST_FACES`.
    `model` is a `face_landmarker.task` file; without one the landmark models bundled with mediapipe 0.10 are used.

    Raises:
        Unavailable: mediapipe or a system library it needs is missing, or it holds no landmark models.
        InputError: `model` cannot be read or is no face landmarker.
    """
    faces: list[Face] = []
    doubted: list[Points] = []
    with detector(model) as detect:
        for side, found in _by_size(picture, detect):
            for points in _without_doubles(found):
                if len(faces) < MOST_FACES and len(faces) + len(doubted) < _MOST_TRIED:
                    _try(picture, points, detect, faces, doubted)
            if len(faces) == MOST_FACES or (faces and side <= _SMALL_ENOUGH) or (len(faces) == 1 and not every):
                break
    return sorted(faces, key=lambda face: face.box[0] + face.box[2])


def _try(picture: U8, rough: Points, detect: Detect, faces: list[Face], doubted: list[Points]) -> None:
    """Measure a face and add it to those found, or to those in doubt, unless it is among them."""
    if _is_among(faces, rough) or any(agreement(rough, other) > _SAME for other in doubted):
        return
    face = _measured(picture, rough, detect)
    if face is None:
        doubted.append(rough)
    elif not _is_among(faces, face.landmarks):
        faces.append(face)


def _is_among(faces: list[Face], points: Points) -> bool:
    return any(_shared(points, face.landmarks) > _OVERLAP for face in faces)


def track(frames: Iterable[U8], *, model: Path | None = None) -> Iterator[Points | None]:
    """Yield landmarks [478, 3] px of the largest face for each RGB frame [H, W, 3] of a video, None where it is lost.

    Each frame is measured alone: no smoothing hides or delays a motion. The crop that is looked at stays where it is
    until the face has left its place, so that neither its own jitter nor an opening jaw moves the measure.

    Raises:
        Unavailable, InputError: as `find_faces`.
    """
    with detector(model) as detect:
        place: Points | None = None
        for frame in frames:
            found = [] if place is None else _in_crop(frame, place, _CROPS[0], [detect])
            if place is None or not found or _has_moved(found[0], place):
                place = max(_search(frame, detect), key=lambda points: Face(points).area, default=None)
                found = [] if place is None else _in_crop(frame, place, _CROPS[0], [detect])
            yield found[0] if found else None


def _has_moved(now: Points, place: Points) -> bool:
    """Tell whether a face is no longer where a crop was placed for it, or of another size."""
    return _shared(now, place) < _STAYS or not 1 / _GROWS < Face(now).area / Face(place).area < _GROWS


# --- search ---------------------------------------------------------------------------------------------------------


def _by_size(picture: U8, detect: Detect) -> Iterator[tuple[float, list[Points]]]:
    """Yield rough landmarks of faces in the whole, in overlapping halves, quarters, eighths, and the side of these."""
    for zoom in (1, 2, 4, 8):
        side = max(picture.shape[:2]) / zoom
        if zoom > 1 and side < _CROP_SIDE / 4:
            return
        yield side, _in_parts(picture, side, detect)


def _search(picture: U8, detect: Detect) -> list[Points]:
    """Return rough landmarks of faces at the first size at which any are found."""
    return next((_without_doubles(found) for _, found in _by_size(picture, detect) if found), [])


def _in_parts(picture: U8, side: float, detect: Detect) -> list[Points]:
    """Return what is found in overlapping squares of `side` px that cover the picture."""
    height, width = picture.shape[:2]
    size = min(_SEARCH_SIDE, max(round(side), _CROP_SIDE))
    found: list[Points] = []
    for top in _starts(height, side):
        for left in _starts(width, side):
            faces = detect(cut_square(picture, (left, top), side, size))
            found += _to_picture(faces, (left, top), side / size)
    return found


def _starts(length: int, side: float) -> list[float]:
    """Return where squares of `side` start so that they cover `length` with half of each shared."""
    if side >= length:
        return [(length - side) / 2]
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return [float(start) for start in np.linspace(0, length - side, count)]


def _without_doubles(found: list[Points]) -> list[Points]:
    """Return the faces without repeats: of two that overlap the one with the larger box stays."""
    boxes = np.array([Face(points).box for points in found]).reshape(-1, 4)  # all at once: a crowd has thousands
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    for index in np.argsort(-areas, kind="stable").tolist():
        others = boxes[kept]
        sides = np.minimum(others[:, 2:], boxes[index, 2:]) - np.maximum(others[:, :2], boxes[index, :2])
        common = np.prod(np.clip(sides, 0, None), axis=1)
        if not np.any(common > _OVERLAP * np.maximum(areas[index], 1e-9)):
            kept.append(index)
    return [found[index] for index in kept]


def _common(one: Face, two: Face) -> float:
    """Return the area that both boxes cover, in square px."""
    (a_left, a_top, a_right, a_bottom), (b_left, b_top, b_right, b_bottom) = one.box, two.box
    wide = max(0.0, min(a_right, b_right) - max(a_left, b_left))
    return wide * max(0.0, min(a_bottom, b_bottom) - max(a_top, b_top))


def _shared(first: Points, second: Points) -> float:
    """Return the share of the smaller box that lies in the other."""
    one, two = Face(first), Face(second)
    return _common(one, two) / max(min(one.area, two.area), 1e-9)


def agreement(first: Points, second: Points) -> float:
    """Return common area over united area: 1 for the same box, 0 for boxes apart."""
    one, two = Face(first), Face(second)
    common = _common(one, two)
    return common / max(one.area + two.area - common, 1e-9)


def _measured(picture: U8, rough: Points, detect: Detect) -> Face | None:
    """Return a face with landmarks averaged over several crops; None if they do not agree that it is one."""
    views = (detect, _mirrored(detect))
    seen = _in_crop(picture, rough, _CROPS[0], views)
    if len(seen) < len(views):
        return None
    for crop in _CROPS[1:]:
        seen += _in_crop(picture, seen[0], crop, views)
    if len(seen) <= len(_CROPS):
        return None
    mean = np.mean(seen, axis=0, dtype=np.float64)
    apart = np.sqrt(np.mean(np.sum((np.array(seen) - mean)[..., :2] ** 2, axis=-1), axis=0))
    points: Points = mean.astype(np.float32)
    scatter = (apart / Face(points).eye_distance_px).astype(np.float32)
    return Face(points, scatter) if np.sqrt(np.mean(scatter**2)) <= _MAX_SPREAD else None


def _mirrored(detect: Detect) -> Detect:
    """Return a detector that looks at the mirror image and gives its answer in the true one."""

    def detect_mirrored(square: U8) -> list[Points]:
        faces = []
        for points in detect(np.ascontiguousarray(square[:, ::-1])):
            turned = points[_TWIN]
            turned[:, 0] = square.shape[1] - turned[:, 0]
            faces.append(turned)
        return faces

    return detect_mirrored


def _in_crop(picture: U8, near: Points, crop: tuple[float, float, float], views: Sequence[Detect]) -> list[Points]:
    """Return the face found where `near` is, looking at a crop of it only: once per view that finds it."""
    left, top, right, bottom = Face(near).box
    size = max(right - left, bottom - top)
    zoom, shift_x, shift_y = crop
    side = zoom * size
    corner = ((left + right - side) / 2 + shift_x * size, (top + bottom - side) / 2 + shift_y * size)
    square = cut_square(picture, corner, side, _CROP_SIDE)
    found = []
    for detect in views:
        faces = _to_picture(detect(square), corner, side / _CROP_SIDE)
        best = max(faces, key=lambda points: agreement(points, near), default=None)
        if best is not None and agreement(best, near) > _SAME:
            found.append(best)
    return found


def _to_picture(faces: list[Points], corner: tuple[float, float], scale: float) -> list[Points]:
    """Return landmarks of a square in pixels of the picture that it was cut from."""
    offset = np.array([*corner, 0.0])
    return [(points * scale + offset).astype(np.float32) for points in faces]


def cut_square(picture: U8, corner: tuple[float, float], side: float, size: int) -> U8:
    """Return a square of the picture as [size, size, 3]; what lies outside repeats the border.

    The detector's own projection is exact for square pictures only, and it samples without averaging.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    left, top = corner
    x0, y0 = int(np.floor(left)) - 2, int(np.floor(top)) - 2
    x1, y1 = int(np.ceil(left + side)) + 2, int(np.ceil(top + side)) + 2
    # (two pixels more all round, for the filter)
    inside = picture[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    margins = ((max(-y0, 0), max(y1 - height, 0)), (max(-x0, 0), max(x1 - width, 0)), (0, 0))
    padded = np.pad(inside, margins, mode="edge") if any(map(any, margins)) else inside
    box = (left - x0, top - y0, left - x0 + side, top - y0 + side)
    cut = Image.fromarray(np.ascontiguousarray(padded))
    return np.asarray(cut.resize((size, size), Image.Resampling.BILINEAR, box, reducing_gap=2.0))
