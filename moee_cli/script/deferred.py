"""What the script format knows and this release cannot do yet, one clear sentence each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from moee_cli.core.errors import Problem
from moee_cli.script.positions import KeyPath
from moee_cli.script.report import Report
from moee_cli.script.schema import DEFAULT_ENGINE, CaptionsEntry, ScriptEntry


def find_deferred(
    entry: ScriptEntry,
    report: Report,
    *,
    from_words: Iterable[KeyPath],
    later_engines: Collection[str],
) -> tuple[Problem, ...]:
    """Return what the format knows and this release cannot do yet; `from_words`: where words stand for an emotion."""
    found: list[Problem] = []
    if entry.engine in later_engines:
        hint = f"use `engine: {DEFAULT_ENGINE}`, or --engine {DEFAULT_ENGINE}"
        found.append(report.note(("engine",), f"engine {entry.engine} is not in this release", hint))
    for key in ("matrix", "rows"):
        if getattr(entry, key) is not None:
            message = f"`{key}` is not in this release"
            found.append(report.note((key,), message, "write one script for each output, and `moee batch` them"))
    found += _captions(entry, report)
    for path in from_words:
        wish = "`prompt`" if path[-1] == "prompt" else "`emotion: auto`"
        message = f"{wish} needs the text model, which is not in this release"
        found.append(report.note(path, message, "name the emotion: `moee emotions` lists them"))
    return tuple(found)


def _captions(entry: ScriptEntry, report: Report) -> Iterator[Problem]:
    wishes: list[tuple[KeyPath, CaptionsEntry | None]] = [(("captions",), entry.captions)]
    if isinstance(entry.output, list):
        wishes += [(("output", index, "captions"), output.captions) for index, output in enumerate(entry.output)]
    for place, captions in wishes:
        if captions is not None and (captions.burn or captions.write):
            yield report.note(place, "captions are not in this release", "remove `captions`")
