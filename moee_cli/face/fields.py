"""Dense motion: displacement fields on a coarse grid, inverted into the maps that `cv2.remap` reads.

A regular grid of nodes carries the shape fields and the head pose; between nodes motion is linear. Compared with a
triangle mesh the motion has no facets, nothing can tear, and the cost per pixel is one resize and one remap. The
slits (lips, lids) are met by drawing both of their sides from a patch of its own and choosing per pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.basis import Side, Sites, Slits, follow_fields, seal_fields, shape_fields
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.easing import smooth
from moee_cli.face.landmarks import OUTER_EYES
from moee_cli.face.pose import PIVOT, HeadPose

_TURNS = 8
"""Most steps of the inversion."""
_RELAX = 0.8
"""Share of a step that is taken: whole steps swing where a slit's side is stretched most."""
_NEAR_ENOUGH = 0.04
"""Largest error of the inversion, in pixels, at which it ends; ordinary motion is there after three steps."""
_NEARLY_ALL = 0.85
"""Share of points moved by shapes from which on it is quicker to add fields up for all than to put them in place."""
_DEPTH_NODES = 96
"""Nodes of the depth grid along the longer side of the frame."""
_STEEPEST = 2.6
"""Greatest slope of the depth: within the limits of `pose` a turn left a quarter of any area, or more, on eleven
portraits, of which one is turned by 32 degrees (0.26)."""
_TRUNK = np.float32(0.12)
"""Share of the head's way that neck and shoulders go along."""


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels."""

    x: int
    y: int
    width: int
    height: int

    def moved(self, dx: int, dy: int) -> Box:
        """Return the box shifted."""
        return Box(self.x + dx, self.y + dy, self.width, self.height)

    def inside(self, width: int, height: int) -> tuple[slice, slice, slice, slice]:
        """Return the rows and columns of a frame that the box covers, and the rows and columns of the box there."""
        left, top = min(max(self.x, 0), width), min(max(self.y, 0), height)
        right, bottom = max(left, min(self.x + self.width, width)), max(top, min(self.y + self.height, height))
        return (
            slice(top, bottom),
            slice(left, right),
            slice(top - self.y, bottom - self.y),
            slice(left - self.x, right - self.x),
        )


@dataclass(frozen=True, eq=False)
class Anatomy:
    """All that fields need to know of one portrait."""

    frame: CanonicalFrame
    slits: Slits
    width: int
    height: int
    apart: bool = False
    """The person moves over a backdrop of its own; otherwise what is behind goes along with the head, ever less."""
    fixed: tuple[bool, bool, bool, bool] = (True, True, True, False)
    """Left, top, right, bottom border of the frame at which nothing moves."""
    others: tuple[F32, ...] = ()
    """Landmarks [478, 3] of further faces, which stay still."""
    turned: float = 0.0
    """Yaw of the photographed head, radians (`pose.source_yaw`)."""

    def places(self, pixels: F32) -> F32:
        """Return canonical x, y, z [N, 3] of positions [N, 2], in landmark pixels (centres at .5)."""
        places = self.frame.places(pixels)
        per_node = np.float32(_DEPTH_NODES / max(self.width, self.height))
        at = (pixels * per_node - np.float32(0.5)).astype(np.float32)[None]
        nothing = np.empty(0, np.float32)
        depth = cv2.remap(self._depth, at, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        places[:, 2] = depth[0]
        return places

    @cached_property
    def _depth(self) -> F32:
        """Depth on a grid over the frame, of bounded slope: the mean of the greatest surface below and the least above.

        Where the far cheek of a turned head falls away from the camera the landmarks' depths are steeper than any
        turn can bear: points would overtake each other.
        """
        step = max(self.width, self.height) / _DEPTH_NODES
        columns, rows = (max(2, round(side / step)) for side in (self.width, self.height))
        xs = (np.arange(columns, dtype=np.float32) + 0.5) * step
        ys = (np.arange(rows, dtype=np.float32) + 0.5) * step
        nodes = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float32)
        depth = self.frame.places(nodes)[:, 2].reshape(rows, columns)
        rise = np.float32(_STEEPEST * step / self.frame.scale)
        return np.asarray((_bounded_below(depth, rise) - _bounded_below(-depth, rise)) / 2, np.float32)

    def head_weight(self, pixels: F32) -> F32:
        """Return how much points [N] turn with the head: 1 on it, 0 far away."""
        x, y = self._about_head(pixels)
        if self.apart:
            below = np.minimum(y + 0.6, 0.0) / 0.75
            away = np.sqrt((x / 1.3) ** 2 + below**2 + (np.maximum(y + 0.1, 0.0) / 2.6) ** 2)
            weight = 1.0 - smooth((away - 0.75) / 0.8)
        else:
            away = np.sqrt((x / 1.15) ** 2 + (np.maximum(y + 0.1, 0.0) / 1.65) ** 2)
            weight = (1.0 - smooth((away - 1.0) / 0.75)) * (1.0 - smooth((-1.15 - y) / 1.05))
        return np.asarray(weight * self._free(pixels), np.float32)

    def trunk_weight(self, pixels: F32) -> F32:
        """Return how much points [N] follow where the head goes, without turning: about a tenth on the shoulders."""
        x, y = self._about_head(pixels)
        weight = _TRUNK * smooth((-1.15 - y) / 1.05)
        if not self.apart:
            weight = weight * (1.0 - smooth((np.abs(x) - 1.0) / 1.2))
        return np.asarray(weight * self._free(pixels), np.float32)

    def _about_head(self, pixels: F32) -> tuple[F32, F32]:
        """Return x and y [N] as seen, in units from the middle of the head: off the eyes' where it is turned."""
        seen = self.frame.plain(pixels)
        return seen[:, 0] - np.float32(PIVOT[2] * np.sin(self.turned)), seen[:, 1]

    def _free(self, pixels: F32) -> F32:
        """Return 1 where points [N] may move, 0 at fixed borders and on other faces."""
        free = np.ones(len(pixels), np.float32)
        for landmarks in self.others:
            free = free * self._own_share(pixels, landmarks)
        margin = np.float32(0.06 * min(self.width, self.height))
        ways = (pixels[:, 0], pixels[:, 1], self.width - pixels[:, 0], self.height - pixels[:, 1])
        for way, is_fixed in zip(ways, self.fixed, strict=True):
            if is_fixed:
                free = free * smooth(way / margin)
        return free

    def _own_share(self, pixels: F32, other: F32) -> F32:
        """Return 1 near this face, 0 near the `other` [478, 3], each distance in sizes of the face it is from."""
        right, left = other[OUTER_EYES[0], :2], other[OUTER_EYES[1], :2]
        theirs = np.hypot(*(pixels - (right + left) / 2).T) / max(float(np.hypot(*(left - right))), 1.0)
        mine = np.hypot(*self.frame.plain(pixels).T)
        return smooth((theirs / np.maximum(mine + theirs, 1e-6) - 0.38) / 0.20)


def _bounded_below(surface: F32, rise: np.float32) -> F32:
    """Return the greatest surface under this one [h, w] that rises by at most `rise` from node to node."""
    for _ in range(max(surface.shape)):
        padded = np.pad(surface, 1, mode="edge")
        near = np.minimum.reduce([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]) + rise
        far = np.minimum.reduce([padded[:-2, :-2], padded[:-2, 2:], padded[2:, :-2], padded[2:, 2:]])
        lower = np.minimum(np.minimum(surface, near), far + rise * np.float32(np.sqrt(2.0)))
        if np.array_equal(lower, surface):
            break
        surface = lower
    return surface


def sample(picture: U8, at: F32, *, sharp: bool = True) -> U8:
    """Return `picture` read at positions [h, w, 2] (x, y in index coordinates), mirrored beyond its border.

    `sharp` reads bicubically: read bilinearly, moving skin and cloth lose a quarter of their fine contrast, and the
    loss comes and goes with the fraction of the pixel.
    """
    nothing = np.empty(0, np.float32)
    how = cv2.INTER_CUBIC if sharp else cv2.INTER_LINEAR
    seen = cv2.remap(picture, at, nothing, how, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(seen, np.uint8)


def sample_shown(picture: U8, at: F32, share: F32) -> U8:
    """Return `picture` read at positions [h, w, 2], black in rows of which `share` [h, w] shows nothing."""
    seen = np.zeros((*share.shape, 3), np.uint8)
    rows = np.flatnonzero(share.any(axis=1))
    if len(rows):
        shown = slice(rows[0], rows[-1] + 1)
        seen[shown] = sample(picture, at[shown])
    return seen


def shifted(at: F32, x: float, y: float) -> F32:
    """Return positions [h, w, 2] counted from (x, y); numpy takes ten times as long over so short an axis."""
    return np.asarray(cv2.subtract(at, np.array([x, y, 0.0, 0.0])), np.float32)


def weighted(weights: F32, fields: F32) -> F32:
    """Return the sum [N] of `fields` [K, N] by their weights [K].

    Not by a product of matrices: for one of this size the library of linear algebra wakes threads, which then spin from
    frame to frame (on two cores drawing took 1.6 to 2 times the CPU time), and its sums depend on how many there are.
    """
    return np.asarray(np.einsum("k,kn->n", weights, fields), np.float32)


class MovingPoints:
    """Points of one side of the slits that follow shapes and head."""

    def __init__(
        self, anatomy: Anatomy, pixels: F32, *, lips: Side = "above", lids: Side = "above", rigid: bool = False
    ) -> None:
        """Prepare points [N, 2]; `rigid` points follow the head wholly (teeth, eyeballs), as if outside the falloff."""
        places = anatomy.places(pixels)
        self.pixels = pixels
        # The head turns as the camera sees it: a face that is turned in the photo turns on from there.
        self.at = np.ones((4, len(pixels)), np.float32)
        """Rows x, y, z, 1 in units, as seen."""
        self.at[:2], self.at[2] = anatomy.frame.plain(pixels).T, places[:, 2]
        self._weight = None if rigid else anatomy.head_weight(pixels)
        self._trunk = None if rigid else anatomy.trunk_weight(pixels)
        sites = Sites.at(places, anatomy.slits, lips=lips, lids=lids, seen=self.at[:2].T)
        seals = seal_fields(places, anatomy.slits, lips)
        fields = np.concatenate([shape_fields(sites), follow_fields(sites), seals])
        self.count = len(pixels)
        self.n_weights = len(fields)
        # Only the face moves by shapes, an eye only by some: elsewhere the fields are nought and need no arithmetic.
        size = np.abs(fields).max(axis=2)
        self.moved, self.used = np.flatnonzero(size.max(axis=0) > 2e-4), np.flatnonzero(size.max(axis=1) > 2e-4)
        if len(self.moved) > _NEARLY_ALL * self.count:
            self.moved = np.arange(self.count)
        fields = fields[np.ix_(self.used, self.moved)]
        self.fields = np.ascontiguousarray(fields.transpose(0, 2, 1).reshape(len(self.used), -1))
        self._to_pixels = np.ascontiguousarray(anatomy.frame.axes.T * np.float32(anatomy.frame.scale))

    def displacement(self, weights: F32, pose: HeadPose) -> F32:
        """Return displacements [N, 2] in pixels for field weights (`controls.field_weights`) and a head pose."""
        return np.ascontiguousarray(self.across_and_down(weights, pose).T)

    def across_and_down(self, weights: F32, pose: HeadPose) -> F32:
        """Return the displacements as rows [2, N]: numpy takes several times as long over so short a last axis."""
        way = weighted(weights[self.used], self.fields).reshape(2, -1)
        if len(self.moved) < self.count:
            shaped, way = way, np.zeros((2, self.count), np.float32)
            way[:, self.moved] = shaped
        if not pose.still:
            at = self.at.copy()
            at[:2] += way
            head = pose.shift_of(at)
            if self._weight is not None and self._trunk is not None:
                head *= self._weight
                head += self._trunk * pose.middle_shift
            way += head
        return np.asarray(self._to_pixels @ way, np.float32)

    def positions(self, weights: F32, pose: HeadPose) -> F32:
        """Return where the points [N, 2] lie, in pixels."""
        return self.pixels + self.displacement(weights, pose)


class Patch:
    """A box of the portrait on which one side of the slits is moved."""

    def __init__(
        self,
        anatomy: Anatomy,
        box: Box,
        step: int,
        *,
        lips: Side = "above",
        lids: Side = "above",
        pad: int = 0,
        turns: int = _TURNS,
        relax: float = _RELAX,
    ) -> None:
        """Prepare a box: `pad` nodes beyond it on each side, at most `turns` Newton steps, each cut by `relax`."""
        self._turns, self._relax = turns, relax
        self._pad = pad
        self.columns, self.rows = -(-box.width // step) + 2 * pad, -(-box.height // step) + 2 * pad
        self.box = box
        self.step = step
        # Nodes are centres of cells, the places at which cv2.resize expects its samples.
        xs = box.x + (np.arange(self.columns, dtype=np.float32) - pad + 0.5) * step
        ys = box.y + (np.arange(self.rows, dtype=np.float32) - pad + 0.5) * step
        pixels = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        self.points = MovingPoints(anatomy, pixels, lips=lips, lids=lids)
        nodes = np.meshgrid(np.arange(self.columns, dtype=np.float32), np.arange(self.rows, dtype=np.float32))
        self._nodes = np.stack(nodes, axis=-1)
        across, down = np.arange(box.width, dtype=np.float32), np.arange(box.height, dtype=np.float32)
        self._base = np.stack(np.meshgrid(across, down), axis=-1) + np.array([box.x, box.y], np.float32)
        soft = np.float32(1.0 / (4.0 * step))
        self._border = np.minimum(
            smooth((np.minimum(down, down[::-1]) + 1.0) * soft)[:, None],
            smooth((np.minimum(across, across[::-1]) + 1.0) * soft)[None],
        )

    def backward(self, weights: F32, pose: HeadPose, shift: tuple[int, int] = (0, 0)) -> F32:
        """Return, for each pixel of the box moved by `shift`, the source pixel [height, width, 2] it shows."""
        ways = self.points.across_and_down(weights, pose).reshape(2, self.rows, self.columns)
        rests = [np.subtract(np.float32(to), way) for to, way in zip(shift, ways, strict=True)]
        back = self._inverse(rests) if any(rest.any() for rest in rests) else cv2.merge(rests)
        size = (self.columns * self.step, self.rows * self.step)
        full = cv2.resize(back, size, interpolation=cv2.INTER_LINEAR)
        skip = self._pad * self.step
        full = full[skip : skip + self.box.height, skip : skip + self.box.width]
        return np.asarray(cv2.add(full, self._base, dst=full if full.flags.c_contiguous else None), np.float32)

    def lay(self, picture: U8, frame: U8, shift: tuple[int, int], share: F32 | None = None) -> None:
        """Put the picture of the box, moved by `shift`, into `frame`, soft at its border.

        `share` [height, width] says, besides, how much of each pixel shows.
        """
        rows, columns, own_rows, own_columns = self.box.moved(*shift).inside(frame.shape[1], frame.shape[0])
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return
        part = self._border if share is None else self._border * share
        part = np.ascontiguousarray(part[own_rows, own_columns])
        over = np.ascontiguousarray(picture[own_rows, own_columns])
        under = np.ascontiguousarray(frame[rows, columns])
        frame[rows, columns] = cv2.blendLinear(over, under, part, 1.0 - part)

    def _inverse(self, rests: list[F32]) -> F32:
        """Return b [rows, columns, 2] with b(q) = rest(q + b(q)), in pixels, by Newton steps; `rests` are its x and y.

        The slope is taken along each axis alone: it is what stretched lids and cheeks need, where plain fixed-point
        steps would swing, and shear dies out by itself.
        """
        per_step = 1.0 / self.step
        slopes = cv2.merge(
            [
                cv2.Sobel(rest, cv2.CV_32F, 1 - axis, axis, ksize=1, scale=-0.5 * per_step, delta=1.0)
                for axis, rest in enumerate(rests)
            ]
        )
        gains = np.asarray(1.0 / np.clip(slopes, np.float32(0.4), np.float32(4.0)), np.float32)
        nothing = np.empty(0, np.float32)
        rest = np.asarray(cv2.merge(rests), np.float32)
        back, gain = rest, gains
        for turn in range(self._turns):
            at = cv2.scaleAdd(back, per_step, self._nodes)
            read = cv2.remap(rest, at, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            apart = cv2.subtract(read, back)
            if turn > 1 and cv2.norm(apart, cv2.NORM_INF) < _NEAR_ENOUGH:
                break
            if turn < self._turns - 2:
                slope = cv2.remap(gains, at, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                gain = np.asarray(slope, np.float32)
            step = cv2.multiply(apart, gain, scale=self._relax)
            back = np.asarray(cv2.add(back, step), np.float32)
        return back
