"""The one description of the script format, and the checked script that comes out of it.

The `…Entry` models say which keys a file may have, how each is read and what it means; the reference page, the JSON
Schema and the hints are made from them. `Script` and its parts are what the rest of the program sees: defaults, own
emotion names and variables applied, times exact, paths absolute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from moee_cli.core.errors import OutputError, Problem, UsageError
from moee_cli.core.types import (
    ALPHA_SUFFIXES,
    VIDEO_SUFFIXES,
    Controls,
    EmotionKey,
    Encoding,
    FrameFormat,
    MotionFormat,
    TransitionKind,
)
from moee_cli.script.background import BackgroundValue
from moee_cli.script.positions import Map, Seq, show
from moee_cli.script.values import (
    EngineName,
    FaceChoice,
    FitName,
    GazeName,
    Id,
    InputPath,
    Kind,
    Length,
    Loudness,
    Moment,
    MotionFormatName,
    OutputPath,
    PositiveLength,
    Rate,
    Seed,
    Share,
    Size,
    Take,
    TextValue,
    TransitionValue,
    Truth,
    Unreadable,
    Version,
    integer_kind,
    number_kind,
)

FORMAT_VERSION = 1
"""The newest script format this release reads; older ones are read for ever."""
DEFAULT_ENGINE = "motion"
DEFAULT_PRESET = "balanced"
DEFAULT_INTENSITY = 0.7
AUTO = "auto"
"""`emotion: auto`: found from the transcript."""


def _shown(default: str | float) -> dict[str, Any]:
    """Default for readers of the schema; None in the model means "not written"."""
    return {"default": default}


class Entry(BaseModel):
    """A mapping of the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _check_shape(cls, data: Any) -> Any:
        if not isinstance(data, Map):
            found = "a list" if isinstance(data, Seq) else show(data) if data else "nothing"
            raise Unreadable(f"is {found}, not a mapping of keys")
        return data


def _form(*tags: str) -> Discriminator:
    """Tell the forms of a value apart by shape, so that a fault is reported for the form that was meant."""

    def shape(value: Any) -> str:
        found = "<map>" if isinstance(value, Map) else "<list>" if isinstance(value, Seq) else "<text>"
        return found if found in tags else tags[0]

    return Discriminator(shape)


AsText = Annotated[TextValue, Tag("<text>")]
TextOrList = Annotated[AsText | Annotated[list[TextValue], Tag("<list>")], _form("<text>", "<list>")]

# --- emotions -------------------------------------------------------------------------------------------------------

Mix = Annotated[dict[str, Share], Tag("<map>")]
MixOrName = Annotated[AsText | Mix, _form("<text>", "<map>")]


class KeyframeEntry(Entry):
    """One keyframe of an emotion that changes within a segment; a raised cosine leads from one to the next."""

    at: Moment = Field(description="when it is reached, from the segment's first sample: a time or a percentage")
    emotion: MixOrName = Field(description="a name, a mix of weights, or a short string such as `anger=0.8, fear=0.2`")
    intensity: Share | None = Field(None, description="replaces the segment's intensity at this keyframe")


EmotionValue = Annotated[
    AsText | Mix | Annotated[list[KeyframeEntry], Tag("<list>")], _form("<text>", "<map>", "<list>")
]

# --- the sections of a script ---------------------------------------------------------------------------------------


class CastEntry(Entry):
    """A person of the film."""

    portrait: InputPath = Field(description="picture of the face: PNG, JPEG, WebP …")
    face: FaceChoice | None = Field(
        None,
        description="which face, if there are several: `largest`, `left`, `right`, a number counted from the left "
        "(from 0), or a box `x,y,width,height` in pixels of the picture",
        json_schema_extra=_shown("largest"),
    )
    consent: TextValue | None = Field(
        None, description="note on the person's consent; copied into the sidecar of the output"
    )


class FrameEntry(Entry):
    """Shape and rate of the picture."""

    size: Size | None = Field(
        None, description="width x height in pixels; odd sizes round down to even", json_schema_extra=_shown("512x512")
    )
    scale: Annotated[float, number_kind(0.1, 1)] | None = Field(
        None, description="factor on `size`, for drafts of any shape", json_schema_extra=_shown(1)
    )
    fps: Rate | None = Field(
        None,
        description="video frames per second: a whole number or a ratio; 23.976, 29.97, 59.94 mean the NTSC ratios",
        json_schema_extra=_shown(25),
    )
    fit: FitName | None = Field(
        None,
        description="how a portrait meets the frame: `crop` (head and shoulders), `pad` (the whole picture, its border "
        "carried on), or `source`: the whole picture in its own size, of which only the head moves; with a `size`, as "
        "much of it as fits",
        json_schema_extra=_shown("crop"),
    )
    background: BackgroundValue | None = Field(
        None,
        description='what stands behind the person: `keep`, `blur`, a colour (`"#00b140"` in quotes, or a CSS name '
        "such as `white`), the path of a picture, or `transparent`",
        json_schema_extra=_shown("keep"),
    )


X264_PRESETS = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip


def _x264_preset(text: str) -> str:
    if text not in X264_PRESETS:
        raise Unreadable(f"{show(text)} is not an x264 preset", f"one of {', '.join(X264_PRESETS)}")
    return str(text)


class EncodingEntry(Entry):
    """How picture and sound are encoded; quality presets set these."""

    crf: Annotated[int, integer_kind(0, 51)] | None = Field(
        None, description="x264 quality, lower is better and larger", json_schema_extra=_shown(18)
    )
    x264_preset: Annotated[str, Kind("x264 preset", _x264_preset, {"enum": list(X264_PRESETS)})] | None = Field(
        None, description="x264 speed, `ultrafast` to `placebo`", json_schema_extra=_shown("veryfast")
    )
    audio_bitrate_kbps: Annotated[int, integer_kind(32, 512)] | None = Field(
        None, description="AAC bit rate in kbit/s", json_schema_extra=_shown(160)
    )
    loudness_lufs: Loudness | None = Field(
        None, description="loudness to normalise the sound to, in LUFS, or `off`", json_schema_extra=_shown("off")
    )


class PerformanceEntry(Entry):
    """What a segment may say and `defaults` may say for all."""

    speaker: TextValue | None = Field(
        None, description="who speaks: a name of `cast`; may be left out if there is only one"
    )
    emotion: EmotionValue | None = Field(
        None,
        description="a name (`moee emotions` lists them), weights `{anger: 0.6, fear: 0.2}`, a short string "
        "`anger=0.6, fear=0.2`, keyframes, or `auto` (from the transcript). What is missing to 1 goes to neutral",
        json_schema_extra=_shown("neutral"),
    )
    intensity: Share | None = Field(
        None, description="gain on all that is not neutral, 0 to 1", json_schema_extra=_shown(DEFAULT_INTENSITY)
    )
    gap: Length | None = Field(
        None,
        description="pause before the segment, in which the speaker before it idles",
        json_schema_extra=_shown(0),
    )
    transition: TransitionValue | None = Field(
        None,
        description="how the segment starts: `auto` (blend within a speaker, cut between), `blend`, `cut`, `dissolve`; "
        "blend and dissolve take a length: `dissolve 250ms`. Never changes any length",
        json_schema_extra=_shown("auto"),
    )
    head: Annotated[float, number_kind(0, 2)] | None = Field(
        None, description="gain on head motion, 0 keeps the head still", json_schema_extra=_shown(1)
    )
    gaze: GazeName | None = Field(
        None, description="where the eyes rest: `camera`, or `free`", json_schema_extra=_shown("camera")
    )
    blinks: Annotated[float, number_kind(0, 60)] | None = Field(
        None, description="blinks per minute", json_schema_extra=_shown(15)
    )


class DefaultsEntry(PerformanceEntry):
    """Values for every segment that does not say otherwise."""


class LineEntry(Entry):
    """What only a segment may say."""

    id: Id | None = Field(
        None, description="unique name of the segment; keys its performance. Default: the audio's name without ending"
    )
    take: Take | None = Field(
        None, description="another number asks for another performance of this line", json_schema_extra=_shown(1)
    )
    audio: InputPath | None = Field(None, description="any sound or video file that ffmpeg reads")
    from_: Length | None = Field(None, alias="from", description="where in the audio to start")
    to: Length | None = Field(None, description="where in the audio to stop")
    pause: PositiveLength | None = Field(
        None, description="instead of `audio`: a silence of this length; keeps the previous speaker"
    )
    prompt: TextValue | None = Field(
        None, description="instead of `emotion`: free text such as `holding back tears` (a later release)"
    )
    text: TextValue | None = Field(None, description="the words that are spoken")
    subtitles: InputPath | None = Field(None, description="SRT or VTT file with the words that are spoken")
    motion: InputPath | None = Field(
        None,
        description="face motion from a file instead of sampled: a Live Link Face `.csv`, or an `.npz` of `write`; as "
        "long as the line, or as the whole recording",
    )


class SegmentEntry(PerformanceEntry, LineEntry):
    """One line of the film (`audio`), or a pause (`pause`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["audio"]}, {"required": ["pause"]}],
            "not": {"required": ["emotion", "prompt"]},
            "dependencies": {key: ["audio"] for key in ("from", "to", "text", "subtitles")},
        }
    )


class CaptionsEntry(Entry):
    """Subtitles of the output (a later release)."""

    burn: Truth | None = Field(None, description="draw them into the picture", json_schema_extra=_shown(False))
    write: list[TextValue] | None = Field(None, description="files to write: `srt`, `vtt`")


class OutputEntry(Entry):
    """One of several videos, all drawn from one performance."""

    path: OutputPath = Field(description="file to write; missing folders are made")
    preset: TextOrList | None = Field(
        None, description="presets of this output, on top of the script; they may set `frame` and `encoding`"
    )
    frame: FrameEntry | None = Field(
        None,
        description="picture of this output; what it leaves out is that of the output's presets, then of the script",
    )
    captions: CaptionsEntry | None = Field(None, description="subtitles of this output (a later release)")


Outputs = Annotated[
    Annotated[OutputPath, Tag("<text>")] | Annotated[list[OutputEntry], Tag("<list>")], _form("<text>", "<list>")
]


class ScriptEntry(Entry):
    """A script: who speaks, which audio, which emotion when, how the segments join."""

    moee: Version = Field(description="version of the script format; this page describes 1")
    extends: TextValue | None = Field(
        None, description="a script to build on: mappings are merged, lists replaced, this file wins"
    )
    output: Outputs | None = Field(
        None,
        description="file to write, which ends in `.mp4`, `.m4v` or `.mov`, or, with a transparent background, in "
        "`.mov` or `.webm`; missing folders are made; or a list of several, each with a picture of its own",
        json_schema_extra=_shown("${stem}.mp4"),
    )
    engine: EngineName | None = Field(
        None, description="what makes the motion and the picture", json_schema_extra=_shown(DEFAULT_ENGINE)
    )
    engines: dict[str, dict[str, Any]] | None = Field(None, description="options of each engine, by its name")
    preset: TextOrList | None = Field(
        None,
        description="names of presets (`moee presets`); they compose, later ones win",
        json_schema_extra=_shown(DEFAULT_PRESET),
    )
    seed: Seed | None = Field(None, description="decides all chance", json_schema_extra=_shown(0))
    frame: FrameEntry | None = Field(None, description="shape and rate of the picture")
    encoding: EncodingEntry | None = Field(None, description="how picture and sound are encoded")
    vars: dict[str, TextValue] | None = Field(None, description="texts for `${name}`")
    cast: dict[str, CastEntry] | None = Field(None, description="the persons of the film, by name")
    emotions: dict[str, MixOrName] | None = Field(
        None, description="own emotion names: a mix that may refer to other names and carry an `intensity`"
    )
    defaults: DefaultsEntry | None = Field(None, description="values for every segment that does not say otherwise")
    segments: list[SegmentEntry] = Field(description="the lines and pauses of the film, in order")
    captions: CaptionsEntry | None = Field(None, description="subtitles (a later release)")
    write: list[MotionFormatName] | None = Field(
        None,
        description="also write the face motion beside each video: `arkit-csv` (as the Live Link Face app does), `npz`",
    )
    matrix: dict[str, TextOrList] | None = Field(
        None, description="expand the script into one output per combination (a later release)"
    )
    rows: InputPath | None = Field(
        None, description="expand the script into one output per row of a table (a later release)"
    )


# --- the checked script ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CastMember:
    """A person of the film."""

    name: str
    portrait: Path
    face: str | None = None
    """`largest`, `left`, `right`, a number counted from the left (from 0), or a box `x,y,width,height` in pixels.
    None: nobody chose, which is fine for one face, or one much larger than the others."""
    consent: str | None = None
    where: str = ""


@dataclass(frozen=True)
class Transition:
    """How a segment starts."""

    kind: TransitionKind = TransitionKind.AUTO
    seconds: Fraction | None = None
    """None: the default length of its kind."""


@dataclass(frozen=True)
class Line:
    """One entry of `segments`, or the pause that its `gap` makes; defaults, own names and variables applied."""

    id: str
    speaker: str
    take: int = 1
    audio: Path | None = None
    """None for a pause."""
    start: Fraction | None = None
    """Exact seconds in the audio; None: its beginning."""
    stop: Fraction | None = None
    """Exact seconds in the audio; None: its end."""
    pause: Fraction | None = None
    """Length in seconds, for a pause."""
    emotion: tuple[EmotionKey, ...] = ()
    """Keyframes in order; empty for pauses without an emotion of their own."""
    emotion_given: bool = True
    """False for pauses that ease to a faint rest of what was there before."""
    prompt: str | None = None
    auto: bool = False
    transition: Transition = field(default_factory=Transition)
    controls: Controls = field(default_factory=Controls)
    text: str | None = None
    subtitles: Path | None = None
    motion: Path | None = None
    is_centred: bool = False
    """The gaze of its motion file is turned to rest on the camera (`gaze: camera` beside `motion`)."""
    where: str = ""
    key: str = ""
    """`segments[2]`, for messages."""


@dataclass(frozen=True)
class Output:
    """One video of a script."""

    path: Path | None
    """None: the script comes from standard input and names no output."""
    frame: FrameFormat
    encoding: Encoding
    presets: tuple[str, ...] = ()
    """Names, those of the script first, those of the command line last."""
    source_hash: str = ""
    """SHA-256 over what decides the result; independent of where the project's folder lies."""


@dataclass(frozen=True)
class Script:
    """A script, read and checked."""

    path: Path | None
    stem: str
    outputs: tuple[Output, ...]
    """At least one."""
    engine: str
    engine_options: Mapping[str, Mapping[str, Any]]
    """Of every engine named in the script; scalars are text, typed by the engine's own option model."""
    engine_where: Mapping[str, str]
    """`file:line:column` of `motion` and of `motion.weights`, for faults the engine finds."""
    seed: int
    cast: Mapping[str, CastMember]
    lines: tuple[Line, ...]
    write: tuple[MotionFormat, ...] = ()
    """Files of face motion that are written beside each video."""
    deferred: tuple[Problem, ...] = ()
    """What the format knows and this release cannot do yet, one sentence each."""
    warnings: tuple[Problem, ...] = ()

    def redirected(self, path: Path) -> Script:
        """Return the script with its output at another path.

        Raises:
            UsageError: it has several outputs, or a transparent background and is sent to standard output.
            OutputError: files of that ending do not hold its background.
        """
        if len(self.outputs) > 1:
            names = ", ".join(output.path.name for output in self.outputs if output.path is not None)
            hint = "leave -o out; `--set output=FILE` makes one output of them"
            raise UsageError(f"one output was given for a script that has {len(self.outputs)}: {names}", hint)
        frame = self.outputs[0].frame
        if path == Path("-"):
            if frame.is_transparent:
                hint = f"give -o a file that ends in {' or '.join(ALPHA_SUFFIXES)}"
                raise UsageError("a film with a transparent background cannot go to standard output", hint)
        elif path.suffix.lower() in VIDEO_SUFFIXES and (fault := frame.why_not_in(path.suffix)):
            raise OutputError(f"cannot write {path}: {fault[0]}", fault[1])
        return replace(self, outputs=(replace(self.outputs[0], path=path),))


def input_files(
    path: Path | None, cast: Mapping[str, CastMember], lines: Iterable[Line], frames: Iterable[FrameFormat]
) -> list[Path]:
    """Return the files that a script reads, itself included."""
    recorded = [file for line in lines for file in (line.audio, line.subtitles, line.motion)]
    pictures = [*(member.portrait for member in cast.values()), *(frame.background.picture for frame in frames)]
    return [file for file in dict.fromkeys([path, *pictures, *recorded]) if file is not None]
