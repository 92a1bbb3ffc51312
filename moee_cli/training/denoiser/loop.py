"""Training of the motion network, resumable at any checkpoint: an interrupted run ends where an undisturbed one does.

All chance comes from one generator whose state is part of the checkpoint.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from math import cos, pi
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from moee_cli.core.errors import InputError, OutputError
from moee_cli.core.progress import Progress, Silent
from moee_cli.models.motion_denoiser import MotionDenoiser
from moee_cli.models.motion_weights import weights_bytes
from moee_cli.sampling.schedules import cosine_level, mixing
from moee_cli.store.atomic import write_bytes
from moee_cli.training.denoiser.batches import MotionBatch, MotionCorpus
from moee_cli.training.denoiser.checkpoint import (
    STATE_FILE,
    optimizer_tensors,
    read_state,
    restore_optimizer,
    under_prefix,
    with_prefix,
    write_state,
)
from moee_cli.training.denoiser.losses import channel_weights, motion_loss
from moee_cli.training.denoiser.recipe import MotionRecipe
from moee_cli.training.denoiser.stages import Stage, base_parameters, draw_for_base, draw_mixtures, stages_of

WEIGHTS_FILE = "motion.safetensors"
SAVE_EVERY = 180.0
"""Seconds between checkpoints."""
_WARM_UP = 200
"""Steps in which the learning rate rises."""
_LAST_RATE = 0.05
"""Where the rate ends on its cosine, over its highest."""
_CLIP = 1.0
"""Largest norm of a gradient."""
_HELD_OUT_BATCHES = 4
_TIMES = (0.002, 0.998)
"""Noise levels are drawn evenly over these times of the cosine schedule."""


@dataclass(frozen=True)
class Report:
    """What a checkpoint tells: losses are of normalised motion, the mean guess of nothing would be about 1."""

    stage: str
    step: int
    steps: int
    loss: float
    """Mean since the last report, of the network that learns."""
    held_out: float | None
    """Of the averaged weights, on voices that are never trained on; None if there are none."""


@dataclass
class Training:
    """A network that learns, and everything needed to go on later."""

    recipe: MotionRecipe
    model: MotionDenoiser
    average: MotionDenoiser
    generator: torch.Generator
    stage: int = 0
    step: int = 0
    """Steps done in the stage."""
    moments: dict[str, Tensor] = field(default_factory=dict)
    """Of the optimizer of the stage, where a checkpoint was read."""
    reports: list[dict[str, Any]] = field(default_factory=list)

    @staticmethod
    def new(recipe: MotionRecipe, corpus: MotionCorpus) -> Training:
        """Return a training that has not begun."""
        torch.manual_seed(recipe.seed)  # the first weights; everything later comes from the generator
        model = MotionDenoiser(recipe.network)
        mean, scale = corpus.spread()
        model.mean.copy_(mean)
        model.scale.copy_(scale)
        generator = torch.Generator().manual_seed(recipe.seed)
        return Training(recipe, model, deepcopy(model), generator)

    def take_base(self, folder: Path) -> None:
        """Begin after the first stage, with the base of the training in `folder`.

        Raises:
            InputError: there is none, its first stage is not finished, or its base is of other sizes.
        """
        tensors, facts = read_state(folder)
        if facts.get("stage", 0) < 1:
            raise InputError(f"the first stage of {folder} is not finished", "finish it with --resume")
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        base = {names[id(parameter)] for parameter in base_parameters(self.model)} | {"mean", "scale"}
        taken = {name: tensor for name, tensor in under_prefix("average", tensors).items() if name in base}
        try:
            for model in (self.model, self.average):
                model.load_state_dict(taken, strict=False)
        except RuntimeError:
            told = f"the base of {folder} is of other sizes than this network"
            raise InputError(told, "set network.width and the like as they were there") from None
        if base - set(taken):
            raise InputError(f"the base of {folder} is not that of this network", "set network.* as it was there")
        self.stage = 1

    @staticmethod
    def read(folder: Path) -> Training:
        """Return the training that a folder holds.

        Raises:
            InputError: there is none, or it is damaged.
        """
        tensors, facts = read_state(folder)
        try:
            recipe = MotionRecipe.from_dict(facts["recipe"])
            model, average = MotionDenoiser(recipe.network), MotionDenoiser(recipe.network)
            model.load_state_dict(under_prefix("model", tensors))
            average.load_state_dict(under_prefix("average", tensors))
            generator = torch.Generator()
            generator.set_state(tensors["generator"])
            moments = under_prefix("moments", tensors)
            return Training(recipe, model, average, generator, facts["stage"], facts["step"], moments, facts["reports"])
        except (KeyError, TypeError, RuntimeError) as error:
            told = str(error).splitlines()[0]
            raise InputError(f"{folder / STATE_FILE} is of another version: {told}", "start anew elsewhere") from error

    def write(self, folder: Path, moments: dict[str, Tensor], facts: dict[str, str]) -> None:
        """Write the checkpoint, and the averaged weights as they would be shipped."""
        tensors = {
            **with_prefix("model", self.model.state_dict()),
            **with_prefix("average", self.average.state_dict()),
            **with_prefix("moments", moments),
            "generator": self.generator.get_state(),
        }
        told = {"recipe": self.recipe.as_dict(), "stage": self.stage, "step": self.step, "reports": self.reports}
        write_state(folder, tensors, told)
        stage = stages_of(self.recipe)[min(self.stage, 2)].name
        described = {"recipe": json.dumps(self.recipe.as_dict()), "trained": f"{stage} {self.step}", **facts}
        write_bytes(folder / WEIGHTS_FILE, weights_bytes(self.average, described))


def train_motion(
    recipe: MotionRecipe,
    corpus: MotionCorpus,
    held_out: MotionCorpus | None,
    out: Path,
    *,
    resume: bool = False,
    base: Path | None = None,
    progress: Progress | None = None,
    on_report: Callable[[Report], None] | None = None,
    save_every: float = SAVE_EVERY,
    facts: dict[str, str] | None = None,
) -> Path:
    """Train through all stages and return the path of the weights; `resume` goes on from a checkpoint if there is one.

    `base` is the folder of another training whose first stage is taken, so that variants of the later ones share it.

    Raises:
        OutputError: the folder holds a training and `resume` is off, or cannot be written.
        InputError: the checkpoint is damaged, or was made by another recipe.
    """
    training = _begin(recipe, corpus, out, base, resume=resume)
    loop = _Loop(training, corpus, held_out, out, progress or Silent(), on_report, save_every, facts or {})
    for number, stage in enumerate(stages_of(training.recipe)):
        if number >= training.stage:
            loop.run(number, stage)
    return out / WEIGHTS_FILE


def _begin(recipe: MotionRecipe, corpus: MotionCorpus, out: Path, base: Path | None, *, resume: bool) -> Training:
    there = (out / STATE_FILE).exists()
    if there and not resume:
        raise OutputError(f"{out} holds a training already", "go on with --resume, or choose another folder")
    if not there:
        training = Training.new(recipe, corpus)
        if base is not None:
            training.take_base(base)
        out.mkdir(parents=True, exist_ok=True)
        return training
    training = Training.read(out)
    before, now = training.recipe.as_dict(), recipe.as_dict()
    changed = [key for key in now if now[key] != before.get(key)]
    if changed:
        told = ", ".join(f"{key} {before.get(key)} to {now[key]}" for key in changed)
        raise InputError(f"the training in {out} has another recipe: {told}", "leave those settings as they were")
    return training


@dataclass
class _Loop:
    training: Training
    corpus: MotionCorpus
    held_out: MotionCorpus | None
    out: Path
    progress: Progress
    on_report: Callable[[Report], None] | None
    save_every: float
    facts: dict[str, str]

    def run(self, number: int, stage: Stage) -> None:
        """Train one stage to its end, from where the training stands."""
        training = self.training
        learning = stage.learns(training.model)
        training.model.requires_grad_(requires_grad=False)
        for parameter in learning:
            parameter.requires_grad_()
        if not learning or training.step >= stage.steps:
            self._next(number)
            return
        optimizer = torch.optim.AdamW(learning, lr=stage.rate, betas=(0.9, 0.99), weight_decay=0.01)
        restore_optimizer(optimizer, training.moments)
        self.progress.start(stage.name, stage.steps - training.step, "steps")
        losses, saved = [], time.monotonic()
        while training.step < stage.steps:
            for group in optimizer.param_groups:
                group["lr"] = stage.rate * rate_at(training.step, stage.steps)
            losses.append(self._step(stage, learning, optimizer))
            training.step += 1
            self.progress.advance()
            done = training.step == stage.steps
            if done or time.monotonic() - saved >= self.save_every:
                self._report(stage, losses)
                if not done:
                    training.write(self.out, optimizer_tensors(optimizer), self.facts)
                losses, saved = [], time.monotonic()
        self._next(number)

    def _step(self, stage: Stage, learning: list[torch.nn.Parameter], optimizer: torch.optim.Optimizer) -> float:
        training, recipe = self.training, self.training.recipe
        batch = stage.draw(self.corpus, recipe.batch, training.generator)
        weights = channel_weights(stage.articulation)
        loss = denoising_loss(training.model, batch, training.generator, weights, recipe)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learning, _CLIP)
        optimizer.step()
        keep = min(recipe.decay, (1.0 + training.step) / (10.0 + training.step))
        _follow(training.average, training.model, learning, keep)
        return float(loss.detach())

    def _next(self, number: int) -> None:
        training = self.training
        training.stage, training.step, training.moments = number + 1, 0, {}
        training.model.load_state_dict(training.average.state_dict())  # what the next stage is trained on top of
        training.write(self.out, {}, self.facts)

    def _report(self, stage: Stage, losses: list[float]) -> None:
        found = held_out_loss(self.training, stage, self.held_out)
        report = Report(stage.name, self.training.step, stage.steps, sum(losses) / len(losses), found)
        self.training.reports.append(vars(report))
        self.progress.event("trained", **vars(report))
        if self.on_report:
            self.on_report(report)


def rate_at(step: int, steps: int) -> float:
    """Return the learning rate over its highest: a short rise, then a cosine."""
    warm = min(_WARM_UP, max(1, steps // 10))
    if step < warm:
        return (step + 1) / warm
    share = (step - warm) / max(1, steps - warm)
    return _LAST_RATE + (1.0 - _LAST_RATE) * (0.5 + 0.5 * cos(pi * share))


def denoising_loss(
    model: MotionDenoiser, batch: MotionBatch, generator: torch.Generator, weights: Tensor, recipe: MotionRecipe
) -> Tensor:
    """Return the loss of guessing clean motion behind noise, times spread evenly over the batch."""
    clean = model.normalise(batch.motion)
    n = len(clean)
    first, last = _TIMES
    even = (torch.randperm(n, generator=generator) + torch.rand(n, generator=generator)) / n
    levels = [cosine_level(first + (last - first) * float(share)) for share in even]
    alpha, sigma = torch.tensor([mixing(level) for level in levels]).T[:, :, None, None]
    noise = torch.randn(clean.shape, generator=generator)
    hears = torch.rand(n, generator=generator) >= recipe.withheld
    context = model.prepare(batch.given, hears=hears)
    guess = model(alpha * clean + sigma * noise, torch.tensor(levels), context)
    return motion_loss(guess, clean, batch.given.valid, weights, recipe.velocity)


@torch.no_grad()
def held_out_loss(training: Training, stage: Stage, held_out: MotionCorpus | None) -> float | None:
    """Return the loss of the averaged weights on held-out windows, always the same ones; None without any."""
    if held_out is None:
        return None
    generator = torch.Generator().manual_seed(0)
    draw = draw_for_base if stage.name == "base" else draw_mixtures
    weights = channel_weights(1.0)
    losses = [
        denoising_loss(training.average, draw(held_out, 16, generator), generator, weights, training.recipe)
        for _ in range(_HELD_OUT_BATCHES)
    ]
    return float(torch.stack(losses).mean())


@torch.no_grad()
def _follow(average: MotionDenoiser, model: MotionDenoiser, learning: list[torch.nn.Parameter], keep: float) -> None:
    """Move the averaged weights towards those that learn."""
    learns = {id(parameter) for parameter in learning}
    for mean, parameter in zip(average.parameters(), model.parameters(), strict=True):
        if id(parameter) in learns:
            mean.lerp_(parameter, 1.0 - keep)
