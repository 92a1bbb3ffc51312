"""From a motion frame to field weights: ranges, shapes that exclude each other, lids that follow the gaze."""

from __future__ import annotations

import numpy as np

from moee_cli.core.labels import ARKIT_BLENDSHAPES, CHANNEL, GAZE, HEAD, N_MOTION, SHAPES
from moee_cli.core.types import F32
from moee_cli.face.basis import N_FOLLOWS
from moee_cli.face.crowding import uncrowded
from moee_cli.face.easing import smooth
from moee_cli.face.pose import soft_limit

N_SHAPES = len(SHAPES)
N_FIELDS = N_SHAPES + N_FOLLOWS
"""Fields that a motion frame weighs; the seals of the lips come after them."""
JAW_LIMIT = 0.92
"""jawOpen bends towards this: a photo has no skin for the last of the way."""
_HEAD = slice(CHANNEL[HEAD[0]], CHANNEL[HEAD[-1]] + 1)
_GAZE = [CHANNEL[name] for name in GAZE]
GAZE_LIMITS = (0.55, 0.40)
"""Largest gaze yaw and pitch in radians; further the iris would leave the lids."""
_SPOKEN_PRESS, _SPOKEN_ROLL = 0.17, 0.10
"""mouthPress, and the roll of both lips, of a spoken p, b or m (`engines/motion/poses.py`)."""
FULL_LOOK = 0.5
"""Gaze angle, in radians, of an eyeLook shape at 1. ARKit names no angle; a half loses nothing in the arithmetic."""
_LOOKS = [name for name in ARKIT_BLENDSHAPES if name.startswith("eyeLook")]
_SHAPE_COLUMNS = [ARKIT_BLENDSHAPES.index(name) for name in SHAPES]
_LOOK_COLUMNS = [ARKIT_BLENDSHAPES.index(name) for name in _LOOKS]


def _look_signs() -> F32:
    """Return [8, 2] how each eyeLook shape turns the gaze: yaw > 0 to the subject's left, pitch > 0 up."""
    ways = {"Up": (0, 1), "Down": (0, -1)}
    for side, sign in (("Left", 1), ("Right", -1)):
        ways |= {"Out" + side: (sign, 0), "In" + side: (-sign, 0)}
    stems = [name.removeprefix("eyeLook") for name in _LOOKS]
    return np.array(
        [ways.get(stem) or ways[stem.removesuffix("Left").removesuffix("Right")] for stem in stems], np.float32
    )


_LOOK_SIGNS = _look_signs()


def motion_frame(**amounts: float) -> F32:
    """Return a motion frame [52] at rest but for the channels named; a name without side sets both sides."""
    frame = np.zeros(N_MOTION, np.float32)
    for name, amount in amounts.items():
        for channel in (name,) if name in CHANNEL else (f"{name}Left", f"{name}Right"):
            frame[CHANNEL[channel]] = amount
    return frame


def arkit_of(motion: F32) -> F32:
    """Return the 52 ARKit shapes [.., 52], in the order of `ARKIT_BLENDSHAPES`, of motion frames [.., 52].

    Both eyes share the gaze. One beyond `FULL_LOOK` gives weights above 1. The head has no place among the shapes.
    """
    shapes = np.zeros((*motion.shape[:-1], len(ARKIT_BLENDSHAPES)), np.float32)
    shapes[..., _SHAPE_COLUMNS] = motion[..., :N_SHAPES]
    shapes[..., _LOOK_COLUMNS] = np.maximum(motion[..., _GAZE] @ _LOOK_SIGNS.T, 0.0) / FULL_LOOK
    return shapes


def motion_of(shapes: F32) -> F32:
    """Return motion frames [.., 52], head at rest, of the ARKit shapes [.., 52]: `arkit_of` backwards.

    Eyes that look apart give the mean of their directions: a motion frame has one gaze.
    """
    motion = np.zeros((*shapes.shape[:-1], N_MOTION), np.float32)
    motion[..., :N_SHAPES] = shapes[..., _SHAPE_COLUMNS]
    motion[..., _GAZE] = shapes[..., _LOOK_COLUMNS] @ _LOOK_SIGNS * (FULL_LOOK / 2)
    return motion


def bounded(motion: F32, smile: float = 0.0, room: F32 | float = 1.0) -> F32:
    """Return a copy of a motion frame [52] with shapes in 0..1, gaze within limits and no shapes at odds.

    `smile` 0..1 is how far the photo smiles already: only the rest of the way is left. `room` says how much
    compression the face bears (`crowding.rooms`).
    A lid that blinks neither widens nor squints; lips close only as far as the jaw has opened them.
    """
    if motion.shape != (N_MOTION,):
        raise ValueError(f"a motion frame has shape ({N_MOTION},), not {motion.shape}")
    held = np.nan_to_num(np.asarray(motion, np.float32))
    held[:N_SHAPES] = np.clip(held[:N_SHAPES], 0.0, 1.0)
    held[_GAZE] = soft_limit(held[_GAZE], np.array(GAZE_LIMITS, np.float32))
    for side in ("Left", "Right"):
        open_share = 1.0 - held[CHANNEL["eyeBlink" + side]]
        for name in ("mouthSmile", "mouthStretch"):
            held[CHANNEL[name + side]] *= 1.0 - 0.65 * smile
        for name in ("eyeWide", "eyeSquint"):
            held[CHANNEL[name + side]] *= open_share
    jaw = CHANNEL["jawOpen"]
    held[jaw] = soft_limit(held[jaw], JAW_LIMIT, knee=0.65)
    close = CHANNEL["mouthClose"]
    held[close] = min(held[close], held[CHANNEL["jawOpen"]])
    return uncrowded(held, room)


def field_weights(held: F32, seals: int) -> F32:
    """Return weights [44 + 6 + seals] of the fields: shapes, lids following the gaze (`follow_fields`), seals at 0."""
    weights = np.zeros(N_FIELDS + seals, np.float32)
    weights[:N_SHAPES] = held[:N_SHAPES]
    yaw, pitch = held[_GAZE]
    looks = np.array([max(pitch, 0.0), max(-pitch, 0.0), yaw], np.float32)
    closed = np.array([held[CHANNEL["eyeBlinkLeft"]], held[CHANNEL["eyeBlinkRight"]]], np.float32)
    weights[N_SHAPES:N_FIELDS] = np.outer(1.0 - closed, looks).ravel()
    return weights


def lips_together(held: F32) -> float:
    """Return 0..1: how far a mouth that is open in the photo is to be shut by lips that press, roll or close.

    The press and roll of a spoken p, b or m shut it wholly. A lower lip that rolls alone bites (f, v): nothing shuts.
    """
    press = (held[CHANNEL["mouthPressLeft"]] + held[CHANNEL["mouthPressRight"]]) / 2
    roll = min(held[CHANNEL["mouthRollLower"]], held[CHANNEL["mouthRollUpper"]])
    return float(smooth(max(press / _SPOKEN_PRESS, roll / _SPOKEN_ROLL, 1.6 * held[CHANNEL["mouthClose"]])))


def head_of(held: F32) -> F32:
    """Return the head channels [6]."""
    return held[_HEAD]
