"""The tongue: lying in the lower arch, with its tip raised, or out over the lower lip."""

from __future__ import annotations

import numpy as np

from moee_cli.core.types import F32
from moee_cli.face.easing import smooth
from moee_cli.face.palette import Palette
from moee_cli.face.sprite import Sprite, soft_step

_RAISED_AT = 0.35
"""tongueOut at which the tip stands behind the upper teeth (l, th); beyond it the tongue comes out."""


def paint_body(sprite: Sprite, palette: Palette, scale: float) -> None:
    """Paint the tongue as it lies behind the lower teeth: its tip at y = 0, its back fading into the throat."""
    x, y = sprite.x / scale, sprite.y / scale
    # The outline: as wide as the arch at the tip, narrower and darker towards the throat.
    top = 0.175 - 0.55 * np.abs(x) ** 2.2 * 4.0
    side = soft_step((0.215 - np.abs(x) - 0.25 * np.clip(y, 0.0, None)) * 70.0)
    sprite.alpha = side * soft_step((top - y) / 0.016) * soft_step((y + 0.11) * 90.0)
    back = np.clip(y / 0.17, 0.0, 1.0)
    light = 1.06 - 0.62 * back**1.5
    light *= 1.0 - 0.42 * np.clip(np.abs(x) / 0.20, 0.0, 1.0) ** 2.2
    light *= 0.62 + 0.38 * soft_step((y - 0.004) * 55.0)
    groove = np.exp(-0.5 * (x / 0.014) ** 2) * np.clip(1.0 - np.abs(y - 0.06) / 0.09, 0.0, 1.0)
    light *= 1.0 - 0.11 * groove
    sprite.colour = palette.tongue * light[..., None] + _wet(x, y, palette, 0.062, 0.055)


def paint_raised(sprite: Sprite, palette: Palette, scale: float) -> None:
    """Paint the front of a tongue whose tip is raised: its tip at y = 0, the underside of the blade below it."""
    x, y = sprite.x / scale, sprite.y / scale
    width = 0.13 * np.sqrt(np.clip(-y / 0.10, 0.0, 1.0)) * (1.0 + 0.25 * np.clip((-y - 0.08) / 0.15, 0.0, 1.0))
    sprite.alpha = soft_step((width - np.abs(x)) * 150.0) * soft_step((-y - 0.001) * 200.0)
    light = _rounded(x, width) * (1.0 - 0.40 * np.clip(-y / 0.14, 0.0, 1.0))
    sprite.colour = palette.tongue * light[..., None] + _wet(x, y, palette, 0.040, -0.030)


def paint_out(sprite: Sprite, palette: Palette, scale: float) -> None:
    """Paint a tongue that is out, seen from above: its tip at y = 0, hanging down, the blade above it."""
    x, y = sprite.x / scale, sprite.y / scale
    round_tip = np.sqrt(np.clip(1.0 - (1.0 - np.clip(y / 0.10, 0.0, 1.0)) ** 2, 0.0, 1.0))
    width = 0.105 * round_tip * (1.0 + 0.30 * np.clip((y - 0.06) / 0.15, 0.0, 1.0))
    sprite.alpha = soft_step((width - np.abs(x)) * 150.0) * soft_step((y - 0.001) * 200.0)
    sprite.alpha *= soft_step((0.26 - y) * 70.0)
    groove = np.exp(-0.5 * (x / 0.013) ** 2) * np.clip((y - 0.025) / 0.06, 0.0, 1.0)
    light = _rounded(x, width) * (0.86 + 0.20 * np.clip(y / 0.05, 0.0, 1.0)) * (1.0 - 0.10 * groove)
    light *= 1.0 - 0.45 * np.clip((y - 0.12) / 0.14, 0.0, 1.0)  # the blade goes back into the mouth's shade
    sprite.colour = palette.tongue * light[..., None] + _wet(x, y, palette, 0.042, 0.055)


def _rounded(x: F32, width: F32) -> F32:
    """Return the light on a blade of half `width`: its sides turn away."""
    across = np.clip(np.abs(x) / np.maximum(width, 1e-3), 0.0, 1.0)
    return np.asarray(0.98 - 0.34 * across**2.6, np.float32)


def _wet(x: F32, y: F32, palette: Palette, aside: float, height: float) -> F32:
    """Return what two soft reflections beside the groove add [h, w, 3]."""
    spots = np.exp(-0.5 * (((np.abs(x) - aside) / 0.026) ** 2 + ((y - height) / 0.013) ** 2))
    return np.asarray((0.13 * spots)[..., None] * palette.teeth, np.float32)


def raised(tongue_out: float) -> float:
    """Return 0..1: how far the tip stands up at a value of tongueOut."""
    return float(smooth(tongue_out / _RAISED_AT))


def out(tongue_out: float) -> float:
    """Return 0..1: how far the tongue is out at a value of tongueOut."""
    return float(smooth((tongue_out - _RAISED_AT) / (1.0 - _RAISED_AT)))


def paint_throat(sprite: Sprite, palette: Palette, scale: float) -> None:
    """Paint palate, cheeks and throat: darkest in the middle, with light on the soft walls around it."""
    x, y = sprite.x / scale, sprite.y
    away = np.clip(np.sqrt((x / 0.21) ** 2 + ((y - 0.01) / 0.16) ** 2), 0.0, 1.0)
    wall = palette.cavity + 0.42 * (palette.gum - palette.cavity)
    sprite.colour = palette.cavity + (wall - palette.cavity) * (away**1.7)[..., None]
    sprite.alpha = np.ones_like(x)
