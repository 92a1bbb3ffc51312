"""Where a picture goes in the frame, and how it is drawn there: sharp, without a half-pixel shift, no hard borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from moee_cli.core.types import F32, U8

FACE_SHARE = 0.42
"""Face height (hair line to chin) per frame height in a square frame: head and shoulders."""
WIDE_GAIN, TALL_GAIN = 0.2, 0.4
"""How a frame's aspect tightens the shot: a 16:9 frame shows the face at 47 % of its height, a 9:16 frame at 30 % of
its height, which is 53 % of its width (both chosen by eye on six portraits)."""
MIN_HEIGHT, MIN_WIDTH = 1 / 0.53, 1.3
"""The tightest frame, in face heights: hair, hats and chin stay in."""
TIGHTEST, LIKE = 1 / 0.70, 1.3
"""The tightest frame, in face heights, for a picture of nearly the frame's shape (up to this factor): such a picture is
rather shown as close as it was taken than with borders made up all round."""
LOOSEN = 1.3
"""A picture with too few pixels shows up to this much more around the face before it is enlarged."""
CENTRE = 0.455
"""Height of the middle of the face in the frame, from the top."""
HEADROOM = 0.4
"""Least room above the hair line, in face heights, for hair or hat."""
CHINROOM = 0.15
"""Room under the chin that is kept even where it costs headroom, in face heights: the jaw drops when speaking."""
SNAP = 0.04
"""A crop that differs by less than this from the whole picture is the whole picture."""
_BLURS = (0.008, 0.025, 0.07)
"""Blur (standard deviation per frame diagonal) of the extended border, growing with the distance from the picture."""
_BLUR_REACH = (0.01, 0.05, 0.14)
"""Distance per frame diagonal at which each blur holds fully."""

_HAIRLINE, _CHIN, _CHEEKS = 10, 152, (234, 454)


@dataclass(frozen=True)
class Placement:
    """The frame as a rectangle over the picture: `frame = (picture - corner) * scale`, pixel centres at .5 in both."""

    left: float
    top: float
    """Upper left corner of the frame in picture pixels; negative where the frame reaches beyond the picture."""
    scale: float
    """Frame pixels per picture pixel, the same for x and y."""
    width: int
    height: int
    """Frame size in px."""

    def to_frame(self, points: F32) -> F32:
        """Return points [N, 3] of the picture in frame pixels; z is scaled, not shifted."""
        corner = np.array([self.left, self.top, 0.0])
        moved: F32 = ((points.astype(np.float64) - corner) * self.scale).astype(np.float32)
        return moved


def place_whole(picture: tuple[int, int], frame: tuple[int, int]) -> Placement:
    """Return the placement that shows the whole picture (width, height), centred in the frame (width, height)."""
    scale = min(frame[0] / picture[0], frame[1] / picture[1])
    return Placement((picture[0] - frame[0] / scale) / 2, (picture[1] - frame[1] / scale) / 2, scale, *frame)


def place_cover(landmarks: F32, picture: tuple[int, int], frame: tuple[int, int]) -> Placement:
    """Return the placement with as much of the picture as the frame's shape allows, around the face."""
    return _around(landmarks, min(picture[1], picture[0] * frame[1] / frame[0]), picture, frame)


def place_face(landmarks: F32, picture: tuple[int, int], frame: tuple[int, int]) -> Placement:
    """Return a head-and-shoulders placement around the face.

    A frame that would reach beyond the picture is first shifted, then made smaller (down to `MIN_HEIGHT` and
    `MIN_WIDTH`, or `TIGHTEST` where the picture has nearly its shape), and only then reaches beyond it.
    """
    aspect = frame[0] / frame[1]
    face = _face_height(landmarks)
    tight = max(MIN_HEIGHT * face, MIN_WIDTH * face / aspect)
    if 1 / LIKE <= picture[0] / picture[1] / aspect <= LIKE:
        tight = TIGHTEST * face
    wanted = face / FACE_SHARE * (aspect**-WIDE_GAIN if aspect >= 1 else aspect ** (TALL_GAIN - 1))
    room = min(picture[1], picture[0] / aspect)
    if wanted < frame[1]:
        wanted = max(wanted, min(frame[1], LOOSEN * wanted, room))
    height = wanted if wanted <= room else max(room, tight)
    if abs(height - room) < SNAP * room:
        height = room
    return _around(landmarks, height, picture, frame)


def _face_height(landmarks: F32) -> float:
    """Return hair line to chin in px; in space, so that looking up or down does not shorten it."""
    return float(np.linalg.norm(landmarks[_HAIRLINE] - landmarks[_CHIN]))


def _around(landmarks: F32, height: float, picture: tuple[int, int], frame: tuple[int, int]) -> Placement:
    """Return the placement of a frame `height` picture pixels high around the face, inside the picture if it can be."""
    width = height * frame[0] / frame[1]
    middle_x = float(landmarks[list(_CHEEKS), 0].mean())
    middle_y = float(landmarks[[_HAIRLINE, _CHIN], 1].mean())
    face = _face_height(landmarks)
    crown = float(landmarks[_HAIRLINE, 1]) - HEADROOM * face
    collar = float(landmarks[_CHIN, 1]) + CHINROOM * face
    left = middle_x - width / 2
    top = max(min(middle_y - CENTRE * height, crown), collar - height)
    return Placement(_clamped(left, picture[0] - width), _clamped(top, picture[1] - height), frame[1] / height, *frame)


def _clamped(start: float, room: float) -> float:
    """Return the start nearest to the wanted one that keeps the smaller of frame and picture inside the other."""
    return min(max(start, min(room, 0.0)), max(room, 0.0))


def render(picture: U8, placement: Placement) -> U8:
    """Return the frame, uint8 [H, W, 3]: the picture resampled, its border carried on, ever softer, where it ends."""
    height, width = picture.shape[:2]
    scale = placement.scale
    x0, y0, x1, y1 = picture_part(placement, (width, height))
    box = (
        max(placement.left + x0 / scale, 0.0),
        max(placement.top + y0 / scale, 0.0),
        min(placement.left + x1 / scale, float(width)),
        min(placement.top + y1 / scale, float(height)),
    )
    inner = _resampled(picture, box, (x1 - x0, y1 - y0))
    if inner.shape[:2] == (placement.height, placement.width):
        return inner
    return extended(inner, x0, y0, (placement.width, placement.height))


def picture_part(placement: Placement, picture: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom px of the part of the frame that shows a picture (width, height) itself."""
    x0, x1 = _covered(placement.left, picture[0], placement.scale, placement.width)
    y0, y1 = _covered(placement.top, picture[1], placement.scale, placement.height)
    return x0, y0, x1, y1


def _covered(corner: float, length: int, scale: float, n: int) -> tuple[int, int]:
    """Return the range of frame pixels, of `n`, that lie fully inside the picture; what rounding leaves over counts."""
    slack = 1e-6 * n
    start = int(np.ceil(max(-corner * scale, 0.0) - slack))
    stop = int(np.floor(min((length - corner) * scale, n) + slack))
    return start, max(stop, start + 1)


def _resampled(picture: U8, box: tuple[float, float, float, float], size: tuple[int, int]) -> U8:
    """Return a box (left, top, right, bottom px) of the picture in another size: Lanczos down, cubic up."""
    from PIL import Image

    # The filter reaches three source pixels of the smaller scale beyond the box.
    reach = 4 + int(3 * max((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1]))
    x0, y0 = max(int(box[0]) - reach, 0), max(int(box[1]) - reach, 0)
    part = Image.fromarray(np.ascontiguousarray(picture[y0 : int(box[3]) + reach, x0 : int(box[2]) + reach]))
    inside = (box[0] - x0, box[1] - y0, min(box[2] - x0, part.width), min(box[3] - y0, part.height))
    shrinks = box[2] - box[0] >= size[0]
    return np.array(part.resize(size, Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC, inside))


def extended(inner: U8, left: int, top: int, size: tuple[int, int]) -> U8:
    """Return a frame of `size` with `inner` at (left, top) and its border carried outwards, blurred by distance."""
    import cv2

    width, height = size
    right, bottom = width - left - inner.shape[1], height - top - inner.shape[0]
    canvas = _pixels(cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_REPLICATE))
    columns, rows = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    beyond_x = np.maximum(np.maximum(left - columns, columns - (width - right - 1)), 0)
    beyond_y = np.maximum(np.maximum(top - rows, rows - (height - bottom - 1)), 0)
    diagonal = float(np.hypot(width, height))
    distance = np.hypot(beyond_y[:, None], beyond_x[None, :]) / diagonal
    blended = canvas.astype(np.float32)
    start = 0.0
    for blur, reach in zip(_BLURS, _BLUR_REACH, strict=True):
        soft = _blurred(canvas, blur * diagonal)
        weight = np.clip((distance - start) / (reach - start), 0, 1)[..., None]
        blended += (soft - blended) * weight
        start = reach
    frame: U8 = (blended + 0.5).astype(np.uint8)
    return frame


def _pixels(array: Any) -> U8:
    """Return what OpenCV gives back, which has no precise type, as pixels."""
    pixels: U8 = array
    return pixels


def _blurred(canvas: U8, sigma: float) -> U8:
    """Return the canvas blurred by a Gaussian of `sigma` px; wide ones at reduced size, where they cost little."""
    import cv2

    factor = max(1.0, sigma / 4)
    height, width = canvas.shape[:2]
    small = (max(1, round(width / factor)), max(1, round(height / factor)))
    blurred = cv2.GaussianBlur(
        cv2.resize(canvas, small, interpolation=cv2.INTER_AREA), (0, 0), sigma / factor, borderType=cv2.BORDER_REPLICATE
    )
    return _pixels(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_CUBIC))
