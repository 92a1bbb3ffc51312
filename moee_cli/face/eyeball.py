"""What lies behind the lids: white, iris and catch-light, continued under the lids and moved by the gaze."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32, U8
from moee_cli.face.easing import smooth
from moee_cli.face.eyebox import EyeBox, as_bytes, opening
from moee_cli.face.outlines import Iris

_LASHES, _LINER = 0.024, 0.006
"""How far, in units, lashes and the upper lid's shadow, and the lower lid's rim, reach into the opening."""
_WHITE_DARK, _IRIS_DARK = 0.78, 0.62
"""What is darker than these shares of the white, or of the iris's ring, close under the lid is a lash or its shadow."""
_LIT, _DARKEST = 0.75, 0.35
"""Light on the white of a corner, as a share of that beside the iris, that is no shadow yet: lids and lashes darken the
narrowest of it anyway. And the least that is believed."""
_SHADE_REACH = 0.035
"""Depth, in units, to which the upper lid shades the eyeball."""


class Eyeball:
    """One eyeball as the portrait shows it, and as it is when the lids open or the gaze moves."""

    def __init__(self, eye: EyeBox, iris: Iris, rims: tuple[float, float]) -> None:
        """Continue the eyeball of `eye` under its lids; `rims` as for `eyebox.opening`."""
        self._eye, self._iris = eye, iris
        lids = (eye.upper - 0.5, eye.lower - 0.5)
        shown, _, _ = opening(lids, eye.box, rims)
        clear, _, _ = opening(lids, eye.box, (_LASHES * eye.unit, _LINER * eye.unit))
        crop = eye.pixels.astype(np.float32)
        ball = self._continued(crop, shown > 0.9, clear > 0.5)
        trusted = self._trusted(crop, ball, shown, clear)[..., None]
        clean = ball + (crop - ball) * trusted
        self.shade = self._lid_shade(crop, clean)
        """0..1: how much darker the eyeball is right under the upper lid."""
        shaded = ball * (1.0 - self.shade * self._falloff(eye.rows - eye.top))[..., None]
        self.rest = as_bytes(shaded + (crop - shaded) * np.clip(shown * 2.0, 0.0, 1.0)[..., None])
        """[h, w, 3] as it is photographed, the lids' shadow included."""
        self.clean = as_bytes(clean)
        """[h, w, 3] without lashes and shadow of the lids."""
        self.fall = self._gaze_fall()
        """[h, w] how much each pixel follows the gaze."""

    def _continued(self, crop: F32, shown: NDArray[np.bool_], seen: NDArray[np.bool_]) -> F32:
        """Return the box [h, w, 3] filled with white and iris as far as `seen` [h, w] shows what they are like.

        `shown` [h, w] is all of the opening, with what lashes and lids darken.
        Each part of the iris takes the ordinary colour of its distance from the pupil, so that a moving iris stays a
        disc and its catch-light stays single.
        """
        eye, iris = self._eye, self._iris
        away = eye.away(iris.centre)
        white = (seen & (away > 1.15 * iris.radius)).astype(np.float32)
        luma = crop.mean(2)
        if white.any():
            level = float(np.percentile(luma[white > 0], 80))
            white = white * np.clip((luma / max(level, 1.0) - 0.60) / 0.15, 0.0, 1.0)
        if white.sum() < 4.0:
            between = (eye.inwards > 0) & (eye.rows > eye.top) & (eye.rows < eye.bottom)
            white = white + np.float32(0.02) * ((away > 1.15 * iris.radius) & between)
        ball = eye.spread(crop, white.astype(np.float32) + 1e-6, (0.03, 0.08, 0.20))
        ball = ball * self._corner_shade(luma / np.maximum(ball.mean(2), 1.0), shown)[None, :, None]
        soft = max(1.0, 0.10 * iris.radius)
        rings = [crop[seen & (np.abs(away - r) < 0.75)] for r in np.arange(np.ceil(iris.radius) + 2)]
        known = [ring for ring in rings if len(ring)] or [crop.reshape(-1, 3)]
        radial = np.array([np.median(ring if len(ring) else known[-1], axis=0) for ring in rings], np.float32)
        disc = radial[np.clip(np.round(away), 0, len(radial) - 1).astype(int)]
        share = np.clip((iris.radius - away) / soft + 0.5, 0.0, 1.0)
        return np.asarray(ball + (disc - ball) * share[..., None], np.float32)

    def _corner_shade(self, light: F32, shown: NDArray[np.bool_]) -> F32:
        """Return the light [w] on the white by column: where even the lightest of it is dark, it lies in shadow.

        Corners often do, and white as bright as beside the iris would flash there when the eye turns. `light` [h, w] is
        that of the picture as a share of the white's, `shown` [h, w] the opening of the lids.
        """
        eye, iris = self._eye, self._iris
        even = cv2.GaussianBlur(light, (0, 0), max(0.6, 0.006 * eye.unit))
        white = shown & (eye.away(iris.centre) > 1.2 * iris.radius)
        white &= np.abs(eye.columns + 0.5 - iris.centre[0]) > iris.radius
        known = white.sum(axis=0).astype(np.float32)
        if not known.any():
            return np.ones_like(known)
        lightest = np.clip(np.where(white, even, 0.0).max(axis=0) / _LIT, _DARKEST, 1.0)
        sums = np.stack([lightest * known, known])
        sums = cv2.GaussianBlur(sums, (0, 0), sigmaX=0.03 * eye.unit, sigmaY=1e-3, borderType=cv2.BORDER_REPLICATE)
        # The shade goes on beyond the last column that shows white, and over the iris from one side to the other.
        at = known > 0
        shade = np.interp(eye.columns, eye.columns[at], sums[0, at] / np.maximum(sums[1, at], 1e-6))
        return np.asarray(shade, np.float32)

    def _trusted(self, crop: F32, ball: F32, shown: F32, clear: F32) -> F32:
        """Return how much of each pixel [h, w] is eyeball as seen: not rim, nor the dark of lashes close to a lid."""
        eye, iris = self._eye, self._iris
        trusted = np.clip(cv2.GaussianBlur(clear, (0, 0), 0.010 * eye.unit) * 2.0 - 1.0, 0.0, 1.0)
        ratio = crop.mean(2) / np.maximum(ball.mean(2), 1.0)
        on_iris = np.clip((iris.radius * 1.1 - eye.away(iris.centre)) / (0.2 * iris.radius) + 0.5, 0.0, 1.0)
        floor = _WHITE_DARK + (_IRIS_DARK - _WHITE_DARK) * on_iris
        depth = np.minimum(eye.rows - eye.top, eye.bottom - eye.rows + 0.02 * eye.unit) / eye.unit
        near_lid = 1.0 - smooth((depth - 0.05) / 0.03)
        dark = np.clip((floor - ratio) / 0.10 + 0.5, 0.0, 1.0) * near_lid
        dark = cv2.GaussianBlur(dark.astype(np.float32), (0, 0), max(0.6, 0.006 * eye.unit))
        trusted = trusted * (1.0 - np.clip(1.5 * dark, 0.0, 1.0))
        # A catch-light is the brightest spot of the iris; it is kept whole even where it touches the lid.
        within = (eye.away(iris.centre) < 0.95 * iris.radius) & (shown > 0.9)
        spark = smooth((crop.mean(2) - ball.mean(2) - 35.0) / 30.0) * within
        return np.asarray(np.maximum(trusted, spark), np.float32)

    def _falloff(self, depth: F32) -> F32:
        """Return 1 at the lid, fading with the depth [h, w] (pixels) under it."""
        return np.asarray(np.exp(-np.maximum(depth, 0.0) / (_SHADE_REACH * self._eye.unit)), np.float32)

    def _lid_shade(self, crop: F32, clean: F32) -> float:
        eye = self._eye
        depth = (eye.rows - eye.top) / eye.unit
        between = (eye.rows < eye.bottom - 0.02 * eye.unit) & (eye.inwards > 0.06 * eye.unit)
        under = (depth > 0.02) & (depth < 0.05) & between
        if not under.any():
            return 0.2
        ratio = float(np.median(crop.mean(2)[under] / np.maximum(clean.mean(2)[under], 1.0)))
        return float(np.clip((1.0 - ratio) / np.exp(-1.0), 0.08, 0.40))

    def shaded(self, picture: U8, rows: F32, top: F32, amount: float) -> U8:
        """Return the picture [h, w, 3] of an eyeball under the shadow of an upper lid whose edge is at `top` [w].

        `rows` [h, 1] are those of the picture; `amount` 0..1 says how much of the shadow falls.
        """
        gain = cv2.exp((top - rows) * np.float32(1.0 / (_SHADE_REACH * self._eye.unit)))
        gain = np.float32(1.0) - np.float32(self.shade * amount) * np.minimum(gain, np.float32(1.0))
        return np.asarray(cv2.multiply(picture, cv2.merge([gain, gain, gain]), dtype=cv2.CV_8U), np.uint8)

    def _gaze_fall(self) -> F32:
        """Return how much each pixel of the box follows the gaze: 1 on the iris, 0 at the corners of the eye."""
        eye, iris = self._eye, self._iris
        ends = eye.upper[[0, -1], 0]
        nearer = min(iris.centre[0] - ends[0], ends[1] - iris.centre[0])
        room = max(0.6 * iris.radius, nearer - 1.15 * iris.radius)
        return np.asarray(1.0 - smooth((eye.away(iris.centre) - 1.15 * iris.radius) / (1.6 * room)), np.float32)
