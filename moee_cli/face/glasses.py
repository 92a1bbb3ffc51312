"""Eyeglasses: a stiff layer over the face, so that brows, lids and cheeks move behind the frame and not with it."""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.fields import Anatomy, Box, Patch, sample
from moee_cli.face.pose import HeadPose
from moee_cli.face.rims import find_glasses

_COVER = 0.010
"""How far, in units, the layer reaches beyond what was found: none of the frame's soft edge may stay on the skin."""
_MARGIN = 0.13
"""How far, in units, a turn of the head brings in parts of the frame from beside its box."""
_STEP = 1 / 40
"""Distance of the box's nodes, in units."""


class Glasses:
    """The frame of one portrait's glasses, and the portrait without it."""

    def __init__(self, anatomy: Anatomy, pixels: U8, seen: F32) -> None:
        """Lift a frame off a portrait [H, W, 3]; `seen` [H, W] is what `rims.find_glasses` found."""
        unit = anatomy.frame.scale
        self._pixels = pixels
        reach = max(1, round(_COVER * unit))
        core = np.asarray(cv2.dilate((seen > 0.25).astype(np.uint8), _disc(reach)), np.uint8)
        rows, columns = np.flatnonzero(core.any(1)), np.flatnonzero(core.any(0))
        step = max(2, round(_STEP * unit))
        margin = round(_MARGIN * unit) + 5 * step  # the border of a patch is soft over four nodes
        x, y = int(columns[0]) - margin, int(rows[0]) - margin
        self._box = Box(x, y, int(columns[-1]) + margin + 1 - x, int(rows[-1]) + margin + 1 - y)
        self.skin = self._without(core)
        """[H, W, 3] the portrait with skin where the frame was."""
        soft = cv2.GaussianBlur(cv2.dilate(core, _disc(2)) * np.float32(255.0), (0, 0), 1.0)
        self._cover = np.where(core > 0, 255, soft).astype(np.uint8)
        self._patch = Patch(anatomy, self._box, step, pad=4)
        self._still = np.zeros(self._patch.points.n_weights, np.float32)

    @classmethod
    def of(cls, anatomy: Anatomy, pixels: U8, landmarks: F32) -> Glasses | None:
        """Return the glasses of a portrait [H, W, 3] with landmarks [478, 3], None where it shows none."""
        seen = find_glasses(pixels, landmarks, anatomy.frame)
        return None if seen is None else cls(anatomy, pixels, seen)

    def draw(self, frame: U8, pose: HeadPose) -> None:
        """Draw the frame of the glasses into `frame`: it turns with the head and moves with nothing else."""
        points = self._patch.points
        middle = points.displacement(self._still, pose)[points.count // 2]
        dx, dy = (int(way) for way in np.round(middle))
        at = self._patch.backward(self._still, pose, (dx, dy))
        cover = cv2.remap(self._cover, at, np.empty(0, np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        share = np.asarray(cover, np.float32) * np.float32(1.0 / 255.0)
        self._patch.lay(sample(self._pixels, at), frame, (dx, dy), share)

    def _without(self, core: U8) -> U8:
        """Return the portrait with what `core` [H, W] covers filled from around it."""
        rows, columns, _, _ = self._box.inside(core.shape[1], core.shape[0])
        skin = self._pixels.copy()
        part = np.ascontiguousarray(skin[rows, columns])
        skin[rows, columns] = cv2.inpaint(part, np.ascontiguousarray(core[rows, columns]), 4.0, cv2.INPAINT_TELEA)
        return skin


def _disc(radius: int) -> U8:
    size = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
