"""Writes a script that people go on editing: canonical key order, one line per segment where it fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

import yaml

from moee_cli.script.jsonschema import SCHEMA_NAME
from moee_cli.script.schema import CastEntry, ScriptEntry, SegmentEntry

WIDTH = 120
_LAST_WORD = 16
"""PyYAML breaks a line after the word that crosses the width."""
_BLOCKS = ("cast", "segments", "emotions")
"""Sections with one entry per line."""
_SEGMENT_ORDER = (
    "id",
    "speaker",
    "audio",
    "pause",
    "from",
    "to",
    "text",
    "subtitles",
    "emotion",
    "prompt",
    "intensity",
)
_AS_TYPED: dict[str, Any] = {"allow_unicode": True, "sort_keys": False}
_HEADER = f"# yaml-language-server: $schema=./{SCHEMA_NAME}\n"


class _Dumper(yaml.SafeDumper):
    """Emitter with our own way to write texts."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Several lines of text become a literal block; line breaks of Unicode are escaped, since YAML folds them."""
    style = '"' if any(char in text for char in "\x85\u2028\u2029") else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump_script(script: Mapping[str, Any], *, header: bool = True) -> str:
    """Return a script as YAML text that reads back as the same script.

    `script` has the keys of the format; values may be text, numbers, bools, paths, fractions, lists, mappings. With
    `header`, the first line names the JSON Schema for editors.
    """
    parts = [_HEADER] if header else []
    for key in _ordered(script, _field_names(ScriptEntry)):
        value = _plain(script[key])
        if key in _BLOCKS and isinstance(value, dict | list) and value:
            parts.append(f"{_flow(key)}:\n" + _entries(key, value))
        else:
            parts.append(_line({key: value}))
    return "".join(parts)


def _field_names(model: type[CastEntry | ScriptEntry | SegmentEntry]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _ordered(mapping: Mapping[str, Any], order: Sequence[str]) -> list[str]:
    """Return the keys in the order of the schema, unknown ones (`x-…`) first, because anchors must come first."""
    return [key for key in mapping if key not in order] + [key for key in order if key in mapping]


def _plain(value: Any) -> Any:
    """Return a value as YAML types it; what YAML would mistype stays text and gets quotes."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, bool | int | float):
        return value
    return str(value)


def _entries(section: str, value: dict[str, Any] | list[Any]) -> str:
    if isinstance(value, list):
        segment_order = [*_SEGMENT_ORDER, *(name for name in _field_names(SegmentEntry) if name not in _SEGMENT_ORDER)]
        return "".join(_item(_sorted(item, segment_order)) for item in value)
    order = _field_names(CastEntry) if section == "cast" else []
    return "".join(_indented(_line({key: _sorted(item, order)})) for key, item in value.items())


def _sorted(item: Any, order: Sequence[str]) -> Any:
    return {key: item[key] for key in _ordered(item, order)} if isinstance(item, dict) else item


def _item(segment: Any) -> str:
    """Return one list entry, on one line if it fits."""
    room = WIDTH - 4
    if isinstance(segment, dict) and len(segment) == 1:
        lines = _line(segment, room)
    elif isinstance(segment, dict) and not _fits(_flow(segment), room):
        lines = "".join(_line({key: value}, room) for key, value in segment.items())
    else:
        lines = f"{_flow(segment)}\n"
    first, *rest = lines.splitlines(keepends=True)
    return f"  - {first}" + "".join(f"    {line}" for line in rest)


def _indented(text: str) -> str:
    return "".join(f"  {line}" for line in text.splitlines(keepends=True))


def _line(pair: dict[str, Any], room: int = WIDTH) -> str:
    """Return `key: value`, the value on the same line if it fits."""
    (key, value), *_ = pair.items()
    flow = f"{_flow(key)}: {_flow(value)}"
    return f"{flow}\n" if _fits(flow, room) else yaml.dump(pair, Dumper=_Dumper, width=room - _LAST_WORD, **_AS_TYPED)


def _fits(text: str, room: int) -> bool:
    return len(text) <= room and "\n" not in text


def _flow(value: Any) -> str:
    """Return a value in flow style on one line."""
    text: str = yaml.dump([value], Dumper=_Dumper, default_flow_style=True, width=float("inf"), **_AS_TYPED)
    return text.strip()[1:-1]
