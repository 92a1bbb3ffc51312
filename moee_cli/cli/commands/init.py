"""`moee init`: a first script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from moee_cli.cli import console
from moee_cli.core.errors import OutputError, from_os_error
from moee_cli.store.atomic import write_text

EXAMPLES = """
moee init
moee init films/hello
"""

SCRIPT_NAME = "script.yaml"
PORTRAIT_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".aac")
EMOTIONS = ("happiness", "{sadness: 0.6, surprise: 0.4}", "[{at: 0s, emotion: neutral}, {at: 50%, emotion: anger}]")
"""What the first segments show: a name, a mix, a change over time."""


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder of the script; made if missing.")] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a script.yaml that is there.")] = False,
) -> None:
    """Write a first script, with comments.

    It names the portrait and the recordings it finds in the folder, one segment for each recording; where there are
    none it says what to put there. Nothing is copied or moved. The path of the script goes to standard output.
    """
    path = folder / SCRIPT_NAME
    if path.exists() and not force:
        raise OutputError(f"{path}: exists", "give --force to overwrite it, or another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
        portraits = [name for name in names if name.lower().endswith(PORTRAIT_SUFFIXES)]
        recordings = [name for name in names if name.lower().endswith(AUDIO_SUFFIXES)]
    except OSError as error:
        raise from_os_error(error, f"cannot use the folder {folder}") from None
    write_text(path, starter_script(portraits[:1], recordings))
    console.data(str(path))
    missing = ([] if portraits else ["a portrait as portrait.png"]) + ([] if recordings else ["speech as 01.wav"])
    if missing:
        console.say(f"next: put {' and '.join(missing)} beside it")
    console.say(f"then: moee render {console.escape(str(path))}")


def starter_script(portraits: list[str], recordings: list[str]) -> str:
    """Return a commented script for the first of the portraits and all recordings."""
    portrait = _quoted(portraits[0] if portraits else "portrait.png")
    lines = [_segment(number, recording) for number, recording in enumerate(recordings or ["01.wav"], start=1)]
    return _STARTER.replace("PORTRAIT", portrait).replace("SEGMENTS", "\n".join(lines))


def _segment(number: int, recording: str) -> str:
    emotion = EMOTIONS[(number - 1) % len(EMOTIONS)]
    audio = _quoted(recording)
    return f"  - {{id: line{number:02}, audio: {audio}, emotion: {emotion}}}"


def _quoted(name: str) -> str:
    """Return a file name as a script takes it: a JSON string is a YAML string, and `$${` is no variable."""
    return json.dumps(name.replace("${", "$${"), ensure_ascii=False)


_STARTER = """\
# A film for `moee render`. Paths are relative to this file; `moee check` finds mistakes, `moee plan` shows the times.
moee: 1
output: ${stem}.mp4              # ${stem} is the name of this file without .yaml
preset: balanced                 # `moee presets` lists them; several compose: [best, vertical]
frame: {size: 512x512, fps: 25}

cast:
  speaker: {portrait: PORTRAIT}

defaults:
  speaker: speaker
  intensity: 0.7                 # 0 is neutral, 1 as strong as it gets

# One entry for each line. An emotion is a name (`moee emotions` lists them), a mix of several, or a list of keyframes.
segments:
SEGMENTS
  - pause: 600ms
"""
