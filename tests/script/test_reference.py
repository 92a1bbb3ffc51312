"""The reference page is current and complete."""

import re
from pathlib import Path

import yaml

from moee_cli.script import schema
from moee_cli.script.reference import reference_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "script.md"


def test_the_page_is_current():
    assert PAGE.read_text("utf-8") == reference_page(), (
        "write moee_cli.script.reference.reference_page() to docs/script.md"
    )


def test_every_key_has_a_row():
    page = reference_page()
    for model in (schema.ScriptEntry, schema.CastEntry, schema.FrameEntry, schema.EncodingEntry, schema.SegmentEntry):
        for name, field in model.model_fields.items():
            assert f"| `{field.alias or name}` |" in page
            assert field.description


def test_links_lead_to_headings():
    page = reference_page()
    headings = {heading.strip().replace(" ", "-").lower() for heading in re.findall(r"^#+ (.*)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= headings


def test_the_examples_load(project):
    example, outputs, motion = re.findall(r"```yaml\n(.*?)```", reference_page(), re.DOTALL)
    for name in ("hello.wav", "news.wav", "turn.wav"):
        (project.folder / name).touch()
    assert [line.id for line in project.load(example).lines] == ["hello", "news", "news~pause", "turn"]
    assert yaml.safe_load(example)["moee"] == 1
    frames = [output.frame for output in project.load(example + outputs).outputs]
    assert [(frame.width, frame.height, frame.fps) for frame in frames] == [
        (768, 768, 25), (720, 1280, 25), (1280, 720, 50),
    ]  # fmt: skip
    for name in ("a01.wav", "other-film.motion.npz", "take7.mov", "take7.csv"):
        (project.folder / name).touch()
    moved = project.load("moee: 1\ncast: {ana: {portrait: ana.png}}\n" + motion)
    assert [line.motion.suffix for line in moved.lines] == [".npz", ".csv"]
    assert len(moved.write) == 2


def test_defaults_on_the_page_are_those_of_the_program(project):
    """The defaults are written as text in the schema; loading an explicit copy of them must change nothing."""
    lines = []
    for model, key in (
        (schema.FrameEntry, "frame"),
        (schema.EncodingEntry, "encoding"),
        (schema.DefaultsEntry, "defaults"),
    ):
        shown = {
            name: field.json_schema_extra["default"]
            for name, field in model.model_fields.items()
            if isinstance(field.json_schema_extra, dict)
        }
        lines.append(f"{key}: {{{', '.join(f'{name}: {value}' for name, value in shown.items())}}}\n")
    head = "moee: 1\ncast: {ana: {portrait: ana.png}}\n"
    segments = ("{audio: a.wav}", "pause: 1s")
    top = "".join(
        f"{name}: {field.json_schema_extra['default']}\n"
        for name, field in schema.ScriptEntry.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and name not in ("output", "captions")
    )
    plain, explicit = project.segments(*segments), project.segments(*segments, head=head + "".join(lines) + top)
    assert (explicit.outputs, explicit.seed, explicit.engine) == (plain.outputs, plain.seed, plain.engine)
