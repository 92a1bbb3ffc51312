"""What motion is worth, measured on its own coefficients: lips against phones, rest in silence, life.

The same figures hold for the teacher and for what a network samples. Frame j of a curve is the state at j / 25 s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.labels import CHANNEL, SHAPES
from moee_cli.core.timebase import MOTION_FPS
from moee_cli.core.types import F32
from moee_cli.training.motion.phones import CLOSURES, OPEN_VOWELS, Phone

CLOSED_BELOW = 0.1
"""Share of the 95th percentile of a clip's aperture below which lips count as closed."""
WITHIN = 1
"""Frames around a phone in which a closure counts."""
SETTLE_S, LEAD_S = 0.36, 0.24
"""Seconds after and before speech that are not yet silence: the mouth comes to rest, and opens before the sound."""
REST_BELOW = 0.06
"""Share of the 95th percentile of a clip's aperture within which a silent mouth is at rest."""
SETTLED = 40
"""Frames without a change of emotion after which an expression has settled, and its mouth with it."""
STILL_BELOW = 0.012
"""Largest change of any mouth shape from frame to frame in a still mouth, in units of a shape."""

_MOUTH = [CHANNEL[name] for name in SHAPES if name.startswith(("mouth", "jaw"))]


class Performance(NamedTuple):
    """What was done while what was heard and felt."""

    motion: F32
    """[F, 52]"""
    phones: Sequence[Phone]
    emotion: F32
    """[F, 7]"""


@dataclass(frozen=True)
class LipFigures:
    """How lips follow phones, pooled over clips."""

    auc: float
    """Share of (open vowel, closure) pairs of which the vowel is the wider."""
    closed: float
    """Share of p, b, m that close within a frame."""
    falsely: float
    """Share of open vowels in which the lips are closed."""
    lag: int
    """Frames by which the lips are late: where vowels are widest against closures if the phones are moved so far."""
    n_closures: int
    n_vowels: int

    @property
    def contrast(self) -> float:
        """Closure contrast."""
        return self.closed - self.falsely


def aperture(motion: F32) -> F32:
    """Return how far the lips are apart, [F], from motion [F, 52]; weights: lip travel of the ICT-FaceKit shapes."""
    jaw, close = motion[:, CHANNEL["jawOpen"]], motion[:, CHANNEL["mouthClose"]]
    lower = motion[:, [CHANNEL["mouthLowerDownLeft"], CHANNEL["mouthLowerDownRight"]]].mean(1)
    upper = motion[:, [CHANNEL["mouthUpperUpLeft"], CHANNEL["mouthUpperUpRight"]]].mean(1)
    return np.asarray(np.maximum(jaw - close, 0.0) + 0.12 * lower + 0.2 * upper, np.float32)


def lip_figures(performances: Iterable[Performance], *, shift_s: float = 0.0) -> LipFigures:
    """Return how the lips of all performances follow their phones; with phones moved by `shift_s` it must be chance."""
    curves = [(aperture(one.motion), _moved(one.phones, shift_s)) for one in performances]
    return lip_figures_of(curves)


def lip_figures_of(curves: Sequence[tuple[F32, Sequence[Phone]]]) -> LipFigures:
    """Return the figures of opening curves [F] at 25 Hz, such as a face tracker reads from a video."""
    closed, falsely = [], []
    for curve, phones in curves:
        limit = CLOSED_BELOW * float(np.percentile(curve, 95)) if len(curve) else 0.0
        for phone in phones:
            if phone.name in CLOSURES | OPEN_VOWELS:
                first, last = round(phone.start * MOTION_FPS), round(phone.stop * MOTION_FPS)
                if phone.name in CLOSURES:
                    seen = curve[max(first - WITHIN, 0) : last + WITHIN + 1]
                    closed += [bool(seen.min() <= limit)] if len(seen) else []
                else:
                    seen = curve[first : max(last, first + 1)]
                    falsely += [bool(seen.max() <= limit)] if len(seen) else []
    vowels, closures = _openings(curves, 0.0)
    return LipFigures(auc(vowels, closures), _mean(closed), _mean(falsely), _lag(curves), len(closed), len(falsely))


def silent_frames(phones: Sequence[Phone], n_frames: int) -> NDArray[np.bool_]:
    """Return which frames lie in silence, away from speech on both sides."""
    silent = np.ones(n_frames, np.bool_)
    for phone in phones:
        if phone.name != "silence":
            first, last = int((phone.start - LEAD_S) * MOTION_FPS), int((phone.stop + SETTLE_S) * MOTION_FPS)
            silent[max(0, first) : last + 1] = False
    return silent


def settled_frames(emotion: F32) -> NDArray[np.bool_]:
    """Return on which frames the emotion has been the same for `SETTLED` frames, or from the start on."""
    changed = np.abs(np.diff(emotion, axis=0, prepend=emotion[:1])).max(1) > 1e-3
    since = np.arange(len(emotion)) - np.maximum.accumulate(np.where(changed, np.arange(len(emotion)), -SETTLED))
    return np.asarray(since >= SETTLED)


def share_at_rest(performances: Iterable[Performance]) -> float:
    """Return in which share of silent frames the mouth is at rest and still, while the emotion stays the same.

    At rest: as far open as it mostly is in the clip's silence while this emotion lasts, within `REST_BELOW`: an emotion
    may hold the mouth open.
    """
    good, total = 0, 0
    for one in performances:
        counted = silent_frames(one.phones, len(one.motion)) & settled_frames(one.emotion)
        counted[0] = False
        opening = aperture(one.motion)
        allowed = REST_BELOW * max(float(np.percentile(opening, 95)), 0.2)
        way = np.abs(np.diff(one.motion[:, _MOUTH], axis=0, prepend=one.motion[:1, _MOUTH])).max(1)
        for weights in np.unique(one.emotion[counted].round(2), axis=0):
            same = counted & (np.abs(one.emotion - weights).max(1) < 0.01)
            usual = float(np.median(opening[same])) if same.any() else 0.0
            good += int(((np.abs(opening - usual) <= allowed) & (way <= STILL_BELOW))[same].sum())
            total += int(same.sum())
    return good / total if total else float("nan")


def liveliness(motion: F32) -> F32:
    """Return how much a face moves within itself from frame to frame, [F - 1], thousandths of the outer eye distance.

    It is the mean way of the landmarks of the standard face that the shapes move; head motion is left out.
    """
    way = np.einsum("fs,snd->fnd", np.diff(motion[:, : len(SHAPES)], axis=0), landmark_fields())
    return np.asarray(1000.0 * np.sqrt((way**2).sum(2)).mean(1), np.float32)


@cache
def landmark_fields() -> F32:
    """Return how far each shape at 1 moves the landmarks of the standard face, [44, N, 2] in outer-eye distances."""
    from moee_cli.face.basis import Sites, Slits, shape_fields
    from moee_cli.face.canonical import template_points

    indices, places = template_points()
    at = dict(zip(indices, places, strict=True))

    def line(*names: int) -> F32:
        return np.asarray([at[name] for name in names], np.float32)

    left = (line(362, 385, 387, 263), line(362, 373, 373, 263))
    right = (line(33, 160, 158, 133), line(33, 144, 153, 133))
    slits = Slits(line(78, 13, 308), (left, right))
    above, below = (shape_fields(Sites.at(places, slits, lips=side, lids=side)) for side in ("above", "below"))
    lower = np.isin(indices, (14, 84, 314, 17, 144, 373, 153, 152, 148, 377, 176, 400, 149, 378, 150, 379))
    return np.asarray(np.where(lower[None, :, None], below, above), np.float32)


def _openings(
    curves: Sequence[tuple[F32, Sequence[Phone]]], shift_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean opening over the middle half of every open vowel and of every closure, phones moved."""
    found: dict[bool, list[float]] = {True: [], False: []}
    for curve, phones in curves:
        times = np.arange(len(curve)) / MOTION_FPS
        for phone in _moved(phones, shift_s):
            if phone.name in CLOSURES | OPEN_VOWELS and phone.stop <= len(curve) / MOTION_FPS:
                quarter = 0.25 * (phone.stop - phone.start)
                middle = np.linspace(phone.start + quarter, phone.stop - quarter, 9)
                found[phone.name in CLOSURES].append(float(np.interp(middle, times, curve).mean()))
    return np.asarray(found[False]), np.asarray(found[True])


def _lag(curves: Sequence[tuple[F32, Sequence[Phone]]]) -> int:
    """Return by how many frames, -4..4, phones must be moved for the greatest difference of vowels and closures."""
    apart = {}
    for lag in range(-4, 5):
        vowels, closures = _openings(curves, lag / MOTION_FPS)
        apart[lag] = float(vowels.mean() - closures.mean()) if len(vowels) and len(closures) else 0.0
    return max(sorted(apart, key=abs), key=lambda lag: apart[lag])


def auc(above: NDArray[np.float64], below: NDArray[np.float64]) -> float:
    """Return the share of pairs in which the first is the larger, ties counting half; nan without pairs."""
    if not len(above) or not len(below):
        return float("nan")
    ordered = np.sort(below)
    lower, upper = np.searchsorted(ordered, above, "left"), np.searchsorted(ordered, above, "right")
    return float((lower + upper).mean() / 2 / len(below))


def _moved(phones: Sequence[Phone], seconds: float) -> list[Phone]:
    return [phone.moved(seconds) for phone in phones if phone.start + seconds >= 0.0]


def _mean(values: Sequence[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")
