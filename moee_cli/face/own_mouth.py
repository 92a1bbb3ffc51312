"""What an open mouth shows in the portrait, most often the person's own upper teeth: kept, fixed to the skull."""

from __future__ import annotations

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.fields import Box
from moee_cli.face.outlines import Outlines
from moee_cli.face.palette import Palette

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_FEATHER = 0.016
"""Soft rim, in units, of what is kept: the lips cast colour and shade on the first millimetre."""
_TOOTH = (0.52, 0.74)
"""Brightness against the teeth's own, between which a pixel passes from dark to tooth."""
_GLIMPSE = (0.045, 0.075)
"""Height of the opening, in units, below which its teeth are a glimpse, too little to go on from: as the lips part they
give way to painted ones in their colour. From the second on they are kept."""
_SHADED = 0.87
"""Light on teeth between lips against that on open teeth (see `mouth`)."""
_LEAST, _STANDS_OUT = 0.33, 2.2
"""Brightness that something must have to be taken for teeth: against teeth painted for this picture, and, where it is
less than twice that, against the dark around it."""


class OwnMouth:
    """The interior of a mouth photographed open.

    At rest all of it is shown. As the lips move, teeth stay, with the skull; the dark around them gives way to what is
    painted, which goes on where the photo ends.
    """

    def __init__(self, pixels: U8, outlines: Outlines, palette: Palette, unit: float) -> None:
        upper, lower = outlines.lip_upper - 0.5, outlines.lip_lower - 0.5
        margin = round(0.06 * unit) + 2
        x0, y0 = np.maximum(np.floor(np.minimum(upper.min(0), lower.min(0))).astype(int) - margin, 0)
        x1, y1 = np.ceil(np.maximum(upper.max(0), lower.max(0))).astype(int) + margin
        crop = pixels[y0:y1, x0:x1].astype(np.float32)
        columns = x0 + np.arange(crop.shape[1], dtype=np.float32)
        self._columns, self._rows = columns, (y0 + np.arange(crop.shape[0], dtype=np.float32))[:, None]
        self._top = np.interp(columns, upper[:, 0], upper[:, 1]).astype(np.float32)
        self._bottom = np.interp(columns, lower[:, 0], lower[:, 1]).astype(np.float32)
        self._across = (columns > upper[0, 0]) & (columns < upper[-1, 0])
        self._unit = unit
        self.teeth = self._colour_of_teeth(crop, palette)
        """Colour [3] of the teeth it shows, or None."""
        self.open_teeth = None if self.teeth is None else self._unshaded(self.teeth, palette)
        """Colour [3] of such teeth out of the lips' shade, or None."""
        self.edge = self._edge(crop)
        """Row, in index coordinates of the portrait, at which its upper teeth end in the middle."""
        shown = (self._rows > self._top - 1.0) & (self._rows < self._bottom + 1.0) & self._across
        kept = self._inside(_FEATHER * unit) * self._toothness(crop)
        height = float((lower - upper)[:, 1].max()) / unit
        kept *= np.clip((height - _GLIMPSE[0]) / (_GLIMPSE[1] - _GLIMPSE[0]), 0.0, 1.0)
        kept *= np.clip((self.edge + 0.03 * unit - self._rows) / (0.015 * unit), 0.0, 1.0)
        self._picture = np.dstack([crop, shown.astype(np.float32), kept]).astype(np.float32)
        self._origin = np.array([x0, y0], np.float32)

    def _inside(self, feather: float) -> F32:
        """Return how far pixels [h, w] lie inside the opening: 0 at the lips, 1 from `feather` pixels on."""
        depth = np.minimum(self._rows - self._top, self._bottom - self._rows)
        return np.asarray(np.clip(depth / feather, 0.0, 1.0) * self._across, np.float32)

    def _colour_of_teeth(self, crop: F32, palette: Palette) -> F32 | None:
        """Return the colour [3] of the brightest quarter inside, if it is bright enough to be teeth."""
        shown = crop[self._inside(1.0) > 0.9]
        if len(shown) < 12:
            return None
        luma = shown @ _LUMA
        bright = np.asarray(shown[luma >= np.percentile(luma, 75)].mean(0), np.float32)
        lips = np.ptp(bright) > 0.42 * bright.max() and palette.colour > 0.5  # a tongue, or a lip
        share = float(bright @ _LUMA) / float(palette.teeth @ _LUMA)
        stands_out = float(bright @ _LUMA) > _STANDS_OUT * float(np.percentile(luma, 15))
        return bright if share > _LEAST * (1.0 if stands_out else 2.0) and not lips else None

    @staticmethod
    def _unshaded(teeth: F32, palette: Palette) -> F32:
        """Return a colour [3] of teeth as it is without the lips' shade, no brighter than ordinary teeth by much."""
        most = 1.1 * float(palette.teeth @ _LUMA) / float(teeth @ _LUMA)
        return np.asarray(np.clip(teeth * max(1.0, min(1.0 / _SHADED, most)), 0.0, 255.0), np.float32)

    def _toothness(self, crop: F32) -> F32:
        """Return how much each pixel [h, w] belongs to a tooth."""
        if self.teeth is None:
            return np.zeros(crop.shape[:2], np.float32)
        low, high = (share * float(self.teeth @ _LUMA) for share in _TOOTH)
        bright = np.clip((crop @ _LUMA - low) / (high - low), 0.0, 1.0)
        # Lips, gums and tongue are redder than teeth in the same light.
        redder = self._redness(crop) - self._redness(self.teeth)
        bright *= np.clip(1.6 - redder / 0.10, 0.0, 1.0)
        # Gaps between teeth are dark and belong to them: what is enclosed by teeth stays.
        size = 2 * round(0.020 * self._unit) + 1
        closed = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
        return np.asarray(cv2.GaussianBlur(closed, (0, 0), max(0.5, 0.004 * self._unit)), np.float32)

    @staticmethod
    def _redness(colours: F32) -> F32:
        """Return by how much red outweighs green and blue, as a share of brightness; 0 for grey."""
        return np.asarray((colours[..., 0] - colours[..., 1:].mean(-1)) / np.maximum(colours.max(-1), 24.0), np.float32)

    def _edge(self, crop: F32) -> float:
        """Return the row at which the upper teeth end: their last bright one, or a little under the lip."""
        middle = len(self._columns) // 2
        reach = max(2, round(0.10 * self._unit))
        part = slice(middle - reach, middle + reach)
        lip = float(np.median(self._bottom[part]))
        if self.teeth is None:
            return lip
        tooth = np.median((self._toothness(crop) * self._inside(1.0))[:, part], axis=1)
        bright = np.flatnonzero(tooth > 0.5)
        if not len(bright):
            return lip
        end = float(self._rows[bright[-1], 0])
        hidden = end > lip - 0.018 * self._unit
        return lip + 0.012 * self._unit if hidden else end + 0.5

    def layer(self, box: Box, before: F32, after: F32, moved: float) -> F32:
        """Return the own mouth as RGBA [h, w, 4] of `box`, not premultiplied, alpha 0..1.

        Args:
            box: the part of the frame.
            before: three anchors [3, 2] in the portrait.
            after: where they are now; the own mouth goes with them.
            moved: 0..1, how far the lips have left their place in the portrait.
        """
        turn = cv2.getAffineTransform(before - self._origin, after - np.array([box.x, box.y], np.float32))
        size = (box.width, box.height)
        colour = cv2.warpAffine(self._picture[..., :3], turn, size, borderMode=cv2.BORDER_REPLICATE)
        shares = cv2.warpAffine(self._picture[..., 3:], turn, size)
        return np.dstack([colour, (1.0 - moved) * shares[..., 0] + moved * shares[..., 1]]).astype(np.float32)
