"""`${name}` in values: the script's own `vars`, `${stem}`, `${id}`, `${env:NAME}`; `$${` is a literal `${`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping

from moee_cli.core.suggest import did_you_mean
from moee_cli.script.positions import KeyPath, Map, Seq, Text, Value, shorten, show
from moee_cli.script.report import Report

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")
_NAME = re.compile(r"[^\W\d]\w*(?:[.-]\w+)*")
MAX_LENGTH = 100_000
"""Longest text a variable may grow to, in characters: variables that repeat variables could double without end."""

MAX_CHAIN = 32
"""Variables that refer to variables, one after the other."""


class UnknownVariable(Exception):
    """A `${...}` cannot be replaced."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class LaterVariable(Exception):
    """A `${...}` is a column of `matrix` or `rows`, known when the script is expanded."""


class Variables:
    """What `${...}` may refer to."""

    def __init__(self, given: Mapping[str, object], stem: str, columns: Collection[str] | None = ()) -> None:
        """Take the script's `vars`, its stem, and the names that `matrix` and `rows` fill in later (None: any)."""
        self._given = given
        self._fixed = {"stem": stem}
        self._columns = columns
        self._known: dict[str, str] = {}
        self._underway: list[str] = []

    def with_id(self, segment_id: str | None) -> Variables:
        """Return the variables of one segment."""
        other = Variables(self._given, self._fixed["stem"], self._columns)
        other._known = self._known
        if segment_id is not None:
            other._fixed = {**self._fixed, "id": segment_id}
        return other

    def replace(self, text: str) -> str:
        """Return `text` with every reference replaced.

        Raises:
            UnknownVariable: a name is unknown, refers to itself, or a brace is not closed.
            LaterVariable: a name is a column.
        """

        def value(found: re.Match[str]) -> str:
            if found.group() == "$${":
                return "${"
            if found["name"] is None:
                raise UnknownVariable(
                    f"{show(text)}: `${{` is not closed", "close it with }, or write $${ for a literal ${"
                )
            return self._value(found["name"].strip())

        result = _REFERENCE.sub(value, text)
        if len(result) > MAX_LENGTH:
            raise UnknownVariable(f"grows beyond {MAX_LENGTH} characters", "do variables repeat each other?")
        return result

    def _value(self, name: str) -> str:
        if name.startswith("env:"):
            return _environment(name.removeprefix("env:").strip())
        if name in self._fixed:
            return self._fixed[name]
        if name not in self._given:
            if self._columns is None or name in self._columns:
                raise LaterVariable
            raise self._unknown(name)
        if name in self._known:
            return self._known[name]
        if name in self._underway:
            circle = " → ".join([*self._underway[self._underway.index(name) :], name])
            raise UnknownVariable(f"${{{name}}} refers to itself: {circle}", "break the circle in `vars`")
        if len(self._underway) >= MAX_CHAIN:
            raise UnknownVariable(f"${{{name}}} refers to other variables over more than {MAX_CHAIN} steps")
        given = self._given[name]
        if not isinstance(given, str):
            raise UnknownVariable(f"${{{name}}} is not a text", "a variable holds one text")
        self._underway.append(name)
        try:
            self._known[name] = self.replace(given)
        finally:
            self._underway.pop()
        return self._known[name]

    def _unknown(self, name: str) -> UnknownVariable:
        if not _NAME.fullmatch(name):
            return UnknownVariable(f"{show(name)} cannot be the name of a variable", "write $${ for a literal ${")
        known = [*self._given, *self._fixed]
        hint = f"{did_you_mean(name, known)}define it under `vars`"
        if name == "id":
            hint = "`${id}` is known inside a segment that has an `id`"
        elif name.upper() == name and name in os.environ:
            hint = f"write ${{env:{name}}} for the environment variable"
        return UnknownVariable(f"no variable is called ${{{shorten(name)}}}", hint)


def _environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise UnknownVariable(
            f"the environment variable {show(name)} is not set", "set it, or use a variable of `vars`"
        )
    return value


def substitute(
    value: Value, path: KeyPath, variables: Variables, report: Report, skip: Callable[[KeyPath], bool] = lambda _: False
) -> Value:
    """Return a value with the references in all its texts replaced; values without any are returned as they are."""
    if skip(path):
        return value
    if isinstance(value, Text):
        if "${" not in value:
            return value
        try:
            return Text(variables.replace(value), value.mark, quoted=True)
        except UnknownVariable as error:
            report.error(path, error.message, error.hint)
            report.mark_broken([path])
            return value
        except LaterVariable:
            report.mark_broken([path])
            return value
    if isinstance(value, Map):
        mapping = Map(value.mark)
        for key, item in value.items():
            mapping.put(key, substitute(item, (*path, key), variables, report, skip), value.key_marks[key])
        return mapping
    items = Seq(value.mark)
    items.extend(substitute(item, (*path, index), variables, report, skip) for index, item in enumerate(value))
    return items
