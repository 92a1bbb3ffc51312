"""Scripts that are written: they read back as they were, and a person can go on with them."""

from fractions import Fraction
from pathlib import Path

import pytest

from moee_cli.core.types import Gaze
from moee_cli.script.dump import WIDTH, dump_script
from moee_cli.script.positions import Source, to_plain
from moee_cli.script.read_yaml import read_text

SCRIPT = {
    "segments": [
        {"emotion": {"anger": 0.5}, "audio": Path("vo/1.wav"), "id": "a"},
        {"pause": "600ms"},
        {"audio": "2.wav", "id": "b", "emotion": [{"at": "40%", "emotion": "joy"}], "text": "It is: *fine*, {really}."},
    ],
    "moee": 1,
    "frame": {"fps": Fraction(30000, 1001), "size": "512x512"},
    "cast": {"ana": {"consent": "signed", "portrait": "ana.png"}},
    "defaults": {"gaze": Gaze.FREE},
}


def read(text):
    return to_plain(read_text(text, Source("s.yaml", Path())))


def test_the_order_is_that_of_the_format():
    assert dump_script(SCRIPT) == (
        "# yaml-language-server: $schema=./moee-script-1.schema.json\n"
        "moee: 1\n"
        "frame: {fps: 30000/1001, size: 512x512}\n"
        "cast:\n"
        "  ana: {portrait: ana.png, consent: signed}\n"
        "defaults: {gaze: free}\n"
        "segments:\n"
        "  - {id: a, audio: vo/1.wav, emotion: {anger: 0.5}}\n"
        "  - pause: 600ms\n"
        "  - {id: b, audio: 2.wav, text: 'It is: *fine*, {really}.', emotion: [{at: 40%, emotion: joy}]}\n"
    )


def test_a_written_script_loads(project):
    for name in ("1.wav", "2.wav"):
        (project.folder / "vo" / name).touch()
        (project.folder / name).touch()
    script = project.load(dump_script(SCRIPT))
    assert [line.id for line in script.lines] == ["a", "a~pause", "b"]
    assert script.lines[2].text == "It is: *fine*, {really}."


NASTY = [
    "no", "007", "1:30", "2024-01-01", "~", "null", "", " ", " x ", "a: b", "a #b", "- a", "*a", "&a", "!a", "%a", "@a",
    "`a`", "{a}", "[a]", "a, b", "'", '"', "''", "\\", "\\n", "a\nb", "a\n\nb\n", "\n", "\ta", "ä ß 你好 🙂", "$${x}",
    "${x}", "|", ">", "?", "a" * 500, "word " * 100, "x: " * 60, "line one\n  indented\nend ", "\u2028", "\x85",
    "é\u0301", "=", "<<", "#", "a\r\nb", "\\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("more", [{}, {"id": "x", "emotion": "joy", "subtitles": "y" * 100}])
def test_any_text_reads_back(text, more):
    script = {"moee": 1, "vars": {"v": text}, "segments": [{"audio": "a.wav", "text": text, **more}]}
    back = read(dump_script(script))
    assert back["segments"][0]["text"] == text
    assert back["vars"]["v"] == text


@pytest.mark.parametrize("key", [text for text in NASTY if text not in ("", "<<")])
def test_any_name_reads_back(key):
    back = read(dump_script({"moee": 1, "cast": {key: {"portrait": key}}, "emotions": {key: {"anger": 1}}}))
    assert back["cast"] == {key: {"portrait": key}}
    assert back["emotions"] == {key: {"anger": "1"}}


def test_lines_stay_short_where_they_can():
    segments = [{"id": f"s{n}", "audio": "long/folder/name.wav" * 2, "text": "words " * n} for n in range(1, 20)]
    for line in dump_script({"segments": segments}).splitlines():
        assert len(line) <= WIDTH


def test_shared_parts_are_written_out():
    mix = {"anger": 0.5}
    text = dump_script({"segments": [{"audio": "a.wav", "emotion": mix}, {"audio": "b.wav", "emotion": mix}]})
    assert "&" not in text


def test_unknown_keys_come_first():
    assert dump_script({"moee": 1, "x-base": {"a": 1}}, header=False) == "x-base: {a: 1}\nmoee: 1\n"
