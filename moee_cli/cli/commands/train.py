"""`moee train`: data and networks, from what is on this machine."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from moee_cli.cli import console, options
from moee_cli.cli.progress import ProgressMode, reporting

EXAMPLES = """
moee train data --out corpus --hours 3 -j 2
moee train data --out corpus --speech recordings/
"""


class Recipe(StrEnum):
    """What can be made."""

    DATA = "data"


def train(
    recipe: Annotated[Recipe, typer.Argument(metavar="RECIPE", help="data: the corpus that motion is learnt from.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of what is made; made if missing.")],
    speech: Annotated[
        Path | None,
        typer.Option("--speech", metavar="DIR", help="data: recorded voices, with transcripts.tsv and flac/."),
    ] = None,
    hours: Annotated[float, typer.Option("--hours", min=0.01, metavar="H", help="data: hours of speech.")] = 3.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Another seed: other data.")] = 0,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, metavar="N", help="Processes at a time.")] = 1,
    events: options.EventsOption = None,
    progress: options.ProgressOption = ProgressMode.AUTO,
) -> None:
    """Make training data, or train a network.

    `data` lets every synthetic voice that is installed speak, takes recorded voices where --speech names some, and has
    the authored teacher act to them. The same command makes the same data; what an earlier run has made is not made
    again.
    """
    from moee_cli.training.motion.corpus import Settings, make_corpus
    from moee_cli.training.motion.shelf import find_sources

    with reporting("train", progress, events, recipe=recipe.value) as reporter:
        settings = Settings(find_sources(speech), hours, seed)
        manifest = make_corpus(out, settings, jobs=jobs, progress=reporter)
    if progress is not ProgressMode.NONE:
        found = sorted({voice.split()[0] for entry in manifest["shards"] for voice in entry["voices"]})
        amount = f"{manifest['seconds'] / 3600:.2f} hours in {len(manifest['shards'])} shards"
        console.say(f"{amount}, from {', '.join(found)}")
    console.data(str(out))
