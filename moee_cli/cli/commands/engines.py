"""`moee engines`: what can render here."""

from __future__ import annotations

import json

from moee_cli.cli import console, options

EXAMPLES = """
moee engines
moee engines --json
"""


def engines(*, as_json: options.JsonOption = False) -> None:
    """List the engines installed here: what they are, what they need, how far they are."""
    from moee_cli.engines.registry import engine_specs

    specs = engine_specs().values()
    if as_json:
        listed = [
            {
                "name": spec.name,
                "summary": spec.summary,
                "status": spec.status,
                "devices": list(spec.requirements.devices),
                "memory_bytes": spec.requirements.memory_bytes,
                "needs_download": spec.requirements.needs_download,
                "frames_per_second": spec.frames_per_second,
                "weights_licence": spec.weights_licence,
                "options": sorted(spec.options.model_fields),
            }
            for spec in specs
        ]
        console.data(json.dumps(listed, indent=2))
        return
    rows = [
        (
            spec.name,
            ", ".join(spec.requirements.devices),
            f"{spec.requirements.memory_bytes / 2**30:.1f} GiB",
            f"{spec.frames_per_second:.0f}",
            spec.weights_licence,
            spec.summary,
        )
        for spec in specs
    ]
    headers = ("name", "runs on", "memory", "frames/s", "weights", "summary")
    console.data(console.table(headers, rows, right=("memory", "frames/s")))
    console.data("")
    for spec in specs:
        console.data(f"{spec.name}: {console.escape(spec.status)}")
