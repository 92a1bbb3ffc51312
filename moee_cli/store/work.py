"""A folder for the files of one job, gone when the job ends however it ends."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moee_cli.core.errors import Unavailable
from moee_cli.store.paths import cache_folder


@contextmanager
def work_folder() -> Iterator[Path]:
    """Yield an empty folder under the cache folder; remove it at the end, and those that killed jobs left behind.

    Raises:
        Unavailable: the cache folder cannot be written.
    """
    parent = cache_folder() / "work"
    host = platform.node() or "localhost"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(parent, host)
        folder = Path(tempfile.mkdtemp(prefix=f"{host}.{os.getpid()}.", dir=parent))
    except OSError as error:
        hint = "set MOEE_CACHE to a folder that can be written"
        raise Unavailable(f"cannot make a work folder in {parent}: {error.strerror or error}", hint) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path, host: str) -> None:
    """Remove work folders of processes of this machine that are no more."""
    for folder in parent.glob(f"{host}.*.*"):
        process = folder.name.removeprefix(f"{host}.").partition(".")[0]
        if process.isdecimal() and not _is_running(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":
        return True  # signal 0 would end the process there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
