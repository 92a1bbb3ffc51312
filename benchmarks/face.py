"""How good drawn faces are, on any portraits: identity, background, read-back, stillness, sealed lips.

    python benchmarks/face.py examples/*.png
    python benchmarks/face.py faces/*.jpg --what identity lips --json faces.json

Measured on the renderer's own frames, without an encoder. Each table gives the median over the portraits and the worst
with its name; `*` marks what misses the bar in the head of the table. Portraits that the gates refuse are named.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from face_measures import (
    Sitter,
    background_mask,
    dark_gap,
    expressions,
    flow_residual,
    kept_sharpness,
    luma,
    psnr,
    read_back,
    read_by_flow,
    read_landmarks,
    seals,
    shape_residual,
    sweep,
    turns,
)

from moee_cli.core.errors import MoeeError
from moee_cli.core.labels import SHAPES
from moee_cli.core.types import FrameFormat
from moee_cli.face.controls import GAZE_LIMITS, motion_frame
from moee_cli.face.portrait import load_portrait
from moee_cli.face.pose import LIMITS

Row = Mapping[str, float]
Table = Mapping[str, Row]
"""Row by name; in it a figure by column."""


def identity(sitter: Sitter) -> Table:
    """Return what still landmarks and skin keep in every expression, and sharpness in head turns."""
    near, unit = sitter.portrait.landmarks, sitter.unit
    poses = {name: sitter.draw(pose) for name, pose in {**expressions(), **turns()}.items()}
    bare = Sitter.bare(sitter.portrait)
    found = read_landmarks([sitter.rest, *poses.values()], near)
    again = read_landmarks([sitter.rest], near, shift=(0.4, 0.3))[0]
    rows = {"at rest, views moved": {"landmarks %": shape_residual(again, found[0], unit)["all"]}}
    for (name, frame), points in zip(poses.items(), found[1:], strict=True):
        row = {"sharpness": kept_sharpness(sitter, frame, points)}
        if name in expressions():
            flow = flow_residual(bare.draw(expressions()[name]), bare.rest, near, unit)
            row |= {"landmarks %": shape_residual(points, found[0], unit)["all"], "flow %": flow["all"]}
            row |= {f"{group} flow %": flow[group] for group in ("nose", "hair line", "temples")}
        rows[name] = row
    return rows


def background(sitter: Sitter) -> Table:
    """Return how much the background keeps in head turns, in dB."""
    mask = background_mask(sitter.portrait)
    column = "PSNR dB" if sitter.portrait.layers is not None else "PSNR dB, no matte"
    poses = {**turns(), "surprise": expressions()["surprise"], "jaw 0.8": expressions()["jaw 0.8"]}
    return {name: {column: psnr(sitter.draw(pose), sitter.rest, mask)} for name, pose in poses.items()}


def reading(sitter: Sitter) -> Table:
    """Return how detector and flow read each parameter back."""
    rows = {}
    by_flow = {f"{name}, by flow": read for name, read in read_by_flow(sitter).items()}
    for name, read in {**read_back(sitter), **by_flow}.items():
        rows[name] = {"at 1": read.slope, "bend %": 100 * read.bend, "falls, sigma": read.falls, "sigma": read.noise}
    return rows


def stillness(sitter: Sitter) -> Table:
    """Return how smoothly the picture changes while each channel goes slowly from end to end."""
    ends = dict.fromkeys(dict.fromkeys(_both_sides(name) for name in SHAPES), (0.0, 1.0))
    for name, limit in zip(("headYaw", "headPitch", "headRoll", "headX", "headY", "headZ"), LIMITS, strict=True):
        ends[name] = (-float(limit), float(limit))
    for name, limit in zip(("gazeYaw", "gazePitch"), GAZE_LIMITS, strict=True):
        ends[name] = (-limit, limit)
    some = motion_frame(jawOpen=0.3, mouthSmile=0.5, headYaw=0.1)
    unequal = float(np.abs(luma(sitter.draw(some)) - luma(sitter.draw(some))).max())
    rows: dict[str, Row] = {"held": {"differs": unequal}}
    for name, (start, stop) in ends.items():
        found = sweep(sitter, name, start, stop)
        rows[name] = {
            "jump": found.jump,
            "at": found.at,
            "one pixel": found.pixel_jump,
            "step": float(found.changes.max()),
        }
    return rows


def lips(sitter: Sitter) -> Table:
    """Return how far lips that must be shut are apart, in percent of the eye distance."""
    poses = {"as it is": motion_frame(), **seals(), "say open": expressions()["say open"]}
    frames = [sitter.draw(pose) for pose in poses.values()]
    found = read_landmarks(frames, sitter.portrait.landmarks)
    return {
        name: {"dark %": dark_gap(frame, points, sitter.unit), "detector %": _apart(points, sitter.unit)}
        for name, frame, points in zip(poses, frames, found, strict=True)
    }


def _apart(points: np.ndarray, unit: float) -> float:
    return (
        100
        * float(max(points[below, 1] - points[above, 1] for above, below in ((13, 14), (82, 87), (312, 317))))
        / unit
    )


def _both_sides(name: str) -> str:
    """Return a shape's name without its side where both have one: what is symmetric is swept once."""
    return (
        name.removesuffix("Left").removesuffix("Right")
        if name[:4] not in ("jawL", "jawR") and name[:6] not in ("mouthL", "mouthR")
        else name
    )


MEASURES: Mapping[str, Callable[[Sitter], Table]] = {
    "identity": identity,
    "background": background,
    "reading": reading,
    "stillness": stillness,
    "lips": lips,
}
BARS: Mapping[str, tuple[float, bool]] = {
    "flow %": (0.5, False),
    "sharpness": (0.9, True),
    "PSNR dB": (45.0, True),
    "bend %": (15.0, False),
    "falls, sigma": (3.0, False),
    "differs": (0.0, False),
    "jump": (2.0, False),
}
"""Column, bar, and whether more is better. The landmarks have none: the detector moves landmarks of skin that keeps
every pixel when a mouth opens or an eye closes (up to 3 %), so it cannot tell half a percent."""


def missed(column: str, value: float) -> bool:
    """Tell whether a figure misses the bar of its column."""
    bar, more_is_better = BARS.get(column, (np.inf, False))
    return value < bar if more_is_better else value > bar


def report(what: str, tables: Mapping[str, Table]) -> None:
    """Print one table over all portraits."""
    columns = list(dict.fromkeys(column for table in tables.values() for row in table.values() for column in row))
    shown = [
        f"{column} ({'>' if BARS[column][1] else '<'} {BARS[column][0]:g})" if column in BARS else column
        for column in columns
    ]
    print(f"\n{what}, {len(tables)} portraits: median, worst (portrait)")
    print("| | " + " | ".join(shown) + " |\n|---|" + "---|" * len(columns))
    for name in dict.fromkeys(name for table in tables.values() for name in table):
        cells = [
            _cell(column, {who: table[name][column] for who, table in tables.items() if column in table.get(name, {})})
            for column in columns
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def _cell(column: str, values: Mapping[str, float]) -> str:
    known = {who: value for who, value in values.items() if np.isfinite(value)}
    if not known:
        return "" if not values else "not found"
    worst = (min if BARS.get(column, (0, False))[1] or column.startswith("PSNR") else max)(
        known, key=lambda who: known[who]
    )
    lost = len(values) - len(known)
    mark = "*" if missed(column, known[worst]) else ""
    return f"{np.median(list(known.values())):.3g}, {known[worst]:.3g}{mark} ({worst})" + (
        f", {lost} not found" if lost else ""
    )


def main() -> None:
    """Measure the portraits and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--what", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--size", type=int, nargs=2, default=[512, 512], metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--json", type=Path, help="write every figure of every portrait")
    arguments = parser.parse_args()
    tables: dict[str, dict[str, Table]] = {what: {} for what in arguments.what}
    for path in arguments.portraits:
        try:
            portrait = load_portrait(path, FrameFormat(*arguments.size), face="largest")
        except MoeeError as error:
            print(f"refused: {error}", flush=True)
            continue
        sitter = Sitter.of(portrait)
        for what in arguments.what:
            tables[what][path.name] = MEASURES[what](sitter)
        if arguments.json:
            arguments.json.write_text(json.dumps(tables, indent=1))
    for what, found in tables.items():
        if found:
            report(what, found)


if __name__ == "__main__":
    main()
