"""Do the lips follow the speech? Mouth opening on open vowels against p/b/m closures, as an AUC.

    python benchmarks/lips.py                      # coefficients of the `motion` engine's driver on flite speech
    python benchmarks/lips.py --emodb FOLDER       # and on recorded voices with hand-made phone times

The measure: opening averaged over the middle half of each phone; AUC = share of (open vowel, closure) pairs in which
the vowel is the wider one. 1 is perfect, 0.5 is chance. With the sound shifted by 400 ms it must fall to chance.
The functions take any opening curve, so the same measure reads a face tracker's curve of a finished video:

    score = lip_score(curve, fps, phones)

`flite` must be installed: it prints when each of its phones ends.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.labels import CHANNEL, N_EMOTIONS
from moee_cli.core.noise import NoiseSource
from moee_cli.core.timebase import FEATURE_HOP, FEATURE_RATE, MOTION_FPS
from moee_cli.core.types import F32, AudioFeatures, Drive, NoiseSpan

FLITE_VOICES = ("slt", "rms", "awb", "kal16")
OPEN_VOWELS = frozenset({"aa", "ae", "ah", "ao", "aw", "ay", "eh"})
CLOSURES = frozenset({"p", "b", "m"})
GERMAN_OPEN_VOWELS = frozenset({"a", "aI", "aU", "a6", "AU", "A", "E", "E6"})
"""EmoDB's SAMPA-like symbols; `p` and `b` are closures without their releases."""
GERMAN_CLOSURES = frozenset({"p", "b", "m", "_p", "_b"})

SENTENCES = (
    "My brother Bob put the apple pie on a map of Panama.",
    "Mama may have bought a happy puppy at the market.",
    "Pam and Abby laughed about the camel at the pump.",
    "A bad habit may become a big problem by tomorrow.",
    "The barber hopped past my aunt, mumbling about ham.",
    "Maybe the people at the opera have not heard about him.",
    "Up on the farm a calm old man was baking bread with butter.",
    "Do not jump on the bed while the baby is having a nap.",
    "Ten empty boxes stood in the hallway when my mother came back.",
    "What happened to the lamp above the table in the hall?",
    "Bobby ran ahead and found a pebble at the bottom of the path.",
    "Perhaps the tap can be repaired before the plumber has lunch.",
)
"""Heard by no fit: `fit_visemes.py` has sentences of its own."""


@dataclass(frozen=True)
class Phone:
    """One phone of a recording, times in seconds."""

    name: str
    start: float
    stop: float


@dataclass(frozen=True)
class Recording:
    """Mono samples at 16 kHz with known phone times."""

    name: str
    samples: F32
    phones: tuple[Phone, ...]


def flite_recording(text: str, voice: str) -> Recording:
    """Return `text` spoken by flite, which knows when each of its phones ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(path)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getnchannels()) == (FEATURE_RATE, 1), (
                "flite voices here have 16 kHz, mono"
            )
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768.0
    phones, start = [], 0.0
    for entry in said.split():
        name, _, stop = entry.rpartition(":")
        phones.append(Phone(name, start, float(stop)))
        start = float(stop)
    return Recording(f"{voice}: {text}", samples, tuple(phones))


def emodb_recordings(folder: Path, speakers: Sequence[str]) -> list[Recording]:
    """Return EmoDB's clips of these speakers (two digits each) with their hand-made phone times.

    `folder` holds `emodb_phones.tsv.gz` (file, start, end, phone, modifiers) and `flac/`.
    """
    phones: dict[str, list[Phone]] = {}
    with gzip.open(folder / "emodb_phones.tsv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["file"].removeprefix("emodb_")[:2] in speakers:
                phones.setdefault(row["file"], []).append(Phone(row["phone"], float(row["start"]), float(row["end"])))
    return [Recording(name, read_audio(folder / "flac" / name), tuple(found)) for name, found in sorted(phones.items())]


def read_audio(path: Path) -> F32:
    """Return mono samples at 16 kHz of any audio file."""
    import av

    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=FEATURE_RATE)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def auc(above: NDArray[np.float64], below: NDArray[np.float64]) -> float:
    """Return the share of pairs in which the first is the larger, ties counting half."""
    return float(((above[:, None] > below).mean() + (above[:, None] >= below).mean()) / 2)


def openings(curve: NDArray[np.floating], fps: float, phones: Sequence[Phone], names: frozenset[str]) -> list[float]:
    """Return the mean opening over the middle half of each of the named phones; frame j of `curve` is at j / fps."""
    times = np.arange(len(curve)) / fps
    middles = [
        np.linspace(0.75 * phone.start + 0.25 * phone.stop, 0.25 * phone.start + 0.75 * phone.stop, 9)
        for phone in phones
        if phone.name in names and phone.stop <= len(curve) / fps
    ]
    return [float(np.interp(middle, times, curve).mean()) for middle in middles]


def shifted(phones: Sequence[Phone], seconds: float) -> list[Phone]:
    """Return the phones moved in time; those that would start before zero are left out."""
    moved = [replace(phone, start=phone.start + seconds, stop=phone.stop + seconds) for phone in phones]
    return [phone for phone in moved if phone.start >= 0.0]


def lip_score(
    curves: Sequence[tuple[NDArray[np.floating], Sequence[Phone]]],
    fps: float,
    *,
    shift: float = 0.0,
    open_vowels: frozenset[str] = OPEN_VOWELS,
    closures: frozenset[str] = CLOSURES,
) -> float:
    """Return the AUC of mouth opening, open vowels against closures, pooled over (curve, phones) pairs.

    `shift` moves the phone times by so many seconds: the measure must then fall to chance.
    """
    vowels: list[float] = []
    closed: list[float] = []
    for curve, phones in curves:
        moved = shifted(phones, shift)
        vowels += openings(curve, fps, moved, open_vowels)
        closed += openings(curve, fps, moved, closures)
    return auc(np.asarray(vowels), np.asarray(closed))


def aperture(motion: F32) -> F32:
    """Return how far the lips are apart, [F], from motion [F, 52]; weights: lip travel of the ICT-FaceKit shapes."""
    jaw, close = motion[:, CHANNEL["jawOpen"]], motion[:, CHANNEL["mouthClose"]]
    lower = motion[:, [CHANNEL["mouthLowerDownLeft"], CHANNEL["mouthLowerDownRight"]]].mean(1)
    upper = motion[:, [CHANNEL["mouthUpperUpLeft"], CHANNEL["mouthUpperUpRight"]]].mean(1)
    return np.maximum(jaw - close, 0.0) + 0.12 * lower + 0.2 * upper


def drive_of(features: AudioFeatures) -> Drive:
    """Return one long neutral chunk that speaks all of `features`."""
    n = len(features)
    emotion = np.zeros((n, N_EMOTIONS), np.float32)
    emotion[:, 0] = 1.0
    ones = np.ones(n, np.float32)
    return Drive(features, emotion, ones, ones, ones * 0, ones * 15, (NoiseSpan("line", 1, 0, n),), 0, n, 0)


def driver_curve(samples: F32) -> F32:
    """Return the opening curve [F] at 25 Hz that the signal-driven driver gives for a recording."""
    from moee_cli.audio.features import extract_features
    from moee_cli.engines.motion.driver import drive_motion

    n_motion = -(-len(samples) // FEATURE_HOP)
    return aperture(drive_motion(drive_of(extract_features([samples], n_motion)), NoiseSource(0)))


def report(name: str, recordings: Sequence[Recording], **names: frozenset[str]) -> None:
    curves = [(driver_curve(recording.samples), recording.phones) for recording in recordings]
    scores = [lip_score(curves, MOTION_FPS, shift=shift, **names) for shift in (0.0, 0.4, -0.4)]
    print(f"{name:24}{len(recordings):10}{scores[0]:8.3f}{scores[1]:10.3f}{scores[2]:10.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", nargs="+", default=FLITE_VOICES, help="flite voices (16 kHz ones)")
    parser.add_argument("--emodb", type=Path, help="folder with emodb_phones.tsv.gz and flac/")
    parser.add_argument("--speakers", nargs="+", default=["13", "14"], help="EmoDB speakers; 13 and 14 are held out")
    options = parser.parse_args()
    print(f"{'voice':24}{'clips':>10}{'AUC':>8}{'+400 ms':>10}{'-400 ms':>10}")
    for voice in options.voices:
        report(f"flite {voice}", [flite_recording(sentence, voice) for sentence in SENTENCES])
    for speaker in options.speakers if options.emodb else ():
        german = {"open_vowels": GERMAN_OPEN_VOWELS, "closures": GERMAN_CLOSURES}
        report(f"EmoDB {speaker}", emodb_recordings(options.emodb, [speaker]), **german)


if __name__ == "__main__":
    main()
