"""Noise depends on its position alone."""

import numpy as np
import pytest

from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import NoiseSpan


def test_any_part_equals_the_whole():
    noise = NoiseSource(7)
    whole = noise.normal("sampler", [NoiseSpan("a", 1, -10, 100)], (3, 2))
    part = noise.normal("sampler", [NoiseSpan("a", 1, 20, 25)], (3, 2))
    np.testing.assert_array_equal(whole[30:35], part)


def test_spans_follow_each_other():
    noise = NoiseSource(7)
    both = noise.uniform("blinks", [NoiseSpan("a", 1, 0, 3), NoiseSpan("b", 1, 0, 2)])
    np.testing.assert_array_equal(both[:3], noise.uniform("blinks", [NoiseSpan("a", 1, 0, 3)]))
    np.testing.assert_array_equal(both[3:], noise.uniform("blinks", [NoiseSpan("b", 1, 0, 2)]))


@pytest.mark.parametrize(
    ("seed", "stream", "span"),
    [(8, "s", ("a", 1)), (7, "t", ("a", 1)), (7, "s", ("b", 1)), (7, "s", ("a", 2)), (7, "sa", ("", 1))],
)
def test_every_part_of_the_key_matters(seed, stream, span):
    base = NoiseSource(7).normal("s", [NoiseSpan("a", 1, 0, 50)])
    other = NoiseSource(seed).normal(stream, [NoiseSpan(*span, 0, 50)])
    assert abs(np.corrcoef(base, other)[0, 1]) < 0.5


def test_values_are_standard_normal():
    values = NoiseSource(1).normal("s", [NoiseSpan("a", 1, 0, 2000)], (10,))
    assert values.dtype == np.float32
    assert abs(values.mean()) < 0.02
    assert abs(values.std() - 1) < 0.02
    assert abs(np.corrcoef(values[:-1, 0], values[1:, 0])[0, 1]) < 0.08


def test_nothing_asked_nothing_drawn():
    assert NoiseSource(1).normal("s", [], (4,)).shape == (0, 4)
