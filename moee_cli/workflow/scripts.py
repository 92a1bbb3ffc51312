"""Opens a script with everything around it: presets, the user's config, engine names, the command line."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from moee_cli.core.errors import PortraitError, Problem, ScriptError, UsageError
from moee_cli.core.types import Options
from moee_cli.engines.registry import check_options, engine_specs
from moee_cli.presets import preset
from moee_cli.script.load import Checks, load_script
from moee_cli.script.schema import Line, Script
from moee_cli.script.timeline import build_timeline
from moee_cli.script.values import MAX_SEED
from moee_cli.store.paths import user_config
from moee_cli.workflow.reuse import motion_faults

PLANNED_ENGINES = ("moee", "dice-talk", "emodiffhead")
"""Engines the script format knows and this release does not have yet."""
STDIN = "-"


def open_script(
    source: str | Path,
    *,
    sets: Sequence[str] = (),
    engine: str | None = None,
    presets: Sequence[str] = (),
    seed: int | None = None,
    output: Path | None = None,
    draft: bool = False,
    is_elsewhere: bool = False,
) -> Script:
    """Return the script at a path, or from standard input for `-`, with the command line on top.

    What it asks for beyond this release is in its `deferred`. `is_elsewhere`: its output will be replaced later, so
    that the file it names does not matter.

    Raises:
        ScriptError: the script cannot be used; all problems at once.
        UsageError: the seed is beyond its limits; there is one `output` for a script that has several.
    """
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise UsageError(f"--seed: {seed} is not from 0 to {MAX_SEED}", "0 and 1 are as good as any other")
    content, name = (_read_stdin(), "<stdin>") if str(source) == STDIN else (Path(source), str(source))
    script = load_script(
        content,
        name=name,
        base=Path.cwd(),
        presets=preset,
        sets=sets,
        user_config=user_config(),
        overrides={"engine": engine, "seed": seed, "preset": [*presets, "draft"] if draft else list(presets) or None},
        engines=option_models(),
        checks=Checks(
            line=_audio_faults,
            options=_option_faults,
            picture=_picture_fault,
            is_elsewhere=is_elsewhere or output is not None,
            later_engines=[name for name in PLANNED_ENGINES if name not in engine_specs()],
        ),
    )
    return script if output is None else script.redirected(output)


def option_models() -> dict[str, type[BaseModel]]:
    """Return the option model of every engine a script may name; those to come have none of their own yet."""
    models: dict[str, type[BaseModel]] = dict.fromkeys(PLANNED_ENGINES, BaseModel)
    return models | {name: spec.options for name, spec in engine_specs().items()}


def _audio_faults(line: Line, fps: Fraction) -> Sequence[Problem]:
    """Return what is wrong with the recording of one line, its place in it, or its motion."""
    from moee_cli.media.decode import probe_audio

    faults = motion_faults([line], probe_audio)
    try:
        build_timeline([line], fps, probe_audio)
    except ScriptError as error:
        return [*error.problems, *faults]
    return faults


def _picture_fault(path: Path) -> tuple[str, str | None] | None:
    """Return why a picture cannot be read, and what to do. Remembered until the file changes."""
    try:
        state = path.stat()
    except OSError:
        return _picture_fault_once(path, 0, 0)
    return _picture_fault_once(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1024)
def _picture_fault_once(path: Path, _changed: int, _size: int) -> tuple[str, str | None] | None:
    """Decode a picture: the scripts of a batch share portraits."""
    from moee_cli.face.picture import check_picture

    try:
        check_picture(path)
    except PortraitError as error:
        return error.message, error.hint
    return None


def _option_faults(engine: str, options: Options, places: Mapping[str, str]) -> Sequence[Problem]:
    spec = engine_specs().get(engine)
    try:
        if spec is not None:
            check_options(spec, options, places)
    except ScriptError as error:
        return error.problems
    return ()


def _read_stdin() -> str:
    data: Any = sys.stdin.buffer.read()
    try:
        return str(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        problem = Problem(f"is not UTF-8 text (byte {error.start})", "<stdin>", hint="save the script as UTF-8")
        raise ScriptError([problem]) from None
