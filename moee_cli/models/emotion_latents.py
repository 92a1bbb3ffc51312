"""Emotion to latents: what is known of an emotion, to the few vectors that the experts attend to.

Up to three modalities: the weights (a label or a mix), the embedding of a text, the prosody of the voice. Each goes
through its own projection to one width; learnable tokens attend to those that are there. What is absent is no token, so
nothing has to stand for it. Source: MoEE (arXiv 2501.01808), section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

MODALITIES = ("weights", "text", "prosody")


@dataclass(frozen=True, eq=False)
class EmotionCue:
    """What is known of the emotion of B stretches; None is not known. Time may be missing in `text` alone."""

    weights: Tensor | None = None
    """[B, F, 7], rows summing to 1, neutral first."""
    text: Tensor | None = None
    """[B, D] or [B, F, D], embedding of a text."""
    prosody: Tensor | None = None
    """[B, F, P], how it is said."""


class EmotionLatents(nn.Module):
    """Returns latents for each frame (or, told nothing per frame, for each stretch)."""

    def __init__(
        self, width: int, n_latents: int, *, text_width: int = 768, prosody_width: int = 4, hidden: int = 64
    ) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.randn(n_latents, width) / width**0.5)
        self.weights = nn.Sequential(nn.Linear(7, hidden), nn.SiLU(), nn.Linear(hidden, width))
        self.text = nn.Sequential(nn.LayerNorm(text_width), nn.Linear(text_width, width))
        self.prosody = nn.Sequential(nn.Linear(prosody_width, hidden), nn.SiLU(), nn.Linear(hidden, width))
        self.norm = nn.LayerNorm(width)
        self.key, self.value = nn.Linear(width, width, bias=False), nn.Linear(width, width)
        self.refine = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)
        )

    def forward(self, cue: EmotionCue, keep: Tensor | None = None) -> Tensor:
        """Return latents [B, F, L, D].

        `keep` [B, 3] leaves out modalities of a stretch (`dropped_modalities`), in the order of `MODALITIES`.

        Raises:
            ValueError: nothing at all is known.
        """
        told = [(number, getattr(cue, name)) for number, name in enumerate(MODALITIES)]
        told = [(number, value) for number, value in told if value is not None]
        if not told:
            raise ValueError("an emotion needs weights, text or prosody")
        projected = [getattr(self, MODALITIES[number])(value) for number, value in told]
        projected = [value[:, None] if value.dim() == 2 else value for value in projected]
        n_frames = max(value.shape[1] for value in projected)
        projected = [value.expand(-1, n_frames, -1) for value in projected]
        present = self.norm(torch.stack(projected, 2))  # [B, F, M, D]
        scores = torch.einsum("ld,bfmd->bflm", self.tokens, self.key(present)) / self.tokens.shape[1] ** 0.5
        if keep is not None:
            kept = keep[:, [number for number, _ in told]]
            scores = scores.masked_fill(~kept[:, None, None], float("-inf"))
        attended = torch.einsum("bflm,bfmd->bfld", scores.softmax(-1), self.value(present))
        latents = self.tokens + attended
        refined: Tensor = latents + self.refine(latents)
        return refined


def dropped_modalities(cue: EmotionCue, share: float, n: int, generator: torch.Generator) -> Tensor:
    """Return `keep` [n, 3] for training: each modality is left out with the given chance, but never the last one."""
    known = torch.tensor([getattr(cue, name) is not None for name in MODALITIES])
    keep = (torch.rand((n, len(MODALITIES)), generator=generator) >= share) & known
    rescued = (torch.rand((n, len(MODALITIES)), generator=generator) * known).argmax(1)
    keep[torch.arange(n), rescued] |= ~keep.any(1)
    return keep
