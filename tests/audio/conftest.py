from __future__ import annotations

import runpy
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def say():
    """The formant voice: phones with seconds to samples."""
    return runpy.run_path(str(Path(__file__).parents[1] / "formant_voice.py"))["say"]
