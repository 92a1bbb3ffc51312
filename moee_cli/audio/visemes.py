"""Features to mouth shapes: which posture of the lips goes with what is heard.

A linear map with softmax (multinomial logistic regression, a few hundred coefficients) reads the 100 Hz measures of
`audio.features`: band levels now and 40 ms before and after, periodicity, flatness, and how deep the sound dips below
its surroundings. The coefficients are the table `visemes.tsv`, made by `benchmarks/fit_visemes.py` from speech with
known phone times; data and held-out figures are in docs/decisions/0006.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from moee_cli.audio.features import BANDS, HOPS, MEASURE, MEASURES, N_BANDS
from moee_cli.core.types import F32, AudioFeatures

F64 = NDArray[np.float64]

MOUTH_SHAPES = ("rest", "closed", "bite", "teeth", "narrow", "mid", "open", "spread", "round")
"""Columns of `mouth_shapes`: silence · p b m · f v · s z sh · n t d k l · schwa · a ae aw · i e · o u w."""
SHAPE = {name: index for index, name in enumerate(MOUTH_SHAPES)}
"""Mouth shape to column."""

_OFFSETS = (-4, 0, 4)
"""Hops at which the band levels are read: 40 ms before, now, 40 ms after."""
_DIP_REACH = 12
"""Hops on either side that a dip is measured against (120 ms, a syllable's half)."""
INPUTS = (
    *(f"{band}@{10 * offset:+d}ms" for offset in _OFFSETS for band in BANDS),
    "periodicity", "flatness", "dip", "dip_formants", "dip_low", "one",
)  # fmt: skip
"""Rows of the table: what the linear map reads, in dB / 10 where it is a level; `one` carries the bias."""


def mouth_shapes(features: AudioFeatures) -> F32:
    """Return the weights of `MOUTH_SHAPES` per motion frame, float32 [F, 9], rows sum to 1; silence is exactly rest.

    A frame depends on the 4 motion frames around it on either side and on nothing else.
    """
    if len(features) == 0:
        return np.empty((0, len(MOUTH_SHAPES)), np.float32)
    hops = features.spectrum.reshape(-1, len(MEASURES)).astype(np.float64)
    weights = hop_shapes(hops)
    frames = weights.reshape(-1, HOPS, len(MOUTH_SHAPES))
    result: F64 = frames.mean(1)
    # A closure lasts two frames at most: its deepest moment counts, or it would never be complete.
    closed = frames[:, :, SHAPE["closed"]].max(1)
    rest = 1.0 - np.maximum(closed, result[:, SHAPE["closed"]])
    others = 1.0 - result[:, SHAPE["closed"]]
    result *= (rest / np.maximum(others, 1e-9))[:, None]
    result[:, SHAPE["closed"]] = closed
    return result.astype(np.float32)


def hop_shapes(hops: F64) -> F64:
    """Return the weights of `MOUTH_SHAPES` for hops [h, MEASURES] of 10 ms, [h, 9], rows sum to 1."""
    logits = table_inputs(hops) @ _table()
    odds = np.exp(logits - logits.max(1, keepdims=True))
    weights: F64 = odds / odds.sum(1, keepdims=True)
    weights *= hops[:, MEASURE["activity"], None]
    weights[:, SHAPE["rest"]] = 1.0 - weights[:, SHAPE["rest"] + 1 :].sum(1)
    return weights


def table_inputs(hops: F64) -> F64:
    """Return what the linear map reads, [h, INPUTS], from hops [h, MEASURES]."""
    reach = max(_OFFSETS)
    padded = np.pad(hops[:, :N_BANDS] / 10.0, ((reach, reach), (0, 0)), mode="edge")
    bands = [padded[reach + offset : reach + offset + len(hops)] for offset in _OFFSETS]
    now = hops[:, :N_BANDS] / 10.0
    level = hops[:, MEASURE["level"]] / 10.0
    dips = [_dip(level), _dip(now[:, 4:9].mean(1)), _dip(now[:, :3].mean(1))]
    sounds = [hops[:, MEASURE["periodicity"]], hops[:, MEASURE["flatness"]]]
    return np.column_stack([*bands, *sounds, *dips, np.ones(len(hops))])


def _dip(level: F64) -> F64:
    """Return how far each hop lies below the lower of the two peaks around it, [h], 0 or less."""
    padded = np.pad(level, _DIP_REACH, mode="edge")
    peaks = sliding_window_view(padded, _DIP_REACH + 1).max(1)
    before, after = peaks[: len(level)], peaks[_DIP_REACH:]
    dip: F64 = level - np.minimum(before, after)
    return dip


@cache
def _table() -> F64:
    """Return the coefficients [INPUTS, MOUTH_SHAPES]."""
    lines = (files("moee_cli.audio") / "visemes.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    names, shapes = tuple(row[0] for row in rows[1:]), tuple(rows[0][1:])
    if names != INPUTS or shapes != MOUTH_SHAPES:
        raise ValueError("visemes.tsv does not fit INPUTS and MOUTH_SHAPES: run benchmarks/fit_visemes.py")
    return np.array([[float(value) for value in row[1:]] for row in rows[1:]])
