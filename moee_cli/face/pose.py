"""Head pose: how a photographed head is turned, soft limits, rotation about the neck, weak perspective."""

from __future__ import annotations

import numpy as np

from moee_cli.core.labels import HEAD
from moee_cli.core.types import F32
from moee_cli.face.landmarks import OUTER_EYES

LIMITS = (np.radians(10.0), np.radians(8.0), np.radians(8.0), 0.18, 0.15, 0.35)
"""Largest yaw, pitch, roll (radians) and shift along x, y, z (units) a single photo bears."""
SPENT_AT = np.radians(28.0)
"""Yaw of the photographed head at which `LEAST` of the limit is left for turning further the same way: what would come
into sight is not in the photo. Chosen by eye on portraits turned by 0, 12, 18 and 32 degrees."""
LEAST, LEAST_BACK = 0.25, 0.6
"""Shares of the yaw limit left on a head turned by `SPENT_AT`: further, and back to the camera."""
PIVOT = np.array([0.0, -0.8, -0.65], np.float32)
"""Where the head turns: the top of the neck, at ear depth, so that the silhouette stays and the face travels."""
CAMERA = 9.0
"""Distance of the camera in units (about 0.8 m), for the perspective of turning and leaning."""


def soft_limit(value: F32, limit: F32 | float, knee: float = 0.7) -> F32:
    """Return `value` unchanged up to `knee * limit`, then bent smoothly so that it never passes `limit`."""
    limit = np.asarray(limit, np.float32)
    start = knee * limit
    room = np.maximum(limit - start, np.float32(1e-9))
    size = np.abs(value)
    bent = start + room * np.tanh((size - start) / room)
    return np.asarray(np.sign(value) * np.where(size <= start, size, bent), np.float32)


def limit_head(head: F32, turned: float = 0.0) -> F32:
    """Return head channels [6] held within `LIMITS`; `turned` is the yaw (radians) of the photographed head."""
    assert len(head) == len(HEAD)
    limits = np.array(LIMITS, np.float32)
    further = float(head[0]) * turned > 0.0
    limits[0] *= 1.0 - (1.0 - (LEAST if further else LEAST_BACK)) * min(1.0, abs(turned) / SPENT_AT)
    return soft_limit(head, limits)


def source_yaw(landmarks: F32) -> float:
    """Return by how many radians a photographed head is turned to the subject's left, from landmarks [478, 3] in px.

    It is read from the depths of the outer eye corners. On 55 pictures that agrees with where the nose sits between the
    cheeks to 0.4 degrees (median) and 2.5 (90th percentile). FaceMesh's depths give no usable pitch: upright photos
    read -1 to -30 degrees.
    """
    right, left = (landmarks[index] for index in OUTER_EYES)
    across = left - right
    # z grows away from the camera: turning to the subject's left takes the left eye back.
    return float(np.arctan2(across[2], np.hypot(across[0], across[1])))


def rotation(yaw: float, pitch: float, roll: float) -> F32:
    """Return the matrix [3, 3] that turns a face (column vectors): roll, then pitch, then yaw."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z, np.float32)


class HeadPose:
    """A head pose within limits, ready to move points."""

    def __init__(self, head: F32, turned: float = 0.0) -> None:
        """Take head channels [6]; `turned` is the yaw of the photographed head (`source_yaw`)."""
        yaw, pitch, roll, *shift = limit_head(head, turned).tolist()
        self.still = not head.any()
        turn = rotation(yaw, pitch, roll)
        pivot = np.array([np.sin(turned) * PIVOT[2], PIVOT[1], np.cos(turned) * PIVOT[2]], np.float32)
        offset = pivot + np.array(shift, np.float32) - turn @ pivot
        self._seen = np.empty((3, 4), np.float32)
        """x, y and the distance from the camera, of rows x, y, z, 1."""
        self._seen[:, :3], self._seen[:, 3] = turn, offset
        self._seen[2] *= -1.0
        self._seen[2, 3] += CAMERA
        middle = self.shift_of(np.array([[0.0], [0.0], [0.0], [1.0]], np.float32))
        self.middle_shift = middle
        """How far the middle of the face goes, [2, 1] in units."""

    def shift_of(self, at: F32) -> F32:
        """Return how far, in x and y [2, N], the picture of points moves when the head takes this pose.

        Points are rows x, y, z, 1 [4, N] in units, as seen.
        """
        moved = self._seen @ at
        # Seen flat, the photo's own x and y already hold the neutral perspective: only the ratio counts.
        ratio = (CAMERA - at[2]) / moved[2]
        return np.asarray(moved[:2] * ratio - at[:2], np.float32)
