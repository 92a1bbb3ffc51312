"""Layers of a script: default < user config < preset < script < command line."""

import pytest

from moee_cli.core.errors import Problem, ScriptError
from moee_cli.core.types import Encoding, FrameFormat
from moee_cli.script.load import load_script

SEGMENTS = "segments: [{id: one, audio: a.wav}, {id: two.b, audio: b.wav, emotion: {anger: 0.4}}]\n"
CAST = "cast: {ana: {portrait: ana.png}}\n"
FILM = f"moee: 1\n{CAST}{SEGMENTS}"


def presets_of(table):
    def read(name):
        if name not in table:
            raise ScriptError([Problem(f'no preset is called "{name}"')])
        return table[name]

    return read


def test_defaults(project):
    script = project.load(FILM)
    assert script.outputs[0].frame == FrameFormat()
    assert script.outputs[0].encoding == Encoding()
    assert (script.engine, script.seed, script.outputs[0].presets) == ("motion", 0, ("balanced",))
    assert script.outputs[0].path == script.path.with_suffix(".mp4")


@pytest.mark.parametrize(
    ("config", "in_preset", "in_script", "sets", "crf"),
    [
        (None, {}, None, (), 18),
        (1, {}, None, (), 1),
        (1, {"crf": "2"}, None, (), 2),
        (1, {"crf": "2"}, 3, (), 3),
        (1, {"crf": "2"}, 3, ("encoding.crf=4",), 4),
        (1, {}, None, ("encoding.crf=4",), 4),
    ],
)
def test_order_of_precedence(project, config, in_preset, in_script, sets, crf):
    user = project.write("" if config is None else f"encoding: {{crf: {config}}}\n", "config.yaml")
    text = FILM + "preset: p\n" + ("" if in_script is None else f"encoding: {{crf: {in_script}}}\n")
    read = presets_of({"p": {"encoding": in_preset}})
    assert project.load(text, user_config=user, presets=read, sets=sets).outputs[0].encoding.crf == crf


def test_presets_compose_and_later_ones_win(project):
    table = presets_of({"a": {"encoding": {"crf": "1"}, "frame": {"fps": "30"}}, "b": {"encoding": {"crf": "2"}}})
    script = project.load(FILM + "preset: [a, b]\n", presets=table)
    assert (script.outputs[0].encoding.crf, script.outputs[0].frame.fps, script.outputs[0].presets) == (
        2,
        30,
        ("a", "b"),
    )
    assert project.load(FILM + "preset: [b, a]\n", presets=table).outputs[0].encoding.crf == 1


@pytest.mark.parametrize("given", [{"overrides": {"preset": ["square"]}}, {"sets": ["preset=square"]}])
def test_presets_of_the_command_line_join_and_win_over_the_script(project, given):
    script = project.load(FILM + "preset: [best, vertical]\nframe: {size: 320x320}\n", **given)
    assert script.outputs[0].presets == ("best", "vertical", "square")
    assert (script.outputs[0].frame.width, script.outputs[0].frame.height) == (768, 768)
    assert script.outputs[0].encoding.crf == 14


def test_presets_do_not_move_the_places_of_faults(project):
    problems = project.problems(f"{CAST}{SEGMENTS}seed: x\n", overrides={"preset": ["square"]})
    assert [problem.where for problem in problems] == ["film.yaml:1:1", "film.yaml:3:7"]


def test_draft_halves_any_shape(project):
    script = project.load(FILM + "preset: vertical\n", overrides={"preset": ["draft"]})
    assert (script.outputs[0].frame.width, script.outputs[0].frame.height, script.outputs[0].encoding.x264_preset) == (
        360,
        640,
        "ultrafast",
    )
    assert project.load(FILM + "preset: [draft, vertical]\n").outputs[0].frame == script.outputs[0].frame


def test_the_users_preset_counts_when_the_script_names_none(project):
    user = project.write("preset: best\n", "config.yaml")
    assert project.load(FILM, user_config=user).outputs[0].presets == ("best",)
    assert project.load(FILM + "preset: loud\n", user_config=user).outputs[0].presets == ("loud",)


def test_unknown_presets_are_reported_with_everything_else(project):
    problems = project.problems(FILM + "preset: [balnced, wide, tall]\nseed: x\n")
    assert [problem.where for problem in problems] == ["film.yaml:4:10", "film.yaml:4:25", "film.yaml:5:7"]
    assert 'did you mean "balanced"' in problems[0].hint


def test_a_fault_in_a_preset_says_which(project):
    read = presets_of({"mine": {"frame": {"fps": "fast"}}})
    problem = project.problem(FILM + "preset: mine\n", presets=read)
    assert (problem.where, problem.key) == ("preset mine", "frame.fps")


@pytest.mark.parametrize("key", ["segments: []", "extends: x.yaml", "matrix: {a: b}", "rows: x.csv"])
def test_a_user_config_holds_no_films(project, key):
    user = project.write(f"{key}\n", "config.yaml")
    assert "belongs in a script" in project.problem(FILM, user_config=user).message


def test_a_faulty_user_config_is_named(project):
    user = project.write("sed: 5\n", "config.yaml")
    problem = project.problem(FILM, user_config=user)
    assert problem.where == f"{user}:1:1"
    assert 'did you mean "seed"' in problem.hint


@pytest.mark.parametrize("content", [None, "", "# nothing yet\n"])
def test_no_or_an_empty_user_config_is_fine(project, content):
    user = project.folder / "config.yaml"
    if content is not None:
        user.write_text(content)
    assert project.load(FILM, user_config=user).seed == 0


def test_paths_in_the_user_config_start_from_it(project):
    user = project.write("cast: {bo: {portrait: face.png}}\n", "home/config.yaml")
    script = project.load(FILM, user_config=user, sets=["defaults.speaker=ana"])
    assert script.cast["bo"].portrait == project.folder / "home" / "face.png"


# --- extends


def test_extends_merges_mappings_and_replaces_lists_and_mixes(project):
    project.write(
        "cast: {ana: {portrait: ana.png, face: left}, bo: {portrait: bo.png}}\n"
        "emotions: {MOOD: {anger: 1}, OTHER: {fear: 1}}\n"
        "defaults: {emotion: {sadness: 0.9}, speaker: bo}\n"
        "segments: [{audio: c.wav}, {audio: d.wav}]\n",
        "lib/studio.yaml",
    )
    for name in ("ana.png", "bo.png"):
        (project.folder / "lib" / name).touch()
    script = project.load(
        "moee: 1\nextends: lib/studio.yaml\ncast: {ana: {face: right}}\nemotions: {MOOD: {fear: 0.5}}\n"
        "defaults: {emotion: {anger: 0.4}}\nsegments: [{audio: a.wav, emotion: MOOD}, {audio: b.wav}]\n"
    )
    assert script.cast["ana"].face == "right"
    assert script.cast["ana"].portrait == project.folder / "lib" / "ana.png"
    assert [line.id for line in script.lines] == ["a", "b"]
    assert [line.speaker for line in script.lines] == ["bo", "bo"]
    assert script.lines[0].emotion[0].weights == (0.5, 0, 0, 0, 0, 0.5, 0)
    assert script.lines[1].emotion[0].weights == pytest.approx((0.6, 0, 0, 0.4, 0, 0, 0))


def test_extends_over_several_files(project):
    project.write("extends: more/b.yaml\nseed: 1\n", "lib/a.yaml")
    project.write(CAST.replace("ana.png", "../../ana.png") + "seed: 2\nframe: {fps: 30}\n", "lib/more/b.yaml")
    script = project.load(f"moee: 1\nextends: lib/a.yaml\n{SEGMENTS}")
    assert (script.seed, script.outputs[0].frame.fps) == (1, 30)


def test_a_script_sets_variables_for_what_it_extends(project):
    project.write('cast: {ana: {portrait: "${who}.png"}}\nvars: {who: nobody}\n', "studio.yaml")
    script = project.load(f"moee: 1\nextends: studio.yaml\nvars: {{who: bo}}\n{SEGMENTS}")
    assert script.cast["ana"].portrait == project.folder / "bo.png"


def test_extends_may_use_variables_of_its_own_file(project):
    project.write(CAST, "studio.yaml")
    text = f'moee: 1\nvars: {{s: studio}}\nextends: "${{s}}.yaml"\n{SEGMENTS}'
    assert project.load(text).cast["ana"].where == "studio.yaml:1:8"


def test_faults_in_an_extended_file_are_placed_there(project):
    project.write(CAST + "seed: x\n", "lib/studio.yaml")
    problems = project.problems(f"moee: 1\nextends: lib/studio.yaml\n{SEGMENTS}engine: '?'\n")
    places = [problem.where for problem in problems]
    assert places == ["film.yaml:4:9", "lib/studio.yaml:1:24", "lib/studio.yaml:2:7"]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("none.yaml", '"none.yaml" does not exist'),
        ("vo", "is a folder"),
        ('"${stem}/x.yaml"', '"film/x.yaml" does not exist'),
        ("[a.yaml, b.yaml]", "is not a path"),
        ("''", "is not a path"),
        ("https://x/y.yaml", "is not a file on this machine"),
        ('"${nope}.yaml"', "no variable is called"),
        ("film.yaml", "extends itself: film.yaml → film.yaml"),
    ],
)
def test_what_cannot_be_extended(project, wish, message):
    problem = project.problem(f"moee: 1\nextends: {wish}\n{SEGMENTS}")
    assert message in problem.message
    assert problem.where.startswith("film.yaml:2:")
    assert problem.key == "extends"


def test_circles_of_extends_are_found(project):
    project.write("extends: b.yaml\n", "a.yaml")
    project.write("extends: a.yaml\n", "b.yaml")
    assert "a.yaml → b.yaml → a.yaml" in project.problem(f"moee: 1\nextends: a.yaml\n{SEGMENTS}").message


def test_chains_of_extends_end(project):
    for number in range(30):
        project.write(f"extends: f{number + 1}.yaml\n", f"f{number}.yaml")
    assert "more than 16" in project.problem(f"moee: 1\nextends: f0.yaml\n{SEGMENTS}").message


# --- version


@pytest.mark.parametrize("name", ["film", "studio"])
def test_a_newer_format_is_told_before_its_unknown_keys(project, name):
    newer = "moee: 2\nhologram: true\n"
    project.write(newer, "studio.yaml")
    text = newer + FILM.removeprefix("moee: 1\n") if name == "film" else f"extends: studio.yaml\n{FILM}"
    problem = project.problem(text)
    assert "needs moee >= 2" in problem.message
    assert problem.where == f"{name}.yaml:1:7"


@pytest.mark.parametrize(
    ("version", "message"), [("0", "no script format 0"), ("one", "not a version"), ("1.5", "not a version")]
)
def test_what_is_no_version(project, version, message):
    assert message in project.problem(FILM.replace("moee: 1", f"moee: {version}")).message


def test_the_version_is_required(project):
    problem = project.problem(FILM.removeprefix("moee: 1\n"))
    assert (problem.key, problem.message) == ("moee", "is missing")
    assert "`moee: 1`" in problem.hint


# --- the command line


@pytest.mark.parametrize(
    ("sets", "read", "expected"),
    [
        (["seed=9"], lambda s: s.seed, 9),
        (["frame.fps=30000/1001"], lambda s: float(s.outputs[0].frame.fps), pytest.approx(29.97, abs=1e-3)),
        (["frame={size: 640x360, fps: 50}"], lambda s: (s.outputs[0].frame.width, s.outputs[0].frame.fps), (640, 50)),
        (["defaults.emotion=joy"], lambda s: s.lines[0].emotion[0].weights[1], 1),
        (["segments.one.intensity=.5"], lambda s: s.lines[0].emotion[0].intensity, 0.5),
        (["segments.two.b.intensity=.5"], lambda s: s.lines[1].emotion[0].intensity, 0.5),
        (["segments[1].take=3"], lambda s: s.lines[1].take, 3),
        (["segments.two.b.emotion.anger=0.7"], lambda s: s.lines[1].emotion[0].weights[3], 0.7),
        (["segments.two.b.emotion={fear: 1}"], lambda s: s.lines[1].emotion[0].weights[5], 1),
        (
            ["segments.one.emotion=[{at: 0, emotion: fear}, {at: 1, emotion: joy}]"],
            lambda s: len(s.lines[0].emotion),
            2,
        ),
        (["segments.one.id=uno", "segments.uno.take=4"], lambda s: (s.lines[0].id, s.lines[0].take), ("uno", 4)),
        (['segments.one.text=${id}: "quoted"'], lambda s: s.lines[0].text, 'one: "quoted"'),
        (["segments.one.text='a, b'"], lambda s: s.lines[0].text, "a, b"),
        (["segments.one.text="], lambda s: s.lines[0].text, None),
        (["vars.x=joy", "defaults.emotion=${x}"], lambda s: s.lines[0].emotion[0].weights[1], 1),
        (["engines.motion.weights=w.bin"], lambda s: s.engine_options, {"motion": {"weights": "w.bin"}}),
        (["cast.bo.portrait=bo.png", "defaults.speaker=bo"], lambda s: s.lines[0].speaker, "bo"),
        (["seed=1", "seed=2"], lambda s: s.seed, 2),
        (["segments=[{audio: c.wav}]"], lambda s: [line.id for line in s.lines], ["c"]),
    ],
)
def test_set(project, sets, read, expected):
    if sets == ["segments.one.text="]:
        assert "has no value" in project.problem(FILM, sets=sets).message
        return
    assert read(project.load(FILM, sets=sets)) == expected


@pytest.mark.parametrize(
    ("item", "message", "hint"),
    [
        ("seed", "is not key=value", "frame.fps"),
        ("=5", "is not key=value", ""),
        ("a..b=5", "is not key=value", ""),
        ("sed=5", "is not a key", 'did you mean "seed"'),
        ("seed=x", '"x" is not a whole number', ""),
        ("seed.x=5", "", ""),
        ("segments.on.take=2", 'no segment is called "on"', 'did you mean "one"'),
        ("segments[9].take=2", "no segment is called", "one, two.b"),
        ("segments.one.tke=2", "is not a key", 'did you mean "take"'),
        ("frame={fps: ", "is not valid YAML", ""),
        ("extends=x.yaml", "cannot be set", ""),
        ("moee.x=1", "holds no keys", ""),
        ("preset=nope", "no preset is called", ""),
    ],
)
def test_what_cannot_be_set(project, item, message, hint):
    problem = project.problems(FILM, sets=[item])[0]
    assert message in problem.message
    assert hint in (problem.hint or "")
    assert problem.where == f"--set {item}"


def test_faults_of_set_are_placed_at_it_and_not_in_the_file(project):
    sets = ["segments.one.emotion=foo", "segments.one.text=[a, b]", "segments.two.b.take=x", "defaults.head=9"]
    problems = project.problems(FILM, sets=sets)
    assert {(problem.where, problem.key) for problem in problems} == {
        ("--set segments.one.text=[a, b]", "segments[0].text"),
        ("--set segments.two.b.take=x", "segments[1].take"),
        ("--set defaults.head=9", "defaults.head"),
        ("--set segments.one.emotion=foo", "segments[0].emotion"),
    }


def test_a_faulty_set_hides_no_other(project):
    problems = project.problems(FILM, sets=["frame={", "segments.one.emotion=foo", "seed"])
    assert [problem.where for problem in problems] == ["--set frame={", "--set seed", "--set segments.one.emotion=foo"]


def test_a_long_set_is_shown_short(project):
    (problem,) = project.problems(FILM, sets=["segments.one.emotion=" + "x" * 5000])
    assert len(problem.where) < 80


@pytest.mark.parametrize(
    ("given", "where", "key"),
    [
        ({"seed": -1}, "--seed -1", "seed"),
        ({"preset": ["loud", "nope"]}, "--preset nope", "preset"),
        ({"preset": "nope"}, "--preset nope", "preset"),
        ({"engine": "a b"}, "--engine a b", "engine"),
    ],
)
def test_faults_of_options_are_placed_at_them(project, given, where, key):
    problem = project.problem(FILM, overrides=given)
    assert (problem.where, problem.key) == (where, key)


def test_a_missing_file_of_the_command_line_is_looked_for_in_the_current_folder(project):
    problem = project.problem(FILM, sets=["segments.one.audio=zzz"])
    assert problem.hint == "paths start from the current folder"
    text = project.write(FILM.replace("a.wav", "zzz")).read_text()
    with pytest.raises(ScriptError) as caught:
        load_script(text, base=project.folder, presets=presets_of({"balanced": {}}))
    (problem,) = caught.value.problems
    assert problem.hint == "paths start from the current folder"
    assert problem.where.startswith("<stdin>:")


def test_a_config_that_is_a_folder_is_a_fault(project):
    assert "is a folder" in project.problem(FILM, user_config=project.folder / "vo").message


def test_paths_of_the_command_line_start_from_the_current_folder(project, tmp_path):
    (tmp_path / "voice.wav").touch()
    script = project.load(FILM, base=tmp_path, sets=["segments.one.audio=voice.wav"])
    assert script.lines[0].audio == tmp_path / "voice.wav"


def test_overrides(project, tmp_path):
    given = {"engine": "other", "seed": 12, "output": "odd ${name}.mp4", "preset": None}
    script = project.load(FILM + "engine: motion\nseed: 3\noutput: x.mp4\n", base=tmp_path, overrides=given)
    assert (script.engine, script.seed) == ("other", 12)
    assert script.outputs[0].path == tmp_path / "odd ${name}.mp4"


def test_setting_one_segment_leaves_those_that_share_an_anchor(project):
    segments = "segments:\n  - {audio: a.wav, emotion: *e}\n  - {audio: b.wav, emotion: *e}\n"
    text = f"moee: 1\n{CAST}x-e: &e {{anger: 0.5}}\n{segments}"
    script = project.load(text, sets=["segments.a.emotion.anger=0.1"])
    assert [line.emotion[0].weights[3] for line in script.lines] == [0.1, 0.5]
