"""From premultiplied alpha, which frames are mixed in, to straight alpha, which files hold."""

from __future__ import annotations

import numpy as np

from moee_cli.core.types import F32, U8

_ENOUGH = np.float32(64)
"""Alpha, a quarter, from which a colour stands for itself: more would carry colours of far parts along an edge."""
_NOTHING = np.float32(1e-6)
"""In place of an alpha of 0, by which nothing is divided."""


def to_straight(pixels: U8) -> U8:
    """Return premultiplied RGBA uint8 [H, W, 4] with straight alpha, which is left as it is.

    Where nothing is seen the colours around go on, so that neither coarse chroma nor a coarse block mixes black into a
    soft edge. Multiplied by alpha again, no colour is off by more than one level and rounding.
    """
    layer = pixels.astype(np.float32)
    alpha = layer[..., 3:]
    around = _spread(layer)
    # Little alpha leaves few levels of colour: the less there is, the more its surroundings have a say.
    say = np.float32(1 / 255) * (255 - alpha)
    straight = (layer[..., :3] * 255 + around * say) / (alpha + say)
    result = np.empty_like(pixels)
    np.rint(np.clip(straight, 0, 255), out=straight)
    result[..., :3], result[..., 3] = straight, pixels[..., 3]
    return result


def _spread(layer: F32) -> F32:
    """Return colours [H, W, 3] for every pixel: its own as far as it has alpha, for the rest the mean around it."""
    import cv2

    levels = [layer]
    while max(levels[-1].shape[:2]) > 1:
        height, width = levels[-1].shape[:2]
        half = ((width + 1) // 2, (height + 1) // 2)
        levels.append(np.asarray(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA), np.float32))
    mean = levels.pop()
    colours = mean[..., :3] * np.float32(255) / np.maximum(mean[..., 3:], _NOTHING)
    for level in reversed(levels):
        height, width = level.shape[:2]
        wider = np.asarray(cv2.resize(colours, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        own = level[..., :3] * np.float32(255) / np.maximum(level[..., 3:], _NOTHING)
        share = np.minimum(level[..., 3:] / _ENOUGH, np.float32(1))
        colours = own * share + wider * (1 - share)
    return np.asarray(np.clip(colours, 0, 255), np.float32)
