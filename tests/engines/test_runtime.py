"""Devices are chosen in one place, and a wrong wish is answered."""

import pytest

from moee_cli.core.errors import EngineUnavailable, ScriptError, UsageError
from moee_cli.engines import runtime
from moee_cli.engines.registry import check_options, engine_spec


def test_auto_takes_the_first_device_that_is_there(monkeypatch):
    monkeypatch.setattr(runtime, "_cuda_is_there", lambda device: True)
    assert runtime.choose_runtime("auto", ("cuda", "cpu")).device == "cuda"
    monkeypatch.setattr(runtime, "_cuda_is_there", lambda device: False)
    assert runtime.choose_runtime("auto", ("cuda", "cpu")).device == "cpu"


def test_threads_stay_within_the_cores():
    assert 1 <= runtime.choose_runtime("cpu", ("cpu",)).threads <= runtime.usable_cores()


@pytest.mark.parametrize("wish", ["gpu", "cuda:", "", "cpu:0", "cuda:x"])
def test_a_word_that_is_no_device_is_a_usage_error(wish):
    with pytest.raises(UsageError, match="not a device"):
        runtime.choose_runtime(wish, ("cpu",))


def test_a_missing_device_is_unavailable(monkeypatch):
    monkeypatch.setattr(runtime, "_cuda_is_there", lambda device: False)
    with pytest.raises(EngineUnavailable, match="no CUDA device"):
        runtime.choose_runtime("auto", ("cuda",))
    with pytest.raises(EngineUnavailable, match="does not run on cuda"):
        runtime.choose_runtime("cuda", ("cpu",))


def test_an_unknown_engine_gets_a_guess():
    with pytest.raises(EngineUnavailable) as caught:
        engine_spec("moton")
    assert '"motion"' in (caught.value.hint or "")


def test_unknown_options_are_named():
    with pytest.raises(ScriptError) as caught:
        check_options(engine_spec("motion"), {"landmaker": "x.task", "speed": "3"}, {"motion.landmaker": "a.yaml:3:1"})
    text = [str(problem) for problem in caught.value.problems]
    assert len(text) == 2
    assert text[0].startswith("a.yaml:3:1: engines.motion.landmaker")
    assert "landmarker" in (caught.value.problems[0].hint or "")
