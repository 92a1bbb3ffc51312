"""Many scripts at once: which files, which outputs, and worker processes that outlive a failed script.

A worker takes one script after another, so the libraries load once. It is a process and not a thread: a crash in a
library, or the system's out-of-memory killer, costs one script and not the batch.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from glob import has_magic
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from moee_cli.core.errors import EnvironmentFailed, InputError, MoeeError, OutOfMemory, ScriptError
from moee_cli.script.read_yaml import read_file

SCRIPT_SUFFIXES = (".yaml", ".yml")
"""What a folder is searched for."""

_STOP_SECONDS = 10.0
"""How long a terminated worker may clean up before it is killed."""

_KILLED = -9
"""Exit code after SIGKILL, a name that Windows lacks."""

_OF_SCRIPTS = ("segments", "extends")
"""A file with neither of these keys, nor one that looks like it, holds settings for others."""


@dataclass(frozen=True)
class Found:
    """A script of a batch, and its place below the folder that was named."""

    source: Path
    relative: Path
    """Path below the folder, or below the fixed part of a pattern; the bare name if the script itself was named."""


def find_scripts(sources: Sequence[str]) -> tuple[list[Found], list[Path]]:
    """Return the scripts that folders, patterns and files name, in order and without repetition, and those left out.

    Left out are files of a folder or pattern that have neither `segments` nor `extends`: settings for others.

    Raises:
        InputError: a source does not exist or holds no script.
    """
    found: dict[Path, Found] = {}
    left_out: list[Path] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            base, candidates = path, _scripts_below(path)
        elif path.exists():
            found.setdefault(path.resolve(), Found(path, Path(path.name)))
            continue
        elif has_magic(source):
            base = _fixed_part(path)
            candidates = sorted(base.glob(str(path.relative_to(base))))
        else:
            raise InputError(f"{source}: no such file or folder")
        scripts = [candidate for candidate in candidates if candidate.is_file() and _is_script(candidate)]
        left_out += [candidate for candidate in candidates if candidate.is_file() and candidate not in scripts]
        if not scripts:
            raise InputError(f"{source}: holds no script", "scripts end in .yaml or .yml and have segments")
        for script in scripts:
            found.setdefault(script.resolve(), Found(script, script.relative_to(base)))
    return list(found.values()), left_out


def _scripts_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SCRIPT_SUFFIXES)


def _fixed_part(pattern: Path) -> Path:
    """Return the folders of a pattern before its first wildcard."""
    fixed: list[str] = []
    for part in pattern.parts[:-1]:
        if has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)


def _is_script(path: Path) -> bool:
    """Say whether a file is a script, or a broken one: the reader of the script says what is wrong with it."""
    try:
        keys = read_file(path, str(path))
    except ScriptError:
        return True
    return any(key in _OF_SCRIPTS or get_close_matches(key, _OF_SCRIPTS, cutoff=0.75) for key in keys)


# --- workers ---------------------------------------------------------------------------------------------------------


Tell = Callable[[Any], None]
"""Sends a message from a worker to `on_message` of the parent."""


@dataclass(frozen=True)
class WorkerLost:
    """A worker process ended in the middle of a job."""

    exit_code: int
    """Negative: the number of the signal that ended it."""

    @property
    def error(self) -> MoeeError:
        """What that means to the user."""
        if self.exit_code == _KILLED:
            return OutOfMemory("the worker process was killed, most likely because memory ran out", "try a smaller -j")
        cause = f"signal {-self.exit_code}" if self.exit_code < 0 else f"exit code {self.exit_code}"
        return EnvironmentFailed(f"the worker process ended in the middle of its work ({cause})")


@dataclass
class _Worker:
    process: SpawnProcess
    pipe: Connection
    job: int | None = None


@dataclass
class Pool:
    """Runs `task(job, tell)` for every job in `n_workers` processes.

    `task` must be importable by name, and never raise: it returns what there is to say, failures included.
    Jobs, messages and results must survive pickling.
    """

    task: Callable[[Any, Tell], Any]
    n_workers: int
    on_start: Callable[[int], None] = lambda _job: None
    on_message: Callable[[int, Any], None] = lambda _job, _message: None
    _workers: list[_Worker] = field(default_factory=list)

    def run(self, jobs: Sequence[Any]) -> Generator[tuple[int, Any], None, None]:
        """Yield (index of the job, its result or `WorkerLost`) as jobs end; closing the iterator ends the workers."""
        waiting = deque(range(len(jobs)))
        try:
            while waiting or any(worker.job is not None for worker in self._workers):
                self._feed(waiting, jobs)
                yield from self._ended()
        finally:
            self._stop()

    def _feed(self, waiting: deque[int], jobs: Sequence[Any]) -> None:
        """Give every idle worker a job; start workers while there are more jobs than workers."""
        while waiting:
            idle = next((worker for worker in self._workers if worker.job is None), None)
            if idle is None:
                if len(self._workers) >= self.n_workers:
                    return
                idle = self._start()
            idle.job = waiting.popleft()
            self.on_start(idle.job)
            idle.pipe.send(jobs[idle.job])

    def _start(self) -> _Worker:
        # spawn: a fork would copy threads' locks of libraries that are loaded already
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(self.task, theirs), daemon=False)
        with _interrupts_held():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _ended(self) -> Iterator[tuple[int, Any]]:
        """Wait for news; yield what jobs ended."""
        ready = wait([worker.pipe for worker in self._workers if worker.job is not None])
        for worker in [worker for worker in self._workers if worker.pipe in ready]:
            job = worker.job
            assert job is not None
            try:
                kind, content = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                worker.process.join()
                self._workers.remove(worker)
                worker.pipe.close()
                yield job, WorkerLost(worker.process.exitcode or 0)
                continue
            if kind == "message":
                self.on_message(job, content)
            else:
                worker.job = None
                yield job, content

    def _stop(self) -> None:
        """End all workers: idle ones by closing their pipe, busy ones by SIGTERM, which lets them clean up."""
        for worker in self._workers:
            worker.pipe.close()
            if worker.job is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(_STOP_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers.clear()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C waiting: a process started in here is born deaf to it until `_work` decides."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(task: Callable[[Any, Tell], Any], pipe: Connection) -> None:
    """Body of a worker process: take a job, do it, send the result, until the parent closes the pipe or is gone."""
    # A terminal sends Ctrl-C to all processes; the parent alone decides what it means and ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            job = pipe.recv()
            pipe.send(("result", task(job, lambda message: pipe.send(("message", message)))))
