"""`moee presets`: named settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from moee_cli.cli import console, options

EXAMPLES = """
moee presets
moee render film.yaml --preset best,vertical
"""


def presets(*, as_json: options.JsonOption = False) -> None:
    """List the presets: named settings that compose.

    Use them in a script (`preset: [best, vertical]`) or on the command line; later ones win.
    """
    from moee_cli.presets import describe

    known = describe()
    if as_json:
        listed = [
            {"name": preset.name, "description": preset.description, "settings": preset.content} for preset in known
        ]
        console.data(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    rows = [(preset.name, preset.description, ", ".join(_settings(preset.content))) for preset in known]
    console.data(console.table(("preset", "for", "sets"), rows))


def _settings(content: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield `frame.size=1280x720` for every setting."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={value}"
