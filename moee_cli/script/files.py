"""Whether the files a script names are there, and which one was meant if not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from moee_cli.core.suggest import did_you_mean
from moee_cli.script.positions import Text

PictureFault = Callable[[Path], tuple[str, str | None] | None]
"""Says why a file that is there is no usable picture, and what to do; None where it is one."""
MAX_LISTED = 500
"""Files of a folder that a hint looks through."""
MAX_HINTS = 20
"""Missing files that get such a hint; if more are missing, it is the folder that is wrong."""


def file_fault(file: Path) -> str | None:
    """Return why a file cannot be an input, or None."""
    try:
        if file.is_dir():
            return "is a folder"
        if not file.exists():
            return "does not exist"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "is not a path"
    return None


def where_paths_start(written: Text) -> str:
    """Return a hint on what a path that leads nowhere counts from."""
    if written.startswith("~"):
        return "`~/` is your own home folder; that of somebody else needs its whole path"
    if Path(written).is_absolute():
        return "check the path"
    folder = "the folder of the file they are in" if written.mark.source.is_file else "the current folder"
    return f"paths start from {folder}"


class Files:
    """Remembers what was found, so that a file or folder is looked at once.

    `picture` looks into pictures; without it they need only be there.
    """

    def __init__(self, picture: PictureFault = lambda _file: None) -> None:
        self._picture = picture
        self._picture_faults: dict[Path, tuple[str, str | None] | None] = {}
        self._faults: dict[Path, str | None] = {}
        self._names: dict[Path, list[str]] = {}
        self._n_hints = 0

    def fault(self, file: Path) -> str | None:
        """Return why a file cannot be an input, or None."""
        if file not in self._faults:
            self._faults[file] = file_fault(file)
        return self._faults[file]

    def picture_fault(self, file: Path) -> tuple[str, str | None] | None:
        """Return why a file that is there is no usable picture, and what to do; None where it is one."""
        if file not in self._picture_faults:
            self._picture_faults[file] = self._picture(file)
        return self._picture_faults[file]

    def hint(self, file: Path, written: Text) -> str:
        """Return what to do about a file that is not there: its nearest neighbour, or where paths start."""
        near = ""
        if self._n_hints < MAX_HINTS and self._faults.get(file) == "does not exist":
            self._n_hints += 1
            near = did_you_mean(file.name, self._listed(file.parent))
        return near.strip() or where_paths_start(written)

    def _listed(self, folder: Path) -> list[str]:
        if folder not in self._names:
            try:
                self._names[folder] = [
                    entry.name for entry, _ in zip(folder.iterdir(), range(MAX_LISTED), strict=False)
                ]
            except OSError:
                self._names[folder] = []
        return self._names[folder]
