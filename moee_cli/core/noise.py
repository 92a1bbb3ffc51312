"""Counter-based noise: the value at a position depends on that position alone, not on what was drawn before.

A film can therefore be rendered in any order, in parts, or on several machines, and a line keeps its performance
when other lines are inserted, deleted, lengthened or moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from moee_cli.core.types import F32, NoiseSpan

_OFFSET = 1 << 62
"""Added to frame numbers, so that frames before a segment's start have a counter too."""


class NoiseSource:
    """Standard normal and uniform values keyed by (seed, stream, segment id, take, motion frame).

    Source: Philox 4x32/64, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), as in numpy.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def _key(self, stream: str, segment_id: str, take: int) -> int:
        text = "\x1f".join((str(self.seed), stream, segment_id, str(take)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")

    def _generators(self, stream: str, spans: Sequence[NoiseSpan]) -> list[np.random.Generator]:
        generators = []
        for span in spans:
            key = self._key(stream, span.id, span.take)
            for frame in range(span.start, span.stop):
                # The frame fills the upper half of the 256-bit counter, so one frame may draw 2^128 blocks of its own.
                counter = (_OFFSET + frame) << 128
                generators.append(np.random.Generator(np.random.Philox(key=key, counter=counter)))
        return generators

    def normal(self, stream: str, spans: Sequence[NoiseSpan], shape: tuple[int, ...] = ()) -> F32:
        """Return standard normal noise, float32 [frames of all spans, *shape]."""
        return self._draw(stream, spans, shape, lambda generator: generator.standard_normal(shape, dtype=np.float32))

    def uniform(self, stream: str, spans: Sequence[NoiseSpan], shape: tuple[int, ...] = ()) -> F32:
        """Return uniform noise in [0, 1), float32 [frames of all spans, *shape]."""
        return self._draw(stream, spans, shape, lambda generator: generator.random(shape, dtype=np.float32))

    def _draw(
        self,
        stream: str,
        spans: Sequence[NoiseSpan],
        shape: tuple[int, ...],
        draw: Callable[[np.random.Generator], object],
    ) -> F32:
        values = [np.asarray(draw(generator), np.float32) for generator in self._generators(stream, spans)]
        return np.stack(values) if values else np.empty((0, *shape), np.float32)
