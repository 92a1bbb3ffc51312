"""What `background` means as typed: a word, a colour, or the path of a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from moee_cli.core.suggest import did_you_mean
from moee_cli.core.types import Background, BackgroundKind
from moee_cli.script.positions import Text, show
from moee_cli.script.values import VARIABLE, Kind, Unreadable, read_input, scalar

WORDS = {kind.value: kind for kind in (BackgroundKind.KEEP, BackgroundKind.BLUR, BackgroundKind.TRANSPARENT)}
_HEX = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_PATH_MARKS = re.compile(r"[./\\]")
"""What a path has and no word: a file without ending is named `./wall`."""
_HINT = 'write keep, blur, transparent, a colour such as white or "#00b140", or the path of a picture'


def read_background(text: Text) -> Background:
    """Return the background that a text spells.

    Raises:
        Unreadable: it is no word of the format, no colour, and does not look like a path.
    """
    word = text.strip().lower()
    if word in WORDS:
        return Background(WORDS[word])
    if _HEX.fullmatch(word):
        return Background(BackgroundKind.COLOUR, _from_hex(word))
    if _PATH_MARKS.search(text):
        return Background(BackgroundKind.PICTURE, picture=read_input(text))
    if word.startswith("#"):
        raise Unreadable(f"{show(text)} is not a colour", 'a colour has three or six digits: "#0b4" or "#00b140"')
    names = _colour_names()
    if word not in names:
        raise Unreadable(f"{show(text)} is not a background", f"{did_you_mean(word, [*WORDS, *names])}{_HINT}")
    return Background(BackgroundKind.COLOUR, _from_hex(names[word]))


def _from_hex(spelled: str) -> tuple[int, int, int]:
    """Return red, green, blue of `#rgb` or `#rrggbb`."""
    digits = spelled[1:]
    pairs = [digit * 2 for digit in digits] if len(digits) == 3 else [digits[at : at + 2] for at in (0, 2, 4)]
    red, green, blue = (int(pair, 16) for pair in pairs)
    return red, green, blue


def _colour_names() -> dict[str, str]:
    """Return the names of CSS colours, with `#rrggbb` for each."""
    from PIL import ImageColor

    return {name: spelled for name, spelled in ImageColor.colormap.items() if isinstance(spelled, str)}


@dataclass(frozen=True, eq=False)
class _BackgroundKind(Kind):
    """A kind that knows why nothing may stand there: YAML takes ` #` for the start of a comment."""

    def check(self, value: object) -> Any:
        """Return the background; raises as `Kind.check`."""
        if isinstance(value, Text) and value.is_missing:
            raise Unreadable("has no value", 'a colour that starts with # needs quotes: "#00b140"')
        return self.read(scalar(value, self.name))


_JSON = {
    "anyOf": [
        {"enum": list(WORDS)},
        {"type": "string", "pattern": rf"^\s*([#a-zA-Z][0-9a-zA-Z]*)\s*$|[./\\]|{VARIABLE}"},
    ]
}
BackgroundValue = Annotated[Background, _BackgroundKind("background", read_background, _JSON)]
