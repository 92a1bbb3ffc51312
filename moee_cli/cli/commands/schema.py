"""`moee schema`: the script format for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from moee_cli.cli import console
from moee_cli.store.atomic import write_text

EXAMPLES = """
moee schema
moee schema -o moee-script-1.schema.json
"""


def schema(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="File to write; else standard output.")
    ] = None,
) -> None:
    """Print the JSON Schema of scripts.

    For completion and checks in an editor; draft-07, joined with the options of the engines installed here. An editor
    with the YAML language server finds it by this first line of a script:
    # yaml-language-server: $schema=./moee-script-1.schema.json
    """
    from moee_cli.engines.registry import engine_specs
    from moee_cli.presets import preset_names
    from moee_cli.script.jsonschema import json_schema
    from moee_cli.workflow.scripts import PLANNED_ENGINES

    # A script may name engines to come; what their options will be is open.
    planned = {name: {"type": "object"} for name in PLANNED_ENGINES}
    models = planned | {name: spec.options for name, spec in engine_specs().items()}
    text = json.dumps(json_schema(models, preset_names()), indent=2)
    if output is None or output == Path("-"):
        console.data(text)
        return
    write_text(output, text + "\n")
    console.say(f"wrote {console.escape(str(output))}")
