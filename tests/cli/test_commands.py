"""The commands that render nothing: what they print, in words and as JSON."""

import json
import shutil
from pathlib import Path

import pytest

from moee_cli import __version__
from moee_cli.cli.commands.init import starter_script
from moee_cli.workflow import doctor

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_version(moee):
    result = moee("--version")
    assert (result.code, result.out, result.err) == (0, f"moee {__version__}\n", "")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_is_data(moee, arguments):
    result = moee(*arguments)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("Usage: moee")


# --- emotions --------------------------------------------------------------------------------------------------------


def test_emotions_lists_names(moee):
    result = moee("emotions")
    assert result.code == 0
    assert "happily-surprised" in result.out
    assert "furious" in result.out


def test_emotions_as_json(moee):
    listed = json.loads(moee("emotions", "--json").out)
    assert listed["emotions"][0] == "neutral"
    assert listed["compounds"]["happily-surprised"] == {"happiness": 0.5, "surprise": 0.5}


@pytest.mark.parametrize(
    ("text", "mix"),
    [
        ("anger", {"anger": 1}),
        ("FURIOUS", {"anger": 1}),
        ("Happily Surprised", {"happiness": 0.5, "surprise": 0.5}),
        ("anger=0.6, disgust=0.2", {"neutral": 0.2, "anger": 0.6, "disgust": 0.2}),
    ],
)
def test_emotions_of_a_name_or_mix(moee, text, mix):
    assert json.loads(moee("emotions", text, "--json").out) == mix


def test_emotions_in_words(moee):
    assert moee("emotions", "anger=0.6, disgust=0.2").out == "neutral 0.2, anger 0.6, disgust 0.2\n"


def test_emotions_from_standard_input(moee):
    assert moee("emotions", "-", stdin="joy\n").out == "happiness 1\n"


def test_a_misspelt_emotion(moee):
    result = moee("emotions", "hapiness")
    assert (result.code, result.out) == (3, "")
    assert 'did you mean "happiness"?' in result.err


def test_weights_above_one(moee):
    result = moee("emotions", "anger=0.8, fear=0.8")
    assert result.code == 3
    assert "above 1" in result.err


def test_free_text_is_not_there_yet(moee):
    result = moee("emotions", "holding back tears, trying to smile")
    assert (result.code, result.out) == (4, "")
    assert result.err.count("error:") == 1


# --- schema, presets, engines ----------------------------------------------------------------------------------------


def test_schema_is_a_json_schema_of_scripts(moee):
    schema = json.loads(moee("schema").out)
    assert schema["$schema"].startswith("http://json-schema.org/draft-07")
    assert {"segments", "cast", "engines"} <= set(schema["properties"])


def test_schema_to_a_file(moee, tmp_path):
    path = tmp_path / "s.json"
    result = moee("schema", "-o", path)
    assert (result.code, result.out) == (0, "")
    assert json.loads(path.read_text("utf-8")) == json.loads(moee("schema").out)


def test_schema_where_nothing_can_be_written(moee, tmp_path):
    result = moee("schema", "-o", tmp_path / "missing" / "s.json")
    assert result.code == 3
    assert result.err.startswith("error: ")


def test_engines(moee):
    result = moee("engines")
    assert result.code == 0
    assert "motion" in result.out
    listed = {engine["name"]: engine for engine in json.loads(moee("engines", "--json").out)}
    assert "cpu" in listed["motion"]["devices"]


def test_presets(moee):
    result = moee("presets")
    assert result.code == 0
    listed = json.loads(moee("presets", "--json").out)
    assert {"draft", "balanced", "best", "wide", "vertical", "square"} <= {preset["name"] for preset in listed}
    assert all(preset["name"] in result.out and preset["description"] in result.out for preset in listed)


# --- init ------------------------------------------------------------------------------------------------------------


def test_init_names_what_lies_in_the_folder(moee, tmp_path):
    for name in ("b.wav", "a 'quoted' ${x}.FLAC", "face.JPG", "notes.txt"):
        (tmp_path / name).touch()
    result = moee("init", tmp_path)
    script = tmp_path / "script.yaml"
    assert (result.code, result.out) == (0, f"{script}\n")
    text = script.read_text("utf-8")
    assert '"face.JPG"' in text
    assert text.index("a 'quoted' $${x}.FLAC") < text.index('"b.wav"')
    assert "notes.txt" not in text
    assert "next: put" not in result.err


def test_init_says_what_is_missing(moee, tmp_path):
    result = moee("init", tmp_path / "new" / "folder")
    assert result.code == 0
    assert "portrait.png" in result.err
    assert "01.wav" in result.err
    assert (tmp_path / "new" / "folder" / "script.yaml").is_file()


def test_init_overwrites_only_when_told(moee, tmp_path):
    script = tmp_path / "script.yaml"
    script.write_text("mine")
    result = moee("init", tmp_path)
    assert (result.code, result.out, script.read_text()) == (3, "", "mine")
    assert "--force" in result.err
    assert moee("init", tmp_path, "--force").code == 0
    assert script.read_text() != "mine"


def test_init_where_a_file_is_in_the_way(moee, tmp_path):
    (tmp_path / "file").touch()
    assert moee("init", tmp_path / "file").code == 3


def test_the_starter_script_passes_the_check(moee, tmp_path, film):
    film()
    (tmp_path / "film.yaml").unlink()
    shutil.copy(EXAMPLES / "ana.png", tmp_path / "face.png")
    assert moee("init", tmp_path).code == 0
    result = moee("check", tmp_path / "script.yaml")
    assert result.code == 0, result.out


def test_every_emotion_of_the_starter_script_is_shown():
    text = starter_script([], ["1.wav", "2.wav", "3.wav"])
    assert "emotion: happiness" in text
    assert "sadness: 0.6" in text
    assert "at: 50%" in text


# --- doctor ----------------------------------------------------------------------------------------------------------


def test_doctor_is_content_where_the_tests_run(moee):
    result = moee("doctor")
    assert result.code == 0, result.out
    checks = {check["name"]: check for check in json.loads(moee("doctor", "--json").out)["checks"]}
    assert {"python", "ffmpeg", "cv2", "mediapipe", "torch", "engine motion"} <= set(checks)
    assert checks["torch"]["status"] == "ok"


def test_doctor_names_what_is_missing(moee, monkeypatch):
    missing = doctor.Diagnosis("ffmpeg", doctor.Status.FAIL, "ffmpeg was not found", "apt install ffmpeg")
    monkeypatch.setattr(doctor, "examine", lambda: [missing])
    result = moee("doctor")
    assert result.code == 4
    assert "fail  ffmpeg  ffmpeg was not found" in result.out
    assert "apt install ffmpeg" in result.out


def test_doctor_finds_a_missing_ffmpeg(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    doctor.find_ffmpeg.cache_clear()
    try:
        assert doctor._ffmpeg().status is doctor.Status.FAIL
    finally:
        doctor.find_ffmpeg.cache_clear()


def test_doctor_finds_a_library_that_lacks_a_system_library(monkeypatch):
    def fail(_name):
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor, "import_module", fail)
    diagnosis = doctor._opencv()
    assert diagnosis.status is doctor.Status.FAIL
    assert "libGL.so.1" in diagnosis.found
    assert "apt install libgl1" in diagnosis.advice
