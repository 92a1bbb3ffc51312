"""The person laid over a backdrop that stands still: straight colours, cover, and the last step of every frame."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from moee_cli.core.types import F32, U8, Layers
from moee_cli.face.plate import spread

_TILE = 64
"""Side in px of the tiles that are composed, or not, as a whole."""
_EVERY = 8
"""Every how many pixels the motion is looked at for its largest way."""
_OPAQUE = np.float32(1.0 / 255.0)


class Cutout:
    """A portrait's person in colours of its own, and how much of each pixel the person covers."""

    def __init__(self, layers: Layers, *, transparent: bool) -> None:
        """Take the layers apart; `transparent` leaves the backdrop out of the frames."""
        self.colours = _straight(layers.person)
        self._backdrop = layers.backdrop
        self._transparent = transparent
        alpha = np.ascontiguousarray(layers.person[..., 3])
        self._cover = alpha.astype(np.float32) * _OPAQUE
        self._tiles = _tiles(alpha)

    def over(self, frame: U8, back: F32) -> U8:
        """Return the frame [H, W, 3] of moved colours over the backdrop, or as premultiplied RGBA [H, W, 4].

        `back` [H, W, 2] says which pixel of the portrait each pixel shows (index coordinates). `frame` is used up.
        """
        if self._transparent:
            cover = self._moved(back)
            premultiplied = cv2.multiply(frame, cv2.merge([cover, cover, cover]), dtype=cv2.CV_8U)
            alpha = cv2.convertScaleAbs(cover, alpha=255.0)
            return np.asarray(cv2.merge([*cv2.split(premultiplied), alpha]), np.uint8)
        reach = _farthest(back)
        for tile in self._tiles:
            if tile.to_edge <= reach:
                cover = self._moved(np.ascontiguousarray(back[tile.place]))
                over = np.ascontiguousarray(frame[tile.place])
                frame[tile.place] = cv2.blendLinear(over, self._backdrop[tile.place].copy(), cover, 1.0 - cover)
            elif not tile.is_person:
                frame[tile.place] = self._backdrop[tile.place]
        return frame

    def _moved(self, back: F32) -> F32:
        nothing = np.empty(0, np.float32)
        cover = cv2.remap(self._cover, back, nothing, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(cover, np.float32)


class _Tile(NamedTuple):
    """A part of the frame: farther from the silhouette than anything moves, it is all person or all backdrop."""

    place: tuple[slice, slice]
    to_edge: float
    """Pixels from its nearest corner or side to the nearest pixel that is partly covered."""
    is_person: bool


def _tiles(alpha: U8) -> list[_Tile]:
    """Return the tiles of a matte [H, W]; they cover it."""
    inside = (alpha == 255).astype(np.uint8)
    outside = (alpha == 0).astype(np.uint8)
    to_edge = np.maximum(*(cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (inside, outside)))
    # A matte without any partly covered pixel has its edge where the two sides meet: distances hold there too.
    height, width = alpha.shape
    tiles = []
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            place = (slice(top, min(top + _TILE, height)), slice(left, min(left + _TILE, width)))
            tiles.append(_Tile(place, float(to_edge[place].min()), bool(alpha[place].min() == 255)))
    return tiles


def _farthest(back: F32) -> float:
    """Return a bound, in px, on how far any pixel is read from its own place; motion is smooth over `_EVERY` px."""
    rows = np.arange(0, back.shape[0], _EVERY, dtype=np.float32)[:, None]
    columns = np.arange(0, back.shape[1], _EVERY, dtype=np.float32)[None]
    seen = back[::_EVERY, ::_EVERY]
    way = np.hypot(seen[..., 0] - columns, seen[..., 1] - rows)
    return float(way.max()) + _EVERY


def _straight(person: U8) -> U8:
    """Return the colours [H, W, 3] of a premultiplied picture [H, W, 4], continued to where it shows nothing."""
    cover = person[..., 3].astype(np.float32) * _OPAQUE
    seen = person[..., :3] / np.maximum(cover, _OPAQUE)[..., None]
    # What is read beyond the silhouette blends into its edge only.
    filled = spread(np.asarray(seen, np.float32), cover)
    return np.asarray(np.clip(np.where(cover[..., None] > 0.0, seen, filled) + 0.5, 0.0, 255.0), np.uint8)
