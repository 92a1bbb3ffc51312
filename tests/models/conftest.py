from __future__ import annotations

import pytest
import torch

from moee_cli.models.motion_denoiser import MotionConfig, MotionDenoiser, MotionInput

SMALL = MotionConfig(
    width=32, n_layers=2, reach=5, growth=2, n_latents=2, latent_width=16, text_width=8, expert_heads=2, expert_width=8
)


@pytest.fixture
def small_config():
    return SMALL


@pytest.fixture
def denoiser():
    """A small network whose every part says something, as after training."""
    torch.manual_seed(0)
    model = MotionDenoiser(SMALL)
    for name, parameter in model.named_parameters():
        if name.endswith(("attention.out", "modulation.weight")) or name == "out.weight":
            torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.fixture
def given():
    """Make inputs of B stretches of F frames."""

    def make(n_batch=2, n_frames=40, emotion=3, seed=0):
        generator = torch.Generator().manual_seed(seed)
        weights = torch.zeros((n_batch, n_frames, 7))
        weights[..., emotion] = 1.0
        return MotionInput(
            log_mel=torch.randn((n_batch, n_frames, 4, 80), generator=generator) - 4.0,
            pitch_hz=100.0 + 100.0 * torch.rand((n_batch, n_frames), generator=generator),
            controls=torch.rand((n_batch, n_frames, 4), generator=generator),
            weights=weights,
            valid=torch.ones((n_batch, n_frames), dtype=torch.bool),
        )

    return make
