"""`moee batch`: what fails does not stop the rest, and the table, the report and the exit code say so."""

import json
import signal
import subprocess
import sys
import time

import pytest

from moee_cli.cli.batching import Item
from moee_cli.cli.events import ENVELOPE, EVENTS
from moee_cli.media.probe import probe_video

pytestmark = pytest.mark.slow

TWO_OUTPUTS = '[{path: "${stem}.mp4"}, {path: "wide/${stem}-wide.mp4", frame: {size: 192x128}}]'


def rows(table):
    """Return the rows of a printed table: script to result."""
    return {line.split()[0]: line.split(maxsplit=2)[1] for line in table.splitlines()[1:]}


def test_a_failure_does_not_stop_the_others(moee, film, tmp_path):
    good, bad, last = film("a.yaml"), film("b.yaml", text="moee: 1\nsegments: 3\n"), film("c.yaml")
    report = tmp_path / "report.json"
    events = tmp_path / "events"
    result = moee("batch", tmp_path, "-j", "2", "--report", report, "--events", events, "--progress", "none")
    assert result.code == 1
    assert rows(result.out) == {str(good): "done", str(bad): "failed", str(last): "done"}
    assert probe_video(tmp_path / "a.mp4").n_frames == 10
    assert not (tmp_path / "b.mp4").exists()

    content = json.loads(report.read_text("utf-8"))
    assert content["moee_batch"] == 1
    assert content["counts"] == {"done": 2, "failed": 1, "not run": 0}
    items = {item["script"]: item for item in content["items"]}
    assert items[str(good)]["output"] == str(tmp_path / "a.mp4")
    assert items[str(good)]["seconds"] == 0.4
    assert (items[str(bad)]["exit_code"], items[str(bad)]["result"]) == (3, "failed")
    assert "segments" in items[str(bad)]["error"]

    written = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    assert [event["result"] for event in written if event["event"] == "item"].count("done") == 2
    assert written[-1]["exit_code"] == 1
    for event in written:
        assert set(event) <= {*ENVELOPE, *EVENTS[event["event"]][1]}, event


def test_all_good(moee, film, tmp_path):
    film("in/x/a.yaml")
    film("in/b.yaml")
    result = moee("batch", tmp_path / "in", "--output-dir", tmp_path / "out", "--progress", "none")
    assert result.code == 0, result.err
    assert (tmp_path / "out" / "x" / "a.mp4").is_file()
    assert (tmp_path / "out" / "b.mp4").is_file()
    assert not (tmp_path / "in" / "b.mp4").exists()


def test_fail_fast_renders_nothing_after_a_fault(moee, film, tmp_path):
    film("a.yaml", text="moee: 1\nsegments: 3\n")
    film("b.yaml")
    result = moee("batch", tmp_path, "--fail-fast")
    assert result.code == 1
    assert rows(result.out) == {str(tmp_path / "a.yaml"): "failed", str(tmp_path / "b.yaml"): "not"}
    assert not (tmp_path / "b.mp4").exists()


def test_two_scripts_never_write_one_file(moee, film, tmp_path):
    for name in ("a", "b"):
        path = film(f"{name}.yaml")
        path.write_text(path.read_text("utf-8").replace("${stem}", "same"), "utf-8")
    result = moee("batch", tmp_path, "--fail-fast")
    assert result.code == 1
    assert "a.yaml writes the same file" in result.out
    assert not (tmp_path / "same.mp4").exists()


def test_faults_of_the_render_itself_are_collected(moee, film, tmp_path):
    path = film("a.yaml")
    path.with_suffix(".mp4").write_bytes(b"holiday")
    result = moee("batch", path, "--progress", "none")
    assert result.code == 1
    assert "was not made from this script" in result.out
    assert path.with_suffix(".mp4").read_bytes() == b"holiday"


def test_settings_are_left_out_and_named(moee, film, tmp_path):
    film("studio.yaml", text="moee: 1\nseed: 3\n")
    film("b.yaml", text="moee: 1\n")
    film("c.yaml", text="moee: 1\nsegments: 3\n")
    result = moee("batch", tmp_path)
    assert f"left out {tmp_path / 'studio.yaml'}: no segments" in result.err
    assert list(rows(result.out)) == [str(tmp_path / "c.yaml")]


def test_nothing_to_do_is_an_error(moee, tmp_path):
    result = moee("batch", tmp_path)
    assert (result.code, result.out) == (3, "")
    assert "holds no script" in result.err


def test_a_report_that_cannot_be_written(moee, film, tmp_path):
    film("a.yaml", text="moee: 1\nsegments: 3\n")
    result = moee("batch", tmp_path, "--report", tmp_path / "a.yaml" / "report.json")
    assert result.code == 3


def test_several_problems_are_one_line():
    assert Item("a", error="a.yaml:1:1: x\na.yaml:2:1: y\nz").reason == "a.yaml:1:1: x (and 2 more)"
    assert Item("a", error="one").reason == "one"
    assert Item("a").reason == ""


def test_seconds_per_second():
    assert Item("a", seconds=2.0, elapsed=3.0).seconds_per_second == "1.50"
    assert Item("a").seconds_per_second == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_workers_leaves_no_file_and_still_reports(film, tmp_path, number, code):
    for name in ("a", "b", "c"):
        film(f"{name}.yaml", seconds=60.0)
    report, events = tmp_path / "report.json", tmp_path / "events"
    arguments = ["batch", tmp_path, "-j", "2", "--progress", "plain", "--report", report, "--events", events]
    process = subprocess.Popen(
        [sys.executable, "-m", "moee_cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not (events.exists() and '"stage": "draw"' in events.read_text()):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert {item["result"] for item in json.loads(report.read_text())["items"]} == {"not run"}
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".json", ".wav", ".yaml", ".yaml", ".yaml"]


def test_scripts_with_several_outputs(moee, film, tmp_path):
    film("in/a.yaml", output=TWO_OUTPUTS)
    film("in/b.yaml")
    report = tmp_path / "report.json"
    result = moee("batch", tmp_path / "in", "--report", report, "--progress", "none")
    assert result.code == 0, result.err
    items = json.loads(report.read_text("utf-8"))["items"]
    names = [[str(tmp_path / "in" / name) for name in group] for group in (["a.mp4", "wide/a-wide.mp4"], ["b.mp4"])]
    assert [item["outputs"] for item in items] == names
    assert [item["output"] for item in items] == [group[0] for group in names]
    assert all(name in result.out for group in names for name in group)


def test_several_outputs_get_a_folder_below_output_dir(moee, film, tmp_path):
    path = film("a.yaml", output=TWO_OUTPUTS)
    assert moee("batch", path, "--output-dir", tmp_path / "out", "--progress", "none").code == 0
    assert sorted(video.name for video in (tmp_path / "out" / "a").glob("*.mp4")) == ["a-wide.mp4", "a.mp4"]
    film("a.yaml", output="[{path: a.mp4}, {path: wide/a.mp4}]")
    result = moee("batch", path, "--output-dir", tmp_path / "out")
    assert result.code == 1
    assert "cannot lie in one folder" in result.out


def test_one_of_several_outputs_that_another_script_writes(moee, film, tmp_path):
    film("a.yaml")
    film("b.yaml", output="[{path: b.mp4}, {path: a.mp4}]")
    result = moee("batch", tmp_path, "--fail-fast")
    assert result.code == 1
    assert "a.yaml writes the same file" in result.out
