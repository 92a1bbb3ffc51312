"""`moee emotions`: the names, and the mix behind each."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from moee_cli.cli import console, options
from moee_cli.core.errors import InputError, Unavailable
from moee_cli.core.labels import ALIASES, COMPOUNDS, EMOTIONS

EXAMPLES = """
moee emotions
moee emotions furious
moee emotions "anger=0.6, disgust=0.2" --json
"""


def emotions(
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT|-]", help="A name or a mix, or - for standard input.")
    ] = None,
    *,
    as_json: options.JsonOption = False,
) -> None:
    """List the names of emotions, or show the mix that a name means.

    What is missing to 1 in a mix is neutral. Case, space, _ and - do not matter in names.
    """
    if text is None:
        _list(as_json=as_json)
        return
    mix = _resolve(sys.stdin.read().strip() if text == "-" else text.strip())
    console.data(json.dumps(mix) if as_json else _in_words(mix))


def _list(*, as_json: bool) -> None:
    if as_json:
        names = {
            "emotions": EMOTIONS,
            "aliases": dict(ALIASES),
            "compounds": {k: dict(v) for k, v in COMPOUNDS.items()},
        }
        console.data(json.dumps(names, indent=2))
        return
    aliases = {name: ", ".join(alias for alias, meant in ALIASES.items() if meant == name) for name in EMOTIONS}
    console.data(console.table(("emotion", "also called"), aliases.items()))
    console.data("")
    console.data(console.table(("compound", "mix"), ((name, _in_words(mix)) for name, mix in COMPOUNDS.items())))


def _in_words(mix: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:.3g}" for name, weight in mix.items())


def _resolve(text: str) -> dict[str, float]:
    """Return the weights above 0 that a name or a short string stands for.

    Raises:
        InputError: it is meant as one and is none.
        Unavailable: it is free text.
    """
    from moee_cli.script.emotions import EmotionBook, EmotionFault
    from moee_cli.script.positions import Map, Mark, Source
    from moee_cli.script.report import Report

    nothing_written = Report(Map(Mark(Source("", Path()))))
    try:
        weights = EmotionBook({}, nothing_written).mix(text).weights
    except EmotionFault as fault:
        if "=" in text or len(text.split()) <= 1 or "did you mean" in (fault.hint or ""):
            raise InputError(fault.message, fault.hint) from None
        hint = "give a name (`moee emotions` lists them) or a mix such as `anger=0.6, fear=0.2`"
        raise Unavailable("emotions cannot be found from free text in this release", hint) from None
    return {name: round(weight, 6) for name, weight in zip(EMOTIONS, weights, strict=True) if weight > 0}
