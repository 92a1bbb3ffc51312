"""The presets that ship: found, valid, and what they promise."""

import pytest

from moee_cli.core.errors import ScriptError
from moee_cli.core.types import Encoding, FrameFormat
from moee_cli.presets import describe, preset, preset_names
from moee_cli.script.load import load_script


@pytest.fixture
def load(tmp_path):
    for name in ("ana.png", "a.wav"):
        (tmp_path / name).touch()

    def load(*names):
        text = f"moee: 1\npreset: [{', '.join(names)}]\ncast: {{ana: {{portrait: ana.png}}}}\n"
        return load_script(f"{text}segments: [{{audio: a.wav}}]\n", base=tmp_path, presets=preset)

    return load


def test_the_presets_in_the_order_of_use():
    assert preset_names() == ["draft", "balanced", "best", "square", "wide", "vertical", "loud"]


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid_and_does_something(load, name):
    script = load(name)
    assert script.outputs[0].presets == (name,)
    changed = script.outputs[0].frame != FrameFormat() or script.outputs[0].encoding != Encoding()
    assert changed == (name != "balanced")


def test_balanced_is_what_happens_without_a_preset(load):
    assert load("balanced").outputs[0].encoding == Encoding()


def test_every_preset_has_a_description():
    for info in describe():
        assert info.description
        assert "description" not in info.content


def test_quality_rises_from_draft_to_best(load):
    draft, balanced, best = (load(name) for name in ("draft", "balanced", "best"))
    assert draft.outputs[0].encoding.crf > balanced.outputs[0].encoding.crf > best.outputs[0].encoding.crf
    assert (
        draft.outputs[0].frame.width * draft.outputs[0].frame.height * 4
        == balanced.outputs[0].frame.width * balanced.outputs[0].frame.height
    )
    assert (
        draft.outputs[0].encoding.audio_bitrate_kbps
        < balanced.outputs[0].encoding.audio_bitrate_kbps
        < best.outputs[0].encoding.audio_bitrate_kbps
    )


def test_shapes(load):
    wide, vertical, square = (load(name).outputs[0].frame for name in ("wide", "vertical", "square"))
    assert wide.width / wide.height == 16 / 9
    assert vertical.height / vertical.width == 16 / 9
    assert square.width == square.height


def test_loud_sets_the_level_and_nothing_else(load):
    script = load("draft", "loud")
    assert script.outputs[0].encoding.loudness_lufs == -16
    assert script.outputs[0].encoding.x264_preset == "ultrafast"


def test_quality_and_shape_compose_in_any_order(load):
    assert load("draft", "vertical").outputs[0].frame == load("vertical", "draft").outputs[0].frame


def test_an_unknown_preset_has_a_hint():
    with pytest.raises(ScriptError) as caught:
        preset("balnced")
    (problem,) = caught.value.problems
    assert 'did you mean "balanced"' in problem.hint
