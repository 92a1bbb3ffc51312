"""The whole performance: phones, emotion and controls to motion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from moee_cli.core.labels import CHANNEL, EMOTIONS, GAZE, N_MOTION, SHAPES
from moee_cli.core.types import F32
from moee_cli.engines.motion.curves import smooth
from moee_cli.engines.motion.poses import blink_factors, channels
from moee_cli.training.motion.phones import Phone
from moee_cli.training.motion.teacher import eyes
from moee_cli.training.motion.teacher.articulation import Mouthing, articulate, manner_of
from moee_cli.training.motion.teacher.events import Accent, accents, phrase_ends, pulse
from moee_cli.training.motion.teacher.expression import express, temper_of
from moee_cli.training.motion.teacher.head import HEAD_COLUMNS, Voice, move_head

_MANNERS: Mapping[str, tuple[float, float, float, float]] = {
    "neutral": (1.00, 1.00, 1.00, 1.0), "happiness": (1.08, 1.15, 0.85, 0.9), "sadness": (0.80, 0.80, 0.85, 0.7),
    "anger": (1.10, 1.15, 0.95, 1.7), "disgust": (0.92, 1.05, 0.95, 1.1), "fear": (0.95, 1.08, 0.90, 1.1),
    "surprise": (1.12, 1.00, 1.00, 0.9),
}  # fmt: skip
"""Gain of an emotion on jaw, lips, rounding and pressing of speech: wider in happiness, slack in sadness, tense in
anger (Lee et al., "An articulatory study of emotional speech production", Interspeech 2005: larger and quicker gestures
in anger and happiness, smaller ones in sadness)."""
_BROW = (0.08, 0.30)
"""How far brows rise on a weak and on the strongest accent; about one accent in three gets it (Flecha-Garcia, Speech
Communication 2010)."""
_JAW_KNEE, _JAW_LIMIT = 0.44, 0.62
"""jawOpen above the knee is bent towards the limit: the drawn mouth interior holds up to about 0.5."""

_JAW, _CLOSE, _FORWARD = CHANNEL["jawOpen"], CHANNEL["mouthClose"], CHANNEL["jawForward"]
_LIPS = channels("mouthLowerDown", "mouthUpperUp", "mouthStretch", "mouthSmile")
_ROUND = channels("mouthFunnel", "mouthPucker")
_SEAL = channels("mouthPress", "mouthRollLower", "mouthRollUpper")
_APERTURE = channels("mouthLowerDown", "mouthUpperUp", "mouthFunnel")
_SMILE = channels("mouthSmile", "mouthDimple")
_TENSE = channels("mouthPress", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthStretch")
_FROWN = channels("mouthFrown")
_BLINK, _WIDE, _SQUINT = channels("eyeBlink"), channels("eyeWide"), channels("eyeSquint")
_BROWS = channels("browInnerUp", "browOuterUp")
_GAZE = [CHANNEL[name] for name in GAZE]


@dataclass(frozen=True, eq=False)
class Scene:
    """What is to be acted, per motion frame (F)."""

    phones: tuple[Phone, ...]
    energy_db: F32
    """[F]"""
    pitch_hz: F32
    """[F]"""
    emotion: F32
    """[F, 7], rows sum to 1, intensity folded in."""
    controls: F32
    """[F, 4] speech, head, gaze_free, blinks (`clip.CONTROLS`)."""


def act(scene: Scene, generator: np.random.Generator) -> F32:
    """Return one performance of a scene, motion float32 [F, 52]; another generator gives another performance.

    Lips close on the same frames in each of them; how wide they open, head, gaze, blinks and the play of the
    expression differ.
    """
    n_frames = len(scene.emotion)
    if not n_frames:
        return np.empty((0, N_MOTION), np.float32)
    mouthing = articulate(scene.phones, n_frames, manner_of(generator))
    spoken = _spoken(mouthing, scene)
    felt = express(scene.emotion, temper_of(generator), generator)
    motion = meet(felt, spoken, mouthing)
    stressed, ends = accents(scene.phones, scene.energy_db, scene.pitch_hz), phrase_ends(scene.phones)
    motion[:, _BROWS] += _raised_brows(n_frames, stressed, scene.emotion, generator)[:, None]
    voice = Voice(stressed, ends, scene.pitch_hz, mouthing.saying)
    attitude, own_gaze = felt[:, HEAD_COLUMNS], felt[:, _GAZE]
    _, head_gain, free, per_minute = scene.controls.T
    head = move_head(attitude, scene.emotion, head_gain, voice, generator)
    motion[:, HEAD_COLUMNS] = head
    restless = 1.0 + 0.8 * scene.emotion[:, EMOTIONS.index("fear")] - 0.4 * scene.emotion[:, EMOTIONS.index("anger")]
    looks, large = eyes.gaze(n_frames, free, head[:, :2], restless, generator)
    motion[:, _GAZE] = own_gaze + looks
    lids = eyes.blinks(per_minute * (scene.emotion @ blink_factors()), ends, large, generator)
    motion[:, _BLINK] += (1.0 - motion[:, _BLINK]) * lids
    motion[:, _WIDE] *= 1.0 - lids
    motion[:, _SQUINT] *= 1.0 - 0.5 * lids
    motion[:, : len(SHAPES)] = np.clip(motion[:, : len(SHAPES)], 0.0, 1.0)
    return np.asarray(motion, np.float32)


def meet(felt: F32, spoken: F32, mouthing: Mouthing) -> F32:
    """Return the posture [F, 52] of a feeling face that speaks.

    While words come the mouth belongs to them: the emotion's jaw counts for little, its tension for half, its frown for
    most, its smile stays and widens the shapes, rounding narrows the smile. Lips still close fully, and meet the teeth,
    where asked.
    """
    pose, saying = felt.copy(), mouthing.saying
    closed, bitten = mouthing.closed, mouthing.bitten
    rounding = np.clip(2.0 * spoken[:, CHANNEL["mouthPucker"]], 0.0, 1.0)
    pose[:, _SMILE] *= (1.0 - 0.2 * saying - 0.4 * rounding)[:, None]
    pose[:, _TENSE] *= (1.0 - 0.5 * saying)[:, None]
    pose[:, _FROWN] *= (1.0 - 0.3 * saying)[:, None]
    pose[:, _APERTURE] *= ((1.0 - 0.4 * saying) * (1.0 - bitten))[:, None]
    pose[:, _JAW] *= (1.0 - 0.6 * saying) * (1.0 - bitten)
    pose += spoken
    over = np.maximum(pose[:, _JAW] - _JAW_KNEE, 0.0) / (_JAW_LIMIT - _JAW_KNEE)
    jaw = np.minimum(pose[:, _JAW], _JAW_KNEE) + (_JAW_LIMIT - _JAW_KNEE) * np.tanh(over)
    pose[:, _JAW] = jaw * (1.0 - 0.5 * closed)
    pose[:, _CLOSE] = closed * pose[:, _JAW]
    pose[:, _APERTURE] *= (1.0 - closed)[:, None]
    return pose


def _spoken(mouthing: Mouthing, scene: Scene) -> F32:
    """Return the mouth's motion [F, 52] with the effort of the voice and the manner of the emotion in it."""
    gains = scene.emotion @ np.array([_MANNERS[name] for name in EMOTIONS], np.float32)
    effort = _effort(scene.energy_db, mouthing.saying)
    spoken = mouthing.spoken.copy()
    spoken[:, _JAW] *= gains[:, 0] * effort
    spoken[:, _LIPS] *= (gains[:, 1] * np.sqrt(effort))[:, None]
    spoken[:, _ROUND] *= gains[:, [2]]
    spoken[:, _SEAL] *= gains[:, [3]]
    return spoken


def _effort(energy_db: F32, saying: F32) -> F32:
    """Return the gain on mouth motion [F], 0.78..1.22: syllables louder than the rest are articulated wider.

    It is relative to the performance's own level: how close the microphone was says nothing.
    """
    weight = saying + 1e-3
    level = np.maximum(energy_db, -70.0)
    usual = float((level * weight).sum() / weight.sum())
    local = smooth(level * weight, 3.0) / smooth(weight, 3.0)
    return np.asarray(np.clip(1.0 + 0.022 * (local - usual), 0.78, 1.22), np.float32)


def _raised_brows(n_frames: int, stressed: list[Accent], emotion: F32, generator: np.random.Generator) -> F32:
    """Return how far accents raise the brows [F]; in anger and disgust they stay down."""
    raised = np.zeros(n_frames, np.float32)
    for accent in stressed:
        if generator.random() < 0.34:
            size = _BROW[0] + (_BROW[1] - _BROW[0]) * accent.strength * float(generator.uniform(0.6, 1.0))
            peak = accent.frame + float(generator.normal(-0.5, 1.5))
            raised = np.maximum(raised, size * pulse(n_frames, peak, *generator.uniform((4.0, 6.0), (8.0, 14.0))))
    down = emotion[:, [EMOTIONS.index("anger"), EMOTIONS.index("disgust")]].sum(1)
    return np.asarray(raised * (1.0 - 0.8 * down), np.float32)
