"""Face motion as the CSV of Epic's Live Link Face app: 52 ARKit shapes, head and eyes, one row per frame.

What the format is was read off seven recordings of the app (60 and 30 rows per second):

- A timecode `HH:MM:SS:FF.mmm` counts 1/60 s in its last part, also in recordings with 30 rows per second, with a
  fraction. It tells the true time: at 59.94 rows per second each row comes 1.001 sixtieths after the last.
- Angles are radians. An eye that looks down has pitch > 0, one that looks to the subject's right yaw > 0: so say the
  eyeLook shapes of the same rows, which reach 1 at `LOOK_ANGLES`.
- None of them had the head switched on. Programs that turn a figure by the app's stream, or send one to Unreal Engine
  (three, which agree), take yaw > 0 to the subject's left, pitch > 0 up and roll > 0 to the subject's right shoulder.
- Rows in which no face was found have a BlendShapeCount of 0.
- Shapes reach 1.08.

It has no place for the head's translation.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NoReturn, TextIO

import numpy as np

from moee_cli.core.errors import MotionFileError
from moee_cli.core.labels import ARKIT_BLENDSHAPES, CHANNEL, HEAD, SHAPES
from moee_cli.core.timebase import round_half_up
from moee_cli.core.types import F32
from moee_cli.face.controls import FULL_LOOK, arkit_of, motion_of
from moee_cli.face.track import F64, MotionTrack

ROTATIONS = (
    "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll",
    "RightEyeYaw", "RightEyePitch", "RightEyeRoll",
)  # fmt: skip
CURVES = (*(f"{name[0].upper()}{name[1:]}" for name in ARKIT_BLENDSHAPES), *ROTATIONS)
"""The columns after `Timecode` and `BlendShapeCount`."""
TIMECODE_RATE = 60
"""Units of the last part of a timecode in a second."""
MAX_ROWS = 1_000_000
"""Over four hours at 60 rows per second; 250 MB in memory."""
MAX_BYTES = 1 << 30
MAX_GAP = 0.2
"""Seconds of missing rows that need no remark: about a syllable, of which a straight line makes a blur at worst."""

LOOK_ANGLES = {"Down": 0.61, "In": 0.60, "Out": 0.60, "Up": 0.44}
"""Angle of an eye, in radians, at which its eyeLook shape is 1, as the recordings show: 0.61 down, 0.59 to 0.62 to the
sides, 0.44 to 0.52 up."""
_HEAD_SIGNS = np.array([1.0, 1.0, -1.0], np.float32)
"""From our yaw, pitch and roll to the file's, and back."""
_HEAD = slice(CHANNEL[HEAD[0]], CHANNEL[HEAD[2]] + 1)
_GAZE_YAW, _GAZE_PITCH = CHANNEL["gazeYaw"], CHANNEL["gazePitch"]
_SHAPE_LIMITS = (-0.5, 2.0)
"""What a shape may be without a doubt about its unit; it is then held in 0..1."""
_N_SHAPES = len(ARKIT_BLENDSHAPES)
_LOOKS = [index for index, name in enumerate(ARKIT_BLENDSHAPES) if name.startswith("eyeLook")]
_WAYS = [re.sub("eyeLook|Left|Right", "", ARKIT_BLENDSHAPES[index]) for index in _LOOKS]
_LOOK_SCALES = np.array([FULL_LOOK / LOOK_ANGLES[way] for way in _WAYS], np.float32)
"""From our eyeLook shapes, all 1 at the same angle, to those of the app."""
_OPTIONAL = {"tongueout", *(name.lower() for name in ARKIT_BLENDSHAPES if name not in SHAPES)}
"""Shapes that a file may lack: the tongue, which the first devices did not see, and those that the eyes tell better."""
_RATES = (24, 25, 30, 48, 50, 60, 100, 120)
"""What the last part of a timecode counts in files of other programs."""
_DAY = 24 * 3600
_ROW = ",".join(["%.10f"] * len(CURVES))
"""As many decimals as the app writes."""


# --- writing --------------------------------------------------------------------------------------------------------


def timecode(frame: int, fps: Fraction) -> str:
    """Return `HH:MM:SS:FF.mmm` of a video frame: its true time in 1/60 s, at any rate; no number is dropped.

    So 29.97 frames per second drift from no clock: frame 1 stands at 00:00:00:02.002. Hours go on after 24.
    """
    units = round_half_up(Fraction(frame) / fps * TIMECODE_RATE * 1000)
    seconds, units = divmod(units, TIMECODE_RATE * 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}:{units // 1000:02d}.{units % 1000:03d}"


def curves_of(motion: F32) -> F32:
    """Return the values [n, 61] of `CURVES` for motion frames [n, 52]; both eyes share the gaze."""
    curves = np.zeros((len(motion), len(CURVES)), np.float32)
    curves[:, :_N_SHAPES] = arkit_of(motion)
    curves[:, _LOOKS] = np.minimum(curves[:, _LOOKS] * _LOOK_SCALES, 1.0)
    curves[:, _N_SHAPES : _N_SHAPES + 3] = motion[:, _HEAD] * _HEAD_SIGNS
    for first in (_N_SHAPES + 3, _N_SHAPES + 6):
        curves[:, first] = -motion[:, _GAZE_YAW]
        curves[:, first + 1] = -motion[:, _GAZE_PITCH]
    return curves + np.float32(0.0)  # no minus before a zero


def write_csv(file: TextIO, blocks: Iterable[tuple[F32, Sequence[bool]]], fps: Fraction) -> None:
    """Write motion, in blocks of [n, 52], from time 0 on; frames that are not seen get a BlendShapeCount of 0."""
    file.write("Timecode,BlendShapeCount," + ",".join(CURVES) + "\n")
    frame = 0
    for motion, seen in blocks:
        for row, is_seen in zip(curves_of(motion).tolist(), seen, strict=True):
            count = len(CURVES) if is_seen else 0
            file.write(f"{timecode(frame, fps)},{count},{_ROW % tuple(row)}\n")
            frame += 1


# --- reading --------------------------------------------------------------------------------------------------------


def read_csv(path: Path) -> MotionTrack:
    """Return the motion in a file of Live Link Face, or of a program that writes the same columns.

    Columns go by name, in any order and case; what has no meaning here is passed over. Rows without a face, and rows
    that step back in time, are left out.

    Raises:
        MotionFileError: it cannot be read as face motion; the message names the line.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MotionFileError(f"{path.name} is larger than a gibibyte", "cut it to what is spoken")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _Reader(path.name).read(file)
    except OSError as error:
        raise MotionFileError(f"cannot read {path.name}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise MotionFileError(f"{path.name} is not UTF-8 text", "save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise MotionFileError(f"{path.name} is not a table: {error}", "save it as CSV") from None


class _Reader:
    """Reads one file; `name` is how messages call it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._line = 1

    def _fail(self, message: str, hint: str | None = None, *, line: int | None = None) -> NoReturn:
        raise MotionFileError(f"{self._name}:{line or self._line}: {message}", hint)

    def read(self, file: TextIO) -> MotionTrack:
        """Return the track."""
        first = file.readline(1 << 16)
        if not first.strip():
            raise MotionFileError(f"{self._name} is empty", "give the CSV that Live Link Face recorded")
        delimiter = max(",;\t", key=first.count)
        header = next(csv.reader([first], delimiter=delimiter))
        columns = self._columns(header)
        codes, curves, lost = self._rows(csv.reader(file, delimiter=delimiter), len(header), columns)
        times = _unwrapped(codes)
        motion = self._motion(curves, [name for name in columns if name not in ("timecode", "blendshapecount")])
        forward = _steps_forward(times)
        kept = np.flatnonzero(forward & ~lost)
        if not len(kept):
            raise MotionFileError(f"{self._name} shows no face in any row", "record it again, with the face in sight")
        if len(times) > 1 and np.count_nonzero(forward) == 1:
            told = f"{self._name}: none of its {len(times)} rows is later than the first"
            raise MotionFileError(told, "timecodes count on from row to row: 00:00:00:02.000 after 00:00:00:00.000")
        step = max(float(np.median(np.diff(times))), 0.0) if len(times) > 1 else 1 / TIMECODE_RATE
        remarks = tuple(f"{self._name}: {told}" for told in (*_steps_back(forward), *_gaps(times[forward], step)))
        return MotionTrack(motion[kept], times[kept], float(times.max()) + step, remarks=remarks)

    def _columns(self, header: Sequence[str]) -> dict[str, int]:
        """Return where each column stands, by its name in small letters."""
        columns: dict[str, int] = {}
        for index, name in enumerate(header):
            plain = _plain_name(name)
            if plain in columns and plain in _KNOWN:
                told = f'has two columns for {_KNOWN[plain]}: "{header[columns[plain]][:40]}" and "{name[:40]}"'
                self._fail(told, "remove one of them: they would move the face in different ways")
            columns.setdefault(plain, index)
        if "timecode" not in columns:
            self._fail("has no column Timecode", "give the CSV that Live Link Face recorded, its first line included")
        wanted = ["blendshapecount", *(curve.lower() for curve in CURVES)]
        missing = [curve for curve in CURVES[:_N_SHAPES] if curve.lower() not in columns | dict.fromkeys(_OPTIONAL, 0)]
        if missing:
            told = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
            self._fail(f"has no column {told}", "the columns are those of Live Link Face: Timecode, EyeBlinkLeft …")
        return {name: columns[name] for name in ["timecode", *wanted] if name in columns}

    def _rows(
        self, rows: Iterator[list[str]], width: int, columns: Mapping[str, int]
    ) -> tuple[list[tuple[int, float]], F32, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
        """Return timecodes (whole seconds, last part), values [n, number of curves], and which rows have no face."""
        count = columns.get("blendshapecount")
        names = [name for name in columns if name not in ("timecode", "blendshapecount")]
        places = [columns[name] for name in names]
        codes: list[tuple[int, float]] = []
        values, lost = array("f"), array("b")
        for number, row in enumerate(rows, start=2):
            self._line = number
            if not any(cell.strip() for cell in row):
                continue
            if len(codes) == MAX_ROWS:
                self._fail(f"has more than {MAX_ROWS} rows", "cut it to what is spoken")
            codes.append(self._code(row[columns["timecode"]] if len(row) > columns["timecode"] else ""))
            is_lost = count is not None and len(row) > count and row[count].strip() in ("0", "0.0")
            lost.append(is_lost)
            if is_lost:
                values.extend([0.0] * len(places))
                continue
            if len(row) < width:
                self._fail(f"has {len(row)} columns, not {width}", "is the file cut off?  remove the line")
            if any(cell.strip() for cell in row[width:]):
                hint = "does a number have a decimal comma?  mend the line, or name every column in the first"
                self._fail(f"has {len(row)} columns, not {width}", hint)
            values.extend([self._number(row[place], name) for place, name in zip(places, names, strict=True)])
        if not codes:
            raise MotionFileError(f"{self._name} has no rows under its header", "record it again")
        return codes, np.asarray(values, np.float32).reshape(len(codes), -1), np.asarray(lost, bool)

    def _code(self, text: str) -> tuple[int, float]:
        found = re.fullmatch(r"(\d{1,4}):(\d{1,2}):(\d{1,2})[:;.](\d{1,3}(?:\.\d*)?)", text.strip())
        if found is None:
            self._fail(f'"{text[:40]}" is not a timecode', "timecodes look like 12:27:47:49.169")
        hours, minutes, seconds = (int(part) for part in found.groups()[:3])
        return hours * 3600 + minutes * 60 + seconds, float(found[4])

    def _number(self, text: str, name: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        low, high = (-np.pi, np.pi) if name in _ANGLES else _SHAPE_LIMITS
        if not low <= value <= high:
            shown = _COLUMN[name]
            if not np.isfinite(value):
                self._fail(f'{shown} is "{text[:40]}", not a number')
            if name in _ANGLES:
                self._fail(f"{shown} is {value:g}: more than half a turn", "angles are in radians")
            self._fail(f"{shown} is {value:g}, but shapes go from 0 to 1", "divide percentages by 100")
        return value

    def _motion(self, curves: F32, names: Sequence[str]) -> F32:
        """Return motion [n, 52] of the values of the curves named."""
        place = {name: index for index, name in enumerate(names)}
        shapes = np.zeros((len(curves), _N_SHAPES), np.float32)
        for index, name in enumerate(ARKIT_BLENDSHAPES):
            if name.lower() in place:
                shapes[:, index] = np.clip(curves[:, place[name.lower()]], 0.0, 1.0)
        shapes[:, _LOOKS] /= _LOOK_SCALES
        motion = motion_of(shapes)
        for index, (name, sign) in enumerate(zip(ROTATIONS[:3], _HEAD_SIGNS, strict=True)):
            if name.lower() in place:
                motion[:, _HEAD.start + index] = sign * curves[:, place[name.lower()]]
        for channel, word in ((_GAZE_YAW, "yaw"), (_GAZE_PITCH, "pitch")):
            eyes = [curves[:, place[f"{side}eye{word}"]] for side in ("left", "right") if f"{side}eye{word}" in place]
            # Programs that do not track eyes fill these columns with zeros: then the eyeLook shapes tell.
            if any(eye.any() for eye in eyes):
                motion[:, channel] = -np.mean(eyes, axis=0)
        return motion + np.float32(0.0)


_ANGLES = frozenset(name.lower() for name in ROTATIONS)
_COLUMN = {name.lower(): name for name in CURVES}
_KNOWN = {**_COLUMN, "timecode": "Timecode", "blendshapecount": "BlendShapeCount"}
_SPELLINGS = {
    **{name[: -len(side)] + side[0]: name for name in _COLUMN for side in ("left", "right") if name.endswith(side)},
    **{f"eye{word}{side}": f"{side}eye{word}" for word in ("yaw", "pitch", "roll") for side in ("left", "right")},
}
"""Names that other programs give the columns: `eyeBlink_L`, `EyeYawLeft`."""


def _plain_name(name: str) -> str:
    """Return the name of a column in small letters, without space and `_`, spelled as the app spells it."""
    plain = re.sub(r"[\s_]+", "", name).lower()
    return plain if plain in _COLUMN else _SPELLINGS.get(plain, plain)


def _rate(codes: Sequence[tuple[int, float]]) -> int:
    """Return what the last part of the timecodes counts in a second, as seen where seconds begin."""
    seconds = np.array([code[0] for code in codes])
    units = np.array([code[1] for code in codes])
    inside, across = np.diff(seconds) == 0, np.diff(seconds) == 1
    if not inside.any() or not across.any():
        return TIMECODE_RATE if units.max() < TIMECODE_RATE else _RATES[-1]
    steps = np.diff(units)
    found = float(np.median(np.median(steps[inside]) - steps[across]))
    nearest = min(_RATES, key=lambda rate: abs(rate - found))
    return nearest if abs(nearest - found) < 0.5 and units.max() < nearest else TIMECODE_RATE


def _unwrapped(codes: Sequence[tuple[int, float]]) -> F64:
    """Return seconds [n] since the first row; midnight does not turn the clock back."""
    rate = _rate(codes)
    times = np.array([code[0] + code[1] / rate for code in codes], np.float64)
    times += _DAY * np.concatenate([[0], np.cumsum(np.diff(times) < -_DAY / 2)])
    return np.asarray(times - times[0], np.float64)


def _steps_forward(times: F64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which rows come after all rows before them, bool [n]."""
    return np.append(True, times[1:] > np.maximum.accumulate(times)[:-1])


def _steps_back(forward: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[str]:
    """Tell how many rows are left out."""
    if not forward.all():
        yield f"rows that step back in time are left out: {np.count_nonzero(~forward)}"


def _gaps(times: F64, step: float) -> Iterator[str]:
    """Tell where rows are missing for long; rows without a face are there, and no fault."""
    missing = np.round(np.diff(times) - step, 3)  # timecodes are not more exact
    where = np.flatnonzero(missing > MAX_GAP)
    if len(where):
        told = ", ".join(f"{missing[index]:.2f} s after {times[index]:.2f} s" for index in where[:3])
        more = f" and {len(where) - 3} more" if len(where) > 3 else ""
        yield f"rows are missing: {told}{more}; the motion goes straight across"
