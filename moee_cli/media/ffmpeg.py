"""The only place that starts another program: finds ffmpeg, runs it, turns its failures into ours.

ffmpeg-python builds the graph; what runs is a finished argument list, without a shell. Paths go in as `file:` URLs
under a protocol whitelist, so no name can be taken for an option, a pattern or an address.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from moee_cli.core.errors import EnvironmentFailed, MoeeError, Unavailable
from moee_cli.core.types import U8

PROTOCOLS = "file,pipe"
_INSTALL = "install ffmpeg with libx264 (`apt install ffmpeg`, `brew install ffmpeg`) or `pip install imageio-ffmpeg`"
_NEEDED_ENCODERS = ("libx264", "aac")
_KEPT_LINES = 40
"""Lines of ffmpeg's own words kept for the message; the last ones name the cause."""
_NO_SPACE = ("No space left on device", "File too large", "Disk quota exceeded")
_CONSEQUENCES = re.compile(r"Task finished|Terminating thread|Nothing was written|Conversion failed|Error while")
"""Lines that only tell that something failed before."""
_SPEAKER = re.compile(r"^\[[^]]* @ 0x[0-9a-f]+\] ")
_PIPE_BYTES = 1 << 20
"""Room between us and ffmpeg: at 512x512 more than one frame, so that drawing and encoding overlap."""


# --- find -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def find_ffmpeg() -> Path:
    """Return the ffmpeg to use: the system's if it can encode H.264 and AAC, else the one imageio-ffmpeg brings.

    Raises:
        Unavailable: there is none.
    """
    candidates = [shutil.which("ffmpeg"), _bundled()]
    lacking = []
    for candidate in filter(None, candidates):
        missing = _missing_encoders(candidate)
        if not missing:
            return Path(candidate)
        lacking.append(f"{candidate} has no encoder {' and '.join(missing)}")
    raise Unavailable("; ".join(lacking) or "ffmpeg was not found", _INSTALL)


def require_encoders(names: Sequence[str]) -> None:
    """Make sure that the ffmpeg to use can encode this, before anything is drawn.

    Raises:
        Unavailable: it cannot, or there is none.
    """
    found = find_ffmpeg()
    if missing := _missing_encoders(str(found), names):
        raise Unavailable(f"{found} has no encoder {' and '.join(missing)}", f"{_INSTALL}, or write another format")


@lru_cache(maxsize=1)
def ffmpeg_version() -> str:
    """Return the version as ffmpeg tells it, such as `5.1.9-0+deb12u1`.

    Raises:
        Unavailable: there is no ffmpeg.
    """
    found = re.match(r"ffmpeg version (\S+)", _ask(str(find_ffmpeg()), "-version"))
    return found[1] if found else "unknown"


def _bundled() -> str | None:
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # RuntimeError: the package has no binary for this platform
        return None


def _missing_encoders(executable: str, needed: Sequence[str] = _NEEDED_ENCODERS) -> list[str]:
    listed = {fields[1] for line in _ask(executable, "-encoders").splitlines() if len(fields := line.split()) > 1}
    return [name for name in needed if name not in listed]


def _ask(executable: str, question: str) -> str:
    """Return what ffmpeg says about itself; nothing if it cannot be run."""
    try:
        answer = subprocess.run(
            [executable, "-hide_banner", question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
            env=_environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    # FFREPORT would write report files next to the user's; colours would end up in our messages.
    kept = {key: value for key, value in os.environ.items() if key not in {"FFREPORT", "AV_LOG_FORCE_COLOR"}}
    return {**kept, "AV_LOG_FORCE_NOCOLOR": "1"}


# --- graph ----------------------------------------------------------------------------------------------------------


def file_url(path: Path) -> str:
    """Return `path` as ffmpeg takes it whatever characters are in it."""
    return f"file:{path.absolute()}"


def file_input(path: Path, **options: Any) -> Any:
    """Return an ffmpeg-python input node for a file."""
    import ffmpeg

    return ffmpeg.input(file_url(path), protocol_whitelist=PROTOCOLS, **options)


def pipe_input(**options: Any) -> Any:
    """Return an ffmpeg-python input node for what is written to the process."""
    import ffmpeg

    return ffmpeg.input("pipe:0", protocol_whitelist=PROTOCOLS, **options)


def _arguments(graph: Any, loglevel: str) -> list[str]:
    # In front of the first input: ffmpeg ignores global options that trail behind the output.
    general = ["-nostdin", "-hide_banner", "-nostats", "-loglevel", loglevel, "-y"]
    compiled: list[str] = graph.compile(cmd=[str(find_ffmpeg()), *general])
    return compiled


# --- run ------------------------------------------------------------------------------------------------------------


def run(graph: Any, doing: str, *, loglevel: str = "error") -> str:
    """Run a graph to its end; return the last lines ffmpeg said.

    Raises:
        EnvironmentFailed: ffmpeg failed; the message is `doing` and ffmpeg's reason.
        Unavailable: there is no ffmpeg.
        BrokenPipeError: the reader of our standard output went away.
    """
    with Process(graph, doing, loglevel=loglevel) as process:
        return process.finish()


class Process:
    """A running ffmpeg. Leaving the `with` block before `finish` kills it: no exception leaves an orphan.

    Raises:
        EnvironmentFailed: it cannot be started, or it failed.
        Unavailable: there is no ffmpeg.
    """

    def __init__(self, graph: Any, doing: str, *, feed: bool = False, loglevel: str = "error") -> None:
        self._doing = doing
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        try:
            self._process = subprocess.Popen(
                _arguments(graph, loglevel),
                stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
                stdout=None,
                stderr=subprocess.PIPE,
                env=_environment(),
                # Ctrl-C reaches us alone; we end the process, in order.
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentFailed(f"{doing}: cannot start ffmpeg: {error.strerror}", _INSTALL) from error
        # Read all the time: a full pipe would stop ffmpeg, and us with it.
        self._listener = threading.Thread(target=self._listen, daemon=True, name="ffmpeg-stderr")
        try:
            self._listener.start()
            if feed:
                self._widen_pipe()
        except BaseException:
            self._process.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def write(self, data: U8) -> None:
        """Hand contiguous bytes to ffmpeg; waits while it is busy."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data.data)
        except BrokenPipeError:
            raise self._failure(self._end()) from None

    def finish(self) -> str:
        """Tell ffmpeg that its input is complete, wait, and return its last lines."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # its exit status says more
                self._process.stdin.close()
        code = self._end()
        # Some versions report a file they could not complete, yet exit with 0.
        if code != 0 or any(phrase in line for line in self._said for phrase in (*_NO_SPACE, "Error writing trailer")):
            raise self._failure(code)
        return "\n".join(self._said)

    def kill(self) -> None:
        """End ffmpeg at once, if it still runs, and collect it."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # a rest in the buffer has nowhere to go
                self._process.stdin.close()
        self._listener.join()

    def _end(self) -> int:
        code = self._process.wait()
        self._listener.join()
        return code

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as stderr:
            for line in stderr:
                if text := line.decode("utf-8", "replace").strip():
                    self._said.append(text)

    def _widen_pipe(self) -> None:
        if sys.platform == "linux":
            import fcntl

            assert self._process.stdin is not None
            with contextlib.suppress(OSError):  # the system's limit for unprivileged users may be lower
                fcntl.fcntl(self._process.stdin.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def _failure(self, code: int) -> MoeeError | BrokenPipeError:
        said = "; ".join(_reasons(self._said)[:3])
        if code == -getattr(signal, "SIGXFSZ", 0) or any(phrase in line for line in self._said for phrase in _NO_SPACE):
            hint = "free some space and run the same command again"
            return EnvironmentFailed(f"{self._doing}: no space left", hint)
        if any("Broken pipe" in line for line in self._said):
            return BrokenPipeError(self._doing)
        if code < 0:
            name = signal.strsignal(-code) or f"signal {-code}"
            hint = "if the machine ran out of memory, close other programs or use fewer jobs"
            return EnvironmentFailed(f"{self._doing}: ffmpeg was killed ({name})", hint)
        return EnvironmentFailed(f"{self._doing}: ffmpeg failed: {said or f'exit code {code}'}")


def _reasons(said: Iterable[str]) -> list[str]:
    """Return the lines that name a cause, without who said them."""
    lines = [_SPEAKER.sub("", line) for line in said]
    return [line for line in lines if not _CONSEQUENCES.match(line)] or lines
