"""A picture of which only a part is animated: which part, and how its frames are laid back without a border."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from moee_cli.core.types import F32, U8, Canvas, Frames
from moee_cli.face.landmarks import OUTER_EYES

REACH = (2.3, 2.6, 2.3, 2.6)
"""Left, top, right and bottom reach of the animated part from the middle of the eyes, in outer-eye distances: all that
turns with a head, hair and hats included, and room for the motion to fade out (`face.fields`)."""
WORTH_WHILE = 0.75
"""A part larger than this share of the picture is not cut out: nothing would be saved."""
FEATHER_PX = 8
"""Width of the soft border where a frame meets the canvas, for engines whose frames differ a little there."""


def animated_part(landmarks: F32, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return left, top, right, bottom (px) of what moves around a face [478, 3]; None if that is nearly everything."""
    right_eye, left_eye = (landmarks[index, :2] for index in OUTER_EYES)
    x, y = (right_eye + left_eye) / 2
    unit = float(np.hypot(*(left_eye - right_eye)))
    left, top = max(0, int(x - REACH[0] * unit)), max(0, int(y - REACH[1] * unit))
    right, bottom = min(width, int(x + REACH[2] * unit) + 1), min(height, int(y + REACH[3] * unit) + 1)
    if (right - left) * (bottom - top) > WORTH_WHILE * width * height:
        return None
    return left, top, right, bottom


def on_canvas(frames: Frames, canvas: Canvas, held: tuple[bool, bool, bool, bool]) -> Iterator[U8]:
    """Yield the whole picture [H, W, 3] for every frame [h, w, 3] of its animated part.

    `held` says at which borders (left, top, right, bottom) the canvas goes on; there a frame is blended in.
    """
    share: F32 | None = None
    for frame in frames:
        height, width = frame.shape[:2]
        if share is None:
            share = _share(height, width, held)
        whole = canvas.pixels.copy()
        part = whole[canvas.top : canvas.top + height, canvas.left : canvas.left + width]
        part[:] = _blended(frame, part, share)
        yield whole


def _blended(frame: U8, part: U8, share: F32) -> U8:
    import cv2

    return np.asarray(cv2.blendLinear(frame, np.ascontiguousarray(part), share, 1.0 - share), np.uint8)


def _share(height: int, width: int, held: tuple[bool, bool, bool, bool]) -> F32:
    """Return how much of each pixel [h, w] the frame covers: 1 but for a soft rim at held borders."""
    columns, rows = np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5
    left, top, right, bottom = held
    across, down = np.ones(width, np.float32), np.ones(height, np.float32)
    for is_held, away, along in (
        (left, columns, across),
        (right, width - columns, across),
        (top, rows, down),
        (bottom, height - rows, down),
    ):
        if is_held:
            np.minimum(along, away / FEATHER_PX, out=along)
    return np.minimum(down[:, None], across[None])
