"""Where this portrait's lips and lids run, as curves in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.basis import Slits
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.eyebox import EyeBox
from moee_cli.face.eyefit import fitted_lids
from moee_cli.face.rooms import Rooms

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
_SEALED = 0.009
"""Mean opening, in units, up to which a mouth counts as closed: the mesh reports up to 0.006 for lips that meet (46
pictures), and 0.010 and more for lips that are seen to part."""
_EDGE_REACH = 0.024
"""How far, in units, the edge of an open mouth is looked for from where the mesh puts it."""

_OVER_TEETH = 1.45
"""How much brighter than its surroundings a line over teeth is; lips that meet reach 1.40 (painted, glossy)."""
_TEETH_REACH = 0.12
"""Height, in units, of an upper incisor: how far the edges of a toothed smile lie from a line across its teeth."""


def smooth_curve(points: F32, samples: int = SAMPLES) -> F32:
    """Return a Catmull-Rom curve [samples, 2] through points [N, 2], even in the parameter."""
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0.0, len(points) - 1.0, samples)
    i = np.minimum(t.astype(int), len(points) - 2)
    u = (t - i)[:, None]
    a, b, c, d = padded[i], padded[i + 1], padded[i + 2], padded[i + 3]
    curve = b + 0.5 * u * (c - a + u * (2 * a - 5 * b + 4 * c - d + u * (3 * (b - c) + d - a)))
    return np.asarray(curve, np.float32)


def _columns(picture: F32, curve: F32, reach: int) -> tuple[F32, F32]:
    """Return what lies up to `reach` rows above and below the points of a curve [M, 2], [M, K] or [M, K, C], and K."""
    offsets = np.arange(-reach, reach + 1, dtype=np.float32)
    at_x = np.repeat(curve[:, :1] - 0.5, len(offsets), axis=1).astype(np.float32)
    at_y = (curve[:, 1:] - 0.5 + offsets[None]).astype(np.float32)
    values = cv2.remap(picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32), offsets


def _moved_smoothly(curve: F32, found: F32, sure: F32) -> F32:
    """Return the curve [M, 2] moved down by a smooth fit to `found` [M] rows, weighted by `sure`, fixed at its ends."""
    place = np.linspace(-1.0, 1.0, len(curve))
    trust = 1.0 - place**8
    powers = np.vander(place, 7)
    weight = (0.1 + trust) * sure
    fit, *_ = np.linalg.lstsq(powers * weight[:, None], found * weight, rcond=None)
    moved = curve.copy()
    moved[:, 1] += (powers @ fit) * trust
    return moved


def _lip_line(grey: F32, curve: F32, unit: float) -> F32:
    """Return the curve [M, 2] moved to the darkest row near it: where closed lips really meet."""
    reach = max(2, round(0.03 * unit))
    values, offsets = _columns(grey, curve, reach)
    values = values + 0.004 * 255 * (offsets[None] / reach) ** 2 * reach
    darkness = np.exp(-(values - values.min(axis=1, keepdims=True)) / 6.0)
    found = (darkness * offsets).sum(1) / darkness.sum(1)
    return _moved_smoothly(curve, found, np.ones_like(found))


def _lip_edge(colours: F32, curve: F32, unit: float) -> F32:
    """Return the curve [M, 2] moved to where the colours [H, W, 3] change most near it: the edge of an open lip.

    A strip of lip left on the teeth, or of teeth left on the lip, would travel with the wrong one.
    """
    reach = max(2, round(_EDGE_REACH * unit))
    values, offsets = _columns(colours, curve, reach + 1)
    change = np.abs(values[:, 2:] - values[:, :-2]).sum(-1)
    offsets = offsets[1:-1]
    change *= np.exp(-0.5 * (offsets[None] / (0.6 * reach)) ** 2)
    sharpness = np.exp((change - change.max(axis=1, keepdims=True)) / 8.0)
    found = (sharpness * offsets).sum(1) / sharpness.sum(1)
    return _moved_smoothly(curve, found, np.clip(change.max(axis=1) / 30.0, 0.1, 1.0))


def _toothed_smile(grey: F32, curve: F32, unit: float) -> tuple[F32, F32] | None:
    """Return the edges (upper, lower) of a smile whose teeth the mesh took for lips that meet, or None.

    Lips meet in a dark line. A line much brighter than what lies above it and below it runs over teeth.
    """
    reach = round(_TEETH_REACH * unit)
    even = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.012 * unit), np.float32)
    values, offsets = _columns(even, curve, reach)
    quarter = 3 * len(curve) // 8
    middle = values[quarter : len(curve) - quarter]
    darkest = np.maximum(middle[:, :reach].min(1), middle[:, reach + 1 :].min(1))
    if np.median(middle[:, reach] / np.maximum(darkest, 1.0)) < _OVER_TEETH:
        return None
    slope = np.gradient(values, axis=1)
    place = np.linspace(-1.0, 1.0, len(curve))
    bow = (1.0 - place**2)[:, None] * np.vander(place, 2)
    edges = []
    for part, sign in ((slice(reach // 2, reach + 1), 1.0), (slice(reach, None), -1.0)):
        change = sign * slope[:, part] - 1e-3 * np.abs(offsets[part])
        found = offsets[part][change.argmax(axis=1)]
        fit, *_ = np.linalg.lstsq(bow[quarter:-quarter], found[quarter:-quarter], rcond=None)
        edges.append(curve + np.column_stack([np.zeros_like(place), bow @ fit]).astype(np.float32))
    return edges[0], edges[1]


def _lips(pixels: U8, upper: F32, lower: F32, unit: float) -> tuple[F32, F32, bool]:
    """Return the edges [M, 2] of the lips as the picture shows them, from those of the mesh, and whether they part."""
    smoothed = cv2.GaussianBlur(pixels, (0, 0), 0.006 * unit + 0.3)
    grey = cv2.cvtColor(smoothed, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if (lower - upper)[:, 1].mean() <= _SEALED * unit:
        middle = (upper + lower) / 2
        smile = _toothed_smile(grey, middle, unit)
        if smile is None:
            line = _lip_line(grey, middle, unit)
            return line, line, False
        upper, lower = smile
    colours = cv2.cvtColor(smoothed, cv2.COLOR_RGB2LAB).astype(np.float32)
    upper, lower = _lip_edge(colours, upper, unit), _lip_edge(colours, lower, unit)
    lower[:, 1] = np.maximum(lower[:, 1], upper[:, 1])
    return upper, lower, True


@dataclass(frozen=True, eq=False)
class Iris:
    """A disc in landmark pixels."""

    centre: F32
    radius: float


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
    irises: tuple[Iris, Iris]
    """The subject's left, then right iris."""

    @classmethod
    def of(cls, pixels: U8, landmarks: F32, frame: CanonicalFrame) -> Outlines:
        """Read the outlines from landmarks [478, 3]; a closed lip line is moved to where the picture is darkest."""
        flat = landmarks[:, :2]
        upper, lower = smooth_curve(flat[list(_LIP_UPPER)]), smooth_curve(flat[list(_LIP_LOWER)])
        upper, lower, is_open = _lips(pixels, upper, lower, frame.scale)
        irises = []
        for eye in (0, 1):
            centre = flat[IRIS_CENTRE[eye]]
            radius = float(np.hypot(*(flat[list(IRIS_RING[eye])] - centre).T).mean())
            irises.append(Iris(centre, radius))
        eyes = [
            EyeBox(pixels, (smooth_curve(flat[list(above)]), smooth_curve(flat[list(below)])), frame.scale)
            for above, below in zip(_LID_UPPER, _LID_LOWER, strict=True)
        ]
        seen = [(iris.centre, iris.radius) for iris in irises]
        lids = fitted_lids((eyes[0], eyes[1]), (seen[0], seen[1]))
        rooms = [cls._room(flat[list(_BROW_LOWER[eye])], lids[eye][0], frame) for eye in (0, 1)]
        width = float(np.hypot(*(flat[291] - flat[61]))) / frame.scale
        smile = float(np.clip((width - _REST_WIDTH) / _SMILE_WIDENS, 0.0, 1.0))
        return cls(upper, lower, is_open, smile, lids, (rooms[0], rooms[1]), (irises[0], irises[1]))

    @staticmethod
    def _room(brow: F32, lid: F32, frame: CanonicalFrame) -> float:
        """Return the median height, in units, of brow points [3, 2] over a lid [M, 2]."""
        over, edge = frame.plain(brow), frame.plain(lid)
        return float(np.median(over[:, 1] - np.interp(over[:, 0], edge[:, 0], edge[:, 1])))

    def slits(self, frame: CanonicalFrame) -> Slits:
        """Return the slits in the canonical frame, the lids' as seen."""
        line = frame.places((self.lip_upper + self.lip_lower) / 2)[:, :2]
        (left_up, left_low), (right_up, right_low) = ((frame.plain(up), frame.plain(low)) for up, low in self.lids)
        width = float(np.hypot(*(self.lip_upper[-1] - self.lip_upper[0]))) / frame.scale
        return Slits(line, ((left_up, left_low), (right_up, right_low)), self.lid_rooms, Rooms.of(frame, width))
