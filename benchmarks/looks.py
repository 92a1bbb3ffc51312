"""The picture used in review: one sheet per portrait with emotions, mouth shapes, blink, gaze and head turns.

    python benchmarks/looks.py --output sheets examples/*.png

Portraits that the gates refuse are named with the reason. Look at the sheets; no figure replaces that.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from math import radians
from pathlib import Path

import cv2
import numpy as np

from moee_cli.audio.visemes import MOUTH_SHAPES
from moee_cli.core.errors import MoeeError
from moee_cli.core.labels import CHANNEL, EMOTIONS, N_MOTION
from moee_cli.core.types import FrameFormat
from moee_cli.engines.motion.poses import emotion_poses, speech_poses
from moee_cli.face.portrait import load_portrait
from moee_cli.face.renderer import FaceRenderer

COLUMNS = 7
CELL = 256


def pose(**channels: float) -> np.ndarray:
    """Return a motion frame with some channels set; a name without side sets both."""
    frame = np.zeros(N_MOTION, np.float32)
    for name, value in channels.items():
        for side in (name,) if name in CHANNEL else (f"{name}Left", f"{name}Right"):
            frame[CHANNEL[side]] = value
    return frame


def cells() -> Iterator[tuple[str, np.ndarray]]:
    """Yield every pose of the sheet with its caption."""
    emotions, speech = emotion_poses(), dict(zip(MOUTH_SHAPES, speech_poses(), strict=True))
    yield "as it is", pose()
    for strength in (0.5, 1.0):
        for number, name in enumerate(EMOTIONS[1:], 1):
            yield f"{name} {strength}", strength * emotions[number]
        yield (f"blink {strength}", pose(eyeBlink=strength))
    for name in MOUTH_SHAPES[1:]:
        yield name, speech[name]
    for name in ("happiness", "anger", "surprise"):
        yield f"{name} + open", np.maximum(emotions[EMOTIONS.index(name)], speech["open"])
    for strength in (0.1, 0.4, 0.7, 1.0):
        yield f"jaw {strength}", pose(jawOpen=strength)
    for yaw, pitch in ((15, 0), (-15, 0), (0, 10), (0, -10)):
        yield f"gaze {yaw},{pitch}", pose(gazeYaw=radians(yaw), gazePitch=radians(pitch))
    for name, degrees in (("headYaw", 10), ("headYaw", -10), ("headPitch", 8), ("headPitch", -8), ("headRoll", 8)):
        yield f"{name} {degrees}", pose(**{name: radians(degrees)})


def face_crop(landmarks: np.ndarray, size: int) -> tuple[slice, slice]:
    """Return the slices of a square around the face, with room for chin and hair."""
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    centre, half = (low + high) / 2, 0.72 * (high - low).max()
    start = np.clip(centre - half, 0, size).astype(int)
    stop = np.clip(centre + half, 0, size).astype(int)
    return slice(start[1], stop[1]), slice(start[0], stop[0])


def sheet(portrait_path: Path, size: int) -> np.ndarray:
    """Return the sheet of one portrait, BGR."""
    portrait = load_portrait(portrait_path, FrameFormat(size, size), face="largest")
    for warning in portrait.warnings:
        print(f"  {warning}")
    renderer = FaceRenderer(portrait)
    crop = face_crop(portrait.landmarks, size)
    tiles = []
    for caption, motion in cells():
        tile = cv2.resize(renderer.draw(motion.astype(np.float32))[crop], (CELL, CELL), interpolation=cv2.INTER_AREA)
        cv2.putText(tile, caption, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    return cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)


def main() -> None:
    """Write one sheet per portrait."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, default=Path("sheets"))
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for path in arguments.portraits:
        print(path.name)
        try:
            picture = sheet(path, arguments.size)
        except MoeeError as error:
            print(f"  refused: {error}")
            continue
        cv2.imwrite(str(arguments.output / f"{path.stem}.png"), picture)


if __name__ == "__main__":
    main()
