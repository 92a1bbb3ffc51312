"""`moee render`: one script to its video, or videos."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from moee_cli.cli import console, options
from moee_cli.cli.progress import ProgressMode, reporting
from moee_cli.cli.signals import signals_held
from moee_cli.core.errors import UsageError

EXAMPLES = """
moee render film.yaml
moee render film.yaml --draft -o look.mp4
moee render film.yaml --only a02,a03 --set defaults.intensity=0.9
cat film.yaml | moee render - -o - | ffplay -
"""

STDOUT = Path("-")


def render(
    script: options.ScriptArgument,
    *,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE|-", help="Video to write, or - for standard output.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="ID,..", help="Render these segments alone. May be repeated.")
    ] = None,
    engine: options.EngineOption = None,
    preset: options.PresetOption = None,
    draft: options.DraftOption = False,
    device: options.DeviceOption = "auto",
    seed: options.SeedOption = None,
    sets: options.SetOption = None,
    force: options.ForceOption = False,
    events: options.EventsOption = None,
    progress: options.ProgressOption = ProgressMode.AUTO,
) -> None:
    """Render a script to a video, or to several of different shapes.

    The path of each finished video goes to standard output, everything else to standard error. An output that came
    from the same script is overwritten; any other file is not, without --force.
    """
    target = None if output is None else Path(output)
    ids = options.split_commas(only)
    if only is not None and not ids:
        raise UsageError("--only names no segment", "`moee plan` shows their ids")
    if target == STDOUT and sys.stdout.isatty():
        raise UsageError("a video does not belong on a terminal", "pipe it into a program, or give -o FILE")
    changes = options.overrides(engine, preset, seed, sets, draft=draft)
    with reporting("render", progress, events, script=script) as reporter:
        with signals_held():
            import moee_cli.workflow.scripts  # noqa: F401 - what opening a script needs
        opened = changes.open(script, is_elsewhere=target is not None)
        with signals_held():
            from moee_cli.face.landmarks import load_library
            from moee_cli.workflow.render import render as render_script

            load_library()
        began = time.monotonic()
        result = render_script(
            opened,
            output=target,
            only=ids,
            force=force,
            device=device,
            progress=reporter,
        )
        elapsed = time.monotonic() - began
    if progress is not ProgressMode.NONE:
        length = console.duration(sum(video.seconds for video in result.videos))
        n_frames = console.plural(sum(video.n_frames for video in result.videos), "frame")
        console.say(f"{length} of video, {n_frames}, in {console.duration(elapsed)}")
    if target != STDOUT:
        for video in result.videos:
            console.data(str(video.path))
