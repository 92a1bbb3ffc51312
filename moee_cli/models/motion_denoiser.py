"""The network behind the embedded engine: guesses clean face motion from noisy motion, sound and emotion.

A transformer over motion frames. The noise level shifts and scales what its layers see (adaLN); each layer hears the
sound again; after each attention the emotion experts speak. Attention is local and knows distances, not positions, so
any length runs and a frame depends on what is near. Told that the emotion is neutral it does without the experts: what
they are trained on top of is a face that talks, at an intensity, not in an emotion.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from moee_cli.core.labels import N_MOTION
from moee_cli.models.audio_encoder import AudioEncoder
from moee_cli.models.emotion_experts import EmotionExperts
from moee_cli.models.emotion_latents import EmotionCue, EmotionLatents
from moee_cli.models.local_attention import LocalAttention

N_CONTROLS = 4
"""Speech 0 or 1, gain on head motion, freedom of the gaze, blinks per minute."""
_TYPICAL_BLINKS = 15.0


@dataclass(frozen=True)
class MotionConfig:
    """Sizes of the network, and switches for what it can be trained without."""

    width: int = 160
    n_layers: int = 4
    n_heads: int = 4
    reach: int = 25
    """Frames a layer sees on either side."""
    growth: int = 3
    """Width of the feed-forward layers over `width`."""
    n_latents: int = 4
    latent_width: int = 64
    text_width: int = 768
    prosody_width: int = 4
    expert_heads: int = 4
    expert_width: int = 16
    """Width of one head of an expert."""
    pool_reach: int = 12
    """Frames on either side that the global gate sees."""
    experts: bool = True
    """False: one attention to the latents for all emotions."""
    local_gate: bool = True
    global_gate: bool = True
    """False: the user's weights are the gate."""
    gate: str = "commanded"
    """`learned` is the paper's own gate, deaf to the user's weights."""

    def as_dict(self) -> dict[str, object]:
        """Return plain values, for a file."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class MotionInput:
    """What decides the motion of B stretches of F frames."""

    log_mel: Tensor
    """[B, F, 4, 80]"""
    pitch_hz: Tensor
    """[B, F]"""
    controls: Tensor
    """[B, F, 4]"""
    weights: Tensor
    """[B, F, 7], rows summing to 1 (fillers too), neutral first."""
    valid: Tensor
    """[B, F], False for frames that only fill up the batch."""
    text: Tensor | None = None
    """[B, D]"""
    prosody: Tensor | None = None
    """[B, F, P]; opt-in: the emotion in the voice."""
    forced: Tensor | None = None
    """[B, F, 6], gates of the experts while each is trained by itself; zeros for the face without experts."""


@dataclass(frozen=True, eq=False)
class MotionContext:
    """An input as the layers take it: made once for all steps of a sampler."""

    heard: tuple[Tensor, ...]
    """[B, F, C] for each layer."""
    told: Tensor
    """[B, F, C], the controls."""
    latents: Tensor
    """[B, F, L, D], or [B, L, D] where they are the same in all frames."""
    weights: Tensor
    valid: Tensor
    forced: Tensor | None


class MotionDenoiser(nn.Module):
    """Noisy motion to a guess of the clean motion, both normalised."""

    mean: Tensor
    scale: Tensor

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.register_buffer("mean", torch.zeros(N_MOTION))
        self.register_buffer("scale", torch.ones(N_MOTION))
        self.audio = AudioEncoder(width)
        self.hear = nn.ModuleList(nn.Linear(width, width) for _ in range(config.n_layers))
        self.silence = nn.Parameter(torch.zeros(width))
        self.controls = nn.Sequential(nn.Linear(N_CONTROLS + 1, width), nn.SiLU(), nn.Linear(width, width))
        self.latents = EmotionLatents(
            config.latent_width, config.n_latents, text_width=config.text_width, prosody_width=config.prosody_width
        )
        self.level = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.into = nn.Linear(N_MOTION, width)
        self.layers = nn.ModuleList(_Layer(config) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, N_MOTION)
        nn.init.zeros_(self.out.weight)

    def prepare(self, given: MotionInput, *, hears: Tensor | None = None, keep: Tensor | None = None) -> MotionContext:
        """Return the context of an input.

        `hears` [B] is False where the sound is withheld; `keep` [B, 3] leaves out modalities of the emotion.
        """
        audio = self.audio(given.log_mel, given.pitch_hz, given.valid)
        if hears is not None:
            audio = torch.where(hears[:, None, None], audio, self.silence)
        scaled = given.controls * given.controls.new_tensor([1.0, 1.0, 1.0, 1.0 / _TYPICAL_BLINKS])
        told = self.controls(torch.cat([scaled, 1.0 - given.weights[..., :1]], -1))
        latents = self.latents(EmotionCue(given.weights, given.text, given.prosody), keep)
        same = (given.weights == given.weights[:, :1]).all(-1) | ~given.valid
        if given.prosody is None and bool(same.all()):
            latents = latents[:, 0]  # one emotion throughout: all frames share its latents, which costs less
        heard = tuple(hear(audio) for hear in self.hear)
        return MotionContext(heard, told, latents, given.weights, given.valid, given.forced)

    def forward(self, noisy: Tensor, level: Tensor, context: MotionContext) -> Tensor:
        """Return the guess [B, F, 52] for `noisy` motion [B, F, 52] of noise level [B] (see `sampling.schedules`)."""
        step = self.level(_waves(level, self.config.width))[:, None]
        frames = self.into(noisy) + context.told + step
        for layer, heard in zip(self.layers, context.heard, strict=True):
            frames = layer(frames, step, heard, context)
        guess: Tensor = self.out(self.norm(frames))
        return guess

    def normalise(self, motion: Tensor) -> Tensor:
        """Return motion [..., 52] with every channel at mean 0 and spread 1 over the training data."""
        return (motion - self.mean) / self.scale

    def denormalise(self, motion: Tensor) -> Tensor:
        """Return motion in its own units again."""
        return motion * self.scale + self.mean

    def mixtures(self) -> Iterator[EmotionExperts]:
        """Yield the experts of each layer."""
        yield from (layer.experts for layer in self.layers if isinstance(layer, _Layer))

    def emotional_parts(self) -> Iterator[nn.Module]:
        """Yield what is trained on top of the talking face: experts with their gates, and the latents."""
        yield self.latents
        yield from self.mixtures()


class _Layer(nn.Module):
    """Attention, experts, feed-forward. Source of adaLN: Peebles and Xie, "DiT" (arXiv 2212.09748)."""

    def __init__(self, config: MotionConfig) -> None:
        super().__init__()
        width = config.width
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.attention = LocalAttention(width, config.n_heads, config.reach)
        self.experts = EmotionExperts(
            width,
            config.latent_width,
            n_heads=config.expert_heads,
            head_width=config.expert_width,
            pool_reach=config.pool_reach,
            experts=config.experts,
            local_gate=config.local_gate,
            global_gate=config.global_gate,
            commanded=config.gate == "commanded",
        )
        self.think = nn.Sequential(
            nn.Linear(width, config.growth * width), nn.GELU(), nn.Linear(config.growth * width, width)
        )

    def forward(self, frames: Tensor, step: Tensor, heard: Tensor, context: MotionContext) -> Tensor:
        shift, scale, gain, shift_2, scale_2, gain_2 = self.modulation(F.silu(step)).chunk(6, -1)
        seen = self.norms[0](frames) * (1.0 + scale) + shift + heard
        frames = frames + (1.0 + gain) * self.attention(seen, context.valid)
        frames = self.experts(frames, context.latents, context.weights, context.valid, context.forced)
        thought = self.think(self.norms[1](frames) * (1.0 + scale_2) + shift_2)
        spoken: Tensor = frames + (1.0 + gain_2) * thought
        return spoken


def _waves(level: Tensor, width: int) -> Tensor:
    """Return sines and cosines [B, width] of levels [B], periods from 0.6 to 60."""
    steps = torch.linspace(0.0, 1.0, width // 2, device=level.device)
    angles = level.clamp(-8.0, 8.0)[:, None] * 10.0 ** (1.0 - 2.0 * steps)
    return torch.cat([angles.sin(), angles.cos()], -1)
