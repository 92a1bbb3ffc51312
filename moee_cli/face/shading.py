"""Folds that expressions press into skin: soft dark furrows beside light ridges, multiplied into the photo.

A furrow is a short line in the canonical face frame. Its picture is made once per portrait on a coarse grid over the
face; a frame adds the few that are active, and one multiplication in the face box darkens and lightens the source.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from moee_cli.core.labels import CHANNEL
from moee_cli.core.types import F32, U8
from moee_cli.face.easing import smooth
from moee_cli.face.fields import Anatomy, Box, weighted

_Line = tuple[tuple[float, float], ...]

_NASOLABIAL: _Line = ((0.155, -0.42), (0.235, -0.52), (0.305, -0.64), (0.345, -0.76))
_CROW: tuple[_Line, ...] = (((0.56, 0.03), (0.68, 0.07)), ((0.57, -0.03), (0.70, -0.05)))
_UNDER_EYE: _Line = ((0.24, -0.10), (0.34, -0.125), (0.45, -0.105))
_GLABELLA: _Line = ((0.085, 0.08), (0.072, 0.16), (0.080, 0.25), (0.09, 0.36))
_NOSE_ROOT: _Line = ((0.0, 0.065), (0.055, 0.075))
_NOSE_SIDE: _Line = ((0.06, -0.08), (0.13, -0.16))
_FOREHEAD: tuple[_Line, ...] = (((0.0, 0.415), (0.30, 0.43)), ((0.0, 0.49), (0.32, 0.50)))
_FOREHEAD_OUTER: _Line = ((0.32, 0.45), (0.52, 0.42))
_CHIN: _Line = ((0.0, -0.985), (0.12, -0.965))
_DIMPLE: _Line = ((0.345, -0.735), (0.36, -0.83))

_FOLDS: tuple[tuple[_Line, float, float, dict[str, float]], ...] = (
    # line on the subject's left, width in units, strength, shapes that press it (a stem means that side's shape)
    (_NASOLABIAL, 0.034, 0.085, {"mouthSmile": 0.9, "noseSneer": 0.9, "mouthUpperUp": 0.6, "cheekSquint": 0.3}),
    (_CROW[0], 0.014, 0.06, {"cheekSquint": 0.7, "eyeSquint": 0.4}),
    (_CROW[1], 0.014, 0.06, {"cheekSquint": 0.7, "eyeSquint": 0.4}),
    (_UNDER_EYE, 0.022, 0.13, {"cheekSquint": 0.8, "eyeSquint": 0.6}),
    (_GLABELLA, 0.022, 0.12, {"browDown": 1.0, "noseSneer": 0.2}),
    (_NOSE_ROOT, 0.020, 0.06, {"browDown": 0.5, "noseSneer": 0.6}),
    (_NOSE_SIDE, 0.016, 0.10, {"noseSneer": 1.0}),
    (_FOREHEAD[0], 0.024, 0.07, {"browInnerUp": 0.9, "browOuterUp": 0.4}),
    (_FOREHEAD[1], 0.024, 0.055, {"browInnerUp": 0.8, "browOuterUp": 0.4}),
    (_FOREHEAD_OUTER, 0.024, 0.05, {"browOuterUp": 1.0}),
    (_CHIN, 0.035, 0.12, {"mouthShrugLower": 0.9, "mouthFrown": 0.3}),
    (_DIMPLE, 0.025, 0.10, {"mouthDimple": 1.0, "mouthSmile": 0.5}),
)
_REACH = (-0.95, 0.95, -1.25, 0.70)
"""Box of the face in canonical units: left, right, bottom, top."""
_NODES = 110
"""Columns of the coarse grid: the narrowest fold is then about two nodes wide."""


def _distance(x: F32, y: F32, line: _Line, side: float) -> tuple[F32, F32, F32]:
    """Return of points: their distance to a line on one side of the face, the same signed, and a fade at its ends."""
    best = np.full(x.shape, np.inf, np.float32)
    across, along = np.zeros_like(best), np.zeros_like(best)
    lengths = [float(np.hypot(b[0] - a[0], b[1] - a[1])) for a, b in pairwise(line)]
    before = 0.0
    for ((ax, ay), (bx, by)), length in zip(pairwise(line), lengths, strict=True):
        dx, dy = side * (bx - ax), by - ay
        px, py = x - side * ax, y - ay
        t = np.clip((px * dx + py * dy) / length**2, 0.0, 1.0)
        away = np.hypot(px - t * dx, py - t * dy)
        nearer = away < best
        best = np.where(nearer, away, best)
        across = np.where(nearer, side * (dx * py - dy * px) / length, across)
        along = np.where(nearer, before + t * length, along)
        before += length
    # Lines that start on the midline go on across it and fade at their outer end alone.
    from_start = along if line[0][0] > 0.0 else before - along
    return best, across, smooth(np.minimum(from_start, before - along) / (0.35 * before))


class Folds:
    """The expression folds of one portrait."""

    def __init__(self, anatomy: Anatomy, colour: float) -> None:
        """Prepare folds; `colour` 0..1 is how colourful the picture is."""
        frame = anatomy.frame
        left, right, bottom, top = _REACH
        corners = frame.to_pixels(np.array([[left, top], [right, top], [left, bottom], [right, bottom]], np.float32))
        corners = corners + frame.origin
        x0, y0 = np.maximum(np.floor(corners.min(0)), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(corners.max(0)), (anatomy.width, anatomy.height)).astype(int)
        self.box = Box(int(x0), int(y0), int(x1 - x0), int(y1 - y0))
        step = max(1.0, self.box.width / _NODES)
        columns, rows = max(2, round(self.box.width / step)), max(2, round(self.box.height / step))
        xs = self.box.x + (np.arange(columns, dtype=np.float32) + 0.5) * self.box.width / columns
        ys = self.box.y + (np.arange(rows, dtype=np.float32) + 0.5) * self.box.height / rows
        places = anatomy.places(np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2))
        shares = np.array([-0.35, 0.10, 0.20], np.float32)
        self._tint = tuple(1.0 + np.float32(colour) * shares)
        self._shape = (rows, columns)
        self._fields, self._drivers = self._paint(places[:, 0], places[:, 1])

    def _paint(self, x: F32, y: F32) -> tuple[F32, F32]:
        """Return relief [folds, nodes] (negative: darker) and how motion channels drive it [folds, 52]."""
        fields, drivers = [], []
        for side, suffix in ((1.0, "Left"), (-1.0, "Right")):
            for line, width, strength, shapes in _FOLDS:
                away, across, taper = _distance(x, y, line, side)
                furrow = np.exp(-0.5 * (away / width) ** 2)
                ridge = np.exp(-0.5 * ((np.abs(across) - 2.2 * width) / (1.3 * width)) ** 2) * (across > 0)
                ends = np.exp(-0.5 * ((away - np.abs(across)) / (0.7 * width)) ** 2)
                fields.append(strength * (0.25 * ridge * ends * taper - furrow * taper))
                driver = np.zeros(len(CHANNEL), np.float32)
                for name, share in shapes.items():
                    driver[CHANNEL.get(name, CHANNEL.get(name + suffix, -1))] = share
                drivers.append(driver)
        return np.array(fields, np.float32), np.array(drivers, np.float32)

    def gain(self, motion: F32) -> F32 | None:
        """Return what the folds of a motion frame [52] multiply the pixels of `box` by, [h, w]; None without folds."""
        amounts = self._drivers @ motion
        if amounts.max() < 0.02:
            return None
        # Folds are absent in small movements and saturate in large ones.
        amounts = np.clip(amounts, 0.0, 1.0) ** 1.4
        gain = np.exp(weighted(amounts, self._fields)).reshape(self._shape)
        size = (self.box.width, self.box.height)
        return np.asarray(cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def shaded(self, picture: U8, gain: F32 | None) -> U8:
        """Return `picture` [H, W, 3] with its box multiplied by `gain` [h, w]; the same array if that is None."""
        if gain is None:
            return picture
        box = self.box
        shaded = picture.copy()
        view = shaded[box.y : box.y + box.height, box.x : box.x + box.width]
        view[:] = self.multiplied(view, gain)
        return shaded

    def multiplied(self, picture: U8, gain: F32) -> U8:
        """Return `picture` [h, w, 3] times `gain` [h, w]: blood shows through pressed skin, red loses less."""
        gains = cv2.merge([gain * share + (1.0 - share) for share in self._tint])
        return np.asarray(cv2.multiply(picture, gains, dtype=cv2.CV_8U), np.uint8)
