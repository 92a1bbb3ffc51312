"""Every kind of failure becomes its exit code and its words: stdout stays clean, stderr has one error."""

import errno
import pickle
import re
from pathlib import Path

import pytest

from moee_cli.cli.boundary import Failure, failure_of, guarded
from moee_cli.cli.options import Overrides
from moee_cli.cli.signals import Terminated
from moee_cli.core import errors


@pytest.fixture
def failing(moee, monkeypatch):
    """Run `moee render x.yaml` where opening the script raises an error."""

    def call(error):
        def fail(*_arguments, **_options):
            raise error

        monkeypatch.setattr(Overrides, "open", fail)
        return moee("render", "x.yaml")

    return call


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.UsageError, 2),
        (errors.InputError, 3),
        (errors.AudioError, 3),
        (errors.PortraitError, 3),
        (errors.OutputError, 3),
        (errors.Unavailable, 4),
        (errors.EngineUnavailable, 4),
        (errors.OutOfMemory, 5),
        (errors.EnvironmentFailed, 6),
    ],
)
def test_expected_errors(failing, kind, code):
    result = failing(kind("talk.wav: is silent", "record it again"))
    assert (result.code, result.out) == (code, "")
    assert result.err == "error: talk.wav: is silent\n  hint: record it again\n"


def test_error_without_hint_is_one_line(failing):
    assert failing(errors.InputError("no")).err == "error: no\n"


def test_script_error_shows_every_problem_and_counts(failing):
    problems = [
        errors.Problem(
            '"hapiness" is not an emotion', "a.yaml:3:9", "segments[0].emotion", 'did you mean "happiness"?'
        ),
        errors.Problem("unknown key", "a.yaml:7:1", "sed", 'did you mean "seed"?'),
        errors.Problem("too long, clamped", "a.yaml:9:1", "segments[1].transition", severity="warning"),
    ]
    result = failing(errors.ScriptError(problems))
    assert (result.code, result.out) == (3, "")
    assert result.err.splitlines() == [
        'error: a.yaml:3:9: segments[0].emotion: "hapiness" is not an emotion',
        '  hint: did you mean "happiness"?',
        "error: a.yaml:7:1: sed: unknown key",
        '  hint: did you mean "seed"?',
        "warning: a.yaml:9:1: segments[1].transition: too long, clamped",
        "2 errors, 1 warning",
    ]


def test_names_with_control_characters_are_escaped(failing):
    result = failing(errors.InputError("a\nb\x1b[2J.wav: no such file", "rename\x07"))
    assert result.err == "error: a\\nb\\x1b[2J.wav: no such file\n  hint: rename\\x07\n"


def test_memory_error(failing):
    result = failing(MemoryError())
    assert result.code == 5
    assert result.err.startswith("error: out of memory\n  hint: ")


def test_memory_error_of_torch(failing):
    kind = type("OutOfMemoryError", (RuntimeError,), {})
    assert failing(kind("CUDA out of memory")).code == 5


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_no_space_anywhere_is_the_machine(failing, number):
    result = failing(OSError(number, "No space left on device", "/tmp/x"))
    assert result.code == 6
    assert "No space left on device" in result.err
    assert "free some space" in result.err


def test_interrupt(failing):
    result = failing(KeyboardInterrupt())
    assert (result.code, result.out, result.err) == (130, "", "interrupted\n")


def test_bug_shows_one_error_and_the_log_that_holds_the_traceback(failing, own_home):
    result = failing(ZeroDivisionError("division\nby zero"))
    assert (result.code, result.out) == (70, "")
    assert result.err.startswith("error: bug in moee: ZeroDivisionError: division\\nby zero\n  hint: ")
    assert "Traceback" not in result.err
    log = Path(re.search(r"with the log (.+)$", result.err.strip())[1])
    assert log.is_relative_to(own_home)
    assert "ZeroDivisionError: division" in log.read_text("utf-8")
    assert "Traceback (most recent call last)" in log.read_text("utf-8")


def test_bug_finds_another_place_for_the_log(failing, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    assert str(tmp_path / "temporary" / "crash-") in failing(RuntimeError("x")).err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["render"], 2, "Missing argument"),
        (["render", "a.yaml", "--sed", "3"], 2, "No such option: --sed"),
        (["render", "a.yaml", "--seed", "x"], 2, "Invalid value for '--seed'"),
        (["render", "a.yaml", "--progress", "loud"], 2, "'loud' is not one of 'auto', 'plain', 'none'"),
        (["rendr", "a.yaml"], 2, "No such command 'rendr'"),
        (["batch", "x", "-j", "0"], 2, "greater than or equal to 1"),
    ],
)
def test_wrong_command_lines(moee, arguments, code, words):
    result = moee(*arguments)
    assert (result.code, result.out) == (code, "")
    assert result.err.startswith("error: ")
    assert words in result.err
    assert "--help` shows what it takes" in result.err


def test_guarded_returns_none_when_all_is_well():
    assert guarded(lambda: None) is None


def test_system_exit_of_a_library_keeps_its_code():
    assert failure_of(SystemExit(0)) is None
    assert failure_of(SystemExit(3)) == Failure(3)
    assert failure_of(SystemExit("words")) == Failure(1)


@pytest.mark.parametrize("error", [errors.OutOfMemory("x", "y"), errors.ScriptError([errors.Problem("p", "a:1:1")])])
def test_failures_survive_pickling(error):
    failure = pickle.loads(pickle.dumps(failure_of(error)))
    assert (failure.exit_code, failure.message, failure.hint) == (error.exit_code, str(error), error.hint)


def test_terminated_has_the_code_a_shell_would_show():
    assert failure_of(Terminated(15)).exit_code == 143
    assert failure_of(Terminated(1)).exit_code == 129
