"""Collects every problem of a script before anything is said."""

from __future__ import annotations

from collections.abc import Iterable

from moee_cli.core.errors import Problem
from moee_cli.script.positions import KeyPath, Map, Mark, mark_of, spell_path

MAX_PROBLEMS = 1000
"""Errors that are told of one by one."""


class Report:
    """Problems found so far, placed by their key path in the merged script."""

    def __init__(self, root: Map) -> None:
        self.root = root
        self._errors: list[tuple[Mark, Problem]] = []
        self.n_found = 0
        """Errors found, those beyond `MAX_PROBLEMS` included, of which nothing else is kept."""
        self._said: set[tuple[KeyPath, str]] = set()
        self.warnings: list[Problem] = []
        self.broken: set[KeyPath] = set()
        self.kept_entries: dict[KeyPath, list[int]] = {}
        """By list: which entries are left, where faulty ones were taken out."""
        self._around_broken: set[KeyPath] = set()

    def where(self, path: KeyPath, *, of_key: bool = False) -> str:
        """Return `file:line:column` of a value, or of its key."""
        return str(mark_of(self.root, path, of_key=of_key))

    def error(self, path: KeyPath, message: str, hint: str | None = None, *, of_key: bool = False) -> None:
        """Add an error, once, unless something there is known to be broken and this may follow from it."""
        if (path, message) in self._said or self.is_broken(path):
            return
        self._said.add((path, message))
        self.n_found += 1
        if not self.is_full:
            mark = mark_of(self.root, path, of_key=of_key)
            self._errors.append((mark, Problem(message, str(mark), spell_path(path), hint)))

    def add(self, path: KeyPath, problems: Iterable[Problem]) -> None:
        """Add errors that others found and placed, among those at `path`."""
        mark = mark_of(self.root, path)
        found = [(mark, problem) for problem in problems]
        self.n_found += len(found)
        self._errors += found[: MAX_PROBLEMS - len(self._errors)]

    @property
    def n_errors(self) -> int:
        """Errors so far."""
        return len(self._errors)

    @property
    def is_full(self) -> bool:
        """Say whether so much is wrong that more is only counted."""
        return len(self._errors) >= MAX_PROBLEMS

    def warn(self, path: KeyPath, message: str, hint: str | None = None, *, of_key: bool = False) -> None:
        """Add a warning."""
        where = self.where(path, of_key=of_key)
        self.warnings.append(Problem(message, where, spell_path(path), hint, severity="warning"))

    def note(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem at a path without adding it."""
        return Problem(message, self.where(path), spell_path(path), hint)

    def mark_broken(self, paths: Iterable[KeyPath]) -> None:
        """Say that values could not be read, so that what follows from it stays unsaid."""
        for path in paths:
            self.broken.add(path)
            self._around_broken.update(path[:depth] for depth in range(len(path)))

    def original_index(self, path: KeyPath, index: int) -> int:
        """Return the place in the file of entry `index` of the list at `path`."""
        return self.kept_entries[path][index] if path in self.kept_entries else index

    def is_broken(self, path: KeyPath) -> bool:
        """Say whether the value at `path`, or one above or below it, could not be read."""
        return path in self._around_broken or any(path[:depth] in self.broken for depth in range(len(path) + 1))

    def errors(self) -> list[Problem]:
        """Return what was found, each once, the script first, then other files, in the order of the lines."""
        names = [self.root.mark.source.name, *(mark.source.name for mark, _ in self._errors)]
        files = {name: index for index, name in enumerate(dict.fromkeys(names))}
        ordered = sorted(self._errors, key=lambda found: (files[found[0].source.name], *found[0][1:]))
        problems = list(dict.fromkeys(problem for _, problem in ordered))
        if self.n_found > len(self._errors):
            told = f"these are the first {len(problems)} of {self.n_found} errors"
            problems.append(Problem(told, self.root.mark.source.name, severity="warning"))
        return problems
