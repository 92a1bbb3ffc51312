"""Phones to lips, jaw and tongue, with co-articulation; closures reach fully closed lips whatever surrounds them.

Source: Cohen and Massaro, "Modeling coarticulation in synthetic visual speech" (1993): each phone has a target and a
dominance that falls exponentially with distance in time, and a parameter is the mean of the targets weighted by their
dominance. Jaw and lips have dominances and gains of their own, so that one can speak with the jaw or with the lips
(JALI; Edwards, Landreth, Fiume and Singh, SIGGRAPH 2016).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.labels import CHANNEL, N_MOTION
from moee_cli.core.timebase import MOTION_FPS
from moee_cli.core.types import F32
from moee_cli.engines.motion.curves import smooth
from moee_cli.engines.motion.poses import channels
from moee_cli.training.motion.phones import CLASS, CLASSES, CLOSURES, Phone

POSTURES: Mapping[str, Mapping[str, float]] = {
    "silence": {},
    "bilabial": {"jawOpen": 0.07, "mouthPress": 0.16, "mouthRollLower": 0.13, "mouthRollUpper": 0.09},
    "labiodental": {"jawOpen": 0.095, "mouthRollLower": 0.44, "mouthUpperUp": 0.36, "mouthShrugLower": 0.08},
    "dental": {"jawOpen": 0.13, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06, "tongueOut": 0.16},
    "sibilant": {"jawOpen": 0.06, "mouthLowerDown": 0.25, "mouthUpperUp": 0.12, "mouthStretch": 0.15},
    "postalveolar": {
        "jawOpen": 0.08, "mouthFunnel": 0.40, "mouthPucker": 0.22, "mouthLowerDown": 0.12, "mouthUpperUp": 0.12,
    },
    "alveolar": {"jawOpen": 0.12, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06},
    "lateral": {"jawOpen": 0.18, "mouthLowerDown": 0.14, "mouthUpperUp": 0.07},
    "velar": {"jawOpen": 0.16, "mouthLowerDown": 0.12, "mouthUpperUp": 0.05},
    "rhotic": {"jawOpen": 0.13, "mouthFunnel": 0.24, "mouthPucker": 0.20, "mouthLowerDown": 0.06},
    "labial_glide": {"jawOpen": 0.09, "mouthFunnel": 0.36, "mouthPucker": 0.78},
    "palatal": {
        "jawOpen": 0.11, "mouthLowerDown": 0.14, "mouthUpperUp": 0.07, "mouthStretch": 0.15, "mouthSmile": 0.10,
    },
    "glottal": {"jawOpen": 0.20, "mouthLowerDown": 0.12, "mouthUpperUp": 0.06},
    "close_front": {
        "jawOpen": 0.15, "mouthLowerDown": 0.18, "mouthUpperUp": 0.10, "mouthStretch": 0.23, "mouthSmile": 0.15,
    },
    "mid_front": {
        "jawOpen": 0.27, "mouthLowerDown": 0.19, "mouthUpperUp": 0.10, "mouthStretch": 0.15, "mouthSmile": 0.08,
    },
    "open_front": {
        "jawOpen": 0.43, "mouthLowerDown": 0.21, "mouthUpperUp": 0.13, "mouthStretch": 0.11, "mouthSmile": 0.05,
    },
    "open": {"jawOpen": 0.46, "mouthLowerDown": 0.20, "mouthUpperUp": 0.12},
    "central": {"jawOpen": 0.23, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06},
    "mid_back": {"jawOpen": 0.31, "mouthFunnel": 0.36, "mouthPucker": 0.44},
    "close_back": {"jawOpen": 0.16, "mouthFunnel": 0.40, "mouthPucker": 0.72},
    "front_rounded": {"jawOpen": 0.16, "mouthFunnel": 0.42, "mouthPucker": 0.64},
}  # fmt: skip
"""Target of each class, ARKit shapes; a name without side means both. Amounts as in `poses.SPEECH_POSES`, which were
judged on rendered portraits; more classes of vowels and consonants between them."""

GROUPS = ("jaw", "lips", "rounding", "tongue")
_STRENGTHS: Mapping[str, tuple[float, float, float, float]] = {
    "silence": (0.70, 0.70, 0.35, 1.0), "bilabial": (0.55, 0.55, 0.06, 1.0), "labiodental": (1.30, 1.10, 0.10, 1.0),
    "dental": (0.70, 0.40, 0.06, 1.5), "sibilant": (1.70, 0.80, 0.20, 1.0), "postalveolar": (1.50, 0.90, 1.10, 1.0),
    "alveolar": (0.70, 0.28, 0.04, 1.0), "lateral": (0.55, 0.28, 0.04, 1.0), "velar": (0.35, 0.14, 0.03, 1.0),
    "rhotic": (0.60, 0.40, 0.50, 1.0), "labial_glide": (0.90, 0.90, 1.80, 1.0), "palatal": (0.70, 0.50, 0.30, 1.0),
    "glottal": (0.12, 0.08, 0.02, 0.5), "close_front": (0.90, 1.00, 0.80, 0.6), "mid_front": (1.00, 0.90, 0.60, 0.6),
    "open_front": (1.35, 1.00, 0.60, 0.6), "open": (1.40, 1.00, 0.50, 0.6), "central": (0.60, 0.45, 0.20, 0.6),
    "mid_back": (1.10, 0.90, 1.20, 0.6), "close_back": (0.90, 0.90, 1.50, 0.6),
    "front_rounded": (0.90, 0.90, 1.50, 0.6),
}  # fmt: skip
"""Height of the dominance for jaw, lips, rounding, tongue. Where a consonant does not need a part (the jaw in `h`, the
lips in `k`), its neighbours decide; teeth that must meet (s, sh) and rounding that makes a sound (w, u) insist."""
_FADES_S: Mapping[str, tuple[float, float]] = {
    "jaw": (0.075, 0.065), "lips": (0.060, 0.050), "rounding": (0.130, 0.075), "tongue": (0.045, 0.045),
}  # fmt: skip
"""Seconds over which dominance falls to 1/e: before a phone (anticipation) and after it (carry-over). Rounding is in
sight long before it is heard (Lubker and Gay, JASA 1982); in Cohen and Massaro all are of this order (rate 0.03/ms)."""
_CORE = 0.3
"""Share of a phone at either end in which its neighbours already have a say."""

_RATE = 100
"""Computed at 100 Hz, then read at the motion frames."""
_CLOSE_S, _PART_S = 0.065, 0.075
"""Seconds the lips take to meet before a closure and to part after it (Löfqvist and Gracco, "Lip and jaw kinematics in
bilabial stop consonant production", JSLHR 1997: some 60 to 90 ms)."""
_HELD = 0.72
"""Share of a bilabial in which the lips stay shut; the rest is its release."""
_BITES, _BITTEN = frozenset({"labiodental"}), 0.85
"""Phones in which the lower lip is at the teeth, and the share of them in which it stays there."""
_BITE_S = 0.060
"""Seconds in which the lower lip comes to the teeth and leaves them."""
_JOINED_S = 0.28
"""Pauses up to this length are spoken through; in longer ones the mouth comes to rest."""

_JAW, _ROUND, _TONGUE = [CHANNEL["jawOpen"]], channels("mouthFunnel", "mouthPucker"), [CHANNEL["tongueOut"]]
_SPREAD = channels("mouthStretch", "mouthSmile")
_LEFT, _RIGHT = (
    [CHANNEL[f"{name}{side}"] for name in ("mouthLowerDown", "mouthUpperUp", "mouthStretch", "mouthSmile")]
    for side in ("Left", "Right")
)
_SEAL = channels("mouthPress", "mouthRollLower", "mouthRollUpper")


@dataclass(frozen=True)
class Manner:
    """How one speaker speaks in one take; 1 is ordinary."""

    jaw: float = 1.0
    lips: float = 1.0
    rounding: float = 1.0
    pressing: float = 1.0
    haste: float = 1.0
    """Factor on the time over which dominance falls: more makes speech slurred."""
    skew: float = 0.0
    """How much further the left half of the mouth goes than the right, as a share; no mouth is even."""
    lead_s: float = 0.14
    """Seconds by which the mouth opens before the first sound (100 to 300 ms: Chandrasekaran et al., PLoS CB 2009)."""
    settle_s: float = 0.24
    """Seconds in which it comes to rest after the last."""


@dataclass(frozen=True)
class Mouthing:
    """What the phones ask of the mouth, per motion frame."""

    spoken: F32
    """[F, 52]"""
    closed: F32
    """[F] 1: the lips are shut."""
    bitten: F32
    """[F] 1: the lower lip is at the upper teeth."""
    saying: F32
    """[F] 1: the mouth belongs to speech; 0: it is at rest."""


def manner_of(generator: np.random.Generator) -> Manner:
    """Return how somebody speaks today."""
    jaw, lips, rounding, pressing = np.exp(generator.normal((-0.07, 0.0, 0.0, 0.0), (0.12, 0.11, 0.08, 0.25)))
    return Manner(
        jaw=float(jaw),
        lips=float(lips),
        rounding=float(np.clip(rounding, 0.85, 1.18)),
        pressing=float(np.clip(pressing, 0.6, 1.7)),
        haste=float(np.exp(generator.normal(0.0, 0.12))),
        skew=float(generator.normal(0.0, 0.06)),
        lead_s=float(generator.uniform(0.10, 0.19)),
        settle_s=float(generator.uniform(0.18, 0.32)),
    )


def articulate(phones: Sequence[Phone], n_frames: int, manner: Manner) -> Mouthing:
    """Return the mouth of `n_frames` motion frames; frame j is the state at j / 25 s."""
    spoken_phones = [phone for phone in phones if phone.name != "silence"]
    if not spoken_phones or not n_frames:
        nothing = np.zeros(n_frames, np.float32)
        return Mouthing(np.zeros((n_frames, N_MOTION), np.float32), nothing, nothing, nothing)
    every = _RATE // MOTION_FPS
    times = np.arange(n_frames * every) / _RATE
    posture = _blended(_with_pauses(phones, n_frames / MOTION_FPS), times, manner)
    gate = _gate(spoken_phones, times, manner)
    spoken = smooth(np.asarray(posture * gate[:, None], np.float32), 1.5)[::every].copy()
    saying = np.asarray(gate[::every], np.float32)
    closed = _contacts(spoken_phones, CLOSURES, times, (_CLOSE_S, _PART_S), _HELD)
    bitten = _contacts(spoken_phones, _BITES, times, (_BITE_S, _BITE_S), _BITTEN)
    return _with_contacts(Mouthing(spoken, closed, bitten, saying), manner)


@cache
def _tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return targets [classes, 52] and dominances [classes, groups]."""
    targets = np.zeros((len(CLASSES), N_MOTION))
    for row, name in enumerate(CLASSES):
        for shape, amount in POSTURES[name].items():
            targets[row, channels(shape)] = amount
    return targets, np.array([_STRENGTHS[name] for name in CLASSES])


def _with_pauses(phones: Sequence[Phone], end: float) -> list[Phone]:
    """Return the phones with silences in every gap of more than 30 ms, so that each instant belongs to one."""
    filled, at = [], 0.0
    for phone in phones:
        if phone.start - at > 0.03:
            filled.append(Phone("silence", at, phone.start))
        filled.append(phone)
        at = max(at, phone.stop)
    if end - at > 0.03:
        filled.append(Phone("silence", at, end))
    return filled


def _blended(phones: Sequence[Phone], times: NDArray[np.float64], manner: Manner) -> NDArray[np.float64]:
    """Return the posture at each time [T, 52]: targets weighted by dominance, group by group."""
    targets, strengths = _tables()
    kinds = np.array([CLASS[phone.name] for phone in phones])
    start = np.array([phone.start for phone in phones])
    stop = np.array([phone.stop for phone in phones])
    core = _CORE * (stop - start)
    before = np.maximum(start + core - times[:, None], 0.0)
    after = np.maximum(times[:, None] - (stop - core), 0.0)
    posture = np.zeros((len(times), N_MOTION))
    lips = [column for column in range(N_MOTION) if column not in (*_JAW, *_ROUND, *_TONGUE)]
    gains = (manner.jaw, manner.lips, manner.rounding, 1.0)
    for group, (name, columns) in enumerate(zip(GROUPS, (_JAW, lips, _ROUND, _TONGUE), strict=True)):
        ahead, behind = (manner.haste * fade for fade in _FADES_S[name])
        dominance = strengths[kinds, group] * np.exp(-before / ahead - after / behind) + 1e-12
        share = dominance / dominance.sum(1, keepdims=True)
        posture[:, columns] = gains[group] * (share @ targets[kinds][:, columns])
    posture[:, _LEFT] *= 1.0 + manner.skew
    posture[:, _RIGHT] *= 1.0 - manner.skew
    return posture


def _gate(phones: Sequence[Phone], times: NDArray[np.float64], manner: Manner) -> NDArray[np.float64]:
    """Return 0..1 [T]: 1 while somebody speaks, 0 in longer pauses, opening before the sound and closing after it."""
    spans = [[phones[0].start, phones[0].stop]]
    for phone in phones[1:]:
        if phone.start - spans[-1][1] > _JOINED_S:
            spans.append([phone.start, phone.stop])
        spans[-1][1] = max(spans[-1][1], phone.stop)
    gate = np.zeros(len(times))
    for start, stop in spans:
        rise = _ramp((times - start + manner.lead_s) / (manner.lead_s + 0.02))
        fall = _ramp((stop + manner.settle_s - times) / manner.settle_s)
        gate = np.maximum(gate, rise * fall)
    return gate


def _contacts(
    phones: Sequence[Phone],
    kinds: frozenset[str],
    times: NDArray[np.float64],
    ramps: tuple[float, float],
    held: float,
) -> F32:
    """Return 0..1 [F] at the motion frames: 1 while a phone of these kinds holds, with ramps (s) before and after.

    A closure may fall between two frames; it would be half a closure, and the eye sees that. So each is complete at
    least on the frame nearest to its middle.
    """
    contact, every = np.zeros(len(times)), _RATE // MOTION_FPS
    chosen = [phone for phone in phones if phone.name in kinds]
    for phone in chosen:
        stop = phone.start + held * (phone.stop - phone.start)
        near = slice(*np.searchsorted(times, (phone.start - ramps[0], stop + ramps[1])))
        rise = _ramp(1.0 - (phone.start - times[near]) / ramps[0])
        fall = _ramp(1.0 - (times[near] - stop) / ramps[1])
        contact[near] = np.maximum(contact[near], rise * fall)
    complete = np.asarray(contact[::every], np.float32).copy()
    for phone in chosen:
        frame = round((phone.start + 0.5 * held * (phone.stop - phone.start)) * MOTION_FPS)
        if 0 <= frame < len(complete):
            complete[frame] = 1.0
    return complete


def _with_contacts(mouthing: Mouthing, manner: Manner) -> Mouthing:
    """Return the mouthing with lips pressed where they are shut, and the lower lip drawn in at the teeth."""
    targets, _ = _tables()
    spoken, closed, bitten = mouthing.spoken, mouthing.closed[:, None], mouthing.bitten[:, None]
    seal = manner.pressing * targets[CLASS["bilabial"], _SEAL]
    spoken[:, _SEAL] += closed * (seal - spoken[:, _SEAL])
    rounding = spoken[:, _ROUND].copy()
    bite = np.asarray(targets[CLASS["labiodental"]], np.float32)
    spoken += bitten * (bite - spoken)
    spoken[:, _ROUND] = rounding * (1.0 - 0.6 * bitten)
    # Lips that come forward cannot spread at the same time.
    narrow = np.clip(1.5 * spoken[:, [CHANNEL["mouthPucker"]]], 0.0, 1.0)
    spoken[:, _SPREAD] *= 1.0 - narrow
    return mouthing


def _ramp(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a smooth step of a share clipped to 0..1."""
    share = np.clip(share, 0.0, 1.0)
    step: NDArray[np.float64] = share * share * (3.0 - 2.0 * share)
    return step
