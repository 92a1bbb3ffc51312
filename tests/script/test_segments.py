"""Segments, pauses, gaps, ids, speakers: from entries to lines."""

from fractions import Fraction

import pytest

from moee_cli.core.errors import Problem
from moee_cli.core.types import Controls, Gaze, TransitionKind
from moee_cli.script.load import Checks

HEAD = "moee: 1\ncast: {ana: {portrait: ana.png}}\n"
TWO = "moee: 1\ncast: {ana: {portrait: ana.png}, bo: {portrait: bo.png}}\n"


def ids(script):
    return [line.id for line in script.lines]


def test_a_line(project):
    head = TWO + "defaults: {head: 0.5, gaze: free}\n"
    script = project.segments(
        "{id: a01, speaker: bo, audio: a.wav, from: 12.5s, to: '00:17', take: 2, transition: dissolve 250ms,"
        " text: hello, subtitles: a.srt, blinks: 3}",
        head=head,
    )
    (line,) = script.lines
    assert (line.id, line.speaker, line.take, line.text) == ("a01", "bo", 2, "hello")
    assert (line.audio, line.subtitles) == (project.folder / "a.wav", project.folder / "a.srt")
    assert (line.start, line.stop, line.pause) == (Fraction(25, 2), Fraction(17), None)
    assert (line.transition.kind, line.transition.seconds) == (TransitionKind.DISSOLVE, Fraction(1, 4))
    assert line.controls == Controls(0.5, Gaze.FREE, 3)
    assert (line.where, line.key) == ("film.yaml:5:5", "segments[0]")
    assert line.emotion_given


def test_the_default_transition_is_auto_without_a_length(project):
    (line,) = project.segments("{audio: a.wav}").lines
    assert (line.transition.kind, line.transition.seconds) == (TransitionKind.AUTO, None)
    (line,) = project.segments("{audio: a.wav}", head=HEAD + "defaults: {transition: cut}\n").lines
    assert line.transition.kind is TransitionKind.CUT


# --- ids


def test_an_id_is_the_name_of_the_audio(project):
    for name in ("über 1.b.wav", "x,y~z.wav", "-dash.wav"):
        (project.folder / name).touch()
    script = project.segments(
        "{audio: über 1.b.wav}", "{audio: 'x,y~z.wav'}", "{audio: -dash.wav}", "{audio: vo/01.wav}"
    )
    assert ids(script) == ["über 1.b", "x-y-z", "-dash", "01"]


def test_a_file_used_twice_needs_ids(project):
    problem = project.segment_problem("{audio: a.wav, to: 1s}", "{audio: a.wav, from: 1s}")
    assert problem.message == 'the id "a" is already that of segments[0]'
    assert "`id`" in problem.hint
    assert (problem.where, problem.key) == ("film.yaml:5:5", "segments[1]")
    assert ids(project.segments("{audio: a.wav, to: 1s}", "{id: a2, audio: a.wav, from: 1s}")) == ["a", "a2"]


def test_two_files_of_one_name_need_ids(project):
    assert "already that of" in project.segment_problem("{audio: a.wav}", "{audio: vo/a.wav}").message


def test_an_id_is_used_once(project):
    problem = project.segment_problem("{id: x, audio: a.wav}", "{id: x, pause: 1s}")
    assert (problem.key, problem.where) == ("segments[1].id", "film.yaml:5:10")


# --- pauses


def test_pauses_are_named_after_their_neighbours(project):
    script = project.segments(
        "pause: 1s",
        "pause: 2s",
        "{audio: a.wav}",
        "pause: 600ms",
        "{id: breath, pause: 1s}",
        "pause: 10f",
        "{audio: b.wav}",
        "pause: 1s",
    )
    assert ids(script) == ["a~before", "a~before2", "a", "a~pause", "breath", "a~pause2", "b", "b~pause"]
    assert [line.pause for line in script.lines][3::2] == [Fraction(3, 5), Fraction(2, 5), 1]


def test_inserting_a_line_renames_no_other_pause(project):
    before = project.segments("{audio: a.wav}", "pause: 1s", "{audio: b.wav, gap: 1s}", "pause: 1s")
    after = project.segments(
        "{audio: a.wav}", "pause: 1s", "{audio: c.wav}", "pause: 1s", "{audio: b.wav, gap: 1s}", "pause: 1s"
    )
    assert set(ids(before)) < set(ids(after))


def test_a_pause_keeps_the_previous_speaker(project):
    script = project.segments(
        "pause: 1s", "{audio: a.wav, speaker: bo}", "pause: 1s", "{audio: b.wav, speaker: ana}", "pause: 1s",
        "{pause: 1s, speaker: bo}", "pause: 1s",
        head=TWO,
    )  # fmt: skip
    assert [line.speaker for line in script.lines] == ["bo", "bo", "bo", "ana", "ana", "bo", "bo"]


def test_a_pause_eases_unless_it_is_told_otherwise(project):
    head = HEAD + "defaults: {emotion: anger, transition: cut}\n"
    plain, told = project.segments("{pause: 1s}", "{pause: 1s, emotion: fear, intensity: 0.2}", head=head).lines
    assert (plain.emotion, plain.emotion_given, plain.transition.kind) == ((), False, TransitionKind.AUTO)
    assert told.emotion_given
    assert (told.emotion[0].weights[5], told.emotion[0].intensity) == (1, 0.2)


def test_only_pauses(project):
    script = project.segments("pause: 1s", "pause: 1s")
    assert ids(script) == ["~before", "~before2"]
    assert [line.speaker for line in script.lines] == ["ana", "ana"]
    assert "does not say who speaks" in project.segment_problem("pause: 1s", head=TWO).message


@pytest.mark.parametrize("key", ["from: 1s", "to: 2s", "text: hm", "subtitles: a.srt", "gap: 1s"])
def test_what_means_nothing_in_a_pause(project, key):
    problem = project.segment_problem(f"{{pause: 3s, {key}}}")
    assert problem.message == "means nothing in a pause"
    assert problem.where == "film.yaml:4:17"


def test_intensity_alone_means_nothing_in_a_pause(project):
    assert "needs an `emotion`" in project.segment_problem("{pause: 1s, intensity: 1}").message


# --- gaps


def test_a_gap_is_a_pause_before_every_line(project):
    head = TWO + "defaults: {gap: 300ms}\n"
    script = project.segments("{audio: a.wav, speaker: ana}", "pause: 1s", "{audio: b.wav, speaker: bo, gap: 5f}",
                              "{audio: c.wav, speaker: bo, gap: 0}", head=head)  # fmt: skip
    assert ids(script) == ["a~gap", "a", "a~pause", "b~gap", "b", "c"]
    assert [line.speaker for line in script.lines] == ["ana", "ana", "ana", "ana", "bo", "bo"]
    assert [line.pause for line in script.lines if line.pause] == [Fraction(3, 10), 1, Fraction(1, 5)]
    gap = script.lines[3]
    assert (gap.key, gap.emotion_given, gap.transition.kind) == ("segments[2].gap", False, TransitionKind.AUTO)


# --- speakers


def test_a_speaker_may_be_left_out_in_a_cast_of_one(project):
    assert project.segments("{audio: a.wav}").lines[0].speaker == "ana"


def test_a_speaker_is_needed_in_a_larger_cast(project):
    problem = project.segment_problem("{audio: a.wav}", head=TWO)
    assert problem.message == "does not say who speaks"
    assert "ana, bo" in problem.hint
    assert project.segments("{audio: a.wav}", head=TWO + "defaults: {speaker: bo}\n").lines[0].speaker == "bo"


@pytest.mark.parametrize("segment", ["{audio: a.wav, speaker: anna}", "{pause: 1s, speaker: anna}"])
def test_an_unknown_speaker(project, segment):
    problem = project.segment_problem(segment)
    assert problem.message == '"anna" is not in the cast'
    assert 'did you mean "ana"' in problem.hint


def test_an_unknown_default_speaker_is_reported_once(project):
    problem = project.segment_problem("{audio: a.wav}", "{audio: b.wav}", head=HEAD + "defaults: {speaker: xx}\n")
    assert problem.key == "defaults.speaker"


# --- what cannot be


@pytest.mark.parametrize(
    ("segment", "message", "key"),
    [
        ("{}", "has neither `audio` nor `pause`", "segments[0]"),
        ("{id: x}", "has neither `audio` nor `pause`", "segments[0]"),
        ("{audio: a.wav, pause: 1s}", "has both `audio` and `pause`", "segments[0]"),
        ("nix", 'is "nix", not a mapping', "segments[0]"),
        ("[a.wav]", "is a list, not a mapping", "segments[0]"),
        ("", "is nothing, not a mapping", "segments[0]"),
        ("{audio: a.wav, from: 3s, to: 2s}", "2 s is not after `from`, 3 s", "segments[0].to"),
        ("{audio: a.wav, from: 2, to: '00:02'}", "is not after `from`", "segments[0].to"),
        ("{audio: a.wav, to: 0}", "is not after `from`", "segments[0].to"),
        ("{audio: a.wav, from: -1s}", "is negative", "segments[0].from"),
        ("{audio: a.wav, take: 0}", "is not from 1", "segments[0].take"),
        ("{audio: a.wav, take: first}", "is not a whole number", "segments[0].take"),
        ("{audio: a.wav, transition: fade}", "is not a transition", "segments[0].transition"),
        ("{audio: a.wav, gaze: away}", "is not one of camera, free", "segments[0].gaze"),
        ("{audio: a.wav, head: 3}", "is not from 0 to 2", "segments[0].head"),
        ("{audio: a.wav, blinks: 61}", "is not from 0 to 60", "segments[0].blinks"),
        ("{audio: a.wav, gap: -1}", "is negative", "segments[0].gap"),
        ("{audio: a.wav, emotoin: joy}", "is not a key here", "segments[0].emotoin"),
        ("{audio: }", "has no value", "segments[0].audio"),
        ("{audio: none.wav}", '"none.wav" does not exist', "segments[0].audio"),
        ("{audio: vo}", '"vo" is a folder', "segments[0].audio"),
        ("{audio: 'http://x/a.wav'}", "is not a file on this machine", "segments[0].audio"),
        ("{audio: [a.wav]}", "is a list, not a path", "segments[0].audio"),
        ("{audio: a.wav, subtitles: none.srt}", '"none.srt" does not exist', "segments[0].subtitles"),
        ("{pause: 0}", "has no length", "segments[0].pause"),
        ("{pause: -1s}", "is negative", "segments[0].pause"),
        ("{pause: 9999999s}", "2777.78 hours are more than 24", "segments[0].pause"),
        ("{pause: 2160001f}", "hours are more than 24", "segments[0].pause"),
        ("{audio: a.wav, gap: 86401}", "24.0003 hours are more than 24", "segments[0].gap"),
        ("{pause: }", "has no value", "segments[0].pause"),
    ],
)
def test_segments_that_cannot_be(project, segment, message, key):
    problem = project.segment_problem(segment)
    assert message in problem.message
    assert problem.key == key
    assert problem.where.startswith("film.yaml:4:") or segment == ""


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("segments: []", "segments", "is empty"),
        ("", "segments", "is missing"),
        ("segments:", "segments", "has no value"),
        ("segments: a.wav", "segments", 'is "a.wav", not a list'),
        ("segments: {audio: a.wav}", "segments", "is a mapping, not a list"),
    ],
)
def test_segments_are_a_list(project, text, key, message):
    problem = project.problem(f"{HEAD}{text}\n")
    assert (problem.key, problem.message) == (key, message)


@pytest.mark.parametrize(
    ("cast", "key", "message"),
    [
        ("", "cast", "names nobody"),
        ("cast: {}", "cast", "names nobody"),
        ("cast: ana.png", "cast", 'is "ana.png", not a mapping of keys'),
        ("cast: {ana: ana.png}", "cast.ana", 'is "ana.png", not a mapping of keys'),
        ("cast: {ana: {}}", "cast.ana.portrait", "is missing"),
        ("cast: {ana: {portrait: }}", "cast.ana.portrait", "has no value"),
        ("cast: {ana: {portrait: none.png}}", "cast.ana.portrait", '"none.png" does not exist'),
        ("cast: {ana: {portrait: vo}}", "cast.ana.portrait", '"vo" is a folder'),
        ("cast: {ana: {portrait: ana.png, face: big}}", "cast.ana.face", "does not say which face"),
        ("cast: {ana: {portrait: ana.png, age: 3}}", "cast.ana.age", "is not a key here"),
        ("cast: {'': {portrait: ana.png}}", "cast.", "cannot be the name"),
    ],
)
def test_casts_that_cannot_be(project, cast, key, message):
    problem = project.problem(f"moee: 1\n{cast}\nsegments: [{{audio: a.wav}}]\n")
    assert message in problem.message
    assert problem.key == key


def test_the_portrait_of_somebody_who_does_not_appear_may_be_missing(project):
    head = "moee: 1\ncast: {ana: {portrait: ana.png}, cy: {portrait: none.png}}\n"
    assert project.segments("{audio: a.wav, speaker: ana}", head=head)
    assert "none.png" in project.segment_problem("{audio: a.wav, speaker: cy}", head=head).message


def test_the_cast(project):
    head = "moee: 1\ncast: {ana: {portrait: ana.png, face: 'LEFT', consent: signed}}\n"
    member = project.segments("{audio: a.wav}", head=head).cast["ana"]
    assert (member.name, member.portrait, member.face, member.consent) == (
        "ana",
        project.folder / "ana.png",
        "left",
        "signed",
    )
    assert member.where == "film.yaml:2:8"


@pytest.mark.parametrize(
    ("audio", "message", "hint"),
    [
        (".", '"." is a folder', "paths start from the folder of the file"),
        ("vo/none.mp3", '"vo/none.mp3" does not exist', None),
        ("~nobody/x.wav", '"~nobody/x.wav" does not exist', "own home folder"),
        ("~/zzz/x.wav", '"~/zzz/x.wav" does not exist', "own home folder"),
        ("/zzz/x.wav", '"/zzz/x.wav" does not exist', "check the path"),
        ('"${stem}/x.wav"', '"film/x.wav" does not exist', "paths start from the folder of the file"),
    ],
)
def test_paths_are_shown_as_typed(project, audio, message, hint):
    problem = project.segment_problem(f"{{audio: {audio}}}")
    assert problem.message == message
    assert hint is None or hint in problem.hint


@pytest.mark.parametrize(
    ("segment", "hint"),
    [
        ("a.wav", "write {audio: a.wav}"),
        ("{audio: aa.wav}", 'did you mean "a.wav"'),
        ("{audio: zzz}", "paths start from"),
    ],
)
def test_hints_show_what_was_meant(project, segment, hint):
    assert hint in project.segment_problem(segment).hint


def test_a_person_without_a_mapping_gets_one_as_hint(project):
    problems = project.problems("moee: 1\ncast: {ana: ana.png}\nsegments: [{audio: a.wav}]\n")
    assert problems[0].hint == "write ana: {portrait: ana.png}"


def test_everything_wrong_is_said_at_once_in_the_order_of_the_file(project):
    problems = project.problems(
        "moee: 1\n"
        "sed: 7\n"
        "frame: {size: 5x, fps: 0, ft: crop}\n"
        "cast: {ana: {portrait: none.png}, bo: {face: left}}\n"
        "defaults: {speaker: anna, gap: -1s}\n"
        "segments:\n"
        "  - {id: x, audio: a.wav, emotion: hapiness, speaker: ana}\n"
        "  - {id: x, audio: none.wav, emotion: {anger: 0.8, fear: 0.6}, speaker: ana}\n"
        "  - {audio: 'http://x', emotoin: joy}\n"
        "  - nix\n"
        "  - pause: long\n"
    )
    assert [problem.key for problem in problems] == [
        "sed", "frame.size", "frame.fps", "frame.ft", "cast.ana.portrait", "cast.bo.portrait",
        "defaults.speaker", "defaults.gap",
        "segments[0].emotion", "segments[1].id", "segments[1].audio", "segments[1].emotion",
        "segments[2].audio", "segments[2].emotoin", "segments[3]", "segments[4].pause",
    ]  # fmt: skip
    assert all(problem.where.startswith("film.yaml:") and problem.severity == "error" for problem in problems)


@pytest.mark.parametrize("key", ["<text>", "<map>", "<list>", "[key]", "__class__", "model_config", "from_"])
def test_keys_that_look_like_the_programs_own(project, key):
    problem = project.problem(f"{HEAD}'{key}': 1\nsegments: [{{audio: a.wav}}]\n")
    assert (problem.key, problem.where) == (key, "film.yaml:3:1")
    problem = project.segment_problem(f"{{audio: a.wav, emotion: {{'{key}': 0.5}}}}")
    assert problem.key == f"segments[0].emotion.{key}"
    problem = project.segment_problem(f"{{audio: a.wav, emotion: {{'{key}': x}}}}")
    assert problem.key == f"segments[0].emotion.{key}"
    problems = project.problems(f"moee: 1\ncast: {{'{key}': 5}}\nsegments: [{{audio: a.wav}}]\n")
    assert problems[0].key == f"cast.{key}"


def test_no_more_than_a_thousand_faults_are_looked_for(project):
    unknown = "".join(f"unknown{number}: 1\n" for number in range(5000))
    *problems, last = project.problems(f"{HEAD}{unknown}segments: [{{audio: a.wav}}]\n")
    assert [problem.severity for problem in problems] == ["error"] * 1000
    assert last.message == "these are the first 1000 of 5000 errors"


def test_a_fault_of_the_defaults_does_not_drown_the_others(project):
    segments = [f"{{id: s{number}, audio: a.wav}}" for number in range(1200)]
    text = f"{HEAD}defaults: {{emotion: hapines}}\nsegments:\n" + "".join(f"  - {segment}\n" for segment in segments)
    problems = project.problems(text + "  - {audio: none.wav}\n")
    assert [problem.key for problem in problems] == ["defaults.emotion", "segments[1200].audio"]


# --- frame, engines, what comes later


@pytest.mark.parametrize(
    ("frame", "size", "warnings"),
    [
        ("{size: 641x481}", (640, 480), 1),
        ("{size: 640x480}", (640, 480), 0),
        ("{size: 300x300, scale: 0.51}", (152, 152), 0),
    ],
)
def test_odd_sizes_round_down_to_even(project, frame, size, warnings):
    script = project.segments("{audio: a.wav}", head=f"{HEAD}frame: {frame}\n")
    assert (script.outputs[0].frame.width, script.outputs[0].frame.height) == size
    assert len(script.warnings) == warnings
    assert all(warning.severity == "warning" and warning.key == "frame.size" for warning in script.warnings)


def test_a_scaled_picture_is_not_too_small(project):
    problem = project.segment_problem("{audio: a.wav}", head=HEAD + "frame: {size: 100x100, scale: 0.5}\n")
    assert "smaller than 64" in problem.message


def test_engine_options_stay_text_and_know_their_place(project):
    head = HEAD + "engine: motion\nengines:\n  motion: {steps: 030, flag: no, list: [1, {a: b}]}\n"
    script = project.segments("{audio: a.wav}", head=head)
    assert script.engine_options == {"motion": {"steps": "030", "flag": "no", "list": ["1", {"a": "b"}]}}
    assert type(script.engine_options["motion"]["steps"]) is str
    assert script.engine_where == {
        "motion": "film.yaml:5:3", "motion.steps": "film.yaml:5:19", "motion.flag": "film.yaml:5:30",
        "motion.list": "film.yaml:5:40",
    }  # fmt: skip


def test_paths_in_engine_options_start_from_their_file(project):
    from pathlib import Path

    from pydantic import BaseModel

    class Options(BaseModel):
        weights: Path | None = None
        name: str = ""

    head = HEAD + "engines: {motion: {weights: w/x.bin, name: x}}\n"
    script = project.segments("{audio: a.wav}", head=head, engines={"motion": Options})
    assert script.engine_options["motion"] == {"weights": str(project.folder / "w" / "x.bin"), "name": "x"}


def test_engines_by_name(project):
    problem = project.segment_problem("{audio: a.wav}", head=HEAD + "engine: moton\n", engines=["motion", "moee"])
    assert 'did you mean "motion"' in problem.hint
    script = project.segments("{audio: a.wav}", head=HEAD + "engines: {moton: {}}\n", engines=["motion", "moee"])
    assert [warning.key for warning in script.warnings] == ["engines.moton"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("output: [{path: a.mp4, preset: wide, frame: {fps: 30}, captions: {burn: yes}}]", "output[0].captions"),
        ("matrix: {lang: [de, fr]}", "matrix"),
        ("rows: lines.csv", "rows"),
        ("captions: {burn: true}", "captions"),
        ("defaults: {emotion: auto}", "defaults.emotion"),
        ("engine: moee", "engine"),
        ("captions: {write: [srt]}", "captions"),
    ],
)
def test_what_comes_later_is_known(project, text, key):
    segments = ["{audio: a.wav}", "{audio: b.wav}"]
    checks = Checks(later_engines=["moee"])
    script = project.segments(*segments, head=f"{HEAD}{text}\n", engines=["motion", "moee"], checks=checks)
    (problem,) = script.deferred
    assert problem.key == key
    assert "not in this release" in problem.message
    assert problem.where.startswith("film.yaml:3:")


def test_everything_that_comes_later_is_listed_at_once(project):
    segments = ["{audio: a.wav, emotion: auto}", "{audio: b.wav, prompt: tears}", "{audio: c.wav}"]
    script = project.segments(*segments, head=f"{HEAD}captions: {{burn: yes}}\ndefaults: {{emotion: auto}}\n")
    assert {(problem.key, problem.where) for problem in script.deferred} == {
        ("captions", "film.yaml:3:11"),
        ("segments[0].emotion", "film.yaml:6:29"),
        ("segments[1].prompt", "film.yaml:7:28"),
        ("defaults.emotion", "film.yaml:4:21"),
    }


def test_faults_of_recordings_come_with_those_of_the_script(project):
    asked = []

    def line_faults(line, fps):
        asked.append((line.audio.name, fps))
        return [Problem("is silent", line.where, f"{line.key}.audio")] if line.audio.name == "b.wav" else []

    checks = Checks(line=line_faults)
    segments = [
        "{audio: none.wav}",
        "{audio: b.wav}",
        "{audio: a.wav, from: 2s, to: 1s}",
        "{id: x, audio: a.wav, from: soon}",
        "{audio: c.wav, emotion: hapiness}",
        "{audio: d.wav, gap: 1s}",
        "{pause: 1s}",
    ]
    text = f"{HEAD}frame: {{fps: 30}}\nsegments:\n" + "".join(f"  - {segment}\n" for segment in segments)
    problems = project.problems(text, checks=checks)
    assert [problem.key for problem in problems] == [
        "segments[0].audio", "segments[1].audio", "segments[2].to", "segments[3].from", "segments[4].emotion",
    ]  # fmt: skip
    assert asked == [("b.wav", 30), ("c.wav", 30), ("d.wav", 30)]


def test_recordings_of_a_sound_script_are_left_to_the_timeline(project):
    checks = Checks(line=lambda line, _fps: [Problem("is silent", line.where)])
    assert len(project.segments("{audio: a.wav}", checks=checks).lines) == 1


def test_faults_of_engine_options_come_with_those_of_the_script(project):
    seen = []

    def option_faults(*given):
        seen.append(given)
        return [Problem("is odd", "film.yaml:3:30", "engines.motion.x")]

    text = f"{HEAD}engines: {{motion: {{x: 1}}}}\nsegments: [{{audio: a.wav, take: 0}}]\n"
    problems = project.problems(text, checks=Checks(options=option_faults))
    assert [problem.key for problem in problems] == ["segments[0].take", "engines.motion.x"]
    ((name, options, places),) = seen
    assert (name, options, set(places)) == ("motion", {"x": "1"}, {"motion", "motion.x"})


def test_a_default_gap_longer_than_a_day_is_told_once(project):
    problem = project.segment_problem("{audio: a.wav}", "{audio: b.wav}", head=HEAD + "defaults: {gap: 90000}\n")
    assert (problem.key, problem.where) == ("defaults.gap", "film.yaml:3:17")


def test_a_pause_of_a_day(project):
    assert project.segments("{audio: a.wav}", "{pause: 24:00:00}").lines[1].pause == 86400


def test_captions_that_ask_for_nothing_are_fine(project):
    assert project.segments("{audio: a.wav}", head=HEAD + "captions: {burn: no, write: []}\n").deferred == ()


# --- the hash


def test_the_hash_is_about_content(project, tmp_path):
    base = project.segments("{audio: a.wav}", "pause: 1s").outputs[0].source_hash
    assert len(base) == 64
    same = "# comment\nmoee: 1\ncast:\n  ana:\n    portrait: ana.png\n    consent: yes\n"
    assert project.segments("{id: a, audio: ./a.wav}", "{pause: 1000ms}", head=same).outputs[0].source_hash == base
    for changed in (
        "seed: 1\n",
        "frame: {fps: 30}\n",
        "encoding: {crf: 3}\n",
        "defaults: {head: 0}\n",
        "engines: {motion: {a: b}}\n",
    ):
        assert project.segments("{audio: a.wav}", "pause: 1s", head=HEAD + changed).outputs[0].source_hash != base
    assert project.segments("{audio: b.wav}", "pause: 1s").outputs[0].source_hash != base


def test_the_hash_does_not_depend_on_where_the_project_lies(project, tmp_path):
    import shutil

    from moee_cli.presets import preset
    from moee_cli.script.load import load_script

    here = project.segments("{audio: vo/a.wav}")
    moved = shutil.copytree(project.folder, tmp_path / "elsewhere" / "deep")
    there = load_script(moved / "film.yaml", base=tmp_path, presets=preset)
    assert there.outputs[0].source_hash == here.outputs[0].source_hash


def test_a_script_survives_pickling(project):
    import pickle

    head = HEAD + "engine: motion\nengines: {motion: {steps: 3}}\nframe: {background: blur}\n"
    script = project.segments(
        "{id: x, speaker: ana, audio: a.wav, prompt: smiling, text: hello, subtitles: a.srt}",
        "{id: y, pause: 1s}",
        head=head,
    )
    assert pickle.loads(pickle.dumps(script)) == script
