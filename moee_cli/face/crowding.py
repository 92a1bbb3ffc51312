"""Shapes that push the same skin the same way share the room there is, so that no sum of shapes folds a face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from moee_cli.core.labels import CHANNEL, MOTION_CHANNELS, N_MOTION
from moee_cli.core.types import F32
from moee_cli.face.canonical import CanonicalFrame

_FIRM = ("jawOpen", "mouthClose", "gazePitch")
"""Channels that take room but never yield: a mouth opens and seals as speech asks for, eyes look where they look."""


class _Crowd(NamedTuple):
    """Shapes that compress one place, each by how much at weight 1, and how much compression the place bears."""

    place: tuple[float, float]
    """Canonical x (on the subject's left) and y."""
    knee: float
    """Compression up to which nothing yields: no shape alone reaches beyond it."""
    limit: float
    squeeze: Mapping[str, float]
    """Shape to compression. A stem means the shape of the crowd's side, `Near` stands for that side."""


_SIDED = (
    # Beside the corner, which is drawn outwards.
    _Crowd((0.42, -0.84), 0.56, 0.70, {
        "mouthStretch": 0.41, "mouthSmile": 0.30, "mouthNear": 0.19, "jawNear": 0.12, "mouthFrown": 0.14,
        "mouthDimple": 0.12,
    }),
    # Between the corner, which is drawn inwards, and the lips' middle, which comes towards it.
    _Crowd((0.20, -0.78), 0.54, 0.68, {
        "mouthNear": 0.49, "mouthPucker": 0.29, "mouthFunnel": 0.20, "cheekPuff": 0.17, "jawNear": 0.24,
        "jawOpen": 0.16, "mouthRollUpper": 0.07,
    }),
    # Between the upper lip, which is lifted, and nose and cheek.
    _Crowd((0.20, -0.60), 0.52, 0.68, {
        "mouthSmile": 0.40, "noseSneer": 0.28, "mouthUpperUp": 0.22, "mouthNear": 0.20, "mouthFunnel": 0.11,
        "mouthPucker": 0.07, "mouthShrugUpper": 0.08, "cheekPuff": 0.05, "mouthDimple": 0.04,
    }),
    # Between the upper lid, which rises, and the brow, which falls.
    _Crowd((0.35, 0.15), 0.70, 0.80, {
        "eyeWide": 0.70, "browDown": 0.50, "noseSneer": 0.24, "cheekSquint": 0.06, "gazePitch": 1.6,
    }),
    # The upper lip beside its corner: it rolls in or is pressed while the corner rises.
    _Crowd((0.20, -0.68), 0.54, 0.66, {
        "mouthRollUpper": 0.53, "mouthSmile": 0.33, "mouthDimple": 0.45, "mouthPress": 0.24, "mouthPucker": 0.12,
        "noseSneer": 0.08, "cheekPuff": 0.08,
    }),
)  # fmt: skip
_MIDDLE = (
    # Between the middle of the upper lip, which is lifted, and the tip of the nose, which stays.
    _Crowd((0.00, -0.56), 0.68, 0.80, {
        "mouthShrugUpper": 0.36, "mouthFunnel": 0.46, "mouthPucker": 0.40, "noseSneerLeft": 0.28,
        "noseSneerRight": 0.28, "mouthUpperUpLeft": 0.33, "mouthUpperUpRight": 0.33, "mouthSmileLeft": 0.16,
        "mouthSmileRight": 0.16, "mouthLeft": 0.46, "mouthRight": 0.46,
    }),
    # The lower lip, which rolls in over a chin that rises.
    _Crowd((0.00, -0.92), 0.68, 0.78, {
        "mouthRollLower": 0.68, "mouthShrugLower": 0.20, "mouthPressLeft": 0.19, "mouthPressRight": 0.19,
        "mouthLeft": 0.20, "mouthRight": 0.20,
    }),
    # Between the lower lip, which is drawn down, and the chin.
    _Crowd((0.00, -0.98), 0.64, 0.77, {
        "tongueOut": 0.38, "jawOpen": 0.40, "mouthFunnel": 0.34, "mouthLowerDownLeft": 0.19,
        "mouthLowerDownRight": 0.19, "mouthPucker": 0.19, "mouthLeft": 0.14, "mouthRight": 0.14,
    }),
)  # fmt: skip
"""Compressions were read off the fields, as the strongest slope of each shape where sums of shapes folded."""


def _table() -> tuple[F32, F32, F32, F32]:
    """Return compressions [crowds, 52], knees, limits [crowds] and places [crowds, 2]."""
    rows, bounds, places = [], [], []
    for crowd in _MIDDLE:
        rows.append({CHANNEL[name]: amount for name, amount in crowd.squeeze.items()})
        bounds.append((crowd.knee, crowd.limit))
        places.append(crowd.place)
    for near, sign in (("Left", 1.0), ("Right", -1.0)):
        for crowd in _SIDED:
            full = {name.replace("Near", near): amount for name, amount in crowd.squeeze.items()}
            rows.append({CHANNEL.get(name, CHANNEL.get(name + near, -1)): amount for name, amount in full.items()})
            bounds.append((crowd.knee, crowd.limit))
            places.append((sign * crowd.place[0], crowd.place[1]))
    table = np.zeros((len(rows), N_MOTION), np.float32)
    for row, squeeze in zip(table, rows, strict=True):
        row[list(squeeze)] = list(squeeze.values())
    knees, limits = np.array(bounds, np.float32).T
    return table, knees, limits, np.array(places, np.float32)


_SQUEEZE, _KNEES, _LIMITS, _PLACES = _table()
_IS_FIRM = np.isin(MOTION_CHANNELS, _FIRM)
_FIRM_SQUEEZE = _SQUEEZE * _IS_FIRM
_TAKES_PART = (_SQUEEZE > 0.0) & ~_IS_FIRM
_NEAR = 0.10
"""Distance, in units, up to which a face is looked at around the place of a crowd."""
_STEP = 0.02
"""Spacing, in units, of the points that are looked at."""


def rooms(frame: CanonicalFrame) -> F32:
    """Return how much compression each place of a face bears [crowds], 1 on a standard face, less on a smaller part.

    Where a part is small canonical coordinates change fast over the picture, and fields are steeper by as much.
    """
    xs, ys = np.arange(-0.7, 0.7, _STEP), np.arange(-1.3, 0.4, _STEP)
    seen = np.stack(np.meshgrid(xs, ys), axis=-1).astype(np.float32)
    places = frame.places((frame.to_pixels(seen) + frame.origin).reshape(-1, 2))[:, :2].reshape(seen.shape)
    slopes = np.stack(np.gradient(places, _STEP, axis=(0, 1)), axis=-1)
    steepness = np.linalg.norm(slopes, ord=2, axis=(-2, -1)).ravel()
    away = np.hypot(*(places.reshape(-1, 1, 2) - _PLACES).transpose(2, 0, 1))
    near = np.where(away < _NEAR, steepness[:, None], 1.0)
    return np.asarray(1.0 / np.maximum(near.max(axis=0), 1.0), np.float32)


def uncrowded(motion: F32, room: F32 | float = 1.0) -> F32:
    """Return a motion frame [52] of which shapes that crowd one place are scaled down together.

    On a standard face a shape alone stays as it is. Weights come back continuous, and each of them grows with the one
    that went in.
    `room` is how much the face bears (`rooms`).
    """
    pushes = np.maximum(motion, 0.0)
    total, firm = _SQUEEZE @ pushes, _FIRM_SQUEEZE @ pushes
    knees = _KNEES * room
    over = total - knees
    if not (over > 0.0).any():
        return motion
    spare = _LIMITS * room - knees
    held = np.where(over > 0.0, knees + spare * np.tanh(over / spare), total)
    share = np.maximum(held - firm, 0.0) / np.maximum(total - firm, 1e-6)
    scale = np.where(_TAKES_PART, share[:, None], 1.0).min(axis=0)
    return np.asarray(motion * np.minimum(scale, 1.0), np.float32)
