"""The poses that a sheet shows: everything a renderer can get wrong, in the order in which one looks for it."""

from __future__ import annotations

from collections.abc import Iterator
from math import radians

import numpy as np

from moee_cli.audio.visemes import MOUTH_SHAPES
from moee_cli.core.labels import CHANNEL, EMOTIONS, EXPERTS, N_MOTION
from moee_cli.engines.base import Pose
from moee_cli.engines.motion.poses import emotion_poses, speech_poses
from moee_cli.face.controls import motion_frame
from moee_cli.face.pose import LIMITS

_JAWS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Close together where a mouth opens: there a slit shows first."""
_GAZE_YAW, _GAZE_PITCH = 18.0, 12.0
"""Degrees to the side and up or down, a plain glance; the limits are wider."""
_ASKED = 1.6
"""Limits are soft: so many times as much must be asked for to come within a hundredth of one."""
_LEAN = LIMITS[5] / 2
"""Outer-eye distances by which the head comes nearer."""

_LIDS: tuple[tuple[str, dict[str, float]], ...] = (
    *((f"blink {share:g}", {"eyeBlink": share}) for share in (0.25, 0.5, 0.75, 1.0)),
    ("wink left", {"eyeBlinkLeft": 1.0}),
    ("wink right", {"eyeBlinkRight": 1.0}),
    ("squint", {"eyeSquint": 1.0}),
    ("wide", {"eyeWide": 1.0}),
)
_BROWS: tuple[tuple[str, dict[str, float]], ...] = (
    ("inner up", {"browInnerUp": 1.0}),
    ("outer up", {"browOuterUp": 1.0}),
    ("all up", {"browInnerUp": 1.0, "browOuterUp": 1.0}),
    ("down", {"browDown": 1.0}),
    ("left up", {"browOuterUpLeft": 1.0}),
    ("right up", {"browOuterUpRight": 1.0}),
    ("left down", {"browDownLeft": 1.0}),
    ("right down", {"browDownRight": 1.0}),
)
_MOUTHS: tuple[tuple[str, dict[str, float]], ...] = (
    ("pucker", {"mouthPucker": 1.0}),
    ("funnel", {"mouthFunnel": 1.0}),
    ("tongue", {"jawOpen": 0.35, "tongueOut": 1.0}),
    ("smile", {"mouthSmile": 1.0}),
    ("smirk left", {"mouthSmileLeft": 1.0}),
    ("frown", {"mouthFrown": 1.0}),
    ("stretch", {"mouthStretch": 1.0}),
    ("dimples", {"mouthDimple": 1.0}),
    ("press", {"mouthPress": 1.0}),
    ("lips in", {"mouthRollUpper": 1.0, "mouthRollLower": 1.0}),
    ("shrug", {"mouthShrugUpper": 1.0, "mouthShrugLower": 1.0}),
    ("teeth bared", {"mouthUpperUp": 1.0, "mouthLowerDown": 1.0}),
    ("mouth left", {"mouthLeft": 1.0}),
    ("jaw right", {"jawRight": 1.0}),
    ("cheeks puffed", {"cheekPuff": 1.0}),
    ("nose sneer", {"noseSneer": 1.0}),
)


def sheet_poses() -> tuple[Pose, ...]:
    """Return the poses of the sheet, group by group."""
    return (*_emotions(), *_mouth(), *_eyes_and_brows(), *_head())


def _emotions() -> Iterator[Pose]:
    poses, wide_open = emotion_poses(), speech_poses()[MOUTH_SHAPES.index("open")]
    yield Pose("emotions at half intensity", "as it is", np.zeros(N_MOTION, np.float32))
    for share, group in ((0.5, "emotions at half intensity"), (1.0, "emotions at full intensity")):
        for name in EXPERTS:
            yield Pose(group, f"{name} {share:g}", np.asarray(share * poses[EMOTIONS.index(name)], np.float32))
    for name in EXPERTS:
        spoken = np.maximum(poses[EMOTIONS.index(name)], wide_open)
        # The larger of two numbers is wrong for what may be negative, and an open vowel turns neither head nor eyes.
        spoken[CHANNEL["headYaw"] :] = poses[EMOTIONS.index(name), CHANNEL["headYaw"] :]
        yield Pose("emotions on an open vowel", f"{name} + open", spoken)


def _mouth() -> Iterator[Pose]:
    spoken = speech_poses()
    for number, name in enumerate(MOUTH_SHAPES[1:], 1):
        yield Pose("mouth shapes of speech", name, spoken[number])
    for share in _JAWS:
        yield Pose("jaw", f"jaw {share:g}", motion_frame(jawOpen=share))
    for name, amounts in _MOUTHS:
        yield Pose("mouth, one shape each", name, motion_frame(**amounts))


def _eyes_and_brows() -> Iterator[Pose]:
    for name, amounts in _LIDS:
        yield Pose("lids", name, motion_frame(**amounts))
    for up in (1, 0, -1):
        for side in (1, 0, -1):
            if up or side:
                where = " ".join(word for word in ({1: "up", -1: "down"}.get(up), _sideways(side)) if word)
                gaze = {"gazeYaw": radians(side * _GAZE_YAW), "gazePitch": radians(up * _GAZE_PITCH)}
                yield Pose("gaze (left and right are the subject's)", f"gaze {where}", motion_frame(**gaze))
    for name, amounts in _BROWS:
        yield Pose("brows", name, motion_frame(**amounts))


def _head() -> Iterator[Pose]:
    yaw, pitch, roll = LIMITS[:3]
    for share, group in ((0.5, "head, half way to its limits"), (_ASKED, "head, at its limits")):
        for channel, limit, ways in (
            ("headYaw", yaw, ("turned left", "turned right")),
            ("headPitch", pitch, ("looking up", "looking down")),
            ("headRoll", roll, ("tilted left", "tilted right")),
        ):
            for sign, way in zip((1, -1), ways, strict=True):
                yield Pose(group, way, motion_frame(**{channel: sign * share * limit}), whole_head=True)
        if share < 1:
            yield Pose(group, "nearer", motion_frame(headZ=_LEAN), whole_head=True)
            yield Pose(group, "farther", motion_frame(headZ=-_LEAN), whole_head=True)
        else:
            for sign, way in ((1, "left, up, tilted"), (-1, "right, down, tilted")):
                way_of = {"headYaw": yaw, "headPitch": pitch, "headRoll": roll}
                turned = {channel: sign * share * limit for channel, limit in way_of.items()}
                yield Pose(group, way, motion_frame(**turned), whole_head=True)


def _sideways(side: int) -> str | None:
    return {1: "left", -1: "right"}.get(side)
