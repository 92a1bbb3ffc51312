"""Options that several commands share: declared once, with one help text and one meaning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from moee_cli.cli.progress import ProgressMode
from moee_cli.core.errors import UsageError

if TYPE_CHECKING:
    from moee_cli.script.schema import Script


def _engine_names(incomplete: str) -> list[str]:
    from moee_cli.engines.registry import engine_specs

    return [name for name in engine_specs() if name.startswith(incomplete)]


def _preset_names(incomplete: str) -> list[str]:
    from moee_cli.presets import preset_names

    return [name for name in preset_names() if name.startswith(incomplete)]


ScriptArgument = Annotated[str, typer.Argument(metavar="SCRIPT|-", help="Script file, or - for standard input.")]
EngineOption = Annotated[
    str | None,
    typer.Option("--engine", metavar="NAME", help="Engine to use.", autocompletion=_engine_names),
]
PresetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--preset",
        metavar="NAME,..",
        help="Presets, on top of the script's; later ones win. May be repeated.",
        autocompletion=_preset_names,
    ),
]
DraftOption = Annotated[bool, typer.Option("--draft", help="Small and quick, for a first look.")]
SeedOption = Annotated[int | None, typer.Option("--seed", metavar="N", help="Another seed: another performance.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Set any key of the script, as in segments.a03.intensity=0.5. May be repeated.",
    ),
]
DeviceOption = Annotated[str, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda or cuda:N.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Overwrite an output that is not from this script.")]
EventsOption = Annotated[
    str | None,
    typer.Option("--events", metavar="FILE|fd:N", help="Write what happens as JSON lines (docs/events.md)."),
]
ProgressOption = Annotated[ProgressMode, typer.Option("--progress", help="How progress is shown.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class Overrides:
    """What the command line sets on top of a script. Survives pickling, for the workers of a batch."""

    engine: str | None = None
    presets: tuple[str, ...] = ()
    seed: int | None = None
    sets: tuple[str, ...] = ()
    draft: bool = False

    def open(self, source: str, *, is_elsewhere: bool = False) -> Script:
        """Return the script at `source`, checked, with the overrides on top; `is_elsewhere` as in `open_script`.

        Raises:
            ScriptError: the script cannot be used; all problems at once.
            Unavailable: it asks for something that is not here.
        """
        from moee_cli.workflow.scripts import open_script

        return open_script(
            source,
            sets=self.sets,
            engine=self.engine,
            presets=self.presets,
            seed=self.seed,
            draft=self.draft,
            is_elsewhere=is_elsewhere,
        )


def split_commas(values: Iterable[str] | None) -> tuple[str, ...]:
    """Return the values of a repeatable option that also takes several with commas between."""
    parts = (part.strip() for value in values or () for part in value.split(","))
    return tuple(part for part in parts if part)


def overrides(
    engine: str | None, preset: list[str] | None, seed: int | None, sets: list[str] | None, *, draft: bool
) -> Overrides:
    """Return the overrides that the shared options hold.

    Raises:
        UsageError: a `--set` is no `KEY=VALUE`.
    """
    for text in sets or ():
        if not text.partition("=")[0].strip() or "=" not in text:
            raise UsageError(f'--set: "{text}" is not KEY=VALUE', "for example --set defaults.intensity=0.5")
    return Overrides(engine, split_commas(preset), seed, tuple(sets or ()), draft)
