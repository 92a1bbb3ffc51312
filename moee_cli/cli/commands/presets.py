"""`moee presets`: named bundles of settings."""

from __future__ import annotations

EXAMPLES = """
moee presets
moee render film.yaml --preset best,vertical
"""
EXAMPLES = ""


def presets() -> None:
    """X."""
