"""A sheet of one or more faces: every pose that an engine has to show, on one picture, for looking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel

from moee_cli import __version__
from moee_cli.core.errors import OutputError, Unavailable, from_os_error
from moee_cli.core.progress import Progress, Silent
from moee_cli.core.types import F32, U8, FrameFormat, Portrait
from moee_cli.engines.base import EngineSpec, HasPoses, Pose, create_engine
from moee_cli.engines.registry import check_options, engine_spec
from moee_cli.engines.runtime import choose_runtime
from moee_cli.face.picture import shown_name
from moee_cli.script.schema import DEFAULT_ENGINE, Script
from moee_cli.store.atomic import check_target, replacing

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.PngImagePlugin import PngInfo

COLUMNS = 8
CELL, GAP, MARGIN = 256, 4, 12
"""Side of a picture, space between two, space around the sheet, in px."""
CAPTION, GROUP, TITLE = 20, 30, 40
"""Height of the line under a picture, above a group, above a face, in px."""
FACE_REACH, HEAD_REACH = 0.62, 1.15
"""Half the side of what is cut out around a face, in sizes of the box of its landmarks: the face with its chin and
brow, the head with its hair and some background."""
PAPER, INK, QUIET = (24, 24, 24), (235, 235, 235), (160, 160, 160)
BEHIND = 96
"""Grey behind a person without background."""
MAKER = "moee sheet"
NOTICE = "AI-generated pictures: the faces were animated by moee; they are no photographs"


@dataclass(frozen=True)
class Subject:
    """A face to be shown."""

    title: str
    portrait: Path
    face: str | None = None
    """Which one, if the picture shows several; as in `cast`."""


@dataclass(frozen=True)
class Sitting:
    """Who is shown, in which frame, drawn by which engine."""

    subjects: tuple[Subject, ...]
    frame: FrameFormat
    spec: EngineSpec
    options: BaseModel


@dataclass(frozen=True)
class SheetResult:
    """What came out."""

    output: Path
    n_faces: int
    n_poses: int
    """Of each face."""


def sitting_of_picture(picture: Path, face: str | None, frame: FrameFormat, engine: str | None) -> Sitting:
    """Return the sitting of one picture.

    Raises:
        EngineUnavailable: no engine has that name.
    """
    spec = engine_spec(engine or DEFAULT_ENGINE)
    return Sitting((Subject(shown_name(picture), picture, face),), frame, spec, check_options(spec, {}))


def sitting_of_script(script: Script) -> Sitting:
    """Return the sitting of a whole cast, also of those who have no line yet.

    Raises:
        ScriptError: the options of the engine cannot be used.
        EngineUnavailable: no engine has that name.
    """
    spec = engine_spec(script.engine)
    options = check_options(spec, script.engine_options.get(spec.name, {}), script.engine_where)
    subjects = [Subject(member.name, member.portrait, member.face) for member in script.cast.values()]
    return Sitting(tuple(subjects), script.outputs[0].frame, spec, options)


def make_sheet(
    sitting: Sitting, output: Path, *, device: str = "auto", force: bool = False, progress: Progress | None = None
) -> SheetResult:
    """Draw the poses of every subject, one below the other, and write them as one PNG.

    Raises:
        OutputError: the output is no PNG, an input, or a file that `moee sheet` did not write (without `force`).
        PortraitError: a portrait cannot be used.
        UsageError, Unavailable: the engine has no poses to show, or cannot run here.
    """
    told = progress or Silent()
    spec, options, frame = sitting.spec, sitting.options, sitting.frame
    _claim(output, [subject.portrait for subject in sitting.subjects], force=force)
    runtime = choose_runtime(device, spec.requirements.devices)
    with closing(create_engine(spec, options, runtime)) as engine:
        if not isinstance(engine, HasPoses):
            raise Unavailable(f"the engine {spec.name} has no poses to show", "choose another one, such as motion")
        poses = engine.poses()
        portraits = _look(sitting, told)
        told.start("draw", len(poses) * len(portraits), "poses")
        parts = []
        for subject, portrait in zip(sitting.subjects, portraits, strict=True):
            drawn = engine.draw(engine.prepare(portrait), np.stack([pose.motion for pose in poses]))
            title = f"{subject.title} · {spec.name} · {frame.width}x{frame.height}"
            parts.append(lay_out(title, poses, _counted(_cut(drawn, portrait, poses), told)))
    _write(output, np.concatenate(parts))
    return SheetResult(output, len(portraits), len(poses))


def _look(sitting: Sitting, told: Progress) -> list[Portrait]:
    """Return the portraits of all subjects: a picture that cannot be used is found before anything slow."""
    from moee_cli.face.portrait import load_portrait

    told.start("look", len(sitting.subjects), "portraits")
    portraits = []
    for subject in sitting.subjects:
        portrait = load_portrait(
            subject.portrait,
            sitting.frame,
            face=subject.face,
            landmarker_model=getattr(sitting.options, "landmarker", None),
        )
        for warning in portrait.warnings:
            told.warn(warning)
        portraits.append(portrait)
        told.advance()
    return portraits


def _cut(frames: Iterable[U8], portrait: Portrait, poses: Iterable[Pose]) -> Iterator[U8]:
    """Yield of each frame what its pose is about, RGB [CELL, CELL, 3]."""
    face, head = (_square(portrait.landmarks, portrait.pixels, reach) for reach in (FACE_REACH, HEAD_REACH))
    for frame, pose in zip(frames, poses, strict=True):
        yield _fitted(frame[head if pose.whole_head else face])


def _square(landmarks: F32, pixels: U8, reach: float) -> tuple[slice, slice]:
    """Return rows and columns of a square around the face, moved into the frame, at most as large as it."""
    height, width = pixels.shape[:2]
    low, high = landmarks[:, :2].min(0), landmarks[:, :2].max(0)
    side = int(min(2 * reach * (high - low).max(), height, width))
    left, top = (round(value) for value in (low + high) / 2 - side / 2)
    left, top = min(max(left, 0), width - side), min(max(top, 0), height - side)
    return slice(top, top + side), slice(left, left + side)


def _fitted(part: U8) -> U8:
    """Return a square part of a frame at the size of a cell, on grey where the frame has no background."""
    from PIL import Image

    if part.shape[2] == 4:
        part = np.asarray(part[..., :3] + ((255 - part[..., 3:].astype(np.uint16)) * BEHIND) // 255, np.uint8)
    image = Image.fromarray(np.ascontiguousarray(part))
    larger = part.shape[0] < CELL
    return np.asarray(image.resize((CELL, CELL), Image.Resampling.BICUBIC if larger else Image.Resampling.LANCZOS))


def _counted(cells: Iterable[U8], told: Progress) -> Iterator[U8]:
    for cell in cells:
        told.advance()
        yield cell


# --- layout ---------------------------------------------------------------------------------------------------------


def lay_out(title: str, poses: Sequence[Pose], cells: Iterable[U8]) -> U8:
    """Return the sheet of one face, RGB: a title, and each group of poses below its name."""
    from PIL import Image, ImageDraw

    groups = [(name, list(members)) for name, members in groupby(poses, key=lambda pose: pose.group)]
    rows = [-(-len(members) // COLUMNS) for _, members in groups]
    width = 2 * MARGIN + COLUMNS * CELL + (COLUMNS - 1) * GAP
    height = 2 * MARGIN + TITLE + len(groups) * GROUP + sum(rows) * (CELL + CAPTION + GAP)
    paper = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(paper)
    _label(pen, (MARGIN, MARGIN), title, TITLE, INK)
    top, source = MARGIN + TITLE, iter(cells)
    for (name, members), n_rows in zip(groups, rows, strict=True):
        _label(pen, (MARGIN, top), name, GROUP, QUIET)
        top += GROUP
        for number, pose in enumerate(members):
            row, column = divmod(number, COLUMNS)
            x, y = MARGIN + column * (CELL + GAP), top + row * (CELL + CAPTION + GAP)
            paper.paste(Image.fromarray(next(source)), (x, y))
            _label(pen, (x + 2, y + CELL), pose.name, CAPTION, INK)
        top += n_rows * (CELL + CAPTION + GAP)
    return np.asarray(paper)


def _label(pen: ImageDraw, at: tuple[int, int], text: str, height: int, colour: tuple[int, int, int]) -> None:
    """Write a line of text, centred in its height; the font that Pillow brings knows few letters beyond Latin."""
    from PIL import ImageFont

    font = ImageFont.load_default(round(0.65 * height))
    pen.text((at[0], at[1] + height / 2), text, fill=colour, font=font, anchor="lm")


# --- file -----------------------------------------------------------------------------------------------------------


def _claim(output: Path, portraits: Iterable[Path], *, force: bool) -> None:
    """Make sure that the sheet may be written, before anything slow."""
    if output.suffix.lower() != ".png":
        raise OutputError(f"{output}: a sheet is a PNG picture", "give it a name that ends in .png")
    check_target(output)
    if not output.exists():
        return
    if any(portrait.exists() and output.samefile(portrait) for portrait in portraits):
        raise OutputError(f"{output}: is the picture that is to be shown", "choose another name with -o")
    if not force and not _is_sheet(output):
        raise OutputError(
            f"{output}: exists and is not a sheet of moee", "give --force to overwrite it, or another name with -o"
        )


def _is_sheet(path: Path) -> bool:
    """Whether a file says of itself that it is a sheet."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG",)) as image:
            image.load()
            return str(image.info.get("Software", "")).startswith(MAKER)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError):
        return False


def _tags() -> PngInfo:
    from PIL.PngImagePlugin import PngInfo

    tags = PngInfo()
    tags.add_text("Software", f"{MAKER} {__version__}")
    tags.add_text("Comment", NOTICE)
    return tags


def _write(output: Path, pixels: U8) -> None:
    from PIL import Image

    with replacing(output) as temporary:
        try:
            Image.fromarray(pixels).save(temporary, format="PNG", pnginfo=_tags(), compress_level=4)
        except OSError as error:
            raise from_os_error(error, f"cannot write {output}") from error
