"""Closed streams, a folder that is gone, signals at awkward moments, odd targets of events and reports."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def in_shell(command, **options):
    words = ["sh", "-c", command.replace("moee", f"{sys.executable} -m moee_cli")]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=60, **options)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_bug(film, closed):
    path = film()
    assert in_shell(f"moee check {path} {closed}").returncode == 0


def test_a_script_from_a_closed_stream_is_empty():
    done = in_shell("moee render - -o x.mp4 <&-")
    assert done.returncode == 3
    assert "empty" in done.stderr


def test_a_folder_that_is_gone(film, tmp_path):
    path = film()
    (tmp_path / "gone").mkdir()
    done = in_shell(f"cd {tmp_path}/gone && rmdir ../gone && moee check {path}")
    assert done.returncode == 3
    assert "current folder does not exist" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.05, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5])
def test_signals_while_libraries_load(film, tmp_path, number, delay):
    command = [sys.executable, "-m", "moee_cli", "render", str(film(seconds=20)), "--progress", "none"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(delay)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    early = delay < 0.2  # before the program itself runs, the interpreter answers, and while it loads `site` with a 1
    assert process.returncode in (-number, 128 + number, *([1] if early else [])), err
    assert "Traceback" not in err or early
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["film.yaml", "line.wav"]


@pytest.mark.parametrize("target", ["-", "fd:x", "fd:"])
def test_events_need_a_file_or_a_descriptor(moee, film, target):
    result = moee("render", film(), "--events", target)
    assert result.code == 2
    assert "--events" in result.err


def test_a_cache_that_is_a_file_is_told_by_the_doctor(moee, tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv("MOEE_CACHE", str(tmp_path / "cache"))
    result = moee("doctor")
    assert result.code == 4
    assert "MOEE_CACHE" in result.out + result.err


def test_a_sidecar_is_no_script(moee, tmp_path):
    (tmp_path / "film.mp4.moee.json").write_text("{}")
    result = moee("check", tmp_path / "film.mp4.moee.json")
    assert result.code == 0
    assert "sidecar" in result.out + result.err


def test_only_must_name_something(moee, film):
    assert moee("render", film(), "--only", "").code == 2


def test_a_report_that_cannot_be_written_is_found_first(moee, film, tmp_path):
    path = film()
    (tmp_path / "report").mkdir()
    assert moee("batch", path, "--report", tmp_path / "report").code == 3
    assert not (tmp_path / "film.mp4").exists()
    assert moee("batch", path, "--output-dir", path).code == 2


def test_a_batch_knows_before_it_renders_what_is_no_picture(moee, film, tmp_path, monkeypatch):
    path = film(text=f"{FLOW[:-2]}, frame: {{background: b.jpg}}}}\n")
    for name in ("a.png", "b.jpg"):
        (tmp_path / name).write_bytes(b"no picture")
    monkeypatch.setattr("moee_cli.cli.batching.Pool", None)  # nothing is left to render
    assert moee("batch", path, "--report", tmp_path / "r.json").code == 1
    (item,) = json.loads((tmp_path / "r.json").read_text())["items"]
    assert item["exit_code"] == 3
    assert all(f"{name} is not a picture" in item["error"] for name in ("a.png", "b.jpg"))
    for command in ("plan", "render"):
        assert moee(command, path).code == 3


def test_the_folder_of_a_report_is_made(moee, film, tmp_path):
    report = tmp_path / "new" / "r.json"
    assert moee("batch", film(text="moee: 2\nsegments: []\n"), "--report", report).code == 1
    assert json.loads(report.read_text())["counts"]["failed"] == 1


FLOW = "{moee: 1, cast: {a: {portrait: a.png}}, segments: [{audio: line.wav}]}\n"


def test_a_batch_leaves_out_only_settings(moee, film, tmp_path):
    folder = tmp_path / "b"
    film(name="b/flow.yaml", text=FLOW)
    (folder / "utf16.yaml").write_text(FLOW, encoding="utf-16")
    (folder / "typo.yaml").write_text("moee: 1\nsegment: []\n")
    (folder / "broken.yaml").write_text("moee: 1\nfoo: [\n")
    (folder / "base.yaml").write_text("moee: 1\ndefaults: {gap: 1s}\n")
    report = tmp_path / "r.json"
    result = moee("batch", folder, "--report", report)
    assert result.code == 1
    tried = sorted(Path(item["script"]).name for item in json.loads(report.read_text())["items"])
    assert tried == ["broken.yaml", "flow.yaml", "typo.yaml", "utf16.yaml"]
    assert "left out" in result.err


def test_a_script_without_output_has_one_everywhere(moee, film):
    path = film(text=film().read_text().replace('output: "${stem}.mp4"\n', ""))
    planned = json.loads(moee("plan", path, "--json").out)
    assert planned["output"].endswith("film.mp4")
    assert moee("batch", path).code == 0
    assert path.with_suffix(".mp4").exists()
