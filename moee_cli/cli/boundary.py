"""The one place where an exception becomes a message and an exit code.

Expected failures (`MoeeError`) are shown as they are. What nobody expected is a bug: its traceback goes to a log file
and the user gets one line with the path of it.
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

import typer

from moee_cli import __version__
from moee_cli.cli import console
from moee_cli.cli.signals import Terminated
from moee_cli.core.errors import (
    EXIT_BROKEN_PIPE,
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_SOME_FAILED,
    MoeeError,
    OutOfMemory,
    UsageError,
    from_os_error,
)
from moee_cli.store.paths import log_folder

_SURROUNDINGS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EROFS})
"""OS errors that no code provokes: wherever they strike, the machine is to blame and not the program."""


class _ParserError(Protocol):
    """What typer raises for a wrong command line."""

    ctx: typer.Context | None

    def format_message(self) -> str: ...


# typer before 0.27 raised click's class and now raises its own copy of it; the root that can format itself is either.
_PARSER_ERROR: type[Exception] = [kind for kind in typer.BadParameter.__mro__ if hasattr(kind, "format_message")][-1]


@dataclass(frozen=True)
class Failure:
    """How an action ended that did not end well. Survives pickling."""

    exit_code: int
    error: MoeeError | None = None
    """What to show; None for a closed pipe, which has no reader left, and for exits that said everything."""
    interrupted: bool = False
    """A signal ended it, no fault of the action itself."""

    @property
    def message(self) -> str:
        """One line for a table or an event."""
        return str(self.error) if self.error else f"ended with exit code {self.exit_code}"

    @property
    def hint(self) -> str | None:
        """What to do about it."""
        return self.error.hint if self.error else None


def guarded(action: Callable[[], object]) -> Failure | None:
    """Run `action`; return None if it went well, else what went wrong. Never raises. A bug leaves a log file."""
    try:
        action()
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001 - the error boundary
        failure = failure_of(error)
        is_bug = failure is not None and failure.exit_code == EXIT_BUG
        return Failure(EXIT_BUG, MoeeError(_bug_summary(error), _log_bug(error))) if is_bug else failure
    return None


def failure_of(error: BaseException) -> Failure | None:
    """Return what an exception means to the user; None if it is an exit with code 0."""
    if isinstance(error, typer.Exit | SystemExit):
        code = error.exit_code if isinstance(error, typer.Exit) else error.code
        return Failure(code if isinstance(code, int) else EXIT_SOME_FAILED) if code else None
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return Failure(EXIT_INTERRUPTED, MoeeError("interrupted"), interrupted=True)
    if isinstance(error, Terminated):
        return Failure(error.exit_code, MoeeError("terminated"), interrupted=True)
    if isinstance(error, BrokenPipeError):
        return Failure(EXIT_BROKEN_PIPE)
    expected = _expected(error)
    if expected is None:
        return Failure(EXIT_BUG, MoeeError(_bug_summary(error)))
    return Failure(expected.exit_code, expected)


def _expected(error: BaseException) -> MoeeError | None:
    """Return the expected failure behind `error`, or None if it is a bug."""
    if isinstance(error, MoeeError):
        return error
    if isinstance(error, _PARSER_ERROR):
        return _usage_error(cast("_ParserError", error))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, torch not being loaded
        advice = "close other programs, render a smaller frame (`--set frame.size=384x384`) or use fewer jobs"
        return OutOfMemory("out of memory", advice)
    if isinstance(error, OSError) and error.errno in _SURROUNDINGS:
        return from_os_error(error, f"cannot write {error.filename}" if error.filename else "cannot write")
    return None


def _usage_error(error: _ParserError) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "moee"
    return UsageError(error.format_message().strip(), f"`{command} --help` shows what it takes")


def _bug_summary(error: BaseException) -> str:
    return f"bug in moee: {type(error).__name__}: {error}"


def _log_bug(error: BaseException) -> str:
    """Save the traceback of a bug; return the hint that says where."""
    import tempfile

    text = "".join(traceback.format_exception(error))
    for folder in (log_folder, lambda: Path(tempfile.gettempdir())):
        try:
            log = _write_log(folder(), text)
        except (OSError, RuntimeError):  # RuntimeError: no home folder can be found
            continue
        return f"this is our fault, not yours; please report it with the log {log}"
    return f"this is our fault, not yours; please report it: {text}"


def _write_log(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"crash-{now:%Y%m%d-%H%M%S}-{os.getpid()}.log"
    lines = [
        f"moee {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"time: {now.isoformat(timespec='seconds')}",
        f"command: {[console.escape(argument) for argument in sys.argv]}",
        "",
        text,
    ]
    path.write_text("\n".join(lines), encoding="utf-8", errors="backslashreplace")
    return path
