from __future__ import annotations

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, N_MOTION
from moee_cli.models.motion_denoiser import MotionConfig
from moee_cli.training.denoiser.batches import MotionCorpus
from moee_cli.training.denoiser.recipe import MotionRecipe
from moee_cli.training.motion.clip import Clip

TINY = MotionConfig(
    width=32, n_layers=1, reach=8, growth=2, n_latents=2, latent_width=16, text_width=8, expert_heads=2, expert_width=8
)


@pytest.fixture
def recipe():
    """A training that takes seconds."""
    return MotionRecipe(TINY, base_steps=6, expert_steps=4, mixture_steps=3, batch=6, frames=40, withheld=0.4)


@pytest.fixture
def clip():
    """Make a clip whose jaw follows the sound and whose corners of the mouth follow happiness."""

    def make(emotion=0, *, n_frames=120, intensity=1.0, seed=0, held_out=False):
        rng = np.random.default_rng(seed)
        loud = np.repeat(rng.random(n_frames // 8 + 1), 8)[:n_frames].astype(np.float32)
        weights = np.zeros((n_frames, 7), np.float32)
        weights[:, emotion] = intensity
        weights[:, 0] += 1.0 - intensity
        motion = np.zeros((n_frames, N_MOTION), np.float32)
        motion[:, CHANNEL["jawOpen"]] = 0.5 * loud
        for side in ("Left", "Right"):
            motion[:, CHANNEL[f"mouthSmile{side}"]] = 0.8 * weights[:, 1]
            motion[:, CHANNEL[f"browDown{side}"]] = 0.8 * weights[:, 3]
        controls = np.tile(np.array([1, 1, 0, 15], np.float32), (n_frames, 1))
        log_mel = np.tile((5.0 * loud - 6.0)[:, None, None], (1, 4, 80))
        energy, pitch = 20.0 * loud - 40.0, np.full(n_frames, 120.0, np.float32)
        return Clip(log_mel, energy, pitch, motion, weights, controls, (), "made", held_out)

    return make


@pytest.fixture
def corpus(clip):
    """A corpus of all emotions, some of them half felt, and one mixture."""
    clips = [clip(emotion, intensity=share, seed=emotion) for emotion in range(7) for share in (1.0, 0.5)]
    mixed = clip(1, seed=9)
    mixed.emotion[:] = [0.1, 0.5, 0.0, 0.0, 0.0, 0.0, 0.4]
    return MotionCorpus([*clips, mixed], 40)
