"""How much room a face has for motion: its forehead, neck and mouth against those of a standard face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moee_cli.core.types import F32
from moee_cli.face.canonical import CanonicalFrame

BROW = 0.31
"""Height of the brow, in units."""
BROWS = (-0.6, 0.6)
"""Reach of the brows across the face."""
RAISED = 0.215
"""Height above the brow, in units, over which a raised one's motion fades out."""
CHIN, NECK = -1.22, 0.68
"""Height of the chin, and how far below it the neck takes up the jaw's motion."""
_MOUTH, _LEAST_SMILE = 0.50, 0.7
"""Width of a standard lip line, in units, and the share of a corner's way on the smallest mouths."""


@dataclass(frozen=True)
class Rooms:
    """Sizes of parts in which motion has to fit, against a standard face; a part that is larger counts as 1."""

    forehead: tuple[float, ...] = (1.0,)
    """From the brows to the hair line, at even steps over `BROWS`."""
    neck: float = 1.0
    """Below the chin."""
    mouth: float = 1.0
    """From corner to corner: a small mouth smiles small, or its lips would be drawn into a wedge."""

    @classmethod
    def of(cls, frame: CanonicalFrame, mouth: float) -> Rooms:
        """Measure a face where its canonical coordinates change fastest; `mouth` is the lip line in units."""
        columns = np.linspace(*BROWS, 7)
        forehead = tuple(_room(frame, (x - 0.1, x + 0.1), (BROW, BROW + RAISED)) for x in columns)
        neck = _room(frame, (-0.3, 0.3), (CHIN - NECK, CHIN))
        return cls(forehead, neck, float(np.clip(mouth / _MOUTH, _LEAST_SMILE, 1.0)))

    def above_brows(self, x: F32) -> F32:
        """Return the room of the forehead at canonical `x` [N]."""
        return np.interp(x, np.linspace(*BROWS, len(self.forehead)), self.forehead).astype(np.float32)


STANDARD = Rooms()


def _room(frame: CanonicalFrame, across: tuple[float, float], along: tuple[float, float]) -> float:
    """Return the height of a canonical box, x `across` and y `along`, on a face, against a standard face; at most 1."""
    xs, ys = np.linspace(across[0] - 0.2, across[1] + 0.2, 13), np.linspace(along[0] - 0.2, along[1] + 0.2, 41)
    seen = np.stack(np.meshgrid(xs, ys), axis=-1).astype(np.float32)
    places = frame.places((frame.to_pixels(seen) + frame.origin).reshape(-1, 2))[:, :2].reshape(seen.shape)
    inside = ((places > (across[0], along[0])) & (places < (across[1], along[1]))).all(axis=-1)
    steepness = np.gradient(places[..., 1], ys, axis=0)[inside]
    return float(1.0 / max(1.0, steepness.max(initial=1.0)))
