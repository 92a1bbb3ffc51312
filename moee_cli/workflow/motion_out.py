"""`write`: the face motion of a film, in files beside each video."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.errors import from_os_error
from moee_cli.core.labels import N_MOTION
from moee_cli.core.types import F32, MotionFormat, Timeline
from moee_cli.face.live_link import write_csv
from moee_cli.face.motion_npz import Rows, write_npz
from moee_cli.store.atomic import replacing

if TYPE_CHECKING:
    from moee_cli.workflow.studio import Moves

_ENDINGS = {MotionFormat.ARKIT_CSV: ".arkit.csv", MotionFormat.NPZ: ".motion.npz"}
_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
"""What the name of a file may not hold somewhere."""
_BLOCK = 1024
"""Frames that are read back at once."""
_ROW_BYTES = N_MOTION * 4


@dataclass(frozen=True)
class MotionFile:
    """A file of face motion to be."""

    path: Path
    format: MotionFormat
    speaker: str


def motion_files(video: Path, formats: Sequence[MotionFormat], timeline: Timeline) -> tuple[MotionFile, ...]:
    """Return what `write` puts beside a video: `film.arkit.csv`; with several speakers, `film.ana.arkit.csv` for each.

    A speaker's file has one row for each frame of the film, so that all of them keep step with it.
    """
    speakers = timeline.speakers
    names = [""] if len(speakers) == 1 else [f".{name}" for name in _file_names(speakers)]
    return tuple(
        MotionFile(video.with_name(f"{video.stem}{name}{_ENDINGS[kind]}"), kind, speaker)
        for kind in formats
        for speaker, name in zip(speakers, names, strict=True)
    )


def _file_names(speakers: Sequence[str]) -> list[str]:
    """Return names of speakers that can stand in the name of a file, each another."""
    names: list[str] = []
    for speaker in speakers:
        plain = name = _UNFIT.sub("-", speaker)
        count = 1
        while name.casefold() in (taken.casefold() for taken in names):
            count += 1
            name = f"{plain}-{count}"
        names.append(name)
    return names


class MotionSpool:
    """Keeps the motion of each speaker, frame by frame, on disk: memory does not grow with the film."""

    def __init__(self, folder: Path, timeline: Timeline) -> None:
        self._timeline = timeline
        self._seen = {name: np.zeros(timeline.n_frames, bool) for name in timeline.speakers}
        rate = f"{timeline.fps.numerator}-{timeline.fps.denominator}"
        self._paths = {name: folder / f"motion-{rate}-{number}" for number, name in enumerate(timeline.speakers)}
        for path in self._paths.values():
            path.touch()

    def add(self, first: int, moves: Moves) -> None:
        """Take the motion of the frames of the film from `first` on, and that of those who idle through dissolves."""
        stop = first + len(moves.own[1])
        speaker, outgoing = moves.outgoing
        self._put(speaker, stop - len(outgoing), outgoing)
        speaker, incoming = moves.incoming
        self._put(speaker, first, incoming)
        self._put(moves.own[0], first, moves.own[1])

    def _put(self, speaker: str, first: int, motion: F32) -> None:
        if speaker not in self._paths or not len(motion):  # somebody of whom only a dissolve is rendered
            return
        path = self._paths[speaker]
        self._seen[speaker][first : first + len(motion)] = True
        try:
            with path.open("r+b") as file:
                file.seek(first * _ROW_BYTES)
                file.write(np.ascontiguousarray(motion, "<f4").tobytes())
        except OSError as error:
            raise from_os_error(error, "cannot keep the motion of the film") from None

    def blocks(self, speaker: str) -> Iterator[tuple[F32, NDArray[np.bool_]]]:
        """Yield motion [n, 52] of all frames of the film, at rest where the speaker is not seen, and which are seen."""
        with self._paths[speaker].open("rb") as file:
            for first in range(0, self._timeline.n_frames, _BLOCK):
                n = min(_BLOCK, self._timeline.n_frames - first)
                data = file.read(n * _ROW_BYTES).ljust(n * _ROW_BYTES, b"\0")
                yield np.frombuffer(data, "<f4").reshape(n, N_MOTION), self._seen[speaker][first : first + n]


def describe_motion(file: MotionFile) -> dict[str, str]:
    """Return a motion file as plain values, for the sidecar and `moee plan --json`."""
    return {"file": file.path.name, "format": file.format.value, "speaker": file.speaker}


@contextmanager
def motion_beside(files: Sequence[MotionFile], spool: MotionSpool, timeline: Timeline) -> Iterator[None]:
    """Write motion files under temporary names; they take their own when the block, which makes the video, ends well.

    Raises:
        OutputError, EnvironmentFailed: one cannot be written.
    """
    with ExitStack() as stack:
        for file in files:
            temporary = stack.enter_context(replacing(file.path))
            try:
                _write(file, temporary, spool, timeline)
            except OSError as error:
                raise from_os_error(error, f"cannot write {file.path}") from None
        yield


def _write(file: MotionFile, path: Path, spool: MotionSpool, timeline: Timeline) -> None:
    if file.format is MotionFormat.ARKIT_CSV:
        with path.open("w", encoding="utf-8", newline="") as text:
            write_csv(text, ((motion, seen.tolist()) for motion, seen in spool.blocks(file.speaker)), timeline.fps)
        return
    own = [segment for segment in timeline.segments if segment.speaker == file.speaker]
    rows = Rows(
        [segment.id for segment in own],
        [segment.start_frame for segment in own],
        [segment.n_frames for segment in own],
    )
    target: IO[bytes]
    with path.open("wb") as target:
        n = timeline.n_frames
        write_npz(target, spool.blocks(file.speaker), timeline.fps, n_frames=n, speaker=file.speaker, rows=rows)
