"""What sampling and training of motion cost, in CPU seconds of one thread.

    python benchmarks/sampling.py [--weights runs/first/motion.safetensors]

Sampling is of one minute of sound, cut as the engine cuts it, all chunks in one batch, in one emotion or in another one
every five seconds. Guidance by sound and by emotion takes three guesses a step, by one of them two, none one. Without
weights the network is fresh: it costs the same.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from moee_cli.audio.features import silence
from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import Drive, NoiseSpan
from moee_cli.engines.motion.sampler import SamplerSettings, input_of, sample_motion
from moee_cli.engines.motion.spec import SPEC
from moee_cli.models.motion_denoiser import MotionDenoiser
from moee_cli.models.motion_weights import load_motion_weights, weights_bytes
from moee_cli.sampling.chunks import plan_chunks
from moee_cli.training.denoiser.batches import MotionBatch
from moee_cli.training.denoiser.loop import denoising_loss
from moee_cli.training.denoiser.losses import channel_weights
from moee_cli.training.denoiser.recipe import MotionRecipe

MINUTE = 1500
"""Motion frames."""


def drives(*, steady: bool) -> list[Drive]:
    """Return the chunks of a minute, in one emotion or in another one every five seconds."""
    emotions = np.eye(7, dtype=np.float32)[1 + np.arange(MINUTE) * (not steady) // 125 % 6]
    made = []
    for chunk in plan_chunks(MINUTE, SPEC.chunk, SPEC.overlap):
        start, stop = max(0, chunk.start - SPEC.context), min(MINUTE, chunk.stop + SPEC.context)
        ones = np.ones(stop - start, np.float32)
        spans = (NoiseSpan("line", 1, start, stop),)
        before, after = chunk.start - start, stop - chunk.stop
        given = (silence(stop - start), emotions[start:stop], ones, ones, 0 * ones, 15 * ones)
        made.append(Drive(*given, spans, before, len(chunk), after))
    return made


def seconds(action: Callable[[], object], times: int = 1) -> float:
    """Return the CPU seconds of an action, after one that does not count."""
    action()
    begun = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - begun) / times


def training_step(model: MotionDenoiser, recipe: MotionRecipe, *, experts: bool) -> Callable[[], None]:
    """Return one step forwards and backwards, with all parts learning: later stages learn less and cost less."""
    drive = drives(steady=True)[1]
    part = replace(drive, features=drive.features[: recipe.frames], emotion=drive.emotion[: recipe.frames])
    controls = {name: getattr(part, name)[: recipe.frames] for name in ("speech", "head", "gaze_free", "blinks")}
    given = input_of([replace(part, **controls)] * recipe.batch)
    if not experts:
        given = replace(given, forced=torch.zeros(recipe.batch, recipe.frames, 6))
    batch = MotionBatch(given, torch.zeros(recipe.batch, recipe.frames, 52))
    generator, weights = torch.Generator().manual_seed(0), channel_weights(1.0)

    def step() -> None:
        denoising_loss(model, batch, generator, weights, recipe).backward()
        model.zero_grad(set_to_none=True)

    return step


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = MotionRecipe()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.weights or Path(folder) / "fresh.safetensors"
        if not arguments.weights:
            path.write_bytes(weights_bytes(MotionDenoiser(recipe.network)))
        loading = seconds(lambda: load_motion_weights(path))
        print(f"weights: {path.stat().st_size / 1e6:.1f} MB, loaded in {loading:.2f} s")
        model = load_motion_weights(path)
    noise = NoiseSource(0)
    for steady, emotions in ((True, "one emotion"), (False, "eleven changes of emotion")):
        minute = drives(steady=steady)
        print(f"a minute in {len(minute)} chunks, {emotions}")
        for steps, audio, emotion in ((10, 1.0, 1.0), (10, 1.5, 1.0), (10, 1.5, 1.5), (20, 1.5, 1.0)):
            settings = SamplerSettings(steps, audio, emotion)
            cost = seconds(lambda minute=minute, settings=settings: sample_motion(model, minute, noise, settings))
            print(f"  {steps} steps, guidance {audio:g} by sound, {emotion:g} by emotion: {cost:.2f} s")
    model.train().requires_grad_()
    for experts in (False, True):
        cost = seconds(training_step(model, recipe, experts=experts), 3)
        name = "with experts" if experts else "base"
        print(f"a training step of {recipe.batch} windows of {recipe.frames} frames, {name}: {cost:.2f} s")


if __name__ == "__main__":
    main()
