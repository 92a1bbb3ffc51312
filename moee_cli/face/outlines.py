"""Where this portrait's lips and lids run, as curves in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.basis import Slits
from moee_cli.face.canonical import CanonicalFrame

_LIP_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_LIP_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_LID_UPPER = ((362, 398, 384, 385, 386, 387, 388, 466, 263), (33, 246, 161, 160, 159, 158, 157, 173, 133))
_LID_LOWER = ((362, 382, 381, 380, 374, 373, 390, 249, 263), (33, 7, 163, 144, 145, 153, 154, 155, 133))
"""FaceMesh landmarks along lips and lids, left to right in the image; the left eye is the subject's."""

_BROW_LOWER = ((295, 282, 283), (65, 52, 53))
"""FaceMesh landmarks along the lower edge of the brows, over the middle of the eyes."""

IRIS_CENTRE = (473, 468)
IRIS_RING = ((474, 475, 476, 477), (469, 470, 471, 472))
"""FaceMesh landmarks of the irises: the subject's left, then right."""

SAMPLES = 41
"""Points per curve."""
_REST_WIDTH, _SMILE_WIDENS = 0.60, 0.16
"""Width of a mouth at rest, at the upper end of the ordinary, and what a full smile adds, in units."""
_SEALED = 0.035
"""Mean opening, in units, up to which a mouth counts as closed: the mesh never reports 0."""


def smooth_curve(points: F32, samples: int = SAMPLES) -> F32:
    """Return a Catmull-Rom curve [samples, 2] through points [N, 2], even in the parameter."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0.0, len(points) - 1.0, samples)
    i = np.minimum(t.astype(int), len(points) - 2)
    u = (t - i)[:, None]
    a, b, c, d = padded[i], padded[i + 1], padded[i + 2], padded[i + 3]
    curve = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
    return np.asarray(curve, np.float32)


def _lip_line(grey: F32, curve: F32, unit: float) -> F32:
    """Return the curve [M, 2] moved to the darkest row near it: where closed lips really meet."""
    reach = max(2, round(0.03 * unit))
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    at_x = np.repeat(curve[:, :1] - 0.5, len(offsets), axis=1).astype(np.float32)
    at_y = (curve[:, 1:] - 0.5 + offsets[None]).astype(np.float32)
    values = cv2.remap(grey, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    values = values + 0.004 * 255 * (offsets[None] / reach) ** 2 * reach
    darkness = np.exp(-(values - values.min(axis=1, keepdims=True)) / 6.0)
    found = (darkness * offsets).sum(1) / darkness.sum(1)
    place = np.linspace(-1.0, 1.0, len(curve))
    trust = 1.0 - place**8
    powers = np.vander(place, 7)
    weight = 0.1 + trust
    fit, *_ = np.linalg.lstsq(powers * weight[:, None], found * weight, rcond=None)
    moved = curve.copy()
    moved[:, 1] += (powers @ fit) * trust
    return moved


@dataclass(frozen=True, eq=False)
class Outlines:
    """Curves [M, 2] in landmark pixels (centres at .5)."""

    lip_upper: F32
    lip_lower: F32
    """Edges of the mouth opening, image left to right; one curve where the mouth is closed."""
    mouth_open: bool
    smile: float
    """0..1: how far the mouth is already drawn wide, against an ordinary width at rest."""
    lids: tuple[tuple[F32, F32], tuple[F32, F32]]
    """(upper, lower) of the subject's left, then right eye, image left to right."""
    lid_rooms: tuple[float, float]
    """Distance from lid to brow over the middle of the left and of the right eye, in units."""
    irises: tuple[tuple[F32, float], tuple[F32, float]]
    """Centre [2] and radius of the subject's left, then right iris."""

    @classmethod
    def of(cls, pixels: U8, landmarks: F32, frame: CanonicalFrame) -> Outlines:
        """Read the outlines from landmarks [478, 3]; a closed lip line is moved to where the picture is darkest."""
        flat = landmarks[:, :2]
        upper, lower = smooth_curve(flat[list(_LIP_UPPER)]), smooth_curve(flat[list(_LIP_LOWER)])
        is_open = bool((lower - upper)[:, 1].mean() > _SEALED * frame.scale)
        if not is_open:
            grey = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (0, 0), 0.006 * frame.scale + 0.3)
            upper = lower = _lip_line(grey.astype(np.float32), (upper + lower) / 2, frame.scale)
        lids = [
            (smooth_curve(flat[list(_LID_UPPER[eye])]), smooth_curve(flat[list(_LID_LOWER[eye])])) for eye in (0, 1)
        ]
        rooms = [cls._room(flat[list(_BROW_LOWER[eye])], lids[eye][0], frame) for eye in (0, 1)]
        irises = []
        for eye in (0, 1):
            centre = flat[IRIS_CENTRE[eye]]
            radius = float(np.hypot(*(flat[list(IRIS_RING[eye])] - centre).T).mean())
            irises.append((centre, radius))
        width = float(np.hypot(*(flat[291] - flat[61]))) / frame.scale
        smile = float(np.clip((width - _REST_WIDTH) / _SMILE_WIDENS, 0.0, 1.0))
        return cls(upper, lower, is_open, smile, (lids[0], lids[1]), (rooms[0], rooms[1]), (irises[0], irises[1]))

    @staticmethod
    def _room(brow: F32, lid: F32, frame: CanonicalFrame) -> float:
        """Return the median height, in units, of brow points [3, 2] over a lid [M, 2]."""
        over, edge = frame.places(brow), frame.places(lid)
        return float(np.median(over[:, 1] - np.interp(over[:, 0], edge[:, 0], edge[:, 1])))

    def slits(self, frame: CanonicalFrame) -> Slits:
        """Return the slits in the canonical frame."""
        line = frame.places((self.lip_upper + self.lip_lower) / 2)[:, :2]
        (left_up, left_low), (right_up, right_low) = (
            (frame.places(up)[:, :2], frame.places(low)[:, :2]) for up, low in self.lids
        )
        return Slits(line, ((left_up, left_low), (right_up, right_low)), self.lid_rooms)
