"""Text on the terminal: nothing from outside moves the cursor, tables line up, colour only for people."""

import io

import pytest

from moee_cli.cli import console
from moee_cli.core.errors import Problem


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name.wav", "plain name.wav"),
        ("größe 映画.wav", "größe 映画.wav"),
        ("two\nlines", "two\\nlines"),
        ("tab\tbell\x07", "tab\\tbell\\x07"),
        ("red\x1b[31m", "red\\x1b[31m"),
        ("c1\x9b2J", "c1\\x9b2J"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("half \udc80", "half \\udc80"),
        ("line\u2028separator", "line\\u2028separator"),
    ],
)
def test_escape_leaves_one_harmless_line(text, shown):
    assert console.escape(text) == shown


def test_colour_needs_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    assert console.style("x", console.RED, stream=Terminal()) == "\x1b[31mx\x1b[0m"
    assert console.style("x", console.RED, stream=io.StringIO()) == "x"


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_can_be_refused(monkeypatch, variable, value):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    assert console.style("x", console.RED, stream=Terminal()) == "x"


def test_empty_no_color_refuses_nothing(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")
    assert console.style("x", console.RED, stream=Terminal()) != "x"


def test_problem_lines_are_the_documented_form():
    problem = Problem(
        '"hapiness" is not an emotion',
        where="scripts/demo.yaml:14:14",
        key="segments[2].emotion",
        hint='did you mean "happiness"?  `moee emotions` lists all names',
    )
    assert console.problem_lines(problem, stream=io.StringIO()) == [
        'error: scripts/demo.yaml:14:14: segments[2].emotion: "hapiness" is not an emotion',
        '  hint: did you mean "happiness"?  `moee emotions` lists all names',
    ]


@pytest.mark.parametrize(
    ("severities", "line"),
    [
        (["error"], "1 error"),
        (["error", "error", "warning"], "2 errors, 1 warning"),
        (["warning", "warning"], "2 warnings"),
        ([], "0 errors"),
    ],
)
def test_count_line(severities, line):
    assert console.count_line([Problem("x", severity=severity) for severity in severities]) == line


def test_table_columns_line_up_whatever_the_script():
    lines = console.table(("name", "n"), [("映画", "7"), ("abcdef", "12")], right=("n",)).splitlines()
    assert lines == ["name     n", "映画     7", "abcdef  12"]


def test_table_keeps_long_cells_whole():
    cell = "x" * 300
    assert cell in console.table(("a", "b"), [(cell, "1")])


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (61, "1:01"), (119.7, "2:00"), (3723, "1:02:03")]
)
def test_duration(seconds, text):
    assert console.duration(seconds) == text
