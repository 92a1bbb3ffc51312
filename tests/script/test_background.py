"""`frame.background`: words, colours, pictures, and what is none of these."""

from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from moee_cli.core.types import Background, BackgroundKind
from moee_cli.script.background import read_background
from moee_cli.script.jsonschema import json_schema
from moee_cli.script.positions import Mark, Source, Text
from moee_cli.script.values import Unreadable

HEAD = "moee: 1\ncast: {ana: {portrait: ana.png}}\n"
WALL = Path("/films/wall.png")


def read(text):
    return read_background(Text(text, Mark(Source("film.yaml", Path("/films")))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("keep", Background()),
        (" Blur ", Background(BackgroundKind.BLUR)),
        ("TRANSPARENT", Background(BackgroundKind.TRANSPARENT)),
        ("#0b4", Background(BackgroundKind.COLOUR, (0x00, 0xBB, 0x44))),
        ("#00B140", Background(BackgroundKind.COLOUR, (0x00, 0xB1, 0x40))),
        ("white", Background(BackgroundKind.COLOUR, (255, 255, 255))),
        ("RebeccaPurple", Background(BackgroundKind.COLOUR, (102, 51, 153))),
        ("wall.png", Background(BackgroundKind.PICTURE, picture=WALL)),
        ("/films/wall.png", Background(BackgroundKind.PICTURE, picture=WALL)),
        ("./white", Background(BackgroundKind.PICTURE, picture=Path("/films/white"))),
        ("#1.jpg", Background(BackgroundKind.PICTURE, picture=Path("/films/#1.jpg"))),
    ],
)
def test_what_is_read(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("trasparent", "is not a background", 'did you mean "transparent"'),
        ("whit", "is not a background", 'did you mean "white"'),
        ("yes", "is not a background", "write keep, blur, transparent, a colour"),
        ("", "is not a background", "write keep"),
        ("#12345", "is not a colour", "three or six digits"),
        ("#00ff00ff", "is not a colour", "three or six digits"),
        ("https://example.org/wall.png", "is not a file on this machine", "download it first"),
    ],
)
def test_what_is_refused(text, message, hint):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("background", "text"),
    [
        (Background(), "keep"),
        (Background(BackgroundKind.TRANSPARENT), "transparent"),
        (Background(BackgroundKind.COLOUR, (0, 177, 64)), "#00b140"),
        (Background(BackgroundKind.PICTURE, picture=WALL), "wall.png"),
    ],
)
def test_how_it_is_told(background, text):
    assert str(background) == text


def load(project, background, **more):
    return project.segments("{audio: a.wav}", head=f"{HEAD}frame:\n  background: {background}\n", **more)


def problem(project, background):
    return project.segment_problem("{audio: a.wav}", head=f"{HEAD}frame:\n  background: {background}\n")


def test_pictures_start_from_the_file_with_the_key(project):
    project.write("", "sets/wall.png")
    project.write("moee: 1\nvars: {set: wall}\nframe: {background: '${set}.png'}\n", "sets/studio.yaml")
    script = project.segments("{audio: a.wav}", head=f"{HEAD}extends: sets/studio.yaml\n")
    assert script.outputs[0].frame.background.picture == project.folder / "sets" / "wall.png"


def test_the_command_line_wins_and_needs_no_quotes(project):
    script = load(project, "blur", sets=["frame.background=#00b140"])
    assert script.outputs[0].frame.background.colour == (0, 177, 64)


def test_a_missing_picture_is_a_fault_with_its_place(project):
    project.write("", "wall.png")
    fault = problem(project, "wal.png")
    assert (fault.where, fault.key) == ("film.yaml:4:15", "frame.background")
    assert fault.message == '"wal.png" does not exist'
    assert fault.hint == 'did you mean "wall.png"?'
    assert problem(project, "./vo").message == '"./vo" is a folder'


def test_a_hash_without_quotes_is_a_comment(project):
    fault = problem(project, "#00b140")
    assert fault.message == "has no value"
    assert "needs quotes" in fault.hint


@pytest.mark.parametrize("shape", ["[keep]", "{colour: white}"])
def test_other_shapes(project, shape):
    assert "not a background" in problem(project, shape).message


def test_the_background_decides_the_film(project):
    for name in ("wall.png", "sea.png"):
        project.write("", name)
    texts = ("keep", "blur", "white", "black", "wall.png", "sea.png", "./wall.png")
    hashes = {text: load(project, text).outputs[0].source_hash for text in texts}
    assert hashes.pop("./wall.png") == hashes["wall.png"]
    assert len(set(hashes.values())) == len(hashes)


@pytest.mark.parametrize(
    ("text", "accepted"),
    [("blur", True), ("#00b140", True), ("wall.png", True), ("${wall}", True), ("b l u r", False), ("", False)],
)
def test_what_an_editor_says(text, accepted):
    schema = json_schema({}, ())
    assert Draft7Validator(schema | {"required": []}).is_valid({"frame": {"background": text}}) is accepted
