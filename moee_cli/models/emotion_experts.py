"""The mixture of emotion experts, one piece of code for motion and for images.

    X' = X + sum_i g_i E_i(X * s_i)        s = sigmoid(G_local(X))    g = softmax(G_global(pool X) + log w)

A token is a motion frame (then the pool is a local mean, and each frame attends to its own latents) or a place in an
image (then the pool is the mean over all of them, and they share their latents). Experts are cross-attentions to the
emotion latents. Source: MoEE (arXiv 2501.01808), section 3; that the user's weights w command the gate is ours: an
expert of weight 0 is silent, and neutral is a seventh entry that adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

N_EXPERTS = 6
"""Happiness, sadness, anger, disgust, fear, surprise: `labels.EXPERTS`."""


class EmotionExperts(nn.Module):
    """Adds to tokens [B, N, C] what six experts say about them.

    `pool_reach`: tokens on each side whose mean the global gate sees; None for the mean over all tokens.
    `experts=False`: one cross-attention for all emotions in place of six (ablation).
    `local_gate=False`: every token is let in (ablation).
    `global_gate=False`: the gate is what the user commands, nothing is learned (ablation).
    `commanded=False`: the paper's own gate, softmax over six experts, deaf to the user's weights.
    """

    def __init__(
        self,
        width: int,
        latent_width: int,
        *,
        n_heads: int = 4,
        head_width: int = 16,
        pool_reach: int | None = None,
        experts: bool = True,
        local_gate: bool = True,
        global_gate: bool = True,
        commanded: bool = True,
    ) -> None:
        super().__init__()
        self.n_experts = N_EXPERTS if experts else 1
        self.pool_reach = pool_reach
        self.commanded = commanded or not global_gate
        self.norm = nn.LayerNorm(width)
        self.attention = ExpertAttention(width, latent_width, self.n_experts, n_heads, head_width)
        self.local = nn.Linear(width, self.n_experts) if local_gate else None
        self.overall = nn.Linear(width, N_EXPERTS + self.commanded) if global_gate and experts else None
        if self.overall is not None:  # at first the gate is what the user commands
            nn.init.zeros_(self.overall.weight)
            nn.init.zeros_(self.overall.bias)

    def forward(
        self,
        tokens: Tensor,
        latents: Tensor,
        weights: Tensor,
        valid: Tensor | None = None,
        forced: Tensor | None = None,
    ) -> Tensor:
        """Return tokens [B, N, C].

        `latents` [B, L, D], or [B, N, L, D] where each token has its own; `weights` [B, 7] or [B, N, 7], rows summing
        to 1, neutral first; `valid` [B, N] is False for tokens that only fill up the batch. `forced` [B, N, 6] stands
        in for the global gate: so each expert is trained by itself, before there is a gate.
        """
        normed = self.norm(tokens)
        gate = self.gate(normed, weights, valid) if forced is None else forced
        if self.n_experts == 1 and forced is not None:
            gate = forced.sum(-1, keepdim=True)
        heard = gate.detach().amax(dim=(0, 1)) > 0
        chosen = torch.nonzero(heard).flatten()
        if not len(chosen):
            return tokens
        let_in = torch.ones_like(gate) if self.local is None else self.local(normed).sigmoid()
        if len(chosen) < self.n_experts:  # silent experts need not think
            gate, let_in = gate[..., chosen], let_in[..., chosen]
        mixed: Tensor = tokens + self.attention(normed, let_in, gate, latents, chosen)
        return mixed

    def gates(self) -> Iterator[nn.Module]:
        """Yield the gates that are learned."""
        yield from (gate for gate in (self.local, self.overall) if gate is not None)

    def gate(self, normed: Tensor, weights: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return how much each expert says, [B, N or 1, experts]; the rest to 1 is neutral's."""
        if weights.dim() == 2:
            weights = weights.unsqueeze(1)
        if self.n_experts == 1:
            return 1.0 - weights[..., :1]
        # Rounding can leave a weight a little below 0, whose logarithm would be no number and silence everybody.
        command = weights[..., -N_EXPERTS - self.commanded :].clamp_min(0.0).log() if self.commanded else None
        if self.overall is None:
            scores = command
        else:
            scores = self.overall(_pooled(normed, self.pool_reach, valid))
            scores = scores if command is None else scores + command
        assert scores is not None
        return scores.softmax(-1)[..., -N_EXPERTS:]


class ExpertAttention(nn.Module):
    """Cross-attentions of all experts at once; their weights lie along the first axis. Outputs start at zero."""

    def __init__(self, width: int, latent_width: int, n_experts: int, n_heads: int, head_width: int) -> None:
        super().__init__()
        self.scale = head_width**-0.5
        self.query = nn.Parameter(torch.empty(n_experts, n_heads, width, head_width))
        self.key = nn.Parameter(torch.empty(n_experts, n_heads, latent_width, head_width))
        self.value = nn.Parameter(torch.empty(n_experts, n_heads, latent_width, head_width))
        self.out = nn.Parameter(torch.zeros(n_experts, n_heads, head_width, width))
        for matrix in (self.query, self.key, self.value):
            nn.init.normal_(matrix, std=1.0 / sqrt(matrix.shape[2]))

    def forward(self, tokens: Tensor, let_in: Tensor, gate: Tensor, latents: Tensor, chosen: Tensor) -> Tensor:
        """Return the sum of what the chosen experts say, [B, N, C], for gates [B, N or 1, chosen]."""
        matrices = (self.query, self.key, self.value, self.out)
        query, key, value, out = (matrix if len(chosen) == len(matrix) else matrix[chosen] for matrix in matrices)
        asked = torch.einsum("bnc,ehck->benhk", tokens, query) * let_in.transpose(1, 2)[..., None, None]
        said = (_from_own if latents.dim() == 4 else _from_shared)(asked * self.scale, key, value, latents)
        said = said * gate.transpose(1, 2)[..., None, None]
        return torch.einsum("benhk,ehkc->bnc", said, out)


def _from_shared(asked: Tensor, key: Tensor, value: Tensor, latents: Tensor) -> Tensor:
    """Return answers [B, E, N, heads, k] of latents [B, L, D] that all tokens share."""
    keys = torch.einsum("bld,ehdk->behlk", latents, key)
    values = torch.einsum("bld,ehdk->behlk", latents, value)
    said = F.scaled_dot_product_attention(asked.transpose(2, 3), keys, values, scale=1.0)
    return said.transpose(2, 3)


def _from_own(asked: Tensor, key: Tensor, value: Tensor, latents: Tensor) -> Tensor:
    """Return answers [B, E, N, heads, k] of each token's own latents [B, N, L, D].

    The key matrix is applied to the questions and the value matrix to the mean of latents, which is the same and does
    not cost more for more latents.
    """
    towards = torch.einsum("benhk,ehdk->benhd", asked, key)
    shares = torch.einsum("benhd,bnld->benhl", towards, latents).softmax(-1)
    mean = torch.einsum("benhl,bnld->benhd", shares, latents)
    return torch.einsum("benhd,ehdk->benhk", mean, value)


def _pooled(tokens: Tensor, reach: int | None, valid: Tensor | None) -> Tensor:
    """Return the mean of tokens, [B, 1, C] over all, or [B, N, C] over those within `reach`; fillers do not count."""
    counted = torch.ones_like(tokens[..., :1]) if valid is None else valid[..., None].to(tokens.dtype)
    tokens = tokens * counted
    if reach is None:
        return tokens.sum(1, keepdim=True) / counted.sum(1, keepdim=True).clamp_min(1.0)
    total, number = (_box_sum(part, reach) for part in (tokens, counted))
    return total / number.clamp_min(1.0)


def _box_sum(values: Tensor, reach: int) -> Tensor:
    """Return sums [B, N, C] over tokens within `reach`."""
    padded = F.pad(values, (0, 0, reach, reach))
    return F.avg_pool1d(padded.transpose(1, 2), 2 * reach + 1, stride=1).transpose(1, 2) * (2 * reach + 1)
