"""Shading that expressions press into skin: furrows beside ridges, and forms that rise, multiplied into the photo.

A furrow is a short line in the canonical face frame, a form a rounded place. Their pictures are made once per portrait
on a coarse grid over the face, in its own light, as deep and as soft as its skin is drawn; a frame adds those that are
active, and one multiplication in the face box darkens and lightens the source.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from moee_cli.core.labels import CHANNEL
from moee_cli.core.types import F32, U8
from moee_cli.face.complexion import Complexion
from moee_cli.face.easing import smooth
from moee_cli.face.fields import Anatomy, Box, weighted

_Line = tuple[tuple[float, float], ...]


class _Furrow(NamedTuple):
    lines: tuple[_Line, ...]
    """On the subject's left; the right half mirrors them. One that starts on the midline goes on across it."""
    width: float
    """Standard deviation across the line, in units."""
    depth: float
    """Darkening of its bottom, as a logarithm."""
    pressed_by: dict[str, float]
    """Shapes that press it; a stem means that side's shape."""


class _Form(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    """Place and size, in units."""
    rise: float
    """Lightening of its top, and of its slope to the light, as a logarithm."""
    raised_by: dict[str, float]


_BESIDE_NOSE = ((358, 129), (423, 203), (426, 206), (436, 216))
"""FaceMesh landmarks (left, right) from the wing of the nose to beside the mouth, along the nasolabial fold."""
_FOLD_END = (432, 212)
"""Landmarks beyond the corner of the mouth, halfway to which the fold ends."""
_SMILES = {"mouthSmile": 0.9, "noseSneer": 0.9, "mouthUpperUp": 0.6, "cheekSquint": 0.3}
_NASOLABIAL = _Furrow((), 0.034, 0.105, _SMILES)
_FURROWS = (
    _Furrow(  # crow's feet
        (((0.56, 0.03), (0.62, 0.06), (0.68, 0.075)), ((0.57, -0.03), (0.64, -0.035), (0.70, -0.055))),
        0.015, 0.065, {"cheekSquint": 0.7, "eyeSquint": 0.4},
    ),
    _Furrow((((0.24, -0.10), (0.34, -0.125), (0.45, -0.105)),), 0.022, 0.12, {"cheekSquint": 0.8, "eyeSquint": 0.6}),
    _Furrow(  # glabella
        (((0.085, 0.07), (0.070, 0.15), (0.078, 0.23), (0.095, 0.32)),),
        0.024, 0.11, {"browDown": 1.0, "noseSneer": 0.2},
    ),
    _Furrow((((0.0, 0.065), (0.055, 0.075)),), 0.022, 0.05, {"browDown": 0.5, "noseSneer": 0.6}),  # root of the nose
    _Furrow((((0.06, -0.08), (0.13, -0.16)),), 0.018, 0.09, {"noseSneer": 1.0}),  # sides of the nose
    _Furrow(  # forehead
        (((0.0, 0.405), (0.14, 0.418), (0.30, 0.415)), ((0.0, 0.475), (0.16, 0.487), (0.33, 0.475))),
        0.024, 0.065, {"browInnerUp": 0.85, "browOuterUp": 0.4},
    ),
    _Furrow((((0.32, 0.445), (0.42, 0.445), (0.52, 0.415)),), 0.026, 0.05, {"browOuterUp": 1.0}),
    _Furrow(  # chin
        (((0.0, -0.985), (0.12, -0.965)),), 0.035, 0.11,
        {"mouthShrugLower": 0.9, "mouthFrown": 0.3, "mouthPucker": 0.45, "mouthFunnel": 0.3},
    ),
    _Furrow((((0.345, -0.735), (0.36, -0.83)),), 0.028, 0.09, {"mouthDimple": 1.0, "mouthSmile": 0.4}),
    _Furrow(  # around the corner of lips that come forward
        (((0.285, -0.70), (0.325, -0.78), (0.285, -0.86)),), 0.035, 0.09, {"mouthPucker": 0.9, "mouthFunnel": 0.6},
    ),
)  # fmt: skip
_FORMS = (
    _Form(0.42, -0.44, 0.15, 0.11, 0.060, {"mouthSmile": 0.7, "cheekSquint": 0.4}),  # cheeks
    _Form(0.46, -0.76, 0.17, 0.19, 0.090, {"cheekPuff": 1.0}),
    _Form(0.0, -0.865, 0.12, 0.050, 0.070, {"mouthPucker": 0.9, "mouthFunnel": 0.6}),  # lower lip
    _Form(0.0, -1.10, 0.16, 0.10, 0.050, {"mouthShrugLower": 0.8}),  # chin
)
_REACH = (-0.95, 0.95, -1.25, 0.70)
"""Box of the face in canonical units: left, right, bottom, top."""
_NODES = 110
"""Columns of the coarse grid: the narrowest fold is then about two nodes wide."""
_MIDDLE_SKIN = 140.0
"""Lightness of skin on which depths were chosen. On darker skin a furrow takes fewer levels, and is pressed deeper."""
_DARK_POWER, _DEEPEST = 0.45, 1.5
_PLAIN = 0.012
"""Texture below which skin is drawn in flat colour, on which shade would be a line that somebody drew."""
_ROUGH = 0.035
"""Texture of skin that is creased already, which creases most."""
_FROM_ABOVE = 0.12
"""Slope of the light, upwards, that is added to what is measured: faces are lit from above, and cheeks lie in front."""
_FULL_LIGHT = 0.45
"""Slope of the light at which one wall of a furrow is as light as the other is dark."""
_WAVE = 0.006
"""How far, in units, lines swerve, so that neither half mirrors the other and no line is ruled."""


class _Trace(NamedTuple):
    """Points [..] against a line."""

    away: F32
    """Distance to it."""
    across: F32
    """The same signed: above 0 outside of the nose, above the eyes."""
    facing: F32
    """How much the way across it leads to the light, -1..1."""
    taper: F32
    """1 along the line, 0 at its ends."""


def _trace(x: F32, y: F32, line: _Line, side: float, light: tuple[float, float]) -> _Trace:
    """Return points against a line on one `side` of the face, 1 left, -1 right."""
    away = np.full(x.shape, np.inf, np.float32)
    across, along, facing = np.zeros_like(away), np.zeros_like(away), np.zeros_like(away)
    lengths = [float(np.hypot(b[0] - a[0], b[1] - a[1])) for a, b in pairwise(line)]
    before = 0.0
    for ((ax, ay), (bx, by)), length in zip(pairwise(line), lengths, strict=True):
        dx, dy = side * (bx - ax), by - ay
        px, py = x - side * ax, y - ay
        t = np.clip((px * dx + py * dy) / length**2, 0.0, 1.0)
        distance = np.hypot(px - t * dx, py - t * dy)
        nearer = distance < away
        away = np.where(nearer, distance, away)
        across = np.where(nearer, side * (dx * py - dy * px) / length, across)
        facing = np.where(nearer, side * (dx * light[1] - dy * light[0]) / length, facing)
        along = np.where(nearer, before + t * length, along)
        before += length
    if line[0][0] > 0.0:
        return _Trace(away, across, facing, smooth(np.minimum(along, before - along) / (0.35 * before)))
    # A line that starts on the midline goes on across it, where the two halves meet.
    half = smooth((side * x + 0.03) / 0.06)
    return _Trace(away, across, facing, half * smooth((before - along) / (0.35 * before)))


class Folds:
    """The expression shading of one portrait."""

    def __init__(self, anatomy: Anatomy, pixels: U8, landmarks: F32, *, colour: float, softness: float) -> None:
        """Prepare folds for a face [478, 3] in a picture [H, W, 3].

        `colour` 0..1 is how colourful the picture is, `softness` its blur in units.
        """
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
        at = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        places = anatomy.places(at)
        skin = Complexion.of(pixels, landmarks, frame)
        x, y = skin.light[0], skin.light[1] + _FROM_ABOVE
        full = max(_FULL_LIGHT, float(np.hypot(x, y)))
        self._light, self._softness = (x / full, y / full), softness
        self._gloss = float(np.clip(1.6 - skin.lightness / _MIDDLE_SKIN, 0.0, 1.0))
        shown = self._depth(skin) * skin.shows(pixels, at, places, frame.scale)
        # Blood shows through pressed skin: red loses less. Under much pigment, and in grey pictures, it does not.
        shares = np.array([-0.35, 0.10, 0.20], np.float32)
        self._tint = tuple(1.0 + np.float32(colour * min(1.0, skin.lightness / _MIDDLE_SKIN)) * shares)
        self._shape = (rows, columns)
        beside_nose = [frame.places(landmarks[list(pair), :2])[:, :2] for pair in (*_BESIDE_NOSE, _FOLD_END)]
        fields, self._drivers = self._paint(places[:, 0], places[:, 1], np.array(beside_nose))
        self._fields = fields * shown

    @staticmethod
    def _depth(skin: Complexion) -> float:
        """Return how deep furrows are on this skin, 1 on an ordinary photo."""
        pigment = min(_DEEPEST, (_MIDDLE_SKIN / max(skin.lightness, 1.0)) ** _DARK_POWER)
        creased = 0.75 + 0.4 * smooth((skin.texture - _PLAIN) / (_ROUGH - _PLAIN))
        return float(pigment * creased * smooth(skin.texture / _PLAIN))

    def _paint(self, x: F32, y: F32, beside_nose: F32) -> tuple[F32, F32]:
        """Return relief [folds, nodes] (negative: darker) and how motion channels drive it [folds, 52].

        `beside_nose` are the places [5, 2, 2] along the nasolabial fold, of the left and the right half.
        """
        waved_x, waved_y = x + _WAVE * np.sin(7.0 * y + 1.0), y + _WAVE * np.sin(9.0 * x + 0.7)
        fields, drivers = [], []
        for index, (side, suffix) in enumerate(((1.0, "Left"), (-1.0, "Right"))):
            fold = beside_nose[:, index] * (side, 1.0)
            fold[-1] = (fold[-1] + fold[-2]) / 2
            own = _NASOLABIAL._replace(lines=(tuple((float(px), float(py)) for px, py in fold),))
            for furrow in (own, *_FURROWS):
                fields.append(sum(self._furrow(waved_x, waved_y, line, side, furrow) for line in furrow.lines))
                drivers.append(_driver(furrow.pressed_by, suffix))
            for form in _FORMS:
                fields.append(self._form(x, y, side, form))
                drivers.append(_driver(form.raised_by, suffix))
        return np.array(fields, np.float32), np.array(drivers, np.float32)

    def _furrow(self, x: F32, y: F32, line: _Line, side: float, furrow: _Furrow) -> F32:
        """Return the relief [nodes] of a line: dark at its bottom and on the wall in the shade, a ridge beside."""
        # What is pressed into a soft picture is as soft, and the shallower.
        width = float(np.hypot(furrow.width, 1.5 * self._softness))
        depth = furrow.depth * furrow.width / width
        at = _trace(x, y, line, side, self._light)
        bottom = np.exp(-0.5 * (at.away / width) ** 2)
        # The wall on the far side looks back over the bottom: it is light where the light comes from the near side.
        walls = -0.45 * at.facing * (at.across / width) * bottom
        ends = np.exp(-0.5 * ((at.away - np.abs(at.across)) / (0.7 * width)) ** 2)
        ridge = np.exp(-0.5 * ((np.abs(at.across) - 2.2 * width) / (1.3 * width)) ** 2) * (at.across > 0)
        light = (0.25 + 0.25 * self._gloss) * ridge * ends
        return np.asarray(depth * at.taper * (light + walls * ends - 0.9 * bottom), np.float32)

    def _form(self, x: F32, y: F32, side: float, form: _Form) -> F32:
        """Return the relief [nodes] of a form that rises: light on top and towards the light, darker beyond."""
        if form.x == 0.0 and side < 0.0:
            return np.zeros_like(x)
        along, up = (x - side * form.x) / form.width, (y - form.y) / form.height
        bell = np.exp(-0.5 * (along**2 + up**2))
        lit = along * self._light[0] + up * self._light[1]
        return np.asarray(form.rise * bell * (0.4 + 0.5 * self._gloss + lit), np.float32)

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
        """Return `picture` [h, w, 3] times `gain` [h, w], in the tint of pressed skin."""
        gains = cv2.merge([gain * share + (1.0 - share) for share in self._tint])
        return np.asarray(cv2.multiply(picture, gains, dtype=cv2.CV_8U), np.uint8)


def _driver(shapes: dict[str, float], suffix: str) -> F32:
    """Return how motion channels [52] drive what `shapes` press on the side of `suffix`."""
    driver = np.zeros(len(CHANNEL), np.float32)
    for name, share in shapes.items():
        driver[CHANNEL.get(name, CHANNEL.get(name + suffix, -1))] = share
    return driver
