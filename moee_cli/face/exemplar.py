"""Carries a backdrop's texture and lines on into what the person covers, as far as a moving head uncovers it.

Patches that fit what is known at the border of the hole are copied from beside it, those first that a line enters
(Criminisi, Perez, Toyama, IEEE TIP 2004), a little lighter or darker where that fits better (Darabi et al., SIGGRAPH
2012). They are searched for in a picture in which a face is `_UNIT` pixels wide, and copied where they fit exactly.
Where the backdrop is smooth, what is left of steps between patches is taken out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32
from moee_cli.face.plate import spread
from moee_cli.face.roughness import STROKE, roughness

Mask = NDArray[np.bool_]
Place = tuple[int, int]
"""Row and column in px."""

DEPTH = 0.35
"""Units behind the silhouette that are carried on: more is uncovered at no limit of the head's motion."""
_TRUNK = (0.8, 1.6, 0.12)
"""Units below the eyes from which the depth falls, where it ends to fall, and what it is there: the trunk follows the
head by an eighth."""
_BOX = 2.7
"""Units to each side of the eyes beyond which nothing is uncovered that anybody would see."""
_END = 0.08
"""Units over which the texture goes over into what is smooth behind it."""
_UNIT = 30.0
"""Outer-eye distance in px at which patches are searched for: bounds the time, whatever the picture."""
_HALF = 4
"""Half side in px of a patch there: 9 px are a third of a unit."""
_REACH = 1.6
"""Units around a patch in which others are looked at."""
_BIAS = 10.0
"""Levels by which a patch may be made lighter or darker."""
_BIAS_COST, _AWAY_COST, _KIN = 0.3, 100.0, 0.85
"""What a squared level of that counts beside one that differs; squared levels for a unit of distance, so that the wall
beside is taken and not one like it elsewhere; and the factor on what continues a neighbour."""
_PLAIN = 4.0
"""Levels of gradient that a patch without any line is credited with in the order of filling."""
_FADE = 0.03
"""Units over which one patch goes over into another."""
_EVEN = 0.04
"""Radius, in units, of the means that are compared to find steps between patches: larger than grain."""
_WORTH = 0.1
"""Share of texture, somewhere, from which patches are searched for."""
_PRECISE = 1.5
"""The same radius in px of the reduced picture in which they are taken: less would show the pixels."""
_SLOPE, _SLOPE_ENDS = 0.1, 0.12
"""Units over which slopes are measured, and after which they end: a lamp beside the head has no second flank."""
_MOTTLED = (1.0, 2.0)
"""Roughness, in levels, between strokes up to which a backdrop is smooth, and from which it is texture: 0.1 to 0.7 on
walls and lamps out of focus, 1 to 2 on canvas, 6 on foliage (medians on 24 portraits)."""
_GRAINED = (0.4, 0.8)
"""The same between pixels of the picture: up to which it has no grain but rounding, and from which it has."""
_FORBIDDEN = np.float32(1e6)


class Copy(NamedTuple):
    """A patch to fill and the one it is like, both by their middles."""

    to: Place
    like: Place


class Eyes(NamedTuple):
    """Where a face is, and how large: the middle between the eyes and the distance of their outer corners, px."""

    x: float
    y: float
    unit: float


class Continued(NamedTuple):
    """A picture whose texture goes on into what was not known."""

    colours: F32
    """[h, w, 3]."""
    holds: F32
    """[h, w]: 1 where the picture is known or continued, falling to 0 where it ends."""
    way: F32
    """[h, w, 2]: from each pixel that is continued to the one it is like (x, y px); else nought."""


def carried_on(colours: F32, trust: F32, usable: Mask, eyes: Eyes) -> Continued:
    """Return a picture [h, w, 3] continued.

    `trust` [h, w] is 1 where the picture is known; less says that its colour is roughly that. Only what is `usable` is
    copied.
    """
    unit = eyes.unit
    known = trust == 1.0
    result, holds, way = colours.copy(), known.astype(np.float32), np.zeros((*known.shape, 2), np.float32)
    reach = _BOX * unit
    rows, columns = (
        slice(max(0, int(at - reach)), max(0, min(n, int(at + reach) + 1)))
        for at, n in zip((eyes.y, eyes.x), known.shape, strict=True)
    )
    box = (rows, columns)
    away = np.asarray(cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)[box] / unit, np.float32)
    depth = _depth((np.arange(rows.start, rows.stop, dtype=np.float32) - eyes.y) / unit)[:, None]
    hole = _Hole(colours[box], known[box], usable[box], (away > 0.0) & (away <= depth))
    if hole.wanted.any() and hole.usable.any():
        result[box], way[box] = _continued(hole, trust[box], unit)
        ends = np.clip((depth - away) / _END, 0.0, 1.0)
        holds[box] = np.where(hole.wanted, ends, holds[box])
    return Continued(result, holds, way)


def _depth(below: F32) -> F32:
    """Return how deep, in units, the backdrop is carried on at heights in units below the eyes."""
    start, end, least = _TRUNK
    return np.asarray(DEPTH + (least - DEPTH) * np.clip((below - start) / (end - start), 0.0, 1.0), np.float32)


def _continued(hole: _Hole, trust: F32, unit: float) -> tuple[F32, F32]:
    """Return the picture with what is wanted, and from how far away [h, w, 2] it was copied."""
    mottled = _between(roughness(hole.colours, hole.known, STROKE * unit), _MOTTLED)
    grained = _between(roughness(hole.colours, hole.known, 1.0), _GRAINED)
    textured = np.maximum(mottled, grained)
    smooth = _sloping(hole.colours, trust, unit)
    picture, way = hole.colours, np.zeros((*hole.known.shape, 2), np.float32)
    if textured[hole.wanted].max() > _WORTH:
        picture, way = _filled(hole, unit)
    copied = way.any(axis=-1)
    # Steps between patches would show where what is around is smooth: there means follow the smooth continuation.
    even = picture + (1.0 - mottled) * (smooth - _low(picture, (hole.known | copied).astype(np.float32), unit))
    wanted = np.where(copied[..., None], smooth + textured * (even - smooth), smooth)
    return np.asarray(np.where(hole.wanted[..., None], wanted, hole.colours), np.float32), way


class _Hole(NamedTuple):
    """A picture [h, w, 3], what of it is known, what of that may be copied, and what is wanted."""

    colours: F32
    known: Mask
    usable: Mask
    wanted: Mask

    def smaller(self, factor: float) -> _Hole:
        """Return it at a size reduced by `factor`; a pixel is known if all of it is."""
        size = (max(1, round(self.known.shape[1] / factor)), max(1, round(self.known.shape[0] / factor)))
        shares = [part.astype(np.float32) for part in (self.known, self.known & self.usable, self.wanted)]
        known, usable, wanted = (cv2.resize(share, size, interpolation=cv2.INTER_AREA) for share in shares)
        total = cv2.resize(self.colours * shares[0][..., None], size, interpolation=cv2.INTER_AREA)
        colours = np.asarray(total / np.maximum(known, 1e-3)[..., None], np.float32)
        return _Hole(colours, known > 0.99, usable > 0.99, (wanted > 0.0) & (known <= 0.99))

    def padded(self, n: int) -> _Hole:
        """Return it with a border of `n` px of which nothing is known."""
        pad = ((n, n), (n, n))
        colours = np.pad(self.colours * self.known[..., None], (*pad, (0, 0)))
        return _Hole(colours, np.pad(self.known, pad), np.pad(self.usable & self.known, pad), np.pad(self.wanted, pad))


# --- search ---------------------------------------------------------------------------------------------------------


class _Search:
    """The picture at the size of the search, filled patch by patch."""

    def __init__(self, hole: _Hole, unit: float) -> None:
        padded = hole.padded(_HALF)
        self._source, self._wanted = padded.colours, padded.wanted
        self._known, self._picture = padded.known.copy(), padded.colours.copy()
        whole = np.ones((2 * _HALF + 1, 2 * _HALF + 1), np.uint8)
        self._free = cv2.erode(padded.usable.astype(np.uint8), whole, borderValue=(0,)) > 0
        self._planes = [np.ascontiguousarray(self._source[..., c]) for c in range(3)]
        self._square = np.asarray((self._source**2).sum(axis=-1), np.float32)
        self._sure = self._known.astype(np.float32)
        self._from = np.zeros((*self._known.shape, 2), np.int32)
        self._reach = round(_REACH * unit)
        self._away_cost = _AWAY_COST / unit

    def copies(self) -> Iterator[Copy]:
        """Yield what is copied where, in order."""
        while (to := self._next()) is not None:
            like = self._alike(to)
            if like is None:
                self._wanted[_about(to, _HALF)] = False
                continue
            self._copy(to, like)
            yield Copy((to[0] - _HALF, to[1] - _HALF), (like[0] - _HALF, like[1] - _HALF))

    def _next(self) -> Place | None:
        """Return the middle of the next patch: much is known there, and a line runs into it."""
        known = self._known.astype(np.uint8)
        ring = np.ones((3, 3), np.uint8)
        front = self._wanted & ~self._known & (cv2.dilate(known, ring) > 0)
        rows, columns = np.nonzero(front)
        if not len(rows):
            return None
        sure = cv2.blur(self._sure, (2 * _HALF + 1, 2 * _HALF + 1))[front]
        grey = cv2.transform(self._picture, np.full((1, 3), 1 / 3, np.float32))
        inside = cv2.erode(known, ring).astype(np.float32)
        dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *order) * inside for order in ((1, 0), (0, 1)))
        soft = cv2.GaussianBlur(self._known.astype(np.float32), (0, 0), 1.5)
        nx, ny = (cv2.Sobel(soft, cv2.CV_32F, *order)[front] for order in ((1, 0), (0, 1)))
        # Squared gradients do not cancel; a line that enters has its gradient along the border.
        xx, xy, yy = (cv2.blur(part, (5, 5))[front] for part in (dx * dx, dx * dy, dy * dy))
        along = xx * ny * ny - 2.0 * xy * nx * ny + yy * nx * nx
        enters = np.sqrt(np.maximum(along / np.maximum(nx * nx + ny * ny, 1e-9), 0.0))
        best = int(np.argmax(sure * (enters + _PLAIN)))
        return int(rows[best]), int(columns[best])

    def _alike(self, to: Place) -> Place | None:
        """Return the middle of the usable patch nearby that differs least in what is known of this one."""
        top, left = (max(_HALF, at - self._reach) for at in to)
        bottom, right = (min(n - _HALF, at + self._reach + 1) for n, at in zip(self._known.shape, to, strict=True))
        free = self._free[top:bottom, left:right]
        if not free.any():
            return None
        window = (slice(top - _HALF, bottom + _HALF), slice(left - _HALF, right + _HALF))
        known = self._known[_about(to, _HALF)].astype(np.float32)
        n = float(known.sum())
        target = self._picture[_about(to, _HALF)] * known[..., None]
        cost = _correlated(self._square[window], known)
        for c, plane in enumerate(self._planes):
            colour = np.ascontiguousarray(target[..., c])
            shift = (float(colour.sum()) - _correlated(plane[window], known)) / n
            bias = np.clip(shift, -_BIAS, _BIAS)
            cost -= 2.0 * _correlated(plane[window], colour) + n * bias * (2.0 * shift - (1.0 + _BIAS_COST) * bias)
        cost = (cost + float((target * target).sum())) / n
        down, across = np.arange(top, bottom) - to[0], np.arange(left, right) - to[1]
        cost += self._away_cost * np.hypot(down[:, None], across[None]).astype(np.float32)
        for dy, dx in np.unique(self._from[_about(to, _HALF)].reshape(-1, 2), axis=0):
            y, x = to[0] + dy - top, to[1] + dx - left
            if (dy or dx) and 0 <= y < cost.shape[0] and 0 <= x < cost.shape[1]:
                cost[y, x] *= _KIN
        y, x = divmod(int(np.argmin(np.where(free, cost, np.inf))), cost.shape[1])
        return top + y, left + x

    def _copy(self, to: Place, like: Place) -> None:
        patch = _about(to, _HALF)
        known, colours = self._known[patch], self._source[_about(like, _HALF)]
        new = ~known & self._wanted[patch]
        self._picture[patch][new] = (colours + _bias(self._picture[patch] - colours, known))[new]
        # The farther from what was known, the later (Criminisi et al.: confidence).
        self._sure[patch][new] = float(self._sure[patch].mean())
        self._from[patch][new] = np.subtract(like, to)
        self._known[patch] |= new


def _about(middle: Place, half: int) -> tuple[slice, slice]:
    return (slice(middle[0] - half, middle[0] + half + 1), slice(middle[1] - half, middle[1] + half + 1))


def _correlated(picture: F32, kernel: F32) -> F32:
    """Return the sums of products of a kernel [2n + 1, 2n + 1] with the picture at each place where it lies in it."""
    half = kernel.shape[0] // 2
    whole = cv2.filter2D(picture, cv2.CV_32F, kernel, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(whole[half:-half, half:-half], np.float32)


def _bias(apart: F32, known: Mask) -> F32:
    """Return by how much [3] a patch is to be lighter, from how much is missing where that is known."""
    return np.asarray(np.clip(apart[known].mean(axis=0), -_BIAS, _BIAS), np.float32)


# --- copy -----------------------------------------------------------------------------------------------------------


def _filled(hole: _Hole, unit: float) -> tuple[F32, F32]:
    """Return the picture with what is wanted copied, each patch where it fits best, and from how far away [h, w, 2]."""
    factor = max(1.0, unit / _UNIT)
    small = hole.smaller(factor)
    half, slack = int(np.ceil((_HALF + 0.5) * factor)), int(np.ceil(factor)) if factor > 1.0 else 0
    margin = half + slack
    padded = hole.padded(margin)
    picture, filled, copied = padded.colours.copy(), padded.known.copy(), np.zeros(padded.known.shape, np.bool_)
    way = np.zeros((*copied.shape, 2), np.float32)
    scale = [n / m for n, m in zip(hole.known.shape, small.known.shape, strict=True)]
    for copy in _Search(small, unit / factor).copies():
        to, like = (
            (round((y + 0.5) * scale[0] - 0.5) + margin, round((x + 0.5) * scale[1] - 0.5) + margin) for y, x in copy
        )
        patch = _about(to, half)
        here = filled[patch]
        new = padded.wanted[patch] & ~here
        if not new.any() or not here.any():
            continue
        if slack:
            like = _best(padded, like, slack, picture[patch], here)
        there = padded.colours[_about(like, half)]
        there = there + _bias(picture[patch] - there, here)
        # A patch fades into those copied before; what is known stays.
        deep = cv2.distanceTransform(here.astype(np.uint8), cv2.DIST_L2, 3)
        share = np.where(copied[patch], np.maximum(1.0 - deep / (_FADE * unit), 0.0), np.float32(0.0))
        share[new] = 1.0
        picture[patch] += share[..., None] * (there - picture[patch])
        filled[patch] |= new
        copied[patch] |= new
        way[patch][new] = like[1] - to[1], like[0] - to[0]
    inner = (slice(margin, -margin), slice(margin, -margin))
    return picture[inner], way[inner]


def _best(hole: _Hole, middle: Place, slack: int, target: F32, here: Mask) -> Place:
    """Return the place at most `slack` px away where `target` fits best, but for brightness, in what is known."""
    half = here.shape[0] // 2
    around = _about(middle, half + slack)
    grey, wanted = hole.colours[around].mean(axis=-1), target.mean(axis=-1) * here
    weight = here.astype(np.float32)
    n = float(weight.sum())
    cost = _fit(grey * grey, weight) - 2.0 * _fit(grey, np.asarray(wanted, np.float32))
    shift = (float(wanted.sum()) - _fit(grey, weight)) / n
    bias = np.clip(shift, -_BIAS, _BIAS)
    cost -= n * bias * (2.0 * shift - bias)
    cost += _FORBIDDEN * _fit((~hole.usable[around]).astype(np.float32), np.ones_like(weight))
    y, x = divmod(int(np.argmin(cost)), cost.shape[1])
    return middle[0] + y - slack, middle[1] + x - slack


def _fit(picture: F32, kernel: F32) -> F32:
    return np.asarray(cv2.matchTemplate(picture, kernel, cv2.TM_CCORR), np.float32)


# --- smooth parts ---------------------------------------------------------------------------------------------------


def _low(picture: F32, weight: F32, unit: float) -> F32:
    """Return the weighted means [h, w, 3] over `_EVEN`."""
    mean, share = _reduced(picture, weight, _EVEN * unit / _PRECISE)
    mean = _mean(mean, share, min(_PRECISE, _EVEN * unit))
    return np.asarray(cv2.resize(mean, weight.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _sloping(colours: F32, trust: F32, unit: float) -> F32:
    """Return the picture without grain, carried on smoothly: with its slope near what is known, farther in without."""
    factor = max(1.0, _EVEN * unit / _PRECISE)
    small, told = _reduced(colours, (trust > 0.0).astype(np.float32), factor)
    _, trusted = _reduced(colours, trust, factor)
    sigma, unit = _EVEN * unit / factor, unit / factor
    base = _mean(small, told, sigma)
    base += _mean(small - base, told, sigma)  # a mean to one side of a slope is off
    known = trusted > 0.99
    whole = np.asarray(cv2.erode(known.astype(np.float32), np.ones((3, 3), np.uint8), borderValue=(0,)), np.float32)
    y, x = (along[..., None] for along in np.mgrid[: known.shape[0], : known.shape[1]].astype(np.float32))
    slopes = (np.asarray(cv2.Sobel(base, cv2.CV_32F, *order, scale=0.125), np.float32) for order in ((1, 0), (0, 1)))
    across, down = (_mean(slope, whole, _SLOPE * unit) for slope in slopes)
    parts = (base, base - across * x - down * y, across, down)
    flat, offset, across, down = np.split(spread(np.concatenate(parts, axis=-1), trusted), 4, axis=-1)
    deep = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5) / (_SLOPE_ENDS * unit)
    slope = np.clip(offset + across * x + down * y - flat, -_BIAS, _BIAS)
    carried = flat + np.exp(-(deep**2))[..., None] * slope
    return np.asarray(cv2.resize(carried, trust.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _reduced(picture: F32, weight: F32, factor: float) -> tuple[F32, F32]:
    """Return weighted means [h, w, 3] and mean weights [h, w] at a size reduced by `factor`, if that is more than 1."""
    width, height = (max(1, round(n / max(1.0, factor))) for n in weight.shape[::-1])
    share = cv2.resize(weight, (width, height), interpolation=cv2.INTER_AREA)
    total = cv2.resize(picture * weight[..., None], (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(total / np.maximum(share, 1e-3)[..., None], np.float32), np.asarray(share, np.float32)


def _between(value: F32, limits: tuple[float, float]) -> F32:
    """Return 0 below both limits, 1 above, and what lies between."""
    return np.asarray(np.clip((value - limits[0]) / (limits[1] - limits[0]), 0.0, 1.0), np.float32)


def _mean(picture: F32, weight: F32, sigma: float) -> F32:
    """Return the weighted means [h, w, 3] about each pixel."""
    total = cv2.GaussianBlur(picture * weight[..., None], (0, 0), sigma)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)[..., None], np.float32)
