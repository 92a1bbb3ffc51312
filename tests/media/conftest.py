"""Sound files, timelines and both builds of ffmpeg for the tests of `moee_cli.media`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from moee_cli.core.timebase import frames_covering
from moee_cli.core.types import AudioSpan, Controls, Encoding, FrameFormat, Segment, Timeline, TransitionKind
from moee_cli.media import ffmpeg
from moee_cli.media.encode import PieceWriter


def _forget_ffmpeg() -> None:
    ffmpeg.find_ffmpeg.cache_clear()
    ffmpeg.ffmpeg_version.cache_clear()


@pytest.fixture(autouse=True)
def _fresh_ffmpeg() -> Iterator[None]:
    _forget_ffmpeg()
    yield
    _forget_ffmpeg()


@pytest.fixture(params=["system", "bundled"])
def build(request, monkeypatch, tmp_path_factory) -> str:
    """Run the test with the ffmpeg of the system and with the one that imageio-ffmpeg brings."""
    if request.param == "bundled":
        monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
        assert "imageio_ffmpeg" in str(ffmpeg.find_ffmpeg())
    elif shutil.which("ffmpeg") is None:
        pytest.skip("no system ffmpeg")
    return request.param


@pytest.fixture
def wav(tmp_path) -> Callable[..., Path]:
    """Return a function that writes float samples [n] or [n, channels] as a 16-bit WAV."""

    def write(samples: np.ndarray, rate: int = 48000, name: str = "a.wav") -> Path:
        path = tmp_path / name
        samples = samples if samples.ndim == 2 else samples[:, None]
        with wave.open(str(path), "wb") as file:
            file.setnchannels(samples.shape[1])
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        return path

    return write


@pytest.fixture
def convert(tmp_path) -> Callable[..., Path]:
    """Return a function that converts a sound file with ffmpeg."""

    def run(source: Path, name: str, *options: str) -> Path:
        target = tmp_path / name
        general = [str(ffmpeg.find_ffmpeg()), "-nostdin", "-v", "error", "-y"]
        subprocess.run([*general, "-i", f"file:{source}", *options, f"file:{target}"], check=True)
        return target

    return run


@pytest.fixture(scope="session")
def noise() -> Callable[..., np.ndarray]:
    """Return a function that makes white noise [n, channels] at -14 dB peak; every sample differs from the next."""

    def make(n_samples: int, channels: int = 1, seed: int = 0) -> np.ndarray:
        values = np.random.default_rng(seed).uniform(-0.2, 0.2, (n_samples, channels))
        return values.astype(np.float32)

    return make


@pytest.fixture(scope="session")
def line() -> Callable[..., Segment]:
    """Return a function that makes a segment; only what sound and stitch look at has meaning."""

    def make(span: AudioSpan | None, start: int, n_frames: int, fps: Fraction, *, continues: bool = False) -> Segment:
        return Segment(
            id=f"s{start}",
            take=1,
            speaker="a",
            audio=span,
            continues=continues,
            start_frame=start,
            n_frames=n_frames,
            pad=Fraction(0),
            seconds=n_frames / fps,
            run=0,
            transition=TransitionKind.CUT,
            transition_frames=0,
            handle_before=0,
            handle_after=0,
            emotion=(),
            controls=Controls(),
        )

    return make


@pytest.fixture(scope="session")
def film(line) -> Callable[..., Timeline]:
    """Return a function that puts audio spans and pauses (in frames) on whole frames, one after the other."""

    def make(spans: Sequence[AudioSpan | int], fps: Fraction) -> Timeline:
        segments, start = [], 0
        for item in spans:
            span = None if isinstance(item, int) else item
            n_frames = item if isinstance(item, int) else frames_covering(item.seconds, fps)
            segments.append(line(span, start, n_frames, fps))
            start += n_frames
        return Timeline(fps, tuple(segments), ())

    return make


@pytest.fixture(scope="session")
def numbered() -> Callable[..., np.ndarray]:
    """Return a function that draws a 64x64 frame from which `number_in` reads its number, also after encoding."""

    def draw(number: int) -> np.ndarray:
        bits = [(number >> bit) & 1 for bit in range(16)]
        return np.repeat(np.array(bits, np.uint8).reshape(16, 1, 1) * 200 + 25, 4, axis=0) * np.ones(
            (64, 64, 3), np.uint8
        )

    return draw


@pytest.fixture(scope="session")
def number_in() -> Callable[..., int]:
    """Return a function that reads the number back."""
    return lambda frame: int(sum(int(frame[4 * bit + 2, 32, 1] > 125) << bit for bit in range(16)))


@pytest.fixture
def make_piece(tmp_path, numbered) -> Callable[..., Path]:
    """Return a function that writes a piece of numbered frames."""

    def make(name: str, numbers: Sequence[int], fps: Fraction = Fraction(25), preset: str = "veryfast") -> Path:
        path = tmp_path / name
        with PieceWriter(path, FrameFormat(64, 64, fps), Encoding(crf=20, x264_preset=preset)) as piece:
            for number in numbers:
                piece.write(numbered(number))
        return path

    return make


@pytest.fixture
def make_track(tmp_path) -> Callable[..., Path]:
    """Return a function that writes a silent sound track with clicks."""

    def make(n_samples: int, clicks: Sequence[int] = (), name: str = "film.pcm") -> Path:
        samples = np.zeros((n_samples, 2), "<f4")
        samples[list(clicks)] = 0.9
        path = tmp_path / name
        path.write_bytes(samples.tobytes())
        return path

    return make


@pytest.fixture
def run_limited(tmp_path) -> Callable[[str, int], subprocess.CompletedProcess[str]]:
    """Return a function that runs a script in a process whose files may not grow beyond some bytes: a full disk."""

    def run(script: str, n_bytes: int) -> subprocess.CompletedProcess[str]:
        limit = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({n_bytes}, {n_bytes}))\n"
        return subprocess.run(
            [sys.executable, "-c", limit + script, str(tmp_path)], capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def disc() -> Callable[[int], np.ndarray]:
    """Return a function that draws picture n: a soft disc of two colours, premultiplied, that moves on bare ground."""

    def draw(number: int) -> np.ndarray:
        rows, columns = np.mgrid[:64, :96] + 0.5
        far = np.hypot(rows - 32, columns - 20 - 2 * (number % 28))
        alpha = np.clip((18 - far) / 4 + 0.5, 0, 1)[..., None]
        colour = np.where(rows[..., None] < 32, (220, 180, 150), (40, 90, 200))
        return np.round(np.concatenate([colour * alpha, 255 * alpha], axis=2)).astype(np.uint8)

    return draw
