"""Other rooms, microphones and lines: the voice stays in time, and phones follow its speed."""

import numpy as np
import pytest

from moee_cli.training.motion import augment
from moee_cli.training.motion.augment import CODECS, augmented, respeeded, through_codec
from moee_cli.training.motion.recording import joined

CHANGES = (augment.noisy, augment.in_room, augment.band_limited, augment.with_music, augment.overdriven, augment.coded)


def delay(before, after):
    """Return by how many samples `after` lags behind, from its envelope's correlation."""
    size = 1 << (2 * len(before)).bit_length()
    product = np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size))
    lag = int(np.argmax(np.fft.irfft(product, size)))
    return lag if lag < size // 2 else lag - size


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_no_change_delays_the_voice(recording, change):
    samples = recording().samples
    changed = change(samples, np.random.default_rng(0))
    assert changed.dtype == np.float32
    assert len(changed) == len(samples)
    assert not np.array_equal(changed, samples)
    assert abs(delay(samples, changed)) <= 32


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: f"{codec[1]}-{codec[2]}")
def test_codecs_keep_time(recording, codec):
    samples = recording().samples
    coded = through_codec(samples, *codec)
    assert np.corrcoef(samples, coded)[0, 1] > 0.9


def test_phones_follow_the_speed(recording):
    slow, fast = recording(), respeeded(recording(), 1.25)
    assert fast.seconds == pytest.approx(slow.seconds / 1.25, abs=1e-3)
    for before, after in zip(slow.phones, fast.phones, strict=True):
        assert after.start == pytest.approx(before.start / 1.25)


def test_one_generator_one_sound(recording):
    first, second = (augmented(recording(), np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first.samples, second.samples)
    assert first.phones == second.phones


def test_everything_stays_finite_and_within_full_scale(recording):
    for seed in range(12):
        samples = augmented(recording(0.8), np.random.default_rng(seed)).samples
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() <= 1.0


def test_recordings_are_joined_with_their_phones(recording):
    one = recording(1.5)
    both = joined([one, one], [0.25, 0.5, 0.25])
    assert both.seconds == pytest.approx(4.0)
    assert both.phones[0].start == pytest.approx(one.phones[0].start + 0.25)
    assert both.phones[len(one.phones)].start == pytest.approx(one.phones[0].start + 0.25 + 1.5 + 0.5)
    assert np.all(both.samples[: 16_000 // 4] == 0.0)
