"""Signals become exceptions, so that every `finally` and `with` on the way out runs: no temporary file stays behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class Terminated(BaseException):
    """A signal asked the program to end; like KeyboardInterrupt it is no error of any one step."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum

    @property
    def exit_code(self) -> int:
        """128 + signal number, as a shell reports it: 143 for SIGTERM."""
        return 128 + self.signum


def _signals() -> list[signal.Signals]:
    # SIGHUP (the terminal was closed) does not exist on Windows.
    return [signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__]


def _raise_terminated(signum: int, _frame: FrameType | None) -> NoReturn:
    # A second signal while cleaning up ends the program at once: whoever sends it does not want to wait.
    signal.signal(signum, signal.SIG_DFL)
    raise Terminated(signum)


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold back signals until the block ends: an exception in the middle of an import may be swallowed by it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, *_signals()])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def signals_as_exceptions() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Terminated` in the main thread; a signal that is ignored (nohup) stays so."""
    before = {}
    for number in _signals():
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, _raise_terminated)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
