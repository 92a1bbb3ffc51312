"""The program as a process: signals, closed pipes, full disks, odd environments."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WAIT = """
import sys, time
from moee_cli.cli import app, options

def wait(*_arguments, **_options):
    try:
        print("ready", file=sys.stderr, flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", file=sys.stderr, flush=True)
        CLEANING

options.Overrides.open = wait
app.main()
"""
"""A render that waits where it would read its script."""


@pytest.fixture
def waiting(start_python):
    """Start a render and wait until it waits."""

    def start(cleaning="pass", **options):
        process = start_python(WAIT.replace("CLEANING", cleaning), "render", "x.yaml", "--progress", "none", **options)
        assert process.stderr.readline() == "ready\n"
        return process

    return start


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 129, "terminated")],
)
def test_signals_end_the_program_tidily(waiting, number, code, word):
    process = waiting()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (code, "", f"cleaned up\n{word}\n")


def test_a_signal_that_is_ignored_stays_so(waiting):
    process = waiting(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143


def test_a_second_signal_does_not_wait_for_a_slow_end(waiting):
    process = waiting(cleaning="time.sleep(60)")
    process.send_signal(signal.SIGTERM)
    assert process.stderr.readline() == "cleaned up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == -signal.SIGTERM


def test_the_events_say_how_a_signal_ended_it(waiting, tmp_path):
    events = tmp_path / "events"
    code = WAIT.replace("CLEANING", "pass").replace(
        "app.main()", f'sys.argv += ["--events", {str(events)!r}]; app.main()'
    )
    process = subprocess.Popen([sys.executable, "-c", code, "render", "x.yaml"], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline() == "ready\n"
        process.terminate()
        process.communicate(timeout=20)
    finally:
        process.kill()
    assert '"event": "end"' in events.read_text().splitlines()[-1]
    assert '"exit_code": 143' in events.read_text().splitlines()[-1]


def moee(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "moee_cli", *arguments],
        check=False,
        **{"stderr": subprocess.PIPE, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL, **options},
    )


@pytest.mark.parametrize("arguments", [["emotions"], ["--help"], ["--version"], ["emotions", "--json"]])
def test_a_reader_that_is_gone(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    done = moee(*arguments, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_reader_that_leaves_in_the_middle():
    code = "from moee_cli.cli import console\nfrom moee_cli.cli.commands import emotions\n"
    code += "emotions._list = lambda **_: [console.data('x' * 1000) for _ in range(1000)]\n"
    code += "from moee_cli.cli.app import main\nmain()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "emotions"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_to_a_full_disk():
    with Path("/dev/full").open("w") as full:
        done = moee("emotions", stdout=full)
    assert done.returncode == 6
    assert "No space left on device" in done.stderr
    assert "Exception ignored" not in done.stderr


def test_error_output_nobody_reads():
    reader, writer = os.pipe()
    os.close(reader)
    done = moee("emotions", "hapiness", stderr=writer, stdout=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stdout) == (3, "")


def test_an_ascii_terminal_shows_what_it_can():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = moee("init", "größe", stdout=subprocess.PIPE, env=environment, cwd=os.environ["HOME"])
    assert done.returncode == 0
    assert "gr\\xf6\\xdfe" in done.stdout


def test_the_exit_code_reaches_the_shell():
    assert moee("nonsense", stdout=subprocess.PIPE).returncode == 2


def test_shell_completion_asks_the_program():
    environment = {**os.environ, "_MOEE_COMPLETE": "complete_bash", "COMP_WORDS": "moee re", "COMP_CWORD": "1"}
    done = moee(stdout=subprocess.PIPE, env=environment)
    assert done.stdout.split() == ["render"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("moee render --preset ver", ["vertical"]),
        ("moee render --engine mo", ["motion"]),
        ("moee check --js", ["--json"]),
    ],
)
def test_completion_knows_presets_engines_options(line, words):
    count = str(len(line.split()) - 1)
    environment = {**os.environ, "_MOEE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": count}
    assert moee(stdout=subprocess.PIPE, env=environment).stdout.split() == words
