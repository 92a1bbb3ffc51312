"""Opens a script with everything around it: presets, the user's config, engine names, the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from moee_cli.core.errors import EngineUnavailable, Problem, ScriptError
from moee_cli.engines.registry import check_options, engine_specs
from moee_cli.presets import preset
from moee_cli.script.load import load_script
from moee_cli.script.schema import Script
from moee_cli.store.paths import user_config

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
) -> Script:
    """Return the script at a path, or from standard input for `-`, with the command line on top.

    Raises:
        ScriptError: the script cannot be used; all problems at once.
        EngineUnavailable: it asks for an engine that is not in this release.
    """
    content, name = (_read_stdin(), "<stdin>") if str(source) == STDIN else (Path(source), str(source))
    script = load_script(
        content,
        name=name,
        base=Path.cwd(),
        presets=preset,
        sets=sets,
        user_config=_existing(user_config()),
        overrides={"engine": engine, "seed": seed, "preset": [*presets, "draft"] if draft else list(presets) or None},
        engines=option_models(),
    )
    specs = engine_specs()
    if script.engine not in specs:
        raise EngineUnavailable(
            f"engine {script.engine} is not in this release", f"use `engine: {next(iter(specs))}`, or --engine"
        )
    check_options(specs[script.engine], script.engine_options.get(script.engine, {}), script.engine_where)
    return script if output is None else replace(script, output=output)


def option_models() -> dict[str, type[BaseModel]]:
    """Return the option model of every engine a script may name; those to come have none of their own yet."""
    models: dict[str, type[BaseModel]] = dict.fromkeys(PLANNED_ENGINES, BaseModel)
    return models | {name: spec.options for name, spec in engine_specs().items()}


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _read_stdin() -> str:
    data: Any = sys.stdin.buffer.read()
    try:
        return str(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        problem = Problem(f"is not UTF-8 text (byte {error.start})", "<stdin>", hint="save the script as UTF-8")
        raise ScriptError([problem]) from None
