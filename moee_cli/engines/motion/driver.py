"""The signal-driven motion source: what is heard and felt, to a face that moves. No training, no state.

`drive_motion` is a pure function of one chunk and of noise keyed by position. No frame depends on anything more than
50 frames away, so where two chunks overlap they agree. See docs/decisions/0006.
"""

from __future__ import annotations

from math import radians

import numpy as np

from moee_cli.audio.features import HOPS, MEASURE, MEASURES
from moee_cli.core.labels import CHANNEL, GAZE, HEAD, SHAPES
from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import F32, AudioFeatures, Drive
from moee_cli.engines.motion import life, mouth
from moee_cli.engines.motion.curves import eased, smooth
from moee_cli.engines.motion.poses import blink_factors, channels, emotion_poses

_SPEECH_EASE = 3
"""Frames in which speech fades at the border of a pause, inside the line."""
_HEAD_EASE = 8
"""Frames in which the gain on head motion changes."""
_IDLE = 0.55
"""Head sway in silence, against 1 while speaking."""
_NOD = radians(1.1)
"""How far the head dips on a stressed syllable."""
_ACCENT_BROW = 0.16
"""How far the brows rise on a high tone."""
_CAMERA_HOLD = 0.9
"""Share of a head turn that the eyes undo to keep the camera (vestibulo-ocular reflex)."""

_N_SWAY = 2 * len(HEAD)
_MOUTH = [index for name, index in CHANNEL.items() if name.startswith(("mouth", "jaw"))]
_UPPER = [CHANNEL[name] for name in SHAPES if CHANNEL[name] not in _MOUTH]
_HEAD = [CHANNEL[name] for name in HEAD]
_GAZE = [CHANNEL[name] for name in GAZE]
_BLINK, _WIDE, _SQUINT = channels("eyeBlink"), channels("eyeWide"), channels("eyeSquint")
_BROW_UP = channels("browInnerUp", "browOuterUp")


def drive_motion(drive: Drive, noise: NoiseSource) -> F32:
    """Return the motion of the chunk's own frames, float32 [drive.n_frames, 52], columns `labels.MOTION_CHANNELS`."""
    wander = noise.normal("sway", drive.spans, (_N_SWAY + 3,))
    speech = eased(drive.speech, _SPEECH_EASE)
    spoken, closed, saying = mouth.speak(drive.features, speech)
    unrest = life.unrest(wander[:, _N_SWAY:])
    felt = _expression(drive.emotion, unrest)
    motion = mouth.meet(felt, spoken, closed, saying)
    motion[:, _BROW_UP] += _ACCENT_BROW * (_accent(drive.features) * speech)[:, None]
    _turn_head(motion, drive, wander[:, :_N_SWAY], speech)
    _move_eyes(motion, drive, noise, unrest[:, 2])
    motion[:, : len(SHAPES)] = np.clip(motion[:, : len(SHAPES)], 0.0, 1.0)
    return np.ascontiguousarray(motion[drive.before : drive.before + drive.n_frames], np.float32)


def _expression(emotion: F32, unrest: F32) -> F32:
    """Return the posture [F, 52] of the weights [F, 7]: linear in them, and alive by a few percent."""
    pose = emotion @ emotion_poses()
    pose[:, _UPPER] *= 1.0 + 0.12 * unrest[:, :1]
    pose[:, _MOUTH] *= 1.0 + 0.05 * unrest[:, 1:2]
    return pose.astype(np.float32)


def _turn_head(motion: F32, drive: Drive, noise: F32, speech: F32) -> None:
    """Add sway and nods to the emotion's attitude, then apply the gain: at 0 the head is perfectly still."""
    amount = _IDLE + (1.0 - _IDLE) * smooth(speech, 5.0)
    motion[:, _HEAD] += life.head_sway(noise, amount)
    motion[:, CHANNEL["headPitch"]] -= _NOD * _stress(drive.features) * speech
    motion[:, _HEAD] *= eased(drive.head, _HEAD_EASE)[:, None]


def _move_eyes(motion: F32, drive: Drive, noise: NoiseSource, unrest: F32) -> None:
    """Add glances, the counter-roll against head turns, and blinks over whatever the emotion does with the lids."""
    glance = life.glances(noise.uniform("glances", drive.spans, (3,)), drive.gaze_free)
    turned = motion[:, [CHANNEL["headYaw"], CHANNEL["headPitch"]]]
    motion[:, _GAZE] += glance - _CAMERA_HOLD * turned
    rate = drive.blinks * (drive.emotion @ blink_factors())
    lids = life.blinks(noise.uniform("blinks", drive.spans, (3,)), rate)
    motion[:, _SQUINT] += 0.03 * np.maximum(unrest, 0.0)[:, None]
    motion[:, _BLINK] += (1.0 - motion[:, _BLINK]) * lids
    motion[:, _WIDE] *= 1.0 - lids
    motion[:, _SQUINT] *= 1.0 - 0.5 * lids


def _stress(features: AudioFeatures) -> F32:
    """Return -1..1 [F]: how much louder a frame is than its second, over a syllable."""
    hops = features.spectrum.reshape(-1, HOPS, len(MEASURES))
    loud = np.clip(hops[:, :, MEASURE["level"]].max(1) + 30.0, 0.0, None) / 30.0
    stress: F32 = np.tanh(2.5 * (smooth(loud, 3.0) - smooth(loud, 11.0)))
    return stress


def _accent(features: AudioFeatures) -> F32:
    """Return 0..1 [F]: how far the tone lies above its surroundings, 1 at half an octave."""
    voiced = (features.pitch_hz > 0.0).astype(np.float32)
    octaves = np.log2(np.maximum(features.pitch_hz, 1.0)) * voiced
    near, wide = (smooth(octaves, s) / np.maximum(smooth(voiced, s), 1e-3) for s in (3.0, 12.0))
    enough = np.clip(2.0 * smooth(voiced, 3.0), 0.0, 1.0)
    accent: F32 = np.clip(2.0 * (near - wide), 0.0, 1.0) * enough
    return accent
