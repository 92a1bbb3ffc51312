"""The mixture obeys the user's weights, for tokens that are frames and for tokens that are places."""

import pytest
import torch

from moee_cli.core.labels import EMOTIONS, EXPERTS
from moee_cli.models.emotion_experts import N_EXPERTS, EmotionExperts

B, N, C, L, D = 2, 30, 32, 4, 24
NEUTRAL, ANGER, FEAR = (EMOTIONS.index(name) for name in ("neutral", "anger", "fear"))


def build(**switches):
    torch.manual_seed(0)
    experts = EmotionExperts(C, D, n_heads=2, head_width=8, **switches)
    torch.nn.init.normal_(experts.attention.out, std=0.1)  # as after training
    if experts.overall is not None:
        torch.nn.init.normal_(experts.overall.weight, std=0.1)
    return experts


def inputs(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((B, N, C), generator=generator), torch.randn((B, N, L, D), generator=generator)


def one_hot(*shape, index):
    weights = torch.zeros(*shape, 7)
    weights[..., index] = 1.0
    return weights


SHAPES = [("frames", (B, N, L, D), (B, N), 4), ("places", (B, L, D), (B,), None)]


@pytest.mark.parametrize(("latent_shape", "weight_shape", "reach"), [s[1:] for s in SHAPES], ids=[s[0] for s in SHAPES])
class TestBothShapes:
    def parts(self, latent_shape, weight_shape, reach, **switches):
        tokens, _ = inputs()
        latents = torch.randn(latent_shape, generator=torch.Generator().manual_seed(2))
        return build(pool_reach=reach, **switches), tokens, latents, weight_shape

    def test_starts_as_if_it_were_not_there(self, latent_shape, weight_shape, reach):
        tokens, _ = inputs()
        fresh = EmotionExperts(C, D, pool_reach=reach)
        weights = one_hot(*weight_shape, index=ANGER)
        torch.testing.assert_close(fresh(tokens, torch.randn(latent_shape), weights), tokens, rtol=0, atol=0)

    def test_neutral_adds_exactly_nothing(self, latent_shape, weight_shape, reach):
        experts, tokens, latents, shape = self.parts(latent_shape, weight_shape, reach)
        assert torch.equal(experts(tokens, latents, one_hot(*shape, index=NEUTRAL)), tokens)

    def test_one_emotion_is_its_expert_alone(self, latent_shape, weight_shape, reach):
        experts, tokens, latents, shape = self.parts(latent_shape, weight_shape, reach)
        weights = one_hot(*shape, index=ANGER)
        angry = experts(tokens, latents, weights)
        assert not torch.allclose(angry, tokens, atol=1e-3)
        for name in ("query", "key", "value", "out"):  # what the others know must not matter
            getattr(experts.attention, name).data[[i for i in range(N_EXPERTS) if EXPERTS[i] != "anger"]] += 1.0
        torch.testing.assert_close(experts(tokens, latents, weights), angry)
        experts.attention.value.data[EXPERTS.index("anger")] += 1.0
        assert not torch.allclose(experts(tokens, latents, weights), angry, atol=1e-3)

    def test_more_weight_says_more(self, latent_shape, weight_shape, reach):
        experts, tokens, latents, shape = self.parts(latent_shape, weight_shape, reach)
        sizes = []
        for share in (0.0, 0.2, 0.5, 0.9, 1.0):
            weights = share * one_hot(*shape, index=FEAR) + (1 - share) * one_hot(*shape, index=NEUTRAL)
            sizes.append((experts(tokens, latents, weights) - tokens).norm().item())
        assert sizes[0] == 0.0
        assert sizes == sorted(set(sizes))

    @pytest.mark.parametrize(
        "switches", [{}, {"experts": False}, {"local_gate": False}, {"global_gate": False}, {"commanded": False}]
    )
    def test_every_part_learns(self, latent_shape, weight_shape, reach, switches):
        experts, tokens, latents, shape = self.parts(latent_shape, weight_shape, reach, **switches)
        weights = torch.full((*shape, 7), 1 / 7)
        latents.requires_grad_()
        (experts(tokens, latents, weights) ** 2).sum().backward()
        for name, parameter in [*experts.named_parameters(), ("latents", latents)]:
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.abs().sum() > 0, name


def test_silent_experts_get_no_gradient_and_no_nan():
    experts = build(pool_reach=4)
    tokens, latents = inputs()
    (experts(tokens, latents, one_hot(B, N, index=ANGER)) ** 2).sum().backward()
    for name, parameter in experts.named_parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all(), name
    moved = experts.attention.out.grad.flatten(1).abs().sum(1) > 0
    assert [EXPERTS[i] for i in range(N_EXPERTS) if moved[i]] == ["anger"]


def test_a_weight_that_rounding_left_below_nothing_silences_nobody():
    (tokens, latents), experts = inputs(), build(pool_reach=4)
    exact = one_hot(B, N, index=ANGER)
    rounded = exact.clone()
    rounded[..., NEUTRAL] = -6e-8
    torch.testing.assert_close(experts(tokens, latents, rounded), experts(tokens, latents, exact), rtol=0, atol=0)
    assert not torch.equal(experts(tokens, latents, rounded), tokens)


def test_own_latents_that_are_all_the_same_are_shared_ones():
    experts = build(pool_reach=None)
    tokens, latents = inputs()
    weights = torch.softmax(torch.randn(B, 7, generator=torch.Generator().manual_seed(3)), -1)
    shared = latents[:, 0]
    own = shared[:, None].expand(B, N, L, D)
    torch.testing.assert_close(experts(tokens, own, weights), experts(tokens, shared, weights))


def test_each_frame_hears_its_own_latents_and_weights():
    experts = build(pool_reach=0)
    tokens, latents = inputs()
    weights = one_hot(B, N, index=FEAR)
    before = experts(tokens, latents, weights)
    weights[:, 10] = one_hot(index=NEUTRAL)
    latents[:, 20] += 1.0
    after = experts(tokens, latents, weights)
    changed = (after - before).abs().amax(dim=(0, 2)) > 1e-6
    assert torch.nonzero(changed).flatten().tolist() == [10, 20]


@pytest.mark.parametrize(("reach", "seen"), [(0, 1), (4, 9), (12, 25)])
def test_the_global_gate_sees_so_far_and_no_further(reach, seen):
    experts = build(pool_reach=reach)
    tokens, _ = inputs()
    weights = torch.full((B, N, 7), 1 / 7)
    gate = experts.gate(experts.norm(tokens), weights)
    tokens[:, 14] += torch.linspace(-3, 3, C)
    moved = (experts.gate(experts.norm(tokens), weights) - gate).abs().amax(dim=(0, 2)) > 1e-7
    assert moved.sum() == seen


def test_fillers_do_not_count():
    experts = build(pool_reach=4)
    tokens, latents = inputs()
    weights = torch.softmax(torch.randn(B, N, 7), -1)
    whole = experts(tokens[:, :20], latents[:, :20], weights[:, :20])
    valid = torch.arange(N).expand(B, N) < 20
    torch.testing.assert_close(experts(tokens, latents, weights, valid)[:, :20], whole)


def test_the_papers_gate_is_deaf_to_the_user():
    experts = build(pool_reach=4, commanded=False)
    tokens, latents = inputs()
    angry, afraid = (experts(tokens, latents, one_hot(B, N, index=index)) for index in (ANGER, FEAR))
    torch.testing.assert_close(angry, afraid)
    assert not torch.allclose(angry, tokens, atol=1e-3)


def test_without_a_learned_gate_the_command_is_the_gate():
    experts = build(pool_reach=4, global_gate=False)
    weights = torch.softmax(torch.randn(B, N, 7), -1)
    torch.testing.assert_close(experts.gate(inputs()[0], weights), weights[..., 1:])


def test_the_gate_starts_as_commanded():
    weights = torch.softmax(torch.randn(B, N, 7), -1)
    torch.testing.assert_close(EmotionExperts(C, D, pool_reach=4).gate(inputs()[0], weights), weights[..., 1:])


def test_a_forced_gate_is_the_gate():
    experts = build(pool_reach=4)
    tokens, latents = inputs()
    weights = one_hot(B, N, index=ANGER)
    forced = weights[..., 1:]
    torch.testing.assert_close(
        experts(tokens, latents, one_hot(B, N, index=FEAR), forced=forced), experts(tokens, latents, weights)
    )
    one_for_all = build(pool_reach=4, experts=False)
    torch.testing.assert_close(
        one_for_all(tokens, latents, one_hot(B, N, index=NEUTRAL), forced=forced), one_for_all(tokens, latents, weights)
    )


def test_one_for_all_emotions_is_gated_by_intensity():
    experts = build(pool_reach=4, experts=False)
    tokens, latents = inputs()
    assert torch.equal(experts(tokens, latents, one_hot(B, N, index=NEUTRAL)), tokens)
    anger, fear = (experts(tokens, latents, one_hot(B, N, index=index)) for index in (ANGER, FEAR))
    torch.testing.assert_close(anger, fear)  # the latents tell them apart, here they are the same
