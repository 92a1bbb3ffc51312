"""Rows stay on the simplex, keys are reached when they should be, joins are smooth."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from moee_cli.core.labels import EMOTIONS, weight_vector
from moee_cli.core.types import Controls, EmotionKey, Segment, Timeline, TransitionKind
from moee_cli.emotion.track import emotion_track, fold_intensity

ANGER, FEAR = EMOTIONS.index("anger"), EMOTIONS.index("fear")


def key(at=0.0, intensity=1.0, **mix):
    return EmotionKey(weight_vector(mix), intensity, at)


def film(*emotions, seconds=2, blend_frames=10):
    first = Segment(
        id="a", take=1, speaker="ana", audio=None, continues=False, start_frame=0, n_frames=25 * seconds,
        pad=Fraction(0), seconds=Fraction(seconds), run=0, transition=TransitionKind.CUT, transition_frames=0,
        handle_before=0, handle_after=0, emotion=emotions[0], controls=Controls(),
    )  # fmt: skip
    later = [
        replace(
            first,
            id=f"s{number}",
            start_frame=25 * seconds * number,
            transition=TransitionKind.BLEND,
            transition_frames=blend_frames,
            emotion=emotion,
        )
        for number, emotion in enumerate(emotions[1:], 1)
    ]
    return Timeline(Fraction(25), (first, *later), ())


@pytest.mark.parametrize("intensity", [0.0, 0.3, 1.0])
def test_intensity_gives_the_rest_to_neutral(intensity):
    weights = fold_intensity(key(anger=0.5, fear=0.5, intensity=intensity))
    assert weights.sum() == pytest.approx(1)
    assert weights[ANGER] == pytest.approx(0.5 * intensity)


def test_keys_are_reached_at_their_time_and_hold():
    timeline = film((key(Fraction(0)), key(0.5, anger=1), key(Fraction(3, 2), fear=1)))
    track = emotion_track(timeline, 0, 0, 50)
    assert track[0, 0] == pytest.approx(1)
    assert track[25, ANGER] == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(track[38:, FEAR], 1, atol=1e-6)
    assert (np.diff(track[:26, ANGER]) >= 0).all()


def test_two_keys_at_one_time_switch():
    track = emotion_track(film((key(Fraction(1)), key(Fraction(1), anger=1))), 0, 0, 50)
    assert track[24, ANGER] == 0
    assert track[25, ANGER] == pytest.approx(1)


@pytest.mark.parametrize("blend", [0, 2, 10, 50])
def test_rows_sum_to_one_and_joins_do_not_jump(blend):
    timeline = film((key(anger=1),), (key(fear=0.6, intensity=0.5),), (key(happiness=1),), blend_frames=blend)
    track = np.concatenate([emotion_track(timeline, index, 0, 50) for index in range(3)])
    np.testing.assert_allclose(track.sum(1), 1, atol=1e-6)
    assert track.min() >= 0
    if blend == 10:
        assert np.abs(np.diff(track, axis=0)).max() < 0.17
        assert track[50, ANGER] == pytest.approx(0.5, abs=0.01)


def test_frames_outside_hold_the_ends():
    track = emotion_track(film((key(0.0, anger=1), key(1.0, fear=1))), 0, -10, 60)
    np.testing.assert_allclose(track[:11, ANGER], 1, atol=1e-6)
    np.testing.assert_allclose(track[60:, FEAR], 1, atol=1e-6)


def test_a_segment_two_away_changes_nothing():
    one = film((key(anger=1),), (key(fear=1),), (key(happiness=1),))
    other = film((key(anger=1),), (key(fear=1),), (key(sadness=1),))
    np.testing.assert_array_equal(emotion_track(one, 0, 0, 50), emotion_track(other, 0, 0, 50))
