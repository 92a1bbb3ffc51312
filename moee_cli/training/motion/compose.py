"""Recordings to clips: lines and pauses, an emotion that may change, controls, a voice over some line, a performance.

The teacher can act any emotion on any speech, so most labels are drawn at random; EmoDB's actors mostly keep their own.
Each line is heard by itself, as in a film, where every segment has its own speech level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from moee_cli.audio.features import extract_features, silence
from moee_cli.core.labels import COMPOUNDS, EMOTIONS, EXPERTS, N_EMOTIONS, weight_vector
from moee_cli.core.timebase import FEATURE_HOP, MOTION_FPS
from moee_cli.core.types import F32, AudioFeatures
from moee_cli.emotion.track import ease
from moee_cli.training.motion.augment import augmented, noisy, with_music
from moee_cli.training.motion.clip import Clip
from moee_cli.training.motion.phones import Phone
from moee_cli.training.motion.recording import Recording, joined
from moee_cli.training.motion.shelf import Shelf
from moee_cli.training.motion.teacher.acting import Scene, act

IDLE_SHARE = 0.04
"""Clips in which nobody speaks: a pause, or a line of noise or music, in which the mouth must rest."""
OWN_EMOTION_SHARE = 0.7
"""Clips of actors that keep what was acted."""
_N_RECORDINGS: Mapping[str, tuple[int, int]] = {
    "emodb": (3, 8), "aligned": (1, 4), "flite": (2, 5), "festival": (2, 5), "espeak": (2, 5),
}  # fmt: skip
"""Recordings in a clip: at least, and below. Together 5 to 16 seconds."""
_LONGEST_S = 16.0
"""Clips end with the recording that passes this."""
_PLANS: Mapping[str, float] = {"neutral": 0.08, "one": 0.42, "compound": 0.22, "keys": 0.28}
"""How often a clip's emotion is neutral, one, a mix, or changes."""


_CHANGING = 0.25
"""Clips in which head, gaze and blinks are told anew for each line; else they stay, as in most films."""


def make_clip(shelf: Shelf, generator: np.random.Generator, *, held_out: bool) -> Clip:
    """Return one clip; everything random in it comes from the generator."""
    if generator.random() < IDLE_SHARE:
        return _idle(generator, held_out=held_out)
    shares = shelf.voices(held_out=held_out)
    source = list(shares)[int(generator.choice(len(shares), p=list(shares.values())))]
    recordings = shelf.take(source, int(generator.integers(*_N_RECORDINGS[source])), generator, held_out=held_out)
    groups = _in_lines(_fitting(recordings), generator)
    keep_own = generator.random() < OWN_EMOTION_SHARE
    parts: list[AudioFeatures] = []
    phones: list[Phone] = []
    speech: list[F32] = []
    felt: list[tuple[float, str]] = []
    for index, group in enumerate(groups):
        if index:
            parts.append(silence(int(generator.integers(8, 50))))
            speech.append(np.zeros(len(parts[-1]), np.float32))
        start = sum(len(part) for part in parts)
        line, begins = _line(group, generator)
        parts.append(extract_features([line.samples], -(-len(line.samples) // FEATURE_HOP)))
        speech.append(np.ones(len(parts[-1]), np.float32))
        phones += [phone.moved(start / MOTION_FPS) for phone in line.phones]
        felt += [
            (start + at * MOTION_FPS, each.emotion) for at, each in zip(begins, group, strict=True) if each.emotion
        ]
    features = AudioFeatures.join(parts)
    own = felt if keep_own and len(felt) == len(recordings[: sum(map(len, groups))]) else []
    emotion = _acted(own, len(features), generator) if own else _planned(len(features), generator)
    voice = recordings[0].voice
    return _performed(features, phones, np.concatenate(speech), emotion, generator, voice=voice, held_out=held_out)


def _performed(
    features: AudioFeatures, phones: Sequence[Phone], speech: F32, emotion: F32, generator: np.random.Generator,
    *, voice: str, held_out: bool,
) -> Clip:  # fmt: skip
    controls = _controls(speech, generator)
    scene = Scene(tuple(phones), features.energy_db, features.pitch_hz, emotion, controls)
    motion = act(scene, generator)
    return Clip(
        features.log_mel,
        features.energy_db,
        features.pitch_hz,
        motion,
        emotion,
        controls,
        tuple(phones),
        voice,
        held_out,
    )


def _fitting(recordings: Sequence[Recording]) -> list[Recording]:
    """Return the first recordings, up to the one that passes the greatest length."""
    kept: list[Recording] = []
    for recording in recordings:
        kept.append(recording)
        if sum(each.seconds for each in kept) > _LONGEST_S:
            break
    return kept


def _in_lines(recordings: Sequence[Recording], generator: np.random.Generator) -> list[list[Recording]]:
    """Return the recordings split into one or more lines."""
    lines = [[recordings[0]]]
    for recording in recordings[1:]:
        if generator.random() < 0.35:
            lines.append([])
        lines[-1].append(recording)
    return lines


def _line(recordings: Sequence[Recording], generator: np.random.Generator) -> tuple[Recording, list[float]]:
    """Return one line, over some room and microphone, and where in it each recording begins, in seconds."""
    gaps = generator.uniform(0.05, 0.9, len(recordings) + 1)
    gaps[[0, -1]] = generator.uniform(0.0, 0.5, 2)
    line = joined(recordings, gaps.tolist())
    lengths = np.array([recording.seconds for recording in recordings])
    begins = np.cumsum(gaps[:-1]) + np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    changed = augmented(line, generator)
    return changed, (begins * changed.seconds / line.seconds).tolist()


def _idle(generator: np.random.Generator, *, held_out: bool) -> Clip:
    """Return a clip in which nobody speaks; half of them hear noise or music in a line."""
    n_frames = int(generator.integers(120, 260))
    features, spoken = silence(n_frames), 0.0
    if generator.random() < 0.5:
        quiet = np.zeros(n_frames * FEATURE_HOP, np.float32)
        quiet[0] = 0.1  # what noise and music are set against
        change = noisy if generator.random() < 0.5 else with_music
        features, spoken = extract_features([change(quiet, generator)], n_frames), 1.0
    speech = np.full(n_frames, spoken, np.float32)
    emotion = _planned(n_frames, generator)
    return _performed(features, (), speech, emotion, generator, voice="nobody", held_out=held_out)


def _controls(speech: F32, generator: np.random.Generator) -> F32:
    """Return the controls [F, 4] around the speech flag [F]; in some clips they change where a line begins."""
    n_frames, often = len(speech), generator.random() < _CHANGING
    begins = np.flatnonzero(np.diff(speech, prepend=0.0) > 0) if often else np.empty(0, np.int64)
    controls = np.empty((n_frames, 4), np.float32)
    controls[:, 0] = speech
    for begin in (0, *begins.tolist()):
        free = float(generator.random() < 0.35)
        controls[begin:, 1:] = _amount(1.0, 1.5, generator), free, _amount(15.0, 30.0, generator)
    return controls


def _amount(usual: float, largest: float, generator: np.random.Generator) -> float:
    """Return the usual amount in four of ten cases, nothing in one of fourteen, else anything up to the largest."""
    chance = generator.random()
    return usual if chance < 0.4 else 0.0 if chance < 0.47 else float(generator.uniform(0.0, largest))


def _planned(n_frames: int, generator: np.random.Generator) -> F32:
    """Return emotion weights [F, 7] that were drawn at random."""
    plan = list(_PLANS)[int(generator.choice(len(_PLANS), p=list(_PLANS.values())))]
    if plan == "keys":
        kinds = [
            ("neutral", "one", "one", "compound")[int(generator.integers(4))]
            for _ in range(1 + int(generator.integers(1, 4)))
        ]
        keys = [
            (float(at), _weights(kind, generator))
            for kind, at in zip(kinds, np.sort(generator.uniform(0, n_frames, len(kinds))), strict=True)
        ]
        return _track(keys, n_frames)
    return _track([(0.0, _weights(plan, generator))], n_frames)


def _weights(kind: str, generator: np.random.Generator) -> F32:
    """Return weights [7] of one kind of a plan, intensity folded in."""
    if kind == "neutral":
        return _scaled({}, 0.0)
    intensity = 1.0 if generator.random() < 0.35 else float(generator.uniform(0.15, 1.0))
    if kind == "one":
        return _scaled({EXPERTS[int(generator.integers(len(EXPERTS)))]: 1.0}, intensity)
    if generator.random() < 0.5:
        return _scaled(list(COMPOUNDS.values())[int(generator.integers(len(COMPOUNDS)))], intensity)
    first, second = generator.choice(len(EXPERTS), 2, replace=False)
    share = float(generator.beta(2.0, 2.0))
    return _scaled({EXPERTS[first]: share, EXPERTS[second]: 1.0 - share}, intensity)


def _scaled(mix: Mapping[str, float], intensity: float) -> F32:
    weights = np.array(weight_vector({name: intensity * share for name, share in mix.items()}), np.float32)
    return np.asarray(weights / weights.sum(), np.float32)


def _track(keys: Sequence[tuple[float, F32]], n_frames: int) -> F32:
    """Return weights [F, 7] that go from key (frame, weights) to key in raised cosines and hold at both ends."""
    frames = np.arange(n_frames, dtype=np.float64)
    track = np.tile(keys[0][1], (n_frames, 1)).astype(np.float64)
    for (begin, before), (end, after) in pairwise(keys):
        track += ease((frames - begin) / max(end - begin, 1.0))[:, None] * (after - before)
    return np.asarray(track / track.sum(1, keepdims=True), np.float32)


def _acted(felt: Sequence[tuple[float, str]], n_frames: int, generator: np.random.Generator) -> F32:
    """Return the weights [F, 7] of what actors acted, (frame, emotion) each; it changes within half a second or so."""
    keys: list[tuple[float, F32]] = []
    for frame, name in felt:
        assert name in EMOTIONS
        intensity = 1.0 if generator.random() < 0.5 else float(generator.uniform(0.4, 1.0))
        weights = _scaled({} if name == "neutral" else {name: 1.0}, intensity)
        if keys:
            half = float(generator.uniform(4.0, 10.0))
            keys += [(frame - half, keys[-1][1]), (frame + half, weights)]
        else:
            keys.append((0.0, weights))
    assert all(len(weights) == N_EMOTIONS for _, weights in keys)
    return _track(keys, n_frames)
