"""Windows lie inside their clips, and are of the emotion they are asked for."""

import numpy as np
import pytest
import torch

from moee_cli.core.errors import InputError
from moee_cli.training.denoiser.batches import MIXED, MotionCorpus
from moee_cli.training.denoiser.stages import draw_for_base, draw_for_experts, draw_mixtures


@pytest.fixture
def chance():
    return torch.Generator().manual_seed(3)


def test_windows_are_pieces_of_their_clips(clip, chance):
    clips = [clip(seed=seed, n_frames=length) for seed, length in enumerate((40, 41, 97, 300))]
    for index, this in enumerate(clips):
        this.motion[:, 5] = np.arange(len(this.motion)) + 1000 * index
    batch = MotionCorpus(clips, 40).draw(200, chance)
    numbers = batch.motion[..., 5].numpy()
    assert batch.given.valid.all()
    starts, last = numbers[:, 0], numbers[:, -1]
    np.testing.assert_allclose(last - starts, 39, atol=1.0)  # half precision counts by twos from 2048 on
    assert {int(start // 1000) for start in starts} == {0, 1, 2, 3}


def test_short_clips_are_filled_up(clip, chance):
    corpus = MotionCorpus([clip(2, n_frames=25)], 40)
    batch = corpus.draw(5, chance)
    assert batch.given.valid.sum(1).tolist() == [25] * 5
    torch.testing.assert_close(batch.given.weights.sum(-1), torch.ones(5, 40))


def test_the_same_generator_draws_the_same(corpus):
    first, second = (corpus.draw(8, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first.motion, second.motion)
    assert not torch.equal(first.motion, corpus.draw(8, torch.Generator().manual_seed(6)).motion)


def test_kinds_are_what_is_felt(corpus, chance):
    kinds = torch.tensor([*range(7), MIXED])
    weights = corpus.draw_kinds(kinds, chance).given.weights.mean(1)
    assert weights[:7, 1:].sum(1)[0] < 0.15
    assert weights[1:7, 1:].argmax(1).tolist() == list(range(6))
    assert weights[MIXED, 1] == pytest.approx(0.5, abs=1e-3)


def test_what_is_not_there_is_replaced(clip, chance):
    lone = MotionCorpus([clip(2)], 40)
    assert lone.draw_kinds(torch.tensor([4, MIXED]), chance).motion.shape == (2, 40, 52)
    with pytest.raises(InputError, match="no clips"):
        MotionCorpus([], 40)


def test_spread_has_a_floor(corpus):
    mean, scale = corpus.spread()
    assert mean.shape == scale.shape == (52,)
    assert scale[:44].min() == pytest.approx(0.02)
    assert scale.max() > 0.1


# --- windows of the stages ------------------------------------------------------------------------------------------


def test_no_expert_speaks_in_the_base(corpus, chance):
    assert draw_for_base(corpus, 6, chance).given.forced.abs().sum() == 0


def test_one_expert_speaks_for_its_emotion(corpus, chance):
    given = draw_for_experts(corpus, 60, chance, foreign=0.0).given
    assert ((given.forced > 0).sum(-1) == 1).all()
    torch.testing.assert_close(given.forced, given.weights[..., 1:])
    assert given.forced.amax((0, 1)).min() > 0


def test_foreign_windows_are_of_another_emotion_or_none(corpus, chance):
    given = draw_for_experts(corpus, 400, chance, foreign=0.5).given
    own = (given.forced * given.weights[..., 1:]).sum(-1).mean(1) > 0
    assert own.float().mean() == pytest.approx(0.5, abs=0.1)
    neutral = given.weights[..., 0].mean(1) > 0.9
    assert (neutral & ~own).float().sum() > 50
    assert given.forced.sum(-1).min() >= 0.45


def test_mixtures_are_gated_by_the_network(corpus, chance):
    given = draw_mixtures(corpus, 8, chance).given
    assert given.forced is None
    torch.testing.assert_close(given.weights[:4, 0, 1], torch.full((4,), 0.5), atol=1e-3, rtol=0)
