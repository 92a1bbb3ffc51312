"""The corpus of the motion network: shards of clips, made reproducibly, in parallel, and again only where missing.

A shard depends on the settings, on its number, and on the code of the recipe, and its name says so: what an interrupted
run has made is taken as it is, what another recipe has made is left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from moee_cli.core.errors import InputError, OutputError, Unavailable, from_os_error
from moee_cli.core.progress import Progress
from moee_cli.training.motion import recorded
from moee_cli.training.motion.clip import Clip, checksum, read_shard, write_manifest, write_shard
from moee_cli.training.motion.compose import make_clip
from moee_cli.training.motion.shelf import HELD_OUT_FLITE, HELD_OUT_LANGUAGES, HELD_OUT_VARIANTS, Shelf, Sources

CLIPS_PER_SHARD = 24
SHARD_SECONDS = 300.0
"""What a shard lasts, about: a clip is 12 to 13 s long on average. What was made in truth stands in the manifest."""
HELD_OUT_EVERY = 10
"""One shard in so many holds voices for validation."""
LICENCES: Mapping[str, str] = {
    "flite": "flite 2.2 and its voices: BSD-like, Carnegie Mellon University",
    "festival": "festival and its voices kal, ked, cmu_us_slt_arctic_hts: BSD-like, University of Edinburgh and "
    "Carnegie Mellon University",
    "espeak": "espeak-ng: GPL-3.0-or-later; the sound it makes is not covered",
    "emodb": "EmoDB: CC0-1.0, Burkhardt et al., Interspeech 2005",
    "aligned": "speechocean762: CC BY 4.0, Zhang et al., Interspeech 2021; LJSpeech: public domain, Keith Ito",
    "sentences": "our own",
}
_RECIPE = ("training/motion", "engines/motion/poses.py", "engines/motion/curves.py", "audio/features.py")
"""Code and tables that decide what is in a shard."""
_NO_PART = frozenset({"measures", "expressions", "corpus"})
"""Modules beside them that do not: a better measure must not make the corpus anew."""


SPEECH_TABLES = ("transcripts.tsv", "emotion_labels.tsv", "emodb_phones.tsv.gz")
SPEECH_SOUNDS = "flac"
"""What a folder of recorded voices holds; see `recorded`."""


@dataclass(frozen=True)
class Settings:
    """What decides the corpus, besides the recipe."""

    sources: Sources
    hours: float
    seed: int

    @property
    def n_shards(self) -> int:
        """Shards in all, at least two: one of them holds voices for validation."""
        return max(2, round(self.hours * 3600.0 / SHARD_SECONDS))


def is_held_out(index: int) -> bool:
    """Tell whether a shard holds voices for validation."""
    return index % HELD_OUT_EVERY == 1


def make_corpus(folder: Path, settings: Settings, *, jobs: int, progress: Progress) -> dict[str, Any]:
    """Make what is missing of a corpus in `folder`, write its manifest, and return it.

    Raises:
        InputError: the folder of recorded voices lacks something.
        Unavailable: there is no speech: no synthesiser is installed and no folder was named.
        OutputError: the folder cannot be written.
    """
    if settings.sources.folder is not None:
        _check_speech(Path(settings.sources.folder))
    shelf = Shelf(settings.sources)
    for held_out in (False, True):
        if not shelf.voices(held_out=held_out):
            what = "to validate with" if held_out else "to learn from"
            raise Unavailable(
                f"there is no speech {what}", "apt install flite festival espeak-ng; moee doctor tells more"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_os_error(error, f"cannot write {folder}") from error
    names = [shard_name(settings, index) for index in range(settings.n_shards)]
    missing = [index for index, name in enumerate(names) if not (folder / name).is_file()]
    progress.start("speak and act", len(missing), "shards")
    for _ in _made(folder, settings, missing, jobs):
        progress.advance()
    manifest = {**_about(settings), "shards": [_entry(folder, name, index) for index, name in enumerate(names)]}
    manifest["seconds"] = round(sum(entry["seconds"] for entry in manifest["shards"]), 2)
    write_manifest(folder, manifest)
    return manifest


def _check_speech(folder: Path) -> None:
    """Refuse a folder of recorded voices that lacks something, before hours of work."""
    missing = [name for name in SPEECH_TABLES if not (folder / name).is_file()]
    missing += [] if (folder / SPEECH_SOUNDS).is_dir() else [f"{SPEECH_SOUNDS}/"]
    if missing:
        told = f"it has no {', '.join(missing)}" if folder.is_dir() else "there is no such folder"
        wanted = f"{', '.join(SPEECH_TABLES)} and {SPEECH_SOUNDS}/"
        raise InputError(f"no speech in {folder}: {told}", f"--speech names a folder with {wanted}")


def shard_name(settings: Settings, index: int) -> str:
    """Return the file name of a shard; it names the recipe and everything else that decides what is in it."""
    there = {**asdict(settings.sources), "folder": settings.sources.folder is not None}
    said = repr((recipe_hash(), sorted(there.items()), settings.seed, CLIPS_PER_SHARD, HELD_OUT_EVERY))
    kind = "valid" if is_held_out(index) else "train"
    return f"{kind}-{index:04d}-{hashlib.sha256(said.encode()).hexdigest()[:10]}.npz"


def shard_clips(settings: Settings, index: int) -> list[Clip]:
    """Return the clips of one shard; equal settings and index give equal clips."""
    shelf, held_out = _shelf(settings.sources), is_held_out(index)
    return [
        make_clip(shelf, np.random.default_rng([settings.seed, index, number]), held_out=held_out)
        for number in range(CLIPS_PER_SHARD)
    ]


@cache
def _shelf(sources: Sources) -> Shelf:
    """Return the shelf of this process: alignments are found once."""
    return Shelf(sources)


@cache
def recipe_hash() -> str:
    """Return a hash of the code and tables that decide what is in a shard."""
    package = Path(str(files("moee_cli")))
    digest = hashlib.sha256()
    for name in _RECIPE:
        path = package / name
        for file in sorted(path.rglob("*") if path.is_dir() else [path]):
            if file.suffix in {".py", ".tsv"} and file.stem not in _NO_PART:
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _made(folder: Path, settings: Settings, missing: list[int], jobs: int) -> Iterator[int]:
    """Make the missing shards and yield their numbers as they are done."""
    if jobs == 1 or len(missing) < 2:
        for index in missing:
            yield _make(folder, settings, index)
        return
    # Fresh processes: audio libraries have threads, which a fork would break.
    with ProcessPoolExecutor(min(jobs, len(missing)), mp_context=get_context("spawn")) as pool:
        waiting: set[Future[int]] = {pool.submit(_make, folder, settings, index) for index in missing}
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            for future in waiting:
                future.cancel()


def _make(folder: Path, settings: Settings, index: int) -> int:
    write_shard(folder / shard_name(settings, index), shard_clips(settings, index))
    return index


def _entry(folder: Path, name: str, index: int) -> dict[str, Any]:
    clips = read_shard(folder / name)
    return {
        "file": name,
        "sha256": checksum(folder / name),
        "held_out": is_held_out(index),
        "clips": len(clips),
        "seconds": round(sum(clip.seconds for clip in clips), 2),
        "voices": sorted({clip.voice for clip in clips}),
    }


def _about(settings: Settings) -> dict[str, Any]:
    """Return what the manifest says of the sources: licences, checksums, voices held out; no paths of this machine."""
    sources = settings.sources
    tables: dict[str, str] = {}
    if sources.folder is not None:
        folder = Path(sources.folder)
        for name in SPEECH_TABLES:
            try:
                tables[name] = checksum(folder / name)
            except OSError as error:
                raise OutputError(
                    f"cannot read {folder / name}: {error.strerror}", "--speech names its folder"
                ) from error
    return {
        "seed": settings.seed,
        "recipe": recipe_hash(),
        "sources": {**{name: value for name, value in asdict(sources).items() if name != "folder"}, "recorded": tables},
        "licences": dict(LICENCES),
        "held_out": {
            "flite": sorted(HELD_OUT_FLITE),
            "espeak_languages": sorted(HELD_OUT_LANGUAGES),
            "espeak_variants": sorted(HELD_OUT_VARIANTS),
            "emodb": sorted(recorded.HELD_OUT_EMODB),
        },
    }
