"""Lids of eyes that are drawn larger than the mesh believes: moved out to where the white of the eye ends."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from moee_cli.core.types import F32
from moee_cli.face.easing import smooth
from moee_cli.face.eyebox import EyeBox

_TELLS_APART = (27.0, 29.0)
"""Difference of white and skin (CIELAB, hue counted 1.6 times, mean of both eyes) from which the picture is believed
against the mesh, and from which on fully. On pictures below, light skin under an eye was taken for white."""
_HUE = np.array([1.0, 1.6, 1.6], np.float32)
_LIKE_WHITE = (0.62, 0.55)
"""Most that a pixel of the white differs from its mean: as a share of what it differs from skin, and of what white and
skin differ."""
_DEAD = 0.012
"""Deviations, in units, up to which the mesh is believed; from twice as much on the picture is."""
_SOFT = 0.008
"""Width, in units, of the soft edge of the white: a pixel of an ordinary frame."""
_FAR = 0.13
"""Way, in units, from the mesh's lids that is no eye: white found there means that the white cannot be told."""
_LEAST = 12
"""Pixels of white without which nothing can be said."""


Lids = tuple[F32, F32]
"""The upper and the lower lid, each [M, 2] in pixels."""


def fitted_lids(eyes: tuple[EyeBox, EyeBox], irises: tuple[tuple[F32, float], tuple[F32, float]]) -> tuple[Lids, Lids]:
    """Return the lids of two eyes with irises (centre [2], radius): the mesh's, or wider ones."""
    found = [_white(eye, *iris) for eye, iris in zip(eyes, irises, strict=True)]
    # Both eyes are of one make: where one is in shadow the other tells.
    apart = sum(difference for _, difference in found) / 2
    trust = float(smooth((apart - _TELLS_APART[0]) / (_TELLS_APART[1] - _TELLS_APART[0])))
    left, right = (
        (eye.upper, eye.lower) if white is None or trust == 0.0 else _fitted(eye, *iris, white, trust)
        for eye, iris, (white, _) in zip(eyes, irises, found, strict=True)
    )
    return left, right


def _fitted(eye: EyeBox, centre: F32, radius: float, white: NDArray[np.bool_], trust: float) -> Lids:
    """Return the lids moved out, as far as they are trusted, to what is `white` [h, w] or iris."""
    unit, dead = eye.unit, _DEAD * eye.unit
    columns = np.flatnonzero(white.any(axis=0))
    ends = eye.upper[[0, -1], 0]
    left = float(ends[0]) - trust * float(_beyond(float(ends[0]) - float(eye.columns[columns[0]]), dead))
    right = float(ends[1]) + trust * float(_beyond(float(eye.columns[columns[-1]]) + 1.0 - float(ends[1]), dead))
    xs = np.linspace(left, right, len(eye.upper), dtype=np.float32)
    place = (xs - left) / (right - left)
    beside = columns[np.abs(eye.columns[columns] + 0.5 - centre[0]) > 0.8 * radius]
    if not len(beside):
        return eye.upper, eye.lower
    edges = (white.argmax(axis=0), len(white) - white[::-1].argmax(axis=0))
    lids = []
    for curve, edge, outwards in ((eye.upper, edges[0], -1.0), (eye.lower, edges[1], 1.0)):
        mesh = np.interp(ends[0] + place * (ends[1] - ends[0]), curve[:, 0], curve[:, 1])
        here = np.interp(eye.columns[beside] + 0.5, xs, mesh)
        way = _beyond(outwards * (edge[beside] + eye.box.y - here), dead)
        even = np.interp(xs, eye.columns[beside] + 0.5, way).astype(np.float32)
        sigma = 0.04 * unit / max(float(xs[1] - xs[0]), 0.1)
        even = cv2.GaussianBlur(even[None], (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)[0]
        even = trust * even * np.clip(10.0 * place * (1.0 - place), 0.0, 1.0)
        lids.append(np.column_stack([xs, mesh + outwards * even]).astype(np.float32))
    return lids[0], lids[1]


def _beyond(way: ArrayLike, dead: float) -> F32:
    """Return a way as it is from twice `dead` on, and nought up to `dead`."""
    return np.asarray(np.maximum(way, 0.0) * smooth(np.asarray(way) / dead - 1.0), np.float32)


def _white(eye: EyeBox, centre: F32, radius: float) -> tuple[NDArray[np.bool_] | None, float]:
    """Return where the box [h, w] shows white or iris, as one region, and how far white and skin differ.

    The region is None where it cannot be told from what is around it.
    """
    unit, away = eye.unit, eye.away(centre)
    colours = cv2.cvtColor(eye.pixels.astype(np.float32) / np.float32(255.0), cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(colours, (0, 0), max(0.5, 0.005 * unit)) * _HUE
    inside = (eye.inwards > 0.015 * unit) & (eye.rows > eye.top + 0.02 * unit) & (eye.rows < eye.bottom - 0.012 * unit)
    seeds = inside & (away > 1.12 * radius)
    under = (eye.rows > eye.bottom + 0.09 * unit) & (eye.rows < eye.bottom + 0.17 * unit) & (eye.inwards > 0)
    over = (eye.rows < eye.top - 0.09 * unit) & (eye.rows > eye.top - 0.15 * unit) & (eye.inwards > 0)
    if seeds.sum() < _LEAST or not under.any() or not over.any():
        return None, 0.0
    seeds[seeds] = lab[seeds, 0] >= np.percentile(lab[seeds, 0], 40)
    white, skins = np.median(lab[seeds], axis=0), [np.median(lab[part], axis=0) for part in (under, over)]
    apart = min(float(np.linalg.norm(white - skin)) for skin in skins)
    from_white = np.linalg.norm(lab - white, axis=2)
    from_skin = np.min([np.linalg.norm(lab - skin, axis=2) for skin in skins], axis=0)
    like = (from_white < _LIKE_WHITE[0] * from_skin) & (from_white < _LIKE_WHITE[1] * apart)
    like |= (away < radius) & inside
    _, parts = cv2.connectedComponents(like.astype(np.uint8), connectivity=4)
    region = np.isin(parts, np.unique(parts[seeds & like])) & like
    # What is only half white belongs to the eye as well: on the lid it would be left as a pale line.
    soft = np.ones((2 * round(_SOFT * unit) + 1,) * 2, np.uint8)
    region = cv2.dilate(region.astype(np.uint8), soft) > 0
    far = (eye.inwards < -_FAR * unit) | (eye.rows < eye.top - _FAR * unit) | (eye.rows > eye.bottom + _FAR * unit)
    return (None if (region & far).any() or not region.any() else region), apart
