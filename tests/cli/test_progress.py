"""Progress on a terminal, in a log, and not at all."""

import io
import re
import sys

import pytest

from moee_cli.cli.progress import BarView, NoView, PlainView, ProgressMode, Reporter, make_view


class Clock:
    """Time that passes when told."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("mode", "terminal", "kind"),
    [
        (ProgressMode.AUTO, True, BarView),
        (ProgressMode.AUTO, False, PlainView),
        (ProgressMode.PLAIN, True, PlainView),
        (ProgressMode.NONE, True, NoView),
        (ProgressMode.NONE, False, NoView),
    ],
)
def test_the_view_fits_the_mode_and_the_terminal(monkeypatch, mode, terminal, kind):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal() if terminal else io.StringIO())
    view = make_view(mode)
    view.close()
    assert type(view) is kind


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert type(make_view(ProgressMode.AUTO)) is PlainView


def plain(capsys, steps, total, step_seconds):
    clock = Clock()
    with Reporter(PlainView(clock), None, clock) as report:
        report.start("draw", total)
        for _ in range(steps):
            clock.now += step_seconds
            report.advance()
    return capsys.readouterr().err.splitlines()


def test_plain_lines_come_every_few_seconds_and_estimate_the_rest(capsys):
    assert plain(capsys, 50, 50, 0.25) == [
        "draw: 20/50 frames, 40 %, 7.5 s left",
        "draw: 40/50 frames, 80 %, 2.5 s left",
        "draw: 50 frames in 12.5 s",
    ]


def test_a_short_stage_is_one_line(capsys):
    assert plain(capsys, 3, 3, 0.1) == ["draw: 3 frames in 0.3 s"]


def test_a_stage_of_unknown_length(capsys):
    assert plain(capsys, 0, None, 0) == ["draw: 0.0 s"]
    assert plain(capsys, 7, None, 1.0)[0] == "draw: 5 frames"


def test_no_progress_still_shows_warnings(capsys):
    with Reporter(NoView(), None) as report:
        report.start("draw", 2)
        report.advance(2)
        report.warn("small\nface")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "warning: small\\nface\n")


def test_a_stage_that_failed_is_not_called_finished(capsys):
    def fail():
        with Reporter(PlainView(), None) as report:
            report.start("draw", 2)
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert capsys.readouterr().err == ""


def test_the_bar_shows_stage_count_and_warnings_and_leaves_the_terminal_tidy(monkeypatch):
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stderr", terminal)
    with Reporter(make_view(ProgressMode.AUTO), None) as report:
        report.start("draw", 40)
        report.advance(40)
        report.warn("a [bold]name[/] that is no markup")
        report.start("stitch")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    assert "40/40 frames" in shown
    assert "a [bold]name[/] that is no markup" in shown
    assert "stitch" in shown
    assert shown.rstrip("\n").endswith("\x1b[?25h"), "the cursor is back"
