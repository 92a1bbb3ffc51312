"""The reader of expressions tells the teacher's emotions, and how strong they are."""

import numpy as np
import pytest

from moee_cli.core.labels import EMOTIONS, EXPERTS
from moee_cli.training.motion.expressions import EmotionReader, amplitude, posture, rank_correlation, share_between
from moee_cli.training.motion.teacher.acting import act


@pytest.fixture
def performances(scene, syllables):
    """Return a function: motions of every emotion that speak, and their names."""

    def make(seeds, intensity=1.0):
        phones = syllables(*("open", "bilabial", "close_front", "sibilant", "mid_back") * 5)
        found = []
        for name in EMOTIONS:
            mix = {} if name == "neutral" else {name: intensity}
            given = scene(phones, 130, mix)
            found += [(act(given, np.random.default_rng([seed, len(name)])), name) for seed in seeds]
        return tuple(zip(*found, strict=True))

    return make


def test_the_six_emotions_are_told_apart(performances):
    motions, names = performances(range(6))
    half, half_names = performances(range(6), 0.6)
    reader = EmotionReader.fitted([*motions, *half], [*names, *half_names])
    assert reader.accuracy(*performances(range(20, 24))) >= 0.95
    assert reader.accuracy(*performances(range(20, 24), 0.5)) >= 0.75


@pytest.mark.parametrize("emotion", EXPERTS)
def test_amplitude_follows_intensity(scene, emotion):
    rest = posture(act(scene((), 150), np.random.default_rng(0)))
    asked = np.linspace(0.1, 1.0, 10)
    shown = [amplitude(act(scene((), 150, {emotion: share}), np.random.default_rng(0)), rest) for share in asked]
    assert rank_correlation(asked, shown) >= 0.95


def test_ranks_are_what_counts():
    assert rank_correlation([1, 2, 3], [1, 10, 1000]) == pytest.approx(1.0)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)


def test_a_compound_is_between_and_a_stranger_is_not(scene):
    def of(mix):
        return act(scene((), 200, mix), np.random.default_rng(1))

    parts = [of({"happiness": 1.0}), of({"surprise": 1.0})]
    assert share_between(of({"happiness": 0.5, "surprise": 0.5}), parts) >= 0.95
    assert share_between(of({"anger": 1.0}), parts) < 0.9
