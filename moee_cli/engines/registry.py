"""Finds engines: folders beside this file, and installed plug-ins of the entry-point group `moee.engines`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from pydantic import BaseModel, ValidationError

from moee_cli.core.errors import EngineUnavailable, Problem, ScriptError
from moee_cli.core.suggest import did_you_mean
from moee_cli.core.types import Options
from moee_cli.engines.base import EngineSpec

ENTRY_POINTS = "moee.engines"


@cache
def engine_specs() -> dict[str, EngineSpec]:
    """Return every engine's spec by name; imports no torch."""
    specs = [
        import_module(f"{__package__}.{folder.parent.name}.spec").SPEC
        for folder in sorted(Path(__file__).parent.glob("*/spec.py"))
    ]
    specs += [point.load() for point in entry_points(group=ENTRY_POINTS)]
    return {spec.name: spec for spec in specs}


def engine_spec(name: str) -> EngineSpec:
    """Return the spec of an engine.

    Raises:
        EngineUnavailable: no engine has that name.
    """
    specs = engine_specs()
    if name not in specs:
        hint = f"{did_you_mean(name, specs)}`moee engines` lists those installed"
        raise EngineUnavailable(f'no engine is called "{name}"', hint)
    return specs[name]


def check_options(spec: EngineSpec, options: Options, places: Mapping[str, str] | None = None) -> BaseModel:
    """Return an engine's options as its model.

    `places` says where in a script the options of an engine stand: `file:line:column` by `name` and `name.key`.

    Raises:
        ScriptError: a key is unknown or a value does not fit; all of them at once.
    """
    try:
        return spec.options.model_validate(dict(options))
    except ValidationError as error:
        places = places or {}
        known = list(spec.options.model_fields)
        problems = []
        for fault in error.errors():
            key = ".".join(str(part) for part in fault["loc"])
            unknown = fault["type"] == "extra_forbidden"
            message = "is not an option of this engine" if unknown else f"{fault['input']!r}: {fault['msg']}"
            hint = f"{did_you_mean(key, known)}options: {', '.join(known) or 'none'}" if unknown else None
            where = places.get(f"{spec.name}.{key}", places.get(spec.name, ""))
            problems.append(Problem(message, where, f"engines.{spec.name}.{key}", hint))
        raise ScriptError(problems) from None
