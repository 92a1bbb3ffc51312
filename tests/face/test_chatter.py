"""Silence for a library's start-up lines must cost nobody else a line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from moee_cli.face.chatter import without_chatter

NOISE = (
    b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"W0000 00:00:1795228273.039539    7311 inference_feedback_manager.cc:114] Feedback manager requires a model\n"
    b"I0312 17:02:11.000001 12 gl_context.cc:344] GL version: 3.1\n"
)


def test_chatter_goes_and_the_rest_stays_in_order(capfd):
    with without_chatter():
        os.write(2, b"first\n" + NOISE)
        os.write(2, b"second\n")
        os.write(2, b"E0000 00:00:1795228273.039539 7311 calculator.cc:1] real error\nlast, unfinished")
    os.write(2, b" line\nafter\n")
    assert capfd.readouterr().err == (
        "first\nsecond\nE0000 00:00:1795228273.039539 7311 calculator.cc:1] real error\nlast, unfinished line\nafter\n"
    )


def test_restored_after_an_error(capfd):
    def failing():
        with without_chatter():
            os.write(2, b"before the error\n")
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    os.write(2, b"after the error\n")
    assert capfd.readouterr().err == "before the error\nafter the error\n"


def test_threads_lose_nothing(capfd):
    def talk(number: int) -> None:
        for line in range(50):
            if line % 10 == 0:
                with without_chatter():
                    os.write(2, NOISE)
            os.write(2, f"{number}:{line}\n".encode())

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = capfd.readouterr().err.split()
    assert sorted(lines) == sorted(f"{number}:{line}" for number in range(4) for line in range(50))


def test_closed_stderr_is_no_failure():
    code = (
        "import os; os.close(2)\n"
        "from moee_cli.face.chatter import without_chatter\n"
        "with without_chatter():\n    print('ran')"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "ran\n"


def test_no_room_for_the_scratch_file_is_no_failure(monkeypatch, capfd):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("moee_cli.face.chatter.tempfile.TemporaryFile", full)
    with without_chatter():
        os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"
