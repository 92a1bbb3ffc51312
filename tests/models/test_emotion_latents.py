"""Each modality speaks for itself, and what is absent says nothing."""

import pytest
import torch

from moee_cli.models.emotion_latents import EmotionCue, EmotionLatents, dropped_modalities

B, F, D, L = 3, 10, 16, 4


@pytest.fixture
def latents():
    torch.manual_seed(0)
    return EmotionLatents(D, L, text_width=24, prosody_width=4)


@pytest.fixture
def cue():
    generator = torch.Generator().manual_seed(1)
    weights = torch.softmax(torch.randn((B, F, 7), generator=generator), -1)
    text = torch.randn((B, 24), generator=generator)
    return EmotionCue(weights, text, torch.randn((B, F, 4), generator=generator))


@pytest.mark.parametrize("names", [("weights",), ("prosody",), ("text", "weights"), ("weights", "text", "prosody")])
def test_latents_for_each_frame(latents, cue, names):
    told = EmotionCue(**{name: getattr(cue, name) for name in names})
    assert latents(told).shape == (B, F, L, D)


def test_a_text_alone_holds_for_the_stretch(latents, cue):
    assert latents(EmotionCue(text=cue.text)).shape == (B, 1, L, D)
    over_time = cue.text[:, None].expand(B, F, 24)
    torch.testing.assert_close(latents(EmotionCue(text=over_time))[:, 3:4], latents(EmotionCue(text=cue.text)))


def test_nothing_known_is_refused(latents):
    with pytest.raises(ValueError, match="weights, text or prosody"):
        latents(EmotionCue())


@pytest.mark.parametrize("name", ["weights", "text", "prosody"])
def test_left_out_is_as_if_absent(latents, cue, name):
    keep = torch.tensor([[other != name for other in ("weights", "text", "prosody")]] * B)
    rest = EmotionCue(**{other: getattr(cue, other) for other in ("weights", "text", "prosody") if other != name})
    torch.testing.assert_close(latents(cue, keep), latents(rest))


@pytest.mark.parametrize("name", ["weights", "text", "prosody"])
def test_every_modality_matters_and_learns(latents, cue, name):
    changed = EmotionCue(**{**vars(cue), name: getattr(cue, name).flip(-1)})
    assert not torch.allclose(latents(changed), latents(cue), atol=1e-4)
    (latents(cue) ** 2).sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in getattr(latents, name).parameters())


def test_tokens_differ(latents, cue):
    found = latents(cue)
    assert torch.cdist(found[0, 0], found[0, 0])[0, 1:].min() > 0.1


def test_dropping_never_leaves_nothing(cue):
    keep = dropped_modalities(cue, 0.8, 4000, torch.Generator().manual_seed(2))
    assert keep.any(1).all()
    assert keep.sum(1).float().mean() < 1.4
    only_weights = dropped_modalities(EmotionCue(cue.weights), 0.5, 100, torch.Generator().manual_seed(3))
    assert only_weights.tolist() == [[True, False, False]] * 100
