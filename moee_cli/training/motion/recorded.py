"""Recorded voices: the folder of speech that is shared beside the repository (its README says what and whose).

Phone times come from EmoDB's hand-made labels; for transcribed speech from forced alignment (`alignment`).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moee_cli.core.errors import InputError
from moee_cli.core.labels import EMOTIONS
from moee_cli.core.timebase import FEATURE_RATE
from moee_cli.core.types import F32, AudioSpan
from moee_cli.training.motion.alignment import align, dictionary_phones, listed_phones
from moee_cli.training.motion.phones import Phone, fold
from moee_cli.training.motion.recording import Recording

HELD_OUT_EMODB = ("emodb13", "emodb14")
"""Speakers of EmoDB for validation; `visemes.tsv` was not fitted to them either."""
HELD_OUT_SHARE = 10
"""One in so many speakers of the other sources is for validation."""
EMODB_FADE_S = 0.06
"""A clip of EmoDB may be cut in the middle of a sound: its last phones are trusted up to so much before the end."""


@dataclass(frozen=True)
class Line:
    """One recorded file: who speaks, and what is known of it."""

    path: Path
    source: str
    speaker: str
    licence: str
    transcript: str
    phones: str
    """Dictionary phones in ARPAbet, words split by a bar; empty where there are none."""
    emotion: str | None
    """One of `labels.EMOTIONS`, or None."""

    @property
    def is_held_out(self) -> bool:
        """The speaker is for validation."""
        return is_held_out(self.source, self.speaker)


def is_held_out(source: str, speaker: str) -> bool:
    """Tell whether a speaker is for validation; it depends on the name alone."""
    if source == "emodb":
        return speaker in HELD_OUT_EMODB
    return hashlib.sha256(speaker.encode()).digest()[0] % HELD_OUT_SHARE == 0


def read_lines(folder: Path) -> list[Line]:
    """Return what the folder holds, in the order of its table.

    Raises:
        InputError: the folder or its tables are not there.
    """
    try:
        emotions = {row["file"]: row["emotion"] for row in _table(folder / "emotion_labels.tsv")}
        return [_line(folder, row, emotions) for row in _table(folder / "transcripts.tsv")]
    except (OSError, KeyError) as error:
        raise InputError(
            f"no speech in {folder}: {error}", "--speech names a folder with transcripts.tsv, emotion_labels.tsv, flac/"
        ) from error


def _line(folder: Path, row: Mapping[str, str], emotions: Mapping[str, str]) -> Line:
    emotion = emotions.get(row["file"])
    note = row["phones_or_note"]
    return Line(
        path=folder / "flac" / row["file"],
        source=row["source"],
        speaker=row["speaker"],
        licence=row["licence"],
        transcript=row["transcript"],
        phones="" if row["source"] == "emodb" else note,
        # Boredom is none of ours: little energy and no expression.
        emotion="neutral" if emotion == "boredom" else emotion if emotion in EMOTIONS else None,
    )


def emodb_phones(folder: Path) -> dict[str, tuple[Phone, ...]]:
    """Return the hand-made phone times of each file of EmoDB."""
    spoken: dict[str, list[tuple[str, float, float]]] = {}
    path = folder / "emodb_phones.tsv.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                spoken.setdefault(row["file"], []).append((row["phone"], float(row["start"]), float(row["end"])))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}", "--speech names the folder that holds it") from error
    return {name: fold([row for row in rows if row[0][0] not in "(["], "sampa") for name, rows in spoken.items()}


def aligned_phones(line: Line) -> tuple[Phone, ...] | None:
    """Return the phones of a transcribed English line by forced alignment; None where that fails."""
    phones = listed_phones(line.phones) if line.phones else dictionary_phones(line.transcript)
    return None if phones is None else align(read_audio(line.path), phones)


def recording_of(line: Line, phones: tuple[Phone, ...]) -> Recording:
    """Return a recorded file with its phone times; those that reach beyond the end are cut."""
    samples = read_audio(line.path)
    end = len(samples) / FEATURE_RATE
    kept = tuple(
        Phone(phone.name, phone.start, min(phone.stop, end)) for phone in phones if phone.start < end - EMODB_FADE_S
    )
    return Recording(samples, kept, f"{line.source} {line.speaker}", line.emotion)


def read_audio(path: Path) -> F32:
    """Return mono samples at 16 kHz of any audio file, the loudest at 0.7 of full scale."""
    from moee_cli.media.decode import probe_audio, read_mono

    info = probe_audio(path)
    samples = np.concatenate(list(read_mono(AudioSpan(path, 0, info.n_samples, info.rate))))
    return np.asarray(samples * (0.7 / max(float(np.abs(samples).max()), 1e-4)), np.float32)


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
