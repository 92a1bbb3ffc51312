"""`moee batch`: many scripts, in several processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moee_cli.cli import console, options
from moee_cli.cli.progress import ProgressMode, reporting
from moee_cli.core.errors import EXIT_SOME_FAILED, UsageError

EXAMPLES = """
moee batch scripts/ -j 2
moee batch "lessons/**/*.yaml" --output-dir out --report out/report.json
moee batch a.yaml b.yaml --preset draft --fail-fast
"""


def batch(
    sources: Annotated[list[str], typer.Argument(metavar="DIR|GLOB|SCRIPT...", help="Folders, patterns or scripts.")],
    *,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, metavar="N", help="Scripts rendered at a time.")] = 1,
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", metavar="DIR", help="Write here, in folders like those of the scripts."),
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.")] = False,
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write the results as JSON.")] = None,
    engine: options.EngineOption = None,
    preset: options.PresetOption = None,
    draft: options.DraftOption = False,
    device: options.DeviceOption = "auto",
    seed: options.SeedOption = None,
    sets: options.SetOption = None,
    force: options.ForceOption = False,
    events: options.EventsOption = None,
    progress: options.ProgressOption = ProgressMode.AUTO,
) -> None:
    """Render many scripts, several at a time.

    All scripts are checked before the first one is rendered. A script that fails does not stop the others, unless
    --fail-fast is given. A table of the results goes to standard output; the exit code is 1 if any script failed.
    """
    from moee_cli.cli.batching import Batch, check_report, make_jobs, result_table, write_report
    from moee_cli.workflow.batch import find_scripts

    if output_dir is not None and output_dir.exists() and not output_dir.is_dir():
        raise UsageError(f"--output-dir: {output_dir} is not a folder", "name a folder; it is made if it is missing")
    if report is not None:
        check_report(report)
    found, left_out = find_scripts(sources)
    for path in left_out:
        console.say(f"left out {console.escape(str(path))}: no segments")
    changes = options.overrides(engine, preset, seed, sets, draft=draft)
    todo = make_jobs(found, output_dir, changes, device, force=force)
    with reporting("batch", progress, events, scripts=[job.script for job in todo]) as reporter:
        made = Batch(todo, reporter, fail_fast=fail_fast)
        try:
            made.check()
            made.render(jobs)
        finally:
            if report is not None:
                write_report(report, made.items)
        if any(item.result != "done" for item in made.items):
            reporter.exit_code = EXIT_SOME_FAILED
    console.data(result_table(made.items))
    raise typer.Exit(reporter.exit_code)
