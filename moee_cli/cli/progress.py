"""Shows progress: a bar with the time left on a terminal, plain lines elsewhere, or nothing; and tells `--events`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from moee_cli import __version__
from moee_cli.cli import console
from moee_cli.cli.boundary import failure_of
from moee_cli.cli.events import EventSink, open_events

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

SHOW_EVERY = 0.1
"""Seconds between two updates of the bar."""
TELL_EVERY = 0.25
"""Seconds between two `progress` events."""
LINE_EVERY = 5.0
"""Seconds between two plain lines of one stage."""


class ProgressMode(StrEnum):
    """How progress is shown."""

    AUTO = "auto"
    PLAIN = "plain"
    NONE = "none"


class View(Protocol):
    """What a reporter shows progress on."""

    def start(self, stage: str, total: int | None, unit: str) -> None:
        """Begin a stage."""

    def show(self, done: int) -> None:
        """Show the units done."""

    def finish(self, done: int) -> None:
        """End the stage."""

    def say(self, line: str) -> None:
        """Show a line of talk without disturbing the rest."""

    def close(self) -> None:
        """Leave the terminal tidy."""


class NoView:
    """Shows no progress; lines of talk still appear."""

    def start(self, stage: str, total: int | None, unit: str) -> None:
        """Show nothing."""

    def show(self, done: int) -> None:
        """Show nothing."""

    def finish(self, done: int) -> None:
        """Show nothing."""

    def say(self, line: str) -> None:
        """Write the line."""
        console.say(line)

    def close(self) -> None:
        """Nothing to tidy."""


class PlainView(NoView):
    """One line per update, for logs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stage, self._unit = "", ""
        self._total: int | None = None
        self._began = self._last = 0.0

    def start(self, stage: str, total: int | None, unit: str) -> None:
        """Remember the stage; it shows when it lasts, or when it ends."""
        self._stage, self._total, self._unit = stage, total, unit
        self._began = self._last = self._clock()

    def show(self, done: int) -> None:
        """Write a line if the last one is old enough."""
        now = self._clock()
        if now - self._last < LINE_EVERY:
            return
        self._last = now
        if not self._total or not done:
            console.say(f"{self._stage}: {console.plural(done, self._unit.removesuffix('s'))}")
            return
        left = (now - self._began) / done * max(0, self._total - done)
        share = 100 * done // self._total
        console.say(f"{self._stage}: {done}/{self._total} {self._unit}, {share} %, {console.duration(left)} left")

    def finish(self, done: int) -> None:
        """Write what the stage did and how long it took."""
        count = f" {console.plural(done, self._unit.removesuffix('s'))} in" if done else ""
        console.say(f"{self._stage}:{count} {console.duration(self._clock() - self._began)}")


class BarView:
    """A bar per stage on a terminal."""

    def __init__(self) -> None:
        from rich import progress as bars
        from rich.console import Console

        self._bars: RichProgress = bars.Progress(
            bars.TextColumn("{task.description:<8}"),
            bars.BarColumn(),
            bars.TextColumn("{task.fields[count]}"),
            bars.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=Console(file=sys.stderr),
            redirect_stdout=False,  # results are not talk
        )
        self._task: TaskID | None = None
        self._total: int | None = None
        self._unit = ""

    def start(self, stage: str, total: int | None, unit: str) -> None:
        """Add a bar below those of the finished stages."""
        self._bars.start()  # not earlier: it hides the cursor, and only `close` brings it back
        self._total, self._unit = total, unit
        self._task = self._bars.add_task(stage, total=total, count=self._count(0))

    def show(self, done: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bars.update(self._task, completed=done, count=self._count(done))

    def finish(self, done: int) -> None:
        """Fill the bar, also of a stage whose length was unknown."""
        if self._task is not None:
            full = max(1, done)
            self._bars.update(self._task, completed=full, total=full, count=self._count(done))

    def _count(self, done: int) -> str:
        if self._total is not None:
            return f"{done}/{self._total} {self._unit}"
        return f"{done} {self._unit}" if done else ""

    def say(self, line: str) -> None:
        """Write the line above the bars."""
        from rich.text import Text

        self._bars.console.print(Text.from_ansi(line), soft_wrap=True)

    def close(self) -> None:
        """Stop drawing and give the cursor back."""
        self._bars.stop()


def make_view(mode: ProgressMode) -> View:
    """Return the view a mode asks for on this stderr."""
    if mode is ProgressMode.NONE:
        return NoView()
    if mode is ProgressMode.AUTO and console.is_terminal(sys.stderr):
        return BarView()
    return PlainView()


class Reporter:
    """The `core.progress.Progress` of the command line; also a context manager, which writes `begin` and `end`."""

    def __init__(self, view: View, events: EventSink | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._view = view
        self._events = events
        self._clock = clock
        self._stage: str | None = None
        self._total: int | None = None
        self._done = 0
        self._told_done = -1
        self.exit_code = 0
        """What `end` tells if no exception ends the command."""
        self._shown = self._told = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave_stage(complete=error is None)
        self._view.close()
        failure = failure_of(error) if error else None
        self.event(
            "end",
            exit_code=failure.exit_code if failure else self.exit_code,
            error=failure.message if failure else None,
            hint=failure.hint if failure else None,
        )
        if self._events:
            self._events.close()

    def start(self, stage: str, total: int | None = None, unit: str = "frames") -> None:
        """Begin a stage."""
        self.finish()
        self._stage, self._total, self._done, self._told_done = stage, total, 0, -1
        self._shown = self._told = self._clock()
        self._view.start(stage, total, unit)
        self.event("stage", stage=stage, total=total, unit=unit)

    def advance(self, n: int = 1) -> None:
        """Count units; shows and tells them only now and then, since this is called once per frame."""
        self._done += n
        now = self._clock()
        if now - self._shown >= SHOW_EVERY:
            self._shown = now
            self._view.show(self._done)
        if now - self._told >= TELL_EVERY:
            self._told = now
            self._tell()

    def warn(self, message: str) -> None:
        """Show a warning and tell it."""
        self.show_warning(message)
        self.event("warning", message=message)

    def show_warning(self, message: str) -> None:
        """Show a warning."""
        self._view.say(console.warning_line(message))

    def say(self, line: str) -> None:
        """Show a line of talk."""
        self._view.say(line)

    def event(self, name: str, **fields: Any) -> None:
        """Pass a fact on to `--events`."""
        if self._events:
            self._events.write(name, **fields)

    def _tell(self) -> None:
        if self._told_done == self._done:
            return
        self._told_done = self._done
        self.event("progress", stage=self._stage, done=self._done, total=self._total)

    def finish(self) -> None:
        """End the current stage, if there is one."""
        self._leave_stage(complete=True)

    def _leave_stage(self, *, complete: bool) -> None:
        if self._stage is None:
            return
        self._tell()
        if complete:
            self._view.finish(self._done)
        self._stage = None


def reporting(command: str, mode: ProgressMode, events: str | None, **facts: Any) -> Reporter:
    """Return the reporter of a command, its `begin` event written.

    Raises:
        UsageError, OutputError: `--events` names something that cannot be written.
    """
    writer = open_events(events) if events else None
    reporter = Reporter(make_view(mode), writer)
    reporter.event("begin", command=command, version=__version__, **facts)
    return reporter
