"""Are joins visible? Frame-to-frame change of the motion at chunk and segment joins against all other frames.

    python benchmarks/joins.py examples/letter.yaml

Change is the root mean square over the 44 shapes, and over the head's three angles, from one video frame to the next.
A join is invisible when its change lies within the ordinary ones: printed are the median and 95th percentile of the
ordinary frames, and of the frames at joins inside runs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from moee_cli.core.labels import SHAPES
from moee_cli.core.progress import Silent
from moee_cli.engines.runtime import Runtime
from moee_cli.workflow.plan import plan
from moee_cli.workflow.scripts import open_script
from moee_cli.workflow.studio import open_studio


def main() -> None:
    """Print one row per group of channels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="+", type=Path)
    arguments = parser.parse_args()
    groups = {"shapes": slice(0, len(SHAPES)), "head": slice(len(SHAPES), len(SHAPES) + 3)}
    changes: dict[str, dict[str, list[float]]] = {
        name: {"ordinary": [], "chunk joins": [], "segment joins": []} for name in groups
    }
    for path in arguments.scripts:
        planned = plan(open_script(str(path)))
        segments = planned.timeline.segments
        with open_studio(planned, {segment.id for segment in segments}, Runtime(), Silent()) as studio:
            performance = studio.performances[planned.timeline.fps]
            for index, segment in enumerate(segments):
                after = index + 1 < len(segments) and segments[index + 1].run == segment.run
                motion = performance.at_frames(index, 0, segment.n_frames)
                if after:
                    motion = np.vstack([motion, performance.at_frames(index + 1, 0, 1)])
                steps = np.diff(motion, axis=0)
                chunk_joins = np.zeros(len(steps), bool)
                for chunk in performance.plan(index)[1:]:
                    start = round(chunk.start * planned.timeline.fps / 25)
                    chunk_joins[start : start + round(planned.spec.overlap * planned.timeline.fps / 25)] = True
                for name, columns in groups.items():
                    size = np.sqrt((steps[:, columns] ** 2).mean(1))
                    inner = len(size) - after
                    changes[name]["segment joins"] += list(size[inner:])
                    changes[name]["chunk joins"] += list(size[:inner][chunk_joins[:inner]])
                    changes[name]["ordinary"] += list(size[:inner][~chunk_joins[:inner]])
    print(f"{'':10}{'':16}{'frames':>8}{'median':>10}{'p95':>10}{'largest':>10}")
    for name, kinds in changes.items():
        for kind, values in kinds.items():
            if values:
                low, high = np.percentile(values, [50, 95])
                print(f"{name:10}{kind:16}{len(values):8}{low:10.5f}{high:10.5f}{max(values):10.5f}")


if __name__ == "__main__":
    main()
