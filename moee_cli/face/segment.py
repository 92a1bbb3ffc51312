"""Where the network sees a person: selfie segmentation as shipped inside mediapipe 0.10, looked at in several crops.

The network answers at 256x256 px (MediaPipe Selfie Segmentation, model card of 2021: general, and landscape at
144x256). One answer has steps of two pixels and takes a strand or an epaulette now in, now out; the mean over whole and
crops, both models, each seen both ways, is smooth, and where the answers differ it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import cv2
import numpy as np

from moee_cli.core.types import F32, U8
from moee_cli.face.chatter import without_chatter

_SIDE = 256
"""What the network looks at."""
_CROPS = ((4.8, 0.0, 0.15), (3.8, 0.0, 0.0), (3.4, 0.25, 0.2), (3.4, -0.25, 0.2))
"""Squares around the middle of the face whose answers are averaged with that on the whole: side and shift in
outer-eye distances. Smaller ones cut the hair, and the network loses the person."""
_FEATHER = 0.12
"""Share of a crop's side over which its answer fades in from its border, where the network guesses."""

See = Callable[[U8], F32]
"""Probability of a person for each pixel [S, S] of a square RGB picture [S, S, 3]."""


def person_seen(picture: U8, middle: tuple[float, float], unit: float) -> F32 | None:
    """Return the probability float32 [H, W] that a pixel of an RGB picture belongs to a person.

    `middle` is that of the face, `unit` its outer-eye distance, both in px. None if there is no network: mediapipe is
    missing or holds no models.
    """
    height, width = picture.shape[:2]
    squares = [(max(height, width) * 1.0, width / 2, height / 2)]
    for side, right, down in _CROPS:
        squares.append((side * unit, middle[0] + right * unit, middle[1] + down * unit))
    with _network() as see:
        if see is None:
            return None
        total = np.zeros((height, width), np.float32)
        weights = np.zeros((height, width), np.float32)
        for index, (side, x, y) in enumerate(squares):
            _add(total, weights, picture, see, (side, x - side / 2, y - side / 2), feather=index > 0)
    return np.asarray(total / weights, np.float32)


def _add(total: F32, weights: F32, picture: U8, see: See, square: tuple[float, float, float], *, feather: bool) -> None:
    """Add, with its weight, what is seen in a square (side, left, top px) of the picture."""
    side, left, top = square
    height, width = picture.shape[:2]
    n, x0, y0 = round(side), round(left), round(top)
    x1, y1 = x0 + n, y0 + n
    inside = picture[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    margins = (max(-y0, 0), max(y1 - height, 0), max(-x0, 0), max(x1 - width, 0))
    square_picture = cv2.copyMakeBorder(inside, *margins, cv2.BORDER_REPLICATE)
    small = cv2.resize(square_picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    answer = cv2.resize(see(np.asarray(small, np.uint8)), (n, n), interpolation=cv2.INTER_LINEAR)
    weight = _window(n) if feather else np.full(answer.shape, 1e-2, np.float32)
    part = (slice(max(y0, 0), min(y1, height)), slice(max(x0, 0), min(x1, width)))
    own = (slice(part[0].start - y0, part[0].stop - y0), slice(part[1].start - x0, part[1].stop - x0))
    total[part] += (answer * weight)[own]
    weights[part] += weight[own]


def _window(n: int) -> F32:
    """Return weights [n, n]: 1 inside, falling to 0 at the border."""
    ramp = np.clip((np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5) / (_FEATHER * n), 0, 1)
    return np.asarray(np.minimum(ramp[:, None], ramp[None, :]), np.float32)


@contextmanager
def _network() -> Iterator[See | None]:
    """Run both models; None where they cannot be loaded: landmarks may then still come from a user's own file."""
    with without_chatter():
        solution = _solution()
    if solution is None:
        yield None
        return
    with without_chatter():
        models: list[Any] = [solution(model_selection=0), solution(model_selection=1)]
        for model in models:  # returns when every part has started and said so
            model.process(np.zeros((_SIDE, _SIDE, 3), np.uint8))

    def see(square: U8) -> F32:
        mirrored = np.ascontiguousarray(square[:, ::-1])
        answers = [model.process(square).segmentation_mask for model in models]
        answers += [model.process(mirrored).segmentation_mask[:, ::-1] for model in models]
        mean: F32 = np.mean(answers, axis=0, dtype=np.float32)
        return mean

    try:
        yield see
    finally:
        with without_chatter():
            for model in models:
                model.close()


def _solution() -> Any:
    """Return the class that runs a segmentation model, or None."""
    with suppress(ImportError):
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

        return SelfieSegmentation
    return None
