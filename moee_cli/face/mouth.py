"""What opening lips uncover: cavity, tongue, lower teeth on the jaw, upper teeth on the skull.

Teeth and tongue are painted once, at twice the size, into small pictures with alpha; a frame places them by an
affine map, shades them by their distance from the lips, and keeps what lies in the opening.
"""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.labels import CHANNEL
from moee_cli.core.types import F32, U8
from moee_cli.face.basis import JAW_DROP
from moee_cli.face.fields import Anatomy, Box, MovingPoints
from moee_cli.face.outlines import Outlines
from moee_cli.face.palette import Palette
from moee_cli.face.pose import HeadPose

_TEETH_DEPTH = -0.10
"""Teeth lie this far behind the lips (units)."""
_UPPER_EDGE = -0.020
"""Height of the upper incisors' edge over the lip line at rest."""
_LOWER_EDGE = -0.020
"""Height of the lower incisors' edge over the lip line at rest, hidden by the lower lip."""
_UPPER_WIDTHS = (0.088, 0.068, 0.060, 0.046, 0.036, 0.030)
_LOWER_WIDTHS = (0.054, 0.058, 0.056, 0.046, 0.038, 0.030)
"""Widths of teeth from the middle outwards as seen from the front: crown widths of 8.5, 6.5, 7.5, 7 mm (Ash and
Nelson, Dental Anatomy) on outer eye corners 90 mm apart, foreshortened by the arch."""
_SHADOW = 0.016
"""Reach, in units, of the shadow at the border of the opening."""
_SPAN_X, _SPAN_Y = 0.36, 0.22
"""Half extents, in units, of the painted pictures."""


class _Sprite:
    """A painted part with alpha, in units around an anchor on the lip line."""

    def __init__(self, scale: float) -> None:
        self.density = max(160.0, 2.0 * scale)
        width, height = round(2 * _SPAN_X * self.density), round(2 * _SPAN_Y * self.density)
        columns = (np.arange(width, dtype=np.float32) + 0.5) / self.density - _SPAN_X
        rows = _SPAN_Y - (np.arange(height, dtype=np.float32) + 0.5) / self.density
        self.x, self.y = np.meshgrid(columns, rows)
        self.colour = np.zeros((height, width, 3), np.float32)
        self.alpha = np.zeros((height, width), np.float32)

    def finish(self) -> F32:
        """Return premultiplied RGBA float32 [h, w, 4], alpha 0..1."""
        blur = 0.008 * self.density
        alpha = cv2.GaussianBlur(self.alpha, (0, 0), blur)
        colour = cv2.GaussianBlur(self.colour * self.alpha[..., None], (0, 0), blur)
        return np.asarray(np.dstack([colour, alpha]), np.float32)

    def to_units(self) -> F32:
        """Return the affine map [2, 3] from sprite pixels to units."""
        step = 1.0 / self.density
        return np.array([[step, 0, 0.5 * step - _SPAN_X], [0, -step, _SPAN_Y - 0.5 * step]], np.float32)


def _soft(value: F32) -> F32:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(value, -30, 30))), np.float32)


def _paint_teeth(sprite: _Sprite, widths: tuple[float, ...], palette: Palette, *, upper: bool) -> None:
    """Paint one row of teeth and its gum."""
    up = 1.0 if upper else -1.0
    height = 0.115 if upper else 0.095
    edge = _UPPER_EDGE if upper else _LOWER_EDGE
    x, y = np.abs(sprite.x), sprite.y
    arc = (0.42 if upper else 0.30) * x * x
    along = (y - edge - arc) * up
    sharp = np.float32(220.0)
    inner = 0.0
    crowns = np.zeros_like(x)
    shade = np.zeros_like(x)
    for index, width in enumerate(widths):
        centre, half = inner + width / 2, width / 2 - 0.0016
        round_x = (x - centre) / half
        tip = (0.010 if index == 2 and upper else 0.005) * round_x**2 - (0.006 if index == 2 else 0.0)
        length = height * (1.0, 0.88, 0.95, 0.80, 0.7, 0.6)[index]
        body = _soft((1.0 - np.abs(round_x)) * half * sharp) * _soft((along - tip) * sharp)
        neck = _soft((length - 0.02 * round_x**2 - along) * sharp)
        crown = body * neck
        crowns = np.maximum(crowns, crown)
        bulge = 1.0 - 0.09 * np.clip(np.abs(round_x), 0, 1) ** 3
        shade = np.where(crown > 0.02, bulge, shade)
        inner += width
    far = 1.0 - 0.55 * np.clip((x - 0.10) / 0.22, 0.0, 1.0) ** 1.2
    rise = 0.93 + 0.07 * np.clip(along / (0.5 * height), 0, 1)
    tooth = palette.teeth * (shade * far * rise)[..., None]
    gum_zone = _soft((along - 0.5 * height) * 120.0) * _soft((inner - 0.01 - x) * 120.0)
    between = np.clip(1.0 - crowns, 0, 1)
    low = _soft((along - 0.004) * sharp) * _soft((inner - 0.01 - x) * 90.0)
    # Between two teeth there is shade, not night: dark gaps read as clenched.
    warm = np.array([0.06, 0.0, -0.06], np.float32) * palette.colour
    dark = palette.teeth * (0.60 + warm) * far[..., None]
    gum = palette.gum * (far * 0.85)[..., None]
    back = dark + (gum - dark) * gum_zone[..., None]
    sprite.colour = tooth * crowns[..., None] + back * between[..., None]
    sprite.alpha = np.maximum(crowns, np.maximum(low * 0.9, gum_zone))


def _paint_tongue(sprite: _Sprite, palette: Palette) -> None:
    """Paint the tongue lying in the lower arch."""
    x, y = sprite.x, sprite.y + 0.03
    radius = np.sqrt((x / 0.205) ** 2 + (np.abs(y) / 0.105) ** 2.0)
    sprite.alpha = _soft((1.0 - radius) * 14.0)
    top = np.clip(1.05 - 0.55 * radius**2, 0.25, 1.05)
    top *= np.clip(0.84 - 2.4 * y, 0.5, 1.0)  # the back of the tongue lies in the dark
    groove = 1.0 - 0.16 * np.exp(-0.5 * (x / 0.013) ** 2) * np.clip(0.6 - y / 0.2, 0, 1)
    sprite.colour = palette.tongue * (0.92 * top * groove)[..., None]


class _OwnMouth:
    """What an open mouth already shows in the portrait: most often the person's own upper teeth, fixed to the skull."""

    def __init__(self, pixels: U8, outlines: Outlines, scale: float) -> None:
        upper, lower = outlines.lip_upper - 0.5, outlines.lip_lower - 0.5
        margin = round(0.12 * scale)
        x0, y0 = np.floor(np.minimum(upper.min(0), lower.min(0))).astype(int) - margin
        x1, y1 = np.ceil(np.maximum(upper.max(0), lower.max(0))).astype(int) + margin
        x0, y0 = max(x0, 0), max(y0, 0)
        crop = pixels[y0:y1, x0:x1]
        columns = x0 + np.arange(crop.shape[1], dtype=np.float32)
        rows = (y0 + np.arange(crop.shape[0], dtype=np.float32))[:, None]
        top, bottom = np.interp(columns, upper[:, 0], upper[:, 1]), np.interp(columns, lower[:, 0], lower[:, 1])
        within = (columns > upper[0, 0]) & (columns < upper[-1, 0])
        lip = 0.012 * scale
        seen = (rows > top + lip) & (rows < bottom - lip) & within
        filled = cv2.inpaint(crop, (~seen).astype(np.uint8), 3, cv2.INPAINT_TELEA).astype(np.float32)
        shown = ((rows > top - 1.0) & (rows < bottom + 1.0) & within)[..., None]
        # Under the lip it goes on as gum, beyond the corners into the dark; below its own lower edge it ends.
        beyond = np.maximum(np.maximum(upper[0, 0] - columns, columns - upper[-1, 0]), 0.0) / (0.10 * scale)
        filled *= (1.0 - 0.8 * np.clip(beyond, 0.0, 1.0))[:, None]
        fade = np.clip((bottom + 0.02 * scale - rows) / (0.03 * scale), 0.0, 1.0) * np.clip(1.6 - beyond, 0.0, 1.0)
        alpha = np.maximum(np.clip(cv2.GaussianBlur(fade.astype(np.float32), (0, 0), 0.6), 0, 1), shown[..., 0])
        colour = np.where(shown, crop, filled)
        self._picture = np.dstack([colour * alpha[..., None], alpha]).astype(np.float32)
        self._origin = np.array([x0, y0], np.float32)

    def lay_over(self, picture: F32, box: Box, before: F32, after: F32) -> None:
        """Lay the own mouth over a float picture of `box`, carried as the anchors [3, 2] went from before to after."""
        turn = cv2.getAffineTransform(before - self._origin, after - np.array([box.x, box.y], np.float32))
        layer = cv2.warpAffine(self._picture, turn, (box.width, box.height), flags=cv2.INTER_LINEAR)
        picture *= 1.0 - layer[..., 3:]
        picture += layer[..., :3]


class Mouth:
    """Draws the open mouth of one portrait."""

    def __init__(self, anatomy: Anatomy, outlines: Outlines, palette: Palette, pixels: U8) -> None:
        frame = anatomy.frame
        self.scale = frame.scale
        self.palette = palette
        self.upper = MovingPoints(anatomy, outlines.lip_upper, lips="above")
        self.lower = MovingPoints(anatomy, outlines.lip_lower, lips="below")
        ends = (outlines.lip_upper[0] + outlines.lip_upper[-1]) / 2
        half = len(outlines.lip_upper) // 2
        middle = (outlines.lip_upper[half] + outlines.lip_lower[half]) / 2
        centre = 0.35 * ends + 0.65 * middle
        self._lower_rest = float((outlines.lip_lower - middle)[half, 1]) / frame.scale
        self._open_rest = float((outlines.lip_lower - outlines.lip_upper)[:, 1].max()) / frame.scale
        self._red = np.float32(1.0 - 0.22 * palette.colour)
        self._own = _OwnMouth(pixels, outlines, frame.scale) if outlines.mouth_open else None
        corners = np.array([[0, 0], [0.2, 0], [0, 0.2]], np.float32)
        self._anchors = MovingPoints(anatomy, centre + frame.to_pixels(corners), rigid=True)
        self._anchors.z = np.full(3, float(self._anchors.z[0]) + _TEETH_DEPTH, np.float32)
        self._still = np.zeros(self._anchors.n_weights, np.float32)
        self._parts: list[tuple[F32, F32]] = []
        painted = (self._tongue, self._lower_teeth, self._upper_teeth)
        for paint in painted if self._own is None else painted[:2]:
            sprite = _Sprite(frame.scale)
            paint(sprite)
            self._parts.append((sprite.finish(), sprite.to_units()))

    def _tongue(self, sprite: _Sprite) -> None:
        _paint_tongue(sprite, self.palette)

    def _lower_teeth(self, sprite: _Sprite) -> None:
        _paint_teeth(sprite, _LOWER_WIDTHS, self.palette, upper=False)

    def _upper_teeth(self, sprite: _Sprite) -> None:
        _paint_teeth(sprite, _UPPER_WIDTHS, self.palette, upper=True)

    def _unit_map(self, pose: HeadPose) -> F32:
        """Return the affine map [2, 3] from units around the lip line's middle to frame pixels (index coordinates)."""
        origin, right, up = self._anchors.positions(self._still, pose) - 0.5
        return np.column_stack([(right - origin) / 0.2, (up - origin) / 0.2, origin]).astype(np.float32)

    def draw(self, frame: U8, lips: tuple[F32, F32], motion: F32, pose: HeadPose) -> None:
        """Draw the interior into `frame` between the lip edges (upper, lower), each [M, 2] in index coordinates."""
        upper, lower = lips
        opening = lower[:, 1] - upper[:, 1]
        if opening.max() < 0.15:
            return
        parted = float(np.clip((opening.max() / self.scale - self._open_rest) / 0.10, 0.0, 1.0))
        pad = 2 + round(3.0 * _SHADOW * self.scale)
        x0, x1 = int(min(upper[0, 0], lower[0, 0])) - pad, int(max(upper[-1, 0], lower[-1, 0])) + pad + 2
        y0, y1 = int(upper[:, 1].min()) - pad, int(lower[:, 1].max()) + pad + 2
        box = Box(x0, y0, x1 - x0, y1 - y0)
        rows, columns, own_rows, own_columns = box.inside(frame.shape[1], frame.shape[0])
        picture, cover = self._picture(box, upper, lower, motion, pose)
        if parted > 0.0:
            soft = cv2.GaussianBlur(cover, (0, 0), max(0.45, 0.005 * self.scale))
            cover = np.asarray(cv2.addWeighted(soft, parted, cover, 1.0 - parted, 0.0), np.float32)
            light = self._border_light(box, cover, (upper + lower) / 2, parted)[own_rows, own_columns]
            if light.size:
                frame[rows, columns] = cv2.multiply(frame[rows, columns], light, dtype=cv2.CV_8U)
        cover = np.ascontiguousarray(cover[own_rows, own_columns])
        inner = np.ascontiguousarray(picture[own_rows, own_columns])
        under = np.ascontiguousarray(frame[rows, columns])
        if under.size:
            frame[rows, columns] = cv2.blendLinear(inner, under, cover, 1.0 - cover)

    def _picture(self, box: Box, upper: F32, lower: F32, motion: F32, pose: HeadPose) -> tuple[U8, F32]:
        """Return the interior RGB [h, w, 3] of a box and how much of each pixel it covers [h, w]."""
        columns = box.x + np.arange(box.width, dtype=np.float32)
        rows = (box.y + np.arange(box.height, dtype=np.float32))[:, None]
        top = np.interp(columns, upper[:, 0], upper[:, 1]).astype(np.float32)
        bottom = np.maximum(top, np.interp(columns, lower[:, 0], lower[:, 1])).astype(np.float32)
        outside = (columns < max(upper[0, 0], lower[0, 0]) - 0.5) | (columns > min(upper[-1, 0], lower[-1, 0]) + 0.5)
        bottom[outside] = top[outside]
        cover = np.clip(np.minimum(rows + 0.5, bottom) - np.maximum(rows - 0.5, top), 0.0, 1.0)
        unit = np.float32(1.0 / self.scale)
        from_top, from_bottom = (rows - top) * unit, (bottom - rows) * unit
        shade = self._lip_shade(from_top, from_bottom)
        # Little light reaches the teeth behind a narrow gap.
        shade *= 0.46 + 0.54 * np.clip((bottom - top) * unit / 0.085, 0.0, 1.0)
        # Rounded lips stand out from the teeth and take their light.
        shade *= 1.0 - 0.45 * float(max(motion[CHANNEL["mouthFunnel"]], 0.7 * motion[CHANNEL["mouthPucker"]]))
        picture = np.empty((box.height, box.width, 3), np.float32)
        picture[:] = self.palette.cavity
        picture += (0.36 * self.palette.gum - self.palette.cavity) * np.exp(-from_bottom / 0.035)[..., None]
        units = self._unit_map(pose)
        for (sprite, own_units), (dx, dy) in zip(self._parts, self._offsets(motion), strict=False):
            to_units = own_units + np.array([[0, 0, dx], [0, 0, dy]], np.float32)
            place = units[:, :2] @ to_units
            place[:, 2] += units[:, 2] - (box.x, box.y)
            layer = cv2.warpAffine(sprite, place, (box.width, box.height), flags=cv2.INTER_LINEAR)
            picture = picture * (1.0 - layer[..., 3:]) + layer[..., :3]
        picture *= shade[..., None]
        if self._own is not None:
            self._own.lay_over(
                picture, box, self._anchors.pixels - 0.5, self._anchors.positions(self._still, pose) - 0.5
            )
        return np.clip(picture, 0, 255).astype(np.uint8), cover

    def _border_light(self, box: Box, cover: F32, line: F32, parted: float) -> F32:
        """Return the light [h, w, 3] on the lips round the opening: they roll inwards, deepest at the corners.

        Without it the opening looks cut out of the picture.
        """
        spread = _SHADOW * self.scale
        dark = 0.55 * cv2.GaussianBlur(cover, (0, 0), spread)
        columns = box.x + np.arange(box.width, dtype=np.float32)
        rows = box.y + np.arange(box.height, dtype=np.float32)
        for x, y in line[[0, -1]]:
            across = np.exp(-0.5 * ((columns - x) / (1.5 * spread)) ** 2)
            dark += np.exp(-0.5 * ((rows - y) / (1.1 * spread)) ** 2)[:, None] * (0.26 * across)
        # Lips let light through: the shadow on them is red.
        dark = np.asarray(parted * np.minimum(dark, 0.6), np.float32)
        red, others = 1.0 - dark * self._red, 1.0 - dark
        return np.asarray(cv2.merge([red, others, others]), np.float32)

    @staticmethod
    def _lip_shade(from_top: F32, from_bottom: F32) -> F32:
        """Return the light [h, w] left by the shadow of the upper lip and the rim of the lower."""
        above = 0.66 + 0.34 * np.clip(from_top / 0.06, 0.0, 1.0)
        below = 0.80 + 0.20 * np.clip(from_bottom / 0.035, 0.0, 1.0)
        return np.asarray(above * below, np.float32)

    def _offsets(self, motion: F32) -> tuple[tuple[float, float], ...]:
        """Return how far, in units, tongue, lower and upper teeth move against the skull."""
        jaw = float(motion[CHANNEL["jawOpen"]])
        aside = 0.08 * float(motion[CHANNEL["jawLeft"]] - motion[CHANNEL["jawRight"]])
        out = float(motion[CHANNEL["tongueOut"]])
        drop = -0.94 * JAW_DROP * jaw - self._lower_rest
        rounded = float(motion[CHANNEL["mouthFunnel"]] + 0.5 * motion[CHANNEL["mouthPucker"]])
        return (0.8 * aside, 0.80 * drop + 0.05 * out), (aside, drop - 0.08 * rounded), (0.0, 0.04 * rounded)
