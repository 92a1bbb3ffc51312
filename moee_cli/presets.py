"""Named parts of a script: qualities (`draft`, `balanced`, `best`), shapes (`wide`, `vertical`, `square`), `loud`.

A preset is a YAML file with keys of the script format and a `description`. The files lie in `presets/` of the
repository, and beside this module in a wheel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from moee_cli.core.errors import Problem, ScriptError
from moee_cli.core.suggest import did_you_mean
from moee_cli.script.positions import show, to_plain
from moee_cli.script.read_yaml import read_file

_FOLDERS = (Path(__file__).with_name("presets_data"), Path(__file__).parents[1] / "presets")
_QUALITIES_FIRST = ("draft", "balanced", "best", "square", "wide", "vertical")


@dataclass(frozen=True)
class PresetInfo:
    """What `moee presets` shows."""

    name: str
    description: str
    content: Mapping[str, Any]
    """Keys of the script format; scalars are text."""


@cache
def _presets() -> dict[str, PresetInfo]:
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), _FOLDERS[0])
    files = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    order = [name for name in _QUALITIES_FIRST if name in files]
    return {name: _read(name, files[name]) for name in dict.fromkeys([*order, *files])}


def _read(name: str, file: Path) -> PresetInfo:
    content = to_plain(read_file(file, f"presets/{file.name}"))
    return PresetInfo(name, content.pop("description"), content)


def preset_names() -> list[str]:
    """Return the names of all presets: qualities, shapes, others."""
    return list(_presets())


def preset(name: str) -> Mapping[str, Any]:
    """Return the part of a script that a preset stands for; scalars are text.

    Raises:
        ScriptError: no preset has that name.
    """
    found = _presets().get(name)
    if found is None:
        hint = f"{did_you_mean(name, _presets())}`moee presets` lists them: {', '.join(_presets())}"
        raise ScriptError([Problem(f"no preset is called {show(name)}", key="preset", hint=hint)])
    return found.content


def describe() -> list[PresetInfo]:
    """Return every preset with its description and content."""
    return list(_presets().values())
