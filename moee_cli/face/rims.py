"""Where the frame of eyeglasses runs over a portrait: rims, bridge and the beginnings of the arms.

A frame is a thin line that differs from what lies on both of its sides, runs once around each eye and crosses the
bridge of the nose. Lids, brows, folds and shadows do some of that, but not all of it in one colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32, U8
from moee_cli.face.canonical import CanonicalFrame

_DENSITY = 140.0
"""Pixels per unit of the upright picture in which frames are looked for."""
_HALF_WIDTH, _TOP, _BOTTOM = 0.95, 0.50, -0.55
"""What that picture shows, in units."""
_EYES = ((263, 362), (33, 133))
"""FaceMesh landmarks of the corners of the subject's left, then right eye."""
_LENS_DROP, _LENS_FLAT = 0.04, 0.72
"""How far, in units, a lens's middle lies below the eye's, and its height as a share of its width."""
_ANGLES = np.arange(96) * (2.0 * np.pi / 96)
"""Around a lens, from its outer end downwards."""
_RADII = np.arange(0.19, 0.46, 0.006)
"""Half widths of lenses, in units."""
_WIDTHS = (0.010, 0.018, 0.032, 0.050)
"""Half widths of lines, in units, that are looked for."""
_SECTORS = ((-30.0, 30.0), (30.0, 70.0), (70.0, 110.0), (110.0, 150.0), (150.0, 215.0))
"""Parts of a rim, in degrees, all of which must be seen. The upper part may lie on a brow."""
_STRONGEST = 0.25
"""Contrast beyond which a line counts no more."""
_SURE, _LEAST = 0.16, 0.07
"""Contrast of the faintest part from which a frame is one, and from which on it is if it has one colour as well. On 51
bare faces (photos, paintings, statues) the greatest were 0.12 and 0.11, in wrinkles of many colours, then 0.06; dark
frames drawn over them gave 0.10 and more on 48."""
_ONE_COLOUR, _BOTH_ALIKE = 0.30, 0.10
"""Least share of a rim's contrast that points one way in colour, and least agreement of both rims."""
_WIDEST, _THICKEST = 0.065, 0.10
"""Most, in units, from the middle of a frame's line to its edge, and that of an upper rim."""
_BRIDGE = (0.14, 0.10)
"""How far, in units, over and under the rims' inner ends a bridge is looked for: higher, brows may meet."""
_ARM_ENDS = 0.82
"""Distance from the middle, in units, past which no skin moves and an arm needs no care."""
_GAP = 11
"""Rays of an upper rim, 3.75 degrees apart, that may be unseen between others."""
_GROWS, _PLAIN = 0.03, 0.15
"""How far, in units, from a line's edges more of its colour is looked for, and the contrast that this takes."""
_SEEN = 0.05
"""Contrast from which a part of an arm, or of a rim under a brow, is taken for frame."""


@dataclass(frozen=True, eq=False)
class _Colour:
    """What a frame looks like in the upright picture."""

    mean: F32
    """[3] its colour."""
    contrast: F32
    """[3] its difference to skin."""

    def share(self, colours: F32) -> F32:
        """Return 0..1 [..], how near colours [.., 3] come to it: 1 is the same, 0 differs as skin does."""
        apart = np.linalg.norm(colours - self.mean, axis=-1) / max(float(np.linalg.norm(self.contrast)), 1e-6)
        return np.asarray(np.clip(1.0 - apart, 0.0, 1.0), np.float32)

    @classmethod
    def of(cls, rims: list[_Line]) -> _Colour:
        """Return the colour of rims where they run over skin."""
        skin = _below_brow()
        colours = np.concatenate([rim.colour[skin] for rim in rims])
        contrasts = np.concatenate([rim.contrast[skin] for rim in rims])
        return cls(np.median(colours, axis=0), np.median(contrasts, axis=0))


@dataclass(frozen=True, eq=False)
class _Line:
    """A line across a family of rays: of each ray the place [N] and edges [N, 2], indices of its points."""

    xs: F32
    """[N, K] columns of the rays' points in the upright picture."""
    ys: F32
    place: NDArray[np.intp]
    contrast: F32
    """[N, 3] difference to what lies on both sides."""
    colour: F32
    """[N, 3] as the upright picture shows it."""
    edges: NDArray[np.intp]

    @property
    def strength(self) -> F32:
        """Contrast [N] without its direction."""
        return np.asarray(np.linalg.norm(self.contrast, axis=1), np.float32)

    def points(self, at: NDArray[np.intp]) -> F32:
        """Return positions [N, 2] of one index of each ray."""
        rays = np.arange(len(at))
        return np.stack([self.xs[rays, at], self.ys[rays, at]], axis=-1)

    def paint(self, mask: U8, shown: NDArray[np.bool_], *, closed: bool) -> None:
        """Fill the line between its edges, between neighbouring rays that are both `shown` [N]."""
        inner, outer = self.points(self.edges[:, 0]), self.points(self.edges[:, 1])
        last = len(inner) if closed else len(inner) - 1
        for ray in range(last):
            following = (ray + 1) % len(inner)
            if shown[ray] and shown[following]:
                corners = np.array([inner[ray], outer[ray], outer[following], inner[following]])
                cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), (255,), cv2.LINE_AA, 4)


def find_glasses(pixels: U8, landmarks: F32, frame: CanonicalFrame) -> F32 | None:
    """Return where a portrait [H, W, 3] shows the frame of glasses, 0..1 [H, W], or None where it shows none.

    `landmarks` [478, 3] are in its pixels. Frames without rims, and those whose colour is the skin's, are not found.
    """
    onto = _upright(frame)
    picture = _colours(pixels, onto, frame.scale)
    rims = [_rim(picture, landmarks, frame, eye) for eye in (0, 1)]
    bridge = _crossing(picture, np.linspace(-0.075, 0.075, 22), (0.22, -0.28))
    if not _is_frame(rims, bridge):
        return None
    colour = _Colour.of(rims)
    rims = [_rim(picture, landmarks, frame, eye, (colour, rim)) for eye, rim in enumerate(rims)]
    mask = np.zeros(picture.shape[:2], np.uint8)
    for eye, rim in enumerate(rims):
        rim.paint(mask, _without_gaps(_belongs(rim, colour) | _below_brow()), closed=True)
        _paint_arm(mask, picture, rim, (1.0, -1.0)[eye], colour)
    _paint_bridge(mask, picture, rims, colour)
    mask = _grown(mask, picture, colour)
    size = (pixels.shape[1], pixels.shape[0])
    seen = cv2.warpAffine(mask, onto, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(seen, np.float32) / np.float32(255.0)


def _upright(frame: CanonicalFrame) -> NDArray[np.float64]:
    """Return the affine map [2, 3] from index coordinates of the portrait to those of the upright picture."""
    turn = np.array([frame.axes[0], -frame.axes[1]], np.float64) * (_DENSITY / frame.scale)
    origin = np.array([_HALF_WIDTH, _TOP]) * _DENSITY - turn @ frame.origin
    return np.column_stack([turn, origin + turn @ np.array([0.5, 0.5]) - 0.5])


def _colours(pixels: U8, onto: NDArray[np.float64], unit: float) -> F32:
    """Return the upright picture [h, w, 3]: light against that around, and two hues."""
    if unit > _DENSITY:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.45 * unit / _DENSITY), np.uint8)
    size = (round(2 * _HALF_WIDTH * _DENSITY), round((_TOP - _BOTTOM) * _DENSITY))
    seen = cv2.warpAffine(pixels, onto, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    light = seen.astype(np.float32).mean(2)
    around = np.maximum(cv2.GaussianBlur(light, (0, 0), 0.25 * _DENSITY), 8.0)
    hues = cv2.cvtColor(seen.astype(np.float32) / np.float32(255.0), cv2.COLOR_RGB2LAB)[..., 1:] / 100.0
    return np.dstack([light / around, hues * np.sqrt(128.0 / around)[..., None]]).astype(np.float32)


def _rim(
    picture: F32, landmarks: F32, frame: CanonicalFrame, eye: int, like: tuple[_Colour, _Line] | None = None
) -> _Line:
    """Return the most distinct closed line around an eye; `like` is the frame's colour, and the line found without."""
    x, y = frame.plain(landmarks[list(_EYES[eye]), :2].mean(0)[None])[0]
    along = np.array([(1.0, -1.0)[eye] * np.cos(_ANGLES), _LENS_FLAT * np.sin(_ANGLES)])
    xs = (_HALF_WIDTH + x + along[0][:, None] * _RADII) * _DENSITY - 0.5
    ys = (_TOP - y + _LENS_DROP + along[1][:, None] * _RADII) * _DENSITY - 0.5
    return _line(picture, xs, ys, along / np.hypot(*along), closed=True, like=like)


def _crossing(
    picture: F32, columns: NDArray[np.float64], rows: tuple[float, float], colour: _Colour | None = None
) -> _Line:
    """Return the most distinct line from the first to the last of some columns, between two heights (units)."""
    heights = np.arange(rows[0], rows[1], -0.006)
    xs = (_HALF_WIDTH + columns[:, None] + 0.0 * heights) * _DENSITY - 0.5
    ys = (_TOP - heights + 0.0 * columns[:, None]) * _DENSITY - 0.5
    down = np.array([0.0 * columns, 1.0 + 0.0 * columns])
    return _line(picture, xs, ys, down, closed=False, like=None if colour is None else (colour, None))


def _line(
    picture: F32,
    xs: NDArray[np.float64],
    ys: NDArray[np.float64],
    along: NDArray[np.float64],
    *,
    closed: bool,
    like: tuple[_Colour, _Line | None] | None = None,
) -> _Line:
    """Return the line with the most contrast across rays of points `xs`, `ys` [N, K] that run `along` [2, N].

    A line that is `like` the colour of a frame goes before others, and one found before goes before that.
    """
    at = np.stack([xs, ys], axis=-1).astype(np.float32)
    step = along.T[:, None].astype(np.float32)
    contrast, size, beside = np.zeros((*xs.shape, 3), np.float32), np.zeros(xs.shape, np.float32), np.zeros(xs.shape)
    for width in _WIDTHS:
        soft = _soft(picture, max(0.6, 0.45 * width * _DENSITY))
        way = (1.6 * width + 0.008) * _DENSITY
        middle, inner, outer = (_read(soft, at + step * off) for off in (0.0, -way, way))
        low, high = np.minimum(inner, outer), np.maximum(inner, outer)
        both = np.minimum(middle - low, 0.0) + np.maximum(middle - high, 0.0)
        found = np.linalg.norm(both, axis=-1)
        better = found > size
        contrast[better], size[better], beside[better] = both[better], found[better], way
    score = np.minimum(size, _STRONGEST)
    fine = _read(_soft(picture, 0.7), at)
    if like is not None:
        score = score * (0.5 + 0.5 * like[0].share(fine)) + _as_before(score, *like)
    place = _best_path(np.asarray(score, np.float32), closed=closed)
    rays = np.arange(len(place))
    per_point = float(np.hypot(*(at[:, 1] - at[:, 0]).T).mean())
    off = beside[rays, place] / per_point
    edges = _edges(fine, place, off, up=along[1] < 0.0, colour=None if like is None else like[0])
    at_line = (contrast[rays, place], fine[rays, place])
    return _Line(xs.astype(np.float32), ys.astype(np.float32), place, *at_line, edges)


def _as_before(score: F32, colour: _Colour, before: _Line | None) -> F32:
    """Return what is added to `score` [N, K] where a line found before belongs to the frame."""
    more = np.zeros_like(score)
    if before is not None:
        rays = np.flatnonzero(_belongs(before, colour))
        more[rays, before.place[rays]] = _STRONGEST
    return more


def _soft(picture: F32, sigma: float) -> F32:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def _read(picture: F32, at: F32) -> F32:
    nothing = np.empty(0, np.float32)
    seen = cv2.remap(picture, at, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)


def _best_path(score: F32, *, closed: bool) -> NDArray[np.intp]:
    """Return for each row of `score` [N, K] a column, neighbours at most two apart, of the greatest sum."""
    path = _open_path(score)
    if not closed:
        return path
    half = len(score) // 2
    held = score.copy()
    held[half] = -1e6
    held[half, path[half]] = 0.0
    # Begun and ended where the free path has settled: at the far side.
    around = np.concatenate([held[half:], held[: half + 1]])
    return np.roll(_open_path(around)[:-1], half)


def _open_path(score: F32) -> NDArray[np.intp]:
    ways = (-2, -1, 0, 1, 2)
    width = score.shape[1]
    total, came = score[0].astype(np.float64), []
    for row in score[1:]:
        padded = np.pad(total, 2, constant_values=-1e9)
        choices = np.stack([padded[2 - way : 2 - way + width] - 0.02 * abs(way) for way in ways])
        came.append(choices.argmax(0) - 2)
        total = choices.max(0) + row
    path = [int(total.argmax())]
    for step in reversed(came):
        path.append(path[-1] - int(step[path[-1]]))
    return np.array(path[::-1], np.intp)


def _edges(
    rays: F32,
    place: NDArray[np.intp],
    beside: NDArray[np.float64],
    *,
    up: NDArray[np.bool_],
    colour: _Colour | None,
) -> NDArray[np.intp]:
    """Return the first and the last point [N, 2] of each ray that are more like its line than like what lies beside.

    `rays` are colours [N, K, 3], `beside` [N] says how many points off the line its sides are seen, `up` [N] which
    rays point upwards: there a frame may be thicker. Where a side is not seen it is taken to differ from the line as
    skin does from the frame's `colour`.
    """
    ways = np.empty((len(rays), 2))
    last = rays.shape[1] - 1
    for ray, (colours, at, off) in enumerate(zip(rays, place, beside, strict=True)):
        most = round((_THICKEST if up[ray] else _WIDEST) / 0.006)
        for side, sign in enumerate((-1, 1)):
            apart = colours[at] - colours[np.clip(round(at + sign * off), 0, last)]
            if colour is not None and apart @ colour.contrast < 0.5 * colour.contrast @ colour.contrast:
                apart = colour.contrast
            reach = colours[np.clip(at + sign * np.arange(most + 1), 0, last)]
            alike = 1.0 - (colours[at] - reach) @ apart / max(float(apart @ apart), 1e-6)
            ways[ray, side] = np.argmax(alike < 0.5) if (alike < 0.5).any() else most
    # Where a frame touches brow or shadow its edge is not seen: its width there is that of its neighbours.
    around = np.median(np.stack([np.roll(ways, shift, axis=0) for shift in range(-3, 4)]), axis=0)
    for part in (up, ~up):
        if part.any():
            usual = np.median(ways[part], axis=0)
            around[part] = np.clip(around[part], np.floor(0.6 * usual), np.ceil(1.6 * usual))
    edges = place[:, None] + np.round(around).astype(int) * np.array([-1, 1])
    return np.asarray(np.clip(edges, 0, last), np.intp)


def _is_frame(rims: list[_Line], bridge: _Line) -> bool:
    """Return whether all parts of two rims and a bridge are seen and, where they are faint, have one colour."""
    degrees = np.degrees(_ANGLES)
    parts = [(degrees - start) % 360.0 < stop - start for start, stop in _SECTORS]
    faintest = float(np.percentile(np.minimum(bridge.strength, _STRONGEST), 20))
    leanings = []
    for rim in rims:
        faintest = min(faintest, *(float(np.percentile(rim.strength[part], 35)) for part in parts))
        seen = np.logical_or.reduce(parts)
        strength = np.minimum(rim.strength[seen], 0.1)
        unit = rim.contrast[seen] / np.maximum(rim.strength[seen], 1e-3)[:, None]
        leanings.append((unit * strength[:, None]).sum(0) / max(float(strength.sum()), 1e-3))
    if faintest >= _SURE:
        return True
    one_colour = min(float(np.linalg.norm(leaning)) for leaning in leanings) >= _ONE_COLOUR
    return faintest >= _LEAST and one_colour and float(leanings[0] @ leanings[1]) >= _BOTH_ALIKE


def _belongs(line: _Line, colour: _Colour) -> NDArray[np.bool_]:
    """Return where [N] a line is seen and is like a frame, or differs from its sides as the frame does."""
    alike = line.contrast @ colour.contrast / max(float(np.linalg.norm(colour.contrast)), 1e-6)
    differs = (line.strength > _SEEN) & (alike > 0.4 * line.strength)
    return np.asarray(differs | (colour.share(line.colour) > 0.6), np.bool_)


def _grown(mask: U8, picture: F32, colour: _Colour) -> U8:
    """Return the mask with what borders on it and has its colour: left on the skin it would be seen to move."""
    if np.linalg.norm(colour.contrast) < _PLAIN:
        return mask
    alike = colour.share(_soft(picture, 0.7)) > 0.5
    found = mask > 127
    for _ in range(round(_GROWS * _DENSITY)):
        found |= (cv2.dilate(found.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & alike
    return np.asarray(np.maximum(mask, found * np.uint8(255)), np.uint8)


def _without_gaps(shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the closed run of rays [N] with its gaps shut, which brow or hair leave, up to `_GAP` rays wide."""
    wide = np.ones(_GAP, np.uint8)
    around = np.tile(shown.astype(np.uint8), 3)[None]
    shut = cv2.morphologyEx(around, cv2.MORPH_CLOSE, wide[None])[0]
    return np.asarray(shut[len(shown) : 2 * len(shown)] > 0, np.bool_)


def _below_brow() -> NDArray[np.bool_]:
    """Return the angles [N] at which a rim runs over skin and is taken as a whole."""
    degrees = np.degrees(_ANGLES)
    return np.asarray((degrees < 215.0) | (degrees > 330.0), np.bool_)


def _paint_bridge(mask: U8, picture: F32, rims: list[_Line], colour: _Colour) -> None:
    """Fill the bridge between the inner ends of the rims."""
    inner = np.array([rim.points(rim.place)[len(_ANGLES) // 2] for rim in rims])
    left, right = sorted((inner[:, 0] + 0.5) / _DENSITY - _HALF_WIDTH)
    height = _TOP - (float(inner[:, 1].mean()) + 0.5) / _DENSITY
    whole = _crossing(picture, np.linspace(left, right, 40), (height + _BRIDGE[0], height - _BRIDGE[1]), colour)
    whole.paint(mask, np.ones(len(whole.place), np.bool_), closed=False)


def _paint_arm(mask: U8, picture: F32, rim: _Line, sign: float, colour: _Colour) -> None:
    """Fill the arm from the outer end of a rim on, as far as it is seen."""
    ends = rim.points(rim.place)
    outer = int((sign * ends[:, 0]).argmax())
    start = (float(ends[outer, 0]) + 0.5) / _DENSITY - _HALF_WIDTH
    height = _TOP - (float(ends[outer, 1]) + 0.5) / _DENSITY
    if abs(start) > _ARM_ENDS - 0.05:
        return
    columns = np.arange(start, sign * _ARM_ENDS, sign * 0.008)
    arm = _crossing(picture, columns, (height + 0.20, height - 0.12), colour)
    seen = np.logical_and.accumulate(_belongs(arm, colour))
    arm.paint(mask, seen, closed=False)
