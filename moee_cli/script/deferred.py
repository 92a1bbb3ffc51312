"""What the script format knows and this release cannot do yet, one clear sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from moee_cli.core.errors import Problem
from moee_cli.core.types import Fit
from moee_cli.script.report import Report
from moee_cli.script.schema import Line, ScriptEntry


def find_deferred(
    entry: ScriptEntry, fit: Fit, background: str, lines: Sequence[Line], report: Report
) -> list[Problem]:
    """Return what the format knows and this release cannot do yet."""
    found: list[Problem] = []
    if isinstance(entry.output, list):
        found.append(report.note(("output",), "several outputs of one script are not in this release", "give one path"))
    for key in ("matrix", "rows"):
        if getattr(entry, key) is not None:
            message = f"`{key}` is not in this release"
            found.append(report.note((key,), message, "write one script for each output, and `moee batch` them"))
    if background != "keep":
        message = f'background "{background}" is not in this release'
        found.append(report.note(("frame", "background"), message, "use `background: keep`"))
    if fit is Fit.SOURCE:
        found.append(report.note(("frame", "fit"), "`fit: source` is not in this release", "use `crop` or `pad`"))
    if entry.write:
        found.append(report.note(("write",), "writing face motion to a file is not in this release", "remove `write`"))
    if entry.captions is not None and (entry.captions.burn or entry.captions.write):
        found.append(report.note(("captions",), "captions are not in this release", "remove `captions`"))
    for line in lines:
        if line.motion is not None:
            message = "motion from a file is not in this release"
            found.append(Problem(message, line.where, f"{line.key}.motion", "remove `motion`"))
    return found
