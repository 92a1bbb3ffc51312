"""Divides each pixel between person and backdrop so that the two laid over each other give the picture back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32, U8, Layers
from moee_cli.face.exemplar import Eyes, carried_on
from moee_cli.face.plate import spread
from moee_cli.face.roughness import STROKE, roughness

Mask = NDArray[np.bool_]

_TILE = 512
"""Pixels of a side that are worked on at once: bounds memory, and skips what is all person or all backdrop."""
_REFINE = 1.5
"""Radius of the filter that draws a coarser alpha along the edges, in coarse pixels."""
_CONTRAST = 5.0
_GRAIN, _THINGS = 3.0, 4.0
"""Multiples of the backdrop's fine roughness nearby, and of its coarse one, within which what differs from it is its
own, beyond them the person's. Where leaves or branches are behind, none is quite where it is carried on to."""
_COARSE = 0.08
"""Width, in units, of the pixels between which things are seen."""
_FOCUS = 3.0
"""Multiples of fine roughness up to which the coarse one counts: the rest is light out of focus."""
_NOISE = 1.0
"""Levels that rounding and compression add to it."""
_RING, _RIM = 0.06, 0.02
"""Units outside the matte in which a pixel may still hold something of the person, and in which it does more often than
not: rims that sharpening and light from behind leave."""
_HINT = 0.1
"""Trust in colours between the two: they say where the backdrop's brightness goes, not how it looks."""


@dataclass(frozen=True, eq=False)
class Parts:
    """What each pixel is mixed from, at reduced size [h, w]."""

    picture: F32
    """What is taken apart [h, w, 3]."""
    alpha: F32
    front: F32
    """The person's colours [h, w, 3], carried on outwards."""
    back: F32
    """The backdrop's [h, w, 3], carried on inwards."""
    way: F32
    """Where from [h, w, 2] that was copied (x, y px), else nought: a larger picture shows more there."""
    own: F32
    """Levels [h, w] by which the backdrop may differ from `back`."""
    doubt: F32
    """Outside the matte: 0 where a pixel is the backdrop's own, 1 where it may hold something of the person."""

    @staticmethod
    def of(picture: U8, alpha: F32, eyes: Eyes, faces: Mask | None = None, *, kept: bool = True) -> Parts:
        """Return the parts of a picture [h, w, 3] whose alpha [h, w] is known.

        `faces` [h, w] are those of others: the backdrop is not continued with them. `kept` says that the backdrop is
        shown: then what lies close about the person and does not fit the backdrop moves with the person; over another
        one it is left out.
        """
        colours, unit = picture.astype(np.float32), eyes.unit
        free = (alpha < 0.02).astype(np.float32)
        clear, near = (np.asarray(cv2.erode(free, _square(reach * unit)), np.float32) for reach in (_RING, _RIM))
        known = clear > 0.0
        usable = known if faces is None else known & ~faces
        behind = carried_on(colours, np.maximum(clear, _HINT * near), usable, eyes)
        back = spread(behind.colours, behind.holds)
        front = spread(colours, (alpha > 0.98).astype(np.float32))
        doubt = np.maximum(cv2.GaussianBlur(1.0 - clear, (0, 0), 0.5 * _RING * unit), 1.0 - clear)
        if not kept:
            doubt, near = np.zeros_like(clear), np.ones_like(near)
        own = _own(colours, known, near, unit)
        return Parts(colours, alpha, front, back, behind.way, own, np.asarray(doubt, np.float32))


def _own(colours: F32, known: Mask, near: F32, unit: float) -> F32:
    """Return by how many levels [h, w] a backdrop may differ from what it is carried on as; less in rims of the person.

    `near` [h, w] is 1 outside these.
    """
    grain, strokes, things = (roughness(colours, known, step * unit)[..., 0] for step in (0.0, STROKE, _COARSE))
    apart = np.clip(2.0 * cv2.GaussianBlur(near, (0, 0), _RIM * unit) - 1.0, 0.0, 1.0)
    own = _GRAIN * np.maximum(grain, strokes) + _THINGS * apart * np.minimum(things, _FOCUS * strokes) + _NOISE
    return np.asarray(own, np.float32)


def _square(reach: float) -> U8:
    n = 2 * max(1, round(reach)) + 1
    return np.ones((n, n), np.uint8)


def divided(pixels: U8, parts: Parts) -> tuple[U8, U8]:
    """Return alpha [H, W] and backdrop [H, W, 3] of a picture, uint8, from parts of the same or a smaller size."""
    height, width = pixels.shape[:2]
    alpha, backdrop = np.zeros((height, width), np.uint8), pixels.copy()
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            tile = (slice(top, min(top + _TILE, height)), slice(left, min(left + _TILE, width)))
            share = _sized(parts.alpha, tile, (height, width))
            if share.max() == 0.0 and _sized(parts.doubt, tile, (height, width)).max() == 0.0:
                continue
            if share.min() < 1.0:
                share = _drawn(pixels, parts, tile)
            alpha[tile] = (share * 255.0 + 0.5).astype(np.uint8)
            backdrop[tile] = _behind(pixels, share, parts, tile)
    return alpha, backdrop


Tile = tuple[slice, slice]


def _sized(small: F32, tile: Tile, size: tuple[int, int], how: int = cv2.INTER_LINEAR) -> F32:
    """Return a tile of an array [h, w, ...] as it is at a larger size (H, W)."""
    if small.shape[:2] == size:
        return small[tile]
    y, x = small.shape[0] / size[0], small.shape[1] / size[1]
    place = np.array([[x, 0.0, (tile[1].start + 0.5) * x - 0.5], [0.0, y, (tile[0].start + 0.5) * y - 0.5]])
    shape = (tile[1].stop - tile[1].start, tile[0].stop - tile[0].start)
    how |= cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(small, place, shape, flags=how, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _drawn(pixels: U8, parts: Parts, tile: Tile) -> F32:
    """Return alpha of a tile, drawn along the edges of the picture where it comes from a smaller one."""
    size = (pixels.shape[0], pixels.shape[1])
    if parts.alpha.shape == size:
        return parts.alpha[tile]
    radius = max(2, round(_REFINE * size[1] / parts.alpha.shape[1]))
    margin = 2 * radius
    wide = tuple(slice(max(0, s.start - margin), min(n, s.stop + margin)) for s, n in zip(tile, size, strict=True))
    around = (wide[0], wide[1])
    rough = _sized(parts.alpha, around, size)
    fine = cv2.ximgproc.guidedFilter(np.ascontiguousarray(pixels[around]), rough, radius, _CONTRAST**2)
    rows, columns = (slice(s.start - w.start, s.stop - w.start) for s, w in zip(tile, around, strict=True))
    mixed = (rough > 0.0) & (rough < 1.0)
    drawn = np.where(mixed, np.clip((fine - 0.03) / 0.94, 0.0, 1.0), rough)
    return np.asarray(drawn[rows, columns], np.float32)


def _finer(pixels: U8, parts: Parts, tile: Tile) -> F32 | float:
    """Return what the picture shows beyond its parts, of lesser size, where a tile's backdrop is copied from."""
    size = pixels.shape[:2]
    if parts.alpha.shape == size:
        return 0.0
    y, x = parts.alpha.shape[0] / size[0], parts.alpha.shape[1] / size[1]
    way = _sized(parts.way, tile, (size[0], size[1]), cv2.INTER_NEAREST) / np.array([x, y], np.float32)
    copied = way.any(axis=-1, keepdims=True)
    if not copied.any():
        return 0.0
    rows, columns = (np.arange(along.start, along.stop, dtype=np.float32) for along in tile)
    at = way + np.stack(np.meshgrid(columns, rows), axis=-1)
    seen = cv2.remap(pixels, at, np.empty(0, np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    at = (at + np.float32(0.5)) * np.array([x, y], np.float32) - np.float32(0.5)
    known = cv2.remap(parts.picture, at, np.empty(0, np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((seen - known) * copied, np.float32)


def _behind(pixels: U8, alpha: F32, parts: Parts, tile: Tile) -> U8:
    """Return the backdrop of a tile.

    What both colours together do not explain is divided between them in proportion to their shares, the least change
    to both; the backdrop takes no more of it than is its own.
    """
    share, size = alpha[..., None], (pixels.shape[0], pixels.shape[1])
    colours = pixels[tile].astype(np.float32)
    front, back = _sized(parts.front, tile, size), _sized(parts.back, tile, size) + _finer(pixels, parts, tile)
    rest = colours - share * front - (1.0 - share) * back
    change = rest * (1.0 - share) / (share * share + (1.0 - share) ** 2)
    limit = _sized(parts.own, tile, size)[..., None] * (1.0 - share)
    doubt = np.where(share > 0.0, np.float32(1.0), _sized(parts.doubt, tile, size)[..., None])
    behind = colours + doubt * (back + np.clip(change, -limit, limit) - colours)
    return np.asarray(np.clip(behind + 0.5, 0.0, 255.0), np.uint8)


def layers_of(pixels: U8, alpha: U8, backdrop: U8) -> Layers:
    """Return the layers that make up `pixels` [H, W, 3] over `backdrop`, from alpha [H, W]; all uint8.

    Where the backdrop is lighter or darker than the person's share allows, alpha is raised until it is not.
    """
    person = np.empty((*alpha.shape, 4), np.uint8)
    rows = max(1, 2**20 // alpha.shape[1])
    for top in range(0, len(alpha), rows):
        part = slice(top, top + rows)
        seen, known = pixels[part].astype(np.float32), backdrop[part].astype(np.float32)
        darker, lighter = (known - seen) / np.maximum(known, 1.0), (seen - known) / np.maximum(255.0 - known, 1.0)
        share = np.maximum(alpha[part], np.ceil(np.maximum(darker, lighter).max(axis=-1) * 255.0))
        own = seen - (1.0 - share[..., None] / 255.0) * known
        person[part, :, :3] = np.clip(own + 0.5, 0.0, share[..., None])
        person[part, :, 3] = share
    return Layers(person, backdrop)
