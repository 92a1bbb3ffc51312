"""CPU time of one drawn frame per stage, and frames per second with one thread, two, and two processes, by size.

    python benchmarks/drawing.py examples/ana.png
    python benchmarks/drawing.py examples/ana.png --sizes 512x512 --frames 200

Stages are CPU milliseconds of the drawing thread, medians over the frames; `rest` is what no stage counts. The motion
speaks, smiles, blinks, looks about and turns the head, so every stage has work. Where the portrait has no matte, an
oval stands in for one, so that laying the person over the backdrop is inside. Frames per second are wall time: the
machine must be idle, and the load average that is printed says whether it was.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from moee_cli.audio.visemes import MOUTH_SHAPES
from moee_cli.core.labels import CHANNEL, EMOTIONS
from moee_cli.core.types import F32, FrameFormat, Layers, Portrait
from moee_cli.engines.motion.poses import channels, emotion_poses, speech_poses
from moee_cli.engines.motion.process import Drawers
from moee_cli.face.portrait import load_portrait
from moee_cli.face.renderer import FaceRenderer

SIZES = ("512x512", "1080x1080", "720x1280", "1280x720", "1080x1920")
STAGES: dict[str, tuple[tuple[str, str], ...]] = {
    "skin field": (("_skin", "backward"),),
    "folds": (("_folds", "gain"), ("_folds", "shaded"), ("", "_press_folds")),
    "skin remap": (("", "_draw_skin"),),
    "lips, chin": (
        ("_lip", "backward"),
        ("_lip", "lay"),
        ("_chin", "backward"),
        ("_chin", "lay"),
        ("", "_with_parted_lips"),
        ("", "_below"),
    ),
    "mouth": (("_mouth", "draw"),),
    "eyes": (("_eyes", "draw"),),
    "composite": (("_cutout", "over"),),
}
"""Stage to the parts of the renderer and their methods; a part without name is the renderer itself."""


def speaking(n_frames: int) -> list[F32]:
    """Return motion frames [52] in which everything moves."""
    rows, spoken, smile = [], speech_poses(), emotion_poses()[EMOTIONS.index("happiness")]
    for number in range(n_frames):
        shape, share = divmod(number / 3.0, 1.0)
        one, other = (spoken[(int(shape) + step) % len(MOUTH_SHAPES)] for step in (0, 1))
        row = 0.6 * smile + (1.0 - share) * one + share * other
        row[channels("eyeBlink")] = max(0.0, np.sin(number / 4.0)) ** 4
        for channel, size, pace in (("headYaw", 0.12, 9.0), ("headPitch", 0.08, 7.0), ("headRoll", 0.06, 11.0)):
            row[CHANNEL[channel]] = size * np.sin(number / pace)
        row[CHANNEL["gazeYaw"]] = 0.2 * np.sin(number / 5.0)
        rows.append(np.asarray(row, np.float32))
    return rows


def with_matte(portrait: Portrait) -> Portrait:
    """Return the portrait taken apart; where it is not, by an oval around the head and a ramp over the shoulders."""
    if portrait.layers is not None:
        return portrait
    height, width = portrait.pixels.shape[:2]
    low, high = portrait.landmarks[:, :2].min(0), portrait.landmarks[:, :2].max(0)
    centre, half = (low + high) / 2, 0.85 * (high - low).max()
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    head = np.hypot(columns - centre[0], rows - centre[1]) - half
    body = np.maximum(np.abs(columns - centre[0]) - 1.6 * half, centre[1] + half - rows)
    alpha = np.clip(0.5 - np.minimum(head, body) / 4.0, 0.0, 1.0)[..., None]
    person = np.dstack([portrait.pixels * alpha, 255.0 * alpha]) + 0.5
    backdrop = cv2.blur(portrait.pixels, (width // 4, width // 4))
    return replace(portrait, layers=Layers(person.astype(np.uint8), np.asarray(backdrop, np.uint8)))


class Timed:
    """Counts the CPU time of methods, by stage."""

    def __init__(self, renderer: FaceRenderer) -> None:
        self.spent = dict.fromkeys(STAGES, 0.0)
        for stage, methods in STAGES.items():
            for part, method in methods:
                found = getattr(renderer, part, None) if part else renderer
                for owner in found if isinstance(found, tuple) else (found,):
                    if owner is not None and hasattr(owner, method):
                        object.__setattr__(owner, method, self._counted(stage, getattr(owner, method)))

    def _counted(self, stage: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            began = time.thread_time()
            try:
                return method(*arguments, **options)
            finally:
                self.spent[stage] += time.thread_time() - began

        return call


def stages(portrait: Portrait, rows: list[F32]) -> dict[str, float]:
    """Return CPU milliseconds of a frame, by stage and in all."""
    renderer = FaceRenderer(portrait)
    renderer.draw(rows[0])
    timed = Timed(renderer)
    frames = []
    for row in rows:
        timed.spent = dict.fromkeys(STAGES, 0.0)
        began = time.thread_time()
        renderer.draw(row)
        total = time.thread_time() - began
        frames.append({**timed.spent, "rest": total - sum(timed.spent.values()), "total": total})
    return {name: 1000 * float(np.median([frame[name] for frame in frames])) for name in frames[0]}


def frames_per_second(portrait: Portrait, rows: list[F32], n_threads: int, *, processes: bool = False) -> float:
    """Return how many frames are drawn in a second of wall time; with `processes`, each thread has one draw."""
    renderer = FaceRenderer(portrait)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(n_threads))
        draw: Callable[[F32], Any] = renderer.draw
        if processes:
            drawers = stack.enter_context(closing(Drawers(n_threads)))
            if drawers.wait_until_ready() < n_threads:
                raise SystemExit("the drawing processes do not start")
            draw = partial(drawers.draw, renderer)
        list(pool.map(draw, rows[: 4 * n_threads]))
        began = time.perf_counter()
        if any(frame is None for frame in pool.map(draw, rows)):
            raise SystemExit("a drawing process has died")
        return len(rows) / (time.perf_counter() - began)


def main() -> None:
    """Print one row per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portrait", type=Path)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), metavar="WxH")
    parser.add_argument("--frames", type=int, default=60)
    arguments = parser.parse_args()
    rows = speaking(arguments.frames)
    print(f"load average before: {os.getloadavg()[0]:.2f}, cores: {len(os.sched_getaffinity(0))}")
    names = [*STAGES, "rest", "total"]
    print("| size | " + " | ".join(names) + " | frames/s, 1 thread | 2 threads | 2 processes |")
    print("|---|" + "---:|" * (len(names) + 3))
    for size in arguments.sizes:
        width, height = (int(part) for part in size.split("x"))
        portrait = with_matte(load_portrait(arguments.portrait, FrameFormat(width, height)))
        spent = stages(portrait, rows)
        rates = [frames_per_second(portrait, rows, n_threads) for n_threads in (1, 2)]
        rates.append(frames_per_second(portrait, rows, 2, processes=True))
        cells = [f"{spent[name]:.1f}" for name in names] + [f"{rate:.0f}" for rate in rates]
        print(f"| {size} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
