"""`moee render` and `moee plan` from outside: what goes where, and what an existing file is safe from."""

import json
import subprocess
import sys

import pytest

from moee_cli.cli.events import ENVELOPE, EVENTS
from moee_cli.media.probe import probe_video

pytestmark = pytest.mark.slow

TWO_OUTPUTS = '[{path: "${stem}.mp4"}, {path: "wide/${stem}-wide.mp4", frame: {size: 192x128}}]'


def test_a_render_prints_its_path_and_nothing_else_on_stdout(moee, film):
    path = film()
    result = moee("render", path, "--progress", "none")
    video = path.with_suffix(".mp4")
    assert (result.code, result.out) == (0, f"{video}\n")
    assert "error" not in result.err
    assert probe_video(video).n_frames == 10


def test_progress_in_a_log(moee, film):
    result = moee("render", film(), "--progress", "plain")
    assert "draw: 10 frames in" in result.err
    assert "of video, 10 frames, in" in result.err


def test_events_of_a_render_are_as_documented(moee, film, tmp_path):
    events = tmp_path / "events.ndjson"
    assert moee("render", film(), "--events", events).code == 0
    written = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    assert [written[0]["event"], written[-1]["event"]] == ["begin", "end"]
    assert {"stage", "progress", "piece", "done"} <= {event["event"] for event in written}
    for event in written:
        assert set(event) <= {*ENVELOPE, *EVENTS[event["event"]][1]}, event
    assert [event["t"] for event in written] == sorted(event["t"] for event in written)


def test_output_to_another_file(moee, film, tmp_path):
    target = tmp_path / "other.mp4"
    assert moee("render", film(), "-o", target).out == f"{target}\n"
    assert target.is_file()
    assert not (tmp_path / "film.mp4").exists()


def test_output_to_a_pipe(film, tmp_path):
    with (tmp_path / "streamed.mp4").open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "moee_cli", "render", str(film()), "-o", "-", "--progress", "none"],
            stdout=file,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, b"error" in done.stderr) == (0, False)
    assert probe_video(tmp_path / "streamed.mp4").n_frames == 10


def test_no_video_on_a_terminal(moee, film, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    result = moee("render", film(), "-o", "-")
    assert (result.code, result.out) == (2, "")


def test_a_reader_of_the_video_that_leaves(film):
    script = film("film.yaml", *[f"{{id: {name}, audio: line.wav}}" for name in "abc"], seconds=1.0)
    process = subprocess.Popen(
        [sys.executable, "-m", "moee_cli", "render", str(script), "-o", "-", "--progress", "none"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    error = process.stderr.read()
    assert (process.wait(60), b"error" in error) == (141, False)
    process.stderr.close()


def test_a_script_from_standard_input(moee, film, tmp_path, monkeypatch):
    text = film().read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    result = moee("render", "-", "-o", "out.mp4", stdin=text)
    assert (result.code, result.out) == (0, "out.mp4\n")


def test_what_is_not_ours_is_not_overwritten(moee, film):
    path = film()
    video = path.with_suffix(".mp4")
    video.write_bytes(b"holiday")
    result = moee("render", path)
    assert (result.code, result.out, video.read_bytes()) == (3, "", b"holiday")
    assert "--force" in result.err
    assert moee("render", path, "--force").code == 0
    assert video.read_bytes() != b"holiday"
    assert moee("render", path).code == 0, "it is ours now"


def test_only_some_segments(moee, film, tmp_path):
    path = film("film.yaml", "{id: a, audio: line.wav}", "{id: b, audio: line.wav, emotion: anger}")
    result = moee("render", path, "--only", "b", "-o", tmp_path / "b.mp4")
    assert result.code == 0, result.err
    assert probe_video(tmp_path / "b.mp4").n_frames == 10


def test_overrides_reach_the_script(moee, film):
    path = film()
    plan = moee("plan", path, "--json", "--seed", "5", "--set", "segments.a.intensity=0.25", "--set", "frame.fps=50")
    content = json.loads(plan.out)
    assert content["seed"] == 5
    assert content["segments"][0]["emotion"][0]["intensity"] == 0.25
    assert content["n_frames"] == 20


def test_presets_compose_whichever_way_they_are_given(moee, film):
    path = film()
    path.write_text(path.read_text("utf-8").replace("frame: {size: 128x128}\n", ""), "utf-8")
    commas = json.loads(moee("plan", path, "--json", "--preset", "best,vertical").out)
    apart = json.loads(moee("plan", path, "--json", "--preset", "best", "--preset", "vertical").out)
    assert commas["frame"] == apart["frame"]
    assert commas["frame"]["width"] < commas["frame"]["height"]


def test_a_plan_in_words(moee, film):
    result = moee("plan", film())
    assert (result.code, result.err) == (0, "")
    assert "happiness @ 0.7" in result.out
    assert "0.4 s, 10 frames at 25 per second" in result.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--set", "nonsense=1"], 3, "nonsense"),
        (["--set", "no value"], 2, "no value"),
        (["--preset", "nonsense"], 3, "nonsense"),
        (["--engine", "nonsense"], 3, "nonsense"),
        (["--engine", "dice-talk"], 4, "dice-talk"),
        (["--only", "nonsense"], 3, "nonsense"),
        (["--device", "nonsense"], 2, "nonsense"),
        (["-o", "missing.txt/film.mp4"], 3, "missing.txt"),
    ],
)
def test_wrong_wishes(moee, film, monkeypatch, arguments, code, words):
    path = film()
    (path.parent / "missing.txt").touch()
    monkeypatch.chdir(path.parent)
    result = moee("render", path.name, *arguments)
    assert (result.code, result.out) == (code, ""), result.err
    assert words in result.err
    assert result.err.startswith("error: ")
    assert sorted(entry.name for entry in path.parent.glob("*.mp4*")) == []


def test_a_missing_script(moee, tmp_path):
    result = moee("render", tmp_path / "no.yaml")
    assert (result.code, result.out) == (3, "")
    assert "no.yaml" in result.err


# --- several outputs -------------------------------------------------------------------------------------------------


@pytest.fixture
def two(film):
    """Write a script with two outputs."""
    return film(output=TWO_OUTPUTS)


def test_several_outputs_print_a_path_each(moee, two, tmp_path):
    events = tmp_path / "events.ndjson"
    result = moee("render", two, "--progress", "plain", "--events", events)
    videos = [tmp_path / "film.mp4", tmp_path / "wide" / "film-wide.mp4"]
    assert (result.code, result.out.splitlines()) == (0, [str(video) for video in videos])
    assert "0.8 s of video, 20 frames, in" in result.err
    written = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    assert [event["output"] for event in written if event["event"] == "done"] == [str(video) for video in videos]
    for event in written:
        assert set(event) <= {*ENVELOPE, *EVENTS[event["event"]][1]}, event
    checked = moee("check", two, *videos)
    assert checked.code == 0
    assert "1 segment, 0.40 s, 2 outputs" in checked.out


def test_one_name_for_several_outputs(moee, two, tmp_path):
    for target in ("x.mp4", "-"):
        result = moee("render", two, "-o", target)
        assert (result.code, result.out) == (2, "")
        assert "film.mp4, film-wide.mp4" in result.err
    made = moee("render", two, "--set", f"output={tmp_path / 'one.mp4'}", "--progress", "none")
    assert (made.code, made.out) == (0, f"{tmp_path / 'one.mp4'}\n")


def test_a_plan_of_several_outputs(moee, two):
    lines = moee("plan", two).out.splitlines()
    shown = [line for line in lines if "frames at 25 per second" in line]
    assert [line.partition("per second, ")[2].partition(":")[0] for line in shown] == ["64x64", "96x64"]
    outputs = json.loads(moee("plan", two, "--json", "--set", "output.1.frame.fps=50").out)["outputs"]
    assert [(output["frame"]["fps"], output["n_frames"]) for output in outputs] == [("25", 10), ("50", 20)]


def test_two_outputs_of_one_name(moee, film):
    result = moee("check", film(output="[{path: a.mp4}, {path: ./a.mp4}]"))
    assert result.code == 1
    assert ':2:32: output[1].path: "a.mp4" is already written by output[0]' in result.out
