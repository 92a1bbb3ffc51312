"""What synthetic voices say: sentences of our own in many languages, and words that mean nothing."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np

_ONSETS = (
    "",
    "p",
    "b",
    "m",
    "f",
    "v",
    "t",
    "d",
    "n",
    "s",
    "z",
    "k",
    "g",
    "l",
    "r",
    "w",
    "sh",
    "ch",
    "y",
    "h",
    "pl",
    "br",
)
_VOWELS = ("a", "a", "e", "i", "o", "u", "ai", "au", "o", "a")
_CODAS = ("", "", "", "m", "p", "b", "n", "s", "f", "k", "l", "t")
"""Spellings that most languages of the Latin alphabet read alike; lips and open vowels are over-represented, because
measures and viewers look at them."""


@cache
def sentences() -> dict[str, tuple[str, ...]]:
    """Return the sentences of each language."""
    text = (files("moee_cli.training.motion") / "sentences.tsv").read_text("utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            language, _, sentence = line.partition("\t")
            found[language] = (*found.get(language, ()), sentence)
    return found


def sentence(language: str, generator: np.random.Generator) -> str:
    """Return one sentence of a language."""
    known = sentences()[language]
    return known[int(generator.integers(len(known)))]


def nonsense(generator: np.random.Generator) -> str:
    """Return three to six words of one to three syllables: sequences of sounds that no sentence has."""
    words = []
    for _ in range(int(generator.integers(3, 7))):
        syllables = int(generator.integers(1, 4))
        words.append("".join(_one(generator, _ONSETS) + _one(generator, _VOWELS) for _ in range(syllables)))
        words[-1] += _one(generator, _CODAS)
    return " ".join(words) + "."


def _one(generator: np.random.Generator, choices: tuple[str, ...]) -> str:
    return choices[int(generator.integers(len(choices)))]
