"""Eyes: a layer with the eyeball behind the lids, lids that carry their lashes, and lid skin for the blink."""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.labels import CHANNEL, SHAPES
from moee_cli.core.types import F32, U8
from moee_cli.face.basis import N_FOLLOWS
from moee_cli.face.easing import smooth
from moee_cli.face.eyeball import Eyeball
from moee_cli.face.eyebox import EyeBox, opening
from moee_cli.face.fields import Anatomy, Box, MovingPoints, Patch, sample, sample_shown, shifted
from moee_cli.face.lids import LidSkin
from moee_cli.face.outlines import Outlines
from moee_cli.face.pose import HeadPose

_PAD = 7
"""Nodes beyond the border of an eye's box, for what the head's turn brings in from there."""
_IRIS_TRAVEL = 0.125
"""Shift of the iris, in units, per sine of the gaze angle: the radius of the eyeball."""
_OVERLAP = 0.012
"""How far, in units, the edge of a closed upper lid lies over that of the lower one."""
_PAINTED = (0.02, 0.30)
"""Blink at which the painted lid starts to replace the photographed one, and at which it has."""
_CLOSED = (0.45, 0.9)
"""Blink from which the upper lid starts to lap over the lower one, and at which it does."""
_SLOWEST = 0.02
"""Way, in units, of a whole blink at least: half of what shuts an eye that is nearly shut."""
_SHUT = 0.012
"""How far, in units, a blink presses the lids on each other: with less, white is left between curves that differ."""
_MOST = 1.3
"""Most that a blink is strengthened; a lid that needs more is not seen from a side where it could shut."""
_SHUT_EYE = (0.010, 0.030)
"""Gap of the lids' middle, in units, up to which an eye is photographed shut and stays so, and from which on it is
open. Eyes shut by this renderer read back as -0.005 to 0.008, half shut ones as 0.044 and 0.054, those of 19 portraits
as 0.035 to 0.133."""
_SIDES = ("Left", "Right")


def _share(value: float, between: tuple[float, float]) -> float:
    """Return 0 up to the first of two values, 1 from the second on, smooth in between."""
    start, stop = between
    return float(smooth((value - start) / (stop - start)))


class Eye:
    """Draws one eye of one portrait."""

    def __init__(self, anatomy: Anatomy, outlines: Outlines, pixels: U8, eye: int) -> None:
        unit = anatomy.frame.scale
        self.unit = unit
        self.side = _SIDES[eye]
        self.frame = anatomy.frame
        upper, lower = outlines.lids[eye]
        place = EyeBox(pixels, (upper, lower), unit)
        self.box = place.box
        step = max(1, round(unit / 60))
        self.above = Patch(anatomy, self.box, step, lids="above", pad=_PAD)
        self.below = Patch(anatomy, self.box, 2 * step, lids="below", pad=-(-_PAD // 2))
        self.upper = MovingPoints(anatomy, upper, lids="above")
        self.lower = MovingPoints(anatomy, lower, lids="below")
        corners = place.centre + anatomy.frame.to_pixels(np.array([[0, 0], [0.2, 0], [0, 0.2]], np.float32))
        self._anchors = MovingPoints(anatomy, corners.astype(np.float32), rigid=True)
        self._anchors.at[2] = self._anchors.at[2, 0]
        self._still = np.zeros(self._anchors.n_weights, np.float32)
        self._gap_at_rest, self._gaps = self._lid_gaps()
        self._open = _share(self._gap_at_rest, _SHUT_EYE)
        first = len(SHAPES) + N_FOLLOWS // 2 * eye
        self._own = [SHAPES.index(name + self.side) for name in ("eyeBlink", "eyeWide", "eyeSquint")]
        self._own += range(first, first + N_FOLLOWS // 2)  # lids that follow the gaze
        whole = min(float(self._gaps[SHAPES.index("eyeBlink" + self.side)]), -_SLOWEST)
        self._shuts = float(np.clip((self._gap_at_rest + _SHUT) / -whole, 0.0, _MOST))
        self._rims = (max(0.7, 0.020 * unit), -0.007 * unit)
        self._top = place.top
        self._ball = Eyeball(place, outlines.irises[eye], self._rims)
        self._lid = LidSkin(place, outlines.lid_rooms[eye])

    def draw(self, frame: U8, source: U8, weights: F32, motion: F32, pose: HeadPose) -> None:
        """Draw lids and eyeball into `frame`; `source` is the photo with its expression folds."""
        anchors = self._anchors.positions(self._still, pose)
        shift = np.round(anchors[0] - self._anchors.pixels[0]).astype(int)
        dx, dy = int(shift[0]), int(shift[1])
        box = self.box.moved(dx, dy)
        blink = float(motion[CHANNEL["eyeBlink" + self.side]]) * self._open
        weights = self._apart(weights)
        upper, lower = (lid - 0.5 for lid in self._met(weights, pose))
        cover, top, bottom = opening((upper, lower), box, self._rims)
        across = (box.x + np.arange(box.width, dtype=np.float32) - upper[0, 0]) / (upper[-1, 0] - upper[0, 0])
        painted, closed = _share(blink, _PAINTED), _share(blink, _CLOSED)
        lap = _OVERLAP * self.unit * closed * np.sqrt(np.clip(4.0 * across * (1.0 - across), 0.0, 1.0))
        meet = self._meet(top, bottom, lap, box)
        lids = self._lids(source, weights, pose, shift=(dx, dy), painted=painted, meet=meet)
        ball = self._eyeball(box, anchors, motion, top)
        picture = np.asarray(cv2.blendLinear(ball, lids, cover, 1.0 - cover), np.uint8)
        if painted > 0.0:
            edge = top + lap + self._lid.roots(bottom - top)
            ends = (float(upper[0, 0]), float(upper[-1, 0]))
            picture = self._lid.draw_lashes(picture, box, edge, ends=ends, blink=blink, amount=painted)
        self.above.lay(picture, frame, (dx, dy))

    def lids(self, weights: F32, pose: HeadPose) -> tuple[F32, F32]:
        """Return the edges (upper, lower) of the lids [M, 2], in pixels: they meet, but never cross."""
        return self._met(self._apart(weights), pose)

    def _apart(self, weights: F32) -> F32:
        """Return the field weights with as much of a blink as shuts the lids, no more.

        The fields know the eye in canonical coordinates, and seen from the side they shut too much or too little of
        it; and squint, cheek and gaze close it as well.
        """
        blink = SHAPES.index("eyeBlink" + self.side)
        held = weights.copy()
        held[self._own] *= self._open
        held[blink] *= self._shuts
        gap = float(self._gap_at_rest + held @ self._gaps)
        if gap < -_SHUT:
            held[blink] -= (gap + _SHUT) / min(float(self._gaps[blink]), -_SLOWEST)
        return held

    def _met(self, weights: F32, pose: HeadPose) -> tuple[F32, F32]:
        """Return the edges of lids that do not cross as a whole, joined where they do in part."""
        upper, lower = self.upper.positions(weights, pose), self.lower.positions(weights, pose)
        crossed = (np.maximum(upper - lower, 0.0) / 2)[:, 1]
        upper[:, 1] -= crossed
        lower[:, 1] += crossed
        return upper, lower

    def _lid_gaps(self) -> tuple[float, F32]:
        """Return the mean gap of the lids' middle at rest, and what each field adds to it, in units."""
        middle = slice(len(self.upper.pixels) // 4, -(len(self.upper.pixels) // 4))
        fields = []
        for lid in (self.upper, self.lower):
            values = np.zeros((lid.n_weights, lid.count), np.float32)
            values[np.ix_(lid.used, lid.moved)] = lid.fields[:, len(lid.moved) :]
            fields.append(values[:, middle].mean(1))
        rest = (self.lower.pixels - self.upper.pixels)[middle, 1].mean() / self.unit
        return float(rest), np.asarray(fields[0] - fields[1], np.float32)

    @staticmethod
    def _meet(top: F32, bottom: F32, lap: F32, box: Box) -> F32:
        """Return how much of each pixel of the box [h, w] shows the lower lid, over whose edge the upper one laps."""
        rows = (box.y + np.arange(box.height, dtype=np.float32))[:, None]
        meet = np.maximum((top + bottom) / 2, top + 0.5) + lap
        return np.asarray(np.clip(rows + 0.5 - meet, 0.0, 1.0), np.float32)

    def _lids(
        self, source: U8, weights: F32, pose: HeadPose, *, shift: tuple[int, int], painted: float, meet: F32
    ) -> U8:
        """Return the skin of both lids in the moved box: each from its own side, the lower where `meet` [h, w] is 1."""
        above_map = self.above.backward(weights, pose, shift)
        above = sample_shown(source, above_map, 1.0 - meet)
        below = sample_shown(source, self.below.backward(weights, pose, shift), meet)
        if painted > 0.0:
            skin = sample(self._lid.skin, shifted(above_map, self.box.x, self.box.y), sharp=False)
            above = np.asarray(cv2.addWeighted(above, 1.0 - painted, skin, painted, 0.0), np.uint8)
        return np.asarray(cv2.blendLinear(below, above, meet, 1.0 - meet), np.uint8)

    def _eyeball(self, box: Box, anchors: F32, motion: F32, top: F32) -> U8:
        """Return the eyeball in the moved box: it follows the head as a whole, the iris the gaze as well."""
        origin, right, up = self._anchors.pixels
        source = np.column_stack([right - origin, up - origin])
        target = np.column_stack([anchors[1] - anchors[0], anchors[2] - anchors[0]])
        turn = (source @ np.linalg.inv(target)).astype(np.float32)
        columns = np.arange(box.width, dtype=np.float32) + (box.x + 0.5 - anchors[0, 0])
        rows = (np.arange(box.height, dtype=np.float32) + (box.y + 0.5 - anchors[0, 1]))[:, None]
        back_x = (turn[0, 0] * columns + (origin[0] - 0.5 - self.box.x)) + turn[0, 1] * rows
        back_y = (turn[1, 0] * columns + (origin[1] - 0.5 - self.box.y)) + turn[1, 1] * rows
        yaw, pitch = float(motion[CHANNEL["gazeYaw"]]), float(motion[CHANNEL["gazePitch"]])
        way = _IRIS_TRAVEL * self._open
        travel = self.frame.to_pixels(np.array([np.sin(yaw), np.sin(pitch)], np.float32) * way)
        if travel.any():
            # One corrected step inverts the falloff well enough: it is flat on the iris.
            fall = cv2.remap(self._ball.fall, back_x - travel[0], back_y - travel[1], cv2.INTER_LINEAR)
            back_x, back_y = back_x - travel[0] * fall, back_y - travel[1] * fall
        lifted = float((self._top - top + (anchors[0, 1] - origin[1])).max())
        moved = float(np.clip(max(np.hypot(*travel), lifted - 0.1), 0.0, 1.0))
        ball = self._ball.rest
        if moved > 0.0:
            ball = np.asarray(cv2.addWeighted(self._ball.clean, moved, ball, 1.0 - moved, 0.0), np.uint8)
        ball = np.asarray(cv2.remap(ball, back_x, back_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
        shadow = max(moved, min(1.0, 2.0 * self._open * float(motion[CHANNEL["eyeBlink" + self.side]])))
        if shadow > 0.0:
            lines = (box.y + np.arange(box.height, dtype=np.float32))[:, None]
            ball = self._ball.shaded(ball, lines, top, shadow)
        return ball
