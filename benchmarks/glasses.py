"""How often glasses are found, on faces as they are and with frames drawn over them, and how still frames stand.

    python benchmarks/glasses.py FOLDER [--still]

Portraits that the gates refuse are left out. For each kind of frame the table counts the portraits on which glasses
are found; the first row, without any, should count those who wear some. With --still, frames that are found are watched
in every emotion, a blink and a squint: the table says by how much of the eye distance they move, mean and worst.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from face_measures import expressions

from moee_cli.core.errors import MoeeError
from moee_cli.core.types import F32, U8, FrameFormat, Portrait
from moee_cli.face.canonical import CanonicalFrame
from moee_cli.face.controls import motion_frame
from moee_cli.face.portrait import load_portrait
from moee_cli.face.renderer import FaceRenderer
from moee_cli.face.rims import find_glasses

_EYES = ((33, 133), (263, 362))
_FINER = 4
"""Pixels per pixel of the picture in which a frame is drawn before it is reduced."""


@dataclass(frozen=True)
class Style:
    """One kind of frame: colour, width of its line in eye distances, and round or square lenses."""

    colour: tuple[int, int, int]
    width: float
    is_round: bool = False


STYLES = {
    "thin dark": Style((30, 25, 25), 0.016),
    "dark": Style((35, 28, 25), 0.025),
    "thick black": Style((15, 15, 15), 0.060),
    "gold": Style((205, 170, 90), 0.014, is_round=True),
    "silver": Style((190, 190, 195), 0.014),
    "brown": Style((110, 60, 30), 0.035, is_round=True),
    "white": Style((240, 240, 240), 0.030),
    "red": Style((170, 30, 40), 0.035, is_round=True),
}


def frame_lines(landmarks: F32, style: Style) -> list[F32]:
    """Return the lines [N, 2] px of a frame for landmarks [478, 3]: two rims, the bridge, two arms."""
    points = landmarks[:, :2].astype(np.float64)
    right = points[263] - points[33]
    down = np.array([-right[1], right[0]])
    angles = np.linspace(0.0, 2.0 * np.pi, 60)
    across, along = np.cos(angles), np.sin(angles)
    if not style.is_round:
        across, along = (np.sign(wave) * np.abs(wave) ** 0.6 for wave in (across, along))
    half, high = (0.27, 0.24) if style.is_round else (0.28, 0.20)
    lenses = []
    for outer, inner in _EYES:
        outward = np.sign((points[outer] - points[inner]) @ right)
        centre = points[[outer, inner]].mean(0) + 0.05 * down + 0.02 * outward * right
        lenses.append(centre + np.outer(half * across, right) + np.outer(high * along, down))
    inner_ends = [lenses[0][(lenses[0] @ right).argmax()], lenses[1][(lenses[1] @ right).argmin()]]
    outer_ends = [lenses[0][(lenses[0] @ right).argmin()], lenses[1][(lenses[1] @ right).argmax()]]
    straight = [inner_ends, [outer_ends[0], points[127]], [outer_ends[1], points[356]]]
    return [np.asarray(line, np.float32) for line in (*lenses, *straight)]


def with_frame(picture: U8, landmarks: F32, style: Style) -> U8:
    """Return the picture [H, W, 3] of a face with landmarks [478, 3] px, with a frame drawn over it."""
    unit = float(np.hypot(*(landmarks[263, :2] - landmarks[33, :2])))
    fine = np.zeros((picture.shape[0] * _FINER, picture.shape[1] * _FINER), np.uint8)
    width = max(1, round(style.width * unit * _FINER))
    lines = [np.round(line * _FINER * 16).astype(np.int32) for line in frame_lines(landmarks, style)]
    cv2.polylines(fine, lines, False, (255,), width, cv2.LINE_AA, 4)
    share = cv2.resize(fine, picture.shape[1::-1], interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255.0
    return np.asarray(picture * (1.0 - share) + np.array(style.colour, np.float32) * share + 0.5, np.uint8)


def frame_shift(drawn: U8, rest: U8, landmarks: F32, style: Style) -> float:
    """Return by how much rims and bridge stand elsewhere in `drawn` than in `rest`, in eye distances (98th percentile).

    Across the lines, profiles of both pictures [H, W, 3] are laid over each other where they fit best.
    """
    unit = float(np.hypot(*(landmarks[263, :2] - landmarks[33, :2])))
    ways = []
    for line in frame_lines(landmarks, style)[:3]:
        length = np.hypot(*np.diff(line, axis=0).T)
        place = np.linspace(0.0, length.sum(), max(12, round(length.sum() / (0.02 * unit))))[1:-1]
        known = np.concatenate([[0.0], np.cumsum(length)])
        at = np.stack([np.interp(place, known, line[:, axis]) for axis in (0, 1)], axis=-1)
        slope = np.gradient(at, axis=0)
        across = np.stack([-slope[:, 1], slope[:, 0]], axis=-1) / np.hypot(*slope.T)[:, None]
        reach = (style.width / 2 + 0.02) * unit
        near = _profiles(rest, at, across, np.linspace(-reach, reach, 33))
        shifts = np.linspace(-0.04, 0.04, 65) * unit
        error = [((_profiles(drawn, at, across, np.linspace(-reach, reach, 33) + by) - near) ** 2) for by in shifts]
        ways.append(np.abs(shifts[np.mean(error, axis=(2, 3)).argmin(0)]))
    return float(np.percentile(np.concatenate(ways), 98)) / unit


def _profiles(picture: U8, at: F32, across: F32, offsets: F32) -> F32:
    """Return the colours [N, K, 3] at `offsets` [K] from points [N, 2] along unit vectors `across` [N, 2]."""
    places = (at[:, None] + across[:, None] * offsets[:, None] - 0.5).astype(np.float32)
    return cv2.remap(picture, places, np.empty(0, np.float32), cv2.INTER_CUBIC).astype(np.float32)


def poses() -> dict[str, F32]:
    """Return the motion frames [52] in which frames must stand still."""
    acted = {name: frame for name, frame in expressions().items() if not name.startswith("say ")}
    return {**acted, "blink": motion_frame(eyeBlink=1.0), "squint": motion_frame(eyeSquint=1.0, cheekSquint=1.0)}


def _portraits(folder: Path) -> list[Portrait]:
    portraits = []
    for path in sorted(folder.iterdir()):
        try:
            portraits.append(load_portrait(path, FrameFormat(512, 512), face="largest"))
        except MoeeError as error:
            print(f"left out: {error}", file=sys.stderr)
    return portraits


def _is_found(portrait: Portrait) -> bool:
    return find_glasses(portrait.pixels, portrait.landmarks, CanonicalFrame.of(portrait.landmarks)) is not None


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--still", action="store_true", help="also measure how still frames stand that are found")
    options = parser.parse_args()
    portraits = _portraits(options.folder)
    bare = [one.name for one in portraits if _is_found(one)]
    print(f"no frame drawn: {len(bare)} of {len(portraits)} {' '.join(bare)}")
    for name, style in STYLES.items():
        worn = [replace(one, pixels=with_frame(one.pixels, one.landmarks, style), layers=None) for one in portraits]
        found = [one for one in worn if _is_found(one)]
        missed = sorted({one.name for one in worn} - {one.name for one in found})
        print(f"{name}: {len(found)} of {len(worn)}; missed {' '.join(missed) or 'none'}", flush=True)
        if options.still:
            _print_stillness(found, style)


def _print_stillness(worn: list[Portrait], style: Style) -> None:
    moves = {}
    for one in worn:
        renderer = FaceRenderer(one)
        drawn = (renderer.draw(pose) for pose in poses().values())
        moves[one.name] = max(frame_shift(frame, one.pixels, one.landmarks, style) for frame in drawn)
    worst = max(moves, key=lambda name: moves[name])
    print(f"  moves by {100 * np.mean(list(moves.values())):.2f} % in the mean, {100 * moves[worst]:.2f} % on {worst}")


if __name__ == "__main__":
    main()
