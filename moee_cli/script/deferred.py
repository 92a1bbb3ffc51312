"""What the script format knows and this release cannot do yet, one clear sentence each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from moee_cli.core.errors import Problem
from moee_cli.core.types import BackgroundKind, Fit, FrameFormat
from moee_cli.script.positions import KeyPath
from moee_cli.script.report import Report
from moee_cli.script.schema import DEFAULT_ENGINE, Line, ScriptEntry


def find_deferred(
    entry: ScriptEntry,
    frame: FrameFormat,
    report: Report,
    *,
    lines: Sequence[Line],
    from_words: Iterable[KeyPath],
    later_engines: Collection[str],
) -> tuple[Problem, ...]:
    """Return what the format knows and this release cannot do yet; `from_words`: where words stand for an emotion."""
    found: list[Problem] = []
    if isinstance(entry.output, list):
        found.append(report.note(("output",), "several outputs of one script are not in this release", "give one path"))
    if entry.engine in later_engines:
        hint = f"use `engine: {DEFAULT_ENGINE}`, or --engine {DEFAULT_ENGINE}"
        found.append(report.note(("engine",), f"engine {entry.engine} is not in this release", hint))
    for key in ("matrix", "rows"):
        if getattr(entry, key) is not None:
            message = f"`{key}` is not in this release"
            found.append(report.note((key,), message, "write one script for each output, and `moee batch` them"))
    if frame.background.kind is BackgroundKind.TRANSPARENT:
        message = "`background: transparent` is not in this release"
        found.append(report.note(("frame", "background"), message, "use `keep`, `blur`, a colour or a picture"))
    if frame.fit is Fit.SOURCE:
        found.append(report.note(("frame", "fit"), "`fit: source` is not in this release", "use `crop` or `pad`"))
    if entry.write:
        found.append(report.note(("write",), "writing face motion to a file is not in this release", "remove `write`"))
    if entry.captions is not None and (entry.captions.burn or entry.captions.write):
        found.append(report.note(("captions",), "captions are not in this release", "remove `captions`"))
    for line in lines:
        if line.motion is not None:
            message = "motion from a file is not in this release"
            found.append(Problem(message, line.where, f"{line.key}.motion", "remove `motion`"))
    for path in from_words:
        wish = "`prompt`" if path[-1] == "prompt" else "`emotion: auto`"
        message = f"{wish} needs the text model, which is not in this release"
        found.append(report.note(path, message, "name the emotion: `moee emotions` lists them"))
    return tuple(found)
