"""The denoiser takes any length, looks no further than it should, and obeys emotion and sound."""

import json
from dataclasses import replace

import pytest
import torch

from moee_cli.core.errors import EngineUnavailable
from moee_cli.models.audio_encoder import AudioEncoder
from moee_cli.models.local_attention import LocalAttention
from moee_cli.models.motion_denoiser import MotionConfig, MotionDenoiser
from moee_cli.models.motion_weights import load_motion_weights, weights_bytes, weights_facts

LEVEL = torch.tensor([0.3, -1.0])


def noisy(n_frames, seed=9):
    return torch.randn((2, n_frames, 52), generator=torch.Generator().manual_seed(seed))


def changed_frames(one, other):
    return torch.nonzero((one - other).abs().amax(dim=(0, 2)) > 1e-6).flatten().tolist()


# --- attention ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_frames", [1, 4, 5, 6, 23])
def test_attention_is_that_of_the_whole_matrix_near_the_diagonal(n_frames):
    torch.manual_seed(0)
    attention = LocalAttention(16, 2, 5)
    torch.nn.init.normal_(attention.bias)
    frames = torch.randn(2, n_frames, 16)
    query, key, value = (part.unflatten(-1, (2, 8)).transpose(1, 2) for part in attention.into(frames).chunk(3, -1))
    distance = torch.arange(n_frames)[None] - torch.arange(n_frames)[:, None]
    bias = attention.bias[:, distance.clamp(-5, 5) + 5].masked_fill(distance.abs() > 5, float("-inf"))
    whole = torch.softmax(query @ key.transpose(-1, -2) / 8**0.5 + bias, -1) @ value
    torch.testing.assert_close(attention(frames), attention.out(whole.transpose(1, 2).flatten(2)))


def test_attention_reaches_as_far_as_it_says():
    attention = LocalAttention(16, 2, 5)
    frames = torch.randn(2, 40, 16)
    moved = frames.clone()
    moved[:, 17] += 1.0
    assert changed_frames(attention(moved), attention(frames)) == list(range(12, 23))


# --- sound ----------------------------------------------------------------------------------------------------------


def test_sound_is_heard_symmetrically_around_its_frame():
    torch.manual_seed(0)
    encoder = AudioEncoder(16)
    mel, pitch, valid = torch.randn(2, 40, 4, 80), torch.zeros(2, 40), torch.ones(2, 40, dtype=torch.bool)
    louder = mel.clone()
    louder[:, 20] += 1.0
    heard = changed_frames(encoder(louder, pitch, valid), encoder(mel, pitch, valid))
    assert heard == list(range(20 - 7, 20 + 8))


# --- the network ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_frames", [1, 7, 40, 111])
def test_any_length_runs(denoiser, given, n_frames):
    guess = denoiser(noisy(n_frames), LEVEL, denoiser.prepare(given(n_frames=n_frames)))
    assert guess.shape == (2, n_frames, 52)
    assert guess.isfinite().all()


def test_fillers_change_nothing(denoiser, given):
    whole = given(n_frames=40)
    part = replace(
        whole, **{name: getattr(whole, name)[:, :27] for name in vars(whole) if getattr(whole, name) is not None}
    )
    alone = denoiser(noisy(40)[:, :27], LEVEL, denoiser.prepare(part))
    filled = replace(whole, valid=torch.arange(40).expand(2, 40) < 27)
    torch.testing.assert_close(denoiser(noisy(40), LEVEL, denoiser.prepare(filled))[:, :27], alone, rtol=0, atol=1e-5)


def test_a_stretch_alone_equals_itself_in_a_batch(denoiser, given):
    both = given()
    one = replace(both, **{name: getattr(both, name)[1:] for name in vars(both) if getattr(both, name) is not None})
    alone = denoiser(noisy(40)[1:], LEVEL[1:], denoiser.prepare(one))
    torch.testing.assert_close(denoiser(noisy(40), LEVEL, denoiser.prepare(both))[1:], alone, rtol=0, atol=1e-5)


def test_frames_far_away_do_not_matter(denoiser, given):
    context = denoiser.prepare(given(n_frames=80))
    moved = noisy(80)
    moved[:, 60:] += 1.0
    near = changed_frames(denoiser(moved, LEVEL, context), denoiser(noisy(80), LEVEL, context))
    assert min(near) >= 60 - 2 * (5 + 12)  # two layers, each with attention over 5 and a gate over 12 frames
    assert 59 in near


def test_neutral_is_the_face_without_experts(denoiser, given):
    neutral = given(emotion=0)
    before = denoiser(noisy(40), LEVEL, denoiser.prepare(neutral))
    angry = denoiser(noisy(40), LEVEL, denoiser.prepare(given(emotion=3)))
    for part in denoiser.emotional_parts():
        for parameter in part.parameters():
            parameter.data.add_(1.0)
    assert torch.equal(denoiser(noisy(40), LEVEL, denoiser.prepare(neutral)), before)
    assert not torch.allclose(denoiser(noisy(40), LEVEL, denoiser.prepare(given(emotion=3))), angry, atol=1e-3)


@pytest.mark.parametrize("name", ["log_mel", "pitch_hz", "controls", "weights"])
def test_everything_given_matters(denoiser, given, name):
    plain = given()
    other = replace(
        plain, **{name: getattr(plain, name).roll(1, -1)} if name != "pitch_hz" else {name: plain.pitch_hz * 2}
    )
    guesses = [denoiser(noisy(40), LEVEL, denoiser.prepare(this)) for this in (plain, other)]
    assert not torch.allclose(*guesses, atol=1e-4)


def test_withheld_sound_is_not_heard(denoiser, given):
    hears = torch.tensor([True, False])
    guesses = [
        denoiser(noisy(40), LEVEL, denoiser.prepare(replace(given(), log_mel=given(seed=seed).log_mel), hears=hears))
        for seed in (1, 2)
    ]
    torch.testing.assert_close(guesses[0][1], guesses[1][1])
    assert not torch.allclose(guesses[0][0], guesses[1][0], atol=1e-3)


def test_level_matters(denoiser, given):
    context = denoiser.prepare(given())
    assert not torch.allclose(denoiser(noisy(40), LEVEL, context), denoiser(noisy(40), LEVEL + 1.0, context), atol=1e-4)


def test_units_come_back(denoiser):
    denoiser.mean.fill_(0.3)
    denoiser.scale.fill_(2.0)
    motion = noisy(5)
    torch.testing.assert_close(denoiser.denormalise(denoiser.normalise(motion)), motion)


def test_one_emotion_throughout_is_as_if_each_frame_had_it(denoiser, given):
    """Latents that all frames share take another way through the experts, and must come to the same."""
    steady = given(emotion=3)
    context = denoiser.prepare(steady)
    assert context.latents.dim() == 3
    own = context.latents[:, None].expand(-1, 40, -1, -1)
    torch.testing.assert_close(
        denoiser(noisy(40), LEVEL, context),
        denoiser(noisy(40), LEVEL, replace(context, latents=own)),
        rtol=0,
        atol=1e-5,
    )
    steady.weights[0, 20:] = steady.weights[0, 20:].roll(1, -1)
    assert denoiser.prepare(steady).latents.dim() == 4


# --- its file -------------------------------------------------------------------------------------------------------


def test_weights_come_back_in_half_precision(tmp_path, denoiser, given):
    denoiser.scale.uniform_(0.01, 0.02)
    path = tmp_path / "w.safetensors"
    path.write_bytes(weights_bytes(denoiser, {"note": "for a test"}))
    loaded = load_motion_weights(path)
    assert loaded.config == denoiser.config
    torch.testing.assert_close(loaded.scale, denoiser.scale, rtol=0, atol=0)
    guesses = [model(noisy(40), LEVEL, model.prepare(given())) for model in (denoiser, loaded)]
    torch.testing.assert_close(*guesses, rtol=0.02, atol=0.02)
    facts = weights_facts(path)
    assert facts["note"] == "for a test"
    assert json.loads(facts["config"])["width"] == 32
    assert weights_bytes(denoiser, facts) == weights_bytes(denoiser, dict(reversed(facts.items())))


def test_the_real_size_fits_the_package():
    n = sum(parameter.numel() for parameter in MotionDenoiser(MotionConfig()).parameters())
    assert 1.5e6 < n < 7e6  # 15 MB in half precision


@pytest.mark.parametrize("content", [b"", b"no tensors", None])
def test_other_files_are_refused(tmp_path, denoiser, content):
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineUnavailable, match=r"w\.safetensors"):
        load_motion_weights(path)


def test_weights_of_another_network_are_refused(tmp_path, denoiser):
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(EngineUnavailable, match="no weights of the motion engine"):
        load_motion_weights(path)
    save_file({"a": torch.zeros(2)}, path, {"format": "moee-motion-1", "config": '{"depth": 4}'})
    with pytest.raises(EngineUnavailable, match="depth"):
        load_motion_weights(path)


@pytest.mark.parametrize("name", ["nowhere.safetensors", "."])
def test_weights_that_are_no_file_are_told_in_words(tmp_path, name):
    with pytest.raises(EngineUnavailable, match="there is no weights file"):
        load_motion_weights(tmp_path / name)
