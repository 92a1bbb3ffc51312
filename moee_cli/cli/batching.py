"""Runs a batch: checks all scripts, shares them out to worker processes, keeps what became of each."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moee_cli.cli import console
from moee_cli.cli.boundary import Failure, guarded
from moee_cli.cli.options import Overrides
from moee_cli.cli.progress import NoView, Reporter
from moee_cli.cli.signals import Terminated, signals_as_exceptions, signals_held
from moee_cli.core.errors import EXIT_INTERRUPTED, OutputError, UsageError, from_os_error
from moee_cli.core.types import ALPHA_SUFFIXES
from moee_cli.store.atomic import check_target, scratch, write_text
from moee_cli.workflow.batch import Found, Pool, Tell, WorkerLost

if TYPE_CHECKING:
    from moee_cli.script.schema import Output, Script

REPORT_FORMAT = 1
"""Value of `moee_batch` in a report."""
RESULTS = ("done", "failed", "not run")
"""What may become of a script; `not run` where the batch was stopped before its turn."""


@dataclass(frozen=True)
class Job:
    """What a worker gets."""

    script: str
    output: Path | None
    """Where the video goes instead of the script's own output; several go into a folder of this name without ending."""
    overrides: Overrides
    device: str
    force: bool


@dataclass(frozen=True)
class Item:
    """One row of the report: a script and what became of it."""

    script: str
    result: str = "not run"
    """One of `RESULTS`."""
    output: str | None = None
    """The video, or the first of several."""
    outputs: tuple[str, ...] = ()
    """All videos."""
    seconds: float | None = None
    """Length of the video."""
    elapsed: float = 0.0
    """Seconds the render took."""
    exit_code: int | None = None
    """What `moee render` would have returned; None if it did not run."""
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
    def reason(self) -> str:
        """What went wrong in one line; empty if nothing did."""
        first, *others = (self.error or "").split("\n")
        return f"{first} (and {len(others)} more)" if others else first

    @property
    def seconds_per_second(self) -> str:
        """Seconds of work for a second of video."""
        return f"{self.elapsed / self.seconds:.2f}" if self.seconds else ""


def make_jobs(
    found: Sequence[Found], output_dir: Path | None, changes: Overrides, device: str, *, force: bool
) -> list[Job]:
    """Return a job for every script; `output_dir` gets folders like those of the scripts."""
    return [
        Job(
            str(script.source),
            None if output_dir is None else output_dir / script.relative.with_suffix(".mp4"),
            changes,
            device,
            force,
        )
        for script in found
    ]


class Batch:
    """The state of a running batch; `items` holds what became of each job, in their order."""

    def __init__(self, jobs: Sequence[Job], reporter: Reporter, *, fail_fast: bool) -> None:
        self._jobs = jobs
        self._reporter = reporter
        self._fail_fast = fail_fast
        self._began: dict[int, float] = {}
        self.items = [Item(job.script) for job in jobs]

    def _is_over(self) -> bool:
        return self._fail_fast and any(item.result == "failed" for item in self.items)

    def check(self) -> None:
        """Read every script, so that what cannot work is known before the first slow step."""
        outputs: dict[Path, str] = {}
        self._reporter.start("check", len(self._jobs), "scripts")
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

    def _hear(self, index: int, message: str) -> None:
        """Pass on what a worker tells, marked with its script."""
        script = self._jobs[index].script
        fields = json.loads(message)
        name = fields.pop("event")
        if name == "warning":
            self._reporter.show_warning(f"{script}: {fields['message']}")
        self._reporter.event(name, item=script, **fields)

    def _end(self, index: int, item: Item) -> None:
        self.items[index] = item
        fields = asdict(item)
        self._reporter.event("item", item=fields.pop("script"), **fields)
        script = console.escape(item.script)
        if item.result == "done":
            self._reporter.say(f"{script}: done, {console.duration(item.elapsed)}")
        else:
            self._reporter.say(f"{script}: failed: {console.escape(item.reason)}")


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

    for output in plan(_open(job)).script.outputs:
        if output.path is None:
            raise UsageError("the script names no output", "add `output: film.mp4` to it, or give --output-dir")
        if (owner := outputs.setdefault(output.path.resolve(), job.script)) != job.script:
            raise OutputError(f"{output.path}: {owner} writes the same file", "give each script an output of its own")


def _open(job: Job) -> Script:
    """Read a script, its videos sent where the job wants them."""
    script = job.overrides.open(job.script, is_elsewhere=job.output is not None)
    if job.output is None:
        return script
    if len(script.outputs) == 1:
        return script.redirected(_suited(job.output, script.outputs[0]))
    folder = job.output.with_suffix("")
    moved = [replace(output, path=folder / output.path.name) for output in script.outputs if output.path is not None]
    if len({output.path for output in moved}) < len(moved):
        raise OutputError(f"{job.script}: outputs of one name cannot lie in one folder", "give each a name of its own")
    return replace(script, outputs=tuple(moved))


def _suited(path: Path, output: Output) -> Path:
    """Return the path with an ending that can hold the output's pictures: that of its own file if need be."""
    if output.frame.why_not_in(path.suffix) is None:
        return path
    own = "" if output.path is None else output.path.suffix
    return path.with_suffix(ALPHA_SUFFIXES[0] if output.frame.why_not_in(own) else own)


class _Relay:
    """The events of a worker: sent to the parent as JSON, which any value becomes, and written there."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, name: str, **fields: Any) -> None:
        """Send one event."""
        self._tell(json.dumps({"event": name, **fields}, default=str))

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
    with signals_as_exceptions():
        with signals_held():
            from moee_cli.face.landmarks import load_library
            from moee_cli.workflow.render import render

            load_library()
        result = render(_open(job), force=job.force, device=job.device, progress=reporter)
        reporter.finish()
    videos = tuple(str(video.path) for video in result.videos)
    return Item(job.script, "done", videos[0], videos, result.seconds, result.elapsed, exit_code=0)


def check_report(path: Path) -> None:
    """Make sure, before anything slow, that a report can be written; its folder is made.

    Raises:
        OutputError: it cannot.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, f"cannot make the folder {path.parent}") from None
    with scratch(check_target(path)):
        pass


def write_report(path: Path, items: Sequence[Item]) -> None:
    """Write what became of every script as JSON (docs/cli.md)."""
    counts = {result: sum(item.result == result for item in items) for result in RESULTS}
    content = {"moee_batch": REPORT_FORMAT, "counts": counts, "items": [asdict(item) for item in items]}
    write_text(path, json.dumps(content, indent=2) + "\n")


def result_table(items: Sequence[Item]) -> str:
    """Return the table of results: what became of each script, and how long it took."""
    rows = [
        (
            item.script,
            item.result,
            f"{item.elapsed:.1f}",
            item.seconds_per_second,
            item.reason or " ".join(item.outputs),
        )
        for item in items
    ]
    headers = ("script", "result", "seconds", "s per s", "output")
    return console.table(headers, rows, right=("seconds", "s per s"))
