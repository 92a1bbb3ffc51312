"""A folder for the files of one job, gone when the job ends however it ends."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moee_cli.core.errors import Unavailable
from moee_cli.store.abandoned import is_abandoned, owner
from moee_cli.store.paths import cache_folder


@contextmanager
def work_folder() -> Iterator[Path]:
    """Yield an empty folder under the cache folder; remove it at the end, and those that killed jobs left behind.

    Raises:
        Unavailable: the cache folder cannot be written.
    """
    parent = cache_folder() / "work"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(parent)
        folder = Path(tempfile.mkdtemp(prefix=f"{owner()}.", dir=parent))
    except OSError as error:
        hint = "set MOEE_CACHE to a folder that can be written"
        raise Unavailable(f"cannot make a work folder in {parent}: {error.strerror or error}", hint) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.iterdir():
        if is_abandoned(folder.name):
            shutil.rmtree(folder, ignore_errors=True)
