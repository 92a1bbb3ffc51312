"""The part of a portrait in which one eye is drawn: its pixels, and where its lids run in them."""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.fields import Box

_REACH_X, _REACH_Y = 0.28, 0.28
"""Half extents, in units, of the box of an ordinary eye: past its corners and above and below its lids' reach both
sides of the slit move alike."""
_PAST_CORNER, _PAST_LID = 0.12, 0.20
"""How far, in units, the box reaches past the corners and the lids of an eye that is larger than ordinary."""


def as_bytes(picture: F32) -> U8:
    """Return a picture of floats rounded to bytes."""
    return np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8)


class EyeBox:
    """The box of one eye in the portrait at rest. Rows and columns are counted in index coordinates of the portrait."""

    def __init__(self, source: U8, lids: tuple[F32, F32], unit: float) -> None:
        """Cut the box of lids (upper, lower), each [M, 2] in pixels, out of a picture; `unit` is in pixels."""
        self.unit = unit
        self.upper, self.lower = lids
        self.centre = np.asarray((self.upper.mean(0) + self.lower.mean(0)) / 2, np.float32)
        high = float(np.abs(np.concatenate(lids)[:, 1] - self.centre[1]).max()) / unit + _PAST_LID
        wide = float(self.upper[-1, 0] - self.upper[0, 0]) / 2 / unit + _PAST_CORNER
        width, height = round(2 * max(_REACH_X, wide) * unit), round(2 * max(_REACH_Y, high) * unit)
        self.box = Box(round(self.centre[0]) - width // 2, round(self.centre[1]) - height // 2, width, height)
        rows = np.clip(np.arange(self.box.y, self.box.y + height), 0, source.shape[0] - 1)
        columns = np.clip(np.arange(self.box.x, self.box.x + width), 0, source.shape[1] - 1)
        self.pixels = np.asarray(source[rows[:, None], columns[None]], np.uint8)
        self.columns = np.arange(width, dtype=np.float32) + self.box.x
        self.rows = (np.arange(height, dtype=np.float32) + self.box.y)[:, None]
        self.top, self.bottom = (
            np.interp(self.columns, lid[:, 0] - 0.5, lid[:, 1] - 0.5).astype(np.float32) for lid in lids
        )
        self.inwards = np.minimum(self.columns + 0.5 - self.upper[0, 0], self.upper[-1, 0] - self.columns - 0.5)
        """[w] distance of the columns from the nearer corner, negative outside the eye."""

    def away(self, point: F32) -> F32:
        """Return the distance [h, w] of the pixels from a point [2]."""
        return np.asarray(np.hypot(self.columns + 0.5 - point[0], self.rows + 0.5 - point[1]), np.float32)

    def spread(self, picture: F32, weight: F32, reaches: tuple[float, ...]) -> F32:
        """Return `picture` [h, w, 3] continued from where `weight` [h, w] is high, near before far (reaches: units)."""
        mean = (picture * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        filled = np.broadcast_to(mean, picture.shape)
        for reach in sorted(reaches, reverse=True):
            seen = np.dstack([picture * weight[..., None], weight]).astype(np.float32)
            sums = cv2.GaussianBlur(seen, (0, 0), reach * self.unit, borderType=cv2.BORDER_REPLICATE)
            known = sums[..., 3:]
            local = sums[..., :3] / np.maximum(known, 1e-6)
            filled = filled + (local - filled) * (known / (known + 0.05))
        return np.asarray(filled, np.float32)


def opening(lids: tuple[F32, F32], box: Box, rims: tuple[float, float]) -> tuple[F32, F32, F32]:
    """Return coverage [h, w] of the opening between lids, and its top and bottom row [w].

    Lids (upper, lower), each [M, 2], and rows are in index coordinates. `rims` (pixels) is how far inside the upper
    and the lower lid's edge the opening starts: the rim belongs to the skin, it carries the lash line.
    """
    upper, lower = lids
    columns = box.x + np.arange(box.width, dtype=np.float32)
    rows = (box.y + np.arange(box.height, dtype=np.float32))[:, None]
    top = np.interp(columns, upper[:, 0], upper[:, 1]).astype(np.float32)
    bottom = np.interp(columns, lower[:, 0], lower[:, 1]).astype(np.float32)
    room = 0.25 * np.maximum(bottom - top, 0.0)
    over, under = (np.clip(rim, -room, room) for rim in rims)
    cover = np.clip(np.minimum(rows + 0.5, bottom - under) - np.maximum(rows - 0.5, top + over), 0.0, 1.0)
    inside = (columns > upper[0, 0]) & (columns < upper[-1, 0])
    return np.asarray(cover * inside, np.float32), top, bottom
