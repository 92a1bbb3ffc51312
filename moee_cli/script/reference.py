"""The reference page of the script format, made from the models that read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from moee_cli.core.labels import ALIASES, COMPOUNDS, EMOTIONS
from moee_cli.script import schema
from moee_cli.script.jsonschema import SCHEMA_NAME
from moee_cli.script.values import Kind

_SECTIONS: Mapping[type[BaseModel], str] = {
    schema.ScriptEntry: "Top level",
    schema.CastEntry: "cast",
    schema.FrameEntry: "frame",
    schema.EncodingEntry: "encoding",
    schema.DefaultsEntry: "defaults",
    schema.SegmentEntry: "segments",
    schema.KeyframeEntry: "keyframes",
    schema.CaptionsEntry: "captions",
    schema.OutputEntry: "output as a list",
}

_INTRODUCTION = """\
# The script

<!-- Made from moee_cli/script/schema.py by moee_cli/script/reference.py; a test keeps it current. Do not edit. -->

A script is one YAML file: who speaks, which audio, which emotion when, how the segments join. Format version {version}.

```yaml
# yaml-language-server: $schema=./{schema_name}
moee: 1
cast: {{ana: {{portrait: ana.png}}}}
segments:
  - {{audio: hello.wav, emotion: happiness}}
  - {{audio: news.wav, from: 12.5s, to: "00:17", emotion: {{sadness: 0.6, surprise: 0.4}}, intensity: 0.5}}
  - pause: 600ms
  - id: turn
    audio: turn.wav
    emotion: [{{at: 0s, emotion: neutral}}, {{at: 40%, emotion: "anger=0.8, disgust=0.2", intensity: 0.9}}]
```

`moee check SCRIPT` reports every problem of a file at once (beyond a thousand they are counted); `moee schema` writes
the JSON Schema for editors.
"""

_READING = """\
## Reading

- Every value is read as text and typed by its key, so `no`, `007`, `1:30` and dates mean what was typed.
- Unknown keys and keys given twice are errors. Keys that begin with `x-` are ignored: a place for anchors. `&anchor`,
  `*anchor` and `<<` work; tags (`!!float`) do not.
- A file is UTF-8, or UTF-16 with a byte order mark; it holds one document, indented with spaces.
- `${name}` is replaced by an entry of `vars`, `${stem}` by the script's file name without ending, `${id}` by the
  segment's id, `${env:NAME}` by an environment variable. `$${` is a literal `${`. Inside `{ }` and `[ ]` a value with
  `${...}` must be in quotes. An unknown variable is an error. Keys are not replaced.
- Paths are relative to the file that contains them; those of the command line, and those of a script read from
  standard input, to the current folder. `~/` is the home folder. Addresses (`https://…`) and playlists are refused.
- Times: `1.5` and `1.5s` (seconds), `600ms`, `00:17` (minutes:seconds), `00:01:02.5`, `37f` (video frames).

## Layers

Default < user config < preset < script < `preset` of an output < `frame` of an output < command line. Mappings are
merged key by key; lists, texts and emotion mixes are replaced.

- `extends` puts a script on top of another one, which may extend a third. Variables are replaced after merging, so a
  script can set a variable that the file it extends uses. The path itself may hold `${stem}`, `${env:NAME}` and `vars`
  of the file it is in.
- `preset` names parts of scripts that ship with moee. They compose, later ones win. Presets of the command line
  (`--preset`, `--draft`) are added after those of the script and win over the script's own keys.
- `--set key.key=value` sets one value, lists and mappings in YAML: `--set 'segments.a03.emotion={anger: 0.5}'`.
  Segments go by id, or by number from 0: `segments[2].take=2`; keyframes by number: `segments.b02.emotion.0.at=10%`.
"""

_EMOTION = """\
## Emotions

Names are blind to case, space, `_` and `-`: {names}. Other words for them: {aliases}. Named mixes: {compounds}.

- A weight sum below 1 leaves the rest to neutral; above 1 is an error, and so are two words for one emotion in a mix.
- `intensity` is a gain on all that is not neutral, also on what `auto` or `prompt` find. A keyframe's own replaces
  it.
- Own names (`emotions`) may refer to other names. They may replace a named mix or another word, but none of the seven;
  a word that is replaced takes no others along: after `happy: {{fear: 1}}`, `joyful` is happiness still. An
  `intensity` in an own name is its usual strength: it takes the place of `defaults.intensity`, and a segment's own
  `intensity` takes its place. Inside a mix it scales that name's share.
- Keyframes: `at` counts from the segment's first sample; before the first and after the last one the emotion holds.

## Several outputs

```yaml
output:
  - {{path: "${{stem}}-square.mp4", preset: square}}
  - {{path: "${{stem}}-vertical.mp4", preset: [vertical, best]}}
  - {{path: "out/${{stem}}-wide.mp4", frame: {{size: 1280x720, fps: 50}}}}
```

- Sound, emotion and motion are made once; each output draws them in a picture of its own. It is, bit for bit, what the
  script would make if it had that output alone.
- An output starts from the script's `frame` and `encoding`, the script's presets included. Its own `preset` may set
  keys of these two sections, its own `frame` comes above that, and the command line wins over all outputs: `--draft`
  makes each smaller, `--set encoding.crf=20` holds for each, `--set output.0.frame.fps=30` for the first.
- Outputs of one frame rate share one performance. Those of another rate are performed again, as a segment starts on a
  whole frame and its sound moves along; times in frames (`37f`) count at the `fps` of the script's own `frame`.
- Two outputs never share a path, and none is a file that the script reads. An output that cannot be finished leaves
  those that can.
- `-o FILE` is for scripts with one output; `--set output=FILE` makes one of several.

## Segments in order

- `id` is the audio's name without ending if it is not given (`,`, `~` and slashes become `-`). It keys the
  performance: a line keeps it when others are inserted or moved. A file that is used twice needs two ids.
- A pause keeps the previous speaker and eases to a faint rest of what was there before, a fifth of its intensity,
  unless it has an emotion of its own; a pause after a pause, or a gap after one, eases to a fifth of that. It lasts a
  day at most. Its id comes from the line before it: `a04~pause`, `a04~pause2`; before the first line, from that line:
  `a01~before`.
- `gap` is a pause before a line, the first included; its id comes from that line: `a05~gap`.
- `moee plan` shows all ids; `moee render --only` takes those of lines, pauses and gaps alike.

## Face motion in files

```yaml
write: [arkit-csv, npz]
segments:
  - {{id: a01, audio: a01.wav, motion: other-film.motion.npz}}    # the segment a01 of that film, on this portrait
  - {{id: a02, audio: take7.mov, from: 3s, to: 8s, motion: take7.csv}}    # recorded with an iPhone
```

- `write` puts files beside each video: `film.arkit.csv` with the columns of the Live Link Face app, and
  `film.motion.npz` with all 52 channels. With several speakers each has files of its own: `film.ana.arkit.csv`. A file
  has one row for each video frame of the film, also where its speaker is not seen: there, the face is at rest, and
  BlendShapeCount is 0 (`seen` in the npz).
- Timecodes start at 0 and tell the true time, in 1/60 s with three decimals as the app counts, whatever the frame rate:
  at 29.97 frames per second the second row stands at `00:00:00:02.002`. No numbers are dropped.
- Angles in the CSV are radians with the app's signs: of the head, yaw > 0 to the subject's left, pitch > 0 up, roll > 0
  to the subject's right shoulder; of the eyes, yaw > 0 to the subject's right, pitch > 0 down. The head's shifts have
  no place there; the npz has them. Its arrays: `motion`, `channels`, `fps`, `seen`, `speaker`, and `segments` with
  their `starts` and `lengths` in rows.
- `motion` moves a line as a file says, from an app or from another film; the sound is still needed. The file is as
  long as the line, or as its whole recording, and then `from` and `to` cut both, to 0.2 s. In an npz of another film,
  the segment with the line's id is used. Without fitting length it is an error. A pause may have a file as well: with
  `motion` on every line and pause, a film is performed again, to the bit, by other portraits.
- Nothing is added to motion from a file, no blink and no head motion; `emotion`, `intensity`, `take`, `head` and
  `blinks` mean nothing there, and a warning says so. `gaze: camera` beside it turns the eyes so that they rest on the
  camera, for recordings of somebody who looked past it; else they look where the file says. Where the line blends with
  a neighbour, it turns into the motion sampled there within the length of the blend; two files meet in the middle; one
  that goes on is left as it is.
- Recordings of any frame rate are read at 25 motion frames per second. Columns go by name, in any order and case; the
  eyes and `TongueOut` may be missing. The head's angles count from the pose of the portrait. Rows that step back in
  time are left out, and where rows are missing the motion goes straight across: a warning says so, of gaps above 0.2 s.
- A film sent to standard output (`-o -`) has no files beside it.
"""


def reference_page() -> str:
    """Return the page in markdown."""
    parts = [
        _INTRODUCTION.format(version=schema.FORMAT_VERSION, schema_name=SCHEMA_NAME),
        _READING,
        _EMOTION.format(names=_code(EMOTIONS), aliases=_code(ALIASES), compounds=_code(COMPOUNDS)),
        "## Keys\n",
    ]
    parts += [_section(model, title) for model, title in _SECTIONS.items()]
    return "\n".join(parts)


def _code(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _section(model: type[BaseModel], title: str) -> str:
    rows = [f"### {title}\n", f"{model.__doc__}\n", "| key | value | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        default = "required" if field.is_required() else f"`{_default(extra['default'])}`" if "default" in extra else ""
        rows.append(f"| `{field.alias or name}` | {_value(field)} | {default} | {_cell(field.description or '')} |")
    return "\n".join(rows) + "\n"


def _default(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _value(field: FieldInfo) -> str:
    kinds = [item for item in field.metadata if isinstance(item, Kind)]
    return kinds[0].name if kinds else " or ".join(dict.fromkeys(_spell(field.annotation)))


def _spell(annotation: Any) -> list[str]:
    """Return what a value may be, in words."""
    if annotation is type(None):
        return []
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        kinds = [item for item in metadata if isinstance(item, Kind)]
        return [kinds[0].name] if kinds else _spell(inner)
    if get_origin(annotation) is list:
        return [f"list of {' or '.join(_spell(get_args(annotation)[0]))}"]
    if get_origin(annotation) is dict:
        return [f"mapping of names to {' or '.join(_spell(get_args(annotation)[1]))}"]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        title = _SECTIONS[annotation]
        return [f"[{title}](#{title.replace(' ', '-').lower()})"]
    if get_args(annotation):
        return [word for member in get_args(annotation) for word in _spell(member)]
    return ["anything"]
