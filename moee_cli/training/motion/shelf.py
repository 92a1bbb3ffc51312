"""All the speech there is, by source and voice, split into voices to learn from and voices to validate with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from moee_cli.core.errors import Unavailable
from moee_cli.training.motion import alignment, espeak, recorded, synthesis
from moee_cli.training.motion.phones import Phone
from moee_cli.training.motion.recorded import Line
from moee_cli.training.motion.recording import Recording
from moee_cli.training.motion.sentences import nonsense, sentence, sentences

SHARES: Mapping[str, float] = {
    "emodb": 0.26, "aligned": 0.24, "flite": 0.18, "festival": 0.08, "espeak": 0.24,
}  # fmt: skip
"""How often each source is heard; a source that is missing leaves its share to the others. Half is real voices, used
many times with other rooms, speeds and emotions, since the network must follow voices like those."""
HELD_OUT_FLITE = frozenset({"awb"})
HELD_OUT_LANGUAGES = frozenset({"sv", "sw"})
HELD_OUT_VARIANTS = ("f5", "m4")
"""Synthetic voices for validation. espeak-ng's variants are voices, so languages and variants are both kept apart."""
VARIANTS = ("", "m1", "m2", "m3", "m6", "m7", "f1", "f2", "f3", "f4", "klatt", "klatt4", "linda", "Mike", "steph",
"caleb", "Andrea", "belinda")  # fmt: skip
"""Variants of espeak-ng to learn from; the empty one is the language's own voice."""
_LANGUAGE_NAMES: Mapping[str, tuple[str, ...]] = {
    "en": ("en", "en-us", "en-gb-scotland"), "fr": ("fr", "fr-be"), "pt": ("pt", "pt-br"), "es": ("es", "es-419"),
}  # fmt: skip
"""Names of espeak-ng's voices where they differ from the language."""


@dataclass(frozen=True)
class Sources:
    """Which speech is used; equal sources give equal recordings."""

    folder: str | None
    """Shared speech (`recorded`), or None."""
    flite: tuple[str, ...]
    festival: tuple[str, ...]
    has_espeak: bool
    has_alignment: bool = False
    """Transcribed recordings can be aligned."""


def find_sources(folder: Path | None) -> Sources:
    """Return what is installed here, with the folder of recorded speech if there is one."""
    return Sources(
        folder=None if folder is None else str(folder),
        flite=synthesis.flite_voices(),
        festival=synthesis.festival_voices(),
        has_espeak=espeak.is_installed(),
        has_alignment=alignment.is_installed(),
    )


class Shelf:
    """Hands out recordings of one voice at a time."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._found: dict[Path, tuple[Phone, ...] | None] = {}

    def voices(self, *, held_out: bool) -> dict[str, float]:
        """Return which sources can speak, and how often each should, summing to 1; empty if none can."""
        have = {
            "emodb": any(True for _ in self._speakers("emodb", held_out=held_out)),
            "aligned": any(True for _ in self._speakers("aligned", held_out=held_out)),
            "flite": bool(self._flite(held_out=held_out)),
            "festival": bool(self.sources.festival) and not held_out,
            "espeak": self.sources.has_espeak,
        }
        total = sum(SHARES[name] for name, there in have.items() if there)
        return {name: SHARES[name] / total for name, there in have.items() if there}

    def take(
        self, source: str, n_recordings: int, generator: np.random.Generator, *, held_out: bool
    ) -> list[Recording]:
        """Return up to `n_recordings` of one voice of a source, chosen by the generator."""
        if source in {"emodb", "aligned"}:
            return self._recorded(source, n_recordings, generator, held_out=held_out)
        if source == "espeak":
            return _espeak(n_recordings, generator, held_out=held_out)
        texts = [sentence("en", generator) for _ in range(n_recordings)]
        stretch = float(np.exp(generator.normal(0.0, 0.13)))
        if source == "festival":
            voice = _one(self.sources.festival, generator)
            return synthesis.festival(texts, voice, [stretch] * n_recordings)
        voice = _one(self._flite(held_out=held_out), generator)
        usual = 170.0 if voice == "slt" else 110.0
        pitch = usual * float(np.exp(generator.normal(0.0, 0.18)))
        return [synthesis.flite(text, voice, stretch=stretch, pitch_hz=pitch) for text in texts]

    def _flite(self, *, held_out: bool) -> tuple[str, ...]:
        return tuple(voice for voice in self.sources.flite if (voice in HELD_OUT_FLITE) is held_out)

    @cached_property
    def _lines(self) -> list[Line]:
        return [] if self.sources.folder is None else recorded.read_lines(Path(self.sources.folder))

    @cached_property
    def _phones(self) -> dict[str, tuple[Phone, ...]]:
        assert self.sources.folder is not None
        return recorded.emodb_phones(Path(self.sources.folder))

    def _speakers(self, source: str, *, held_out: bool) -> dict[str, list[Line]]:
        """Return the lines of each speaker of a source whose phones are known or can be found."""
        found: dict[str, list[Line]] = {}
        for line in self._lines:
            if line.is_held_out is held_out and self._belongs(line, source):
                found.setdefault(line.speaker, []).append(line)
        return found

    def _belongs(self, line: Line, source: str) -> bool:
        if source == "emodb":
            return line.source == "emodb" and line.path.name in self._phones
        return self.sources.has_alignment and line.source != "emodb" and bool(line.transcript)

    def _recorded(
        self, source: str, n_recordings: int, generator: np.random.Generator, *, held_out: bool
    ) -> list[Recording]:
        """Return recordings of one speaker; one who cannot be aligned at all makes room for another."""
        speakers = self._speakers(source, held_out=held_out)
        names = list(speakers)
        weights = np.sqrt([len(speakers[name]) for name in names])
        for speaker in generator.choice(len(names), len(names), replace=False, p=weights / weights.sum()):
            lines = speakers[names[speaker]]
            found: list[Recording] = []
            for index in generator.permutation(len(lines)):
                recording = self.recording(lines[index])
                found += [] if recording is None else [recording]
                if len(found) == n_recordings:
                    break
            if found:
                return found
        raise Unavailable(f"no recording of {source} can be aligned", "leave --speech out")

    def recording(self, line: Line) -> Recording | None:
        """Return a recording with its phones, None if they cannot be found; they are kept, since alignment is slow."""
        if line.path not in self._found:
            if line.source == "emodb":
                phones: tuple[Phone, ...] | None = self._phones[line.path.name]
            else:
                phones = recorded.aligned_phones(line)
            self._found[line.path] = phones
        known = self._found[line.path]
        return None if known is None else recorded.recording_of(line, known)


def _espeak(n_recordings: int, generator: np.random.Generator, *, held_out: bool) -> list[Recording]:
    languages = [language for language in sentences() if (language in HELD_OUT_LANGUAGES) is held_out]
    weights = np.sqrt([len(sentences()[language]) for language in languages])
    language = languages[int(generator.choice(len(languages), p=weights / weights.sum()))]
    variant = _one(HELD_OUT_VARIANTS if held_out else VARIANTS, generator)
    name = _one(_LANGUAGE_NAMES.get(language, (language,)), generator)
    voice = f"{name}+{variant}" if variant else name
    rate, pitch, span = (int(generator.integers(*limits)) for limits in ((115, 215), (20, 80), (25, 80)))
    return [
        espeak.espeak(
            nonsense(generator) if generator.random() < 0.25 else sentence(language, generator),
            voice, words_per_minute=rate, pitch=pitch, pitch_range=span,
        )
        for _ in range(n_recordings)
    ]  # fmt: skip


def _one(choices: Sequence[str], generator: np.random.Generator) -> str:
    return choices[int(generator.integers(len(choices)))]
