"""Speech of flite and festival, which know when each of their phones ends.

Both are programs of their own, packaged by Debian (`flite`, `festival` with its voices); neither is needed to render.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from moee_cli.core.errors import EnvironmentFailed, Unavailable
from moee_cli.core.timebase import FEATURE_RATE
from moee_cli.core.types import F32
from moee_cli.training.motion.phones import fold
from moee_cli.training.motion.recording import Recording

FLITE_VOICES = ("slt", "rms", "awb", "kal16")
"""The 16 kHz voices of flite 2.2; `kal` is the 8 kHz form of `kal16`."""
FESTIVAL_VOICES = ("kal_diphone", "ked_diphone", "cmu_us_slt_arctic_hts")
"""Debian: festvox-kallpc16k, festvox-kdlpc16k, festvox-us-slt-hts."""
_FESTIVAL_FOLDERS = ("/usr/share/festival/voices", "/usr/local/share/festival/voices")
_SAY = """(define (say voice text wav segs stretch)
  (eval (list voice))
  (Parameter.set 'Duration_Stretch stretch)
  (set! spoken (utt.synth (eval (list 'Utterance 'Text text))))
  (utt.save.segs spoken segs)
  (utt.save.wave spoken wav 'riff))
"""
_SECONDS = 120
"""Longest wait for one call: each speaks a few sentences, much faster than real time."""


def flite_voices() -> tuple[str, ...]:
    """Return the voices that flite can speak with here; none if it is not installed."""
    if shutil.which("flite") is None:
        return ()
    listed = _output(["flite", "-lv"]).partition(":")[2].split()
    return tuple(voice for voice in FLITE_VOICES if voice in listed)


def festival_voices() -> tuple[str, ...]:
    """Return the voices that festival can speak with here; none if it is not installed."""
    if shutil.which("festival") is None:
        return ()
    found = {folder.name for root in _FESTIVAL_FOLDERS for folder in Path(root).glob("*/*")}
    return tuple(voice for voice in FESTIVAL_VOICES if voice in found)


def flite(text: str, voice: str, *, stretch: float = 1.0, pitch_hz: float | None = None) -> Recording:
    """Return a text spoken by flite; `stretch` lengthens every sound, `pitch_hz` is the mean pitch.

    Raises:
        Unavailable: flite is not installed.
        EnvironmentFailed: it failed.
    """
    with tempfile.TemporaryDirectory(prefix="moee-") as folder:
        path = Path(folder) / "speech.wav"
        features = ["--setf", f"duration_stretch={stretch:.3f}"]
        if pitch_hz is not None:
            features += ["--setf", f"int_f0_target_mean={pitch_hz:.1f}"]
        told = _output(["flite", "-voice", voice, *features, "-psdur", "-t", text, "-o", str(path)])
        samples = read_wav(path)
    ends = [(name, float(stop)) for name, _, stop in (entry.rpartition(":") for entry in told.split())]
    return Recording(samples, fold(_between(ends), "arpabet"), f"flite {voice}")


def festival(texts: Sequence[str], voice: str, stretches: Sequence[float]) -> list[Recording]:
    """Return each text spoken by festival, in one run of the program: its start costs more than a sentence.

    Raises:
        Unavailable: festival is not installed.
        EnvironmentFailed: it failed.
    """
    with tempfile.TemporaryDirectory(prefix="moee-") as name:
        folder = Path(name)
        lines = [_SAY]
        for index, (text, stretch) in enumerate(zip(texts, stretches, strict=True)):
            quoted = text.replace("\\", "").replace('"', "")
            files = f'"{folder}/{index}.wav" "{folder}/{index}.segs"'
            lines.append(f'(say \'voice_{voice} "{quoted}" {files} {stretch:.3f})\n')
        (folder / "say.scm").write_text("".join(lines), encoding="ascii", errors="ignore")
        _output(["festival", "-b", str(folder / "say.scm")])
        return [_festival_recording(folder / f"{index}", voice) for index in range(len(texts))]


def _festival_recording(stem: Path, voice: str) -> Recording:
    rows = [line.split() for line in stem.with_suffix(".segs").read_text("utf-8", "replace").splitlines()]
    ends = [(row[2], float(row[0])) for row in rows if len(row) == 3 and row[1].isdigit()]
    return Recording(read_wav(stem.with_suffix(".wav")), fold(_between(ends), "arpabet"), f"festival {voice}")


def _between(ends: Sequence[tuple[str, float]]) -> list[tuple[str, float, float]]:
    """Return (name, start, stop) of phones of which the ends are known."""
    starts = [0.0, *(stop for _, stop in ends)]
    return [(name, start, stop) for (name, stop), start in zip(ends, starts, strict=False)]


def read_wav(path: Path) -> F32:
    """Return the samples [n] of a 16-bit mono wave file at 16 kHz."""
    with wave.open(str(path)) as file:
        raw = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return at_feature_rate(raw.astype(np.float32) / 32768.0, file.getframerate())


def at_feature_rate(samples: F32, rate: int) -> F32:
    """Return samples resampled to 16 kHz; sample 0 stays where it is."""
    if rate == FEATURE_RATE:
        return samples
    import soxr

    return np.asarray(soxr.resample(samples, rate, FEATURE_RATE), np.float32)


def _output(command: Sequence[str]) -> str:
    """Return what a program prints."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, errors="replace", timeout=_SECONDS)
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is not installed", f"apt install {command[0]}") from None
    except subprocess.TimeoutExpired:
        raise EnvironmentFailed(f"{command[0]} did not end within {_SECONDS} s", "run the same command again") from None
    if done.returncode:
        told = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise EnvironmentFailed(f"{command[0]} failed: {told}", "moee doctor says which voices are there")
    return done.stdout
