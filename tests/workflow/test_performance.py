"""A line's motion depends on itself and the lines beside it, never on the rest of the film; joins have no gap."""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import AudioFeatures, EmotionKey, TransitionKind
from moee_cli.script.schema import Line, Transition
from moee_cli.script.timeline import build_timeline
from moee_cli.workflow.performance import ChunkGrid, Performance

GRID = ChunkGrid(size=40, overlap=8, context=20)


@dataclass(frozen=True)
class Length:
    n_samples: int
    rate: int = 48_000


def constant(n, value):
    column = np.full(n, value, np.float32)
    return AudioFeatures(column[:, None].repeat(80, 1), column, column, column[:, None])


def line(name, seconds="1.37", emotion=3, **given):
    weights = tuple(float(index == emotion) for index in range(7))
    given = {"audio": Path(f"{seconds}/{name}.wav"), "speaker": "ana", "emotion": (EmotionKey(weights, 0.8),), **given}
    return Line(id=name, **given)


def film(*lines, fps=Fraction(25)):
    return build_timeline(lines, fps, lambda path: Length(round(Fraction(path.parent.name) * 48_000)))


class Recorder:
    """A sampler that mixes everything a drive holds, so that any difference in it changes the motion."""

    def __init__(self):
        self.drives = []

    def __call__(self, index, drive):
        self.drives.append((index, drive))
        noise = NoiseSource(7).normal("test", drive.spans, (3,))
        everything = noise + drive.emotion[:, 1:4] + drive.features.energy_db[:, None] + drive.speech[:, None]
        total = np.float32(drive.emotion.sum() + drive.features.energy_db.sum() + noise.sum() + 10 * len(drive))
        inner = everything[drive.before : drive.before + drive.n_frames]
        return inner + 1e-3 * total


def perform(timeline, recorder=None):
    def hear(index):
        segment = timeline.segments[index]
        value = 0.0 if segment.audio is None else (sum(map(ord, segment.id)) % 17) / 10
        return constant(segment.n_motion, value)

    recorder = recorder or Recorder()

    def sample(index, drives):
        return [recorder(index, drive) for drive in drives]

    return Performance(timeline, GRID, features=hear, silence=lambda n: constant(n, 0.0), sample=sample)


def motions(timeline):
    performance = perform(timeline)
    return {segment.id: performance.motion(index) for index, segment in enumerate(timeline.segments)}


BASE = [line("a", "3.1", 1), line("b", "0.9", 2), line("c", "4.2", 3), line("d", "2.03", 4), line("e", "1.5", 5)]
CHANGES = {
    "insert": ([*BASE[:1], line("new", "2.5", 6), *BASE[1:]], "cde"),
    "lengthen": ([replace(BASE[0], audio=Path("5.7/a.wav")), *BASE[1:]], "cde"),
    "delete": (BASE[1:], "cde"),
    "reorder": ([BASE[1], BASE[0], *BASE[2:]], "de"),
    "other emotion": ([replace(BASE[0], emotion=BASE[4].emotion), *BASE[1:]], "cde"),
    "another take": ([replace(BASE[0], take=2), *BASE[1:]], "cde"),
    "append": ([*BASE, line("f", "1.1", 1)], "abcd"),
    "cut": ([BASE[0], replace(BASE[1], transition=Transition(TransitionKind.CUT)), *BASE[2:]], "cde"),
    "dissolve in": (
        [replace(BASE[0], speaker="bo"), replace(BASE[1], transition=Transition(TransitionKind.DISSOLVE)), *BASE[2:]],
        "de",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001)])
@pytest.mark.parametrize("change", CHANGES)
def test_lines_that_do_not_touch_a_change_keep_their_motion_bit_for_bit(change, fps):
    lines, untouched = CHANGES[change]
    before, after = motions(film(*BASE, fps=fps)), motions(film(*lines, fps=fps))
    for name in untouched:
        np.testing.assert_array_equal(before[name], after[name])
    assert any(
        name not in after or before[name].shape != after[name].shape or (before[name] != after[name]).any()
        for name in before
    )


def test_order_of_asking_does_not_matter():
    timeline = film(*BASE)
    forward = motions(timeline)
    performance = perform(timeline)
    for index in (4, 0, 2, 1, 3):
        np.testing.assert_array_equal(performance.motion(index), forward[timeline.segments[index].id])


@pytest.mark.parametrize("lines", [BASE, [line("x", "0.04"), line("y", "0.04"), line("z", "0.2"), *BASE], [BASE[2]]])
def test_drives_are_whole_and_see_two_segments_at_most(lines):
    recorder = Recorder()
    timeline = film(*lines)
    performance = perform(timeline, recorder)
    for index in range(len(timeline.segments)):
        assert len(performance.motion(index)) == timeline.segments[index].n_motion
    for index, drive in recorder.drives:
        n = len(drive)
        assert n == drive.before + drive.n_frames + drive.after == sum(len(span) for span in drive.spans)
        assert n == len(drive.features) == len(drive.speech) == len(drive.head) == len(drive.blinks)
        assert max(drive.before, drive.after) <= GRID.context
        seen = {span.id for span in drive.spans}
        around = [timeline.segments[i].id for i in (index - 1, index, index + 1) if 0 <= i < len(timeline.segments)]
        assert seen <= set(around)
        assert len(seen) <= 2
        np.testing.assert_allclose(drive.emotion.sum(1), 1, atol=1e-5)


def test_handles_idle_in_silence_around_a_dissolve():
    recorder = Recorder()
    dissolve = Transition(TransitionKind.DISSOLVE, Fraction(1, 2))
    timeline = film(line("a", "2"), line("b", "2", speaker="bo", transition=dissolve))
    performance = perform(timeline, recorder)
    assert performance.stop(0) == 56
    assert performance.first(1) == -6
    assert len(performance.motion(1)) == 56
    assert performance.at_frames(0, 44, 56).shape == (12, 3)
    assert performance.at_frames(1, -6, 6).shape == (12, 3)
    silent = [span for index, drive in recorder.drives for span in drive.spans if index == 1 and span.start < 0]
    assert silent
    for _, drive in recorder.drives:
        assert {span.id for span in drive.spans} in ({"a"}, {"b"})
    speaking = np.concatenate([drive.speech for index, drive in recorder.drives if index == 1])
    assert 0 < speaking.mean() < 1


def test_video_frames_at_25_fps_are_the_motion_frames():
    timeline = film(*BASE)
    performance = perform(timeline)
    for index, segment in enumerate(timeline.segments):
        np.testing.assert_array_equal(
            performance.at_frames(index, 0, segment.n_frames), performance.motion(index)[: segment.n_frames]
        )


@pytest.mark.parametrize("fps", [Fraction(50), Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001)])
def test_a_smooth_run_stays_smooth_at_any_frame_rate(fps):
    timeline = film(*(line(f"s{n}", f"{0.31 + 0.113 * n:.3f}") for n in range(9)), fps=fps)

    def clock(index, drive):
        """Motion = the time in the film at which the frame is shown."""
        starts = {segment.id: segment.start_frame / fps for segment in timeline.segments}
        times = [float(starts[span.id]) + frame / 25 for span in drive.spans for frame in range(span.start, span.stop)]
        return np.array(times, np.float32)[drive.before : drive.before + drive.n_frames, None]

    performance = perform(timeline, clock)
    shown = np.concatenate(
        [performance.at_frames(index, 0, segment.n_frames) for index, segment in enumerate(timeline.segments)]
    )[:, 0]
    wanted = np.arange(timeline.n_frames) / float(fps)
    # The last frames of the film hold its last motion frame.
    assert np.abs(shown - wanted)[:-2].max() < 1e-3


def test_a_continued_recording_has_no_gap_either():
    fps = Fraction(30000, 1001)
    cuts = [Fraction(n * 7, 19) for n in range(8)]
    lines = [
        replace(line(f"s{n}"), audio=Path("5/talk.wav"), start=begin, stop=end)
        for n, (begin, end) in enumerate(pairwise(cuts))
    ]
    timeline = film(*lines, fps=fps)
    starts = {segment.id: float(segment.start_frame / fps) for segment in timeline.segments}

    def clock(index, drive):
        times = [starts[span.id] + frame / 25 for span in drive.spans for frame in range(span.start, span.stop)]
        return np.array(times, np.float32)[drive.before : drive.before + drive.n_frames, None]

    performance = perform(timeline, clock)
    shown = np.concatenate([performance.at_frames(i, 0, s.n_frames) for i, s in enumerate(timeline.segments)])[:, 0]
    assert np.abs(shown - np.arange(timeline.n_frames) / float(fps))[:-2].max() < 1e-3
