"""What a face tracker reads back from finished videos: lips against phones, stillness in silence, emotions.

    python benchmarks/readback.py examples/ana.png examples/kofi.png

For every portrait two videos are rendered through the whole program, encode included: flite speech with known phone
times, and a silent film that acts each emotion for two seconds. MediaPipe's face mesh runs on the decoded frames. It is
the same detector that found the landmarks of the portrait, so it shares its blind spots; it sees pixels only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from lips import SENTENCES, flite_recording, lip_score
from numpy.typing import NDArray
from speed import write_wav

from moee_cli.core.labels import EXPERTS
from moee_cli.face.landmarks import track
from moee_cli.media.probe import read_frames

F64 = NDArray[np.float64]

MEASURES = (
    "inner brow",
    "outer brow",
    "brow gap",
    "corner lift",
    "mouth width",
    "lip to nose",
    "lid opening",
    "opening",
)
EXPECTED = {
    "happiness": {"corner lift": 1, "mouth width": 1},
    "sadness": {"inner brow": 1, "corner lift": -1},
    "anger": {"inner brow": -1, "brow gap": -1},
    "disgust": {"lip to nose": -1, "inner brow": -1},
    "fear": {"inner brow": 1, "lid opening": 1},
    "surprise": {"inner brow": 1, "outer brow": 1, "lid opening": 1, "opening": 1},
}
"""Directions against neutral, from the action units of each emotion (EMFACS)."""
PROBE_SECONDS = 2


def measures(landmarks: NDArray[np.float32]) -> dict[str, float]:
    """Return the measures of one face [478, 3], in outer-eye-corner distances, free of place, size and roll."""
    points = landmarks[:, :2].astype(np.float64)
    right, left = points[33], points[263]
    axis = (left - right) / np.linalg.norm(left - right)
    up = np.array([axis[1], -axis[0]])
    scaled = (points - (right + left) / 2) / np.linalg.norm(left - right)
    xy = np.stack([scaled @ axis, scaled @ up], axis=1)

    def height(*indices: int) -> float:
        return float(xy[list(indices), 1].mean())

    corners, lip_line = height(61, 291), height(13, 14)
    return {
        "inner brow": height(55, 107, 285, 336),
        "outer brow": height(63, 70, 293, 300),
        "brow gap": float(xy[336, 0] - xy[107, 0]),
        "corner lift": corners - lip_line,
        "mouth width": float(xy[291, 0] - xy[61, 0]),
        "lip to nose": height(2) - height(0, 37, 267),
        "lid opening": (height(159) - height(145) + height(386) - height(374)) / 2,
        "opening": height(13) - height(14),
    }


def read_back(video: Path) -> dict[str, F64]:
    """Return every measure over the frames of a video; a frame without a face is an error."""
    rows = []
    for number, landmarks in enumerate(track(read_frames(video))):
        if landmarks is None:
            raise SystemExit(f"{video.name}: no face in frame {number}")
        rows.append(measures(landmarks))
    return {name: np.array([row[name] for row in rows]) for name in MEASURES}


def render(folder: Path, script: str) -> Path:
    """Render a script text in a folder and return the video."""
    (folder / "film.yaml").write_text(script)
    command = [
        sys.executable,
        "-m",
        "moee_cli",
        "render",
        "film.yaml",
        "-o",
        "film.mp4",
        "--force",
        "--progress",
        "none",
    ]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder / "film.mp4"


def head(portrait: Path) -> str:
    """Return the top of a script for one portrait."""
    return f'moee: 1\noutput: film.mp4\ncast: {{face: {{portrait: "{portrait.resolve()}"}}}}\n'


def lips(portrait: Path, voice: str, emotion: str) -> tuple[list[float], float, float]:
    """Return AUC at shifts 0, +400, -400 ms, and the largest and typical opening in a second of silence."""
    curves = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recordings = [flite_recording(sentence, voice) for sentence in SENTENCES]
        lines = [f"defaults: {{emotion: {emotion}}}", "segments:", "  - {pause: 2s}"]
        for number, recording in enumerate(recordings):
            write_wav(folder / f"{number}.wav", recording.samples)
            lines.append(f"  - {{audio: {number}.wav, transition: cut}}")
        found = read_back(render(folder, head(portrait) + "\n".join(lines) + "\n"))["opening"]
    frame = PROBE_SECONDS * 25
    for recording in recordings:
        n_frames = -(-len(recording.samples) // 640)
        curves.append((found[frame : frame + n_frames], recording.phones))
        frame += n_frames
    silent = found[10 : PROBE_SECONDS * 25]
    scores = [lip_score(curves, 25, shift=shift) for shift in (0.0, 0.4, -0.4)]
    return scores, float(np.ptp(silent)), float(np.percentile(found[PROBE_SECONDS * 25 :], 95))


def emotions(portrait: Path, intensity: float) -> dict[str, dict[str, float]]:
    """Return the change of every measure against neutral for each emotion, in outer-eye-corner distances."""
    names = ("neutral", *EXPERTS)
    lines = ["defaults: {blinks: 0, head: 0}", "segments:"]
    lines += [
        f"  - {{pause: {PROBE_SECONDS}s, emotion: {name}, intensity: {intensity}, transition: cut}}" for name in names
    ]
    with tempfile.TemporaryDirectory() as name:
        found = read_back(render(Path(name), head(portrait) + "\n".join(lines) + "\n"))
    n = PROBE_SECONDS * 25
    mean = {
        name: {key: float(values[number * n + n // 4 : (number + 1) * n].mean()) for key, values in found.items()}
        for number, name in enumerate(names)
    }
    return {name: {key: mean[name][key] - mean["neutral"][key] for key in MEASURES} for name in EXPERTS}


def report_emotions(portrait: Path, intensity: float) -> None:
    """Print the changes, marking those that should go one way."""
    print(f"\n{portrait.name}, intensity {intensity}: change against neutral, thousandths of the outer-eye distance")
    print(f"{'':12}" + "".join(f"{name:>13}" for name in MEASURES))
    for name, changes in emotions(portrait, intensity).items():
        cells = []
        for key in MEASURES:
            wanted = EXPECTED[name].get(key)
            mark = "" if wanted is None else ("ok" if changes[key] * wanted > 0.003 else "WRONG")
            cells.append(f"{1000 * changes[key]:7.1f}{mark:>6}")
        print(f"{name:12}" + "".join(cells))


def main() -> None:
    """Print both reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--voices", nargs="+", default=["slt", "rms"])
    parser.add_argument("--emotion", default="neutral", help="emotion while speaking")
    parser.add_argument("--intensity", type=float, nargs="+", default=[1.0])
    arguments = parser.parse_args()
    print(f"{'portrait':16}{'voice':8}{'AUC':>8}{'+400 ms':>10}{'-400 ms':>10}{'silence':>10}{'speech p95':>12}")
    for portrait in arguments.portraits:
        for voice in arguments.voices:
            scores, silent, loud = lips(portrait, voice, arguments.emotion)
            row = f"{scores[0]:8.3f}{scores[1]:10.3f}{scores[2]:10.3f}{silent:10.4f}{loud:12.4f}"
            print(f"{portrait.name:16}{voice:8}{row}", flush=True)
    for portrait in arguments.portraits:
        for intensity in arguments.intensity:
            report_emotions(portrait, intensity)


if __name__ == "__main__":
    main()
