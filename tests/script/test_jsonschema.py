"""What an editor says: the JSON Schema accepts what loads and refuses what a person mistypes."""

import json
import re
from pathlib import Path
from typing import Literal

import pytest
import yaml
from jsonschema import Draft7Validator
from pydantic import BaseModel, ConfigDict, Field

from moee_cli.presets import preset_names
from moee_cli.script.jsonschema import SCHEMA_NAME, json_schema

ROOT = Path(__file__).resolve().parents[2]


class Inner(BaseModel):
    depth: int = 1


class Options(BaseModel):
    """Options of an engine."""

    model_config = ConfigDict(extra="forbid")

    steps: int = Field(30, ge=1, description="sampling steps")
    mode: Literal["fast", "good"] | None = None
    inner: Inner = Inner()


class Yaml12Loader(yaml.SafeLoader):
    """Types scalars as editors do (YAML 1.2 core schema): no sexagesimals, no dates, no `no`."""


Yaml12Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    Yaml12Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^({pattern})$"), list(first))
Yaml12Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("^<<$"), ["<"])
Yaml12Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value, 10))


@pytest.fixture(scope="module")
def editor():
    schema = json_schema({"motion": Options, "other": {"type": "object"}}, preset_names())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def faults(editor, text):
    data = yaml.load(text, Yaml12Loader)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in editor.iter_errors(data)]


HEAD = "moee: 1\ncast: {ana: {portrait: ana.png}}\n"

GOOD = [
    "segments: [{audio: a.wav}]",
    "segments: [{audio: a.wav, emotion: joy}, {pause: 600ms}, {pause: 0.5}]",
    "segments: [{audio: a.wav, from: 1:30, to: '00:01:32.5', take: 2, id: 007}]",
    "segments: [{audio: a.wav, emotion: {anger: 0.5, fear: .2}, intensity: 1, transition: dissolve 250ms}]",
    "segments: [{audio: a.wav, emotion: [{at: 40%, emotion: anger=0.5}, {at: 1, emotion: {joy: 1}, intensity: 0}]}]",
    "segments: [{audio: a.wav, prompt: smiling, text: yes, head: 0, gaze: free, blinks: 3, gap: 3f}]",
    "segments: [{audio: '${takes}/a.wav', intensity: '${i}', from: '${t}', take: '${n}', gaze: '${g}'}]",
    "frame: {size: 512x512, fps: 29.97, fit: pad, background: keep, scale: 0.5}\nsegments: []",
    "frame: {fps: 30000/1001}\nsegments: []",
    "frame: {fps: '29.97'}\nsegments: []",
    "preset: [best, wide]\nengine: motion\nengines: {motion: {steps: 3, mode: fast, inner: {depth: 2}}}\nsegments: []",
    "preset: draft\nseed: 7\noutput: out/${stem}.mp4\nengines: {later: {anything: 1}}\nsegments: []",
    "output: [{path: a.mp4, preset: wide, frame: {fps: 30}, captions: {burn: true}}]\nsegments: []",
    "x-base: &base {speaker: ana, x-note: hm}\nsegments: [{<<: *base, audio: a.wav, x-more: [1]}]",
    "emotions: {FURIOUS: {anger: 1}, SOFT: joy, WRY: {joy: 0.4, intensity: 0.6}}\nsegments: []",
    "defaults: {speaker: ana, emotion: neutral, intensity: 0.7, gap: 0, head: 1.0, gaze: camera, blinks: 15}",
    "vars: {a: 1, b: yes}\ncaptions: {burn: false, write: [srt]}\nwrite: [npz]\nextends: s.yaml",
    "matrix: {l: [de, fr], face: faces/*.png}\nrows: r.csv",
    "encoding: {crf: 20, x264_preset: slow, audio_bitrate_kbps: 128, loudness_lufs: -16}",
    "encoding: {loudness_lufs: off}",
]


@pytest.mark.parametrize("text", GOOD)
def test_good_scripts_please_the_editor(editor, text):
    assert faults(editor, HEAD + text) == []


@pytest.mark.parametrize("text", [text for text in GOOD if "segments: [{" in text and "${" not in text])
def test_what_pleases_the_editor_loads(project, text):
    assert project.load(HEAD + text).lines


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("sed: 7", ""),
        ("seed: -1", "seed"),
        ("output: film.txt", "output"),
        ("output: [{path: film.txt}]", "output"),
        ("output: [{path: film.mp4, preset: vertcal}]", "output"),
        ("output: [{path: film.mp4, frame: {fps: 0}}]", "output"),
        ("seed: x", "seed"),
        ("frame: {size: 512}", "frame.size"),
        ("frame: {size: 5x}", "frame.size"),
        ("frame: {fps: 12.5}", "frame.fps"),
        ("frame: {fps: 0}", "frame.fps"),
        ("frame: {ft: crop}", "frame"),
        ("frame: {fit: stretch}", "frame.fit"),
        ("engine: moton", "engine"),
        ("engines: {motion: {stps: 3}}", "engines.motion"),
        ("engines: {motion: {steps: 0}}", "engines.motion.steps"),
        ("engines: {motion: {mode: slow}}", "engines.motion.mode"),
        ("engines: {motion: {inner: {depth: x}}}", "engines.motion.inner.depth"),
        ("preset: balnced", "preset"),
        ("preset: [balanced, balnced]", "preset"),
        ("cast: {bo: {face: left}}", "cast.bo"),
        ("cast: {bo: bo.png}", "cast.bo"),
        ("emotions: {A: {anger: 2}}", "emotions.A"),
        ("encoding: {crf: 99}", "encoding.crf"),
        ("encoding: {x264_preset: warp}", "encoding.x264_preset"),
        ("segments: {audio: a.wav}", "segments"),
        ("segments: [{}]", "segments.0"),
        ("segments: [{audio: a.wav, pause: 1s}]", "segments.0"),
        ("segments: [{audio: a.wav, emotion: joy, prompt: x}]", "segments.0"),
        ("segments: [{audio: a.wav, emotoin: joy}]", "segments.0"),
        ("segments: [{audio: a.wav, from: -1}]", "segments.0.from"),
        ("segments: [{audio: a.wav, from: soon}]", "segments.0.from"),
        ("segments: [{pause: 1s, to: 2s}]", "segments.0"),
        ("segments: [{audio: a.wav, intensity: 1.5}]", "segments.0.intensity"),
        ("segments: [{audio: a.wav, take: 0}]", "segments.0.take"),
        ("segments: [{audio: a.wav, transition: fade}]", "segments.0.transition"),
        ("segments: [{audio: a.wav, emotion: {anger: 1.5}}]", "segments.0.emotion"),
        ("segments: [{audio: a.wav, emotion: [{emotion: joy}]}]", "segments.0.emotion"),
        ("segments: [{audio: a.wav, emotion: [{at: 0}]}]", "segments.0.emotion"),
        ("segments: [{audio: }]", "segments.0.audio"),
        ("segments: [{audio: a.wav, gaze: away}]", "segments.0.gaze"),
    ],
)
def test_broken_scripts_do_not(editor, project, text, place):
    found = faults(
        editor,
        HEAD.replace("cast: {ana", "cast: {bo: {portrait: x}, ana") + text
        if "cast" not in text
        else "moee: 1\n" + text,
    )
    assert any(fault.startswith(f"{place}:") for fault in found), found


def test_the_version_is_required(editor):
    assert faults(editor, "segments: []") == [": 'moee' is a required property"]


def test_the_schema_is_draft_07_with_help_for_every_key():
    schema = json_schema({"motion": Options})
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["$id"] == SCHEMA_NAME
    text = json.dumps(schema)
    assert "$defs" not in text
    assert '"null"' not in text.replace('"motion-', "")
    for name, definition in [("script", schema), *schema["definitions"].items()]:
        if not name.startswith("motion-"):
            missing = [key for key, value in definition["properties"].items() if not value.get("description")]
            assert missing == [], name


def test_all_references_lead_somewhere():
    schema = json_schema({"motion": Options})
    wanted = set(re.findall(r'"\$ref": "#/definitions/([^"]+)"', json.dumps(schema)))
    assert wanted == set(schema["definitions"])


def test_the_engines_of_this_release_join():
    from moee_cli.engines.registry import engine_specs

    schema = json_schema({name: spec.options for name, spec in engine_specs().items()}, preset_names())
    Draft7Validator.check_schema(schema)
    assert set(schema["properties"]["engines"]["properties"]) == set(engine_specs())


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.yaml")), ids=lambda path: path.name)
def test_examples_please_the_editor_and_load(path):
    from moee_cli.engines.registry import engine_specs
    from moee_cli.presets import preset
    from moee_cli.script.load import load_script

    models = {name: spec.options for name, spec in engine_specs().items()}
    assert faults(Draft7Validator(json_schema(models, preset_names())), path.read_text("utf-8")) == []
    assert load_script(path, base=path.parent, presets=preset, engines=models).lines
