"""`--events`: well-formed lines, documented fields, and no harm to the work when the reader is gone."""

import json
import os

import pytest

from moee_cli.cli.events import ENVELOPE, EVENTS, FORMAT, EventWriter, open_events
from moee_cli.cli.progress import NoView, Reporter
from moee_cli.core.errors import InputError, OutputError, UsageError


class Clock:
    """Time that passes when told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_events_in_a_file(tmp_path):
    path = tmp_path / "events.ndjson"
    clock = Clock()
    with path.open("w") as stream:
        writer = EventWriter(stream, clock)
        clock.now += 1.25
        writer.write("warning", message='a "quoted"\nline, ü')
        writer.write("done", output=tmp_path)
    first, second = lines(path)
    assert first == {"v": FORMAT, "event": "warning", "t": 1.25, "message": 'a "quoted"\nline, ü'}
    assert second["output"] == str(tmp_path)


def test_events_on_a_descriptor_that_stays_open():
    reader, writer = os.pipe()
    events = open_events(f"fd:{writer}")
    events.write("warning", message="x")
    events.close()
    os.write(writer, b"still open")
    os.close(writer)
    with os.fdopen(reader) as stream:
        assert json.loads(stream.readline())["event"] == "warning"
        assert stream.read() == "still open"


def test_a_descriptor_that_is_not_open_is_a_usage_error():
    with pytest.raises(UsageError, match="fd:987 is not open for writing"):
        open_events("fd:987")


def test_a_file_that_cannot_be_opened_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        open_events(str(tmp_path / "missing" / "events"))


def test_a_reader_that_leaves_ends_the_events_not_the_work(capsys):
    reader, writer = os.pipe()
    events = open_events(f"fd:{writer}")
    os.close(reader)
    events.write("warning", message="x")
    events.write("warning", message="y")
    events.close()
    os.close(writer)
    assert capsys.readouterr().err.count("no more events are written") == 1


def reporter(tmp_path, clock):
    path = tmp_path / "events.ndjson"
    return path, Reporter(NoView(), EventWriter(path.open("w"), clock), clock)


def test_progress_events_are_few_and_end_complete(tmp_path):
    clock = Clock()
    path, report = reporter(tmp_path, clock)
    with report:
        report.start("draw", 1000)
        for _ in range(1000):
            clock.now += 0.001
            report.advance()
    events = lines(path)
    progress = [event for event in events if event["event"] == "progress"]
    assert 4 <= len(progress) <= 6
    assert progress[-1]["done"] == progress[-1]["total"] == 1000
    assert [event["done"] for event in progress] == sorted(event["done"] for event in progress)


def test_the_last_event_says_how_it_ended(tmp_path):
    path, report = reporter(tmp_path, Clock())
    report.start("draw", 10)
    with pytest.raises(InputError), report:
        raise InputError("talk.wav: is empty", "record it again")
    end = lines(path)[-1]
    assert (end["event"], end["exit_code"], end["error"], end["hint"]) == (
        "end",
        3,
        "talk.wav: is empty",
        "record it again",
    )


def test_a_good_end(tmp_path):
    path, report = reporter(tmp_path, Clock())
    with report:
        pass
    assert lines(path)[-1]["exit_code"] == 0


def undocumented(events):
    """Return what a run wrote and docs/events.md does not have."""
    faults = []
    for event in events:
        if event["event"] not in EVENTS:
            faults.append(event["event"])
            continue
        allowed = {*ENVELOPE, *EVENTS[event["event"]][1]}
        faults += [f"{event['event']}.{field}" for field in event if field not in allowed]
    return faults


def test_the_reporter_writes_what_is_documented(tmp_path):
    path, report = reporter(tmp_path, Clock())
    with report:
        report.event("begin", command="render", version="1", script="x")
        report.start("look", None, "portraits")
        report.advance()
        report.warn("small face")
    assert undocumented(lines(path)) == []
    assert undocumented([{"event": "made-up"}, {"event": "end", "colour": 1}]) == ["made-up", "end.colour"]
