"""How far guessed motion is from the wanted one."""

from __future__ import annotations

import torch
from torch import Tensor

from moee_cli.core.labels import CHANNEL, N_MOTION

ARTICULATION = ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "tongueOut")
"""Channels that speak more than they feel. Smile, frown, dimple, stretch, press, lips and sneer are expression."""


def channel_weights(articulation: float) -> Tensor:
    """Return the weight of each channel [52], averaging 1, the channels of speech at so much of the others."""
    weights = torch.ones(N_MOTION)
    weights[[CHANNEL[name] for name in ARTICULATION]] = articulation
    return weights / weights.mean()


def motion_loss(guess: Tensor, wanted: Tensor, valid: Tensor, weights: Tensor, velocity: float) -> Tensor:
    """Return the mean squared error of motion [B, F, 52] and, times `velocity`, of its frame-to-frame change.

    Frames that are not `valid` [B, F] do not count. The velocity term is that of Tevet et al., "Human motion diffusion
    model" (arXiv 2209.14916), equation 5.
    """
    error = guess - wanted
    loss = _mean(error.square() @ weights, valid)
    if velocity and error.shape[1] > 1:
        change = (error[:, 1:] - error[:, :-1]).square() @ weights
        loss = loss + velocity * _mean(change, valid[:, 1:] & valid[:, :-1])
    return loss / weights.numel()


def _mean(values: Tensor, valid: Tensor) -> Tensor:
    return (values * valid).sum() / valid.sum().clamp_min(1)
