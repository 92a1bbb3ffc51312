"""Names are found however they are spelled, and mixes stay mixes."""

import pytest

from moee_cli.core import labels


@pytest.mark.parametrize(
    "spelling", ["Happily Surprised", "happily_surprised", "HAPPILY-SURPRISED", " happilysurprised "]
)
def test_names_are_blind_to_case_space_underscore_dash(spelling):
    assert labels.mix_of_name(spelling) == {"happiness": 0.5, "surprise": 0.5}


def test_every_known_name_is_a_valid_mix():
    for name in labels.known_names():
        mix = labels.mix_of_name(name)
        assert mix is not None
        assert sum(labels.weight_vector(mix)) == pytest.approx(1.0)


def test_rest_goes_to_neutral():
    assert labels.weight_vector({"anger": 0.3}) == pytest.approx((0.7, 0, 0, 0.3, 0, 0, 0))


def test_too_much_is_refused_with_the_normalised_mix():
    with pytest.raises(labels.EmotionNameError) as caught:
        labels.weight_vector({"anger": 0.9, "fear": 0.6})
    assert "anger: 0.6, fear: 0.4" in (caught.value.hint or "")


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_weights_are_shares(weight):
    with pytest.raises(labels.EmotionNameError):
        labels.weight_vector({"anger": weight})


def test_a_typo_is_recognised():
    assert "happiness" in (labels.unknown_emotion("hapiness").hint or "")


def test_motion_channels_are_44_shapes_head_and_gaze():
    assert len(labels.ARKIT_BLENDSHAPES) == len(set(labels.ARKIT_BLENDSHAPES)) == 52
    assert (len(labels.SHAPES), len(labels.HEAD), len(labels.GAZE), labels.N_MOTION) == (44, 6, 2, 52)
