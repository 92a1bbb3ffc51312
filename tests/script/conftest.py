"""A project folder with a face and some recordings (empty files: loading looks at names only), and ways to load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from moee_cli.core.errors import Problem, ScriptError
from moee_cli.presets import preset
from moee_cli.script.load import load_script
from moee_cli.script.schema import Script

HEAD = "moee: 1\ncast: {ana: {portrait: ana.png}}\n"
"""The least a script needs besides its segments."""
FILES = ("ana.png", "bo.png", "a.wav", "b.wav", "c.wav", "d.wav", "vo/a.wav", "vo/01.wav", "a.srt")


@dataclass
class Project:
    """A folder that scripts are written to and loaded from."""

    folder: Path

    def write(self, text: str | bytes, name: str = "film.yaml") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def load(self, text: str | bytes, **more: Any) -> Script:
        """Load a script whose messages call it film.yaml."""
        path = self.write(text)
        return load_script(path, **{"name": "film.yaml", "base": self.folder, "presets": preset, **more})

    def segments(self, *segments: str, head: str = HEAD, **more: Any) -> Script:
        """Load a script of these segments, each in flow style."""
        return self.load(head + "segments:\n" + "".join(f"  - {segment}\n" for segment in segments), **more)

    def problems(self, text: str | bytes, **more: Any) -> list[Problem]:
        """Return what is wrong with a script."""
        with pytest.raises(ScriptError) as caught:
            self.load(text, **more)
        return list(caught.value.problems)

    def problem(self, text: str | bytes, **more: Any) -> Problem:
        """Return the only thing that is wrong with a script."""
        (problem,) = self.problems(text, **more)
        return problem

    def segment_problem(self, *segments: str, head: str = HEAD, **more: Any) -> Problem:
        text = head + "segments:\n" + "".join(f"  - {segment}\n" for segment in segments)
        return self.problem(text, **more)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    for name in FILES:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return Project(folder)


@pytest.fixture
def say() -> Callable[[Problem], str]:
    """Return a problem as it is shown, hint included."""
    return lambda problem: f"{problem}\n  hint: {problem.hint}"
