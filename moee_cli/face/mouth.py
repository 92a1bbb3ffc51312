"""What opening lips uncover: throat, tongue, lower teeth on the jaw, upper teeth on the skull.

Teeth and tongue are painted once into small pictures with alpha (`teeth`, `tongue`); a frame places them by affine
maps, shades them by their distance from the lips, and keeps what lies in the opening. Where lips are nearly closed the
interior is the dark of the portrait's own lip line, so that nothing lights up as they part.
"""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.labels import CHANNEL
from moee_cli.core.types import F32, U8
from moee_cli.face import tongue
from moee_cli.face.easing import smooth
from moee_cli.face.fields import Anatomy, Box, MovingPoints
from moee_cli.face.mouth_parts import TONGUE_LENGTH, MouthParts
from moee_cli.face.outlines import Outlines
from moee_cli.face.own_mouth import OwnMouth
from moee_cli.face.palette import Palette
from moee_cli.face.pose import HeadPose

_SHADOW = 0.016
"""Reach, in units, of the shadow at the border of the opening."""
_DARK_UP_TO, _LIT_FROM = 0.004, 0.080
"""Height of the opening, in units, up to which it shows nothing but the dark line, and from which it is fully lit."""
_MOVED = 0.035
"""Way of the lips, in units, over which the dark of a mouth photographed open gives way to what is painted."""


class Mouth:
    """Draws the open mouth of one portrait."""

    def __init__(self, anatomy: Anatomy, outlines: Outlines, palette: Palette, pixels: U8) -> None:
        frame = anatomy.frame
        self.scale = frame.scale
        self.palette = palette
        self.upper = MovingPoints(anatomy, outlines.lip_upper, lips="above")
        self.lower = MovingPoints(anatomy, outlines.lip_lower, lips="below")
        half = len(outlines.lip_upper) // 2
        middle = (outlines.lip_upper[half] + outlines.lip_lower[half]) / 2
        ends = (outlines.lip_upper[[0, -1]] + outlines.lip_lower[[0, -1]]) / 2
        # Teeth have their middle at the philtrum, also in a head that is turned, and lie a little towards the corners.
        centre = middle + 0.35 * float((ends.mean(0) - middle) @ frame.axes[1]) * frame.axes[1]
        self._rest = (outlines.lip_lower - outlines.lip_upper)[:, 1]
        self._open_rest = float(self._rest.max()) / frame.scale
        # Light that reaches what the lips shade has been on lips, gums and cheeks before: it is red.
        self._blood = np.array([0.0, 0.16, 0.18], np.float32) * palette.colour
        self._red = np.float32(1.0 - 0.22 * palette.colour)
        self._own = OwnMouth(pixels, outlines, palette, frame.scale) if outlines.mouth_open else None
        at = (ends - middle) @ frame.axes[0] / np.float32(frame.scale)
        lower_rest = float((outlines.lip_lower - middle)[half, 1]) / frame.scale
        self._parts = MouthParts(
            anatomy, palette, self._own, centre=centre, corners=(float(at[0]), float(at[1])), lower_rest=lower_rest
        )

    def draw(self, frame: U8, lips: tuple[F32, F32], motion: F32, pose: HeadPose) -> None:
        """Draw the interior into `frame` between the lip edges (upper, lower), each [M, 2] in index coordinates."""
        upper, lower = lips
        opening = lower[:, 1] - upper[:, 1]
        if opening.max() < 0.15:
            return
        parted = float(np.clip((opening.max() / self.scale - self._open_rest) / 0.10, 0.0, 1.0))
        hangs = TONGUE_LENGTH * tongue.out(float(motion[CHANNEL["tongueOut"]]))
        pad = 2 + round(3.0 * _SHADOW * self.scale)
        x0, x1 = int(min(upper[0, 0], lower[0, 0])) - pad, int(max(upper[-1, 0], lower[-1, 0])) + pad + 2
        y0, y1 = int(upper[:, 1].min()) - pad, int(lower[:, 1].max() + (hangs + 0.02) * self.scale) + pad + 2
        box = Box(x0, y0, x1 - x0, y1 - y0)
        rows, columns, own_rows, own_columns = box.inside(frame.shape[1], frame.shape[0])
        picture, cover = self._picture(box, upper, lower, motion, pose)
        if parted > 0.0:
            soft = cv2.GaussianBlur(cover, (0, 0), max(0.45, 0.006 * self.scale))
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
        place = self._parts.placed(box, pose, motion, float((bottom - top).max()) / self.scale)
        shade = self._lip_shade((rows - top) * unit, (bottom - rows) * unit)
        # Rounded lips stand out from the teeth and take their light.
        shade *= 1.0 - 0.45 * float(max(motion[CHANNEL["mouthFunnel"]], 0.7 * motion[CHANNEL["mouthPucker"]]))
        picture = np.empty((box.height, box.width, 3), np.float32)
        picture[:] = self.palette.cavity
        for name in ("throat", "body", "raised", "lower"):
            place.lay(name, picture)
        place.lay("upper", picture)
        shown = _rise((bottom - top) * unit, _DARK_UP_TO, _LIT_FROM)
        shaded = (1.0 - shade)[..., None] * self._blood
        dark = self.palette.line * shade[..., None]
        picture = dark + (picture * (shade[..., None] - shaded) - dark) * shown[:, None]
        under = np.clip((rows - place.upper_edge) * (unit / 0.012), 0.0, 1.0)
        tip = place.lay("out", picture, np.asarray(under * np.clip(rows + 0.5 - top, 0.0, 1.0), np.float32))
        if tip is not None:
            cover = np.maximum(cover, tip)
        if self._own is not None:
            way = np.abs((lower - upper)[:, 1] - self._rest).max(keepdims=True) / np.float32(self.scale)
            own = self._own.layer(box, *self._parts.anchors(pose), float(_rise(way, 0.0, _MOVED)[0]))
            # A mouth that closes on its teeth leaves them in the dark before it hides them.
            rest = np.interp(columns, upper[:, 0], self._rest).astype(np.float32)
            light = np.clip((bottom - top) / np.maximum(np.minimum(0.6 * rest, 0.05 * self.scale), 0.5), 0.0, 1.0)
            lit = self.palette.line + (own[..., :3] - self.palette.line) * light[:, None]
            picture += own[..., 3:] * (lit - picture)
        return np.clip(picture, 0, 255).astype(np.uint8), np.asarray(cover, np.float32)

    def _border_light(self, box: Box, cover: F32, line: F32, parted: float) -> F32:
        """Return the light [h, w, 3] on the lips round the opening: they roll inwards, deepest at the corners.

        Without it the opening looks cut out of the picture. The lower lip looks up into the light and keeps more.
        """
        spread = _SHADOW * self.scale
        columns = box.x + np.arange(box.width, dtype=np.float32)
        rows = box.y + np.arange(box.height, dtype=np.float32)
        middle = np.interp(columns, line[:, 0], line[:, 1])
        upper_share = 1.0 / (1.0 + np.exp(np.clip((rows[:, None] - middle) / spread, -30.0, 30.0)))
        dark = (0.32 + 0.25 * upper_share) * cv2.GaussianBlur(cover, (0, 0), spread)
        for x, y in line[[0, -1]]:
            across = np.exp(-0.5 * ((columns - x) / (1.5 * spread)) ** 2)
            dark += np.exp(-0.5 * ((rows - y) / (1.1 * spread)) ** 2)[:, None] * (0.22 * across)
        # Lips let light through: the shadow on them is red.
        dark = np.asarray(parted * np.minimum(dark, 0.6), np.float32)
        red, others = 1.0 - dark * self._red, 1.0 - dark
        return np.asarray(cv2.merge([red, others, others]), np.float32)

    @staticmethod
    def _lip_shade(from_top: F32, from_bottom: F32) -> F32:
        """Return the light [h, w] left by the soft shadow of the upper lip and by the rim of the lower."""
        above = 1.0 - 0.50 * np.exp(np.minimum(0.0, -from_top) / 0.017)
        below = 1.0 - 0.30 * np.exp(np.minimum(0.0, -from_bottom) / 0.014)
        return np.asarray(above * below, np.float32)


def _rise(value: F32, low: float, high: float) -> F32:
    """Return 0 below `low`, 1 above `high`, smooth in between."""
    return smooth((value - np.float32(low)) / np.float32(high - low))
