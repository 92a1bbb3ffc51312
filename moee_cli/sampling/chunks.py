"""Cutting a stretch of frames into overlapping chunks, and blending what was sampled for them.

Each chunk is denoised alone; the clean results are blended once, with weights that are positive and sum to 1.
The network never learns about chunks. Source of the scheme: overlap-add as in MultiDiffusion (arXiv 2302.08113), with
one blend of clean samples instead of one per step, so that a chunk computed alone equals itself in the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moee_cli.core.types import F32


@dataclass(frozen=True)
class Chunk:
    """Frames [start, stop) that are sampled at once. May begin before 0 and end after the stretch it belongs to."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def plan_chunks(n_frames: int, size: int, overlap: int, *, before: int = 0, after: int = 0) -> list[Chunk]:
    """Return chunks that cover [-before, n_frames + after), neighbours sharing `overlap` frames.

    The grid is anchored at frame 0, so a longer stretch or another `after` changes only the last chunks, and another
    `before` only the first.

    Raises:
        ValueError: not 0 <= overlap < size, or nothing to cover.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap {overlap} must be at least 0 and below the chunk size {size}")
    end = n_frames + after
    if n_frames < 1:
        raise ValueError("a stretch has at least one frame")
    chunks = [Chunk(-before, min(overlap, end))] if before else []
    start = 0
    while start == 0 or start + overlap < end:
        chunks.append(Chunk(start, min(start + size, end)))
        start += size - overlap
    return chunks


def ramp(length: int, overlap: int) -> F32:
    """Return blend weights [length], positive, rising over the first and falling over the last `overlap` frames.

    Raised-cosine flanks sampled at half steps: two neighbours that share exactly `overlap` frames sum to 1 there.
    """
    flank = min(overlap, length)
    weights = np.ones(length, np.float32)
    if flank:
        rise = (0.5 - 0.5 * np.cos(np.pi * (np.arange(flank) + 0.5) / flank)).astype(np.float32)
        weights[:flank] = rise
        weights[length - flank :] = np.minimum(weights[length - flank :], rise[::-1])
    return weights


class OverlapBlender:
    """Collects sampled chunks of the stretch [start, stop) and returns their weighted mean."""

    def __init__(self, start: int, stop: int, overlap: int) -> None:
        self._start = start
        self._overlap = overlap
        self._weights = np.zeros(stop - start, np.float32)
        self._values: F32 | None = None

    def add(self, chunk: Chunk, values: F32) -> None:
        """Add `values` [len(chunk), ...]; what lies outside the stretch is left out."""
        if len(values) != len(chunk):
            raise ValueError(f"chunk of {len(chunk)} frames came with {len(values)} values")
        if self._values is None:
            self._values = np.zeros((len(self._weights), *values.shape[1:]), np.float32)
        first = max(chunk.start, self._start)
        last = min(chunk.stop, self._start + len(self._weights))
        if first >= last:
            return
        weights = ramp(len(chunk), self._overlap)[first - chunk.start : last - chunk.start]
        target = slice(first - self._start, last - self._start)
        column = weights.reshape(-1, *([1] * (values.ndim - 1)))
        self._values[target] += column * values[first - chunk.start : last - chunk.start]
        self._weights[target] += weights

    def result(self) -> F32:
        """Return the blended stretch [stop - start, ...].

        Raises:
            ValueError: a frame is covered by no chunk.
        """
        if self._values is None or not (self._weights > 0).all():
            raise ValueError("some frames are covered by no chunk")
        return self._values / self._weights.reshape(-1, *([1] * (self._values.ndim - 1)))
