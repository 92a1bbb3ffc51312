"""The clock rounds in one direction, everywhere."""

from fractions import Fraction

import pytest

from moee_cli.core import timebase as tb

RATES = [Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60000, 1001), Fraction(12)]


@pytest.mark.parametrize("fps", RATES)
def test_frames_and_samples_agree_both_ways(fps):
    for frame in (0, 1, 2, 7, 1001, 269_999):
        assert tb.frames_of_samples(tb.sample_of_frame(frame, fps), fps) == frame


@pytest.mark.parametrize("fps", RATES)
def test_samples_of_neighbouring_frames_differ_by_at_most_one(fps):
    lengths = {tb.sample_of_frame(n + 1, fps) - tb.sample_of_frame(n, fps) for n in range(3000)}
    assert max(lengths) - min(lengths) <= 1


def test_halves_round_up():
    assert [tb.round_half_up(Fraction(n, 2)) for n in (1, 3, 5, -1)] == [1, 2, 3, 0]


def test_covering_is_never_too_short():
    assert tb.frames_covering(Fraction(1, 25), Fraction(25)) == 1
    assert tb.frames_covering(Fraction(1, 25) + Fraction(1, 10**9), Fraction(25)) == 2
    assert tb.max_piece_frames(Fraction(30000, 1001)) == 299
