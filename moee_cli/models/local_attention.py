"""Self-attention among frames near each other: time and memory grow with the length, not with its square."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

SLOPES = (0.0, 0.05, 0.2, 0.6)
"""How much less a frame counts with each frame of distance, at first, for one head each: far sight to near sight.
In the manner of Press et al., "Train short, test long" (ALiBi, arXiv 2108.12409), but learned from there on."""
_FILLER = -1e4
"""Score of a filler: no weight beside any real frame, and still a number where there is none."""


class LocalAttention(nn.Module):
    """Each frame attends to those within `reach`; a learned bias per head and distance tells them apart.

    Frames are cut into blocks of `reach`, and each block attends to itself and its two neighbours.
    """

    def __init__(self, width: int, n_heads: int, reach: int) -> None:
        super().__init__()
        self.n_heads, self.reach = n_heads, reach
        self.into = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        slopes = torch.tensor([SLOPES[head % len(SLOPES)] for head in range(n_heads)])
        self.bias = nn.Parameter(-slopes[:, None] * torch.arange(-reach, reach + 1).abs())
        distance = torch.arange(3 * reach)[None] - reach - torch.arange(reach)[:, None]
        self.register_buffer("distance", distance, persistent=False)

    def forward(self, frames: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return [B, N, C] for frames [B, N, C]; `valid` [B, N] is False for fillers, which nobody attends to."""
        n_batch, n_frames, width = frames.shape
        fill = -n_frames % self.reach
        if valid is None:
            valid = torch.ones((n_batch, n_frames), dtype=torch.bool, device=frames.device)
        query, key, value = F.pad(self.into(frames), (0, 0, 0, fill)).chunk(3, -1)
        around = self._around(F.pad(valid, (0, fill))[..., None].to(frames.dtype))[..., 0]
        mask = self._mask().to(frames.dtype)[None] + (1.0 - around)[:, None, None] * _FILLER
        answers = F.scaled_dot_product_attention(
            self._heads(query.reshape(-1, self.reach, width)),
            self._heads(self._around(key)),
            self._heads(self._around(value)),
            attn_mask=mask,
        )
        joined = answers.transpose(1, 2).reshape(n_batch, n_frames + fill, width)[:, :n_frames]
        result: Tensor = self.out(joined)
        return result

    def _around(self, values: Tensor) -> Tensor:
        """Return each block with its neighbours, [B * blocks, 3 * reach, C]; zeros beyond the ends."""
        n_batch, _, width = values.shape
        blocks = F.pad(values.reshape(n_batch, -1, self.reach, width), (0, 0, 0, 0, 1, 1))
        return torch.cat([blocks[:, :-2], blocks[:, 1:-1], blocks[:, 2:]], 2).flatten(0, 1)

    def _heads(self, values: Tensor) -> Tensor:
        return values.reshape(*values.shape[:2], self.n_heads, -1).transpose(1, 2)

    def _mask(self) -> Tensor:
        """Return the bias [heads, reach, 3 * reach] by distance, -infinity out of reach."""
        assert isinstance(self.distance, Tensor)
        near = self.distance.abs() <= self.reach
        bias = self.bias[:, self.distance.clamp(-self.reach, self.reach) + self.reach]
        return bias.masked_fill(~near, float("-inf"))
