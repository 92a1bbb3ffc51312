"""Names of the field, each in one place: emotions, motion channels.

Emotion names are blind to case, space, `_` and `-`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

EMOTIONS = ("neutral", "happiness", "sadness", "anger", "disgust", "fear", "surprise")
"""The seven classes, in the order of every weight vector. Index 0, neutral, has no expert."""
N_EMOTIONS = len(EMOTIONS)
EXPERTS = EMOTIONS[1:]
"""The six emotions that have an expert each (MoEE, arXiv 2501.01808, section 3)."""

ALIASES: Mapping[str, str] = {
    "calm": "neutral", "none": "neutral", "plain": "neutral",
    "happy": "happiness", "joy": "happiness", "joyful": "happiness", "cheerful": "happiness", "glad": "happiness",
    "sad": "sadness", "sorrow": "sadness", "sorrowful": "sadness", "unhappy": "sadness",
    "angry": "anger", "mad": "anger", "rage": "anger", "furious": "anger",
    "disgusted": "disgust", "revulsion": "disgust",
    "afraid": "fear", "fearful": "fear", "scared": "fear", "frightened": "fear",
    "surprised": "surprise", "astonished": "surprise", "amazed": "surprise",
}  # fmt: skip
"""Other words for the seven classes."""

COMPOUNDS: Mapping[str, Mapping[str, float]] = {
    "happily-surprised": {"happiness": 0.5, "surprise": 0.5},
    "happily-disgusted": {"happiness": 0.5, "disgust": 0.5},
    "sadly-fearful": {"sadness": 0.5, "fear": 0.5},
    "sadly-angry": {"sadness": 0.5, "anger": 0.5},
    "sadly-surprised": {"sadness": 0.5, "surprise": 0.5},
    "sadly-disgusted": {"sadness": 0.5, "disgust": 0.5},
    "fearfully-angry": {"fear": 0.5, "anger": 0.5},
    "fearfully-surprised": {"fear": 0.5, "surprise": 0.5},
    "fearfully-disgusted": {"fear": 0.5, "disgust": 0.5},
    "angrily-surprised": {"anger": 0.5, "surprise": 0.5},
    "angrily-disgusted": {"anger": 0.5, "disgust": 0.5},
    "disgustedly-surprised": {"disgust": 0.5, "surprise": 0.5},
    "appalled": {"disgust": 0.6, "anger": 0.4},
    "hatred": {"anger": 0.6, "disgust": 0.4},
    "awed": {"fear": 0.35, "surprise": 0.65},
    "bittersweet": {"happiness": 0.5, "sadness": 0.5},
}
"""Named mixes: the compound emotions of Du, Tao and Martinez (2014), in even parts where they give no proportion,
and common words for some of them."""

WEIGHT_TOLERANCE = 1e-6
"""A weight sum up to this much above 1 is rounding, not an error."""


class EmotionNameError(ValueError):
    """A word is no emotion, or a mix cannot be one; `hint` says what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def fold_name(name: str) -> str:
    """Return the spelling under which emotion names are compared: lower case, without space, `_` and `-`."""
    return re.sub(r"[\s_\-]+", "", name).casefold()


_BY_NAME: dict[str, Mapping[str, float]] = {
    **{fold_name(name): {name: 1.0} for name in EMOTIONS},
    **{fold_name(alias): {name: 1.0} for alias, name in ALIASES.items()},
    **{fold_name(name): mix for name, mix in COMPOUNDS.items()},
}


def known_names() -> tuple[str, ...]:
    """Return every built-in emotion name: the seven classes, aliases, compounds."""
    return (*EMOTIONS, *ALIASES, *COMPOUNDS)


def mix_of_name(name: str) -> Mapping[str, float] | None:
    """Return the mix a built-in name stands for, or None if it is none."""
    return _BY_NAME.get(fold_name(name))


def unknown_emotion(name: str, own_names: tuple[str, ...] = ()) -> EmotionNameError:
    """Return the error for a word that is no emotion, with the nearest name as hint."""
    by_fold = {fold_name(known): known for known in (*own_names, *known_names())}
    near = get_close_matches(fold_name(name), list(by_fold), n=1, cutoff=0.6)
    guess = f'did you mean "{by_fold[near[0]]}"?  ' if near else ""
    return EmotionNameError(f'"{name}" is not an emotion', f"{guess}`moee emotions` lists all names")


def weight_vector(mix: Mapping[str, float]) -> tuple[float, ...]:
    """Return weights [7] in the order of `EMOTIONS` for a mix of class names; what is missing to 1 goes to neutral.

    Raises:
        EmotionNameError: a weight is not a number in 0..1, or their sum is above 1.
    """
    for name, weight in mix.items():
        if not 0.0 <= weight <= 1.0:
            raise EmotionNameError(f"weight of {name} is {weight:g}, not in 0..1", "weights are shares between 0 and 1")
    total = sum(mix.values())
    if total > 1.0 + WEIGHT_TOLERANCE:
        shares = ", ".join(f"{name}: {weight / total:.3g}" for name, weight in mix.items())
        raise EmotionNameError(f"weights sum to {total:g}, above 1", f"as shares this mix is {{{shares}}}")
    weights = [mix.get(name, 0.0) for name in EMOTIONS]
    weights[0] = max(0.0, 1.0 - sum(weights[1:]))
    return tuple(weights)


ARKIT_BLENDSHAPES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawRight", "jawLeft", "jawOpen", "mouthClose", "mouthFunnel",
    "mouthPucker", "mouthRight", "mouthLeft", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft",
    "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight",
    "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft",
    "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 ARKit face shapes in Live Link order. Left and right are the subject's."""

SHAPES = tuple(name for name in ARKIT_BLENDSHAPES if not name.startswith("eyeLook"))
"""The 44 shapes a motion frame stores; the eight `eyeLook*` follow from the gaze."""

HEAD = ("headYaw", "headPitch", "headRoll", "headX", "headY", "headZ")
"""Head pose. Radians: yaw > 0 turns to the subject's left, pitch > 0 looks up, roll > 0 tilts to the subject's left
shoulder. Translation in outer-eye-corner distances: x to the subject's left, y up, z towards the camera."""

GAZE = ("gazeYaw", "gazePitch")
"""Gaze relative to the head, radians: yaw > 0 to the subject's left, pitch > 0 up."""

MOTION_CHANNELS = (*SHAPES, *HEAD, *GAZE)
"""Columns of a motion array [F, 52]: 44 shapes in 0..1, then head, then gaze."""
N_MOTION = len(MOTION_CHANNELS)
CHANNEL: Mapping[str, int] = {name: index for index, name in enumerate(MOTION_CHANNELS)}
"""Channel name to column."""
