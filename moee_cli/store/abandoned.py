"""Whose temporary file is this? Names carry machine and process, so that what a killed process left can be removed."""

from __future__ import annotations

import os
import platform


def owner() -> str:
    """Return the part of a temporary name that says who made it: `host.process`."""
    return f"{platform.node() or 'localhost'}.{os.getpid()}"


def is_abandoned(name: str, prefix: str = "") -> bool:
    """Say whether a process of this machine that is no more made `name`: prefix, its `owner()`, a dot, anything."""
    host, _, _ = owner().rpartition(".")
    start = f"{prefix}{host}."
    process = name.removeprefix(start).partition(".")[0]
    return name.startswith(start) and process.isdecimal() and not _is_running(int(process))


def _is_running(process: int) -> bool:
    if os.name == "nt":
        return True  # signal 0 would end the process there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
