"""What stands behind the person: the picture's own backdrop, that out of focus, a colour, another picture, nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from moee_cli.core.errors import PortraitError
from moee_cli.core.types import F32, U8, Background, BackgroundKind, Layers
from moee_cli.face.framing import Placement, render
from moee_cli.face.matte import Part, take_apart
from moee_cli.face.picture import read_picture

BLUR_SHARE = 0.018
"""Radius of the disc that a point becomes out of focus, per frame diagonal: that of 85 mm at f/2 on a 36x24 mm sensor,
a person about 1.4 m away and a wall 2 m behind (thin lens)."""
_BLUR_PX = 6.0
"""Radius at which the disc is drawn; larger ones are drawn in a reduced picture, which is smooth anyway."""
_GAMMA = 2.2
"""Light adds up, sRGB levels do not: without this lamps turn grey out of focus."""


def layers_for(
    pixels: U8,
    landmarks: F32,
    others: Sequence[F32],
    background: Background,
    *,
    part: Part | None = None,
    name: str = "",
) -> Layers | None:
    """Return the frame taken apart, with what is asked for behind the person; see `matte.take_apart`.

    None where the person cannot be told apart and the background stays as it is.

    Raises:
        PortraitError: another background is asked for and the person cannot be told apart, or its picture is unusable.
    """
    kept = background.kind is BackgroundKind.KEEP
    layers = take_apart(pixels, landmarks, others, part=part, kept=kept)
    if layers is not None:
        return replace_backdrop(layers, background, name)
    if kept:
        return None
    raise PortraitError(
        f"{name}: the person cannot be told from what is behind, so the background cannot be replaced",
        "use background: keep, or a picture with the person before a plain, different background",
    )


def replace_backdrop(layers: Layers, background: Background, name: str = "") -> Layers:
    """Return the layers with another backdrop; those of `keep` and `transparent` are as given.

    Raises:
        PortraitError: the background's picture cannot be used.
    """
    height, width = layers.backdrop.shape[:2]
    if background.kind is BackgroundKind.BLUR:
        return Layers(layers.person, _out_of_focus(layers.backdrop))
    if background.kind is BackgroundKind.COLOUR:
        return Layers(layers.person, np.full((height, width, 3), background.colour, np.uint8))
    if background.kind is BackgroundKind.PICTURE:
        if background.picture is None:
            raise PortraitError(f"{name}: no picture is given for the background", "write its path")
        return Layers(layers.person, _covering(background.picture, width, height))
    return layers


def composed(layers: Layers) -> U8:
    """Return the person over the backdrop, RGB uint8 [H, W, 3]."""
    frame = np.empty_like(layers.backdrop)
    rows = max(1, 2**20 // frame.shape[1])
    for top in range(0, len(frame), rows):
        part = slice(top, top + rows)
        person = layers.person[part].astype(np.float32)
        through = 1.0 - person[..., 3:] / 255.0
        frame[part] = np.clip(person[..., :3] + through * layers.backdrop[part] + 0.5, 0.0, 255.0)
    return frame


def _covering(path: Path, width: int, height: int) -> U8:
    """Return the middle of a picture that fills the frame."""
    picture = read_picture(path)
    scale = max(width / picture.shape[1], height / picture.shape[0])
    left, top = (picture.shape[1] - width / scale) / 2, (picture.shape[0] - height / scale) / 2
    return render(picture, Placement(left, top, scale, width, height))


def _out_of_focus(backdrop: U8) -> U8:
    """Return the backdrop as a lens shows it that is focused on the person: every point a disc of light."""
    height, width = backdrop.shape[:2]
    radius = BLUR_SHARE * float(np.hypot(width, height))
    factor = max(1.0, radius / _BLUR_PX)
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    small = np.asarray(cv2.resize(backdrop, size, interpolation=cv2.INTER_AREA), np.float32)
    light = np.power(small / np.float32(255.0), np.float32(_GAMMA))
    soft = cv2.filter2D(light, -1, _disc_of_light(radius / factor), borderType=cv2.BORDER_REFLECT)
    levels = np.power(np.clip(soft, 0.0, 1.0), np.float32(1.0 / _GAMMA)) * np.float32(255.0)
    large = cv2.resize((levels + 0.5).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8)


def _disc_of_light(radius: float) -> F32:
    """Return a kernel of a radius in px, smooth at its rim, summing to 1."""
    reach = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0.0, 1.0)
    return np.asarray(disc / disc.sum(), np.float32)
