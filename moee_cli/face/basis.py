"""The 44 face shapes as displacement fields in the canonical face frame (unit: outer eye-corner distance).

A face is cut along three slits, the lips and the two lid openings. A point lies above or below each of them, and
`Sites` holds what follows from that; away from the slits both sides move alike. A shape is a sum of Gaussian pushes,
each acting on the skull side of the lips, on the jaw side, or on both; jaw and lids have forms of their own.

The figures were authored against the displacements of ICT-FaceKit (USC ICT, MIT licence) at its 68 landmarks;
tests hold cosine and amplitude. In front view depth does not count, so pucker and funnel are drawn by their outlines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from moee_cli.core.labels import SHAPES
from moee_cli.core.types import F32
from moee_cli.face.easing import smooth
from moee_cli.face.rooms import BROW, CHIN, NECK, RAISED, STANDARD, Rooms

Side = Literal["above", "below"]


class Push(NamedTuple):
    """A Gaussian push: on the `skull` side of the lips, the `jaw` side, or `both`."""

    on: Literal["both", "skull", "jaw"]
    x: float
    y: float
    width: float
    height: float
    dx: float
    dy: float


_LEFT_SHAPES: dict[str, tuple[Push, ...]] = {
    "browDown": (Push("both", 0.27, 0.29, 0.20, 0.13, -0.054, -0.070),),
    "browOuterUp": (Push("both", 0.50, 0.31, 0.20, 0.15, 0.022, 0.090),),
    "cheekSquint": (
        Push("both", 0.50, -0.42, 0.22, 0.22, 0.002, 0.022),
        Push("both", 0.68, -0.75, 0.17, 0.22, 0.004, 0.021),
        Push("both", 0.24, -0.70, 0.12, 0.12, 0.007, 0.004),
        Push("both", 0.50, 0.28, 0.18, 0.11, 0.000, -0.011),
    ),
    "mouthDimple": (
        Push("both", 0.22, -0.83, 0.10, 0.09, 0.026, 0.043),
        Push("skull", 0.19, -0.68, 0.08, 0.06, 0.012, -0.020),
        Push("both", 0.20, -1.20, 0.15, 0.12, 0.006, 0.022),
    ),
    "mouthFrown": (Push("both", 0.285, -0.775, 0.105, 0.085, 0.021, -0.053),),
    "mouthLowerDown": (
        Push("jaw", 0.10, -0.83, 0.13, 0.12, 0.007, -0.050),
        Push("jaw", 0.12, -1.20, 0.14, 0.14, 0.006, -0.025),
    ),
    "mouthPress": (
        Push("jaw", 0.17, -0.84, 0.13, 0.07, 0.000, 0.030),
        Push("jaw", 0.17, -1.21, 0.15, 0.11, -0.003, 0.042),
        Push("both", 0.42, -1.10, 0.12, 0.11, -0.008, 0.010),
        Push("both", 0.29, -0.78, 0.07, 0.06, -0.002, 0.009),
        Push("skull", 0.12, -0.67, 0.14, 0.05, -0.004, -0.010),
    ),
    "mouthSmile": (
        Push("both", 0.295, -0.765, 0.15, 0.14, 0.060, 0.086),
        Push("both", 0.42, -0.82, 0.26, 0.26, 0.020, 0.036),
    ),
    "mouthStretch": (
        Push("both", 0.31, -0.785, 0.13, 0.11, 0.078, -0.034),
        Push("both", 0.50, -1.00, 0.15, 0.15, 0.020, 0.008),
    ),
    "mouthUpperUp": (
        Push("skull", 0.17, -0.70, 0.14, 0.13, 0.015, 0.086),
        Push("both", 0.14, -0.46, 0.08, 0.13, 0.008, 0.028),
    ),
    "noseSneer": (
        Push("skull", 0.17, -0.68, 0.13, 0.12, 0.003, 0.066),
        Push("both", 0.13, -0.44, 0.08, 0.15, 0.003, 0.036),
        Push("both", 0.28, -0.74, 0.10, 0.10, -0.012, 0.035),
        Push("both", 0.24, 0.28, 0.14, 0.12, -0.009, -0.037),
    ),
    "jaw": (
        Push("jaw", 0.00, -1.05, 0.52, 0.45, 0.097, 0.002),
        Push("skull", 0.00, -0.70, 0.20, 0.10, 0.020, 0.000),
    ),
    "mouth": (
        Push("both", -0.08, -0.76, 0.23, 0.15, 0.177, 0.003),
        Push("both", 0.31, -0.76, 0.12, 0.12, 0.000, 0.058),
        Push("both", 0.00, -1.00, 0.40, 0.25, 0.030, 0.000),
        Push("both", 0.00, -0.51, 0.15, 0.08, 0.006, 0.016),
    ),
}
"""Shapes of the subject's left half; the right half mirrors them. `jaw` and `mouth` become jawLeft and mouthLeft."""

_PAIRED_SHAPES: dict[str, tuple[Push, ...]] = {
    "browInnerUp": (
        Push("both", 0.21, 0.30, 0.12, 0.14, 0.006, 0.050),
        Push("both", 0.42, 0.30, 0.18, 0.14, 0.000, 0.016),
    ),
    "cheekPuff": (
        Push("both", 0.52, -0.78, 0.17, 0.20, 0.030, 0.010),
        Push("both", 0.22, -0.76, 0.10, 0.11, -0.032, 0.016),
        Push("both", 0.30, -1.18, 0.22, 0.13, 0.000, 0.030),
    ),
    "jawForward": (
        Push("jaw", 0.15, -1.15, 0.28, 0.20, 0.003, -0.012),
        Push("jaw", 0.12, -0.84, 0.14, 0.10, 0.006, -0.007),
        Push("both", 0.38, -1.10, 0.16, 0.14, 0.009, 0.000),
        Push("both", 0.72, -0.76, 0.12, 0.22, 0.019, -0.003),
    ),
    "mouthFunnel": (
        Push("both", 0.28, -0.78, 0.12, 0.12, -0.040, 0.000),
        Push("skull", 0.00, -0.69, 0.24, 0.12, 0.000, 0.034),
        Push("jaw", 0.00, -0.84, 0.34, 0.15, 0.000, -0.045),
        Push("jaw", 0.00, -1.20, 0.20, 0.15, 0.000, -0.014),
    ),
    "mouthPucker": (
        Push("both", 0.28, -0.78, 0.12, 0.11, -0.056, 0.022),
        Push("both", 0.13, -0.78, 0.08, 0.09, -0.014, 0.004),
        Push("skull", 0.00, -0.655, 0.14, 0.055, 0.000, 0.018),
        Push("jaw", 0.00, -0.885, 0.13, 0.055, 0.000, -0.011),
        Push("both", 0.50, -1.08, 0.15, 0.12, -0.017, 0.023),
    ),
    "mouthRollLower": (
        Push("jaw", 0.00, -0.885, 0.12, 0.080, 0.000, 0.020),
        Push("jaw", 0.12, -0.885, 0.08, 0.080, 0.000, 0.050),
    ),
    "mouthRollUpper": (
        Push("skull", 0.11, -0.64, 0.10, 0.055, 0.000, -0.054),
        Push("skull", 0.00, -0.52, 0.15, 0.06, 0.000, -0.020),
        Push("both", 0.30, -0.78, 0.08, 0.08, -0.018, 0.004),
    ),
    "mouthShrugLower": (
        Push("jaw", 0.00, -0.85, 0.17, 0.17, 0.000, 0.040),
        Push("jaw", 0.00, -1.21, 0.20, 0.13, 0.000, 0.047),
    ),
    "mouthShrugUpper": (
        Push("skull", 0.00, -0.70, 0.17, 0.12, 0.000, 0.031),
        Push("skull", 0.00, -0.51, 0.09, 0.06, 0.000, 0.008),
    ),
    "tongueOut": (Push("jaw", 0.00, -0.82, 0.12, 0.10, 0.000, -0.035),),
}
"""Shapes of both halves: each push acts at its place and, mirrored, on the other side (twice where x is 0)."""

JAW_DROP = 0.36
"""Drop of the lower lip at jawOpen 1, a little under the rig's 0.395, which looks torn on a photo."""
_CLOSE_LIFT = 0.37
"""Lift of the lower lip at mouthClose 1; on top of jawOpen it seals the lips."""
_BLINK_OVERLAP = 0.016
"""How far, in units, a full blink takes the upper lid over the line of the lower one."""
_LOWERED = 0.21
"""Height above the brow, in units, over which a lowered one's motion fades out."""
_CORNERS = ("mouthDimple", "mouthFrown", "mouthSmile", "mouthStretch")
_LASHES = 0.035
"""Height above the lid edge that moves rigidly with it, so that lashes are carried and not stretched."""


@dataclass(frozen=True, eq=False)
class Slits:
    """Where a face opens, in canonical coordinates."""

    mouth: F32
    """[M, 2] line at which the lips meet, from the subject's right corner to the left."""
    lids: tuple[tuple[F32, F32], tuple[F32, F32]]
    """(upper, lower) lid edges as seen, each [E, 2] with x ascending, of the subject's left, then right eye."""
    lid_rooms: tuple[float, float] = (0.22, 0.22)
    """Distance from the upper lid to the brow over the middle of the left and of the right eye."""
    rooms: Rooms = STANDARD

    @property
    def mouth_centre(self) -> float:
        """X midway between the corners."""
        return float(self.mouth[0, 0] + self.mouth[-1, 0]) / 2

    @property
    def mouth_half(self) -> float:
        """Half the distance of the corners."""
        return float(self.mouth[-1, 0] - self.mouth[0, 0]) / 2


@dataclass(frozen=True, eq=False)
class Sites:
    """Points of the face together with how they belong to the slits."""

    x: F32
    y: F32
    jaw: F32
    """[N] 1 on the jaw's side of the lips, 0 on the skull's, between at and beyond the corners."""
    lid_drop: tuple[F32, F32]
    """[N] downward way of the upper lid (left, right eye) until it meets the lower, faded with distance; 0 below."""
    lid_lift: tuple[F32, F32]
    """[N] the same way for the lower lid, upward."""
    lid_upper: tuple[F32, F32]
    """[N] how much a point belongs to the upper lid (left, right eye), 1 at mid lid."""
    lid_lower: tuple[F32, F32]
    """[N] how much a point belongs to the lower lid."""
    rooms: Rooms
    """As in `Slits`."""

    @classmethod
    def at(
        cls, places: F32, slits: Slits, *, lips: Side = "above", lids: Side = "above", seen: F32 | None = None
    ) -> Sites:
        """Return the sites of points [N, 2+], all taken as lying on one side of the lips and on one of the lids.

        `seen` [N, 2] is where the points are seen, if that is not at their places. There the lids are met: the standard
        face that a turned head is led to may fold over at the far eye.
        """
        x, y = places[:, 0], places[:, 1]
        eye_x, eye_y = (x, y) if seen is None else (seen[:, 0], seen[:, 1])
        zero = np.zeros_like(x)
        drops, lifts, uppers, lowers = [], [], [], []
        for (upper, lower), room in zip(slits.lids, slits.lid_rooms, strict=True):
            near_upper, near_lower, gap, belong = _lid_weights(eye_x, eye_y, upper, lower, room)
            drops.append(near_upper * gap if lids == "above" else zero)
            lifts.append(near_lower * gap if lids == "below" else zero)
            uppers.append(near_upper * belong if lids == "above" else zero)
            lowers.append(near_lower * belong if lids == "below" else zero)
        jaw = _jaw_weight(x, y, slits, lips)
        return cls(x, y, jaw, _pair(drops), _pair(lifts), _pair(uppers), _pair(lowers), slits.rooms)


def _pair(values: list[F32]) -> tuple[F32, F32]:
    return values[0], values[1]


def _jaw_weight(x: F32, y: F32, slits: Slits, side: Side) -> F32:
    """Return how much points follow the jaw; the two sides differ only between the mouth corners."""
    line = np.interp(x, slits.mouth[:, 0], slits.mouth[:, 1])
    across = (x - slits.mouth_centre) / slits.mouth_half
    parted = np.clip(1.0 - across * across, 0.0, 1.0) ** 0.55
    blur = 0.10 + 0.25 * np.maximum(0.0, np.abs(across) - 1.0) * slits.mouth_half
    beyond = 1.0 / (1.0 + np.exp(np.clip((y - line) / blur, -30.0, 30.0)))
    target = 1.0 if side == "below" else 0.0
    return np.asarray(beyond + (target - beyond) * parted, np.float32)


def lid_reach(room: float) -> float:
    """Return how far above its lashes a lid stretches, for a distance from lid to brow."""
    return float(np.clip(0.85 * room - _LASHES, 0.10, 0.15))


def _lid_weights(x: F32, y: F32, upper: F32, lower: F32, room: float) -> tuple[F32, F32, F32, F32]:
    """Return nearness to the upper and to the lower lid, the lid gap, and a bump over the eye's width, each [N]."""
    top = np.interp(x, upper[:, 0], upper[:, 1])
    bottom = np.interp(x, lower[:, 0], lower[:, 1])
    inner, outer = upper[0, 0], upper[-1, 0]
    across = (x - (inner + outer) / 2) / ((outer - inner) / 2)
    belong = np.clip(1.0 - across * across, 0.0, 1.0)
    gap = np.where(np.abs(across) < 1.0, np.maximum(top - bottom, 0.0), 0.0)
    over, under = y - top, bottom - y
    near_upper = (1.0 - smooth((over - _LASHES) / lid_reach(room))) * (1.0 - smooth((-over - 0.14) / 0.12))
    near_lower = (1.0 - smooth((under - 0.015) / 0.15)) * (1.0 - smooth((-under - 0.14) / 0.12))
    return near_upper, near_lower, np.asarray(gap, np.float32), np.asarray(belong, np.float32)


def _push(field: F32, sites: Sites, pushes: tuple[Push, ...], mirror: float = 1.0) -> None:
    """Add pushes to a field [N, 2]; `mirror` -1 takes them to the subject's right."""
    for on, x, y, width, height, dx, dy in pushes:
        bell = np.exp(-0.5 * (((sites.x - mirror * x) / width) ** 2 + ((sites.y - y) / height) ** 2))
        if on != "both":
            bell = bell * (sites.jaw if on == "jaw" else 1.0 - sites.jaw)
        field[:, 0] += bell * (mirror * dx)
        field[:, 1] += bell * dy


def _jaw_open(sites: Sites) -> F32:
    """Return the field [N, 2] of jawOpen: chin and lower lip drop, the neck below takes it up, corners drawn in."""
    field = np.zeros((len(sites.x), 2), np.float32)
    across = np.exp(-((np.abs(sites.x) / 0.48) ** 2.6))
    along = 1.0 - 0.2 * smooth((-0.80 - sites.y) / 0.35)
    down = np.clip((CHIN - sites.y) * sites.rooms.neck / NECK, 0.0, 1.0)
    neck = 1.0 - (down + smooth(down)) / 2
    field[:, 1] = -JAW_DROP * across * along * neck * sites.jaw
    lip = np.exp(-0.5 * ((sites.x / 0.2) ** 2 + ((sites.y + 0.70) / 0.12) ** 2))
    field[:, 1] -= 0.014 * lip * (1.0 - sites.jaw)
    _push(field, sites, (Push("both", 0.28, -0.78, 0.09, 0.10, -0.030, -0.012),))
    _push(field, sites, (Push("both", 0.28, -0.78, 0.09, 0.10, -0.030, -0.012),), mirror=-1.0)
    return field


def _mouth_close(sites: Sites) -> F32:
    """Return the field [N, 2] of mouthClose: the lower lip rises while the chin stays down."""
    field = np.zeros((len(sites.x), 2), np.float32)
    across = np.exp(-((np.abs(sites.x) / 0.48) ** 2.6))
    bell = np.exp(-0.5 * (np.minimum(0.0, sites.y + 0.84) / 0.16) ** 2) * np.exp(
        -0.5 * (np.maximum(0.0, sites.y + 0.66) / 0.12) ** 2
    )
    field[:, 1] = _CLOSE_LIFT * across * bell * sites.jaw
    return field


def _lid_shape(sites: Sites, name: str, eye: int) -> F32 | None:
    """Return the field [N, 2] of a lid shape of one eye (0 left, 1 right), or None if `name` is none."""
    sign = (1.0, -1.0)[eye]
    field = np.zeros((len(sites.x), 2), np.float32)
    if name == "eyeBlink":
        field[:, 1] = 0.18 * sites.lid_lift[eye] - 0.82 * sites.lid_drop[eye] - _BLINK_OVERLAP * sites.lid_upper[eye]
        field[:, 0] = -0.015 * sign * (sites.lid_upper[eye] + sites.lid_lower[eye])
    elif name == "eyeWide":
        field[:, 1] = 0.36 * sites.lid_drop[eye] - 0.004 * sites.lid_lower[eye]
    elif name == "eyeSquint":
        field[:, 1] = 0.026 * sites.lid_lower[eye] - 0.008 * sites.lid_upper[eye]
        field[:, 0] = -0.008 * sign * sites.lid_lower[eye]
    elif name == "cheekSquint":
        field[:, 1] = 0.018 * sites.lid_lower[eye]
    else:
        return None
    return field


def _moves(sites: Sites) -> F32:
    """Return how much points [N] follow any shape: not on the nose's bridge and tip, nor at the temples.

    They show who somebody is, and pushes from both sides would add up on the nose. It takes the whole height down to
    the lips to come to rest, or the skin between would fold.
    """
    x, y = np.abs(sites.x), sites.y
    nose = (1.0 - smooth((x - 0.03) / 0.11)) * smooth((y + 0.64) / 0.22) * (1.0 - smooth((y - 0.03) / 0.14))
    temple = smooth((x - 0.64) / 0.16) * smooth((y + 0.55) / 0.25)
    return np.asarray((1.0 - nose) * (1.0 - temple), np.float32)


def _raised(sites: Sites, name: str, side: float | None = None) -> F32:
    """Return the field [N, 2] of a shape that raises brows, on one `side` or both; it ends below the hair line.

    Above the brow it goes down nearly evenly: so the forehead, which has little room, is pressed least anywhere.
    """
    field = np.zeros((len(sites.x), 2), np.float32)
    below = replace(sites, y=np.minimum(sites.y, BROW))
    for mirror in (1.0, -1.0) if side is None else (side,):
        _push(field, below, _PAIRED_SHAPES[name] if side is None else _LEFT_SHAPES[name], mirror)
    up = np.clip((sites.y - BROW) / RAISED, 0.0, 1.0)
    # A raised brow draws up the skin above the lids, not their edge.
    off_lids = 1.0 - 0.75 * np.minimum(1.0, sites.lid_upper[0] + sites.lid_upper[1])
    fade = sites.rooms.above_brows(sites.x) * off_lids * (1.0 - (up + smooth(up)) / 2)
    return np.asarray(field * fade[:, None], np.float32)


def _lowered(field: F32, sites: Sites) -> F32:
    """Return the field [N, 2] of a shape that lowers brows, ended below the hair line."""
    return np.asarray(field * (1.0 - smooth((sites.y - BROW) / _LOWERED))[:, None], np.float32)


def _one_shape(name: str, sites: Sites) -> F32:
    """Return the field [N, 2] of one shape at weight 1."""
    if name == "jawOpen":
        return _jaw_open(sites)
    if name == "mouthClose":
        return _mouth_close(sites)
    field = np.zeros((len(sites.x), 2), np.float32)
    if name == "browInnerUp":
        return _raised(sites, name)
    if name in _PAIRED_SHAPES:
        _push(field, sites, _PAIRED_SHAPES[name])
        _push(field, sites, _PAIRED_SHAPES[name], mirror=-1.0)
        return field
    stem, eye = (name[:-4], 0) if name.endswith("Left") else (name[:-5], 1)
    mirror = (1.0, -1.0)[eye]
    if stem == "browOuterUp":
        return _raised(sites, stem, mirror)
    _push(field, sites, _LEFT_SHAPES.get(stem, ()), mirror)
    if stem in ("browDown", "noseSneer"):
        return _lowered(field, sites)
    if stem in _CORNERS:
        return field * np.float32(sites.rooms.mouth)
    lids = _lid_shape(sites, stem, eye)
    return field if lids is None else field + lids


def shape_fields(sites: Sites) -> F32:
    """Return the displacements [44, N, 2] of all shapes of `labels.SHAPES` at weight 1, in canonical units."""
    moves = _moves(sites)[:, None]
    return np.stack([_one_shape(name, sites) * moves for name in SHAPES])


N_FOLLOWS = 6
"""Fields by which lids follow the gaze: three for the left eye, then three for the right."""


def follow_fields(sites: Sites) -> F32:
    """Return displacements [6, N, 2] of each eye's lids when the gaze goes up, down, and to the subject's left by 1.

    Lids follow the eye, and the cornea bulges under them. The amounts give at a full look (`controls.FULL_LOOK`), held
    within the gaze limits, what the rig shows for eyeLookUp, eyeLookDown, and eyeLookIn and eyeLookOut.
    """
    fields = np.zeros((2, 3, len(sites.x), 2), np.float32)
    for own, upper, lower in zip(fields, sites.lid_upper, sites.lid_lower, strict=True):
        own[0, :, 1] = 0.092 * upper + 0.042 * lower
        own[1, :, 1] = -0.188 * upper - 0.054 * lower
        own[2, :, 0] = 0.047 * (upper + lower)
    return fields.reshape(N_FOLLOWS, -1, 2)


SEAL_CENTRES = np.linspace(-0.8, 0.8, 7).astype(np.float32)
"""Places across the mouth (share of half its width) at which crossing lips are pushed apart."""


def seal_fields(places: F32, slits: Slits, side: Side) -> F32:
    """Return displacements [7, N, 2] that part the lips by one unit, half a side, around each of `SEAL_CENTRES`."""
    x, y = places[:, 0], places[:, 1]
    across = (x - slits.mouth_centre) / slits.mouth_half
    line = np.interp(x, slits.mouth[:, 0], slits.mouth[:, 1])
    step = SEAL_CENTRES[1] - SEAL_CENTRES[0]
    hats = np.clip(1.0 - np.abs(across[None] - SEAL_CENTRES[:, None]) / step, 0.0, 1.0)
    fade = np.exp(-0.5 * ((y - line) / 0.13) ** 2)
    fields = np.zeros((len(SEAL_CENTRES), len(x), 2), np.float32)
    fields[:, :, 1] = (0.5 if side == "above" else -0.5) * hats * fade
    return fields
