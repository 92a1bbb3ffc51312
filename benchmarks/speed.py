"""Whole-process speed and memory of `moee render`: seconds of computing per second of video.

    python benchmarks/speed.py --portrait examples/ana.png --seconds 30 examples/voices/*.flac
    python benchmarks/speed.py --portrait examples/ana.png --memory examples/voices/*.flac
    python benchmarks/speed.py --portrait examples/ana.png --size 768x768 720x1280 1280x720 examples/voices/*.flac

The audio files are repeated until they fill the length asked for. Each run is a fresh `moee render` process, so
imports, landmarks, encoding and muxing are inside the figure. Memory is the highest sum of resident memory over the
process tree (proportional set size, so that shared libraries count once), sampled ten times a second. Several sizes are
rendered one by one, then all from one script.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from moee_cli.core.timebase import FEATURE_RATE
from moee_cli.core.types import AudioSpan
from moee_cli.media.decode import probe_audio, read_mono

SCRIPT = """moee: 1
output: [{outputs}]
preset: {preset}
cast: {{speaker: {{portrait: "{portrait}"}}}}
segments:
  - {{id: line, audio: speech.wav, emotion: {emotion}}}
"""


def speech(files: list[Path], seconds: float) -> np.ndarray:
    """Return the files one after the other, repeated to `seconds`, float32 [T] at 16 kHz."""
    parts = []
    for path in files:
        info = probe_audio(path)
        parts.extend(read_mono(AudioSpan(path, 0, info.n_samples, info.rate)))
    once = np.concatenate(parts)
    return np.resize(once, round(seconds * FEATURE_RATE))


def write_wav(path: Path, samples: np.ndarray) -> None:
    """Write mono 16-bit samples."""
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(FEATURE_RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def tree_bytes(pid: int) -> int:
    """Return the proportional set size of a process and its descendants."""
    total, todo = 0, [pid]
    while todo:
        process = todo.pop()
        try:
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            for task in Path(f"/proc/{process}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, ValueError):
            continue
    return total


def run(folder: Path, command: list[str]) -> tuple[float, float, int]:
    """Return wall seconds, CPU seconds (children included) and peak bytes of a command."""
    before = os.times()
    begin = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.1):
            peak = max(peak, tree_bytes(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    wall = time.monotonic() - begin
    done.set()
    watcher.join()
    after = os.times()
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu, peak


def measure(arguments: argparse.Namespace, seconds: float, sizes: list[str]) -> tuple[float, float, int]:
    """Render `seconds` of speech once in a folder of its own, at each of the sizes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_wav(folder / "speech.wav", speech(arguments.audio, seconds))
        text = SCRIPT.format(
            portrait=arguments.portrait.resolve(),
            preset=arguments.preset,
            outputs=", ".join(f"{{path: {size}.mp4, frame: {{size: {size}}}}}" for size in sizes),
            emotion=arguments.emotion,
        )
        (folder / "film.yaml").write_text(text)
        return run(folder, [sys.executable, "-m", "moee_cli", "render", "film.yaml", "--progress", "none"])


def main() -> None:
    """Print one row per run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", nargs="+", type=Path)
    parser.add_argument("--portrait", type=Path, required=True)
    parser.add_argument("--seconds", type=float, nargs="+", default=[30.0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--size", nargs="+", default=["512x512"])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--emotion", default="happiness")
    parser.add_argument("--memory", action="store_true", help="compare 1 minute with 10 minutes, one run each")
    arguments = parser.parse_args()
    lengths, runs = ([60.0, 600.0], 1) if arguments.memory else (arguments.seconds, arguments.runs)
    print(f"load average before: {os.getloadavg()[0]:.2f}, cores: {len(os.sched_getaffinity(0))}")
    groups = [[size] for size in arguments.size] + ([arguments.size] if len(arguments.size) > 1 else [])
    print("film s | wall s | CPU s | wall/film | frames/s | peak MB | sizes")
    peaks = []
    for seconds, sizes in [(seconds, sizes) for seconds in lengths for sizes in groups]:
        for _ in range(runs):
            wall, cpu, peak = measure(arguments, seconds, sizes)
            peaks.append(peak)
            ratio, rate = wall / seconds, 25 * seconds * len(sizes) / wall
            row = f"{seconds:6.0f} | {wall:6.1f} | {cpu:5.1f} | {ratio:9.2f} | {rate:8.1f} | {peak / 1e6:7.0f}"
            print(f"{row} | {' '.join(sizes)}", flush=True)
    if arguments.memory:
        print(f"memory, 10 minutes / 1 minute: {peaks[1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
