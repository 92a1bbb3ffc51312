"""Face motion out and in: the files of `write`, lines that move as a file says, and their joins."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from moee_cli.core.errors import EngineUnavailable, EnvironmentFailed, OutputError, ScriptError
from moee_cli.core.labels import CHANNEL, N_MOTION
from moee_cli.core.progress import Silent
from moee_cli.core.types import AudioFeatures, EmotionKey, MotionFormat
from moee_cli.face.live_link import write_csv
from moee_cli.face.motion_file import read_motion
from moee_cli.face.track import MotionTrack, TrackPart, even_times
from moee_cli.media.decode import probe_audio
from moee_cli.script.schema import Line, Transition, TransitionKind
from moee_cli.script.timeline import build_timeline
from moee_cli.workflow import motion_out
from moee_cli.workflow import plan as planning
from moee_cli.workflow.check import check_script
from moee_cli.workflow.motion_out import motion_files
from moee_cli.workflow.performance import ChunkGrid, Performance
from moee_cli.workflow.plan import plan
from moee_cli.workflow.provenance import read_sidecar
from moee_cli.workflow.render import render
from moee_cli.workflow.reuse import Given, fit, given_motion
from moee_cli.workflow.scripts import open_script

EXAMPLES = Path(__file__).parents[2] / "examples"
JAW = CHANNEL["jawOpen"]


def head(speaker="ana", more=""):
    portraits = ", ".join(f'{name}: {{portrait: "{EXAMPLES / name}.png"}}' for name in ("ana", "kofi"))
    return (
        f"moee: 1\noutput: film.mp4\nframe: {{size: 64x64}}\ncast: {{{portraits}}}\n"
        f"defaults: {{speaker: {speaker}}}\n{more}segments:\n"
    )


@pytest.fixture
def script(film):
    def make(*lines, name="film.yaml", seconds=0.4, speaker="ana", more="", **given):
        text = head(speaker, more) + "".join(f"  - {line}\n" for line in lines)
        return open_script(str(film(name, text=text, seconds=seconds)), **given)

    return make


# --- out and in again -----------------------------------------------------------------------------------------------


def test_a_performance_plays_on_another_portrait(script, tmp_path):
    lines = ["{id: a, audio: line.wav, emotion: joy}", "{pause: 200ms}", "{id: b, audio: line.wav, emotion: fear}"]
    made = render(script(*lines, more="write: [arkit-csv, npz]\n"))
    assert [path.name for path in made.videos[0].motion] == ["film.arkit.csv", "film.motion.npz"]
    assert read_sidecar(made.output)["motion"] == [
        {"file": "film.arkit.csv", "format": "arkit-csv", "speaker": "ana"},
        {"file": "film.motion.npz", "format": "npz", "speaker": "ana"},
    ]
    first = read_motion(tmp_path / "film.motion.npz")
    assert len(first.motion) == made.n_frames
    assert [part.id for part in first.parts] == ["a", "a~pause", "b"]
    assert np.ptp(first.motion[:, JAW]) > 0.05
    curves = read_motion(tmp_path / "film.arkit.csv")
    shifts = [CHANNEL[name] for name in ("headX", "headY", "headZ")]
    np.testing.assert_allclose(
        np.delete(curves.motion, shifts, axis=1), np.delete(first.motion, shifts, axis=1), atol=2e-7
    )

    file = "motion: film.motion.npz"
    again = [f"{{id: a, audio: line.wav, {file}}}", f"{{pause: 200ms, {file}}}", f"{{id: b, audio: line.wav, {file}}}"]
    other = script(*again, name="again.yaml", speaker="kofi", more="seed: 9\nwrite: [npz]\n", output=Path("x.mp4"))
    assert plan(other).rows[0].emotion == "as in film.motion.npz"
    result = render(other, output=tmp_path / "kofi.mp4")
    np.testing.assert_array_equal(read_motion(tmp_path / "kofi.motion.npz").motion, first.motion)
    assert [segment["motion"] for segment in read_sidecar(result.output)["segments"]] == ["film.motion.npz"] * 3


def test_each_speaker_has_a_file_that_keeps_step_with_the_film(script, tmp_path):
    lines = ["{id: a, audio: line.wav}", "{id: b, audio: line.wav, speaker: kofi, transition: dissolve 160ms}"]
    opened = script(*lines, more="write: [npz, arkit-csv]\n")
    planned = plan(opened).as_dict()["outputs"][0]["motion"]
    assert [file["file"] for file in planned] == [
        "film.ana.motion.npz", "film.kofi.motion.npz", "film.ana.arkit.csv", "film.kofi.arkit.csv",
    ]  # fmt: skip
    result = render(opened)
    assert [path.name for path in result.videos[0].motion] == [file["file"] for file in planned]
    ana, kofi = (np.load(tmp_path / f"film.{name}.motion.npz") for name in ("ana", "kofi"))
    assert ana["seen"].nonzero()[0].tolist() == list(range(12))
    assert kofi["seen"].nonzero()[0].tolist() == list(range(8, 20))
    assert not ana["motion"][12:].any()
    assert kofi["motion"][8:].any(axis=1).all()
    rows = (tmp_path / "film.kofi.arkit.csv").read_text().splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == ["0"] * 8 + ["61"] * 12
    assert rows[-1].startswith("00:00:00:45.600,")


def test_parts_of_a_film_have_files_of_their_own_and_standard_output_none(script, tmp_path, capfdbinary):
    opened = script("{id: a, audio: line.wav}", "{id: b, audio: line.wav}", more="write: [npz]\n")
    whole, part = render(opened), render(opened, only=["b"])
    assert [path.name for path in part.videos[0].motion] == ["film.b.motion.npz"]
    track, of_whole = read_motion(tmp_path / "film.b.motion.npz"), read_motion(whole.videos[0].motion[0])
    np.testing.assert_array_equal(track.motion, of_whole.motion[10:])
    assert [part.id for part in track.parts] == ["b"]
    told = Warnings()
    assert render(opened, output=Path("-"), only=["b"], progress=told).videos[0].motion == ()
    assert any("standard output" in message for message in told.messages)
    assert not list(tmp_path.glob("-*"))


class Warnings(Silent):
    def __init__(self):
        self.messages = []

    def warn(self, message):
        self.messages.append(message)


def test_outputs_of_other_rates_write_their_own_frames(script, tmp_path):
    more = {"a": "", "b": ", frame: {size: 64x96}", "c": ", frame: {fps: 50}"}
    outputs = [f"{{path: '{tmp_path / name}.mp4'{wish}}}" for name, wish in more.items()]
    opened = script("{audio: line.wav}", more="write: [npz]\n", sets=[f"output=[{', '.join(outputs)}]"])
    render(opened)
    square, tall, fast = (read_motion(tmp_path / f"{name}.motion.npz") for name in "abc")
    np.testing.assert_array_equal(square.motion, tall.motion)
    np.testing.assert_array_equal(square.motion, fast.motion[::2])


# --- what stands under the name -------------------------------------------------------------------------------------


def test_files_of_others_are_kept(script, tmp_path):
    opened = script("{audio: line.wav}", more="write: [npz]\n")
    foreign = tmp_path / "film.motion.npz"
    foreign.write_text("mine")
    with pytest.raises(OutputError, match="was not made from this script"):
        render(opened)
    assert foreign.read_text() == "mine"
    render(opened, force=True)
    render(opened)
    assert len(read_motion(foreign).motion) == 10


def test_an_input_is_never_overwritten(script, tmp_path):
    with (tmp_path / "film.arkit.csv").open("w") as file:
        write_csv(file, [(np.zeros((10, N_MOTION), np.float32), [True] * 10)], Fraction(25))
    opened = script("{audio: line.wav, motion: film.arkit.csv}", more="write: [arkit-csv]\n")
    with pytest.raises(OutputError, match=r"film\.arkit\.csv: is an input"):
        render(opened, force=True)


@pytest.mark.parametrize("fault", ["write", "stitch"])
def test_nothing_is_left_of_a_render_that_fails(script, tmp_path, monkeypatch, fault):
    opened = script("{audio: line.wav}", more="write: [arkit-csv, npz]\n")

    def fail(*_args, **_more):
        raise EnvironmentFailed("no space left") if fault == "stitch" else OSError(28, "No space left on device")

    target = "moee_cli.workflow.render.stitch" if fault == "stitch" else "moee_cli.workflow.motion_out.write_npz"
    monkeypatch.setattr(target, fail)
    with pytest.raises(EnvironmentFailed, match="o space left"):
        render(opened)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["film.yaml", "line.wav"]


def test_names_of_speakers_become_names_of_files():
    timeline = SimpleNamespace(speakers=("a/b", "a:b", "A-B", "übel"))
    files = motion_files(Path("out/film.v2.mp4"), [MotionFormat.NPZ], timeline)
    assert [file.path.name for file in files] == [
        "film.v2.a-b.motion.npz", "film.v2.a-b-2.motion.npz", "film.v2.A-B-3.motion.npz", "film.v2.übel.motion.npz",
    ]  # fmt: skip


# --- what does not fit ----------------------------------------------------------------------------------------------


def write_take(path, n=10, fps=25):
    motion = np.zeros((n, N_MOTION), np.float32)
    motion[:, JAW] = np.linspace(0, 1, n)
    with path.open("w", newline="") as file:
        write_csv(file, [(motion, [True] * n)], Fraction(fps))


def test_all_faults_of_motion_come_together_with_those_of_the_sound(script, tmp_path):
    write_take(tmp_path / "long.csv", 90)
    (tmp_path / "empty.csv").touch()
    opened = script(
        "{id: a, audio: line.wav, motion: long.csv}",
        "{id: b, audio: line.wav, motion: empty.csv}",
        "{id: c, audio: line.wav, from: 100ms, to: 300ms, motion: long.csv}",
        "{id: d, audio: line.wav, to: 9s}",
        "{pause: 2s, motion: long.csv}",
    )
    with pytest.raises(ScriptError) as caught:
        plan(opened)
    found = {problem.key: problem for problem in caught.value.problems}
    assert set(found) == {
        "segments[0].motion",
        "segments[1].motion",
        "segments[2].motion",
        "segments[3].to",
        "segments[4].motion",
    }
    assert found["segments[0].motion"].message == "long.csv is 3.60 s long, but the segment 0.40 s"
    assert "the segment 0.20 s and its whole recording 0.40 s" in found["segments[2].motion"].message
    assert "empty" in found["segments[1].motion"].message
    assert ":7:5" in found["segments[0].motion"].where
    report = check_script(str(opened.path))
    assert {problem.key for problem in report.problems} == set(found)


def test_faults_of_motion_come_with_those_of_the_script(script, tmp_path):
    write_take(tmp_path / "long.csv", 90)
    with pytest.raises(ScriptError) as caught:
        script("{id: a, audio: line.wav, motion: long.csv}", "{id: b, audio: line.wav, emotion: hapy}")
    assert {problem.key for problem in caught.value.problems} == {"segments[0].motion", "segments[1].emotion"}


def test_the_command_line_names_the_fault_and_leaves_with_3(script, moee, tmp_path):
    (tmp_path / "take.csv").write_text("hello\n")
    opened = script("{audio: line.wav, motion: take.csv}")
    result = moee("render", opened.path)
    assert result.code == 3
    assert f"error: {opened.path}:7:5: segments[0].motion: take.csv:1: has no column Timecode" in result.err


def test_an_engine_that_moves_no_face_is_refused(script, monkeypatch):
    spec = plan(script("{audio: line.wav}")).spec
    monkeypatch.setattr(planning, "engine_spec", lambda _name: replace(spec, moves_face=False))
    plan(script("{audio: line.wav}"))
    with pytest.raises(EngineUnavailable, match="moves no face"):
        plan(script("{audio: line.wav}", more="write: [npz]\n"))


def track(seconds, *parts):
    n = round(seconds * 50)
    return MotionTrack(np.zeros((n, N_MOTION), np.float32), even_times(n, Fraction(50)), seconds, parts)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (track(2.0), (0.0, False)),
        (track(2.1), (0.0, False)),
        (track(10.0), (3.0, False)),
        (track(20.0, TrackPart("b", 9.0, 1.0), TrackPart("a", 7.0, 2.04)), (7.0, True)),
        (track(10.0, TrackPart("a", 7.0, 5.0)), (3.0, False)),
    ],
)
def test_where_a_line_begins_in_a_file(file, expected):
    found = fit(file, "a", start=Fraction(3), seconds=Fraction(2), whole=Fraction(10))
    assert found.error <= 0.2
    assert (found.offset, found.is_part) == expected


def test_eyes_that_look_past_the_camera_are_told_of_and_turned_on_request(script, tmp_path):
    motion = np.zeros((10, N_MOTION), np.float32)
    motion[:, CHANNEL["gazePitch"]] = [-0.2] * 8 + [0.0] * 2
    with (tmp_path / "low.csv").open("w", newline="") as file:
        write_csv(file, [(motion, [True] * 10)], Fraction(25))
    plain = plan(script("{audio: line.wav, motion: low.csv}"))
    assert any("rest 11 degrees off the camera" in remark for remark in plain.remarks)
    centred = plan(script("{audio: line.wav, motion: low.csv, gaze: camera}"))
    assert not centred.remarks
    for planned, expected in ((plain, [-0.2] * 8 + [0.0] * 2), (centred, [0.0] * 8 + [0.2] * 2)):
        given = given_motion(planned.timeline.segments[0], probe_audio)
        np.testing.assert_allclose(given.motion[:, CHANNEL["gazePitch"]], expected, atol=1e-6)


def test_a_check_and_a_render_pass_on_what_is_odd_about_a_motion_file(script, tmp_path):
    write_take(tmp_path / "gap.csv", 10)
    rows = (tmp_path / "gap.csv").read_text().splitlines(keepends=True)
    (tmp_path / "gap.csv").write_text("".join([*rows[:3], rows[2], *rows[10:]]))
    opened = script("{audio: line.wav, motion: gap.csv}")
    back, gap = "gap.csv: rows that step back in time are left out: 1", "gap.csv: rows are missing: 0.28 s after 0.04 s"
    report = check_script(str(opened.path))
    assert report.is_ok
    for told in ([problem.message for problem in report.problems], render(opened).warnings):
        assert told[0] == back
        assert told[1].startswith(gap)


# --- joins ----------------------------------------------------------------------------------------------------------


def perform(given, *lines, fps=Fraction(25)):
    """Return a performance whose sampled motion is a wave that runs through the film."""
    length = SimpleNamespace(n_samples=48_000, rate=48_000)
    timeline = build_timeline(lines, fps, lambda _path: length)
    starts = {segment.id: float(segment.start_frame / fps) * 25 for segment in timeline.segments}

    def silence(n):
        column = np.zeros(n, np.float32)
        return AudioFeatures(column[:, None].repeat(80, 1), column, column, column[:, None])

    def wave(drive):
        frames = np.concatenate([starts[span.id] + np.arange(span.start, span.stop) for span in drive.spans])
        inner = frames[drive.before : drive.before + drive.n_frames]
        return (0.5 + 0.4 * np.sin(inner / 4))[:, None].repeat(N_MOTION, 1).astype(np.float32)

    performance = Performance(
        timeline,
        ChunkGrid(40, 8, 20),
        features=lambda index: silence(timeline.segments[index].n_motion),
        silence=silence,
        sample=lambda _index, drives: [wave(drive) for drive in drives],
        given=lambda index: given.get(timeline.segments[index].id),
    )
    return performance, np.concatenate([performance.motion(index) for index in range(len(timeline.segments))])


def line(name, **more):
    neutral = EmotionKey((1.0, *[0.0] * 6), 0.0)
    return Line(id=name, speaker="ana", audio=Path(f"{name}.wav"), emotion=(neutral,), **more)


def level(value, start=0.0, path="take.csv"):
    return Given(np.full((25, N_MOTION), value, np.float32), Path(path), start, start + 1.0)


CUT = Transition(TransitionKind.CUT)


def test_a_line_from_a_file_leaves_its_neighbours_as_they_were():
    lines = [line("a"), line("b"), line("c")]
    _, sampled = perform({}, *lines)
    _, motion = perform({"b": level(0.9)}, *lines)
    np.testing.assert_array_equal(motion[:25], sampled[:25])
    np.testing.assert_array_equal(motion[50:], sampled[50:])
    np.testing.assert_array_equal(motion[35:40], np.full((5, N_MOTION), 0.9, np.float32))


def test_the_joins_are_as_smooth_as_the_motion():
    lines = [line("a"), line("b"), line("c")]
    _, sampled = perform({}, *lines)
    _, motion = perform({"b": level(0.95)}, *lines)
    usual = np.abs(np.diff(sampled[:, 0])).max()
    assert np.abs(np.diff(motion[:, 0])).max() < 1.5 * usual


def test_a_cut_is_a_cut():
    _, motion = perform({"b": level(0.95)}, line("a"), line("b", transition=CUT), line("c", transition=CUT))
    np.testing.assert_array_equal(motion[25:50], np.full((25, N_MOTION), 0.95, np.float32))


def test_a_file_that_goes_on_has_no_join():
    _, motion = perform({"a": level(0.2), "b": level(0.8, 1.0)}, line("a"), line("b"))
    np.testing.assert_array_equal(motion[:25, 0], np.full(25, 0.2, np.float32))
    np.testing.assert_array_equal(motion[25:, 0], np.full(25, 0.8, np.float32))


def test_two_files_meet_in_the_middle():
    _, motion = perform({"a": level(0.2), "b": level(0.8, 0.0, "b.csv")}, line("a"), line("b"))
    assert motion[24, 0] == pytest.approx(0.5, abs=0.03)
    assert motion[25, 0] == pytest.approx(0.5, abs=0.03)
    assert motion[:15, 0] == pytest.approx(0.2)
    assert motion[35:, 0] == pytest.approx(0.8)
    assert np.abs(np.diff(motion[:, 0])).max() < 0.06


def test_handles_of_a_dissolve_are_sampled_and_joined():
    dissolve = Transition(TransitionKind.DISSOLVE, Fraction(2, 5))
    performance, _ = perform({"a": level(0.9)}, line("a"), replace(line("b", transition=dissolve), speaker="bo"))
    motion = performance.motion(0)
    assert len(motion) == 30
    assert np.abs(np.diff(motion[:, 0])).max() < 0.45
    np.testing.assert_array_equal(motion[:22, 0], np.full(22, 0.9, np.float32))


def test_a_spool_gives_back_what_it_took(tmp_path, monkeypatch):
    monkeypatch.setattr(motion_out, "_BLOCK", 7)
    segments = [SimpleNamespace(speaker="ana"), SimpleNamespace(speaker="bo")]
    timeline = SimpleNamespace(n_frames=20, fps=Fraction(25), speakers=("ana", "bo"), segments=segments)
    spool = motion_out.MotionSpool(tmp_path, timeline)
    ones = np.ones((5, N_MOTION), np.float32)
    nobody = ("", np.empty((0, 0), np.float32))
    spool.add(3, SimpleNamespace(own=("ana", ones), incoming=nobody, outgoing=("bo", 2 * ones[:2])))
    spool.add(8, SimpleNamespace(own=("bo", 3 * ones), incoming=("ana", 4 * ones[:1]), outgoing=("cy", ones)))
    for name, expected in (("ana", [0] * 3 + [1] * 5 + [4] + [0] * 11), ("bo", [0] * 6 + [2] * 2 + [3] * 5 + [0] * 7)):
        blocks = list(spool.blocks(name))
        assert max(len(motion) for motion, _ in blocks) == 7
        assert np.concatenate([motion for motion, _ in blocks])[:, 0].tolist() == expected
        assert np.concatenate([seen for _, seen in blocks]).tolist() == [value > 0 for value in expected]
