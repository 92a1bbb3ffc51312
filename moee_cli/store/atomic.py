"""Files that stand under their name complete, or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from moee_cli.core.errors import OutputError, from_os_error
from moee_cli.store.abandoned import is_abandoned, owner

TEMPORARY_PREFIX = ".moee-"
TEMPORARY_SUFFIX = ".part"
"""A file named `.moee-*.part` was left by a process that was killed; the next write into the folder removes it."""


def check_target(path: Path) -> Path:
    """Return `path` with links followed, after checking that a file may be put there.

    Raises:
        OutputError: the folder is missing or no folder, or something that is not a plain file has the name
            (a rename would replace a device such as /dev/null).
    """
    real = Path(os.path.realpath(path))
    try:
        if not stat.S_ISDIR(real.parent.stat().st_mode):
            raise OutputError(f"cannot write {path}: {path.parent} is not a folder", "choose another place")
    except FileNotFoundError:
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}", "create it first") from None
    except OSError as error:
        raise from_os_error(error, f"cannot write {path}") from error
    try:
        kind = real.lstat().st_mode
    except FileNotFoundError:
        return real
    except OSError as error:
        raise from_os_error(error, f"cannot write {path}") from error
    if not stat.S_ISREG(kind):
        what = "a folder" if stat.S_ISDIR(kind) else "not a plain file"
        raise OutputError(f"cannot write {path}: it is {what}", "choose another name")
    return real


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """Yield an empty temporary file beside `path`, removed in the end.

    Raises:
        OutputError: nothing can be written there.
        EnvironmentFailed: no space is left.
    """
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{owner()}.{uuid4().hex[:12]}{TEMPORARY_SUFFIX}")
    try:
        try:
            # Not mkstemp: its files are private, but an output has the permissions that the umask gives.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise from_os_error(error, f"cannot write {path}") from error
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield an empty temporary file beside `path`; it takes the name on success and is removed on any exception.

    The content reaches the disk before the name does, so a power cut leaves the old file or the new one.

    Raises:
        OutputError: nothing can be written there.
        EnvironmentFailed: no space is left.
    """
    target = check_target(path)
    _remove_abandoned(target.parent)
    with scratch(target) as temporary:
        yield temporary
        try:
            _flush(temporary)
            temporary.replace(target)
        except OSError as error:
            raise from_os_error(error, f"cannot write {path}") from error


def _remove_abandoned(folder: Path) -> None:
    """Remove temporary files that killed processes of this machine left here."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"):
            if is_abandoned(path.name, TEMPORARY_PREFIX):
                path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file as a whole."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as a whole.

    Raises:
        OutputError: nothing can be written there.
        EnvironmentFailed: no space is left.
    """
    with replacing(path) as temporary:
        try:
            temporary.write_bytes(content)
        except OSError as error:
            raise from_os_error(error, f"cannot write {path}") from error


def _flush(path: Path) -> None:
    # Opened for writing: some systems refuse to flush a file that was opened for reading.
    with path.open("rb+") as file:
        os.fsync(file.fileno())
