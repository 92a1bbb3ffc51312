"""What lies under and over a script: user config, presets, `extends`, the command line.

Order of precedence: default < user config < preset < script < command line. Mappings are merged key by key, everything
else is replaced; so are emotion mixes, whose shares only mean something together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from moee_cli.core.errors import Problem, ScriptError
from moee_cli.script.files import file_fault, where_paths_start
from moee_cli.script.positions import (
    KeyPath,
    Map,
    Mark,
    Seq,
    Source,
    Text,
    Value,
    from_plain,
    option_mark,
    show,
    without_ignored,
)
from moee_cli.script.read_yaml import read_file, read_value
from moee_cli.script.variables import LaterVariable, UnknownVariable, Variables

MAX_EXTENDS = 16
"""Files in one chain of `extends`."""
_ONLY_IN_SCRIPTS = ("segments", "matrix", "rows", "extends")
"""Keys that a user config or a preset may not have."""

PresetReader = Callable[[str], Mapping[str, object]]


def _is_whole(path: KeyPath) -> bool:
    """Say whether the mapping at `path` is one value, to be replaced and not merged."""
    return path == ("defaults", "emotion") or (len(path) == 2 and path[0] == "emotions")


def merge(low: Map, high: Map, path: KeyPath = ()) -> Map:
    """Return both mappings in one, `high` winning."""
    result = shallow(low)
    result.mark = high.mark
    for key, value in high.items():
        under, here = result.get(key), (*path, key)
        merged = value
        if isinstance(under, Map) and isinstance(value, Map) and not _is_whole(here):
            merged = merge(under, value, here)
        result.put(key, merged, high.key_marks[key])
    return result


def stack(parts: Sequence[Map | None], mark: Mark) -> Map:
    """Return the parts merged, later ones winning; the whole stands at `mark`."""
    result = Map(mark)
    for part in parts:
        if part is not None:
            result = merge(result, part)
    result.mark = mark
    return result


def with_extends(script: Map, name: str, path: Path | None, stem: str, check: Callable[[Map], None]) -> Map:
    """Return a script merged over the files it extends, each path relative to the file that names it.

    `check` sees every file before it is merged, and may raise.

    Raises:
        ScriptError: a file cannot be read, or extends itself.
    """
    result, current, current_name = script, script, name
    seen = [path.resolve()] if path is not None else []
    while "extends" in current:
        wish, mark = current["extends"], current.key_marks["extends"]
        wished = _extended_name(wish, mark, current, stem)
        target = wish.mark.source.base / wished
        if fault := file_fault(target):
            hint = where_paths_start(Text(str(wished), wish.mark))
            raise _fault(wish.mark, f"{show(str(wished))} {fault}", hint)
        if target.resolve() in seen:
            names = " → ".join(file.name for file in [*seen[seen.index(target.resolve()) :], target])
            raise _fault(wish.mark, f"{show(wish)} extends itself: {names}", "remove one of these `extends`")
        if len(seen) > MAX_EXTENDS:
            raise _fault(wish.mark, f"is a chain of more than {MAX_EXTENDS} files", "put some of them together")
        seen.append(target.resolve())
        current_name = str(Path(current_name).parent / wished)
        current = read_file(target, current_name)
        check(current)
        result = merge(current, result)
    if "extends" in result:
        del result["extends"]
    return result


def _extended_name(wish: Value, mark: Mark, script: Map, stem: str) -> Path:
    if not isinstance(wish, Text) or not wish:
        raise _fault(mark, "is not a path", "name one script to build on, such as `extends: studio.yaml`")
    own = script.get("vars")
    try:
        text = Variables(own if isinstance(own, Map) else {}, stem).replace(wish)
    except UnknownVariable as error:
        raise _fault(wish.mark, error.message, error.hint) from None
    except LaterVariable:  # pragma: no cover - no columns are given here
        raise AssertionError from None
    if "://" in text:
        raise _fault(wish.mark, f"{show(text)} is not a file on this machine", "download it first")
    return Path(text).expanduser()


def _fault(mark: Mark, message: str, hint: str | None, key: str = "extends") -> ScriptError:
    return ScriptError([Problem(message, str(mark), key, hint)])


def preset_layer(names: Sequence[Text], read: PresetReader, key: str = "preset") -> Map | None:
    """Return the presets `names`, written under `key`, as one mapping, later ones winning; None without any.

    Raises:
        ScriptError: a preset is unknown; all of them at once.
    """
    problems: list[Problem] = []
    layer: Map | None = None
    for name in names:
        try:
            content = read(str(name))
        except ScriptError as error:
            problems += [Problem(fault.message, str(name.mark), key, fault.hint) for fault in error.problems]
            continue
        above = from_plain(content, Mark(Source(f"preset {name}", name.mark.source.base)))
        assert isinstance(above, Map)
        layer = above if layer is None else merge(layer, above)
    if problems:
        raise ScriptError(problems)
    return layer


def config_layer(path: Path | None) -> Map | None:
    """Return the user's config, or None where there is none.

    Raises:
        ScriptError: it cannot be read, or holds keys that belong to a script.
    """
    if path is None or not _is_there(path):
        return None
    try:
        layer = read_file(path, str(path))
    except ScriptError as error:
        if any(problem.message == "is empty" for problem in error.problems):
            return None
        raise
    hint = "a user config holds what is common to all scripts"
    problems = [
        Problem(f'"{key}" belongs in a script', str(layer.key_marks[key]), key, hint)
        for key in _ONLY_IN_SCRIPTS
        if key in layer
    ]
    if problems:
        raise ScriptError(problems)
    return layer


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its folder cannot be searched: reading it says so
        return True


def preset_names(layer: Map | None) -> list[Text]:
    """Return the names under `preset` of one layer; faults in them are left to the schema."""
    value = None if layer is None else layer.get("preset")
    names = [value] if isinstance(value, Text) else value if isinstance(value, Seq) else []
    return [name for name in names if isinstance(name, Text) and name]


# --- the command line -----------------------------------------------------------------------------------------------


def parse_sets(sets: Sequence[str], base: Path) -> tuple[list[tuple[str, Value]], list[Problem]]:
    """Return the key and value of every `--set key=value`, and what is wrong with those that are none.

    Relative paths start from `base`.
    """
    problems: list[Problem] = []
    parsed = []
    for item in sets:
        key, equals, value = item.partition("=")
        key = key.strip()
        mark = option_mark("--set", item, base)
        if not equals or not key or any(not part for part in key.split(".")):
            problems.append(Problem("is not key=value", str(mark), hint="for example --set frame.fps=30"))
            continue
        if key == "extends" or key.startswith("extends."):
            fault = "cannot be set on the command line"
            problems.append(Problem(fault, str(mark), "extends", "write it in the script"))
            continue
        try:
            parsed.append((key, read_value(value, mark)))
        except ScriptError as error:
            problems += [Problem(fault.message, str(mark), key, fault.hint) for fault in error.problems]
    return parsed, problems


def keys_set(over: Map | None, assignments: Sequence[tuple[str, Value]], sections: Collection[str]) -> set[KeyPath]:
    """Return which keys of `sections` the command line sets, by its presets or by `--set`."""
    found: set[KeyPath] = set()
    for section in sections:
        layers = [over.get(section)] if over is not None else []
        layers += [value for key, value in assignments if key == section]
        found |= {(section, key) for layer in layers if isinstance(layer, Map) for key in layer}
        found |= {tuple(key.split(".")) for key, _ in assignments if key.startswith(f"{section}.")}
    return found


def assign(root: Map, path: Sequence[str], value: Value, key: str) -> None:
    """Set the value at a key path, making mappings on the way; list entries go by number.

    Raises:
        ScriptError: the path leads through a value that holds no keys.
    """
    target: Map | Seq = root
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if isinstance(target, Seq):
            if not part.isascii() or not part.isdigit() or int(part) >= len(target):
                raise ScriptError([Problem(f"the list has no entry {show(part)}", str(value.mark), key)])
            if last:
                target[int(part)] = value
                return
            step = target[int(part)]
        else:
            if last:
                target.put(part, value, value.mark)
                return
            if part not in target:
                target.put(part, Map(value.mark), value.mark)
            step = target[part]
        if not isinstance(step, Map | Seq):
            shown = show(".".join(path[: depth + 1]))
            raise ScriptError([Problem(f"{shown} is {show(step)} and holds no keys", str(value.mark), key)])
        target = step


def cleaned(value: Map) -> Map:
    """Return a mapping without `x-…` keys, and without parts that anchors share, so that it can be assigned into."""
    result = without_ignored(value)
    assert isinstance(result, Map)
    return result


def shallow(value: Map) -> Map:
    """Return a copy whose keys can be set without changing `value`."""
    result = Map(value.mark)
    for key, item in value.items():
        result.put(key, item, value.key_marks[key])
    return result
