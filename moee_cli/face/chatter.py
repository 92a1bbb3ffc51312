"""Keeps the start-up chatter of mediapipe's C++ parts off stderr without losing anything else that is written there."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_CHATTER = re.compile(
    rb"[IW]\d{4} \d\d:\d\d:\d\d|[IW]0000 00:00:"  # glog and absl lines below error level
    rb"|WARNING: (All log messages before absl::InitializeLog|Logging before InitGoogle)"
    rb"|INFO: Created TensorFlow Lite"
)
_STDERR_FD = 2
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def without_chatter() -> Iterator[None]:
    """Run the body with file descriptor 2 set aside; afterwards pass on every line that is not chatter.

    What other threads write meanwhile arrives late but complete. A closed stderr or a full disk means no silence,
    never a failure. The library offers no switch: absl's level cannot be set from Python (mediapipe 0.10.21).
    """
    with _ONE_AT_A_TIME:
        try:
            saved = os.dup(_STDERR_FD)
        except OSError:
            yield
            return
        try:
            caught = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - entered below, its failure is handled here
        except OSError:
            os.close(saved)
            yield
            return
        with caught:
            _flush()
            os.dup2(caught.fileno(), _STDERR_FD)
            try:
                yield
            finally:
                _flush()
                os.dup2(saved, _STDERR_FD)
                os.close(saved)
                caught.seek(0)
                _pass_on(caught.read())


def _flush() -> None:
    with suppress(AttributeError, OSError, ValueError):  # no stderr, a closed one
        sys.stderr.flush()


def _pass_on(caught: bytes) -> None:
    rest = b"".join(line for line in caught.splitlines(keepends=True) if not _CHATTER.match(line))
    with suppress(OSError):
        while rest:
            rest = rest[os.write(_STDERR_FD, rest) :]
