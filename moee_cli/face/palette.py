"""Colours of what the photo does not show (teeth, tongue, throat), taken from the portrait's own light and style."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.landmarks import FACE_OVAL
from moee_cli.face.outlines import Outlines

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
_CHEEKS = (425, 205)
"""FaceMesh landmarks: the lower edge of the lower lip, cheeks beside the mouth (the subject's left first)."""
GRAIN = 640
"""Side of the square of grain: no painted part is larger (see `sprite`)."""
_GRAIN_MOST = 5.0
"""Strongest grain, as a standard deviation in grey levels: beyond it a patch of cheek holds more than grain."""


def within(shape: tuple[int, ...], outline: F32) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return the mask [H, W] of a closed outline [M, 2]."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline - 0.5).astype(np.int32)], (1.0,))
    return mask.astype(bool)


def _eye_white(pixels: U8, outlines: Outlines) -> F32:
    """Return the colour [3] of the brighter eye whites: the nearest thing to a white card in a portrait."""
    found = []
    for (upper, lower), iris in zip(outlines.lids, outlines.irises, strict=True):
        mask = within(pixels.shape, np.concatenate([upper, lower[::-1]]))
        rows, columns = np.nonzero(mask)
        away = np.hypot(columns + 0.5 - iris.centre[0], rows + 0.5 - iris.centre[1]) > 1.1 * iris.radius
        found.append(pixels[rows[away], columns[away]])
    whites = np.concatenate(found).astype(np.float32)
    if len(whites) < 8:
        return np.full(3, 190.0, np.float32)
    luma = whites @ _LUMA
    return np.asarray(whites[luma >= np.percentile(luma, 75)].mean(0), np.float32)


def _patch(pixels: U8, centre: F32, radius: float) -> F32:
    """Return the pixels [h, w, 3] of a square of the picture around `centre`, float32; empty outside it."""
    x0, y0 = np.maximum(np.round(centre - radius).astype(int), 0)
    x1, y1 = np.maximum(np.round(centre + radius).astype(int) + 1, 0)
    return np.asarray(pixels[y0:y1, x0:x1], np.float32)


def _grain(pixels: U8, landmarks: F32, unit: float) -> F32:
    """Return the picture's own grain on an even surface, [GRAIN, GRAIN] grey levels around nought.

    It is what a cheek has beyond its shading, mirrored into a sheet, at the density of the painted parts.
    """
    sheet = np.zeros((GRAIN, GRAIN), np.float32)
    patches = [_patch(pixels, landmarks[index, :2], 0.11 * unit) for index in _CHEEKS]
    patch = min((p @ _LUMA for p in patches if min(p.shape[:2]) >= 8), key=np.std, default=None)
    if patch is None:
        return sheet
    fine = patch - cv2.GaussianBlur(patch, (0, 0), max(1.2, 0.014 * unit))
    fine *= min(1.0, _GRAIN_MOST / max(float(fine.std()), 1e-3))
    fine = np.clip(fine, -2.5 * _GRAIN_MOST, 2.5 * _GRAIN_MOST)
    scale = float(np.clip(1.5 * unit, 150.0, 600.0)) / unit
    fine = np.asarray(cv2.resize(fine, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.float32)
    high, wide = fine.shape
    tile = np.block([[fine, fine[:, ::-1]], [fine[::-1], fine[::-1, ::-1]]])
    times = (-(-GRAIN // (2 * high)), -(-GRAIN // (2 * wide)))
    return np.asarray(0.8 * np.tile(tile, times)[:GRAIN, :GRAIN], np.float32)


def _softness(pixels: U8, landmarks: F32, unit: float) -> float:
    """Return the blur of the picture about the eyes and lips, in units: nought for a sharp photo."""
    low, high = landmarks[[33, 263, 61, 291], :2].min(0), landmarks[[33, 263, 61, 291], :2].max(0)
    x0, y0 = np.maximum((low - 0.1 * unit).astype(int), 0)
    x1, y1 = (high + 0.1 * unit).astype(int)
    grey = cv2.cvtColor(pixels[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY).astype(np.float32)
    # A blur of its own takes much from a sharp picture and little from a soft one.
    fine = [np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), s * unit), cv2.CV_32F)) for s in (0.004, 0.012)]
    ratio = np.percentile(fine[1], 98) / max(float(np.percentile(fine[0], 98)), 1e-3)
    return float(np.clip((ratio - 0.22) / 0.5, 0.0, 1.0)) * 0.014


@dataclass(frozen=True, eq=False)
class Palette:
    """RGB colours [3], float32 0..255, and what else gives the picture its look."""

    teeth: F32
    gum: F32
    tongue: F32
    cavity: F32
    """The throat, as dark as the picture gets."""
    line: F32
    """The line between closed lips."""
    colour: float
    """0 for a grey picture, 1 for one with ordinary skin colours."""
    light: float
    """By how much of itself, per unit, the face is brighter towards the subject's left."""
    softness: float
    """Blur of the picture in units."""
    grain: F32
    """Grain on an even surface [GRAIN, GRAIN], grey levels around nought."""

    @classmethod
    def of(cls, pixels: U8, landmarks: F32, outlines: Outlines, unit: float) -> Palette:
        """Choose colours: brightness from eyes and skin, hue from the lips, saturation and contrast from the face.

        `unit` is the distance of the outer eye corners in pixels.
        """
        face = pixels[within(pixels.shape, landmarks[list(FACE_OVAL), :2])].astype(np.float32)
        luma = face @ _LUMA
        chroma = float(np.median(face.max(1) - face.min(1)))
        colour = float(np.clip((chroma - 6.0) / 22.0, 0.0, 1.0))
        white = _eye_white(pixels, outlines)
        # Dark or painted eyes have little white: then the light skin tells how bright the picture is.
        skin_light = float(np.percentile(luma, 92)) / 225.0
        light = float(np.clip(max(float(white @ _LUMA) / 172.0, skin_light), 0.35, 1.10))
        cast = 0.5 + 0.5 * np.clip(white / max(float(white @ _LUMA), 1.0), 0.7, 1.3)
        lip = cls._lip(pixels, landmarks, outlines)
        darkest = float(np.percentile(luma, 0.7))

        def tinted(red: float, green: float, blue: float, like_lips: float = 0.0) -> F32:
            rgb = np.array([red, green, blue], np.float32) * light * cast
            rgb = rgb + like_lips * (lip * (rgb @ _LUMA) / max(float(lip @ _LUMA), 1.0) - rgb)
            return np.asarray(np.clip(colour * rgb + (1.0 - colour) * (rgb @ _LUMA), 0.0, 255.0), np.float32)

        cavity = tinted(47.0, 18.0, 17.0, 0.25)
        cavity *= max(1.0, 0.75 * darkest / max(float(cavity @ _LUMA), 1.0))
        return cls(
            teeth=tinted(214.0, 199.0, 181.0),
            gum=tinted(184.0, 112.0, 106.0, 0.4),
            tongue=tinted(176.0, 88.0, 86.0, 0.45),
            cavity=cavity,
            line=cls._line(pixels, outlines),
            colour=colour,
            light=cls._sidelight(pixels, landmarks, unit),
            softness=_softness(pixels, landmarks, unit),
            grain=_grain(pixels, landmarks, unit),
        )

    def with_teeth(self, teeth: F32) -> Palette:
        """Return the palette for a mouth with teeth of another colour [3]: where they lie in the dark, all does."""
        light = min(1.0, float(teeth @ _LUMA) / max(float(self.teeth @ _LUMA), 1.0))
        gum, tongue, cavity = (np.asarray(part * np.float32(light)) for part in (self.gum, self.tongue, self.cavity))
        return replace(self, teeth=teeth, gum=gum, tongue=tongue, cavity=cavity)

    @staticmethod
    def _lip(pixels: U8, landmarks: F32, outlines: Outlines) -> F32:
        """Return the colour [3] of the lower lip."""
        ring = np.concatenate([landmarks[list(_LOWER_LIP), :2], outlines.lip_lower[::-1]])
        shown = pixels[within(pixels.shape, ring)].astype(np.float32)
        return np.asarray(np.median(shown, axis=0), np.float32) if len(shown) else np.full(3, 120.0, np.float32)

    @staticmethod
    def _line(pixels: U8, outlines: Outlines) -> F32:
        """Return the colour [3] of the dark between the lips."""
        steps = np.linspace(0.0, 1.0, 5, dtype=np.float32)[:, None, None]
        part = slice(len(outlines.lip_upper) // 4, -(len(outlines.lip_upper) // 4))
        at = (1.0 - steps) * outlines.lip_upper[part] + steps * outlines.lip_lower[part] - 0.5
        nothing = np.empty(0, np.float32)
        seen = cv2.remap(pixels, at, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        seen = seen.reshape(-1, 3)
        luma = seen @ _LUMA
        return np.asarray(seen[luma <= np.percentile(luma, 30)].mean(0), np.float32)

    @staticmethod
    def _sidelight(pixels: U8, landmarks: F32, unit: float) -> float:
        """Return the slope of the light across the lower face, from both cheeks."""
        left, right = (_patch(pixels, landmarks[index, :2], 0.06 * unit) @ _LUMA for index in _CHEEKS)
        if not left.size or not right.size:
            return 0.0
        one, other = float(np.median(left)), float(np.median(right))
        apart = max(float(landmarks[_CHEEKS[0], 0] - landmarks[_CHEEKS[1], 0]) / unit, 0.3)
        # Teeth lie in the shade of the lips: side light reaches them less.
        return float(np.clip(0.6 * 2.0 * (one - other) / max(one + other, 1.0) / apart, -1.0, 1.0))
