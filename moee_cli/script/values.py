"""How each kind of scalar is read from what was typed; one `Kind` also says what an editor and the reference page show.

The schema annotates its keys with these kinds. A reader gets text and returns a value, or raises `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic_core import core_schema

from moee_cli.core.suggest import did_you_mean
from moee_cli.core.timebase import NTSC
from moee_cli.core.types import FRAME_SIDES, VIDEO_SUFFIXES, Fit, Gaze, MotionFormat, TransitionKind
from moee_cli.script.positions import Map, Seq, Text, shorten, show


class Unreadable(ValueError):
    """A value is not what its key needs; `hint` says what is."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, eq=False)
class Kind:
    """Pydantic annotation of a scalar: how it is read, what it is called, what an editor accepts."""

    name: str
    """As in the reference page and in "expected a time, found a list"."""
    read: Callable[[Text], Any]
    json: Mapping[str, Any]
    """JSON Schema of the value as an editor sees it, after YAML typed it."""

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        return dict(self.json)

    def check(self, value: object) -> Any:
        """Return the value of a scalar.

        Raises:
            Unreadable: it is a list, a mapping, missing, or the reader refuses it.
        """
        return self.read(scalar(value, self.name))


def scalar(value: object, expected: str) -> Text:
    """Return a value that must be a single text.

    Raises:
        Unreadable: it is a list or a mapping, or nothing was written.
    """
    if isinstance(value, Map | Seq):
        found = "a mapping" if isinstance(value, Map) else "a list"
        raise Unreadable(f"is {found}, not {_article(expected)}")
    assert isinstance(value, Text)
    if value.is_missing:
        raise Unreadable("has no value", f"write {_article(expected)}, or remove the key")
    return value


def _article(name: str) -> str:
    return name if name.startswith(("a ", "an ", "one ")) else f"{'an' if name[0] in 'aeio' else 'a'} {name}"


# --- numbers --------------------------------------------------------------------------------------------------------

_DECIMAL = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})")
_INTEGER = re.compile(r"[+-]?[0-9]+")
MAX_DIGITS = 30
"""Digits of a whole number; Python refuses to read thousands."""
VARIABLE = r"\$\{"


def _read_number(low: float, high: float) -> Callable[[Text], float]:
    def read(text: Text) -> float:
        if not _DECIMAL.fullmatch(text):
            raise Unreadable(f"{show(text)} is not a number", f"write a number from {low:g} to {high:g}")
        value = float(text)
        if not low <= value <= high:
            raise Unreadable(f"{shorten(text)} is not from {low:g} to {high:g}")
        return value

    return read


def _read_integer(low: int, high: int) -> Callable[[Text], int]:
    def read(text: Text) -> int:
        if not _INTEGER.fullmatch(text):
            raise Unreadable(f"{show(text)} is not a whole number", f"write a whole number from {low} to {high}")
        if len(text) > MAX_DIGITS or not low <= int(text) <= high:
            raise Unreadable(f"{shorten(text)} is not from {low} to {high}")
        return int(text)

    return read


def _or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    """Let an editor accept a variable where the value comes from one."""
    return {"anyOf": [schema, {"type": "string", "pattern": VARIABLE}]}


def number_kind(low: float, high: float) -> Kind:
    """Return the kind of a number in [low, high]."""
    span = {"minimum": low, "maximum": high}
    return Kind(f"number {low:g} to {high:g}", _read_number(low, high), _or_variable({"type": "number", **span}))


def integer_kind(low: int, high: int) -> Kind:
    """Return the kind of a whole number in [low, high]."""
    span = {"minimum": low, "maximum": high}
    name = f"whole number from {low}" if high >= MAX_SEED else f"whole number {low} to {high}"
    return Kind(name, _read_integer(low, high), _or_variable({"type": "integer", **span}))


MAX_SEED = 2**63 - 1

_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _read_bool(text: Text) -> bool:
    if text.lower() not in _TRUTH:
        raise Unreadable(f"{show(text)} is neither true nor false")
    return _TRUTH[text.lower()]


def _read_loudness(text: Text) -> float | None:
    return None if text.lower() in ("off", "no", "none", "false") else _read_number(-40, -5)(text)


# --- names ----------------------------------------------------------------------------------------------------------


def _read_enum(values: type[StrEnum]) -> Callable[[Text], StrEnum]:
    def read(text: Text) -> StrEnum:
        names = [value.value for value in values]
        if text.lower() not in names:
            raise Unreadable(
                f"{show(text)} is not one of {', '.join(names)}", did_you_mean(text, names).strip() or None
            )
        return values(text.lower())

    return read


def choice_kind(name: str, values: type[StrEnum]) -> Kind:
    """Return the kind of one name out of an enumeration."""
    return Kind(name, _read_enum(values), _or_variable({"type": "string", "enum": [value.value for value in values]}))


def _read_text(text: Text) -> str:
    return str(text)


def _read_id(text: Text) -> str:
    if not text.strip(" .") or text != text.strip() or ID_UNFIT.search(text):
        raise Unreadable(
            f"{show(text)} cannot be an id", "an id has no comma, ~, slash, line break or space at its ends"
        )
    return str(text)


ID_UNFIT = re.compile(r"[,~/\\\x00-\x1f\x7f]")
"""What an id may not hold: `--only` separates ids by commas, `~` marks the ids of pauses."""


def _read_engine(text: Text) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9._-]{0,63}", text):
        raise Unreadable(f"{show(text)} is not the name of an engine", "`moee engines` lists them")
    return str(text)


def _read_version(text: Text) -> int:
    if not _INTEGER.fullmatch(text) or len(text) > MAX_DIGITS:
        raise Unreadable(f"{show(text)} is not a version of the script format", "write `moee: 1`")
    return int(text)


def _read_face(text: Text) -> str:
    if text.lower() in ("largest", "left", "right"):
        return text.lower()
    spelled = re.sub(r"\s+", "", text)
    if re.fullmatch(r"[0-9]{1,3}", spelled):
        return str(int(spelled))
    if re.fullmatch(r"[0-9]{1,5}(,[0-9]{1,5}){3}", spelled):
        if "0" in [str(int(part)) for part in spelled.split(",")[2:]]:
            raise Unreadable(f"the box {show(text)} is empty", "a box is x,y,width,height in pixels")
        return spelled
    raise Unreadable(
        f"{show(text)} does not say which face",
        "write largest, left, right, a number, or a box x,y,width,height in pixels",
    )


# --- times ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Time:
    """A length or a moment as typed: exact seconds, or a number of video frames."""

    value: Fraction
    in_frames: bool = False

    def seconds(self, fps: Fraction) -> Fraction:
        """Return exact seconds at a video frame rate."""
        return self.value / fps if self.in_frames else self.value


_TIME = re.compile(
    r"(?P<seconds>[0-9]{1,9}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})\s*(?P<unit>s|ms)?"
    r"|(?P<frames>[0-9]{1,9})\s*f"
    r"|(?:(?P<h>[0-9]{1,4}):)?(?P<m>[0-9]{1,4}):(?P<s>[0-9]{1,2}(?:\.[0-9]{0,30})?)"
)
TIME_HINT = "write 1.5, 1.5s, 600ms, 00:17, 00:01:02.5 or 37f"
_CLOCK_PARTS = 60
_MANY_DIGITS = re.compile(r"[0-9]{5,}")


def read_time(text: str) -> Time:
    """Return the time a text spells.

    Raises:
        Unreadable: it is no time, or a negative one.
    """
    spelled = text.strip().lower()
    found = _TIME.fullmatch(spelled)
    if found is None:
        if spelled.startswith("-") and _TIME.fullmatch(spelled[1:].lstrip()):
            raise Unreadable(f"{show(text)} is negative", "times count forwards from 0")
        if _TIME.fullmatch(_MANY_DIGITS.sub("1000", spelled)):
            raise Unreadable(f"{show(text)} has too many digits for a time", TIME_HINT)
        raise Unreadable(f"{show(text)} is not a time", TIME_HINT)
    if found["frames"]:
        return Time(Fraction(int(found["frames"])), in_frames=True)
    if found["seconds"]:
        return Time(_exact(found["seconds"]) / (1000 if found["unit"] == "ms" else 1))
    hours, minutes, seconds = int(found["h"] or 0), int(found["m"]), _exact(found["s"])
    if seconds >= _CLOCK_PARTS or (found["h"] and minutes >= _CLOCK_PARTS):
        raise Unreadable(f"{show(text)} is not a time: a minute has 60 seconds, an hour 60 minutes", TIME_HINT)
    return Time(hours * 3600 + minutes * 60 + seconds)


def _exact(decimal: str) -> Fraction:
    return Fraction(f"0{decimal}" if decimal.startswith(".") else decimal.removesuffix("."))


def _read_positive_time(text: Text) -> Time:
    time = read_time(text)
    if time.value == 0:
        raise Unreadable(f"{show(text)} has no length", "leave the pause out, or give it a length such as 600ms")
    return time


def _read_moment(text: Text) -> Time | float:
    """Read `at`: a time, or a percentage of the segment."""
    spelled = text.strip()
    if not spelled.endswith("%"):
        return read_time(text)
    share = spelled[:-1].rstrip()
    if not _DECIMAL.fullmatch(share) or not 0 <= float(share) <= 100:
        raise Unreadable(f"{show(text)} is not from 0% to 100%")
    return float(share) / 100


@dataclass(frozen=True)
class TransitionWish:
    """A transition as typed."""

    kind: TransitionKind
    length: Time | None = None


def _read_transition(text: Text) -> TransitionWish:
    word, _, rest = text.strip().partition(" ")
    names = [kind.value for kind in TransitionKind]
    if word.lower() not in names:
        hint = f"{did_you_mean(word, names)}write auto, cut, blend or dissolve, the last two with a length if you like"
        raise Unreadable(f"{show(text)} is not a transition", hint)
    kind = TransitionKind(word.lower())
    if not rest.strip():
        return TransitionWish(kind)
    if kind in (TransitionKind.AUTO, TransitionKind.CUT):
        raise Unreadable(
            f"{show(text)}: {kind.value} has no length", f"write {kind.value} alone, or dissolve {rest.strip()}"
        )
    return TransitionWish(kind, read_time(rest.strip()))


# --- picture --------------------------------------------------------------------------------------------------------

MIN_SIDE, MAX_SIDE = FRAME_SIDES
_MAX_FPS = 120
_UNSIGNED = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30}")
_NEAR_NTSC = Fraction(1, 50)
"""Frames per second by which a rounded NTSC rate may differ from it; 24000/1001 is 0.024 from a whole number."""
_MAX_DENOMINATOR = 100_000


def read_size(text: str) -> tuple[int, int]:
    """Return width and height of a text such as `512x512`, as it was typed.

    Raises:
        Unreadable: it is no size, or beyond the limits.
    """
    found = re.fullmatch(rf"([0-9]{{1,{MAX_DIGITS}}})\s*[xX×]\s*([0-9]{{1,{MAX_DIGITS}}})", text.strip())
    if not found:
        raise Unreadable(f"{show(text)} is not a size", "write width x height in pixels, such as 512x512")
    width, height = int(found[1]), int(found[2])
    if not (MIN_SIDE <= width <= MAX_SIDE and MIN_SIDE <= height <= MAX_SIDE):
        raise Unreadable(f"{width}x{height} is not from {MIN_SIDE}x{MIN_SIDE} to {MAX_SIDE}x{MAX_SIDE}")
    return width, height


def _read_fps(text: Text) -> Fraction:
    spelled = text.strip()
    exact = _exact(spelled) if _UNSIGNED.fullmatch(spelled) else None
    for name, ratio in NTSC.items():
        if exact == Fraction(name):
            return ratio
    parts = [part.strip() for part in spelled.split("/")]
    if exact is not None and exact.denominator == 1:
        fps = exact
    elif len(parts) == 2 and all(re.fullmatch(rf"[0-9]{{1,{MAX_DIGITS}}}", part) for part in parts):
        if int(parts[1]) == 0:
            raise Unreadable(f"{show(text)} divides by zero")
        fps = Fraction(int(parts[0]), int(parts[1]))
    else:
        raise Unreadable(f"{show(text)} is not a frame rate", _rate_hint(exact))
    if not 1 <= fps <= _MAX_FPS:
        raise Unreadable(f"{shorten(text)} frames per second is not from 1 to {_MAX_FPS}")
    return fps


def _rate_hint(exact: Fraction | None) -> str:
    usual = "write a whole number, a ratio such as 30000/1001, or 23.976, 29.97, 59.94"
    if exact is None or not 1 <= exact <= _MAX_FPS:
        return usual
    for name, ratio in NTSC.items():
        if abs(exact - ratio) < _NEAR_NTSC:
            return f"write {name}, which stands for {ratio}"
    return f"as a ratio it is {exact.limit_denominator(_MAX_DENOMINATOR)}; or {usual}"


# --- paths ----------------------------------------------------------------------------------------------------------

_PROTOCOLS = (
    "async", "cache", "concat", "concatf", "crypto", "data", "fd", "file", "gopher", "hls", "icecast", "ipfs", "mmsh",
    "pipe", "rtmp", "rtp", "rtsp", "sctp", "srt", "subfile", "tcp", "tee", "tls", "udp", "unix",
)  # fmt: skip
"""What ffmpeg takes for a protocol even without `//`."""
_PLAYLISTS = (".m3u8", ".m3u", ".pls", ".asx", ".xspf", ".mpd", ".ffconcat", ".sdp", ".ism", ".smil", ".ram")


def _read_path(text: Text) -> Path:
    """Return a path, relative ones from the folder of the file that contains them."""
    if not text or "\0" in text:
        raise Unreadable(f"{show(text)} is not a path")
    path = Path(text)
    if text.startswith("~/"):
        path = path.expanduser()
    return text.mark.source.base / path


def _read_output(text: Text) -> Path:
    path = _read_path(text)
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        told = f"{path.suffix} is not a video format" if path.suffix else "its name does not say which video format"
        raise Unreadable(f"{show(text)}: {told}", f"end it in {', '.join(VIDEO_SUFFIXES)}")
    return path


def read_input(text: Text) -> Path:
    """Return the path of a file that is read: on this machine, and no playlist.

    Raises:
        Unreadable: it is an address, a playlist or no path.
    """
    scheme = text.partition(":")[0].lower()
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) or (":" in text and scheme in _PROTOCOLS):
        raise Unreadable(
            f"{show(text)} is not a file on this machine", "download it first; remote inputs are not opened"
        )
    if text.lower().endswith(_PLAYLISTS):
        raise Unreadable(f"{show(text)} is a playlist", "name the media file itself")
    return _read_path(text)


# --- the kinds ------------------------------------------------------------------------------------------------------

_ANY_SCALAR: Mapping[str, Any] = {"type": ["string", "number", "boolean"]}
_STRING: Mapping[str, Any] = {"type": "string", "minLength": 1}
_TIME_PATTERN = (
    r"^\s*(([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*([sS]|[mM][sS])?|[0-9]+\s*[fF]|([0-9]+:)?[0-9]+:[0-9]{1,2}(\.[0-9]*)?)\s*$"
)
_TIME_JSON = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": f"{_TIME_PATTERN}|{VARIABLE}"}]}
_MOMENT_JSON = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": rf"{_TIME_PATTERN}|^\s*([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*%\s*$|{VARIABLE}"},
    ]
}
_TRANSITION_PATTERN = (
    rf"^\s*([aA][uU][tT][oO]|[cC][uU][tT]|([bB][lL][eE][nN][dD]|[dD][iI][sS][sS][oO][lL][vV][eE])( .*)?)\s*$|{VARIABLE}"
)

TextValue = Annotated[str, Kind("text", _read_text, _ANY_SCALAR)]
Id = Annotated[str, Kind("id", _read_id, _ANY_SCALAR)]
EngineName = Annotated[str, Kind("engine", _read_engine, _STRING)]
Version = Annotated[int, Kind("format version", _read_version, {"type": "integer", "minimum": 1})]
Truth = Annotated[bool, Kind("true or false", _read_bool, _or_variable({"type": "boolean"}))]
Seed = Annotated[int, integer_kind(0, MAX_SEED)]
Take = Annotated[int, integer_kind(1, 1_000_000)]
Share = Annotated[float, number_kind(0, 1)]
Length = Annotated[Time, Kind("time", read_time, _TIME_JSON)]
PositiveLength = Annotated[Time, Kind("time", _read_positive_time, _TIME_JSON)]
Moment = Annotated[Time | float, Kind("time or percentage", _read_moment, _MOMENT_JSON)]
TransitionValue = Annotated[
    TransitionWish, Kind("transition", _read_transition, {"type": "string", "pattern": _TRANSITION_PATTERN})
]
Size = Annotated[
    tuple[int, int],
    Kind(
        "width x height",
        read_size,
        {"type": "string", "pattern": rf"^\s*[0-9]{{2,5}}\s*[xX×]\s*[0-9]{{2,5}}\s*$|{VARIABLE}"},
    ),
]
_NTSC_NAMES = "|".join(map(re.escape, NTSC))
_RATE_JSON = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": _MAX_FPS},
        {"enum": [float(name) for name in NTSC]},
        {"type": "string", "pattern": rf"^\s*([0-9]+(\s*/\s*[1-9][0-9]*)?|{_NTSC_NAMES})\s*$|{VARIABLE}"},
    ]
}
Rate = Annotated[Fraction, Kind("frame rate", _read_fps, _RATE_JSON)]
Loudness = Annotated[
    float | None,
    Kind(
        "loudness",
        _read_loudness,
        {"anyOf": [{"type": "number", "minimum": -40, "maximum": -5}, {"enum": ["off", False]}, {"pattern": VARIABLE}]},
    ),
]
FitName = Annotated[Fit, choice_kind("fit", Fit)]
GazeName = Annotated[Gaze, choice_kind("gaze", Gaze)]
MotionFormatName = Annotated[MotionFormat, choice_kind("motion format", MotionFormat)]
FaceChoice = Annotated[str, Kind("face", _read_face, {"type": ["string", "integer"], "minimum": 0, "minLength": 1})]
InputPath = Annotated[Path, Kind("path", read_input, _STRING)]
_OUTPUT_PATTERN = rf"\.([mM][pP]4|[mM]4[vV]|[mM][oO][vV])$|{VARIABLE}"
OutputPath = Annotated[Path, Kind("path", _read_output, {"type": "string", "pattern": _OUTPUT_PATTERN})]
