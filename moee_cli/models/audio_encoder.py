"""What is heard, to one vector per motion frame: convolutions over log-mel, so no language is built in."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - its usual name

N_MELS = 80
HOPS = 4
MEL_MEAN, MEL_SCALE = -3.7, 1.6
"""Mean and standard deviation of `AudioFeatures.log_mel` in active speech, over EmoDB, LibriSpeech, speechocean762 and
LJSpeech; they only set the scale of what the first layer sees."""
MIDDLE_PITCH_HZ = 160.0
"""Between low and high voices; pitch enters in octaves from here."""


class AudioEncoder(nn.Module):
    """Log-mel and pitch to vectors [B, F, C]; a frame hears about a quarter of a second on either side."""

    def __init__(self, width: int, *, hop_width: int = 64, n_blocks: int = 2) -> None:
        super().__init__()
        self.hops = nn.Conv1d(N_MELS, hop_width, 3, padding=1)
        # Eight hops, two of them of either neighbour, so that the frame lies in the middle.
        self.frames = nn.Conv1d(hop_width, width, 2 * HOPS, stride=HOPS, padding=HOPS // 2)
        self.pitch = nn.Linear(2, width)
        self.blocks = nn.ModuleList(_TimeBlock(width) for _ in range(n_blocks))
        self.norm = nn.LayerNorm(width)

    def forward(self, log_mel: Tensor, pitch_hz: Tensor, valid: Tensor) -> Tensor:
        """Return [B, F, C] of `log_mel` [B, F, 4, 80] and `pitch_hz` [B, F], 0 where unvoiced.

        Frames that are not `valid` [B, F] sound like nothing, as what lies beyond the ends does.
        """
        present = valid[..., None].to(log_mel.dtype)
        heard = ((log_mel - MEL_MEAN) / MEL_SCALE) * present[..., None]
        hops = F.gelu(self.hops(heard.flatten(1, 2).transpose(1, 2)))
        by_hop = present.repeat_interleave(HOPS, 1).transpose(1, 2)
        encoded = F.gelu(self.frames(hops * by_hop)).transpose(1, 2)
        voiced = (pitch_hz > 0).to(log_mel.dtype)
        octaves = torch.log2(pitch_hz.clamp_min(1.0) / MIDDLE_PITCH_HZ) * voiced
        encoded = encoded + self.pitch(torch.stack([octaves, voiced], -1))
        for block in self.blocks:
            encoded = block(encoded * present)
        result: Tensor = self.norm(encoded)
        return result


class _TimeBlock(nn.Module):
    """Mixes seven frames per channel, then channels. Source: Liu et al., "A ConvNet for the 2020s" (2201.03545)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.think = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, frames: Tensor) -> Tensor:
        mixed: Tensor = frames + self.think(self.mix(frames.transpose(1, 2)).transpose(1, 2))
        return mixed
