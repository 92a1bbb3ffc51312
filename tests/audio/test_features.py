from __future__ import annotations

import numpy as np
import pytest

from moee_cli.audio.features import HOPS, MEASURE, MEASURES, extract_features, silence

RATE = 16_000
LINE = [(".", 0.4), ("m", 0.08), ("a", 0.2), ("s", 0.12), ("i", 0.2), ("b", 0.08), ("a", 0.2), (".", 0.52)]
N_LINE = 45  # 1.8 s


def hops(features, name):
    return features.spectrum.reshape(-1, len(MEASURES))[:, MEASURE[name]]


def columns(features):
    return (features.log_mel, features.energy_db, features.pitch_hz, features.spectrum)


def tone(hz, seconds, amplitude=0.1):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.mark.parametrize("n_motion", [0, 1, 3, 45, 400])
def test_exact_length_and_types_whatever_the_samples(say, n_motion):
    features = extract_features([say(LINE)], n_motion)
    assert [array.shape for array in columns(features)] == [
        (n_motion, HOPS, 80), (n_motion,), (n_motion,), (n_motion, HOPS * len(MEASURES)),
    ]  # fmt: skip
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in columns(features))


def test_block_sizes_do_not_matter(say):
    wave = say(LINE)
    whole = extract_features([wave], N_LINE)
    for size in (1, 333, 7000):
        parts = extract_features((wave[i : i + size] for i in range(0, len(wave), size)), N_LINE)
        for one, other in zip(columns(whole), columns(parts), strict=True):
            np.testing.assert_array_equal(one, other)


def test_long_audio_is_read_once_and_in_order(say):
    block = say(LINE)
    served = []

    def blocks():
        for index in range(40):
            served.append(index)
            yield block

    features = extract_features(blocks(), 40 * N_LINE)
    assert served == list(range(40))
    first, last = features[:N_LINE], features[39 * N_LINE :]
    np.testing.assert_allclose(last.energy_db[5:], first.energy_db[5:], atol=1e-3)


def test_frame_describes_the_instant_at_its_number_over_25():
    wave = np.zeros(RATE, np.float32)
    wave[10 * 640 - 40 : 10 * 640 + 40] = tone(1000, 0.005)
    energy = extract_features([wave], 25).energy_db
    assert energy.argmax() == 10
    np.testing.assert_allclose(energy[9], energy[11], atol=0.5)


def test_level_is_relative_to_full_scale():
    features = extract_features([tone(440, 1, amplitude=1.0)], 25)
    assert features.energy_db[12] == pytest.approx(-3.01, abs=0.05)


def test_mel_bands_follow_frequency():
    peaks = [extract_features([tone(hz, 0.4)], 10).log_mel[5, 1].argmax() for hz in (200, 500, 1000, 3000, 7000)]
    assert peaks == sorted(set(peaks))
    assert peaks[2] == pytest.approx(27, abs=1)  # 1 kHz is mel 15 of 45.2 in 80 bands


@pytest.mark.parametrize("pitch", [85, 130, 220, 400])
def test_pitch_of_a_voice(say, pitch):
    found = extract_features([say([("a", 1.0)], pitch=pitch)], 25).pitch_hz
    np.testing.assert_allclose(found[2:-2], pitch, rtol=0.02)


def test_pitch_under_noise_and_none_without_voice(say):
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    noisy = say([("a", 1.0)], pitch=150) + 0.03 * noise  # 10 dB
    np.testing.assert_allclose(extract_features([noisy], 25).pitch_hz[2:-2], 150, rtol=0.03)
    assert np.count_nonzero(extract_features([0.1 * noise], 25).pitch_hz) == 0


def test_digital_silence_is_what_silence_says():
    for one, other in zip(
        columns(silence(30)), columns(extract_features([np.zeros(30 * 640, np.float32)], 30)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_lead_and_tail_continue_the_recording(say):
    wave = say([("a", 1.0), ("i", 1.0), ("a", 1.0)])
    whole = extract_features([wave], 75)
    part = extract_features([wave[25 * 640 : 50 * 640]], 25, lead=wave[: 25 * 640], tail=wave[50 * 640 :])
    alone = extract_features([wave[25 * 640 : 50 * 640]], 25)
    np.testing.assert_allclose(part.pitch_hz, whole.pitch_hz[25:50], rtol=1e-3)
    np.testing.assert_allclose(part.energy_db, whole.energy_db[25:50], atol=1e-4)
    assert abs(alone.energy_db[0] - whole.energy_db[25]) > 1.0


def test_short_lead_and_missing_samples_count_as_zero(say):
    wave = say([("a", 0.5)])
    given = extract_features([wave], 25, lead=np.zeros(3, np.float32), tail=np.empty(0, np.float32))
    for one, other in zip(columns(given), columns(extract_features([wave], 25)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_activity_is_speech_alone(say):
    activity = hops(extract_features([say(LINE)], N_LINE), "activity").reshape(N_LINE, HOPS)
    assert activity[11:32].min() > 0.5
    assert activity[:7].max() == 0.0
    assert activity[37:].max() == 0.0


def noise_of(kind):
    white = np.random.default_rng(1).standard_normal(4 * RATE)
    if kind == "brown":
        return 1e-3 * np.cumsum(white)
    if kind == "click":
        return np.eye(1, 4 * RATE, 2 * RATE)[0]
    if kind == "hum":
        return tone(50, 4) + 0.002 * white
    return {"loud": 0.2, "hiss": 1e-3}[kind] * white


@pytest.mark.parametrize("kind", ["loud", "hiss", "brown", "hum", "click"])
def test_noise_is_not_speech(kind):
    features = extract_features([noise_of(kind).astype(np.float32)], 100)
    assert hops(features, "activity").max() == 0.0


@pytest.mark.parametrize("gain", [0.01, 0.1, 3.0])
def test_measures_do_not_depend_on_loudness(say, gain):
    wave = say(LINE)
    plain, scaled = extract_features([wave], N_LINE), extract_features([gain * wave], N_LINE)
    np.testing.assert_allclose(hops(scaled, "level"), hops(plain, "level"), atol=1.0)
    np.testing.assert_allclose(hops(scaled, "activity"), hops(plain, "activity"), atol=0.1)
    heard = plain.log_mel > -5.0
    np.testing.assert_allclose(scaled.log_mel[heard], plain.log_mel[heard], atol=0.1)


def test_offset_changes_nothing(say):
    wave = np.tile(say(LINE), 2)
    np.testing.assert_allclose(
        extract_features([wave + 0.4], 2 * N_LINE).spectrum[3:-3],
        extract_features([wave], 2 * N_LINE).spectrum[3:-3],
        atol=0.1,
    )


def test_unusable_samples_do_no_harm(say):
    wave = say(LINE)
    wave[1000:1040] = np.nan
    wave[2000] = np.inf
    wave[3000] = -1e30
    assert all(np.isfinite(array).all() for array in columns(extract_features([wave], N_LINE)))


def test_parts_and_slices_join(say):
    whole = extract_features([say(LINE)], N_LINE)
    joined = type(whole).join([whole[:10], whole[10:]])
    for one, other in zip(columns(whole), columns(joined), strict=True):
        np.testing.assert_array_equal(one, other)
