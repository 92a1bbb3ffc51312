"""How our face shapes compare with a reference rig: the table of docs/face.md.

    python benchmarks/basis.py ../shared/reference/blendshape_displacements.json

The reference is a JSON file of landmark displacements at weight 1, in outer eye-corner distances: `neutral.points`
holds the 68 iBUG landmarks and `jN`, points of the bony jaw line in place of the face's contour; `blendshapes.NAME.d`
holds how far each moves, x to the subject's left, y up, z to the camera. Ours are measured as the renderer draws
them: at weight 1, held by `controls.bounded`, in front view. eyeLook is the way lids follow the gaze.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from moee_cli.core.labels import ARKIT_BLENDSHAPES
from moee_cli.face.basis import Sites, Slits, follow_fields, shape_fields
from moee_cli.face.controls import N_FIELDS, bounded, field_weights, motion_of

BELOW = {str(index) for index in (*range(3, 14), 40, 41, 46, 47, *range(55, 60), 65, 66, 67)}
BELOW |= {f"j{index}" for index in range(3, 14)}
"""Points on the jaw's side of the lips or on a lower lid."""
PAIRS = {"cheekPuff": ("cheekPuffLeft", "cheekPuffRight"), "browInnerUp": ("browInnerUpLeft", "browInnerUpRight")}
"""Shapes of which the rig has each side, and ARKit both in one."""
COSINE, LEAST, MOST = 0.8, 0.7, 1.4


def slits_of(points: Mapping[str, np.ndarray]) -> Slits:
    """Return the slits of the rig's face."""

    def at(*indices: int) -> np.ndarray:
        return np.array([points[str(index)][:2] for index in indices], np.float32)

    lips = (at(60, 61, 62, 63, 64) + at(60, 67, 66, 65, 64)) / 2
    left, right = (at(42, 43, 44, 45), at(42, 47, 46, 45)), (at(36, 37, 38, 39), at(36, 41, 40, 39))
    return Slits(lips, (left, right))


def fields_at(points: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the fields [50, N, 2] of shapes and following lids at all points."""
    places = np.array([point[:2] for point in points.values()], np.float32)
    slits = slits_of(points)
    above, below = Sites.at(places, slits), Sites.at(places, slits, lips="below", lids="below")
    both = [np.concatenate([shape_fields(sites), follow_fields(sites)]) for sites in (above, below)]
    is_below = np.array([name in BELOW for name in points])
    return np.where(is_below[None, :, None], both[1], both[0])


def drawn(name: str) -> np.ndarray:
    """Return the field weights [50] that the renderer gives one ARKit shape at 1; mouthClose acts on an open jaw."""

    def weights(*names: str) -> np.ndarray:
        shapes = np.zeros(len(ARKIT_BLENDSHAPES), np.float32)
        shapes[[ARKIT_BLENDSHAPES.index(each) for each in names]] = 1.0
        return field_weights(bounded(motion_of(shapes)), 0)[:N_FIELDS]

    if name == "mouthClose":
        return weights("jawOpen", "mouthClose") - weights("jawOpen")
    if name.startswith("eyeLook"):  # both eyes look the same way: a motion frame has one gaze
        side, other = ("Left", "Right") if name.endswith("Left") else ("Right", "Left")
        stem = name.removesuffix(side)
        partner = {"eyeLookIn": "eyeLookOut", "eyeLookOut": "eyeLookIn"}.get(stem, stem)
        return weights(name, partner + other)
    return weights(name)


def moves(rows: Mapping[str, Any], name: str, points: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the rig's displacements [N, 3] of a shape."""
    field = np.zeros((len(points), 3))
    for part in PAIRS.get(name, (name,)):
        for index, point in enumerate(points):
            field[index] += rows[part]["d"].get(point, (0.0, 0.0, 0.0))
    return field


def compare(ours: np.ndarray, rig: np.ndarray) -> tuple[float, float]:
    """Return cosine and amplitude ratio of two displacement fields [N, 2]."""
    sizes = np.linalg.norm(ours), np.linalg.norm(rig)
    return float((ours * rig).sum() / (sizes[0] * sizes[1])), float(sizes[0] / sizes[1])


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference", type=Path)
    reference = json.loads(parser.parse_args().reference.read_text("utf-8"))
    rows = reference["blendshapes"]
    points = {name: np.array(at) for name, at in reference["neutral"]["points"].items() if name.lstrip("j").isdigit()}
    fields = fields_at(points)
    print("| shape | cosine | ratio | in depth | exception |\n|---|---:|---:|---:|---|")
    for name in ARKIT_BLENDSHAPES:
        if any(part not in rows for part in PAIRS.get(name, (name,))):
            print(f"| {name} | | | | no row in the reference |")
            continue
        rig = moves(rows, name, points)
        ours = np.tensordot(drawn(name), fields, 1)
        if name.startswith("eyeLook"):  # the other eye's lids belong to its own shape
            own = np.array([point[0] for point in points.values()]) * (1 if name.endswith("Left") else -1) > 0.0
            rig, ours = rig[own], ours[own]
        cosine, ratio = compare(ours, rig[:, :2])
        depth = (rig[:, 2] ** 2).sum() / (rig**2).sum()
        fault = "" if cosine >= COSINE and LEAST <= ratio <= MOST else "outside the bounds"
        print(f"| {name} | {cosine:.2f} | {ratio:.2f} | {depth:.0%} | {fault} |")


if __name__ == "__main__":
    main()
