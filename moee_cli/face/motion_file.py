"""Files of face motion, by the ending of their names."""

from __future__ import annotations

from pathlib import Path

from moee_cli.core.errors import MotionFileError
from moee_cli.face.live_link import read_csv
from moee_cli.face.motion_npz import read_npz
from moee_cli.face.track import MotionTrack

_READERS = {".csv": read_csv, ".npz": read_npz}


def read_motion(path: Path) -> MotionTrack:
    """Return the motion in a file.

    Raises:
        MotionFileError: it is none that is known, or has faults.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise MotionFileError(f"{path.name} is not face motion", f"its name ends in {' or '.join(_READERS)}")
    return reader(path)
