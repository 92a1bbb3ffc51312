"""What all tests share: a home of their own, the program in this process or another, a voice, a face, a script."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


@pytest.fixture(autouse=True, scope="session")
def plain_signals() -> None:
    """Answer signals as usual, even under nohup: programs that tests start inherit what is ignored."""
    for name, handler in (
        ("SIGINT", signal.default_int_handler),
        ("SIGTERM", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),
    ):
        if name in signal.Signals.__members__ and signal.getsignal(signal.Signals[name]) is signal.SIG_IGN:
            signal.signal(signal.Signals[name], handler)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's folders, settings and terminal."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "CACHE", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    for name in ("MOEE_CACHE", "MOEE_MODELS", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return home


@dataclass(frozen=True)
class Result:
    """What a run of the program left."""

    code: int
    out: str
    err: str


@pytest.fixture
def moee(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `moee ARGUMENTS` in this process."""
    from moee_cli.cli.app import run

    def call(*arguments: str | Path, stdin: str | None = None) -> Result:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def start_python() -> Callable[..., subprocess.Popen[str]]:
    """Start Python with some code, in a process of its own; ended after the test whatever happens."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            **{**streams, **options},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def write_wav(path: Path, seconds: float = 1.0, rate: int = 16_000) -> Path:
    """Write a vowel-like tone, loud and quiet by turns like syllables."""
    time = np.arange(round(seconds * rate)) / rate
    voice = sum(np.sin(2 * np.pi * 120 * partial * time) / partial for partial in range(1, 12))
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * time)
    samples = np.round(6000 * voice * syllables).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder with a recording, `line.wav`, and a script; return the script. Quick to render: 128 pixels."""

    def make(
        name: str = "film.yaml",
        *segments: str,
        text: str | None = None,
        seconds: float = 0.4,
        output: str = '"${stem}.mp4"',
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path.parent / "line.wav", seconds)
        path.write_text(film_text(*segments, output=output) if text is None else text, encoding="utf-8")
        return path

    return make


def film_text(*segments: str, output: str) -> str:
    """Return a script with the given segment entries (default: one happy line), as YAML."""
    entries = segments or ("{id: a, audio: line.wav, emotion: happiness}",)
    return (
        "moee: 1\n"
        f"output: {output}\n"
        "preset: draft\n"
        "frame: {size: 128x128}\n"
        f"cast: {{ana: {{portrait: {EXAMPLES / 'ana.png'}}}}}\n"
        "segments:\n" + "".join(f"  - {entry}\n" for entry in entries)
    )
