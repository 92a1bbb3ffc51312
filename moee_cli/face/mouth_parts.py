"""Throat, tongue and teeth of one portrait: painted once, and where they lie at a motion frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from moee_cli.core.labels import CHANNEL
from moee_cli.core.types import F32
from moee_cli.face import teeth, tongue
from moee_cli.face.basis import JAW_DROP
from moee_cli.face.fields import Anatomy, Box, MovingPoints
from moee_cli.face.own_mouth import OwnMouth
from moee_cli.face.palette import Palette
from moee_cli.face.pose import HeadPose
from moee_cli.face.sprite import Sprite

_TEETH_DEPTH = -0.10
"""Teeth lie this far behind the lips (units)."""
_INCISOR_DROP = 0.888
"""Drop of the lower incisors against that of the lower lip when the jaw opens (ICT-FaceKit: 0.350 to 0.395)."""
TONGUE_LENGTH = 0.16
"""How far below the lower lip, in units, the tip of a tongue is that is out."""
_THROAT_HEIGHT = 0.30
"""Height of the opening, in units, for which the throat is painted; it stretches with the opening."""
_ARM = 0.2
"""Distance, in units, of the anchors that carry the parts with the head."""


class MouthParts:
    """What lies behind the lips of one portrait."""

    def __init__(
        self,
        anatomy: Anatomy,
        palette: Palette,
        own: OwnMouth | None,
        *,
        centre: F32,
        corners: tuple[float, float],
        lower_rest: float,
    ) -> None:
        """Paint the parts.

        Args:
            anatomy: the face.
            palette: the picture's colours.
            own: what the portrait shows itself, if the mouth is open in it.
            centre: [2] the middle of the upper teeth on the lip line, in landmark pixels.
            corners: how far, in units, the mouth corners lie aside of it, the subject's right (negative) first.
            lower_rest: height of the lower lip's edge over the lip line in the portrait, in units, downwards.
        """
        self._unit = anatomy.frame.scale
        self._lower_rest = lower_rest
        arms = np.array([[0, 0], [_ARM, 0], [0, _ARM]], np.float32)
        self._anchors = MovingPoints(anatomy, centre + anatomy.frame.to_pixels(arms), rigid=True)
        self._anchors.at[2] = self._anchors.at[2, 0] + np.float32(_TEETH_DEPTH)
        self._still = np.zeros(self._anchors.n_weights, np.float32)
        width = corners[1] - corners[0]
        size = teeth.row_scale(width)
        self.upper_edge = teeth.UPPER_EDGE * size
        """Height of the upper incisors' edge over the lip line, in units."""
        if own is not None and own.open_teeth is not None:
            palette = palette.with_teeth(own.open_teeth)
            self.upper_edge = (float(centre[1]) - 0.5 - own.edge) / self._unit
        right, left = np.clip(np.abs(corners) / max(width / 2, 1e-3), 0.6, 1.4).tolist()
        self._sprites = self._painted(palette, size, (right, left))

    def _painted(self, palette: Palette, size: float, sides: tuple[float, float]) -> dict[str, tuple[F32, F32]]:
        """Return each part as premultiplied RGBA [h, w, 4] and the affine map [2, 3] from its pixels to units."""

        def upper(sprite: Sprite, palette: Palette, size: float) -> None:
            teeth.paint_teeth(sprite, palette, upper=True, scale=size, edge=self.upper_edge)

        def lower(sprite: Sprite, palette: Palette, size: float) -> None:
            teeth.paint_teeth(sprite, palette, upper=False, scale=size, edge=teeth.LOWER_EDGE)

        painters = {
            "throat": tongue.paint_throat, "body": tongue.paint_body, "raised": tongue.paint_raised,
            "out": tongue.paint_out, "lower": lower, "upper": upper,
        }  # fmt: skip
        sprites = {}
        for name, paint in painters.items():
            sprite = Sprite(self._unit, sides)
            paint(sprite, palette, size)
            sprites[name] = (sprite.finish(palette.softness, palette.grain, palette.light), sprite.to_units())
        return sprites

    def anchors(self, pose: HeadPose) -> tuple[F32, F32]:
        """Return three points [3, 2] behind the lips: in the portrait, and in a pose (index coordinates)."""
        return self._anchors.pixels - np.float32(0.5), self._anchors.positions(self._still, pose) - np.float32(0.5)

    def placed(self, box: Box, pose: HeadPose, motion: F32, height: float) -> PlacedParts:
        """Return the parts as they lie in `box` of a frame, for an opening `height` units high."""
        origin, right, up = self.anchors(pose)[1]
        units = np.column_stack([(right - origin) / _ARM, (up - origin) / _ARM, origin]).astype(np.float32)
        amount = float(motion[CHANNEL["tongueOut"]])
        hidden = 1.0 - min(1.0, 4.0 * tongue.out(amount))
        shares = {"raised": min(1.0, 6.0 * amount) * hidden, "out": 1.0 - hidden}
        edge = float(units[1, 1] * self.upper_edge + units[1, 2])
        stretch = {"throat": max(0.2, height / _THROAT_HEIGHT)}
        return PlacedParts(self._sprites, box, units, self._offsets(motion), shares, stretch, edge)

    def _offsets(self, motion: F32) -> dict[str, tuple[float, float]]:
        """Return how far, in units, the parts move against the skull."""
        jaw = float(motion[CHANNEL["jawOpen"]])
        aside = 0.08 * float(motion[CHANNEL["jawLeft"]] - motion[CHANNEL["jawRight"]])
        rounded = float(motion[CHANNEL["mouthFunnel"]] + 0.5 * motion[CHANNEL["mouthPucker"]])
        amount = float(motion[CHANNEL["tongueOut"]])
        up, out = tongue.raised(amount), tongue.out(amount)
        # Where the mouth was photographed open, the jaw stands lower by as much.
        lip = -JAW_DROP * jaw - self._lower_rest
        drop = -_INCISOR_DROP * JAW_DROP * jaw - self._lower_rest
        lower = drop - 0.04 * rounded
        tip = lower + teeth.LOWER_EDGE - 0.035
        return {
            "throat": (0.0, 0.5 * (drop + self.upper_edge)),
            "body": (0.8 * aside, tip + 0.03 * up),
            "lower": (aside, lower),
            "raised": (0.8 * aside, tip + up * max(0.0, self.upper_edge - 0.012 - tip)),
            "out": (0.8 * aside, lip + 0.03 - (TONGUE_LENGTH + 0.03) * out),
            "upper": (0.0, 0.0),
        }


@dataclass(frozen=True, eq=False)
class PlacedParts:
    """The parts as they lie in a box of one frame."""

    sprites: Mapping[str, tuple[F32, F32]]
    box: Box
    units: F32
    """[2, 3] map from units round the lip line's middle to the frame."""
    offsets: Mapping[str, tuple[float, float]]
    shares: Mapping[str, float]
    stretch: Mapping[str, float]
    upper_edge: float
    """Row of the upper incisors' edge."""

    def lay(self, name: str, picture: F32, shown: F32 | None = None) -> F32 | None:
        """Lay a part over `picture` [h, w, 3] and return its alpha [h, w], or None if it is not to be seen.

        `shown` [h, w] says how much of the part comes before the picture.
        """
        share = self.shares.get(name, 1.0)
        if share <= 0.0:
            return None
        sprite, to_units = self.sprites[name]
        to_units = to_units.copy()
        to_units[1] *= self.stretch.get(name, 1.0)
        to_units[:, 2] += self.offsets[name]
        place = self.units[:, :2] @ to_units
        place[:, 2] += self.units[:, 2] - (self.box.x, self.box.y)
        size = (self.box.width, self.box.height)
        layer = np.asarray(cv2.warpAffine(sprite, place, size, flags=cv2.INTER_LINEAR), np.float32)
        if shown is not None:
            layer *= shown[..., None]
        if share < 1.0:
            layer *= np.float32(share)
        picture *= 1.0 - layer[..., 3:]
        picture += layer[..., :3]
        return layer[..., 3]
