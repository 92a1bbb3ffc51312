"""Strings, mappings and lists that remember where in which file they were written.

Scalars stay text until the schema types them, so `no`, `007`, `1:30` and dates mean what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self


@dataclass(frozen=True)
class Source:
    """A file, or another place that values come from."""

    name: str
    """As shown in messages: a file, or the option of the command line as it was typed."""
    base: Path
    """Folder that relative paths in it start from."""
    has_lines: bool = True
    is_file: bool = True
    """False where `base` is the current folder, and not that of a file: standard input, the command line."""


class Mark(NamedTuple):
    """A place in a source; line and column count from 1."""

    source: Source
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.source.has_lines or not self.line:
            return self.source.name
        return f"{self.source.name}:{self.line}:{self.column}"


def option_mark(name: str, value: object, base: Path) -> Mark:
    """Return the place of what was typed on the command line: `--set seed=7`."""
    return Mark(Source(f"{name} {shorten(str(value))}", base, has_lines=False, is_file=False))


class Text(str):
    """A scalar as it was typed."""

    __slots__ = ("mark", "quoted")

    mark: Mark
    quoted: bool
    """Quoted or a block scalar: an empty one is an empty text, whereas `key:` alone has no value."""

    def __new__(cls, value: str, mark: Mark, *, quoted: bool = False) -> Self:
        """Return `value` with its place."""
        text = super().__new__(cls, value)
        text.mark = mark
        text.quoted = quoted
        return text

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Only the text survives pickling: whoever gets a copy has no file to point into."""
        return str, (str(self),)

    @property
    def is_missing(self) -> bool:
        """Nothing was written after the colon."""
        return not self and not self.quoted


class Map(dict[str, Any]):
    """A mapping of names to `Text`, `Map` or `Seq`."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.key_marks: dict[str, Mark] = {}

    def put(self, key: str, value: Value, mark: Mark) -> None:
        """Set a key, remembering where its name stands."""
        self[key] = value
        self.key_marks[key] = mark


class Seq(list[Any]):
    """A list of `Text`, `Map` or `Seq`."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark


Value = Text | Map | Seq
KeyPath = tuple[str | int, ...]

MAX_SHOWN = 60
"""Characters of a value that a message shows."""


def from_plain(value: object, mark: Mark) -> Value:
    """Return plain mappings, lists and scalars as values that all stand at `mark`."""
    if isinstance(value, Mapping):
        mapping = Map(mark)
        for key, item in value.items():
            mapping.put(str(key), from_plain(item, mark), mark)
        return mapping
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = Seq(mark)
        items.extend(from_plain(item, mark) for item in value)
        return items
    if isinstance(value, bool):
        return Text("true" if value else "false", mark)
    return Text(str(value), mark, quoted=True)


def to_plain(value: Value) -> Any:
    """Return a value without its places: dict, list, str."""
    if isinstance(value, Map):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, Seq):
        return [to_plain(item) for item in value]
    return str(value)


def shorten(text: str) -> str:
    """Return a text as messages show it: on one line, and not longer than a line."""
    flat = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[: MAX_SHOWN + 1])
    return flat if len(flat) <= MAX_SHOWN else f"{flat[: MAX_SHOWN - 1]}…"


def show(text: str) -> str:
    """Return a text in quotes as messages show it."""
    return f'"{shorten(text)}"'


def spell_path(path: KeyPath) -> str:
    """Return a key path as a person writes it: `segments[2].emotion`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{shorten(part)}" if text else shorten(part)
    return text


def without_ignored(value: Value) -> Value:
    """Return a value without the keys that begin with `x-`, on all levels."""
    if isinstance(value, Map):
        mapping = Map(value.mark)
        for key, item in value.items():
            if not key.startswith("x-"):
                mapping.put(key, without_ignored(item), value.key_marks[key])
        return mapping
    if isinstance(value, Seq):
        items = Seq(value.mark)
        items.extend(without_ignored(item) for item in value)
        return items
    return value


def value_at(root: Value, path: KeyPath) -> Value | None:
    """Return the value at a key path, or None where the path leads nowhere."""
    value: Value | None = root
    for part in path:
        if isinstance(value, Map) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, Seq) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def mark_of(root: Value, path: KeyPath, *, of_key: bool = False) -> Mark:
    """Return where the value at `path` stands (or its key), or the nearest place around it that exists."""
    value, mark = root, root.mark
    for depth, part in enumerate(path):
        if isinstance(value, Map) and isinstance(part, str) and part in value:
            if of_key and depth == len(path) - 1:
                return value.key_marks[part]
            value = value[part]
        elif isinstance(value, Seq) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return mark
        mark = value.mark
    return mark
