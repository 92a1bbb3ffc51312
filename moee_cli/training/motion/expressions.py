"""Which emotion a moving face shows, and how strongly: a plain reader of landmarks that is fitted to the teacher.

It looks at where the landmarks of the standard face are on average over some seconds. Speech moves the mouth too; on
average it does so alike in all emotions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.labels import EMOTIONS, SHAPES
from moee_cli.core.types import F32
from moee_cli.training.motion.measures import landmark_fields

F64 = NDArray[np.float64]
_RIDGE = 1e-3
"""Added to the within-class variance, as a share of its mean: landmarks move together, and some hardly at all."""


def posture(motion: F32) -> F64:
    """Return where the landmarks are on average over a performance [F, 52], [2 N] in outer-eye distances from rest.

    Frames with closing lids are left out: a blink is no expression.
    """
    open_eyes = motion[:, :1].max(1) < 0.5
    kept = motion[open_eyes] if open_eyes.any() else motion
    places = np.einsum("s,snd->nd", kept[:, : len(SHAPES)].mean(0), landmark_fields())
    return np.asarray(places, np.float64).ravel()


def amplitude(motion: F32, rest: F64 | None = None) -> float:
    """Return how far the average posture of a performance is from another (the neutral one), in outer-eye distances.

    It is the root mean square over landmarks and both directions.
    """
    away = posture(motion) - (0.0 if rest is None else rest)
    return float(np.sqrt(np.mean(away**2)))


@dataclass(frozen=True, eq=False)
class EmotionReader:
    """Linear discriminant analysis of postures, a class per emotion (Fisher 1936): whitened, the nearest mean wins."""

    whitening: F64
    """[2 N, k]"""
    means: F64
    """[7, k]"""

    @classmethod
    def fitted(cls, motions: Sequence[F32], emotions: Sequence[str]) -> EmotionReader:
        """Return a reader fitted to performances of one emotion each; every one of the seven must be among them."""
        points = np.stack([posture(motion) for motion in motions])
        labels = np.array([EMOTIONS.index(emotion) for emotion in emotions])
        means = np.stack([points[labels == index].mean(0) for index in range(len(EMOTIONS))])
        spread = points - means[labels]
        within = spread.T @ spread / len(points)
        values, vectors = np.linalg.eigh(within)
        whitening = vectors / np.sqrt(values + _RIDGE * max(float(values.mean()), 1e-12))
        return cls(whitening, means @ whitening)

    def tell(self, motion: F32) -> str:
        """Return the emotion of a performance."""
        away = self.means - posture(motion) @ self.whitening
        return EMOTIONS[int((away**2).sum(1).argmin())]

    def accuracy(self, motions: Sequence[F32], emotions: Sequence[str]) -> float:
        """Return the share of performances that are told rightly."""
        told = [self.tell(motion) == emotion for motion, emotion in zip(motions, emotions, strict=True)]
        return float(np.mean(told))


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's correlation of two sequences without ties."""
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def share_between(mixed: F32, parts: Sequence[F32], slack: float = 0.03) -> float:
    """Return which share of the shapes that two parts differ in lies between them in a compound.

    All are performances [F, 52]; shapes are averaged over time. A shape counts where its parts are more than `slack`
    apart, and may pass them by as much.
    """
    means = np.stack([part[:, : len(SHAPES)].mean(0) for part in parts])
    low, high, shown = means.min(0), means.max(0), mixed[:, : len(SHAPES)].mean(0)
    counted = high - low > slack
    inside = (shown >= low - slack) & (shown <= high + slack)
    return float(inside[counted].mean()) if counted.any() else float("nan")
