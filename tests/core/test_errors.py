"""Errors carry their exit code, survive pickling, and read well."""

import errno
import pickle

import pytest

from moee_cli.core import errors


def all_classes(base=errors.MoeeError):
    return [base, *(found for child in base.__subclasses__() for found in all_classes(child))]


@pytest.mark.parametrize("kind", all_classes())
def test_every_error_survives_pickling(kind):
    error = (
        kind([errors.Problem("bad", "a.yaml:1:2", "seed")])
        if issubclass(kind, errors.ProblemsError)
        else kind("what", "do")
    )
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (str(copy), copy.hint, copy.exit_code) == (str(error), error.hint, error.exit_code)


def test_a_script_error_holds_every_problem():
    problems = [errors.Problem("one", "a:1:1", "seed"), errors.Problem("two")]
    copy = pickle.loads(pickle.dumps(errors.ScriptError(problems)))
    assert copy.problems == tuple(problems)
    assert str(copy) == "a:1:1: seed: one\ntwo"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, errors.EnvironmentFailed),
        (errno.EFBIG, errors.EnvironmentFailed),
        (errno.EACCES, errors.OutputError),
    ],
)
def test_os_errors_say_what_they_mean(code, kind):
    error = errors.from_os_error(OSError(code, "reason"), "cannot write film.mp4")
    assert type(error) is kind
    assert "film.mp4" in str(error)
    assert error.hint
