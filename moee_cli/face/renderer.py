"""The renderer that moves the user's own photo: skin, then lower lip and chin, mouth, eyes."""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.types import F32, U8, Portrait
from moee_cli.face.basis import SEAL_CENTRES
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.controls import N_SHAPES, bounded, field_weights, head_of
from moee_cli.face.eyes import Eye
from moee_cli.face.fields import Anatomy, Box, MovingPoints, Patch, sample
from moee_cli.face.mouth import Mouth
from moee_cli.face.outlines import Outlines
from moee_cli.face.palette import Palette
from moee_cli.face.pose import HeadPose

_NODES = 128
"""Nodes of the whole-frame grid along the longer side: one per 4 pixels at 512."""
_CHIN_BOX = (0.56, 0.30, 1.45)
"""Half width, and reach above and below the lip line, of the box in which the jaw's side is drawn (units)."""


class FaceRenderer:
    """Draws one portrait in motion. `draw` is a pure function of the motion and may be called from several threads."""

    def __init__(self, portrait: Portrait) -> None:
        cv2.setNumThreads(1)  # fixed sums, and callers run frames side by side
        self._pixels = np.ascontiguousarray(portrait.pixels)
        height, width = self._pixels.shape[:2]
        frame = CanonicalFrame.of(portrait.landmarks)
        outlines = Outlines.of(self._pixels, portrait.landmarks, frame)
        anatomy = Anatomy(frame, outlines.slits(frame), width, height)
        step = max(2, round(max(width, height) / _NODES))
        self._skin = Patch(anatomy, Box(0, 0, width, height), step)
        self._chin = Patch(anatomy, self._chin_box(anatomy, outlines), max(2, round(frame.scale / 40)), lips="below")
        middle = outlines.lip_lower[len(outlines.lip_lower) // 2]
        chin = middle + frame.to_pixels(np.array([[0.0, -0.4]], np.float32))
        self._chin_anchor = MovingPoints(anatomy, chin.astype(np.float32), lips="below")
        palette = Palette.of(self._pixels, portrait.landmarks, outlines)
        self._mouth = Mouth(anatomy, outlines, palette)
        self._eyes = tuple(Eye(anatomy, outlines, self._pixels, eye) for eye in (0, 1))
        self._gaps = self._lip_gaps(anatomy, outlines)

    @staticmethod
    def _chin_box(anatomy: Anatomy, outlines: Outlines) -> Box:
        unit = anatomy.frame.scale
        half, above, below = (round(part * unit) for part in _CHIN_BOX)
        x, y = (outlines.lip_lower[0] + outlines.lip_lower[-1]) / 2
        return Box(round(x) - half, round(y) - above, 2 * half, above + below)

    def _lip_gaps(self, anatomy: Anatomy, outlines: Outlines) -> tuple[F32, F32]:
        """Return how each field opens the lips at `SEAL_CENTRES` [K, 7], and their opening at rest [7], in units."""
        ends = outlines.lip_upper[[0, -1], 0]
        at = ends.mean() + SEAL_CENTRES * (ends[1] - ends[0]) / 2 * 1.04
        index = np.abs(outlines.lip_upper[:, :1] - at[None]).argmin(0)
        upper, lower = outlines.lip_upper[index], outlines.lip_lower[index]
        rest = (lower - upper)[:, 1] / np.float32(anatomy.frame.scale)
        fields = []
        for moving in (MovingPoints(anatomy, upper, lips="above"), MovingPoints(anatomy, lower, lips="below")):
            values = np.zeros((len(moving.fields), moving.count), np.float32)
            values[:, moving.moved] = moving.fields[:, len(moving.moved) :]
            fields.append(values)
        return fields[0] - fields[1], rest

    def _weights(self, held: F32) -> F32:
        """Return the field weights, with seals where the shapes would drive the lips through each other."""
        weights = field_weights(held, len(SEAL_CENTRES))
        opens, rest = self._gaps
        weights[N_SHAPES + 2 :] = np.maximum(0.0, -(rest + weights @ opens))
        return weights

    def draw(self, motion: F32) -> U8:
        """Return the frame, RGB [H, W, 3], for one motion frame [52] (`labels.MOTION_CHANNELS`).

        Raises:
            ValueError: the motion frame has another shape.
        """
        held = bounded(motion)
        weights = self._weights(held)
        pose = HeadPose(head_of(held))
        back = self._skin.backward(weights, pose)
        frame = sample(self._pixels, back)
        upper = self._mouth.upper.positions(weights, pose) - 0.5
        lower = self._mouth.lower.positions(weights, pose) - 0.5
        self._draw_chin(frame, weights, pose, (upper + lower) / 2)
        self._mouth.draw(frame, (upper, lower), held, pose)
        for eye in self._eyes:
            eye.draw(frame, weights, held, pose)
        return frame

    def _draw_chin(self, frame: U8, weights: F32, pose: HeadPose, line: F32) -> None:
        """Draw what lies on the jaw's side of the lips, below `line` [M, 2] in index coordinates."""
        still = np.zeros_like(weights)
        shift = np.round(self._chin_anchor.displacement(still, pose)[0]).astype(int)
        dx, dy = int(shift[0]), int(shift[1])
        box = self._chin.box.moved(dx, dy)
        rows, columns, own_rows, own_columns = box.inside(frame.shape[1], frame.shape[0])
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return
        back = self._chin.backward(weights, pose, (dx, dy))[own_rows, own_columns]
        jaw = sample(self._pixels, np.ascontiguousarray(back))
        edge = np.interp(np.arange(columns.start, columns.stop), line[:, 0], line[:, 1]).astype(np.float32)
        at = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        share = np.clip(at + 0.5 - edge, 0.0, 1.0).astype(np.float32)
        under = np.ascontiguousarray(frame[rows, columns])
        frame[rows, columns] = cv2.blendLinear(jaw, under, share, 1.0 - share)
