"""Folders of the user's system: cache, models, logs. Nothing here creates a folder; who writes does.

`MOEE_CACHE` and `MOEE_MODELS` win over the platform's own places (XDG on Linux, `~/Library` on macOS).
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

APP = "moee"


def _chosen(variable: str, default: Path) -> Path:
    """Return the folder an environment variable names, absolute; `default` if it is unset or empty."""
    value = os.environ.get(variable, "")
    return Path(value).expanduser().absolute() if value else default


def cache_folder() -> Path:
    """Return the folder of what can be computed again: motion, pieces."""
    return _chosen("MOEE_CACHE", platformdirs.user_cache_path(APP, appauthor=False))


def models_folder() -> Path:
    """Return the folder of downloaded weights."""
    return _chosen("MOEE_MODELS", platformdirs.user_data_path(APP, appauthor=False) / "models")


def log_folder() -> Path:
    """Return the folder of crash logs."""
    return platformdirs.user_log_path(APP, appauthor=False)


def user_config() -> Path:
    """Return the file of the user's own defaults for every script; it need not exist."""
    return platformdirs.user_config_path(APP, appauthor=False) / "config.yaml"
