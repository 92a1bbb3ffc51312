"""What a portrait's skin looks like: how light it is, from where it is lit, how it is drawn, and where it shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.easing import smooth

_SKIN = (50, 101, 117, 118, 123, 147, 187, 192, 205, 206, 36, 199, 208, 428, 280, 330, 346, 347, 352, 376, 411, 416,
         425, 426, 266, 9, 151, 108, 337, 69, 299, 104, 333)  # fmt: skip
"""FaceMesh landmarks on cheeks, chin and forehead."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SPOT = 0.03
"""Reach, in units, of what is averaged at a point."""
_FINE, _COARSE = 0.012, 0.045
"""Blurs, in units, between which the texture of skin lies: pores, wrinkles, brush strokes, the soft turn of forms."""
_ROUNDS = 5
"""Steps in which the plane of light leaves out what is no skin."""


@dataclass(frozen=True, eq=False)
class Complexion:
    """The skin of one portrait."""

    lightness: float
    """Brightness of the skin, 0..255: the median of cheeks, chin and forehead."""
    texture: float
    """Fine contrast of the skin, as a share of its brightness: 0.014 to 0.077 on 18 portraits, 0 on flat colour."""
    light: tuple[float, float]
    """By how much of itself the face gets lighter per unit, to the subject's left and up."""
    colour: F32
    """[2] logarithms of red and of blue over green."""
    level: float
    """Logarithm of the brightness that `light` gives at the middle of the eyes."""

    @classmethod
    def of(cls, pixels: U8, landmarks: F32, frame: CanonicalFrame) -> Complexion:
        """Measure the skin of a face [478, 3] in a picture [H, W, 3]; `frame` is that of the face."""
        spots = landmarks[list(_SKIN), :2].astype(np.float32)
        seen = _averaged(pixels, spots, _SPOT * frame.scale)
        luma = np.maximum(seen @ _LUMA, 1.0)
        level, *light = _plane(frame.places(spots)[:, :2], np.log(luma))
        texture = float(np.median(_texture(pixels, spots, frame.scale) / luma))
        colour = np.median(_hue(seen), axis=0)
        return cls(float(np.median(luma)), texture, (light[0], light[1]), np.asarray(colour, np.float32), level)

    def shows(self, pixels: U8, at: F32, places: F32, unit: float) -> F32:
        """Return 0..1 how much points [N, 2] of the picture, at canonical `places`, look like this skin.

        Hair, hats, frames of glasses and hands of another colour differ from skin in this light in hue, or are much
        darker or lighter.
        """
        seen = _averaged(pixels, at, 0.5 * _SPOT * unit)
        apart = np.abs(_hue(seen) - self.colour).max(axis=1)
        expected = self.level + places[:, :2] @ np.array(self.light, np.float32)
        darker = np.abs(np.log(np.maximum(seen @ _LUMA, 1.0)) - expected)
        return np.asarray((1.0 - smooth((apart - 0.25) / 0.35)) * (1.0 - smooth((darker - 0.5) / 0.6)), np.float32)


def _averaged(pixels: U8, at: F32, reach: float) -> F32:
    """Return the mean colours [N, 3] around points [N, 2]."""
    size = 2 * max(1, round(reach)) + 1
    soft = cv2.blur(pixels, (size, size))
    nothing = np.empty(0, np.float32)
    seen = cv2.remap(soft, (at - 0.5)[None], nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen[0], np.float32)


def _hue(colours: F32) -> F32:
    """Return the logarithms of red and blue over green [N, 2]; 16 levels more keep noise in the dark from counting."""
    logs = np.log(colours + np.float32(16.0))
    return np.asarray(logs[:, ::2] - logs[:, 1:2], np.float32)


def _plane(places: F32, heights: F32) -> tuple[float, float, float]:
    """Return level and slopes of the plane through most heights [N] over places [N, 2] (least squares, reweighted)."""
    system, shares = np.column_stack([np.ones(len(places)), places]), np.ones(len(places))
    found = np.zeros(3)
    for _ in range(_ROUNDS):
        found = np.linalg.lstsq(system * shares[:, None], heights * shares, rcond=None)[0]
        off = np.abs(heights - system @ found)
        shares = 1.0 / np.sqrt(1.0 + (off / (1.5 * np.median(off) + 1e-3)) ** 2)
    return float(found[0]), float(found[1]), float(found[2])


def _texture(pixels: U8, spots: F32, unit: float) -> F32:
    """Return the mean contrast between two blurs around spots [N, 2], in grey levels [N]."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, coarse = (cv2.GaussianBlur(grey, (0, 0), blur * unit) for blur in (_FINE, _COARSE))
    size = 2 * max(1, round(0.05 * unit)) + 1
    mean = cv2.blur(np.abs(fine - coarse), (size, size))
    nothing = np.empty(0, np.float32)
    seen = cv2.remap(mean, (spots - 0.5)[None], nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen[0], np.float32)
