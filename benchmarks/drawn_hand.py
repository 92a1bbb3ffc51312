"""A hand of capsules under a light from the upper left: plain, but mediapipe's hand network takes it for one.

Joints are in palm lengths from the wrist, right along the palm and up to the middle knuckle; an open right hand, palm
seen. Proportions are a grown hand's, by eye.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from moee_cli.core.types import F32, U8

_JOINTS = np.array([
    (0, 0),
    (-0.32, 0.18), (-0.58, 0.42), (-0.76, 0.64), (-0.9, 0.84),
    (-0.28, 0.95), (-0.36, 1.4), (-0.4, 1.66), (-0.43, 1.88),
    (0, 1), (0, 1.5), (0, 1.8), (0, 2.04),
    (0.24, 0.93), (0.29, 1.4), (0.32, 1.66), (0.34, 1.88),
    (0.46, 0.8), (0.56, 1.12), (0.62, 1.32), (0.66, 1.5),
], np.float32)  # fmt: skip
_RADII = (
    0.2, 0.16, 0.14, 0.125, 0.1, 0.125, 0.115, 0.1, 0.085, 0.125, 0.115, 0.1, 0.085, 0.125, 0.115, 0.1, 0.085,
    0.11, 0.1, 0.09, 0.075,
)  # fmt: skip
_FINGERS = ((0, 1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20))
_PALM = np.array([
    (-0.2, -0.15), (-0.34, 0.15), (-0.42, 0.5), (-0.4, 0.95), (-0.14, 1.08), (0.1, 1.1), (0.36, 1.02), (0.56, 0.82),
    (0.5, 0.4), (0.26, -0.15),
], np.float32)  # fmt: skip
_ELBOW = np.array([(0, -2.5)], np.float32)
_CREASES = tuple(
    np.array(line, np.float32)
    for line in (
        [(-0.3, 0.75), (-0.05, 0.7), (0.25, 0.82), (0.5, 0.78)],
        [(-0.36, 0.62), (-0.1, 0.58), (0.2, 0.45), (0.42, 0.35)],
        [(-0.38, 0.68), (-0.22, 0.5), (-0.12, 0.2), (-0.1, -0.02)],
    )
)
_LIGHT = np.array((-0.35, -0.55, 0.76), np.float32)


def with_hand(picture: U8, skin: F32, wrist: F32, up: F32) -> U8:
    """Return the picture [H, W, 3] with a hand of colour `skin`.

    It stands on `wrist` (px); `up` (px) leads from there to the middle knuckle. An arm goes down from the wrist, and
    a shadow lies beside it all.
    """
    length = float(np.linalg.norm(up))
    along = np.stack([np.array([-up[1], up[0]]), up]).astype(np.float32)
    height = _relief(picture.shape[:2], wrist, along, length)
    slope = cv2.GaussianBlur(height, (0, 0), 0.025 * length)
    normal = np.stack([-cv2.Sobel(slope, cv2.CV_32F, 1, 0) / 8, -cv2.Sobel(slope, cv2.CV_32F, 0, 1) / 8], axis=-1)
    facing = (normal @ _LIGHT[:2] + _LIGHT[2]) / np.sqrt(1 + np.sum(normal**2, axis=-1))
    shade = (0.35 + 0.75 * np.clip(facing, 0, 1)) * _lines(picture.shape[:2], wrist, along, length)
    hand = cv2.GaussianBlur((height > 0).astype(np.float32), (0, 0), max(0.012 * length, 0.5))
    shadow = cv2.GaussianBlur(hand, (0, 0), 0.06 * length)[..., None]
    painted = np.asarray(skin, np.float32) * shade[..., None]
    out = picture * (1 - 0.5 * shadow) * (1 - hand[..., None]) + painted * hand[..., None]
    return np.clip(out, 0, 255).astype(np.uint8)


def _relief(shape: tuple[int, int], wrist: F32, along: F32, length: float) -> F32:
    """Return how high the hand stands over the picture [H, W] px, 0 beside it."""
    joints, elbow = _JOINTS @ along + wrist, (_ELBOW @ along + wrist)[0]
    height = 0.7 * _capsule(shape, (elbow, joints[0]), (0.36 * length, 0.27 * length))
    filled = cv2.fillPoly(np.zeros(shape, np.uint8), [np.round(_PALM @ along + wrist).astype(np.int32)], 255)
    inside = cv2.distanceTransform(filled, cv2.DIST_L2, 5)
    height = np.maximum(height, 0.6 * np.sqrt(np.clip(0.3 * length * inside - inside**2 / 4, 0, None)))
    for finger in _FINGERS:
        for one, two in pairwise(finger):
            radii = (_RADII[one] * length, _RADII[two] * length)
            height = np.maximum(height, _capsule(shape, (joints[one], joints[two]), radii))
    return height.astype(np.float32)


def _capsule(shape: tuple[int, int], ends: tuple[F32, F32], radii: tuple[float, float]) -> F32:
    """Return the height [H, W] of half a round rod."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    run = ends[1] - ends[0]
    t = np.clip(((columns - ends[0][0]) * run[0] + (rows - ends[0][1]) * run[1]) / max(float(run @ run), 1e-6), 0, 1)
    away = np.hypot(columns - ends[0][0] - t * run[0], rows - ends[0][1] - t * run[1])
    return np.sqrt(np.clip((radii[0] + (radii[1] - radii[0]) * t) ** 2 - away**2, 0, None))


def _lines(shape: tuple[int, int], wrist: F32, along: F32, length: float) -> F32:
    """Return the darkening [H, W] by creases of palm and finger joints, 1 where there is none."""
    joints = _JOINTS @ along + wrist
    lines = [crease @ along + wrist for crease in _CREASES]
    for finger in _FINGERS:
        for before, joint in pairwise(finger[:-1]):
            run = (joints[joint] - joints[before]) / np.linalg.norm(joints[joint] - joints[before])
            across = np.array([-run[1], run[0]]) * 0.8 * _RADII[joint] * length
            lines.append(np.stack([joints[joint] - across, joints[joint] + across]))
    drawn = np.zeros(shape, np.float32)
    for line in lines:
        cv2.polylines(drawn, [np.round(line).astype(np.int32)], False, 1.0, max(1, int(0.03 * length)), cv2.LINE_AA)
    return np.asarray(1 - 0.35 * cv2.GaussianBlur(drawn, (0, 0), 0.013 * length), np.float32)
