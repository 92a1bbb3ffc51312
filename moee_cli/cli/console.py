"""All text that reaches a terminal: data to stdout, talk to stderr, colour only where someone looks.

Nothing else in the package prints. Names of files come from outside and may hold anything, so everything that is
shown goes through `escape` first.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TextIO

from moee_cli.core.errors import MoeeError, Problem, ProblemsError

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"
"""SGR codes (ECMA-48) that `style` takes."""

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Cc control characters, Cf invisible ones (bidirectional overrides can reorder a message), Cs half surrogates that a
# file name which is not UTF-8 leaves behind, Zl/Zp line separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def escape(text: str) -> str:
    """Return `text` on one line: characters that move the cursor or hide themselves become backslash escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape_character(character) for character in text)


def _escape_character(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a person watches `stream`, on a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def style(text: str, *codes: str, stream: TextIO) -> str:
    """Return `text` in colour if `stream` is a terminal and NO_COLOR (no-color.org) is unset or empty."""
    if not codes or os.environ.get("NO_COLOR") or not is_terminal(stream):
        return text
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m"


def data(text: str) -> None:
    """Write a line of result to stdout."""
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """Write a line of talk to stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def warning_line(message: str) -> str:
    """Return the line that shows a warning on stderr."""
    return f"{style('warning:', BOLD, YELLOW, stream=sys.stderr)} {escape(message)}"


def warn(message: str) -> None:
    """Show a warning."""
    say(warning_line(message))


def problem_lines(problem: Problem, *, stream: TextIO) -> list[str]:
    """Return the lines that show one problem: where, key and message; then the hint, indented."""
    colour = YELLOW if problem.severity == "warning" else RED
    label = style(f"{problem.severity}:", BOLD, colour, stream=stream)
    lines = [f"{label} {escape(str(problem))}"]
    if problem.hint:
        lines.append(f"  {style('hint:', DIM, stream=stream)} {escape(problem.hint)}")
    return lines


def show_error(error: MoeeError) -> None:
    """Show an expected failure on stderr: message and hint, or every problem of a script and their number."""
    problems = error.problems if isinstance(error, ProblemsError) else (Problem(error.message, hint=error.hint),)
    for problem in problems:
        for line in problem_lines(problem, stream=sys.stderr):
            say(line)
    if isinstance(error, ProblemsError):
        say(count_line(problems))


def count_line(problems: Sequence[Problem]) -> str:
    """Return how many errors and warnings `problems` holds: `2 errors, 1 warning`."""
    n_warnings = sum(problem.severity == "warning" for problem in problems)
    n_errors = len(problems) - n_warnings
    parts = [plural(n_errors, "error")] if n_errors or not n_warnings else []
    return ", ".join(parts + ([plural(n_warnings, "warning")] if n_warnings else []))


def plural(n: int, noun: str) -> str:
    """Return a count with its noun: `1 error`, `3 errors`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def duration(seconds: float) -> str:
    """Return a length of time for people: `4.2 s`, `3:07`, `1:02:03`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _width(text: str) -> int:
    """Return the terminal columns `text` takes: two for East Asian wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in {"W", "F"})
        for character in text
    )


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Return an aligned text table, two spaces between columns, never wrapped or cut, so that it can be piped.

    Columns named in `right` are set flush right.
    """
    lines = [[escape(cell) for cell in row] for row in (headers, *rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(headers))]
    aligned = []
    for number, line in enumerate(lines):
        cells = [_pad(cell, width, header in right) for cell, width, header in zip(line, widths, headers, strict=True)]
        text = "  ".join(cells).rstrip()
        aligned.append(style(text, BOLD, stream=sys.stdout) if number == 0 else text)
    return "\n".join(aligned)


def _pad(cell: str, width: int, flush_right: bool) -> str:  # noqa: FBT001 - one call, three lines above
    gap = " " * (width - _width(cell))
    return gap + cell if flush_right else cell + gap
