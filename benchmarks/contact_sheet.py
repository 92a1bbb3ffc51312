"""A contact sheet of a rendered video: one labelled picture per segment, at the moment it is most itself.

python benchmarks/contact_sheet.py letter.mp4 docs/contact-sheet.jpg --columns 4
python benchmarks/contact_sheet.py letter.mp4 strip.png --frames 100:125 --crop 0.25,0.25,0.5,0.55
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import cv2
import numpy as np

from moee_cli.media.probe import read_frames
from moee_cli.workflow.provenance import read_sidecar

BAR = 34


def segment_frames(video: Path) -> dict[int, str]:
    """Return the frame to show for every spoken segment (60 % into it), with its caption."""
    sidecar = read_sidecar(video)
    if sidecar is None:
        raise SystemExit(f"{video}: has no sidecar; choose frames with --frames")
    chosen = {}
    for segment in sidecar["segments"]:
        if segment["kind"] == "speech":
            key = segment["emotion"][-1]
            names = "+".join(name for name in key["weights"] if name != "neutral" or len(key["weights"]) == 1)
            chosen[segment["start_frame"] + round(0.6 * segment["n_frames"])] = f"{segment['id']}: {names}"
    return chosen


def crop_box(text: str, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the slices of a box given as shares x,y,width,height."""
    x, y, w, h = (float(part) for part in text.split(","))
    height, width = shape[:2]
    return slice(round(y * height), round((y + h) * height)), slice(round(x * width), round((x + w) * width))


def labelled(picture: np.ndarray, text: str, width: int) -> np.ndarray:
    """Return a picture scaled to `width` with a caption below."""
    height = round(picture.shape[0] * width / picture.shape[1])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    bar = np.full((BAR, width, 3), 24, np.uint8)
    cv2.putText(bar, text, (8, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.52, (235, 235, 235), 1, cv2.LINE_AA)
    return np.vstack([small, bar])


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--width", type=int, default=320, help="of one cell, in pixels")
    parser.add_argument("--frames", help="START:STOP[:STEP] instead of one frame per segment")
    parser.add_argument("--crop", default="0,0,1,1", help="x,y,width,height as shares of the frame")
    arguments = parser.parse_args()
    if arguments.frames:
        wanted = {number: str(number) for number in range(*(int(part) for part in arguments.frames.split(":")))}
    else:
        wanted = segment_frames(arguments.video)
    cells = []
    for number, pixels in enumerate(read_frames(arguments.video)):
        if number in wanted:
            cells.append(labelled(pixels[crop_box(arguments.crop, pixels.shape)], wanted[number], arguments.width))
    blank = np.full_like(cells[0], 24)
    rows = math.ceil(len(cells) / arguments.columns)
    cells += [blank] * (rows * arguments.columns - len(cells))
    sheet = np.vstack(
        [np.hstack(cells[row * arguments.columns : (row + 1) * arguments.columns]) for row in range(rows)]
    )
    cv2.imwrite(str(arguments.picture), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
