"""What a closing lid shows: skin painted from the skin around it, and lashes that turn down with its edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from moee_cli.core.types import F32, U8
from moee_cli.face.basis import lid_reach
from moee_cli.face.easing import smooth
from moee_cli.face.eyebox import EyeBox, as_bytes
from moee_cli.face.fields import Box

_STRIP = 0.075
"""Height, in units, of the strip over the lid's edge from which lashes are taken: long ones end there."""
_RIM = 0.012
"""How far, in units, the line of the lashes' roots lies below the mesh's lid edge."""
_TURN_DOWN = 1.35
"""Lashes seen upright (1) on an open eye are seen upside down, and foreshortened, at a full blink (1 minus this)."""
_THIN = 0.13
"""Least share of their height that lashes pointing at the camera show."""
_FINER = 4
"""Rows of lashes that are drawn for each row of the picture."""
_INK_MOST = 0.80
"""Darkness that lashes reach: they are hairs with skin between them, not a bar."""
_MEET = 0.30
"""Least darkness of the line where closed lids meet: skin on skin casts a shadow, lashes or not."""


class LidSkin:
    """Paint and lashes of one upper lid."""

    def __init__(self, eye: EyeBox, room: float) -> None:
        """Paint the lid of `eye`; `room` is the distance from lid to brow in units."""
        self._eye = eye
        self._reach = (lid_reach(room) + 0.03) * eye.unit
        crop = eye.pixels.astype(np.float32)
        plain = self._paint(crop)
        self._lashes = self._lash_strip(crop, plain)
        self.skin = self._laid(crop, plain)
        """[h, w, 3] the box with its lid painted plain, without lashes, lid edge and crease."""

    def _paint(self, crop: F32) -> F32:
        """Return the box [h, w, 3] filled with the skin seen around the eye, lit as a closed lid is.

        Brows, make-up, lashes and deep creases must not be smeared over a closing lid.
        """
        eye = self._eye
        unit, rows = eye.unit, eye.rows
        luma = crop.mean(2)
        below = ((rows > eye.bottom + 0.05 * unit) & (rows < eye.bottom + 0.20 * unit)).astype(np.float32)
        level = float(np.median(luma[below > 0])) if below.any() else float(np.median(luma))
        cheek = eye.spread(crop, below * np.clip(luma / max(level, 1.0) * 2.0 - 0.5, 0.02, 1.0), (0.10,))
        light = cheek.mean(2)
        ratio = luma / np.maximum(light, 1.0)
        # Much darker than the skin below the eye, it is brow, lash or shadow; much lighter, a highlight or hair.
        skinlike = np.clip((ratio - 0.50) / 0.30, 0.0, 1.0) * np.clip((1.30 - ratio) / 0.15, 0.0, 1.0)
        around = ((rows < eye.top - 0.03 * unit) & (rows > eye.top - self._reach)) | (rows > eye.bottom + 0.05 * unit)
        tone = eye.spread(crop, skinlike * around, (0.05, 0.12, 0.25))
        shade = tone.mean(2) / np.maximum(light, 1.0)
        # Make-up and shadow over the eye are greyer than skin: most of the hue comes from below.
        hue = 0.4 * tone / np.maximum(shade, 1e-3)[..., None] + 0.6 * cheek
        tone = hue * np.clip(0.4 + 0.6 * shade, 0.90, 1.04)[..., None]
        height = ((eye.top - rows) / self._reach)[..., None]
        tone = tone + self._grain(crop, (below > 0) & (skinlike > 0.5))
        return np.asarray(tone * self._relief(height), np.float32)

    @staticmethod
    def _relief(height: F32) -> F32:
        """Return the light on a closed lid by height over its edge (1: the end of its stretch): bulge, then crease."""
        bulge = 0.97 + 0.06 * np.sin(np.pi * np.clip(height * 1.5 + 0.1, 0.0, 1.0))
        crease = 1.0 - 0.08 * np.exp(-0.5 * ((height - 0.62) / 0.10) ** 2)
        return np.asarray(bulge * crease, np.float32)

    def _grain(self, crop: F32, skin: NDArray[np.bool_]) -> F32:
        """Return the fine grain [h, w, 3] of the skin below the eye, mirrored over the box: paint alone is too even."""
        weight = cv2.erode(skin.astype(np.float32), np.ones((3, 3), np.uint8))
        fine = crop - cv2.GaussianBlur(crop, (0, 0), max(1.0, 0.015 * self._eye.unit))
        fine = np.clip(fine, -10.0, 10.0) * weight[..., None]
        used = np.flatnonzero(weight.max(1) > 0.5)
        if len(used) < 3:
            return np.zeros_like(crop)
        strip = fine[used[0] : used[-1] + 1]
        period = np.concatenate([strip, strip[::-1]])
        return np.asarray(period[np.arange(len(crop)) % len(period)], np.float32)

    def _laid(self, crop: F32, paint: F32) -> U8:
        """Return the crop with the paint laid over lid, lashes and crease, soft at its border."""
        eye = self._eye
        unit, rows = eye.unit, eye.rows
        over = eye.top - rows
        height = over / self._reach
        share = (1.0 - smooth((height - 0.45) / 0.55)) * (rows < eye.bottom + 0.02 * unit)
        share = share * smooth(1.0 + eye.inwards / (0.05 * unit))
        # Beside the eye both lids are one skin: there the paint ends softly above the line between them.
        softly = smooth(over / (0.06 * unit))
        share = share * (softly + (1.0 - softly) * smooth(eye.inwards / (0.05 * unit)))
        dark = smooth((0.93 - crop.mean(2) / np.maximum(paint.mean(2), 1.0)) / 0.12)
        # Past the corners only what is darker than skin goes: lashes that point there.
        lashes = dark * smooth(1.0 + eye.inwards / (0.13 * unit)) * (np.abs(over - 0.02 * unit) < 0.085 * unit)
        share = np.maximum(share, lashes * smooth((0.085 * unit - np.abs(over - 0.02 * unit)) / (0.03 * unit)))
        # High above the edge what is much darker than skin is no lid: brow, hair, the rim of glasses.
        darker = smooth((0.72 - crop.mean(2) / np.maximum(paint.mean(2), 1.0)) / 0.15)
        foreign = cv2.dilate(darker * smooth((over / unit - 0.075) / 0.03), np.ones((3, 3), np.uint8))
        soft = cv2.GaussianBlur((share * (1.0 - foreign)).astype(np.float32), (0, 0), 0.012 * unit)[..., None]
        return as_bytes(crop + (paint - crop) * soft)

    def _lash_strip(self, crop: F32, paint: F32) -> U8:
        """Return the light that lashes let through, [depth, across, 3], 255 for all: from their roots up."""
        eye = self._eye
        unit = eye.unit
        past = 0.10 * unit
        left, right = eye.upper[0, 0] - 0.5, eye.upper[-1, 0] - 0.5
        across = np.arange(left - past, right + past, dtype=np.float32)
        self._across = (left, right, past)
        depths = np.arange(round(_STRIP * unit) + 1, dtype=np.float32)
        roots = np.interp(across, eye.columns, eye.top + self.roots(eye.bottom - eye.top))
        at_x = np.broadcast_to(across - eye.box.x, (len(depths), len(across))).astype(np.float32)
        at_y = (roots[None] - depths[:, None] - eye.box.y).astype(np.float32)
        edge = cv2.BORDER_REPLICATE
        seen, skin = (cv2.remap(p, at_x, at_y, cv2.INTER_LINEAR, borderMode=edge) for p in (crop, paint))
        through = np.clip(seen / np.maximum(skin, 4.0), 0.0, 1.0)
        inked = np.clip((1.0 - through) * 1.15 - 0.06, 0.0, 1.0)
        # Near the roots the iris may look in: there the line is made even along the lid.
        even = cv2.GaussianBlur(inked, (0, 0), sigmaX=0.03 * unit, sigmaY=0.3, borderType=cv2.BORDER_REPLICATE)
        near = (1.0 - smooth((depths - 0.010 * unit) / (0.014 * unit)))[:, None, None]
        inked = inked + (np.minimum(inked, even) - inked) * near
        inked = inked * (1.0 - smooth((depths / (_STRIP * unit) - 0.55) / 0.45))[:, None, None]
        inside = smooth(np.minimum(across - left + past, right + past - across) / past)[None, :, None]
        core = _MEET * np.exp(-0.5 * (depths / max(0.8, 0.012 * unit)) ** 2)[:, None, None]
        core = core * smooth(np.minimum(across - left, right - across) / (0.05 * unit))[None, :, None]
        inked = cv2.GaussianBlur(np.maximum(inked * inside, core).astype(np.float32), (0, 0), 0.6)
        return as_bytes(255.0 * (1.0 - np.minimum(inked, _INK_MOST)))

    def roots(self, gap: F32) -> F32:
        """Return how far, in pixels [w], the lashes' roots lie below the mesh's lid edge for a gap between lids."""
        return np.asarray(np.minimum(_RIM * self._eye.unit, 0.2 * np.maximum(gap, 0.0)), np.float32)

    def draw_lashes(
        self, picture: U8, box: Box, edge: F32, *, ends: tuple[float, float], blink: float, amount: float
    ) -> U8:
        """Return the picture of a box with lashes on the edge [w] of the upper lid, turned as far as it has closed.

        `ends` are the columns of the moved corners; `amount` 0..1 fades the lashes in.
        """
        left, right, past = self._across
        columns = box.x + np.arange(box.width, dtype=np.float32)
        turned = 1.0 - _TURN_DOWN * blink
        up, down = max(turned, _THIN), max(-turned, _THIN)
        strip = _STRIP * self._eye.unit
        first = max(0, int(np.floor(edge.min() - strip * up)) - box.y - 1)
        last = min(box.height, int(np.ceil(edge.max() + strip * down)) - box.y + 2)
        if last <= first:
            return picture
        # Lashes that point at the camera are thinner than a row: rows are averages of finer ones.
        parts = (np.arange(_FINER, dtype=np.float32) + 0.5) / _FINER - 0.5
        rows = (box.y + np.arange(first, last, dtype=np.float32)[:, None] + parts).reshape(-1, 1)
        over = edge - rows
        depth = np.where(over > 0.0, over / up, over / -down).astype(np.float32)
        scale = (right - left) / max(ends[1] - ends[0], 1.0)
        along = np.broadcast_to(((columns - ends[0]) * scale + past).astype(np.float32), depth.shape)
        through = cv2.remap(
            self._lashes, np.ascontiguousarray(along), depth, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
            borderValue=(255.0, 255.0, 255.0),
        )  # fmt: skip
        through = cv2.resize(through, (box.width, last - first), interpolation=cv2.INTER_AREA)
        if amount < 1.0:
            through = cv2.convertScaleAbs(through, alpha=amount, beta=255.0 * (1.0 - amount))
        picture[first:last] = cv2.multiply(picture[first:last], through, scale=1.0 / 255.0)
        return picture
