"""How the mouth speaks: mouth-shape weights to lip and jaw motion with co-articulation, and how that meets an emotion.

Lips and jaw are slower than sound and begin early: each frame mixes its neighbours, the next one more than the last.
Closures are the exception: p, b and m reach fully closed lips, whatever surrounds them, or the eye sees it.
"""

from __future__ import annotations

import numpy as np

from moee_cli.audio.features import HOPS, MEASURE, MEASURES
from moee_cli.audio.visemes import SHAPE, mouth_shapes
from moee_cli.core.labels import CHANNEL
from moee_cli.core.types import F32, AudioFeatures
from moee_cli.engines.motion.curves import mixed, smooth, smoothstep
from moee_cli.engines.motion.poses import channels, speech_poses

_LIPS = {-1: 0.18, 0: 0.52, 1: 0.30}
"""Share of the frame before, this one, the next in the posture of the lips."""
_JAW_MIX = {-2: 0.07, -1: 0.21, 0: 0.38, 1: 0.25, 2: 0.09}
"""The same for the jaw, the heavier part."""
_ROUNDING = {-1: 0.14, 0: 0.30, 1: 0.28, 2: 0.18, 3: 0.10}
"""Rounding is in sight before it is heard (Lubker and Gay, "Anticipatory labial coarticulation", JASA 1982)."""
_CLOSED_FROM, _CLOSED_AT = 0.14, 0.42
"""Weight of `closed` at which the lips begin to close, and are closed."""
_PARTING = 0.35
"""How far the lips are still shut a frame after a closure; without it they part within one frame, like a cut.
More costs the contrast between closures and vowels: at 0.5, before and after, AUC on EmoDB fell by 0.03."""
_JAW_KNEE, _JAW_LIMIT = 0.42, 0.62
"""jawOpen above the knee is bent towards the limit: the drawn mouth interior holds up to about 0.5."""

_APERTURE = channels("mouthLowerDown", "mouthUpperUp", "mouthFunnel")
_JAW, _CLOSE = CHANNEL["jawOpen"], CHANNEL["mouthClose"]
_SMILE = channels("mouthSmile", "mouthDimple")
_TENSE = channels("mouthPress", "mouthRollLower", "mouthRollUpper", "mouthFrown", "mouthShrugLower", "mouthStretch")


def speak(features: AudioFeatures, speech: F32) -> tuple[F32, F32, F32]:
    """Return mouth motion [F, 52], closure [F] (1: lips shut) and how much is being said [F], each within 0..1.

    `speech` [F] gates everything; in silence all three are exactly 0.
    """
    shapes = mouth_shapes(features) * speech[:, None]
    shapes[:, SHAPE["rest"]] = 0.0
    closed = shapes[:, SHAPE["closed"]].copy()
    lips = mixed(shapes, _LIPS)
    lips[:, SHAPE["round"]] = mixed(shapes[:, SHAPE["round"]], _ROUNDING)
    motion = lips @ speech_poses()
    motion[:, _JAW] = mixed(shapes, _JAW_MIX) @ speech_poses()[:, _JAW]
    motion *= _effort(features)[:, None]
    shut = smoothstep(closed, _CLOSED_FROM, _CLOSED_AT)
    shut[1:] = np.maximum(shut[1:], _PARTING * shut[:-1])
    return motion, shut, np.clip(lips.sum(1), 0.0, 1.0)


def _effort(features: AudioFeatures) -> F32:
    """Return the gain on mouth motion [F], 0.8..1.2: louder stretches are articulated wider."""
    hops = features.spectrum.reshape(-1, HOPS, len(MEASURES))
    activity = hops[:, :, MEASURE["activity"]].mean(1)
    level = hops[:, :, MEASURE["level"]].max(1) * activity
    local = smooth(level, 6.0) / np.maximum(smooth(activity, 6.0), 1e-3)
    gain: F32 = np.clip(1.15 + 0.03 * local, 0.8, 1.2).astype(np.float32)
    return gain


def meet(emotion: F32, spoken: F32, closed: F32, saying: F32) -> F32:
    """Return the posture [F, 52] of an emotional face that speaks.

    While words come the mouth belongs to them: the emotion's jaw counts for little, its tension for half, its smile
    stays and widens the shapes, rounding narrows the smile. Lips still close fully where `closed` is 1.
    """
    pose = emotion.copy()
    rounding = np.clip(2.0 * spoken[:, CHANNEL["mouthPucker"]], 0.0, 1.0)
    pose[:, _SMILE] *= (1.0 - 0.2 * saying - 0.4 * rounding)[:, None]
    pose[:, _TENSE] *= (1.0 - 0.5 * saying)[:, None]
    pose[:, _APERTURE] *= (1.0 - 0.4 * saying)[:, None]
    pose[:, _JAW] *= 1.0 - 0.6 * saying
    pose += spoken
    jaw = pose[:, _JAW]
    over = np.maximum(jaw - _JAW_KNEE, 0.0) / (_JAW_LIMIT - _JAW_KNEE)
    jaw = np.minimum(jaw, _JAW_KNEE) + (_JAW_LIMIT - _JAW_KNEE) * np.tanh(over)
    pose[:, _JAW] = jaw * (1.0 - 0.5 * closed)
    pose[:, _CLOSE] = closed * pose[:, _JAW]
    pose[:, _APERTURE] *= (1.0 - closed)[:, None]
    return pose
