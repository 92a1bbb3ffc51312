"""`moee batch`: many scripts, in several processes."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from moee_cli.cli import console, options
from moee_cli.cli.boundary import Failure, guarded
from moee_cli.cli.options import Overrides
from moee_cli.cli.progress import NoView, ProgressMode, Reporter, reporting
from moee_cli.cli.signals import Terminated, signals_as_exceptions
from moee_cli.core.errors import EXIT_INTERRUPTED, EXIT_SOME_FAILED, OutputError, UsageError
from moee_cli.store.atomic import write_text
from moee_cli.workflow.batch import Found, Pool, Tell, WorkerLost, find_scripts

EXAMPLES = """
moee batch scripts/ -j 2
moee batch "lessons/**/*.yaml" --output-dir out --report out/report.json
moee batch a.yaml b.yaml --preset draft --fail-fast
"""

REPORT_FORMAT = 1


@dataclass(frozen=True)
class Job:
    """What a worker gets."""

    script: str
    output: Path | None
    overrides: Overrides
    device: str
    force: bool


@dataclass(frozen=True)
class Item:
    """One row of the report: a script and what became of it."""

    script: str
    result: str = "not run"
    """`done`, `failed`, or `not run` where the batch was stopped before its turn."""
    output: str | None = None
    seconds: float | None = None
    """Length of the video."""
    elapsed: float = 0.0
    """Seconds the render took."""
    exit_code: int = 0
    error: str | None = None
    hint: str | None = None

    def failed(self, failure: Failure, elapsed: float = 0.0) -> Item:
        """Return this item with its failure."""
        return replace(
            self,
            result="failed",
            elapsed=elapsed,
            exit_code=failure.exit_code,
            error=failure.message,
            hint=failure.hint,
        )

    @property
    def seconds_per_second(self) -> str:
        """Seconds of work for a second of video."""
        return f"{self.elapsed / self.seconds:.2f}" if self.seconds else ""


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
    changes = options.overrides(engine, preset, seed, sets, draft=draft)
    found, left_out = find_scripts(sources)
    for path in left_out:
        console.say(f"left out {console.escape(str(path))}: no segments")
    with reporting("batch", progress, events, scripts=[str(script.source) for script in found]) as reporter:
        made = _Batch(reporter, fail_fast=fail_fast)
        made.check([(script, _job(script, output_dir, changes, device, force=force)) for script in found])
        try:
            made.render(jobs)
        finally:
            items = made.items
            if report is not None:
                _write_report(report, items)
    console.data(_table(items))
    if any(item.result != "done" for item in items):
        raise typer.Exit(EXIT_SOME_FAILED)


def _job(script: Found, output_dir: Path | None, changes: Overrides, device: str, *, force: bool) -> Job:
    output = None if output_dir is None else output_dir / script.relative.with_suffix(".mp4")
    return Job(str(script.source), output, changes, device, force)


class _Batch:
    """The state of a running batch."""

    def __init__(self, reporter: Reporter, *, fail_fast: bool) -> None:
        self._reporter = reporter
        self._fail_fast = fail_fast
        self._jobs: list[Job] = []
        self._began: dict[int, float] = {}
        self.items: list[Item] = []

    def _is_over(self) -> bool:
        return self._fail_fast and any(item.result == "failed" for item in self.items)

    def check(self, scripts: list[tuple[Found, Job]]) -> None:
        """Read every script, so that what cannot work is known before the first slow step."""
        outputs: dict[Path, str] = {}
        self.items = [Item(job.script) for _, job in scripts]
        self._jobs = [job for _, job in scripts]
        self._reporter.start("check", len(scripts), "scripts")
        for index, job in enumerate(self._jobs):
            if self._is_over():
                return
            failure = guarded(partial(_claim_output, job, outputs))
            if failure is not None:
                _raise_if_interrupted(failure)
                self._end(index, self.items[index].failed(failure))
            self._reporter.advance()

    def render(self, n_workers: int) -> None:
        """Render what passed the check."""
        todo = [index for index, item in enumerate(self.items) if item.result == "not run"]
        if self._is_over() or not todo:
            return
        self._reporter.start("render", len(todo), "scripts")
        pool = Pool(
            _render_job,
            min(n_workers, len(todo)),
            on_start=lambda number: self._begin(todo[number]),
            on_message=lambda number, message: self._hear(todo[number], message),
        )
        results = pool.run([self._jobs[index] for index in todo])
        try:
            for number, result in results:
                index = todo[number]
                self._reporter.advance()
                self._end(index, self._lost(index, result) if isinstance(result, WorkerLost) else result)
                if self._is_over():
                    return
        finally:
            results.close()

    def _lost(self, index: int, loss: WorkerLost) -> Item:
        """Return the item of a script whose worker is gone."""
        return self.items[index].failed(
            Failure(loss.error.exit_code, loss.error), time.monotonic() - self._began[index]
        )

    def _begin(self, index: int) -> None:
        self._began[index] = time.monotonic()

    def _hear(self, index: int, message: dict[str, Any]) -> None:
        """Pass on what a worker tells, marked with its script."""
        script = self._jobs[index].script
        name = message.pop("event")
        if name == "warning":
            self._reporter.show_warning(f"{script}: {message['message']}")
        self._reporter.event(name, item=script, **message)

    def _end(self, index: int, item: Item) -> None:
        self.items[index] = item
        fields = asdict(item)
        self._reporter.event("item", item=fields.pop("script"), **fields)
        script = console.escape(item.script)
        if item.result == "done":
            self._reporter.say(f"{script}: done, {console.duration(item.elapsed)}")
        else:
            self._reporter.say(f"{script}: failed: {console.escape(item.error or '')}")


def _raise_if_interrupted(failure: Failure) -> None:
    """Let a signal that struck inside `guarded` end the batch, not one item of it."""
    if failure.interrupted and failure.exit_code == EXIT_INTERRUPTED:
        raise KeyboardInterrupt
    if failure.interrupted:
        raise Terminated(failure.exit_code - 128)


def _claim_output(job: Job, outputs: dict[Path, str]) -> None:
    """Read a script; note its output.

    Raises:
        MoeeError: the script cannot be rendered, or another one writes the same file.
    """
    from moee_cli.workflow.plan import plan

    script = plan(job.overrides.open(job.script, job.output)).script
    target = job.output or script.output
    if target is None:
        raise UsageError("the script names no output", "add `output: film.mp4` to it, or give --output-dir")
    owner = outputs.setdefault(target.resolve(), job.script)
    if owner != job.script:
        raise OutputError(f"{target}: {owner} writes the same file", "give each script an output of its own")


class _Relay:
    """The events of a worker: sent to the parent, which writes them."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, name: str, **fields: Any) -> None:
        """Send one event."""
        self._tell({"event": name, **fields})

    def close(self) -> None:
        """Nothing to close."""


class _Mute(NoView):
    """Shows nothing: a worker has no terminal of its own."""

    def say(self, line: str) -> None:
        """Show nothing."""


def _render_job(job: Job, tell: Tell) -> Item:
    """Render one script in a worker process; a failure is a result too."""
    began = time.monotonic()
    items: list[Item] = []
    failure = guarded(lambda: items.append(_render(job, Reporter(_Mute(), _Relay(tell)))))
    return Item(job.script).failed(failure, time.monotonic() - began) if failure else items[0]


def _render(job: Job, reporter: Reporter) -> Item:
    from moee_cli.workflow.render import render

    with signals_as_exceptions():
        script = job.overrides.open(job.script, job.output)
        result = render(script, output=job.output, force=job.force, device=job.device, progress=reporter)
        reporter.finish()
    return Item(job.script, "done", str(result.output), result.seconds, result.elapsed)


def _write_report(path: Path, items: Sequence[Item]) -> None:
    failed = sum(item.result != "done" for item in items)
    content = {"moee_batch": REPORT_FORMAT, "failed": failed, "items": [asdict(item) for item in items]}
    write_text(path, json.dumps(content, indent=2) + "\n")


def _table(items: Sequence[Item]) -> str:
    rows = [
        (
            item.script,
            item.result,
            f"{item.elapsed:.1f}",
            item.seconds_per_second,
            item.error.splitlines()[0] if item.error else item.output or "",
        )
        for item in items
    ]
    headers = ("script", "result", "seconds", "s per s", "output")
    return console.table(headers, rows, right=("seconds", "s per s"))
