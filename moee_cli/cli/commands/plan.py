"""`moee plan`: what a render would do."""

from __future__ import annotations

import json

from moee_cli.cli import console, options

EXAMPLES = """
moee plan film.yaml
moee plan film.yaml --preset vertical --json | jq '.segments[].seconds'
"""


def plan(
    script: options.ScriptArgument,
    *,
    engine: options.EngineOption = None,
    preset: options.PresetOption = None,
    draft: options.DraftOption = False,
    seed: options.SeedOption = None,
    sets: options.SetOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Show what a render would do.

    The timeline with emotions, transitions and pieces, and an estimate of time and memory. Nothing is rendered.
    """
    from moee_cli.workflow.plan import plan as plan_script

    planned = plan_script(options.overrides(engine, preset, seed, sets, draft=draft).open(script))
    if as_json:
        console.data(json.dumps(planned.as_dict(), indent=2, ensure_ascii=False))
        return
    headers = ("start", "seconds", "frames", "segment", "speaker", "run", "starts with", "pieces", "emotion")
    rows = [
        (
            f"{row.start_seconds:.2f}",
            f"{row.seconds:.2f}",
            str(row.n_frames),
            row.id,
            row.speaker,
            str(row.run),
            row.transition,
            str(row.n_pieces),
            row.emotion,
        )
        for row in planned.rows
    ]
    console.data(console.table(headers, rows, right=("start", "seconds", "frames", "run", "pieces")))
    console.data("")
    for output in planned.script.outputs:
        timeline = planned.timelines[output.frame.fps]
        length = console.duration(float(timeline.seconds))
        frames = f"{console.plural(timeline.n_frames, 'frame')} at {timeline.fps} per second"
        name = f": {console.escape(str(output.path))}" if output.path is not None else ""
        console.data(f"{length}, {frames}, {output.frame.width}x{output.frame.height}{name}")
        for file in planned.motion_files(output):
            console.data(f"face motion of {console.escape(file.speaker)}: {console.escape(str(file.path))}")
    memory = planned.estimate_memory_bytes / 2**30
    console.data(f"estimate: {console.duration(planned.estimate_seconds)} to render, {memory:.1f} GiB of memory")
    for warning in planned.warnings:
        console.warn(warning)
