"""One number for everything in a script that decides its film."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from moee_cli.core.types import Encoding, FrameFormat
from moee_cli.script.schema import CastMember, Line

_FOR_PEOPLE = frozenset({"where", "key", "consent"})
"""Fields that do not decide the result."""


def content_hash(
    home: Path,
    *,
    engine: str,
    options: Mapping[str, Any],
    seed: int,
    frame: FrameFormat,
    encoding: Encoding,
    cast: Mapping[str, CastMember],
    lines: Sequence[Line],
) -> str:
    """Return the SHA-256 of the resolved content; paths count relative to `home`, so a project may move.

    Of the cast only those who appear count. What the files hold is not looked at.
    """
    appear = {name: cast[name] for name in dict.fromkeys(line.speaker for line in lines) if name in cast}
    content = [engine, options, seed, frame, encoding, appear, lines]
    text = json.dumps(_plain(content, home.absolute()), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object, home: Path) -> Any:
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item, home) for item in value]
    if isinstance(value, Path):
        return _relative(value.absolute(), home)
    if isinstance(value, str) and value.startswith(os.sep):  # an engine option that is a path
        return _relative(Path(value), home)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    if is_dataclass(value):
        return {
            item.name: _plain(getattr(value, item.name), home) for item in fields(value) if item.name not in _FOR_PEOPLE
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item, home) for key, item in value.items()}
    return value


def _relative(path: Path, home: Path) -> str:
    return os.path.relpath(path, home).replace(os.sep, "/")
