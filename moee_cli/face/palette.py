"""Colours of what the photo does not show (teeth, tongue, cavity), taken from the portrait's own light and colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.outlines import Outlines

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def _within(shape: tuple[int, ...], outline: F32) -> F32:
    """Return the mask [H, W] (bool) of a closed outline [M, 2]."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline - 0.5).astype(np.int32)], (1.0,))
    return mask.astype(bool)


def _eye_white(pixels: U8, outlines: Outlines) -> F32:
    """Return the colour [3] of the brighter eye whites: the nearest thing to a white card in a portrait."""
    found = []
    for (upper, lower), (centre, radius) in zip(outlines.lids, outlines.irises, strict=True):
        mask = _within(pixels.shape, np.concatenate([upper, lower[::-1]]))
        rows, columns = np.nonzero(mask)
        away = np.hypot(columns + 0.5 - centre[0], rows + 0.5 - centre[1]) > 1.1 * radius
        found.append(pixels[rows[away], columns[away]])
    whites = np.concatenate(found).astype(np.float32)
    if len(whites) < 8:
        return np.full(3, 190.0, np.float32)
    luma = whites @ _LUMA
    return np.asarray(whites[luma >= np.percentile(luma, 75)].mean(0), np.float32)


def _own_teeth(pixels: U8, outlines: Outlines) -> F32:
    """Return the colour [3] of the brighter part of an open mouth: the teeth it shows."""
    inside = _within(pixels.shape, np.concatenate([outlines.lip_upper, outlines.lip_lower[::-1]]))
    shown = pixels[inside].astype(np.float32)
    luma = shown @ _LUMA
    return np.asarray(shown[luma >= np.percentile(luma, 75)].mean(0), np.float32)


@dataclass(frozen=True, eq=False)
class Palette:
    """RGB colours [3], float32 0..255."""

    teeth: F32
    gum: F32
    tongue: F32
    cavity: F32
    colour: float
    """0 for a grey picture, 1 for one with ordinary skin colours."""

    @classmethod
    def of(cls, pixels: U8, landmarks: F32, outlines: Outlines) -> Palette:
        """Choose colours: brightness from the eye whites, hue from the lips, saturation from the whole face."""
        left, top = np.maximum(landmarks[:, :2].min(0).astype(int), 0)
        right, bottom = landmarks[:, :2].max(0).astype(int) + 1
        face = pixels[top:bottom, left:right].reshape(-1, 3).astype(np.float32)
        chroma = float(np.median(face.max(1) - face.min(1)))
        colour = float(np.clip((chroma - 6.0) / 22.0, 0.0, 1.0))
        white = _eye_white(pixels, outlines)
        # Dark or painted eyes have little white: then the light skin tells how bright the picture is.
        skin_light = float(np.percentile(face @ _LUMA, 90)) / 235.0
        light = float(np.clip(max(float(white @ _LUMA) / 172.0, skin_light), 0.35, 1.12))
        cast = 0.5 + 0.5 * np.clip(white / max(float(white @ _LUMA), 1.0), 0.7, 1.3)
        grey = np.array([1.0, 1.0, 1.0], np.float32)

        def tinted(red: float, green: float, blue: float) -> F32:
            rgb = np.array([red, green, blue], np.float32) * light * cast
            return np.clip(colour * rgb + (1.0 - colour) * (rgb @ _LUMA) * grey, 0.0, 255.0)

        return cls(
            teeth=_own_teeth(pixels, outlines) if outlines.mouth_open else tinted(217.0, 199.0, 179.0),
            gum=tinted(150.0, 84.0, 80.0),
            tongue=tinted(156.0, 76.0, 73.0),
            cavity=tinted(38.0, 15.0, 14.0),
            colour=colour,
        )
