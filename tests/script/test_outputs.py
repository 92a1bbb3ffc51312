"""`output` as a list: what each output starts from, what wins over what, and paths that cannot be."""

from pathlib import Path

import pytest

from moee_cli.core.errors import OutputError, Problem, ScriptError, UsageError
from moee_cli.script.load import Checks

HEAD = "moee: 1\ncast: {ana: {portrait: ana.png}}\n"
SEGMENTS = "segments: [{audio: a.wav}, {audio: b.wav, from: 10f, to: 37f}]\n"
PRESETS = {
    "balanced": {"encoding": {"crf": "18"}},
    "small": {"frame": {"size": "200x200"}, "encoding": {"crf": "30"}},
    "tall": {"frame": {"size": "200x400", "fps": "30"}},
    "half": {"frame": {"scale": "0.5"}, "encoding": {"crf": "40"}},
    "odd": {"frame": {"size": "201x200"}},
    "sad": {"defaults": {"emotion": "sadness"}},
}


def read(name):
    if name not in PRESETS:
        raise ScriptError([Problem(f"no preset is called {name}")])
    return PRESETS[name]


def text_of(*entries, more=""):
    return f"{HEAD}output:\n" + "".join(f"  - {entry}\n" for entry in entries) + more + SEGMENTS


@pytest.fixture
def load(project):
    return lambda *entries, more="", **given: project.load(
        text_of(*entries, more=more), **{"presets": read, "base": project.folder, **given}
    )


@pytest.fixture
def faults(project):
    def find(*entries, more=""):
        problems = project.problems(text_of(*entries, more=more), presets=read)
        return [(problem.where, problem.key, problem.message) for problem in problems]

    return find


def frames(script):
    return [f"{output.frame.width}x{output.frame.height}@{output.frame.fps}" for output in script.outputs]


def test_paths_start_from_the_file_and_hold_variables(load, project):
    script = load("{path: a.mp4}", '{path: "out/${stem}.${v}.mov"}', more="vars: {v: wide}\n")
    assert [output.path for output in script.outputs] == [
        project.folder / "a.mp4",
        project.folder / "out/film.wide.mov",
    ]


def test_each_output_stands_on_the_script(load):
    script = load(
        "{path: a.mp4}",
        "{path: b.mp4, preset: tall}",
        "{path: c.mp4, preset: [tall, small]}",
        "{path: d.mp4, preset: small, frame: {size: 200x100}}",
        more="frame: {size: 128x128, fps: 50}\nencoding: {crf: 20}\n",
    )
    assert frames(script) == ["128x128@50", "200x400@30", "200x200@30", "200x100@50"]
    assert [output.encoding.crf for output in script.outputs] == [20, 20, 30, 30]
    assert [output.presets for output in script.outputs] == [
        ("balanced",), ("balanced", "tall"), ("balanced", "tall", "small"), ("balanced", "small"),
    ]  # fmt: skip


def test_a_list_of_one_is_that_output(load, project):
    plain = project.load(f"{HEAD}output: a.mp4\nframe: {{size: 200x400, fps: 30}}\n{SEGMENTS}", presets=read)
    (listed,) = load("{path: a.mp4, frame: {size: 200x400}}", more="frame: {fps: 30}\n").outputs
    assert listed == plain.outputs[0]


@pytest.mark.parametrize(
    "given",
    [
        {"overrides": {"preset": ["half"]}},
        {"sets": ["preset=half"]},
        {"sets": ["frame.scale=0.5", "encoding.crf=40"]},
        {"sets": ["frame={scale: 0.5}", "encoding={crf: 40}"]},
    ],
)
def test_the_command_line_wins_over_every_output(load, given):
    entries = ("{path: a.mp4}", "{path: b.mp4, preset: tall, frame: {scale: 0.8}}", "{path: c.mp4, preset: small}")
    script = load(*entries, **given)
    assert frames(script) == ["256x256@25", "100x200@30", "100x100@25"]
    assert [output.encoding.crf for output in script.outputs] == [40, 40, 40]


def test_one_output_can_be_set(load):
    script = load(
        "{path: a.mp4}", "{path: b.mp4, preset: tall}", sets=["output.1.frame.fps=50", "output.0.preset=small"]
    )
    assert frames(script) == ["200x200@25", "200x400@50"]


def test_times_in_frames_count_at_the_scripts_own_rate(load):
    script = load("{path: a.mp4, frame: {fps: 50}}", more="frame: {fps: 30}\n")
    assert script.lines[1].stop * 30 == 37


def test_the_hash_is_of_each_output_and_not_of_the_others(load):
    first, second = load("{path: a.mp4}", "{path: b.mp4, preset: tall}").outputs
    assert first.source_hash != second.source_hash
    assert load("{path: x.mp4}").outputs[0].source_hash == first.source_hash
    assert load("{path: a.mp4}", "{path: b.mp4, preset: small}").outputs[0] == first


@pytest.mark.parametrize(
    ("entries", "where", "key", "message"),
    [
        (["{path: a.mp4}", "{path: ./a.mp4}"], "5:12", "output[1].path", '"a.mp4" is already written by output[0]'),
        (["{path: a.mp4}", "{path: vo/../a.mp4}"], "5:12", "output[1].path", "already written"),
        (["{path: a.mp4}", "{path: b.txt}"], "5:12", "output[1].path", "not a video format"),
        (["{preset: tall}"], "4:5", "output[0].path", "is missing"),
        (["{path: a.mp4, preset: tll}"], "4:27", "output[0].preset", "no preset is called tll"),
        (["{path: b.txt}", "{path: a.mp4, preset: [tall, tll]}"], "5:34", "output[1].preset", "no preset is called"),
        (["{path: a.mp4, preset: sad}"], "4:27", "output[0].preset", "sets `defaults`"),
        (["{path: a.mp4, frame: {size: 9x9}}"], "4:33", "output[0].frame.size", "is not from"),
        (["{path: a.mp4, frame: {scale: 0.1}}"], "4:34", "output[0].frame.scale", "smaller than"),
        (["{path: a.mp4, frame: {colour: red}}"], "4:27", "output[0].frame.colour", "is not a key"),
        (["{path: a.mp4, frame: {background: sea.png}}"], "4:39", "output[0].frame.background", "does not exist"),
        (["{path: a.mp4, encoding: {crf: 3}}"], "4:19", "output[0].encoding", "is not a key"),
        (['{path: "${nope}.mp4"}'], "4:12", "output[0].path", "no variable is called"),
    ],
)
def test_faults_are_placed(faults, entries, where, key, message):
    if any("scale" in entry for entry in entries):
        found = faults(*entries, more="frame: {size: 200x200}\n")
    else:
        found = faults(*entries)
    assert [(place, name) for place, name, told in found if message in told] == [(f"film.yaml:{where}", key)]


@pytest.mark.parametrize("name", ["talk.mp4", "face.mp4", "set.mp4"])
def test_an_output_is_no_input(project, name):
    for file in ("talk.mp4", "face.mp4", "set.mp4"):
        (project.folder / file).touch()
    text = (
        "moee: 1\n"
        f"output: [{{path: film.mp4}}, {{path: vo/../{name}}}]\n"
        "cast: {ana: {portrait: face.mp4}}\n"
        "frame: {background: ./set.mp4}\n"
        "segments: [{audio: talk.mp4}]\n"
    )
    problem = project.problem(text)
    assert (problem.where, problem.key) == ("film.yaml:2:35", "output[1].path")
    assert problem.message == f'"{name}" is an input of this script'


def test_a_bare_path_in_the_list_is_told_how_to_be_written(project):
    problem = project.problem(f"{HEAD}output: [{{path: a.mp4}}, b.mp4]\n{SEGMENTS}")
    assert (problem.key, problem.message) == ("output[1]", 'is "b.mp4", not a mapping of keys')
    assert problem.hint == "write {path: b.mp4}"


def test_an_empty_list_is_a_fault(project):
    assert project.problem(f"{HEAD}output: []\n{SEGMENTS}").message == "is empty"


def test_what_is_odd_is_told_once_where_it_stands(load):
    more = "frame: {size: 301x300}\n"
    script = load(
        "{path: a.mp4}", "{path: b.mp4}", "{path: c.mp4, preset: odd}", "{path: d.mp4, preset: tall}", more=more
    )
    assert [warning.key for warning in script.warnings] == ["frame.size", "output[2].preset"]
    assert load("{path: d.mp4, preset: tall}", more=more).warnings == ()


def test_captions_of_one_output_come_later(load):
    script = load("{path: a.mp4, captions: {write: [srt]}}", "{path: b.mp4}")
    assert {problem.key for problem in script.deferred} == {"output[0].captions"}


def test_a_source_output_without_a_size_takes_that_of_the_picture(load):
    """No layer may have named a size: a preset's counts as well."""
    script = load(
        "{path: a.mp4, frame: {fit: source}}", "{path: b.mp4, preset: tall, frame: {fit: source}}",
        "{path: c.mp4, frame: {fit: source, scale: 0.5}}", "{path: d.mp4}",
    )  # fmt: skip
    assert [output.frame.scale_of_picture for output in script.outputs] == [1.0, None, 0.5, None]


def test_one_output_can_be_redirected_and_several_not(load):
    assert load("{path: a.mp4}").redirected(Path("x.mp4")).outputs[0].path == Path("x.mp4")
    with pytest.raises(UsageError, match=r"has 2: a\.mp4, b\.mp4"):
        load("{path: a.mp4}", "{path: b.mp4}").redirected(Path("x.mp4"))


def test_set_makes_one_of_several(load, project):
    script = load("{path: a.mp4}", "{path: b.mp4, preset: tall}", sets=["output=one.mp4"])
    assert [output.path for output in script.outputs] == [project.folder / "one.mp4"]


# --- transparent backgrounds -----------------------------------------------------------------------------------------

CLEAR = "frame: {background: transparent}\n"


def test_files_that_cannot_hold_the_background_are_faults(faults):
    entries = (
        "{path: a.mp4}",
        "{path: b.mov}",
        "{path: c.WebM}",
        "{path: d.webm, frame: {background: keep}}",
        "{path: e.m4v}",
    )
    assert faults(*entries, more=CLEAR) == [
        ("film.yaml:4:12", "output[0].path", ".mp4 files cannot hold a transparent background"),
        ("film.yaml:7:12", "output[3].path", ".webm files are written for `background: transparent` alone"),
        ("film.yaml:8:12", "output[4].path", ".m4v files cannot hold a transparent background"),
    ]


def test_the_same_for_a_single_output(project):
    problem = project.problem(f"{HEAD}output: film.mp4\n{CLEAR}{SEGMENTS}")
    assert (problem.where, problem.key) == ("film.yaml:3:9", "output")
    assert problem.hint == "end it in .mov or .webm, or choose another `background`"
    problem = project.problem(f"{HEAD}output: film.webm\n{SEGMENTS}")
    assert "make the background transparent" in problem.hint


def test_an_output_that_is_sent_elsewhere_does_not_matter(project):
    text = f"{HEAD}output: film.mp4\n{CLEAR}{SEGMENTS}"
    script = project.load(text, checks=Checks(is_elsewhere=True))
    assert script.redirected(Path("x.webm")).outputs[0].path == Path("x.webm")
    with pytest.raises(OutputError, match=r"cannot write x\.mp4: \.mp4 files cannot hold"):
        script.redirected(Path("x.mp4"))
    with pytest.raises(UsageError, match="cannot go to standard output"):
        script.redirected(Path("-"))


def test_without_an_output_the_file_is_one_that_can_hold_it(project):
    assert project.load(f"{HEAD}{CLEAR}{SEGMENTS}").outputs[0].path == project.folder / "film.mov"
