"""Clips to batches of windows, drawn by a generator: everything, one emotion, or mixtures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from moee_cli.core.errors import InputError
from moee_cli.core.labels import EMOTIONS, SHAPES
from moee_cli.models.motion_denoiser import MotionInput
from moee_cli.training.motion.clip import Clip

NEUTRAL = 0
MIXED = len(EMOTIONS)
"""Kinds of windows: the index of an emotion that is felt alone, or this."""
_FELT = 0.15
"""Share of a window's weight that is not neutral, from which on it counts as emotional."""
_ALONE = 0.8
"""Share of that which one emotion must have to count as felt alone."""
_SHAPE_SCALE, _POSE_SCALE = 0.02, 0.002
"""Least spread that a shape (0..1) or pose (radians, eye distances) is divided by: what never moves is not blown up."""


@dataclass(frozen=True, eq=False)
class MotionBatch:
    """Windows of a corpus: what is given, and the motion [B, F, 52] that is wanted, in its own units."""

    given: MotionInput
    motion: Tensor


class MotionCorpus:
    """All frames of a corpus in memory, in half precision: 768 bytes each, 69 MB an hour.

    Windows begin anywhere within `frames // 4` of a grid; clips shorter than a window are filled up.
    """

    def __init__(self, clips: Iterable[Clip], frames: int) -> None:
        kept = [clip for clip in clips if len(clip.motion)]
        if not kept:
            raise InputError("the corpus holds no clips for training", "make it again: moee train data --out DIR")
        self.frames = frames
        self._arrays = {
            name: torch.cat([torch.from_numpy(getattr(clip, name)).half() for clip in kept])
            for name in ("log_mel", "pitch_hz", "motion", "emotion", "controls")
        }
        lengths = torch.tensor([len(clip.motion) for clip in kept])
        self._first = lengths.cumsum(0) - lengths
        self._stop = lengths.cumsum(0)
        self._windows = self._grid(lengths)
        self._kinds = self._kinds_of(self._windows)
        self.pools = [torch.nonzero(self._kinds == kind).flatten() for kind in range(MIXED + 1)]

    def __len__(self) -> int:
        return int(self._stop[-1])

    def spread(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of each channel, [52] each."""
        motion = self._arrays["motion"].float()
        least = torch.full((motion.shape[1],), _POSE_SCALE)
        least[: len(SHAPES)] = _SHAPE_SCALE
        return motion.mean(0), torch.maximum(motion.std(0), least)

    def draw(self, n: int, generator: torch.Generator) -> MotionBatch:
        """Return n windows from anywhere."""
        return self._gather(torch.randint(len(self._windows), (n,), generator=generator), generator)

    def draw_kinds(self, kinds: Tensor, generator: torch.Generator) -> MotionBatch:
        """Return one window for each of the kinds [n] (`EMOTIONS` by number, MIXED); of what is not there, any."""
        chance = torch.rand(len(kinds), generator=generator)
        anything = torch.arange(len(self._windows))
        pools = [self.pools[kind] if len(self.pools[kind]) else anything for kind in kinds.tolist()]
        picked = [pool[int(share * len(pool))] for pool, share in zip(pools, chance.tolist(), strict=True)]
        return self._gather(torch.stack(picked), generator)

    def _grid(self, lengths: Tensor) -> Tensor:
        """Return windows [n, 2]: clip, first frame."""
        step = max(1, self.frames // 4)
        rows = [
            torch.tensor(
                [[clip, int(self._first[clip]) + start] for start in range(0, max(1, length - self.frames), step)]
            )
            for clip, length in enumerate(lengths.tolist())
        ]
        return torch.cat(rows)

    def _kinds_of(self, windows: Tensor) -> Tensor:
        summed = torch.cat(
            [torch.zeros(1, len(EMOTIONS), dtype=torch.float64), self._arrays["emotion"].double().cumsum(0)]
        )
        start = windows[:, 1]
        stop = torch.minimum(start + self.frames, self._stop[windows[:, 0]])
        mean = ((summed[stop] - summed[start]) / (stop - start)[:, None]).float()
        most, which = mean[:, 1:].max(1)
        felt = 1.0 - mean[:, NEUTRAL]
        kinds = torch.where(most > _ALONE * felt, which + 1, MIXED)
        return torch.where(felt < _FELT, NEUTRAL, kinds)

    def _gather(self, picked: Tensor, generator: torch.Generator) -> MotionBatch:
        clip, start = self._windows[picked].unbind(1)
        jitter = torch.randint(max(1, self.frames // 4), (len(picked),), generator=generator)
        latest = torch.maximum(self._stop[clip] - self.frames, self._first[clip])
        start = torch.minimum(start + jitter, latest)
        index = start[:, None] + torch.arange(self.frames)
        valid = index < self._stop[clip][:, None]
        index = torch.minimum(index, self._stop[clip][:, None] - 1)
        arrays = {name: array[index].float() for name, array in self._arrays.items()}
        weights = arrays["emotion"] / arrays["emotion"].sum(-1, keepdim=True)  # half precision does not sum to 1
        given = MotionInput(arrays["log_mel"], arrays["pitch_hz"], arrays["controls"], weights, valid)
        return MotionBatch(given, arrays["motion"])
