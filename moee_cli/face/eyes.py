"""Eyes: a layer with the eyeball behind the lids, lids that carry their lashes, and lid skin for the blink."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.labels import CHANNEL
from moee_cli.core.types import F32, U8
from moee_cli.face.basis import lid_reach
from moee_cli.face.fields import Anatomy, Box, MovingPoints, Patch, sample, sample_shown, shifted
from moee_cli.face.outlines import Outlines
from moee_cli.face.pose import HeadPose

_REACH_X, _REACH_Y = 0.28, 0.28
"""Half extents, in units, of the box drawn for one eye: past its corners and above and below its lids' reach both
sides of the slit move alike."""
_PAD = 7
"""Nodes beyond the border of that box, for what the head's turn brings in from there."""
_IRIS_TRAVEL = 0.125
"""Shift of the iris, in units, per sine of the gaze angle: the radius of the eyeball."""
_OVERLAP = 0.030
"""How far, in units, the edge of a closed upper lid lies over that of the lower one."""
_SIDES = ("Left", "Right")


def _smooth(t: F32) -> F32:
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def _bytes(picture: F32) -> U8:
    return np.asarray(np.clip(picture + 0.5, 0, 255), np.uint8)


class Eye:
    """Draws one eye of one portrait."""

    def __init__(self, anatomy: Anatomy, outlines: Outlines, pixels: U8, eye: int) -> None:
        unit = anatomy.frame.scale
        self.unit = unit
        self.side = _SIDES[eye]
        self.frame = anatomy.frame
        self.source = pixels
        upper, lower = outlines.lids[eye]
        centre = (upper.mean(0) + lower.mean(0)) / 2
        width, height = round(2 * _REACH_X * unit), round(2 * _REACH_Y * unit)
        self.box = Box(round(centre[0]) - width // 2, round(centre[1]) - height // 2, width, height)
        step = max(1, round(unit / 60))
        self.above = Patch(anatomy, self.box, step, lids="above", pad=_PAD)
        self.below = Patch(anatomy, self.box, 2 * step, lids="below", pad=-(-_PAD // 2))
        self.upper = MovingPoints(anatomy, upper, lids="above")
        self.lower = MovingPoints(anatomy, lower, lids="below")
        corners = centre + anatomy.frame.to_pixels(np.array([[0, 0], [0.2, 0], [0, 0.2]], np.float32))
        self._anchors = MovingPoints(anatomy, corners.astype(np.float32), rigid=True)
        self._anchors.z[:] = self._anchors.z[0]
        self._still = np.zeros(self._anchors.n_weights, np.float32)
        self._rims = (max(0.7, 0.020 * unit), -0.007 * unit)
        self._ball_rest, self._ball_clean = self._eyeball(upper, lower, outlines.irises[eye])
        self._fall = self._gaze_fall(outlines.irises[eye], upper)
        # Far from the iris nothing moves: there the corner of the eye stays as it is.
        near_iris = np.clip(2.5 * self._fall, 0.0, 1.0)
        self._ball_clean = np.asarray(
            cv2.blendLinear(self._ball_clean, self._ball_rest, near_iris, 1.0 - near_iris), np.uint8
        )
        self._skin, self._lash_colour = self._lid_skin(upper, lower, outlines.lid_rooms[eye])
        self._centre = centre

    def _crop(self) -> U8:
        """Return the source in the box, borders replicated."""
        box, source = self.box, self.source
        rows = np.clip(np.arange(box.y, box.y + box.height), 0, source.shape[0] - 1)
        columns = np.clip(np.arange(box.x, box.x + box.width), 0, source.shape[1] - 1)
        return np.asarray(source[rows[:, None], columns[None]], np.uint8)

    def _columns(self) -> F32:
        return np.arange(self.box.width, dtype=np.float32) + self.box.x

    def _opening(self, upper: F32, lower: F32, box: Box, rims: tuple[float, float]) -> tuple[F32, F32, F32]:
        """Return coverage [h, w] of the lid opening, and its top and bottom row [w], curves in index coordinates."""
        columns = box.x + np.arange(box.width, dtype=np.float32)
        rows = (box.y + np.arange(box.height, dtype=np.float32))[:, None]
        top = np.interp(columns, upper[:, 0], upper[:, 1]).astype(np.float32)
        bottom = np.interp(columns, lower[:, 0], lower[:, 1]).astype(np.float32)
        gap = bottom - top
        # The rim of the lids belongs to the skin: it carries the lash line.
        room = 0.25 * np.maximum(gap, 0.0)
        over, under = (np.clip(rim, -room, room) for rim in rims)
        cover = np.clip(np.minimum(rows + 0.5, bottom - under) - np.maximum(rows - 0.5, top + over), 0.0, 1.0)
        inside = (columns > upper[0, 0]) & (columns < upper[-1, 0])
        return np.asarray(cover * inside, np.float32), top, bottom

    def _eyeball(self, upper: F32, lower: F32, iris: tuple[F32, float]) -> tuple[U8, U8]:
        """Return the box with the eyeball continued under the lids: as it rests, and clean of lashes and lid shadow.

        The white is filled in from what is seen of it. The part of the iris under a lid takes the mean colour of its
        distance from the pupil, so that a moving iris stays a disc and its catch-light stays single.
        """
        (centre_x, centre_y), radius = iris
        crop = self._crop()
        shown, _, _ = self._opening(upper - 0.5, lower - 0.5, self.box, self._rims)
        margin = max(1.0, 0.02 * self.unit)
        clear, _, _ = self._opening(upper - 0.5, lower - 0.5, self.box, (margin, margin))
        seen = clear > 0.5
        columns, rows = np.meshgrid(self._columns(), self.box.y + np.arange(self.box.height, dtype=np.float32))
        away = np.hypot(columns + 0.5 - centre_x, rows + 0.5 - centre_y)
        ball = self._white(crop, seen & (away > 1.15 * radius)).astype(np.float32)
        rings = [crop[seen & (np.abs(away - r) < 0.75)] for r in np.arange(np.ceil(radius) + 2)]
        known = [ring.mean(0) for ring in rings if len(ring)] or [crop.reshape(-1, 3).mean(0)]
        radial = np.array([ring.mean(0) if len(ring) else known[-1] for ring in rings], np.float32)
        top = np.interp(columns[0], upper[:, 0] - 0.5, upper[:, 1] - 0.5)
        under_lid = np.clip((top + margin - rows) / (2.5 * margin), 0.0, 1.0)
        ball *= (0.94 - 0.26 * under_lid)[..., None]
        disc = radial[np.clip(np.round(away), 0, len(radial) - 1).astype(int)]
        ball += (disc - ball) * np.clip(1.04 * radius - away + 0.5, 0.0, 1.0)[..., None]
        clean = ball + (crop - ball) * np.clip(clear * 2.0, 0.0, 1.0)[..., None]
        rest = ball + (crop - ball) * np.clip(shown * 2.0, 0.0, 1.0)[..., None]
        return _bytes(rest), _bytes(clean)

    def _white(self, crop: U8, white: NDArray[np.bool_]) -> U8:
        """Return the box filled with eye white, continued from where `white` says that it is seen."""
        if white.any():
            luma = crop.mean(2)
            white &= luma > 0.6 * np.percentile(luma[white], 80)
        filled = cv2.inpaint(crop, (~white).astype(np.uint8), 3, cv2.INPAINT_TELEA) if white.any() else crop
        return np.asarray(cv2.GaussianBlur(filled, (0, 0), 0.012 * self.unit), np.uint8)

    def _gaze_fall(self, iris: tuple[F32, float], upper: F32) -> F32:
        """Return how much each pixel of the box follows the gaze: 1 on the iris, 0 at the corners of the eye."""
        (x, y), radius = iris
        columns, rows = np.meshgrid(self._columns(), self.box.y + np.arange(self.box.height, dtype=np.float32))
        away = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
        room = max(0.6 * radius, min(x - upper[0, 0], upper[-1, 0] - x) - 1.15 * radius)
        t = np.clip((away - 1.15 * radius) / (1.6 * room), 0.0, 1.0)
        return np.asarray(1.0 - t * t * (3 - 2 * t), np.float32)

    def _lid_skin(self, upper: F32, lower: F32, room: float) -> tuple[U8, F32]:
        """Return the box with the lid painted plain, without lashes and lid edge, and the colour [3] of its lash line.

        The paint is skin seen around the eye, continued smoothly over the lid; brows, make-up, lashes and deep
        creases must not be smeared over a closing lid.
        """
        crop = self._crop().astype(np.float32)
        columns = self._columns()
        rows = (self.box.y + np.arange(self.box.height, dtype=np.float32))[:, None]
        top = np.interp(columns, upper[:, 0] - 0.5, upper[:, 1] - 0.5)
        bottom = np.interp(columns, lower[:, 0] - 0.5, lower[:, 1] - 0.5)
        reach = (lid_reach(room) + 0.03) * self.unit
        height = (top - rows) / reach
        paint = self._skin_around(crop, rows, (top - reach, top, bottom)) * self._relief(height)[..., None]
        margin = 0.07 * self.unit
        inwards = np.minimum(columns - upper[0, 0], upper[-1, 0] - columns)
        share = (1.0 - _smooth((height - 0.30) / 0.65)) * (rows < bottom + 0.02 * self.unit)
        share = share * _smooth(1.0 + inwards / margin)
        # Beside the eye both lids are one skin: there the paint ends softly above the line between them.
        softly = _smooth((top - rows) / (0.06 * self.unit))
        share = share * (softly + (1.0 - softly) * _smooth(inwards / (0.05 * self.unit)))
        soft = cv2.GaussianBlur(share.astype(np.float32), (0, 0), 0.015 * self.unit)[..., None]
        skin = _bytes(crop + (paint - crop) * soft)
        near = (np.abs(rows - top) < 0.03 * self.unit) & (columns > upper[0, 0]) & (columns < upper[-1, 0])
        edge = crop[near]
        luma = edge.mean(1)
        return skin, np.asarray(edge[luma <= np.percentile(luma, 12)].mean(0), np.float32)

    def _skin_around(self, crop: F32, rows: F32, levels: tuple[F32, F32, F32]) -> F32:
        """Return the box [h, w, 3] filled with the skin seen around the eye.

        Levels are the rows at which the lid's stretch ends, of the upper and of the lower lid.
        """
        brow, top, bottom = levels
        unit = self.unit
        luma = crop.mean(2)
        below = ((rows > bottom + 0.05 * unit) & (rows < bottom + 0.20 * unit)).astype(np.float32)
        cheek = self._spread(crop, below * np.clip(luma / np.median(luma[below > 0]) * 2.0 - 0.5, 0.02, 1.0), (0.10,))
        light = cheek.mean(2)
        ratio = luma / np.maximum(light, 1.0)
        # Much darker than the skin below the eye, it is brow, lash or shadow; much lighter, a highlight or hair.
        skinlike = np.clip((ratio - 0.50) / 0.30, 0.0, 1.0) * np.clip((1.30 - ratio) / 0.15, 0.0, 1.0)
        around = ((rows < top - 0.03 * unit) & (rows > brow)) | (rows > bottom + 0.05 * unit)
        tone = self._spread(crop, skinlike * around, (0.05, 0.12, 0.25))
        shade = tone.mean(2) / np.maximum(light, 1.0)
        # Make-up and shadow over the eye are greyer than skin: most of the hue comes from below.
        hue = 0.4 * tone / np.maximum(shade, 1e-3)[..., None] + 0.6 * cheek
        tone = hue * np.clip(0.4 + 0.6 * shade, 0.90, 1.04)[..., None]
        return np.asarray(tone + self._grain(crop, below * skinlike), np.float32)

    def _spread(self, picture: F32, weight: F32, reaches: tuple[float, ...]) -> F32:
        """Return `picture` [h, w, 3] continued from where `weight` [h, w] is high, near before far (reaches: units)."""
        mean = (picture * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        filled = np.broadcast_to(mean, picture.shape)
        for reach in sorted(reaches, reverse=True):
            seen = np.dstack([picture * weight[..., None], weight]).astype(np.float32)
            sums = cv2.GaussianBlur(seen, (0, 0), reach * self.unit, borderType=cv2.BORDER_REPLICATE)
            known = sums[..., 3:]
            local = sums[..., :3] / np.maximum(known, 1e-6)
            filled = filled + (local - filled) * (known / (known + 0.05))
        return np.asarray(filled, np.float32)

    def _grain(self, crop: F32, skin: F32) -> F32:
        """Return the fine grain [h, w, 3] of the skin below the eye, mirrored over the box: paint alone is too even."""
        weight = cv2.erode(skin, np.ones((3, 3), np.uint8))
        fine = crop - cv2.GaussianBlur(crop, (0, 0), max(1.0, 0.012 * self.unit))
        fine = np.clip(fine, -10.0, 10.0) * weight[..., None]
        used = np.flatnonzero(weight.max(1) > 0.5)
        if len(used) < 3:
            return np.zeros_like(crop)
        strip = fine[used[0] : used[-1] + 1]
        period = np.concatenate([strip, strip[::-1]])
        return np.asarray(period[np.arange(len(crop)) % len(period)], np.float32)

    @staticmethod
    def _relief(height: F32) -> F32:
        """Return the light on a closed lid by height over its edge (1: the end of its stretch): bulge, then crease."""
        bulge = 0.95 + 0.08 * np.sin(np.pi * np.clip(height * 1.3 + 0.12, 0.0, 1.0))
        crease = 1.0 - 0.13 * np.exp(-0.5 * ((height - 0.62) / 0.09) ** 2)
        return np.asarray(bulge * crease, np.float32)

    def draw(self, frame: U8, source: U8, weights: F32, motion: F32, pose: HeadPose) -> None:
        """Draw lids and eyeball into `frame`; `source` is the photo with its expression folds."""
        anchors = self._anchors.positions(self._still, pose)
        shift = np.round(anchors[0] - self._anchors.pixels[0]).astype(int)
        dx, dy = int(shift[0]), int(shift[1])
        box = self.box.moved(dx, dy)
        blink = float(motion[CHANNEL["eyeBlink" + self.side]])
        upper = self.upper.positions(weights, pose) - 0.5
        lower = self.lower.positions(weights, pose) - 0.5
        cover, top, bottom = self._opening(upper, lower, box, self._rims)
        at = (box.x + np.arange(box.width, dtype=np.float32) - upper[0, 0]) / (upper[-1, 0] - upper[0, 0])
        within = np.clip(np.minimum(at, 1.0 - at) * 6.0, 0.0, 1.0)
        painted, closed = (float(_smooth(np.array((blink - start) / 0.4, np.float32))) for start in (0.2, 0.45))
        lids = self._lids(
            source, weights, pose, shift=(dx, dy), painted=painted, meet=self._meet(top, bottom, closed * within, box)
        )
        ball = self._gaze(box, anchors, motion)
        if blink > 0.0:
            ball = np.asarray(cv2.convertScaleAbs(ball, alpha=1.0 - 0.4 * blink * blink), np.uint8)  # the lid's shadow
        picture = cv2.blendLinear(ball, lids, cover, 1.0 - cover)
        if painted > 0.0:
            edge = top + (_OVERLAP * self.unit * closed) * within
            picture = self._lash_line(np.asarray(picture, np.uint8), box, edge, within, painted)
        self.above.lay(np.asarray(picture, np.uint8), frame, (dx, dy))

    def _meet(self, top: F32, bottom: F32, closed: F32, box: Box) -> F32:
        """Return how much of each pixel of the box [h, w] shows the lower lid, whose edge a `closed` [w] lid covers."""
        rows = (box.y + np.arange(box.height, dtype=np.float32))[:, None]
        meet = np.maximum((top + bottom) / 2, top + 0.5) + _OVERLAP * self.unit * closed
        return np.asarray(np.clip(rows + 0.5 - meet, 0.0, 1.0), np.float32)

    def _lids(
        self, source: U8, weights: F32, pose: HeadPose, *, shift: tuple[int, int], painted: float, meet: F32
    ) -> U8:
        """Return the skin of both lids in the moved box: each from its own side, the lower where `meet` [h, w] is 1."""
        above_map = self.above.backward(weights, pose, shift)
        above = sample_shown(source, above_map, 1.0 - meet)
        below = sample_shown(source, self.below.backward(weights, pose, shift), meet)
        if painted > 0.0:
            skin = sample(self._skin, shifted(above_map, self.box.x, self.box.y), sharp=False)
            above = np.asarray(cv2.addWeighted(above, 1.0 - painted, skin, painted, 0.0), np.uint8)
        return np.asarray(cv2.blendLinear(below, above, meet, 1.0 - meet), np.uint8)

    def _lash_line(self, picture: U8, box: Box, edge: F32, within: F32, amount: float) -> U8:
        """Return the picture of a box with a lash line along the edge [w] of the upper lid, row by column."""
        rows = (box.y + np.arange(box.height, dtype=np.float32))[:, None]
        away = (rows - (edge - 0.006 * self.unit)) / max(0.7, 0.011 * self.unit)
        line = np.exp(-0.5 * away * away) * (0.85 * np.sqrt(amount)) * within
        line = np.ascontiguousarray(line, np.float32)
        ink = np.empty_like(picture)
        ink[:] = self._lash_colour.astype(np.uint8)
        return np.asarray(cv2.blendLinear(ink, picture, line, 1.0 - line), np.uint8)

    def _gaze(self, box: Box, anchors: F32, motion: F32) -> U8:
        """Return the eyeball in the moved box: it follows the head as a whole, the iris the gaze as well."""
        origin, right, up = self._anchors.pixels
        source = np.column_stack([right - origin, up - origin])
        target = np.column_stack([anchors[1] - anchors[0], anchors[2] - anchors[0]])
        turn = (source @ np.linalg.inv(target)).astype(np.float32)
        columns, rows = np.meshgrid(
            np.arange(box.width, dtype=np.float32) + (box.x + 0.5 - anchors[0, 0]),
            np.arange(box.height, dtype=np.float32) + (box.y + 0.5 - anchors[0, 1]),
        )
        back_x = turn[0, 0] * columns + turn[0, 1] * rows + (origin[0] - 0.5 - self.box.x)
        back_y = turn[1, 0] * columns + turn[1, 1] * rows + (origin[1] - 0.5 - self.box.y)
        yaw, pitch = float(motion[CHANNEL["gazeYaw"]]), float(motion[CHANNEL["gazePitch"]])
        ball = self._ball_rest
        if yaw or pitch:
            travel = self.frame.to_pixels(np.array([np.sin(yaw), np.sin(pitch)], np.float32) * _IRIS_TRAVEL)
            # One corrected step inverts the falloff well enough: it is flat on the iris.
            fall = cv2.remap(self._fall, back_x - travel[0], back_y - travel[1], cv2.INTER_LINEAR)
            back_x, back_y = back_x - travel[0] * fall, back_y - travel[1] * fall
            moved = min(1.0, float(np.hypot(*travel)))
            ball = np.asarray(cv2.addWeighted(self._ball_clean, moved, self._ball_rest, 1.0 - moved, 0.0), np.uint8)
        return np.asarray(cv2.remap(ball, back_x, back_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
