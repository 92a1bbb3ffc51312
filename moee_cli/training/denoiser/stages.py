"""The stages of a training: what learns in each, and from which windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from moee_cli.core.labels import EXPERTS
from moee_cli.models.motion_denoiser import MotionDenoiser
from moee_cli.training.denoiser.batches import MIXED, NEUTRAL, MotionBatch, MotionCorpus
from moee_cli.training.denoiser.recipe import MotionRecipe

_FOREIGN_GATE = 0.5
"""How much an expert says at least on windows of another emotion; on neutral ones it would say nothing, and learn
nothing about them."""


@dataclass(frozen=True)
class Stage:
    """One stage; its name appears in progress and checkpoints."""

    name: str
    steps: int
    rate: float
    articulation: float
    """Weight of the channels of speech."""
    learns: Callable[[MotionDenoiser], list[nn.Parameter]]
    """What learns; the rest stands still."""
    draw: Callable[[MotionCorpus, int, torch.Generator], MotionBatch]


def stages_of(recipe: MotionRecipe) -> tuple[Stage, ...]:
    """Return the stages of a recipe in order; some may have no steps."""

    def expert_windows(corpus: MotionCorpus, n: int, generator: torch.Generator) -> MotionBatch:
        return draw_for_experts(corpus, n, generator, recipe.foreign)

    gentle, quiet = recipe.expert_rate, recipe.articulation
    return (
        Stage("base", recipe.base_steps, recipe.rate, 1.0, base_parameters, draw_for_base),
        Stage("experts", recipe.expert_steps, gentle, quiet, _experts, expert_windows),
        Stage("mixtures", recipe.mixture_steps, gentle, quiet, _gates, draw_mixtures),
    )


# --- what learns ----------------------------------------------------------------------------------------------------


def base_parameters(model: MotionDenoiser) -> list[nn.Parameter]:
    """Return the parameters of the talking face: all but those of emotion."""
    emotional = {id(parameter) for part in model.emotional_parts() for parameter in part.parameters()}
    return [parameter for parameter in model.parameters() if id(parameter) not in emotional]


def _experts(model: MotionDenoiser) -> list[nn.Parameter]:
    learning = list(model.latents.parameters())
    for experts in model.mixtures():
        overall = () if experts.overall is None else experts.overall.parameters()
        gate = {id(parameter) for parameter in overall}
        learning += [parameter for parameter in experts.parameters() if id(parameter) not in gate]
    return learning


def _gates(model: MotionDenoiser) -> list[nn.Parameter]:
    gates = [gate for experts in model.mixtures() for gate in experts.gates()]
    return [parameter for part in (model.latents, *gates) for parameter in part.parameters()]


# --- windows --------------------------------------------------------------------------------------------------------


def draw_for_base(corpus: MotionCorpus, n: int, generator: torch.Generator) -> MotionBatch:
    """Return windows from anywhere, on which no expert says anything."""
    return with_gate(corpus.draw(n, generator), torch.zeros(n, len(EXPERTS)))


def draw_for_experts(corpus: MotionCorpus, n: int, generator: torch.Generator, foreign: float) -> MotionBatch:
    """Return windows for one expert each: of its emotion, or with the chance `foreign` of another or of none.

    The expert alone speaks, as loud as the window is emotional; the latents are those of what is really felt. On
    foreign windows it so learns what other latents mean, which it meets again in mixtures.
    """
    expert = torch.randint(len(EXPERTS), (n,), generator=generator)
    strange = torch.rand(n, generator=generator) < foreign
    other = (expert + torch.randint(1, len(EXPERTS), (n,), generator=generator)) % len(EXPERTS)
    neutral = torch.rand(n, generator=generator) < 0.5
    kinds = torch.where(strange, torch.where(neutral, NEUTRAL, other + 1), expert + 1)
    gates = torch.nn.functional.one_hot(expert, len(EXPERTS)).float()
    return with_gate(corpus.draw_kinds(kinds, generator), gates, torch.where(strange, _FOREIGN_GATE, 0.0))


def draw_mixtures(corpus: MotionCorpus, n: int, generator: torch.Generator) -> MotionBatch:
    """Return windows half of several emotions and half from anywhere, all experts speaking as they are gated."""
    mixed = corpus.draw_kinds(torch.full((n // 2,), MIXED), generator)
    return joined(mixed, corpus.draw(n - n // 2, generator))


def with_gate(batch: MotionBatch, gates: Tensor, least: Tensor | None = None) -> MotionBatch:
    """Return the batch with gates [n, 6] forced, times the intensity of each frame or `least` [n] if that is more."""
    intensity = 1.0 - batch.given.weights[..., 0]
    if least is not None:
        intensity = torch.maximum(intensity, least[:, None])
    forced = gates[:, None, :] * intensity[..., None]
    return MotionBatch(replace(batch.given, forced=forced), batch.motion)


def joined(first: MotionBatch, second: MotionBatch) -> MotionBatch:
    """Return both batches as one; neither has gates forced."""
    names = ("log_mel", "pitch_hz", "controls", "weights", "valid")
    parts = {name: torch.cat([getattr(batch.given, name) for batch in (first, second)]) for name in names}
    return MotionBatch(replace(first.given, **parts), torch.cat([first.motion, second.motion]))
