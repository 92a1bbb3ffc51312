"""Emotion weights for every motion frame: keyframes, intensity, and crossfades where segments blend.

All curves are raised cosines: expressions start and end slowly, and rows stay on the simplex because every step is a
convex combination.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.timebase import MOTION_FPS
from moee_cli.core.types import F32, EmotionKey, Segment, Timeline, TransitionKind

Times = NDArray[np.float64]


def fold_intensity(key: EmotionKey) -> NDArray[np.float64]:
    """Return weights [7] with all that is not neutral scaled by the intensity, the rest given to neutral."""
    weights = np.asarray(key.weights, np.float64) * key.intensity
    weights[0] = 1.0 - weights[1:].sum()
    return weights


def ease(share: Times) -> Times:
    """Return the raised cosine of a share 0..1, clamped outside."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0.0, 1.0)))


def key_seconds(key: EmotionKey, segment: Segment) -> float:
    """Return when a key is reached, in seconds from the segment's first frame; `at` counts from its first sample."""
    if isinstance(key.at, Fraction):
        return float(segment.pad + key.at)
    return float(segment.pad) + key.at * float(segment.seconds - segment.pad)


def segment_weights(segment: Segment, times: Times) -> NDArray[np.float64]:
    """Return the segment's own weights [len(times), 7]; before its first and after its last key they hold."""
    keys = sorted(segment.emotion, key=lambda key: key_seconds(key, segment))
    values = fold_intensity(keys[0])[None].repeat(len(times), axis=0)
    for earlier, later in pairwise(keys):
        begin, end = key_seconds(earlier, segment), key_seconds(later, segment)
        share = ease((times - begin) / (end - begin)) if end > begin else (times >= end).astype(np.float64)
        values += share[:, None] * (fold_intensity(later) - fold_intensity(earlier))
    return values


def emotion_track(timeline: Timeline, index: int, start: int, stop: int) -> F32:
    """Return emotion weights float32 [stop - start, 7] for motion frames [start, stop) of segment `index`.

    Frames count from the segment's first sample; rows sum to 1. Across a blend the weights of both sides are mixed
    with a raised cosine centred on the join. Depends on the segment and the two beside it only.
    """
    segment = timeline.segments[index]
    times = np.arange(start, stop) / MOTION_FPS
    values = segment_weights(segment, times)
    if segment.transition is TransitionKind.BLEND and index:
        before = timeline.segments[index - 1]
        width = float(segment.transition_frames / timeline.fps)
        share = _crossfade(times, 0.0, width)
        values = share * values + (1 - share) * segment_weights(before, times + float(before.seconds))
    if index + 1 < len(timeline.segments):
        after = timeline.segments[index + 1]
        if after.transition is TransitionKind.BLEND:
            width = float(after.transition_frames / timeline.fps)
            share = _crossfade(times, float(segment.seconds), width)
            values = (1 - share) * values + share * segment_weights(after, times - float(segment.seconds))
    return values.astype(np.float32)


def _crossfade(times: Times, centre: float, width: float) -> Times:
    """Share [T, 1] of the later side."""
    if width <= 0:
        return np.asarray((times >= centre)[:, None], np.float64)
    return ease((times - centre) / width + 0.5)[:, None]
