"""`moee sheet`: what a face looks like in every pose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from moee_cli.cli import console, options
from moee_cli.cli.progress import ProgressMode, reporting
from moee_cli.cli.signals import signals_held
from moee_cli.core.errors import UsageError

if TYPE_CHECKING:
    from moee_cli.core.types import FrameFormat

EXAMPLES = """
moee sheet portrait.png
moee sheet film.yaml -o faces.png
moee sheet group.jpg --face left --size 720x1280 -o left.png
"""


def sheet(
    source: Annotated[
        str, typer.Argument(metavar="PORTRAIT|SCRIPT|-", help="Picture of a face, or a script (.yaml, .yml, -).")
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="PNG to write; else NAME-sheet.png in this folder."),
    ] = None,
    face: Annotated[
        str | None,
        typer.Option(
            "--face",
            metavar="CHOICE",
            help="Which face of a picture: largest, left, right, a number, or a box x,y,w,h.",
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH", help="Size of the frame; else the script's, or 512x512.")
    ] = None,
    engine: options.EngineOption = None,
    device: options.DeviceOption = "auto",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is not a sheet.")] = False,
    progress: options.ProgressOption = ProgressMode.AUTO,
) -> None:
    """Show a face in every pose.

    One picture with emotions, mouth shapes, blinks, gaze, brows and head turns, to judge a portrait by before a film is
    made of it. Of a script the whole cast is shown, one face below the other. The path of the sheet goes to standard
    output.
    """
    is_script = source == "-" or source.lower().endswith((".yaml", ".yml"))
    if is_script and face is not None:
        raise UsageError("--face is for a picture; a script says which faces it means", "write `face` under `cast`")
    pixels = _read_size(size)
    target = output or Path(f"{'stdin' if source == '-' else Path(source).stem}-sheet.png")
    with reporting("sheet", progress, None) as reporter:
        with signals_held():
            from moee_cli.face.landmarks import load_library
            from moee_cli.workflow.sheet import make_sheet, sitting_of_picture, sitting_of_script

            load_library()
        if is_script:
            sets = [] if pixels is None else ["frame.size={}x{}".format(*pixels), "frame.scale=1"]
            sitting = sitting_of_script(options.overrides(engine, None, None, sets, draft=False).open(source))
        else:
            sitting = sitting_of_picture(Path(source), face, _frame(pixels), engine)
        result = make_sheet(sitting, target, device=device, force=force, progress=reporter)
    if progress is not ProgressMode.NONE:
        console.say(f"{console.plural(result.n_faces, 'face')}, {console.plural(result.n_poses, 'pose')} each")
    console.data(str(result.output))


def _frame(size: tuple[int, int] | None) -> FrameFormat:
    """Return the frame of a size, odd ones rounded down as in scripts."""
    from moee_cli.core.types import FrameFormat

    if size is None:
        return FrameFormat()
    width, height = size
    return FrameFormat(width - width % 2, height - height % 2)


def _read_size(text: str | None) -> tuple[int, int] | None:
    """Return width and height of `--size`, None if it was not given."""
    if text is None:
        return None
    from moee_cli.script.values import Unreadable, read_size

    try:
        return read_size(text)
    except Unreadable as error:
        raise UsageError(f"--size: {error.message}", error.hint) from None
