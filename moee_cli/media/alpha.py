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
    import cv2

    layer = pixels.astype(np.float32)
    *colours, alpha = cv2.split(layer)
    # Little alpha leaves few levels of colour: the less there is, the more its surroundings have a say.
    say = (255 - alpha) * np.float32(1 / 255)
    share = 1 / (alpha + say)
    straight = [
        np.rint(np.clip((own * 255 + around * say) * share, 0, 255)).astype(np.uint8)
        for own, around in zip(colours, _spread(layer), strict=True)
    ]
    return np.asarray(cv2.merge([*straight, pixels[..., 3]]), np.uint8)


def _spread(layer: F32) -> list[F32]:
    """Return red, green, blue [H, W] for every pixel: its own as far as it has alpha, else the mean around it.

    One plane each, as numpy is several times slower over the three values of a pixel.
    """
    import cv2

    levels = [layer]
    while max(levels[-1].shape[:2]) > 1:
        height, width = levels[-1].shape[:2]
        half = ((width + 1) // 2, (height + 1) // 2)
        levels.append(np.asarray(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA), np.float32))
    colours = [np.zeros((1, 1), np.float32)] * 3
    for level in reversed(levels):
        *own, alpha = cv2.split(level)
        size = alpha.shape[::-1]
        share = np.minimum(alpha / _ENOUGH, np.float32(1))
        if level is levels[-1]:
            share = np.ones_like(alpha)
        own_share, rest = share * (np.float32(255) / np.maximum(alpha, _NOTHING)), 1 - share
        colours = [
            np.asarray(plane * own_share + cv2.resize(wider, size, interpolation=cv2.INTER_LINEAR) * rest, np.float32)
            for plane, wider in zip(own, colours, strict=True)
        ]
    return [np.clip(plane, 0, 255) for plane in colours]
