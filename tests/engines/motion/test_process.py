"""Drawing processes: the same frames as without them, and nothing left behind, whatever ends them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from shutil import which

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL, N_MOTION
from moee_cli.core.types import FrameFormat
from moee_cli.engines.motion import engine as engine_module
from moee_cli.engines.motion.engine import MotionEngine
from moee_cli.engines.motion.process import Drawers, can_start
from moee_cli.engines.motion.spec import SPEC
from moee_cli.engines.runtime import Runtime
from moee_cli.face.portrait import load_portrait
from moee_cli.face.renderer import FaceRenderer

PORTRAIT = Path(__file__).parents[3] / "examples" / "ana.png"


def rows(n):
    """Motion in which jaw and head move."""
    motion = np.zeros((n, N_MOTION), np.float32)
    motion[:, CHANNEL["jawOpen"]] = np.linspace(0.0, 1.0, n)
    motion[:, CHANNEL["headYaw"]] = np.linspace(-0.1, 0.1, n)
    return motion


@pytest.fixture(scope="module")
def portrait():
    return load_portrait(PORTRAIT, FrameFormat(96, 96))


@pytest.fixture(scope="module")
def renderer(portrait):
    return FaceRenderer(portrait)


@pytest.fixture
def drawers():
    with closing(Drawers(1)) as started:
        assert started.wait_until_ready() == 1
        yield started


@pytest.fixture
def engine(monkeypatch):
    """An engine for which processes always pay."""
    monkeypatch.setattr(engine_module, "_WORTH_PROCESSES", 0)
    with closing(MotionEngine(SPEC.options(), Runtime(threads=2))) as made:
        yield made


def ended(process):
    return process._process.poll() is not None


def test_a_process_draws_the_same_bytes(drawers, renderer):
    for row in rows(5):
        np.testing.assert_array_equal(drawers.draw(renderer, row), renderer.draw(row))


def test_a_process_keeps_few_renderers_and_is_sent_them_again(drawers, renderer, portrait):
    others = [FaceRenderer(replace(portrait, pixels=np.roll(portrait.pixels, n, axis=2))) for n in (1, 2)]
    for one in (*others, renderer, *others):
        np.testing.assert_array_equal(drawers.draw(one, rows(3)[2]), one.draw(rows(3)[2]))
    assert len(drawers._all[0]._known) == 2


def test_an_error_while_drawing_is_met_where_it_is_seen(engine, renderer):
    list(engine.draw(renderer, rows(2)))
    engine._drawers.wait_until_ready()
    with pytest.raises(ValueError, match="shape"):
        list(engine.draw(renderer, np.zeros((3, 7), np.float32)))
    assert len(list(engine.draw(renderer, rows(2)))) == 2
    assert not any(ended(drawer) for drawer in engine._drawers._all), "processes outlive an error"


def test_frames_come_in_order_while_processes_start_and_after_they_are_killed(engine, renderer):
    motion = rows(24)
    expected = [renderer.draw(row) for row in motion]
    for when in ("starting", "ready", "killed"):
        if when == "ready":
            assert engine._drawers.wait_until_ready() == 2
        for number, frame in enumerate(engine.draw(renderer, motion)):
            np.testing.assert_array_equal(frame, expected[number], err_msg=when)
            if when == "killed" and number == 5:
                for drawer in engine._drawers._all:
                    drawer._process.kill()


def test_closing_early_ends_all_processes(engine, renderer):
    frames = engine.draw(renderer, rows(20))
    next(frames)
    frames.close()
    engine.close()
    engine.close()
    assert all(ended(drawer) for drawer in engine._drawers._all)


def test_few_frames_are_drawn_without_processes(renderer):
    with closing(MotionEngine(SPEC.options(), Runtime(threads=2))) as engine:
        list(engine.draw(renderer, rows(10)))
        assert engine._drawers is None


def test_a_process_that_cannot_be_started_is_done_without(engine, renderer, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(PORTRAIT))
    assert len(list(engine.draw(renderer, rows(4)))) == 4
    assert not can_start()
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    assert len(list(engine.draw(renderer, rows(4)))) == 4
    assert engine._drawers.wait_until_ready() == 0


UNGUARDED = """
import sys, time
from contextlib import closing
from moee_cli.engines.motion.process import Drawers
drawers = Drawers(1)
print(drawers.wait_until_ready(), drawers._all[0]._process.pid, flush=True)
sys.stdin.read()
drawers.close()
"""
"""A script without a main guard, which a second start of it would show twice."""


@pytest.mark.skipif(which("ps") is None, reason="looks for a process by its number")
@pytest.mark.parametrize("end", [signal.SIGKILL, None])
def test_a_process_ends_with_the_one_that_started_it(end, tmp_path):
    script = tmp_path / "film.py"
    script.write_text(UNGUARDED)
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as film:
        ready, pid = film.stdout.readline().split()
        assert ready == "1"
        if end:
            film.send_signal(end)
        rest, _ = film.communicate()
    assert rest == "", "the script ran once"
    state = ["ps", "-o", "stat=", "-p", pid]
    for _ in range(100):
        # Z: it has ended, and whoever adopts orphans here has not collected it.
        if subprocess.run(state, capture_output=True, text=True, check=False).stdout.strip()[:1] in ("", "Z"):
            return
        time.sleep(0.05)
    pytest.fail("the drawing process lives on")


def test_a_process_imports_no_large_library():
    large = {"torch", "mediapipe", "av", "pydantic"}
    code = f"import sys, moee_cli.engines.motion.process; print({large} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
