"""The canonical face frame: where a pixel of a portrait lies on a standard face, and how deep.

Unit: distance between the outer eye corners. Origin: midpoint of the two eye centres. x to the subject's left
(image right in a frontal picture), y up, z towards the camera. The face motions of `basis` are written in this frame,
so that they meet every portrait at its own eyes, lips and chin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moee_cli.core.types import F32
from moee_cli.face.landmarks import OUTER_EYES

_MIRRORED: dict[int, tuple[int, float, float]] = {
    # landmark on the subject's right: (landmark on the left, x, y); x is given for the left one
    33: (263, 0.5, -0.0011), 160: (387, 0.4339, 0.0485), 158: (385, 0.3119, 0.0554), 133: (362, 0.2068, -0.0213),
    153: (380, 0.306, -0.0401), 144: (373, 0.4324, -0.0415),
    71: (301, 0.6521, 0.197), 63: (293, 0.5531, 0.2842), 105: (334, 0.4254, 0.3154), 66: (296, 0.2708, 0.3083),
    107: (336, 0.1314, 0.2766),
    97: (326, 0.0676, -0.5135), 61: (291, 0.2842, -0.7806), 39: (269, 0.1909, -0.6973), 37: (267, 0.0817, -0.6576),
    78: (308, 0.2477, -0.7775), 84: (314, 0.116, -0.8684),
    109: (338, 0.22, 0.58), 67: (297, 0.40, 0.55), 103: (332, 0.58, 0.48), 54: (284, 0.69, 0.37), 21: (251, 0.76, 0.24),
    162: (389, 0.80, 0.09), 127: (356, 0.81, -0.08), 234: (454, 0.80, -0.24), 93: (323, 0.79, -0.41),
    132: (361, 0.76, -0.58), 58: (288, 0.70, -0.76), 172: (397, 0.63, -0.90), 136: (365, 0.54, -1.0),
    150: (379, 0.445, -1.09), 149: (378, 0.35, -1.155), 176: (400, 0.25, -1.21), 148: (377, 0.14, -1.25),
}  # fmt: skip
_CENTRAL: dict[int, tuple[float, float]] = {
    168: (0.0, 0.0335), 197: (0.0, -0.0906), 5: (0.0, -0.2052), 4: (0.0, -0.3404), 2: (0.0, -0.5209),
    0: (0.0, -0.6643), 13: (0.0, -0.763), 14: (0.0, -0.763), 17: (0.0, -0.8768), 10: (0.0, 0.59), 152: (0.0, -1.26),
}  # fmt: skip
"""FaceMesh landmarks and their places on the standard face. Eyes, brows, nose and lips: neutral face of ICT-FaceKit
(USC ICT, MIT licence) at its 68 documented landmarks; oval: FaceMesh on four renders of that rig, mean, made even."""

_EYE_DEPTH = -0.07
"""z of the outer eye corners on the standard face (ICT-FaceKit)."""
_REACH = 0.35
"""Standard deviation, in units, over which a landmark's deviation from the standard face spreads."""
_RIDGE = 1e-3
_FLOOR, _FLOOR_BEND = -0.64, 0.10


def template_points() -> tuple[list[int], F32]:
    """Return the landmark indices and their places [N, 2] on the standard face."""
    indices: list[int] = []
    places: list[tuple[float, float]] = []
    for right, (left, x, y) in _MIRRORED.items():
        indices += [right, left]
        places += [(-x, y), (x, y)]
    indices += list(_CENTRAL)
    places += list(_CENTRAL.values())
    return indices, np.array(places, np.float32)


def _kernel(a: F32, b: F32) -> F32:
    """Return Gaussian weights [len(a), len(b)] of points [.., 2]."""
    squared = ((a[:, None, 0] - b[None, :, 0]) ** 2) + ((a[:, None, 1] - b[None, :, 1]) ** 2)
    return np.asarray(np.exp(squared * np.float32(-0.5 / _REACH**2)), np.float32)


def _head_shape(places: F32) -> F32:
    """Return z [N] of a plain head over places [N, 2]: a cap on a plane at ear depth, the neck behind the chin."""
    x, y = places[:, 0] / 1.0, (places[:, 1] - 0.05) / 1.55
    return np.asarray(-0.65 + 0.77 * np.clip(1.0 - x * x - y * y, 0.0, None) ** 0.75, np.float32)


@dataclass(frozen=True, eq=False)
class CanonicalFrame:
    """The similarity between pixels and canonical units, and how this face departs from the standard."""

    origin: F32
    """[2] pixel of the canonical origin."""
    scale: float
    """Pixels per unit."""
    axes: F32
    """[2, 2] rows: the canonical x and y axes as unit pixel vectors."""
    anchors: F32
    """[N, 2] landmarks in similarity coordinates."""
    shape_weights: F32
    """[N, 2] kernel weights of the deviation in place."""
    depth_weights: F32
    """[N] kernel weights of the deviation in depth."""

    @classmethod
    def of(cls, landmarks: F32) -> CanonicalFrame:
        """Fit the frame to landmarks [478, 3] in pixels."""
        right, left = (landmarks[index, :2] for index in OUTER_EYES)
        scale = float(np.hypot(*(left - right)))
        x_axis = (left - right) / scale
        axes = np.array([x_axis, [x_axis[1], -x_axis[0]]], np.float32)
        inner = landmarks[[133, 362], :2].mean(0)
        origin = ((left + right) / 2 + inner) / 2
        indices, places = template_points()
        anchors = ((landmarks[indices, :2] - origin) @ axes.T / scale).astype(np.float32)
        depth = -(landmarks[indices, 2] - landmarks[list(OUTER_EYES), 2].mean()) / scale + _EYE_DEPTH
        system = _kernel(anchors, anchors).astype(np.float64) + _RIDGE * np.eye(len(anchors))
        deviation = np.column_stack([places - anchors, depth - _head_shape(places)])
        weights = np.linalg.solve(system, deviation).astype(np.float32)
        return cls(origin.astype(np.float32), scale, axes, anchors, weights[:, :2], weights[:, 2])

    def plain(self, pixels: F32) -> F32:
        """Return pixel positions [N, 2] in units and along the face's axes, as seen: a turned face stays turned."""
        return np.asarray((pixels - self.origin) @ self.axes.T / np.float32(self.scale), np.float32)

    def places(self, pixels: F32) -> F32:
        """Return canonical x, y, z [N, 3] of pixel positions [N, 2]."""
        plain = self.plain(pixels)
        kernel = _kernel(plain, self.anchors)
        flat = plain + kernel @ self.shape_weights
        depth = _head_shape(flat) + kernel @ self.depth_weights
        # The back of the head is never seen: a soft floor keeps hair, ears and background from racing each other.
        depth = _FLOOR + _FLOOR_BEND * np.logaddexp(0.0, (depth - _FLOOR) / _FLOOR_BEND)
        return np.column_stack([flat, depth]).astype(np.float32)

    def to_pixels(self, delta: F32) -> F32:
        """Return pixel displacements [.., 2] of canonical displacements [.., 2]."""
        return np.asarray(delta @ (self.axes * np.float32(self.scale)), np.float32)
