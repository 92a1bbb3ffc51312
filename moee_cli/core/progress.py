"""How long work tells what it is doing, without knowing whether anyone draws a bar, writes events, or listens."""

from __future__ import annotations

from typing import Any, Protocol


class Progress(Protocol):
    """Receives stages, steps and remarks. Implementations must be cheap: `advance` is called once per frame."""

    def start(self, stage: str, total: int | None = None, unit: str = "frames") -> None:
        """Begin a stage (`listen`, `look`, `draw`, `stitch`) of `total` units, or of unknown length."""

    def advance(self, n: int = 1) -> None:
        """Count `n` more units of the current stage."""

    def warn(self, message: str) -> None:
        """Say something the user should know; the work goes on."""

    def event(self, name: str, **fields: Any) -> None:
        """Report a fact for machines (`--events`): a piece done, a file written."""


class Silent:
    """Progress nobody listens to."""

    def start(self, stage: str, total: int | None = None, unit: str = "frames") -> None:
        """Ignore."""

    def advance(self, n: int = 1) -> None:
        """Ignore."""

    def warn(self, message: str) -> None:
        """Ignore."""

    def event(self, name: str, **fields: Any) -> None:
        """Ignore."""
