"""`--events FILE|fd:N`: what happens, as one JSON object per line, for programs that drive moee.

The format is a contract: `EVENTS` is its only description, docs/events.md is made from it, and tests hold real runs
against it. Within format 1 events and fields may be added, never changed or removed.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TextIO

from moee_cli.cli import console
from moee_cli.core.errors import UsageError, from_os_error

FORMAT = 1
"""Value of `v` in every event."""

ENVELOPE: Mapping[str, str] = MappingProxyType(
    {
        "v": "integer: format of the events, 1",
        "event": "string: name of the event",
        "t": "number: seconds since the command began",
    }
)
"""Fields of every event."""

EVENTS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        "begin": (
            "The command starts; always the first event.",
            {
                "command": "string: `render` or `batch`",
                "version": "string: version of moee",
                "script": "string: the script as it was named (render)",
                "scripts": "array of strings: all scripts (batch)",
            },
        ),
        "stage": (
            "A stage of the work starts; it ends where the next one starts.",
            {
                "stage": "string: name of the stage",
                "total": "integer or null: units of work, null if unknown",
                "unit": "string: what is counted",
                "item": "string: the script (batch)",
            },
        ),
        "progress": (
            "Work done in the current stage; at most four a second, and one when the stage ends.",
            {
                "stage": "string: name of the stage",
                "done": "integer: units done so far",
                "total": "integer or null: as in `stage`",
                "item": "string: the script (batch)",
            },
        ),
        "warning": (
            "Something the user should know; the work goes on.",
            {"message": "string: one sentence", "item": "string: the script (batch)"},
        ),
        "piece": (
            "The frames of a piece are encoded; one for each output of the script.",
            {
                "output": "string: the video it is for",
                "segment": "string: id of the segment",
                "start": "integer: first frame, counted from the segment's start",
                "n_frames": "integer: frames of the piece",
                "item": "string: the script (batch)",
            },
        ),
        "done": (
            "A video stands under its final name; one for each output of the script.",
            {
                "output": "string: the video, `-` for standard output",
                "motion": "array of strings: files of its face motion (`write`)",
                "n_frames": "integer: frames of the video",
                "elapsed": "number: seconds the render took",
                "item": "string: the script (batch)",
            },
        ),
        "item": (
            "One script of a batch is finished.",
            {
                "item": "string: the script",
                "result": "string: `done`, `failed` or `not run`",
                "output": "string or null: the video, or the first of several",
                "outputs": "array of strings: all videos",
                "seconds": "number or null: length of the video",
                "elapsed": "number: seconds it took",
                "exit_code": "integer or null: what `moee render` would have returned",
                "error": "string or null: what went wrong",
                "hint": "string or null: what to do about it",
            },
        ),
        "end": (
            "The command ends; always the last event, unless the process is killed outright.",
            {
                "exit_code": "integer: see the table of exit codes",
                "error": "string or null: what went wrong",
                "hint": "string or null: what to do about it",
            },
        ),
    }
)
"""Name of the event: when it is written, and its fields beside the envelope."""


class EventSink(Protocol):
    """Takes events."""

    def write(self, name: str, **fields: Any) -> None:
        """Take one event."""

    def close(self) -> None:
        """End the events."""


class EventWriter:
    """Writes events to a file or an open file descriptor, each flushed as it happens.

    A reader that goes away, or a full disk, ends the events and not the work.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream: TextIO | None = stream
        self._clock = clock
        self._began = clock()

    def write(self, name: str, **fields: Any) -> None:
        """Write one event; values JSON does not know are written as text."""
        if self._stream is None:
            return
        record = {"v": FORMAT, "event": name, "t": round(self._clock() - self._began, 3), **fields}
        try:
            self._stream.write(json.dumps(record, default=str) + "\n")
            self._stream.flush()
        except OSError as error:
            self._stream = None
            console.warn(f"--events: no more events are written: {error.strerror}")

    def close(self) -> None:
        """Close the file; a descriptor that was passed in stays open."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def open_events(target: str) -> EventWriter:
    """Return a writer for `FILE` or `fd:N`.

    Raises:
        UsageError: it is neither, or `fd:N` names no descriptor that is open for writing.
        OutputError: the file cannot be opened.
    """
    descriptor = re.fullmatch(r"fd:(\d{1,6})", target)
    if target in ("", "-") or (target.startswith("fd:") and descriptor is None):
        raise UsageError(f'--events: "{target}" is neither a file nor fd:N', "standard output is fd:1")
    try:
        if descriptor:
            return EventWriter(os.fdopen(int(descriptor[1]), "w", encoding="utf-8", closefd=False))
        return EventWriter(Path(target).open("w", encoding="utf-8"))
    except OSError as error:
        if target.startswith("fd:"):
            hint = "open it in the calling program, as in `moee render a.yaml --events fd:3 3>events.ndjson`"
            raise UsageError(f"--events: {target} is not open for writing", hint) from None
        raise from_os_error(error, f"--events: cannot open {target}") from None
