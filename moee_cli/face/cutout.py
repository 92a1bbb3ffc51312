"""The person laid over a backdrop that stands still: straight colours, cover, and the last step of every frame."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32, U8, Layers
from moee_cli.face.plate import spread

_TILE = 32
"""Side in px of the tiles that are composed, or not, as a whole."""
_EVERY = 8
"""Every how many pixels the motion is looked at for its largest way in a tile."""
_OPAQUE = np.float32(1.0 / 255.0)


Place = tuple[slice, slice]
"""Rows and columns of a frame."""


class Parts(NamedTuple):
    """How a frame is put together: rectangles that cover it."""

    shown: list[Place]
    """Where the person is to be seen, or in part: elsewhere it need not be drawn."""
    edge: list[Place]
    """Where person and backdrop meet: a part of `shown`."""
    empty: list[Place]
    """Where nothing but the backdrop is seen."""


class Cutout:
    """A portrait's person in colours of its own, and how much of each pixel the person covers."""

    def __init__(self, layers: Layers, *, transparent: bool) -> None:
        """Take the layers apart; `transparent` leaves the backdrop out of the frames."""
        self.colours = _straight(layers.person)
        self._backdrop = layers.backdrop
        self._transparent = transparent
        alpha = np.ascontiguousarray(layers.person[..., 3])
        self._cover = alpha.astype(np.float32) * _OPAQUE
        self._to_edge, self._is_person = _tiles(alpha)

    def parts(self, back: F32) -> Parts:
        """Return where a frame shows what; `back` as in `over`."""
        size = self._cover.shape
        if self._transparent:
            return Parts([(slice(0, size[0]), slice(0, size[1]))], [], [])
        edge = self._to_edge <= _farthest(back)
        shown = edge | self._is_person
        return Parts(_rectangles(shown, size), _rectangles(edge, size), _rectangles(~shown, size))

    def over(self, frame: U8, back: F32, parts: Parts) -> U8:
        """Return the frame [H, W, 3] of moved colours over the backdrop, or as premultiplied RGBA [H, W, 4].

        `back` [H, W, 2] says which pixel of the portrait each pixel shows (index coordinates). `frame` is used up.
        """
        if self._transparent:
            cover = self._moved(back)
            premultiplied = cv2.multiply(frame, cv2.merge([cover, cover, cover]), dtype=cv2.CV_8U)
            alpha = cv2.convertScaleAbs(cover, alpha=255.0)
            return np.asarray(cv2.merge([*cv2.split(premultiplied), alpha]), np.uint8)
        for place in parts.edge:
            cover = self._moved(np.ascontiguousarray(back[place]))
            over, under = np.ascontiguousarray(frame[place]), np.ascontiguousarray(self._backdrop[place])
            frame[place] = cv2.blendLinear(over, under, cover, 1.0 - cover)
        for place in parts.empty:
            frame[place] = self._backdrop[place]
        return frame

    def _moved(self, back: F32) -> F32:
        nothing = np.empty(0, np.float32)
        cover = cv2.remap(self._cover, back, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cover, np.float32)


def _tiles(alpha: U8) -> tuple[F32, NDArray[np.bool_]]:
    """Return for the tiles of a matte [H, W] how far they are from the silhouette, and which are all person.

    The distance, in px, is that of the nearest pixel: a tile that is farther away than anything in it moves is all
    person or all backdrop, whatever moves.
    """
    inside = (alpha == 255).astype(np.uint8)
    outside = (alpha == 0).astype(np.uint8)
    # A matte without any partly covered pixel has its edge where the two sides meet: distances hold there too.
    to_edge = np.maximum(*(cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (inside, outside)))
    low = _per_tile(np.minimum, np.asarray(to_edge, np.float32), _TILE)
    return low, _per_tile(np.minimum, alpha, _TILE) == 255


def _per_tile(of: np.ufunc, values: NDArray[Any], side: int) -> NDArray[Any]:
    """Return the least or greatest of values [H, W] in each tile."""
    for axis in (0, 1):
        values = of.reduceat(values, np.arange(0, values.shape[axis], side), axis=axis)
    return values


def _farthest(back: F32) -> F32:
    """Return a bound, in px, on how far any pixel of a tile is read from its own place.

    Motion is smooth over `_EVERY` px: a pixel between those that are looked at goes no farther by more than that.
    """
    rows = np.arange(0, back.shape[0], _EVERY, dtype=np.float32)[:, None]
    columns = np.arange(0, back.shape[1], _EVERY, dtype=np.float32)[None]
    seen = back[::_EVERY, ::_EVERY]
    way = np.hypot(seen[..., 0] - columns, seen[..., 1] - rows)
    return np.asarray(_per_tile(np.maximum, way, _TILE // _EVERY) + _EVERY, np.float32)


def _rectangles(marked: NDArray[np.bool_], size: tuple[int, ...]) -> list[Place]:
    """Return the marked tiles of a frame as few rectangles: runs along rows, joined downwards where they are alike."""
    bounded = np.zeros((marked.shape[0], marked.shape[1] + 2), np.int8)
    bounded[:, 1:-1] = marked
    change = np.diff(bounded, axis=1)
    starts, stops = np.argwhere(change == 1).tolist(), np.argwhere(change == -1)[:, 1].tolist()
    tops: dict[tuple[int, int, int], int] = {}
    """First row of the rectangles by last row, start and stop."""
    for (row, start), stop in zip(starts, stops, strict=True):
        tops[row, start, stop] = tops.pop((row - 1, start, stop), row)
    return [
        (slice(top * _TILE, min((row + 1) * _TILE, size[0])), slice(start * _TILE, min(stop * _TILE, size[1])))
        for (row, start, stop), top in tops.items()
    ]


def _straight(person: U8) -> U8:
    """Return the colours [H, W, 3] of a premultiplied picture [H, W, 4], continued to where it shows nothing."""
    cover = person[..., 3].astype(np.float32) * _OPAQUE
    seen = person[..., :3] / np.maximum(cover, _OPAQUE)[..., None]
    # What is read beyond the silhouette blends into its edge only.
    filled = spread(np.asarray(seen, np.float32), cover)
    return np.asarray(np.clip(np.where(cover[..., None] > 0.0, seen, filled) + 0.5, 0.0, 255.0), np.uint8)
