"""The renderer of this checkout against that of another: CPU time of a frame, and frames per second with two threads.

    git worktree add ../before REVISION
    python benchmarks/against.py ../before examples/ana.png

Both draw the same motion (speech shapes with a little emotion, gaze and head), by turns, each in processes of its own,
so that a slow phase of the machine falls on both: only the ratio means anything.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent.parent

DRAW = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
from moee_cli.core.labels import CHANNEL
from moee_cli.core.types import FrameFormat
from moee_cli.engines.motion.poses import emotion_poses, speech_poses
from moee_cli.face.portrait import load_portrait
from moee_cli.face.renderer import FaceRenderer

renderer = FaceRenderer(load_portrait(Path(sys.argv[1]), FrameFormat(512, 512)))
speech, emotions = speech_poses(), emotion_poses()
rows = np.stack([speech[n % len(speech)] + 0.4 * emotions[n // 9 % len(emotions)] for n in range(63)])
rows[:, CHANNEL["headYaw"]] += 0.06 * np.sin(np.arange(63) / 5)
rows[:, CHANNEL["gazeYaw"]] += 0.1
renderer.draw(rows[0])
begin = time.thread_time()
for row in rows:
    renderer.draw(row)
cpu = (time.thread_time() - begin) / len(rows)
with ThreadPoolExecutor(2) as pool:
    begin = time.perf_counter()
    list(pool.map(renderer.draw, [*rows, *rows]))
    wall = (time.perf_counter() - begin) / (2 * len(rows))
print(1000 * cpu, 1 / wall)
"""


def measure(checkout: Path, portrait: Path) -> tuple[float, float]:
    """Return milliseconds of CPU of a frame, and frames per second with two threads."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", DRAW, str(portrait)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    cpu_ms, rate = (float(word) for word in done.stdout.split())
    return cpu_ms, rate


def main() -> None:
    """Print one row per checkout and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="another checkout of this repository")
    parser.add_argument("portrait", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    places = {"other": arguments.other.resolve(), "this": HERE}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in places}
    print(f"load average before: {os.getloadavg()[0]:.2f}, cores: {len(os.sched_getaffinity(0))}")
    for _ in range(arguments.runs):
        for name, place in places.items():
            found[name].append(measure(place, arguments.portrait.resolve()))
    print("| checkout | CPU ms a frame, median | least | frames/s, 2 threads, median | most |")
    print("|---|---:|---:|---:|---:|")
    for name, runs in found.items():
        cpu, rate = zip(*runs, strict=True)
        print(f"| {name} | {median(cpu):.1f} | {min(cpu):.1f} | {median(rate):.0f} | {max(rate):.0f} |")
    ratio = median(run[0] for run in found["this"]) / median(run[0] for run in found["other"])
    print(f"CPU time, this / other: {ratio:.2f}")


if __name__ == "__main__":
    main()
