"""YAML text to values with positions: nothing is typed, nothing is executed, and no input can make it run away.

Works on parser events with an explicit stack, so nesting is bounded by a count instead of by the interpreter, and a
shared anchor counts as often as it is used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from moee_cli.core.errors import Problem, ScriptError
from moee_cli.script.positions import Map, Mark, Seq, Source, Text, Value, shorten, show

MAX_BYTES = 16_000_000
"""A larger file is not a script somebody wrote; 2000 segments take less than half a megabyte."""
MAX_NODES = 250_000
"""Values after anchors are expanded."""
MAX_PROBLEMS = 1000
"""Faults after which the rest of a file is not looked at."""
MAX_DEPTH = 32
"""Levels of nesting; the schema itself needs six."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STRING_TAGS = (None, "!", "tag:yaml.org,2002:str")


def read_file(path: Path, name: str) -> Map:
    """Return the mapping in a YAML file; `name` is how messages call it.

    Raises:
        ScriptError: the file cannot be read, is not text, not YAML, or not a mapping.
    """
    try:
        if path.is_dir():
            raise _fault(name, "is a folder, not a script", "name the YAML file in it")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _fault(name, "does not exist", "`moee init` writes a script to start from") from None
    except (OSError, ValueError) as error:
        raise _fault(name, getattr(error, "strerror", None) or str(error), "check the path") from None
    text = _decode(data, name)
    if len(data) > MAX_BYTES:
        raise _fault(name, f"is larger than {MAX_BYTES // 10**6} MB", "2000 segments take less than half of one")
    return read_text(text, Source(name, path.parent))


def read_text(text: str, source: Source) -> Map:
    """Return the mapping that YAML text holds.

    Raises:
        ScriptError: the text is not YAML that can be a script.
    """
    if found := _NOT_TEXT.search(text):
        line, column = _line_and_column(text, found.start())
        message = f"holds the control character U+{ord(found.group()):04X}: this is not a text file"
        raise _fault(str(Mark(source, line, column)), message, "a script is YAML text, saved as UTF-8")
    tree = _Tree(source, text)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            tree.take(event)
    except yaml.MarkedYAMLError as error:
        raise ScriptError([*tree.problems, _explain(error, source, text)]) from None
    except (yaml.YAMLError, ValueError) as error:
        # PyYAML lets ValueError through for characters beyond Unicode in escapes.
        raise _fault(source.name, f"is not valid YAML: {_one_line(error)}", None) from None
    if tree.problems:
        raise ScriptError(tree.problems)
    return _as_mapping(tree.root, source)


def read_value(text: str, mark: Mark) -> Value:
    """Return the value of a `key=value` at `mark`: a YAML list, mapping or quoted text, else the text itself.

    Raises:
        ScriptError: what looks like a list, mapping or quoted text is not valid YAML.
    """
    if not text.lstrip().startswith(("{", "[", '"', "'")):
        return Text(text, mark)
    return read_text(f"value: {text}", mark.source)["value"]  # type: ignore[no-any-return]


def _fault(where: str, message: str, hint: str | None) -> ScriptError:
    return ScriptError([Problem(message, where, hint=hint)])


def _as_mapping(root: Value | None, source: Source) -> Map:
    if root is None or (isinstance(root, Text) and root.is_missing):
        raise _fault(source.name, "is empty", "`moee init` writes a script to start from")
    if not isinstance(root, Map):
        kind = "a list" if isinstance(root, Seq) else "a text"
        raise _fault(str(root.mark), f"is {kind}, not a mapping of keys", "a script starts with `moee: 1`")
    return root


def _decode(data: bytes, name: str) -> str:
    """Decode as YAML 1.2 section 5.2 asks: UTF-8, or UTF-16 with a byte order mark."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode("utf-8", "replace")) + 1
        if b"\0" in data[:4096]:
            raise _fault(name, "is not a text file", "a script is YAML text, saved as UTF-8") from None
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise _fault(f"{name}:{line}:{column}", message, "save the script as UTF-8") from None


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


@dataclass
class _Open:
    """A mapping or list whose end has not come yet."""

    value: Map | Seq
    anchor: str | None
    key: Text | None = None
    merges: list[tuple[Value, Mark]] = field(default_factory=list)
    given: dict[str, Mark] = field(default_factory=dict)
    depth: int = 1
    size: int = 1


@dataclass(frozen=True)
class _Anchor:
    """A finished value that aliases may repeat."""

    value: Value
    size: int
    depth: int


class _Tree:
    """Builds values from parser events."""

    def __init__(self, source: Source, text: str) -> None:
        self.source = source
        self._lines = text.splitlines() or [""]
        self.root: Value | None = None
        self.problems: list[Problem] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchor | None] = {}
        self._n_nodes = 0

    def take(self, event: yaml.Event) -> None:
        """Go on by one parser event.

        Raises:
            ScriptError: the document is too deep, too large, or there is a second one.
        """
        if isinstance(event, yaml.ScalarEvent):
            self._check_tag(event)
            # libyaml says "" for plain scalars, the parser in Python None.
            text = Text(event.value, self._mark(event), quoted=bool(event.style))
            if _SURROGATE.search(text):
                self._problem(text.mark, "holds half of a character (a surrogate)", "write the character itself")
            self._add(text, 1, 0, event.anchor)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._check_tag(event)
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            self._stop(event, "a second document starts here", "a script is one document: remove the `---`")

    def _mark(self, event: yaml.Event) -> Mark:
        at: Any = event.start_mark
        return Mark(self.source, at.line + 1, at.column + 1)

    def _problem(self, mark: Mark, message: str, hint: str | None) -> None:
        self.problems.append(Problem(message, str(mark), hint=hint))
        if len(self.problems) >= MAX_PROBLEMS:
            told = f"after {MAX_PROBLEMS} errors the rest of the file was not looked at"
            raise ScriptError([*self.problems, Problem(told, self.source.name, severity="warning")])

    def _stop(self, event: yaml.Event, message: str, hint: str) -> None:
        self._problem(self._mark(event), message, hint)
        raise ScriptError(self.problems)

    def _check_tag(self, event: Any) -> None:
        if event.tag not in _STRING_TAGS:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._problem(self._mark(event), f"the tag {show(tag)} is not read", "every value is typed by its key")

    def _open(self, event: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self._stop(event, f"is nested more than {MAX_DEPTH} levels deep", "a script needs six levels at most")
        mark = self._mark(event)
        value = Map(mark) if isinstance(event, yaml.MappingStartEvent) else Seq(mark)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(value, event.anchor))

    def _close(self) -> None:
        done = self._stack.pop()
        if isinstance(done.value, Map):
            self._merge(done.value, done.merges)
        self._add(done.value, done.size, done.depth, done.anchor)

    def _alias(self, event: Any) -> None:
        mark = self._mark(event)
        if event.anchor not in self._anchors:
            self._problem(
                mark, f'no anchor "&{shorten(event.anchor)}" stands above', "define it first, for example under `x-…`"
            )
            self._add(Text("", mark, quoted=True), 1, 0, None)
            return
        anchor = self._anchors[event.anchor]
        if anchor is None:
            self._stop(
                event, f'"*{shorten(event.anchor)}" stands inside its own anchor', "an anchor cannot hold itself"
            )
            return
        if len(self._stack) + anchor.depth > MAX_DEPTH:
            self._stop(event, f"is nested more than {MAX_DEPTH} levels deep", "a script needs six levels at most")
        # The alias counts as often as it is used; its mark stays where the value was written.
        self._add(anchor.value, anchor.size, anchor.depth, None, mark)

    def _add(self, value: Value, size: int, depth: int, anchor: str | None, at: Mark | None = None) -> None:
        """Put a finished value into what is open around it."""
        if anchor:
            self._anchors[anchor] = _Anchor(value, size, depth)
        if not self._stack:
            self.root = value
            return
        parent = self._stack[-1]
        parent.size += size
        parent.depth = max(parent.depth, depth + 1)
        self._n_nodes += size if at else 1
        if self._n_nodes > MAX_NODES:
            self._problem(at or value.mark, f"holds more than {MAX_NODES} values", "anchors repeat too much here")
            raise ScriptError(self.problems)
        if isinstance(parent.value, Seq):
            parent.value.append(value)
        elif parent.key is None:
            parent.key = self._key(value, at)
        else:
            self._pair(parent, parent.key, value)
            parent.key = None

    def _key(self, value: Value, at: Mark | None) -> Text:
        if isinstance(value, Text):
            return Text(value, at or value.mark, quoted=value.quoted)
        mark = at or value.mark
        before = self._lines[mark.line - 1][: mark.column - 1]
        hint = '${...} must be in quotes here: "${name}"' if before.endswith("$") else "keys are names"
        self._problem(mark, "a list or mapping cannot be a key", hint)
        return Text("?", mark)

    def _pair(self, parent: _Open, key: Text, value: Value) -> None:
        assert isinstance(parent.value, Map)
        if key == "<<" and not key.quoted:
            parent.merges.append((value, key.mark))
        elif str(key) in parent.given:
            self._problem(key.mark, f"{show(key)} is given twice", f"first in line {parent.given[str(key)].line}")
        else:
            parent.given[str(key)] = key.mark
            parent.value.put(str(key), value, key.mark)

    def _merge(self, into: Map, merges: list[tuple[Value, Mark]]) -> None:
        """Apply `<<`: own keys win, then earlier mappings."""
        for value, mark in merges:
            for part in value if isinstance(value, Seq) else [value]:
                if not isinstance(part, Map):
                    self._problem(mark, "`<<` needs a mapping, or a list of mappings", "for example `<<: *base`")
                    continue
                for key, item in part.items():
                    if key not in into:
                        into.put(key, item, part.key_marks[key])


def _one_line(error: object) -> str:
    return " ".join(str(error).split())


def _explain(error: yaml.MarkedYAMLError, source: Source, text: str) -> Problem:
    """Return the problem a YAML error means, with a hint for the mistakes people make."""
    at = error.problem_mark or error.context_mark
    if at is None:
        return Problem(f"is not valid YAML: {_one_line(error)}", source.name)
    lines = text.splitlines()
    line = lines[at.line] if at.line < len(lines) else ""
    mark = Mark(source, at.line + 1, at.column + 1)
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    if "\t" in indent:
        mark = Mark(source, at.line + 1, indent.index("\t") + 1)
        return Problem("a tab indents this line", str(mark), hint="YAML is indented with spaces")
    problem = (error.problem or "syntax error").removeprefix("did not find ").replace("\t", "\\t")
    if problem.startswith("expected"):
        problem = f"{problem.removeprefix('expected ')} is missing" if error.problem != problem else problem
    return Problem(f"is not valid YAML: {problem}", str(mark), hint=_hint(error, line, at.column))


def _hint(error: yaml.MarkedYAMLError, line: str, column: int) -> str | None:
    problem = error.problem or ""
    if re.search(r"\$\{", line) and (line[:column].endswith("$") or "flow" in (error.context or "")):
        return 'inside { } and [ ], ${...} must be in quotes: {audio: "${takes}/01.wav"}'
    if "mapping values are not allowed" in problem:
        return 'a value that holds ": " must be in quotes; or the line above or this one is indented wrongly'
    if "cannot start any token" in problem:
        return f"a value that starts with {line[column : column + 1]} must be in quotes"
    if error.context_mark is not None and error.context:
        return f"{_one_line(error.context)} that starts in line {error.context_mark.line + 1}"
    return None
