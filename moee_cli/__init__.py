"""moee: talking, emotional video from a portrait, recorded lines and a text file.

from moee_cli import load_script, plan, render

script = load_script("film.yaml")
print(plan(script).timeline.seconds)
render(script, output=Path("film.mp4"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["load_script", "plan", "render"]

if TYPE_CHECKING:
    from moee_cli.workflow.plan import plan
    from moee_cli.workflow.render import render
    from moee_cli.workflow.scripts import open_script as load_script

_PLACES = {
    "load_script": ("moee_cli.workflow.scripts", "open_script"),
    "plan": ("moee_cli.workflow.plan", "plan"),
    "render": ("moee_cli.workflow.render", "render"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `moee --help` must not wait for the libraries behind it."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)
