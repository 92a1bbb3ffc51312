"""Painted parts of the mouth: small pictures with alpha, made once, placed in each frame by an affine map."""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.types import F32

_SPAN_X, _SPAN_Y = 0.36, 0.30
"""Half extents of a painted picture in units: beyond the last teeth that a wide smile shows, and a tongue's length."""
_SHARPEST = 0.006
"""Blur, in units, of what is painted for a sharp photo: edges of teeth are round."""


class Sprite:
    """A painted part, in units around an anchor on the lip line; x to the subject's left, y up."""

    def __init__(self, unit: float, sides: tuple[float, float] = (1.0, 1.0)) -> None:
        """Prepare an empty picture for a face of `unit` pixels between the outer eye corners.

        `sides` are the sizes of the subject's right and left half as the portrait shows them: a head that is turned
        shows one half foreshortened.
        """
        self.density = float(np.clip(1.5 * unit, 150.0, 600.0))
        width, height = round(2 * _SPAN_X * self.density), round(2 * _SPAN_Y * self.density)
        columns = (np.arange(width, dtype=np.float32) + 0.5) / self.density - _SPAN_X
        rows = _SPAN_Y - (np.arange(height, dtype=np.float32) + 0.5) / self.density
        columns /= np.where(columns < 0.0, *np.asarray(sides, np.float32))
        self.x, self.y = np.meshgrid(columns.astype(np.float32), rows)
        self.colour = np.zeros((height, width, 3), np.float32)
        self.alpha = np.zeros((height, width), np.float32)

    def finish(self, blur: float, grain: F32, light: float) -> F32:
        """Return premultiplied RGBA float32 [h, w, 4], alpha 0..1.

        Args:
            blur: softness of the picture in units, beyond that of a sharp photo.
            grain: what canvas, film or pencil add to an even surface, [h, w] at two nodes per sprite pixel or more.
            light: by how much a unit towards the subject's left is brighter.
        """
        sigma = float(np.hypot(_SHARPEST, blur)) * self.density
        alpha = cv2.GaussianBlur(self.alpha, (0, 0), sigma)
        lit = self.colour * (1.0 + light * self.x)[..., None]
        colour = cv2.GaussianBlur(lit * self.alpha[..., None], (0, 0), sigma)
        rows, columns = alpha.shape
        # Grain is as strong as the surface is bright: black shows none.
        strength = np.clip(colour.mean(-1) / 120.0, 0.0, 1.0)
        colour = np.maximum(colour + (grain[:rows, :columns] * strength)[..., None], 0.0)
        return np.asarray(np.dstack([colour, alpha]), np.float32)

    def to_units(self) -> F32:
        """Return the affine map [2, 3] from sprite pixels to units."""
        step = 1.0 / self.density
        return np.array([[step, 0, 0.5 * step - _SPAN_X], [0, -step, _SPAN_Y - 0.5 * step]], np.float32)


def soft_step(value: F32) -> F32:
    """Return the logistic function: 0 far below nought, 1 far above."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(value, -30, 30))), np.float32)
