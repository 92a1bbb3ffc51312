"""Face motion as a NumPy file, all 52 channels exact: the head's translation, and the segments of the film, included.

Arrays: `motion` float32 [n, 52], `channels` [52] names, `fps` int64 [2] (numerator, denominator), `seen` bool [n],
`speaker`, and the segments of that speaker in film order: `segments` ids, `starts` and `lengths` int64 in rows. Row i
is the video frame i of the film. `numpy.load` reads it without pickle.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from moee_cli.core.errors import MotionFileError
from moee_cli.core.labels import CHANNEL, MOTION_CHANNELS, N_MOTION, SHAPES
from moee_cli.core.types import F32
from moee_cli.face.track import MotionTrack, TrackPart, even_times

npy: Any = numpy_format
"""Without types of its own."""
MAX_BYTES = 1 << 29
"""Of one array, unpacked: 28 hours at 25 rows per second."""
_OTHER_BYTES = 1 << 26
"""Of any other array: ids of a million segments."""
_MAX_FPS = 240
_MAX_SHAPE = 2.0
"""Beyond this a shape was written in another unit."""
_DATE = (1980, 1, 1, 0, 0, 0)
"""Of every member: the same motion gives the same bytes."""
_TABLE = ("segments", "starts", "lengths")
"""Arrays that say which rows belong to which segment: all three or none."""
_MEND = "write the file again with `write: [npz]`, or leave `segments`, `starts` and `lengths` out of it"
_OWN = "it is not a motion file: `write: [npz]` makes one"


@dataclass(frozen=True)
class Rows:
    """Which rows of a file belong to which segment."""

    ids: Sequence[str]
    starts: Sequence[int]
    lengths: Sequence[int]


def write_npz(
    file: IO[bytes],
    blocks: Iterable[tuple[F32, NDArray[np.bool_]]],
    fps: Fraction,
    *,
    n_frames: int,
    speaker: str,
    rows: Rows,
) -> None:
    """Write motion in blocks of [n, 52], `n_frames` in all, with what says which of them are seen."""
    seen = np.zeros(n_frames, bool)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(_member("motion"), "w", force_zip64=True) as member:
            header = {"descr": "<f4", "fortran_order": False, "shape": (n_frames, N_MOTION)}
            npy.write_array_header_1_0(member, header)
            done = 0
            for motion, is_seen in blocks:
                member.write(np.ascontiguousarray(motion, "<f4").tobytes())
                seen[done : done + len(motion)] = is_seen
                done += len(motion)
        assert done == n_frames
        others: dict[str, Any] = {
            "channels": np.array(MOTION_CHANNELS),
            "fps": np.array([fps.numerator, fps.denominator], np.int64),
            "seen": seen,
            "speaker": np.array(speaker),
            "segments": np.array(rows.ids, np.str_),
            "starts": np.array(rows.starts, np.int64),
            "lengths": np.array(rows.lengths, np.int64),
        }
        for name, values in others.items():
            with archive.open(_member(name), "w") as member:
                npy.write_array(member, values, allow_pickle=False)


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{name}.npy", _DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def read_npz(path: Path) -> MotionTrack:
    """Return the motion in a file that `write: [npz]` made, or in one with the same arrays.

    `motion`, `channels` and `fps` are needed. Channels go by name, those missing are at rest.

    Raises:
        MotionFileError: it cannot be read as face motion. Nothing in it is executed, and what it unpacks to is bounded.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _track(_Arrays(path.name, archive))
    except OSError as error:
        raise MotionFileError(f"cannot read {path.name}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise MotionFileError(f"{path.name} is not an npz file, or is damaged", _OWN) from None


class _Arrays:
    """The arrays of an archive, each checked before it is unpacked."""

    def __init__(self, name: str, archive: zipfile.ZipFile) -> None:
        self.name = name
        self._archive = archive
        self._members = {info.filename: info for info in archive.infolist()}

    def fail(self, message: str, hint: str | None = None) -> MotionFileError:
        return MotionFileError(f"{self.name}: {message}", hint)

    def get(self, name: str, most: int = _OTHER_BYTES) -> NDArray[Any] | None:
        """Return an array, or None if there is none of that name."""
        info = self._members.get(f"{name}.npy")
        if info is None:
            return None
        with self._archive.open(info) as member:
            try:
                version = npy.read_magic(member)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, in_columns, dtype = read(member)
            except ValueError:
                raise self.fail(f"`{name}` is not an array", _OWN) from None
            if dtype.hasobject:
                raise self.fail(f"`{name}` holds Python objects, which could run code", "save it without pickle")
            # Both the header and the directory may lie: neither makes us take more than this.
            n_bytes = math.prod(shape) * dtype.itemsize
            if n_bytes > most:
                raise self.fail(f"`{name}` unpacks to {n_bytes / 2**20:.0f} MiB, more than {most / 2**20:.0f}")
            data = member.read(n_bytes + 1)
            if len(data) != n_bytes:
                raise self.fail(f"`{name}` is not as long as it says", _OWN)
        return np.frombuffer(data, dtype).reshape(shape, order="F" if in_columns else "C")


def _track(arrays: _Arrays) -> MotionTrack:
    motion, channels, fps = arrays.get("motion", MAX_BYTES), arrays.get("channels"), arrays.get("fps")
    for name, array in (("motion", motion), ("channels", channels), ("fps", fps)):
        if array is None:
            raise arrays.fail(f"has no array `{name}`", _OWN)
    assert motion is not None
    assert channels is not None
    assert fps is not None
    names = [str(name) for name in channels.ravel()] if channels.dtype.kind == "U" else []
    if motion.ndim != 2 or motion.dtype.kind != "f" or motion.shape[1] != len(names):
        raise arrays.fail(f"`motion` is {motion.dtype} {list(motion.shape)}, not one float for each of `channels`")
    if not len(motion):
        raise arrays.fail("`motion` has no rows")
    if not set(names) & set(SHAPES):
        raise arrays.fail("`channels` names no face shape", f"they are called {MOTION_CHANNELS[0]} …")
    _check_twice(arrays, names)
    rate = _rate(arrays, fps)
    values = _values(arrays, motion, names)
    seen = arrays.get("seen")
    times = even_times(len(values), rate)
    kept = np.ones(len(values), bool) if seen is None or seen.shape != times.shape else seen.astype(bool)
    if not kept.any():
        raise arrays.fail("shows no face in any row")
    parts = _parts(arrays, len(values), float(rate))
    return MotionTrack(values[kept], times[kept], float(len(values) / rate), parts)


def _check_twice(arrays: _Arrays, names: Sequence[str]) -> None:
    """Refuse names that stand at several columns: which of them moves the face would be chance."""
    counts = {name: count for name, count in Counter(names).items() if count > 1 and name in CHANNEL}
    if not counts:
        return
    name, count = max(counts.items(), key=lambda pair: pair[1])
    told = f"`channels` names {name} {count} times"
    if len(counts) > 1:
        told += f", and {len(counts) - 1} more names more than once"
    if missing := [channel for channel in MOTION_CHANNELS if channel not in names]:
        told += f"; {missing[0]}" + (f" and {len(missing) - 1} more are" if len(missing) > 1 else " is") + " missing"
    raise arrays.fail(told, "each column of `motion` has a name of its own")


def _rate(arrays: _Arrays, fps: NDArray[Any]) -> Fraction:
    numbers = [float(number) for number in fps.ravel()] if fps.dtype.kind in "iuf" else []
    if len(numbers) not in (1, 2) or not all(math.isfinite(number) and number > 0 for number in numbers):
        raise arrays.fail("`fps` is not a rate", "give the numerator and the denominator, or one number")
    over = Fraction(numbers[0]) / Fraction(numbers[1] if len(numbers) == 2 else 1)
    if not 1 <= over <= _MAX_FPS:
        raise arrays.fail(f"`fps` is {float(over):g}, not from 1 to {_MAX_FPS}")
    return over


def _values(arrays: _Arrays, motion: NDArray[Any], names: Sequence[str]) -> F32:
    """Return motion [n, 52] with the channels in place, shapes held in 0..1."""
    values = np.zeros((len(motion), N_MOTION), np.float32)
    for column, name in enumerate(names):
        if name not in CHANNEL:
            continue
        with np.errstate(over="ignore"):
            given = np.asarray(motion[:, column], np.float32)
        limit = _MAX_SHAPE if name in SHAPES else math.pi
        wrong = np.flatnonzero(~(np.abs(given) <= limit))
        if len(wrong):
            unit = "shapes go from 0 to 1" if name in SHAPES else "angles are in radians"
            raise arrays.fail(f"row {wrong[0]}: {name} is {given[wrong[0]]:g}", unit)
        values[:, CHANNEL[name]] = np.clip(given, 0.0, 1.0) if name in SHAPES else given
    return values


def _parts(arrays: _Arrays, n: int, fps: float) -> tuple[TrackPart, ...]:
    """Return the segments that the table names; a file without a table has none."""
    ids, starts, lengths = table = [arrays.get(name) for name in _TABLE]
    if all(column is None for column in table):
        return ()
    for name, column, kinds in zip(_TABLE, table, ("U", "iu", "iu"), strict=True):
        if column is None or column.dtype.kind not in kinds:
            what = "is missing" if column is None else f"is {column.dtype}"
            raise arrays.fail(f"its table of segments is damaged: `{name}` {what}", _MEND)
    assert ids is not None
    assert starts is not None
    assert lengths is not None
    if not ids.size == starts.size == lengths.size:
        told = f"{ids.size} `segments`, {starts.size} `starts`, {lengths.size} `lengths`"
        raise arrays.fail(f"its table of segments is damaged: {told}", _MEND)
    parts = []
    for name, start, length in zip(
        ids.ravel().tolist(), starts.ravel().tolist(), lengths.ravel().tolist(), strict=True
    ):
        if start < 0 or length < 0 or start + length > n:
            told = f"`{name[:40]}` starts at row {start} and has {length}, but there are {n} rows"
            raise arrays.fail(f"its table of segments is damaged: {told}", _MEND)
        if length:
            parts.append(TrackPart(name, start / fps, length / fps))
    return tuple(parts)
