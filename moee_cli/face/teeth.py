"""Rows of teeth with their gums, painted into sprites."""

from __future__ import annotations

import numpy as np

from moee_cli.core.types import F32
from moee_cli.face.palette import Palette
from moee_cli.face.sprite import Sprite, soft_step

UPPER_WIDTHS = (0.088, 0.068, 0.062, 0.050, 0.040, 0.034)
LOWER_WIDTHS = (0.054, 0.058, 0.058, 0.048, 0.040, 0.034)
"""Widths, in units, of teeth from the middle outwards as seen from the front: crown widths of 8.5, 6.5, 7.5, 7 mm (Ash
and Nelson, Dental Anatomy) on outer eye corners 90 mm apart, foreshortened by the arch."""
_UPPER_HEIGHTS = (0.112, 0.098, 0.106, 0.090, 0.080, 0.070)
_LOWER_HEIGHTS = (0.090, 0.092, 0.098, 0.085, 0.075, 0.065)
"""Crown heights in units: 10.5, 9, 10 mm above, 9, 9.5, 11 mm below (the same source), a little under it."""
UPPER_EDGE = -0.042
"""Height of the upper incisors' edge over the lip line at rest: lips that just part show 3 to 4 mm of them."""
LOWER_EDGE = 0.010
"""Height of the lower incisors' edge over the lip line at rest, hidden behind the upper teeth."""
_UPPER_SMILE, _LOWER_SMILE = 0.40, 0.28
"""How fast the edges rise away from the middle (per unit squared): the arch seen from a little above."""
ORDINARY_WIDTH = 0.495
"""Distance, in units, of the inner mouth corners on the standard face (ICT-FaceKit); teeth follow a portrait's own."""


def row_scale(mouth_width: float) -> float:
    """Return the size of the teeth of a face whose inner mouth corners lie `mouth_width` units apart.

    Small mouths under large eyes (drawings, dolls) have small teeth, though not in proportion.
    """
    return float(np.clip((mouth_width / ORDINARY_WIDTH) ** 0.7, 0.72, 1.12))


def paint_teeth(sprite: Sprite, palette: Palette, *, upper: bool, scale: float, edge: float) -> None:
    """Paint one row of teeth and its gum, its incisors' edge at height `edge` (units), `scale` times ordinary size."""
    up = 1.0 if upper else -1.0
    widths = [scale * width for width in (UPPER_WIDTHS if upper else LOWER_WIDTHS)]
    heights = [scale * height for height in (_UPPER_HEIGHTS if upper else _LOWER_HEIGHTS)]
    x = np.abs(sprite.x)
    along = (sprite.y - edge - (_UPPER_SMILE if upper else _LOWER_SMILE) * x * x) * up
    crowns, shade = _crowns(x, along, widths, heights, upper=upper)
    row_end = soft_step((sum(widths) - 0.006 - x) * 120.0)
    far = 1.0 - 0.62 * np.clip((x - 0.09) / 0.22, 0.0, 1.0) ** 1.25
    gum_zone = soft_step((along - 0.62 * heights[0]) * 140.0) * row_end
    # Enamel is thin at the edge and lets the dark through, and yellower towards the gum.
    edge_light = 0.86 + 0.14 * np.clip(along / (0.022 * scale), 0.0, 1.0)
    neck = np.clip((along / heights[0] - 0.45) / 0.5, 0.0, 1.0)[..., None] * palette.colour
    enamel = palette.teeth * (1.0 - neck * np.array([0.02, 0.05, 0.11], np.float32))
    tooth = enamel * (shade * far * edge_light)[..., None]
    # Between two teeth there is shade, not night: dark gaps read as clenched.
    warm = np.array([0.05, -0.02, -0.05], np.float32) * palette.colour
    between = palette.teeth * (0.62 + warm) * far[..., None]
    gum_light = far * (0.80 + 0.25 * np.clip((along - heights[0]) / 0.05, 0.0, 1.0))
    back = between + (palette.gum * gum_light[..., None] - between) * gum_zone[..., None]
    joined = soft_step((along - 0.008 * scale) * 260.0) * row_end
    sprite.colour = tooth * crowns[..., None] + back * (1.0 - crowns)[..., None]
    sprite.alpha = np.maximum(crowns, np.maximum(joined * 0.92, gum_zone))


def _crowns(x: F32, along: F32, widths: list[float], heights: list[float], *, upper: bool) -> tuple[F32, F32]:
    """Return how much each pixel belongs to a crown, and the light on its bulge, both [h, w]."""
    sharp = np.float32(260.0)
    inner = 0.0
    crowns, shade = np.zeros_like(x), np.ones_like(x)
    for index, (width, height) in enumerate(zip(widths, heights, strict=True)):
        half = width / 2 - 0.0011
        place = (x - inner - width / 2) / half
        # Incisors end nearly straight with round corners, canines in a point; laterals stand a little higher.
        tip = 0.0025 * place**2 + 0.006 * np.clip(np.abs(place) - 0.55, 0.0, None) ** 2
        if index == 2:
            tip = 0.012 * np.abs(place) - 0.006
        elif upper and index == 1:
            tip = tip + 0.005
        body = soft_step((1.0 - np.abs(place)) * half * sharp) * soft_step((along - tip) * sharp)
        crown = body * soft_step((height - 0.016 * place**2 - along) * sharp)
        bulge = 1.0 - 0.10 * np.clip(np.abs(place), 0.0, 1.0) ** 2.5 + 0.03 * np.exp(-(((place + 0.25) / 0.4) ** 2))
        shade = np.where(crown > crowns, bulge, shade)
        crowns = np.maximum(crowns, crown)
        inner += width
    return crowns, np.asarray(shade, np.float32)
