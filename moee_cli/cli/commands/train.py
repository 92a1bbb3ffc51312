"""`moee train`: data and networks, from what is on this machine."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from moee_cli.cli import console, options
from moee_cli.cli.progress import ProgressMode, reporting
from moee_cli.cli.signals import signals_held
from moee_cli.core.errors import InputError, UsageError
from moee_cli.core.progress import Progress

EXAMPLES = """
moee train data --out corpus --hours 3 -j 2
moee train data --out corpus --speech recordings/
moee train motion --data corpus --out runs/first
moee train motion --data corpus --out runs/first --resume
moee train motion --data corpus --out runs/plain --base runs/first --set network.experts=false
moee train motion --data corpus --out runs/small --set base_steps=2000 --set network.width=96
"""


class Recipe(StrEnum):
    """What can be made."""

    DATA = "data"
    MOTION = "motion"


def train(
    recipe: Annotated[
        Recipe,
        typer.Argument(
            metavar="RECIPE",
            help="data: the corpus that motion is learnt from; motion: the network of the embedded engine.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of what is made; made if missing.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="motion: the corpus to learn from.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="motion: go on from the last checkpoint in --out, if there is one.")
    ] = False,
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="DIR", help="motion: take the finished first stage of another training."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="motion: change the recipe, as in batch=16. May be repeated."),
    ] = None,
    speech: Annotated[
        Path | None,
        typer.Option(
            "--speech",
            metavar="DIR",
            help="data: recorded voices: transcripts.tsv, emotion_labels.tsv, emodb_phones.tsv.gz and flac/.",
        ),
    ] = None,
    hours: Annotated[float, typer.Option("--hours", min=0.01, metavar="H", help="data: hours of speech.")] = 3.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another seed: other data, another network.")] = 0,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, metavar="N", help="data: processes at a time.")] = 1,
    events: options.EventsOption = None,
    progress: options.ProgressOption = ProgressMode.AUTO,
) -> None:
    """Make training data, or train a network.

    `data` lets every synthetic voice that is installed speak, takes recorded voices where --speech names some, and has
    the authored teacher act to them. The same command makes the same data; what an earlier run has made is not made
    again. `motion` trains the network that moves faces from such data; it saves its state every three minutes, and the
    weights beside it can be used at any time.
    """
    only_motion = data is not None or base is not None or settings or resume
    _check_options(recipe, data, speech, only_motion=bool(only_motion))
    with reporting("train", progress, events, recipe=recipe.value) as reporter:
        talk = reporter.say if progress is not ProgressMode.NONE else _ignore
        if recipe is Recipe.DATA:
            made = _make_data(out, speech, hours=hours, seed=seed, jobs=jobs, progress=reporter, talk=talk)
        else:
            assert data is not None
            changes = [f"seed={seed}", *(settings or [])]
            made = _train_motion(data, out, changes, reporter, talk, base=base, resume=resume)
    console.data(str(made))


def _check_options(recipe: Recipe, data: Path | None, speech: Path | None, *, only_motion: bool) -> None:
    if recipe is Recipe.DATA and only_motion:
        raise UsageError("--data, --base, --set and --resume are for `moee train motion`", "leave them out")
    if recipe is Recipe.MOTION and speech is not None:
        raise UsageError("--speech is for `moee train data`", "leave it out")
    if recipe is Recipe.MOTION and data is None:
        raise UsageError("a network needs something to learn from", "say --data DIR; `moee train data` makes one")


def _ignore(line: str) -> None:
    """Say nothing."""


def _make_data(
    out: Path,
    speech: Path | None,
    *,
    hours: float,
    seed: int,
    jobs: int,
    progress: Progress,
    talk: Callable[[str], None],
) -> Path:
    from moee_cli.training.motion.corpus import Settings, make_corpus
    from moee_cli.training.motion.shelf import find_sources

    manifest = make_corpus(out, Settings(find_sources(speech), hours, seed), jobs=jobs, progress=progress)
    found = sorted({voice.split()[0] for entry in manifest["shards"] for voice in entry["voices"]})
    talk(f"{manifest['seconds'] / 3600:.2f} hours in {len(manifest['shards'])} shards, from {', '.join(found)}")
    return out


def _train_motion(
    data: Path,
    out: Path,
    settings: list[str],
    progress: Progress,
    talk: Callable[[str], None],
    *,
    base: Path | None,
    resume: bool,
) -> Path:
    with signals_held():
        from moee_cli.training.denoiser.batches import MotionCorpus
        from moee_cli.training.denoiser.figures import write_figures
        from moee_cli.training.denoiser.loop import Report, train_motion
        from moee_cli.training.denoiser.recipe import MotionRecipe, recipe_with
        from moee_cli.training.motion.clip import MANIFEST, checksum, read_corpus

    recipe = recipe_with(MotionRecipe(), settings)
    if not (data / MANIFEST).is_file():
        told = f"it has no {MANIFEST}" if data.is_dir() else "there is no such folder"
        raise InputError(f"no corpus in {data}: {told}", "make one: moee train data --out DIR")
    progress.start("read")
    corpus = MotionCorpus(read_corpus(data, held_out=False), recipe.frames)
    others = list(read_corpus(data, held_out=True))
    held_out = MotionCorpus(others, recipe.frames) if others else None

    def tell(report: Report) -> None:
        aside = "" if report.held_out is None else f", held-out voices {report.held_out:.4f}"
        talk(f"{report.stage} {report.step}/{report.steps}: loss {report.loss:.4f}{aside}")

    facts = {"corpus": checksum(data / MANIFEST)}
    weights = train_motion(
        recipe, corpus, held_out, out, resume=resume, base=base, progress=progress, on_report=tell, facts=facts
    )
    progress.start("judge")
    for name, value in write_figures(weights, others, out).items():
        talk(f"{name}: {value:.3f}")
    return weights
