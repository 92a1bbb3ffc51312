from __future__ import annotations

import numpy as np
import pytest

from moee_cli.audio.features import extract_features, silence
from moee_cli.audio.visemes import INPUTS, MOUTH_SHAPES, SHAPE, _table, mouth_shapes

CLOSURES = [(".", 0.4), ("a", 0.2), ("b", 0.08), ("a", 0.2), ("m", 0.08), ("a", 0.2), (".", 0.44)]
BABA = [("a", 0.16), ("b", 0.08)] * 6


def shapes_of(wave):
    return mouth_shapes(extract_features([wave], len(wave) // 640))


def strength(weights, name, start, stop):
    """Mean weight of a shape between two times in seconds."""
    return weights[round(start * 25) : round(stop * 25) + 1, SHAPE[name]].mean()


def test_rows_are_shares(say):
    weights = shapes_of(say(CLOSURES))
    assert weights.dtype == np.float32
    assert weights.min() >= 0.0
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-5)


def test_silence_is_exactly_rest(say):
    for weights in (mouth_shapes(silence(20)), shapes_of(say(CLOSURES))[:6], shapes_of(say(CLOSURES))[-6:]):
        assert (weights[:, SHAPE["rest"]] == 1.0).all()
        assert np.delete(weights, SHAPE["rest"], axis=1).max() == 0.0


def test_nothing_heard_nothing_said():
    assert mouth_shapes(silence(0)).shape == (0, len(MOUTH_SHAPES))


@pytest.mark.parametrize("pitch", [100, 130, 210])
def test_vowels_open_and_closures_close(say, pitch):
    weights = shapes_of(say(CLOSURES, pitch=pitch))
    assert strength(weights, "open", 0.45, 0.55) > 0.6
    assert strength(weights, "open", 0.72, 0.84) > 0.6
    assert weights[16:18, SHAPE["closed"]].max() > 0.6  # b at 0.60..0.68
    assert strength(weights, "open", 0.61, 0.67) < 0.2


def test_each_sound_has_its_shape(say):
    line = [("a", 0.3), ("s", 0.2), ("i", 0.3), ("b", 0.08), ("u", 0.3), ("a", 0.2)]
    weights = shapes_of(say(line))
    assert (weights[9:12].argmax(1) == SHAPE["teeth"]).all()
    vowels = {"a": (0.1, 0.2), "i": (0.6, 0.7), "u": (0.98, 1.08)}
    heard = {
        vowel: {name: strength(weights, name, *times) for name in ("open", "spread", "round")}
        for vowel, times in vowels.items()
    }
    assert max(heard, key=lambda vowel: heard[vowel]["open"]) == "a"
    assert max(heard, key=lambda vowel: heard[vowel]["spread"]) == "i"
    assert max(heard, key=lambda vowel: heard[vowel]["round"]) == "u"


def opening(wave):
    """How much more open the vowels of BABA are than its closures, 0..1."""
    weights = shapes_of(wave)
    times = np.arange(len(weights)) / 25 % 0.24
    vowel, closure = (times > 0.03) & (times < 0.13), times > 0.175
    return weights[vowel, SHAPE["open"]].mean() - weights[closure, SHAPE["open"]].mean()


def band_limited(wave):
    spectrum = np.fft.rfft(wave)
    spectrum[round(3600 / 16000 * len(wave)) :] = 0.0
    return np.fft.irfft(spectrum, len(wave))


@pytest.mark.parametrize(
    "damage",
    [
        lambda wave: 0.003 * wave,
        lambda wave: np.clip(30.0 * wave, -1.0, 1.0),
        band_limited,
        lambda wave: wave + 0.01 * np.random.default_rng(0).standard_normal(len(wave)),  # 20 dB
        lambda wave: wave + 0.3,
        lambda wave: np.round(wave * 128) / 128,  # 8 bit
    ],
    ids=["quiet", "clipped", "telephone", "noisy", "offset", "8 bit"],
)
def test_bad_recordings_still_open_and_close(say, damage):
    assert opening(damage(say(BABA)).astype(np.float32)) > 0.5


def test_shapes_look_four_frames_far_and_no_further(say):
    features = extract_features([say(BABA)], 36)
    whole, part = mouth_shapes(features), mouth_shapes(features[10:30])
    np.testing.assert_allclose(part[4:-4], whole[14:26], atol=1e-6)


def test_table_fits_its_names_and_stays_small():
    assert _table().shape == (len(INPUTS), len(MOUTH_SHAPES))
    assert _table().size < 500
