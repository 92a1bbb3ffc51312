"""Every segment on whole frames, every length exact, and places that depend on neighbours only."""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from moee_cli.core.errors import AudioError, ScriptError
from moee_cli.core.timebase import frames_of_samples, sample_of_frame
from moee_cli.core.types import Controls, EmotionKey, TransitionKind
from moee_cli.script.schema import Line, Transition
from moee_cli.script.timeline import NEUTRAL, build_timeline, select

NTSC = Fraction(30000, 1001)
RATES = [Fraction(25), Fraction(30), NTSC, Fraction(24000, 1001), Fraction(60000, 1001), Fraction(12)]
ANGRY = (EmotionKey((0, 0, 0, 1, 0, 0, 0), 0.7),)


@dataclass(frozen=True)
class Length:
    n_samples: int
    rate: int = 48_000


def probe(path):
    """Say that `1.37.wav` lasts 1.37 s."""
    return Length(round(Fraction(path.stem) * 48_000))


def line(name, seconds=None, **given):
    seconds = "1" if seconds is None else seconds
    return Line(**{"id": name, "speaker": "ana", "audio": Path(f"{seconds}.wav"), "emotion": ANGRY, **given})


def pause(name, seconds, **given):
    return Line(id=name, speaker="ana", pause=Fraction(seconds), emotion_given=False, **given)


def build(*lines, fps=Fraction(25)):
    return build_timeline(lines, fps, probe)


@pytest.mark.parametrize("fps", RATES)
def test_picture_and_sound_have_equal_length_for_any_number_of_segments(fps):
    lines = [line(f"s{n}", f"{0.31 + 0.0137 * n:.4f}") for n in range(150)]
    timeline = build(*lines, fps=fps)
    total = sample_of_frame(timeline.n_frames, fps)
    assert frames_of_samples(total, fps) == timeline.n_frames
    assert timeline.n_frames == sum(piece.n_frames for piece in timeline.pieces)
    for segment, after in pairwise(timeline.segments):
        assert segment.stop_frame == after.start_frame
        # The sound fits into its frames, and no segment is a whole frame longer than its sound.
        assert segment.audio.seconds <= segment.n_frames / fps < segment.audio.seconds + 1 / fps


@pytest.mark.parametrize("fps", RATES)
def test_a_continued_recording_stays_in_one_piece(fps):
    cuts = [Fraction(n * 7, 19) for n in range(12)]
    lines = [line(f"s{n}", "5", start=begin, stop=end) for n, (begin, end) in enumerate(pairwise(cuts))]
    timeline = build(*lines, fps=fps)
    assert [segment.continues for segment in timeline.segments] == [False] + [True] * 10
    assert timeline.n_frames == -(-(cuts[-1] * fps) // 1)
    for segment, begin in zip(timeline.segments, cuts, strict=False):
        assert abs(segment.start_frame / fps - begin) <= Fraction(1, 2) / fps
        # The picture begins at the sample that is heard there.
        assert abs(Fraction(segment.audio.start, 48_000) - segment.start_frame / fps) <= Fraction(1, 96_000)


@pytest.mark.parametrize("fps", RATES)
def test_the_head_of_a_chain_is_padded_in_front(fps):
    begin, cut = Fraction(1037, 1000), Fraction(2)
    head, tail = build(line("a", "5", start=begin, stop=cut), line("b", "5", start=cut), fps=fps).segments
    assert 0 < head.pad < 1 / fps
    # From the head's first sample to the border, frames and sound agree to a sample.
    heard = head.pad + Fraction(tail.audio.start - head.audio.start, 48_000)
    assert abs(heard - head.n_frames / fps) <= Fraction(1, 48_000)


@pytest.mark.parametrize("fps", RATES)
def test_a_chain_keeps_its_frames_wherever_it_is_broken(fps):
    cuts = [Fraction(n * 7, 19) for n in range(8)]
    chain = [line(f"s{n}", "5", start=begin, stop=end) for n, (begin, end) in enumerate(pairwise(cuts))]
    whole = {segment.id: segment for segment in build(*chain, fps=fps).segments}
    later = replace(chain[0], start=Fraction(1, 100))
    changes = [
        [*chain[:2], pause("p", "0.3"), *chain[2:]],
        chain[2:],
        [chain[0], *chain[2:]],
        [line("x", "1.23"), *chain],
        [later, *chain[1:]],
    ]
    for lines in changes:
        for segment in build(*lines, fps=fps).segments:
            if segment.id in ("s3", "s4", "s5", "s6"):
                same = whole[segment.id]
                assert (segment.audio, segment.n_frames, segment.pad) == (same.audio, same.n_frames, same.pad)


@pytest.mark.parametrize("fps", RATES)
def test_times_in_frames_give_that_many_frames(fps):
    for rate in (16_000, 44_100):
        lines = [line("a", "5", start=10 / fps, stop=20 / fps), line("b", "5", start=31 / fps, stop=32 / fps)]
        timeline = build_timeline(lines, fps, lambda path, rate=rate: Length(5 * rate, rate))
        assert [segment.n_frames for segment in timeline.segments] == [10, 1]


def test_a_gap_in_the_recording_is_no_continuation():
    a, b = line("a", "5", stop=Fraction(1)), line("b", "5", start=Fraction(101, 100))
    assert not build(a, b).segments[1].continues


def test_runs_break_at_cuts_dissolves_and_speakers():
    cut, dissolve = Transition(TransitionKind.CUT), Transition(TransitionKind.DISSOLVE)
    timeline = build(
        line("a"), line("b"), line("c", speaker="bo"), line("d", speaker="bo", transition=cut), pause("d~pause", 1),
        line("e", transition=dissolve),
    )  # fmt: skip
    assert [segment.run for segment in timeline.segments] == [0, 0, 1, 2, 3, 4]
    kinds = [segment.transition.value for segment in timeline.segments]
    assert kinds == ["cut", "blend", "cut", "cut", "cut", "dissolve"]


def test_a_pause_does_not_break_a_run_and_fades():
    timeline = build(line("a"), pause("a~pause", "0.5"), line("b"))
    assert {segment.run for segment in timeline.segments} == {0}
    faint = timeline.segments[1].emotion
    assert faint[0].weights == ANGRY[0].weights
    assert 0 < faint[0].intensity < 0.3
    assert build(pause("p", 1), line("a")).segments[0].emotion == (EmotionKey(NEUTRAL, 0.0),)


def test_dissolve_handles_are_symmetric_and_change_no_length():
    plain = build(line("a", "2"), line("b", "2", speaker="bo"))
    wish = Transition(TransitionKind.DISSOLVE, Fraction(1, 2))
    dissolved = build(line("a", "2"), line("b", "2", speaker="bo", transition=wish))
    assert dissolved.n_frames == plain.n_frames
    a, b = dissolved.segments
    assert a.handle_after == b.handle_before == b.transition_frames // 2 == 6


def test_a_transition_too_long_for_its_neighbours_is_shortened_with_a_warning():
    wish = Transition(TransitionKind.DISSOLVE, Fraction(3))
    timeline = build(line("a", "2"), line("b", "0.4", speaker="bo", transition=wish, where="f.yaml:9:5"))
    assert timeline.segments[1].transition_frames == 10
    assert "f.yaml:9:5" in timeline.warnings[0]
    assert "0.400 s" in timeline.warnings[0]


def test_a_keyframe_after_the_end_is_told():
    keys = (EmotionKey(NEUTRAL, 1.0, Fraction(0)), EmotionKey(NEUTRAL, 1.0, Fraction(9)))
    timeline = build(line("a", "1.5", emotion=keys, where="f.yaml:7:3"))
    assert timeline.warnings == ("f.yaml:7:3: the keyframe at 9 s is never reached: a lasts 1.52 s",)


def test_dissolves_on_both_ends_never_overlap():
    wish = Transition(TransitionKind.DISSOLVE, Fraction(9))
    timeline = build(*(line(f"s{n}", "0.5", speaker=f"p{n % 2}", transition=wish) for n in range(5)))
    for segment in timeline.segments:
        assert segment.handle_before + segment.handle_after <= segment.n_frames


def test_pieces_are_at_most_ten_seconds_and_cover_everything():
    timeline = build(line("a", "25.3"), line("b", "0.04"), fps=NTSC)
    assert max(piece.n_frames for piece in timeline.pieces) <= 10 * NTSC
    for index, segment in enumerate(timeline.segments):
        assert sum(piece.n_frames for piece in timeline.pieces if piece.segment == index) == segment.n_frames


def faults(*lines, fps=Fraction(25)):
    with pytest.raises(ScriptError) as caught:
        build(*lines, fps=fps)
    return [str(problem) for problem in caught.value.problems]


def test_every_fault_is_reported_with_its_place():
    found = faults(
        line("a", "2", start=Fraction(3), where="f.yaml:5:3", key="segments[0]"),
        line("b", "2", stop=Fraction(17), where="f.yaml:6:3", key="segments[1]"),
        line("c", "2"),
        line("d", "2", start=Fraction(1), stop=Fraction(1), where="f.yaml:8:3", key="segments[3]"),
    )
    assert len(found) == 3
    assert found[0].startswith("f.yaml:5:3: segments[0].from: starts at 3.000 s, but 2.wav is 2.000 s long")
    assert found[1].startswith("f.yaml:6:3: segments[1].to: ends at 17.000 s")
    assert "no sample" in found[2]


def test_a_millisecond_of_rounding_at_the_end_is_forgiven():
    timeline = build(line("a", "1.0005", stop=Fraction(1001, 1000)))
    assert timeline.segments[0].audio.seconds == Fraction("1.0005")


def test_unreadable_audio_is_a_problem_of_its_line():
    def broken(path):
        raise AudioError(f"{path.name}: holds no sound", "choose another file")

    with pytest.raises(ScriptError) as caught:
        build_timeline([line("a", where="f.yaml:5:3", key="segments[0]")], Fraction(25), broken)
    assert str(caught.value).startswith("f.yaml:5:3: segments[0].audio: 1.wav: holds no sound")


def test_blend_between_speakers_is_refused():
    blend = Transition(TransitionKind.BLEND)
    assert "blend needs one speaker" in faults(line("a"), line("b", speaker="bo", transition=blend))[0]


def test_a_cut_shorter_than_a_frame_is_refused():
    cuts = [Fraction(0), Fraction(1), Fraction(1005, 1000), Fraction(2)]
    found = faults(*(line(f"s{n}", "5", start=begin, stop=end) for n, (begin, end) in enumerate(pairwise(cuts))))
    assert "less than a video frame" in found[0]


def test_select_keeps_the_chosen_lines_as_they_are():
    whole = build(line("a"), line("b", "2"), line("c"), line("d"))
    part = select(whole, ["d", "b"])
    assert [segment.id for segment in part.segments] == ["b", "d"]
    assert [segment.start_frame for segment in part.segments] == [0, 50]
    assert part.n_frames == 75
    with pytest.raises(ScriptError, match='"x"'):
        select(whole, ["b", "x"])


def test_controls_travel_with_their_segment():
    still = Controls(head=0.0)
    assert build(line("a", controls=still)).segments[0].controls is still
