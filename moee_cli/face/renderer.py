"""The renderer that moves the user's own photo: skin, then lower lip and chin, mouth, eyes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from moee_cli.core.types import F32, U8, Portrait
from moee_cli.face.basis import SEAL_CENTRES
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.controls import N_FIELDS, bounded, field_weights, head_of, lips_together
from moee_cli.face.crowding import rooms
from moee_cli.face.cutout import Cutout, Place
from moee_cli.face.eyes import Eye
from moee_cli.face.fields import Anatomy, Box, MovingPoints, Patch, sample, sample_shown, shifted
from moee_cli.face.glasses import Glasses
from moee_cli.face.mouth import Mouth
from moee_cli.face.outlines import Outlines
from moee_cli.face.palette import Palette
from moee_cli.face.pose import HeadPose, source_yaw
from moee_cli.face.shading import Folds

_NODES = 128
"""Nodes of the whole-frame grid along the longer side: one per 4 pixels at 512."""
_PAD = 7
"""Nodes beyond the border of a fine patch, for what the head's turn brings in from there."""
_HEAD_BOX = (-1.15, 1.15, -1.45, 1.20)
"""Left, right, bottom, top (units) of the part that is read sharply."""
_HEAD_MARGIN = 0.45
"""Reach (units) of motion into that part."""
_CRISPER = 0.25
"""Contrast that is added between pixels for what reading takes away: with it skin that is shifted by parts of a pixel
keeps 0.91 to 1.01 of its Laplacian (mean over shifts; four portraits), without it 0.81 to 0.99."""
_FINE = 40
"""Nodes per unit in the patches of lips and chin."""
_LIP_BOX = (0.56, 0.32, 0.45)
_CHIN_BOX = (0.56, 0.30, 1.20)
"""Half width, and reach above and below the lip line, of the boxes in which the skull's side of the lips is drawn
finely, and the jaw's side (units)."""

_PRESS_TAKES = 0.03
"""Opening, in units, that lips pressing on each other take up: a spoken m shuts them though the jaw hangs a little."""
_UPPER_RIM, _LOWER_RIM = 0.018, 0.030
"""Height, in units, of the dark along the upper lip's edge, and along the lower one's, where closed lips meet."""


class _Sharp:
    """A part of the photo at twice its density, interpolated by Lanczos windows.

    Read bilinearly it comes close to a bicubic reading of the photo, at a quarter of the time. Every second sample
    is a pixel of the photo, so that what does not move stays the same to the bit.
    """

    def __init__(self, picture: U8, part: tuple[slice, slice], margin: int) -> None:
        (y0, y1), (x0, x1) = (
            (max(0, along.start - margin), min(size, along.stop + margin))
            for along, size in zip(part, picture.shape, strict=False)
        )
        self._twice = np.array([[2.0, 0.0, -2.0 * x0], [0.0, 2.0, -2.0 * y0]], np.float32)
        place = np.array([[0.5, 0.0, x0], [0.0, 0.5, y0]], np.float32)
        size = (2 * (x1 - x0) - 1, 2 * (y1 - y0) - 1)
        how = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        dense = cv2.warpAffine(picture, place, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        soft = cv2.GaussianBlur(dense, (0, 0), 1.2)
        crisp = cv2.addWeighted(dense, 1.0 + _CRISPER, soft, -_CRISPER, 0.0)
        crisp[::2, ::2] = dense[::2, ::2]
        self._dense = crisp

    def read(self, at: F32) -> U8:
        """Return the part read at positions [h, w, 2] of the photo (x, y in index coordinates)."""
        twice = np.asarray(cv2.transform(at, self._twice), np.float32)
        return sample(np.asarray(self._dense, np.uint8), twice, sharp=False)


def _cutout(portrait: Portrait) -> Cutout | None:
    return None if portrait.layers is None else Cutout(portrait.layers, transparent=portrait.transparent)


def _anatomy(portrait: Portrait, frame: CanonicalFrame, outlines: Outlines, cutout: Cutout | None) -> Anatomy:
    """Return what the fields need to know of a portrait."""
    height, width = portrait.pixels.shape[:2]
    # Hair and clothes that the border cuts go on beyond it, mirrored; a background that does would be seen to slide.
    free = cutout is not None
    fixed = portrait.held if free else (True, True, True, portrait.held[3])
    turned = source_yaw(portrait.landmarks)
    return Anatomy(frame, outlines.slits(frame), width, height, free, fixed, portrait.others, turned)


def _divided(place: Place, inner: Place) -> tuple[Place | None, list[Place]]:
    """Return the part of a place that lies in `inner`, if any does, and rectangles that are the rest of it."""
    rows, columns = (
        slice(*(min(max(end, along.start), along.stop) for end in (within.start, within.stop)))
        for along, within in zip(place, inner, strict=True)
    )
    around = [
        (slice(place[0].start, rows.start), place[1]),
        (slice(rows.stop, place[0].stop), place[1]),
        (rows, slice(place[1].start, columns.start)),
        (rows, slice(columns.stop, place[1].stop)),
    ]
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return None, [place]
    return (rows, columns), [part for part in around if all(along.stop > along.start for along in part)]


class FaceRenderer:
    """Draws one portrait in motion. `draw` is a pure function of the motion and may be called from several threads."""

    def __init__(self, portrait: Portrait) -> None:
        cv2.setNumThreads(1)  # fixed sums, and callers run frames side by side
        self._cutout = _cutout(portrait)
        self._pixels = np.ascontiguousarray(portrait.pixels if self._cutout is None else self._cutout.colours)
        height, width = self._pixels.shape[:2]
        self._whole: tuple[Place, ...] = ((slice(0, height), slice(0, width)),)
        frame = CanonicalFrame.of(portrait.landmarks)
        outlines = Outlines.of(self._pixels, portrait.landmarks, frame)
        anatomy = _anatomy(portrait, frame, outlines, self._cutout)
        self._glasses = Glasses.of(anatomy, self._pixels, portrait.landmarks)
        if self._glasses is not None:
            self._pixels = self._glasses.skin
        self._turned = anatomy.turned
        step = max(2, round(max(width, height) / _NODES))
        self._skin = Patch(anatomy, Box(0, 0, width, height), step, turns=4, relax=1.0)
        self._head = self._head_part(anatomy)
        self._sharp = _Sharp(self._pixels, self._head, round(_HEAD_MARGIN * frame.scale))
        fine = max(1, round(frame.scale / _FINE))
        self._lip = Patch(anatomy, self._mouth_box(anatomy, outlines, _LIP_BOX), fine, pad=_PAD)
        self._chin = Patch(anatomy, self._mouth_box(anatomy, outlines, _CHIN_BOX), fine, lips="below", pad=_PAD)
        middle = outlines.lip_lower[len(outlines.lip_lower) // 2]
        chin = middle + frame.to_pixels(np.array([[0.0, -0.4]], np.float32))
        self._chin_anchor = MovingPoints(anatomy, chin.astype(np.float32), lips="below")
        palette = Palette.of(self._pixels, portrait.landmarks, outlines, frame.scale)
        self._mouth = Mouth(anatomy, outlines, palette, self._pixels)
        self._folds = Folds(anatomy, self._pixels, portrait.landmarks, colour=palette.colour, softness=palette.softness)
        self._band = self._lip_band(outlines, frame.scale)
        self._lipless = (
            self._without_lip_line(outlines.lip_upper, -_UPPER_RIM, frame.scale),
            self._without_lip_line(
                outlines.lip_lower, _LOWER_RIM if not outlines.mouth_open else _UPPER_RIM, frame.scale
            ),
        )
        self._rest_gap = (outlines.lip_lower - outlines.lip_upper)[:, 1]
        self._eyes = tuple(Eye(anatomy, outlines, self._pixels, eye) for eye in (0, 1))
        self._smile, self._room = outlines.smile, rooms(frame)
        self._unit = frame.scale
        self._gaps = self._lip_gaps(anatomy, outlines)
        # A seal parts lips by less than a unit where they lie off the line between them, in a mouth photographed open.
        # On a head turned far two seals may do the same: hence no plain inverse.
        self._sealing = np.linalg.pinv(self._gaps[0][N_FIELDS:], rcond=0.1).astype(np.float32)

    @property
    def n_pixels(self) -> int:
        """Pixels of a frame."""
        return self._pixels.shape[0] * self._pixels.shape[1]

    @staticmethod
    def _head_part(anatomy: Anatomy) -> tuple[slice, slice]:
        """Return the rows and columns that hold face, hair and neck."""
        frame = anatomy.frame
        left, right, bottom, top = _HEAD_BOX
        corners = frame.to_pixels(np.array([[left, top], [right, top], [left, bottom], [right, bottom]], np.float32))
        size = (anatomy.width, anatomy.height)
        low = np.clip(np.floor(corners.min(0) + frame.origin), 0, size).astype(int)
        high = np.clip(np.ceil(corners.max(0) + frame.origin), low, size).astype(int)
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))

    @staticmethod
    def _mouth_box(anatomy: Anatomy, outlines: Outlines, reach: tuple[float, float, float]) -> Box:
        unit = anatomy.frame.scale
        half, above, below = (round(part * unit) for part in reach)
        x, y = (outlines.lip_lower[0] + outlines.lip_lower[-1]) / 2
        return Box(round(x) - half, round(y) - above, 2 * half, above + below)

    def _lip_gaps(self, anatomy: Anatomy, outlines: Outlines) -> tuple[F32, F32]:
        """Return how each field opens the lips at `SEAL_CENTRES` [K, 7], and their opening at rest [7], in units."""
        ends = outlines.lip_upper[[0, -1], 0]
        at = ends.mean() + SEAL_CENTRES * (ends[1] - ends[0]) / 2
        index = np.abs(outlines.lip_upper[:, :1] - at[None]).argmin(0)
        upper, lower = outlines.lip_upper[index], outlines.lip_lower[index]
        rest = (lower - upper)[:, 1] / np.float32(anatomy.frame.scale)
        fields = []
        for moving in (MovingPoints(anatomy, upper, lips="above"), MovingPoints(anatomy, lower, lips="below")):
            values = np.zeros((moving.n_weights, moving.count), np.float32)
            values[np.ix_(moving.used, moving.moved)] = moving.fields[:, len(moving.moved) :]
            fields.append(values)
        return fields[0] - fields[1], rest

    def _weights(self, held: F32) -> F32:
        """Return the field weights, with seals that keep the lips from crossing and shut a mouth photographed open."""
        weights = field_weights(held, len(SEAL_CENTRES))
        opens, rest = self._gaps
        together = lips_together(held)
        opening = rest * (1.0 - together) + weights @ opens - _PRESS_TAKES * together
        weights[N_FIELDS:] = (np.maximum(opening, 0.0) - (rest + weights @ opens)) @ self._sealing
        return weights

    def draw(self, motion: F32) -> U8:
        """Return the frame for one motion frame [52] (`labels.MOTION_CHANNELS`).

        RGB [H, W, 3], or premultiplied RGBA [H, W, 4] for a transparent portrait.

        Raises:
            ValueError: the motion frame has another shape.
        """
        held = bounded(motion, self._smile, self._room)
        weights = self._weights(held)
        pose = HeadPose(head_of(held), self._turned)
        back = self._skin.backward(weights, pose)
        gain = self._folds.gain(held)
        source = self._folds.shaded(self._pixels, gain)
        parts = None if self._cutout is None else self._cutout.parts(back)
        frame = self._draw_skin(source, back, self._whole if parts is None else parts.shown)
        shift = self._mouth_shift(weights, pose)
        if gain is not None:
            self._press_folds(frame, back, gain, shift)
        upper = self._mouth.upper.positions(weights, pose) - 0.5
        lower = self._mouth.lower.positions(weights, pose) - 0.5
        skull_side, jaw_side = self._with_parted_lips(source, gain, (upper, lower))
        self._lip.lay(sample(skull_side, self._lip.backward(weights, pose, shift)), frame, shift)
        below = self._below(shift, (upper + lower) / 2)
        jaw = sample_shown(jaw_side, self._chin.backward(weights, pose, shift), below)
        self._chin.lay(jaw, frame, shift, below)
        self._mouth.draw(frame, (upper, lower), held, pose)
        for eye in self._eyes:
            eye.draw(frame, source, weights, held, pose)
        if self._glasses is not None:
            self._glasses.draw(frame, pose)
        return frame if self._cutout is None or parts is None else self._cutout.over(frame, back, parts)

    def _draw_skin(self, source: U8, back: F32, places: Sequence[Place]) -> U8:
        """Return the frame [H, W, 3] before its patches, drawn at `places`: the head sharply and without its folds."""
        frame = np.empty_like(source)
        for place in places:
            head, around = _divided(place, self._head)
            for part in around:
                frame[part] = sample(source, np.ascontiguousarray(back[part]), sharp=False)
            if head is not None:
                frame[head] = self._sharp.read(np.ascontiguousarray(back[head]))
        return frame

    def _press_folds(self, frame: U8, back: F32, gain: F32, shift: tuple[int, int]) -> None:
        """Multiply the head in `frame` by the folds' `gain`, as `back` shows it; `shift` is the head's way."""
        rows, columns = self._head
        box = self._folds.box
        moved = box.moved(*shift)
        high = slice(max(rows.start, moved.y), max(rows.start, min(rows.stop, moved.y + moved.height)))
        wide = slice(max(columns.start, moved.x), max(columns.start, min(columns.stop, moved.x + moved.width)))
        if high.stop <= high.start or wide.stop <= wide.start:
            return
        at = shifted(np.ascontiguousarray(back[high, wide]), box.x, box.y)
        nothing = np.empty(0, np.float32)
        plain = (1.0,)
        folds = cv2.remap(gain, at, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=plain)
        frame[high, wide] = self._folds.multiplied(frame[high, wide], np.asarray(folds, np.float32))

    def _lip_band(self, outlines: Outlines, unit: float) -> Box:
        """Return the box, inside that of the folds, in which the edges of the lips lie."""
        folds = self._folds.box
        low = np.floor(outlines.lip_upper.min(0) - 0.05 * unit).astype(int)
        high = np.ceil(outlines.lip_lower.max(0) + 0.05 * unit).astype(int)
        x, y = max(folds.x, int(low[0])), max(folds.y, int(low[1]))
        right, bottom = min(folds.x + folds.width, int(high[0])), min(folds.y + folds.height, int(high[1]))
        return Box(x, y, max(0, right - x), max(0, bottom - y))

    def _without_lip_line(self, edge: F32, rim: float, unit: float) -> U8:
        """Return the band of the photo in which the dark along a lip's edge is covered by the lip's own colour.

        Once the lips part there is light between them, and the line would stay behind as a black rim; round a mouth
        photographed open, what was seen between the lips would. `rim` is the height of the cover in units, positive
        for the lower lip.
        """
        box, sign = self._band, np.sign(rim)
        curve = edge - 0.5
        columns, rows = np.meshgrid(
            np.arange(box.x, box.x + box.width, dtype=np.float32),
            np.arange(box.y, box.y + box.height, dtype=np.float32),
        )
        line = np.interp(columns[0], curve[:, 0], curve[:, 1]).astype(np.float32)
        place = np.clip((columns[0] - curve[0, 0]) / (curve[-1, 0] - curve[0, 0]), 0.0, 1.0)
        band = abs(rim) * unit * np.clip(np.minimum(place, 1.0 - place) * 8.0, 0.0, 1.0)
        depth = sign * (rows - line)
        # Rows of the band are read from just beyond it, most from its end, so that the lip's shading goes on.
        inside = (depth < band) & (depth > -band)
        read = np.where(inside, line + sign * (band + 0.25 * (band - depth)), rows).astype(np.float32)
        return sample(self._pixels, np.stack([columns, read], axis=-1))

    def _mouth_shift(self, weights: F32, pose: HeadPose) -> tuple[int, int]:
        """Return the whole pixels by which the head's pose moves the mouth."""
        shift = np.round(self._chin_anchor.displacement(np.zeros_like(weights), pose)[0])
        return int(shift[0]), int(shift[1])

    def _with_parted_lips(self, source: U8, gain: F32 | None, lips: tuple[F32, F32]) -> tuple[U8, U8]:
        """Return `source` as the skull's side and the jaw's side need it: lips [M, 2] that part lose the dark there."""
        upper, lower = lips
        apart = float(((lower - upper)[:, 1] - self._rest_gap).max())
        parted = float(np.clip(apart / (0.06 * self._unit), 0.0, 1.0))
        if parted == 0.0 or not self._lipless[0].size:
            return source, source
        return self._blended(source, gain, self._lipless[0], parted), self._blended(
            source, gain, self._lipless[1], parted
        )

    def _blended(self, source: U8, gain: F32 | None, clean: U8, share: float) -> U8:
        """Return `source` with `share` of `clean`, a picture of the lips' band, under the folds' `gain`."""
        box, folds = self._band, self._folds.box
        if gain is not None:
            x, y = box.x - folds.x, box.y - folds.y
            clean = self._folds.multiplied(clean, gain[y : y + box.height, x : x + box.width])
        picture = source.copy()
        view = picture[box.y : box.y + box.height, box.x : box.x + box.width]
        view[:] = cv2.addWeighted(view, 1.0 - share, clean, share, 0.0)
        return picture

    def _below(self, shift: tuple[int, int], line: F32) -> F32:
        """Return how much of each pixel of the jaw's patch, moved by `shift`, lies below a line [M, 2]."""
        box = self._chin.box.moved(*shift)
        edge = np.interp(box.x + np.arange(box.width), line[:, 0], line[:, 1]).astype(np.float32)
        at = (box.y + np.arange(box.height, dtype=np.float32))[:, None]
        return np.asarray(np.clip(at + 0.5 - edge, 0.0, 1.0), np.float32)
