"""The errors a user can meet, each with its exit code.

Code that knows the reason raises one of these; nobody in between prints, logs or wraps it again;
`cli.app` shows it once (a batch collects it per file). A message says where and what, the hint what to do.

    MoeeError                   70  (only the subclasses are raised)
    ├── UsageError               2  the command line is off
    ├── InputError               3  a script, an input file or an output path cannot be used
    │   ├── ScriptError          3  carries all problems of a script at once
    │   ├── AudioError           3
    │   ├── PortraitError        3
    │   ├── MotionFileError      3
    │   └── OutputError          3
    ├── Unavailable              4  a dependency, model, feature or piece of hardware is missing
    │   ├── EngineUnavailable    4
    │   └── NotInRelease         4  the script asks for features to come: carries all of them
    ├── OutOfMemory              5
    └── EnvironmentFailed        6  the surroundings failed while running (no space, ffmpeg died)

Every class survives pickling, so that a worker process can hand its error to the parent.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass

EXIT_SOME_FAILED = 1
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
EXIT_TERMINATED = 143


class MoeeError(Exception):
    """An expected failure: a message (where, what) and, where there is one, a hint (what to do)."""

    exit_code = EXIT_BUG

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(MoeeError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class InputError(MoeeError):
    """A script, an input file or an output path cannot be used."""

    exit_code = 3


@dataclass(frozen=True)
class Problem:
    """One fault of a script, as an editor or a person wants to see it."""

    message: str
    """What is wrong, with the offending value."""
    where: str = ""
    """`file:line:column`, or the option as it was typed (`--set seed=x`); empty when the fault has no place."""
    key: str = ""
    """Path of the key, such as `segments[2].emotion`."""
    hint: str | None = None
    severity: str = "error"
    """`error` or `warning`."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


class ProblemsError(MoeeError):
    """Several faults of one script at once, in `problems`. Only its subclasses are raised."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ProblemsError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class ScriptError(ProblemsError, InputError):
    """A script cannot be used; `problems` holds everything found in it."""

    exit_code = InputError.exit_code


class AudioError(InputError):
    """An audio file cannot be used."""


class PortraitError(InputError):
    """A portrait cannot be used."""


class MotionFileError(InputError):
    """A file of face motion cannot be used."""


class OutputError(InputError):
    """The output cannot be written where it is asked for."""


class Unavailable(MoeeError):
    """A dependency, a model, a feature or a piece of hardware is missing."""

    exit_code = 4


class EngineUnavailable(Unavailable):
    """An engine cannot run here: weights or hardware are missing."""


class NotInRelease(ProblemsError, Unavailable):
    """A script asks for what the format has and this release does not do yet; `problems` holds all of it."""

    exit_code = Unavailable.exit_code


class OutOfMemory(MoeeError):
    """The memory of the machine or of the device is used up."""

    exit_code = 5


class EnvironmentFailed(MoeeError):
    """The surroundings failed while running: no space left, ffmpeg died."""

    exit_code = 6


_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def from_os_error(error: OSError, doing: str) -> MoeeError:
    """Return the `MoeeError` that says what an `OSError` means to the user; `doing` names the action and the path."""
    reason = error.strerror or str(error)
    if error.errno in _NO_SPACE:
        return EnvironmentFailed(f"{doing}: {reason}", "free some space and run the same command again")
    return OutputError(f"{doing}: {reason}", "check the path and its permissions, or choose another")
