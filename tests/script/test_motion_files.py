"""`write` and `motion` in a script: what they may say, and what is wrong with what they say."""

from __future__ import annotations

import pytest

from moee_cli.core.types import MotionFormat

HEAD = "moee: 1\ncast: {ana: {portrait: ana.png}}\n"
OUTPUTS = "output: [{path: x.mp4}, {path: x.mov}]\n"


@pytest.fixture
def project(project):
    for name in ("take.csv", "take.npz", "take.CSV"):
        (project.folder / name).touch()
    return project


def test_formats_are_named_once(project):
    script = project.segments("{audio: a.wav}", head=HEAD + "write: [NPZ, arkit-csv, npz]\n")
    assert script.write == (MotionFormat.NPZ, MotionFormat.ARKIT_CSV)
    assert script.deferred == ()
    assert project.segments("{audio: a.wav}").write == ()
    assert project.segments("{audio: a.wav}", head=HEAD + "write: []\n").write == ()


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("write: [arkit-cvs]", "film.yaml:3:9", ["write[0]", '"arkit-cvs"', 'did you mean "arkit-csv"']),
        ("write: [npz, srt]", "film.yaml:3:14", ["write[1]", '"srt" is not one of arkit-csv, npz']),
        ("write: npz", "film.yaml:3:8", ["write", "list"]),
        ("write: [{npz: 1}]", "film.yaml:3:9", ["mapping"]),
        ("write:", "film.yaml:3:7", ["write", "has no value"]),
    ],
)
def test_other_formats_are_faults(project, say, text, place, words):
    problem = project.segment_problem("{audio: a.wav}", head=f"{HEAD}{text}\n")
    assert problem.where.startswith(place)
    for word in words:
        assert word in say(problem)


@pytest.mark.parametrize("name", ["take.csv", "take.npz", "take.CSV"])
def test_a_line_takes_its_motion_from_a_file(project, name):
    script = project.segments(f"{{audio: a.wav, motion: {name}}}")
    assert script.lines[0].motion == project.folder / name
    assert script.deferred == ()
    assert script.warnings == ()


def test_a_pause_takes_its_motion_from_a_file(project):
    script = project.segments("{audio: a.wav}", "{pause: 1s, motion: take.npz}")
    assert script.lines[1].motion == project.folder / "take.npz"


@pytest.mark.parametrize(
    ("segment", "key", "words"),
    [
        ("{audio: a.wav, motion: take.cvs}", "segments[0].motion", ["not a file of face motion", ".csv or .npz"]),
        ("{audio: a.wav, motion: tak.csv}", "segments[0].motion", ["does not exist", 'did you mean "take.csv"']),
        ("{audio: a.wav, motion: [take.csv]}", "segments[0].motion", ["list"]),
        ('{audio: a.wav, motion: "https://x.org/take.csv"}', "segments[0].motion", ["https"]),
    ],
)
def test_what_cannot_be_a_motion_file(project, say, segment, key, words):
    (project.folder / "take.cvs").touch()
    problem = project.segment_problem(segment)
    assert problem.key == key
    for word in words:
        assert word in say(problem)


def test_keys_that_a_motion_file_leaves_without_meaning(project):
    keys = "emotion: joy, intensity: 1, take: 2, head: 0, gaze: free, blinks: 3"
    script = project.segments(f"{{audio: a.wav, motion: take.csv, {keys}}}")
    assert [problem.key.rpartition(".")[2] for problem in script.warnings] == [
        "emotion", "intensity", "take", "head", "blinks",
    ]  # fmt: skip
    assert all("beside `motion`" in problem.message for problem in script.warnings)
    assert script.warnings[0].where == "film.yaml:4:38"


@pytest.mark.parametrize(("gaze", "is_centred"), [(", gaze: camera", True), (", gaze: free", False), ("", False)])
def test_the_gaze_of_a_file_is_turned_to_the_camera_on_request(project, gaze, is_centred):
    head = HEAD + "defaults: {gaze: camera}\n"
    script = project.segments(f"{{audio: a.wav, motion: take.csv{gaze}}}", "{audio: b.wav, gaze: camera}", head=head)
    assert [line.is_centred for line in script.lines] == [is_centred, False]


def test_what_defaults_say_is_for_other_lines(project):
    head = HEAD + "defaults: {emotion: joy, head: 0.5}\n"
    assert project.segments("{audio: a.wav, motion: take.csv}", head=head).warnings == ()


def test_outputs_that_differ_in_their_ending_would_share_motion_files(project, say):
    problem = project.segment_problem("{audio: a.wav}", head=f"{HEAD}{OUTPUTS}write: [npz]\n")
    assert problem.key == "output[1].path"
    assert "motion of" in say(problem)
    assert len(project.segments("{audio: a.wav}", head=f"{HEAD}{OUTPUTS}").outputs) == 2


def test_the_motion_file_counts_for_the_hash(project):
    (project.folder / "other.csv").touch()
    plain, one, other = (
        project.segments(f"{{audio: a.wav{more}}}").outputs[0].source_hash
        for more in ("", ", motion: take.csv", ", motion: other.csv")
    )
    assert len({plain, one, other}) == 3
