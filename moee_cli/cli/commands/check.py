"""`moee check`: what is wrong with scripts, videos and motion files."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moee_cli.cli import console, options
from moee_cli.core.errors import EXIT_SOME_FAILED

if TYPE_CHECKING:
    from moee_cli.workflow.check import FileReport

EXAMPLES = """
moee check film.yaml
moee check scripts/*.yaml out/*.mp4
moee check film.mp4 --json | jq '.files[0].facts'
"""


def check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Scripts (- for standard input), videos, motion files.")
    ],
    *,
    as_json: options.JsonOption = False,
) -> None:
    """Find all faults of scripts, videos and motion files.

    A script's faults are listed with file, line, column, key and a hint; its recordings and pictures are read, but
    faces are not looked for. Of a video, the lengths of picture and sound are counted, and format, tags and sidecar
    compared with what a render promises. A motion file is read. The exit code is 1 if there are faults; warnings are
    none.
    """
    from moee_cli.workflow.check import check_file

    reports = []
    for file in files:
        reports.append(check_file(file))
        if not as_json:
            _show(reports[-1])
    if as_json:
        console.data(json.dumps({"files": [_as_dict(report) for report in reports]}, indent=2))
    if not all(report.is_ok for report in reports):
        raise typer.Exit(EXIT_SOME_FAILED)


def _show(report: FileReport) -> None:
    for problem in report.problems:
        for line in console.problem_lines(problem, stream=sys.stdout):
            console.data(line)
    counts = [console.count_line(report.problems)] if report.problems else ["ok"]
    summary = [report.summary] if report.summary else []
    console.data(f"{console.escape(report.path)}: {', '.join(counts + summary)}")


def _as_dict(report: FileReport) -> dict[str, Any]:
    return {
        "path": report.path,
        "kind": report.kind,
        "ok": report.is_ok,
        "facts": report.facts,
        "problems": [asdict(problem) for problem in report.problems],
    }
