"""Checks of scripts and videos: all is well, and every fault by itself."""

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from moee_cli.core.labels import N_MOTION
from moee_cli.face.live_link import write_csv
from moee_cli.media.ffmpeg import find_ffmpeg
from moee_cli.workflow.check import check_file, check_script, check_video
from moee_cli.workflow.provenance import AI_GENERATED, sidecar_path


def make_video(path: Path, *, size="64x64", codec="libx264", pixels="yuv420p", sound=2.0, tag=AI_GENERATED, extra=()):
    """Make a film of 2 s, as a render would leave it unless told otherwise."""
    inputs = ["-f", "lavfi", "-i", f"testsrc=size={size}:rate=25:duration=2"]
    maps = ["-map", "0:v"]
    if sound:
        inputs += ["-f", "lavfi", "-i", f"sine=frequency=200:sample_rate=48000:duration={sound}"]
        maps += ["-map", "1:a", "-c:a", "aac"]
    coding = ["-c:v", codec, "-pix_fmt", pixels, "-metadata", f"comment={tag}", "-movflags", "+faststart"]
    subprocess.run(
        [str(find_ffmpeg()), "-loglevel", "error", "-y", *inputs, *maps, *coding, *extra, str(path)],
        check=True,
    )
    return path


def write_sidecar(video: Path, **changes):
    content = {
        "script": {"name": "film.yaml", "hash": "abc"},
        "frame": {"width": 64, "height": 64, "fps": "25"},
        "n_frames": 50,
        **changes,
    }
    sidecar_path(video).write_text(json.dumps(content))
    return video


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A video without faults; not to be changed."""
    return write_sidecar(make_video(tmp_path_factory.mktemp("video") / "film.mp4"))


@pytest.fixture
def video(good, tmp_path):
    """A copy of it, with its sidecar."""
    shutil.copy(sidecar_path(good), tmp_path)
    return Path(shutil.copy(good, tmp_path))


def faults(report):
    return {problem.key: problem.message for problem in report.problems}


def test_a_good_video(good):
    report = check_video(good)
    assert report.problems == ()
    assert report.is_ok
    assert report.facts["n_frames"] == 50
    assert abs(report.facts["sound_lasts_longer_frames"]) < 1
    assert report.facts["faststart"] is True
    assert "64x64, 50 frames at 25 per second" in report.summary


@pytest.mark.parametrize(
    ("options", "key", "words"),
    [
        ({"codec": "mpeg4"}, "codec", "mpeg4, not h264"),
        ({"pixels": "yuv444p"}, "pixel format", "yuv444p, not yuv420p"),
        ({"size": "63x64", "pixels": "yuv444p"}, "size", "63x64 is not even"),
        ({"sound": 0}, "sound", "there is none"),
        ({"sound": 1.9}, "sound", "-2.50 frames longer"),
        ({"sound": 2.2}, "sound", "+5.00 frames longer"),
        ({"tag": "a film"}, "tags", "AI-generated"),
        ({"extra": ["-movflags", "0"]}, "index", "behind the data"),
    ],
)
def test_each_fault_is_found(tmp_path, options, key, words):
    report = check_video(make_video(tmp_path / "film.mp4", **options))
    assert words in faults(report)[key]
    assert not report.is_ok
    assert all(problem.where == str(tmp_path / "film.mp4") for problem in report.problems)


def test_uneven_frames_are_found(tmp_path):
    path = make_video(tmp_path / "film.mp4", extra=["-vf", "setpts='PTS+gte(N,25)*0.5/TB'", "-fps_mode", "vfr"])
    assert "frames" in faults(check_video(path))


def test_sound_that_starts_late_is_found(tmp_path):
    plain = make_video(tmp_path / "plain.mp4")
    late = tmp_path / "late.mp4"
    inputs = ["-i", str(plain), "-itsoffset", "0.2", "-i", str(plain)]
    subprocess.run(
        [str(find_ffmpeg()), "-loglevel", "error", *inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", str(late)],
        check=True,
    )
    assert "starts +4." in faults(check_video(late))["sound"]


def test_a_missing_sidecar_is_a_fault(video):
    sidecar_path(video).unlink()
    assert "film.mp4.moee.json is missing" in faults(check_video(video))["sidecar"]


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_broken_sidecar_is_a_fault(video, content):
    sidecar_path(video).write_text(content)
    assert "cannot be read" in faults(check_video(video))["sidecar"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n_frames": 51}, "says 51 frames, the video has 50"),
        ({"frame": {"width": 32, "height": 64, "fps": "25"}}, "says 32 width"),
        ({"frame": {"width": 64, "height": 64, "fps": "30"}}, "says 30 frames per second"),
        ({"frame": None}, "says None width"),
    ],
)
def test_a_sidecar_of_another_video_is_a_fault(video, changes, words):
    write_sidecar(video, **changes)
    assert any(words in problem.message for problem in check_video(video).problems)


def test_a_script_that_changed_is_a_warning(video, film):
    film()
    (problem,) = check_video(video).problems
    assert (problem.severity, problem.key) == ("warning", "script")
    assert check_video(video).is_ok


@pytest.mark.parametrize("content", [b"", b"not a video", b"\x00" * 5000])
def test_what_is_no_video(tmp_path, content):
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    report = check_video(path)
    assert not report.is_ok
    assert len(report.problems) == 1


def test_a_truncated_video(good, tmp_path):
    path = tmp_path / "cut.mp4"
    content = good.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert not check_video(path).is_ok


def test_a_missing_file(tmp_path):
    for name in ("no.mp4", "no.yaml"):
        report = check_file(str(tmp_path / name))
        assert not report.is_ok
        assert name in report.problems[0].message + report.problems[0].where


# --- scripts ---------------------------------------------------------------------------------------------------------


def test_a_good_script(film):
    report = check_script(str(film()))
    assert (report.is_ok, report.problems) == (True, ())
    assert report.facts == {"n_segments": 1, "n_speakers": 1, "n_outputs": 1, "n_frames": 10, "seconds": 0.4}


def test_all_problems_at_once(film):
    path = film()
    path.write_text(path.read_text().replace("happiness", "hapiness").replace("moee: 1", "moee: 1\nsed: 4"))
    report = check_script(str(path))
    assert {problem.key for problem in report.problems} == {"sed", "segments[0].emotion"}
    assert all(problem.where.startswith(f"{path}:") for problem in report.problems)


def test_problems_that_only_the_recording_shows(film):
    path = film()
    path.write_text(path.read_text().replace("audio: line.wav", "audio: line.wav, to: 9s"))
    report = check_script(str(path))
    assert not report.is_ok
    assert str(path) in report.problems[0].where


def test_what_only_a_later_release_does_is_a_warning(film):
    path = film()
    path.write_text(path.read_text().replace("emotion: happiness", "prompt: holding back tears"))
    report = check_script(str(path))
    assert report.is_ok
    assert [problem.severity for problem in report.problems] == ["warning"]


# --- motion files ----------------------------------------------------------------------------------------------------


def test_a_motion_file_is_read(tmp_path):
    path = tmp_path / "take.CSV"
    with path.open("w", newline="") as file:
        write_csv(file, [(np.zeros((30, N_MOTION), np.float32), [True] * 30)], Fraction(60))
    report = check_file(str(path))
    assert (report.kind, report.is_ok, report.facts["n_rows"]) == ("motion", True, 30)
    assert report.summary == "0.50 s, 30 rows with a face, 60 per second"
    path.write_text("Timecode\n")
    report = check_file(str(path))
    assert not report.is_ok
    assert "no column EyeBlinkLeft" in report.problems[0].message


def test_a_motion_file_that_is_gone_is_a_warning(video):
    write_sidecar(video, motion=[{"file": "film.arkit.csv"}, None])
    report = check_video(video)
    assert report.is_ok
    assert "film.arkit.csv" in faults(report)["motion"]


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_reports_every_file(moee, good, film, tmp_path):
    bad = film("bad.yaml", text="moee: 1\n")
    result = moee("check", good, bad, film())
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[0].startswith(f"{good}: ok, 64x64")
    assert any(line.startswith(f"error: {bad}") for line in lines)
    assert lines[-1] == f"{tmp_path / 'film.yaml'}: ok, 1 segment, 0.40 s"
    assert result.err == ""


def test_the_command_as_json(moee, good, film):
    bad = film("bad.yaml", text="moee: 1\n")
    result = moee("check", good, bad, "--json")
    assert result.code == 1
    files = json.loads(result.out)["files"]
    assert [(file["kind"], file["ok"]) for file in files] == [("video", True), ("script", False)]
    assert {"severity", "where", "key", "message", "hint"} <= set(files[1]["problems"][0])


def test_a_script_on_standard_input(moee, film, monkeypatch):
    path = film()
    monkeypatch.chdir(path.parent)
    result = moee("check", "-", stdin=path.read_text())
    assert (result.code, result.out) == (0, "-: ok, 1 segment, 0.40 s\n")
