"""`${...}`: what it may refer to, where it works, and what goes wrong."""

import pytest


def film(variables, *segments, more=""):
    listed = "".join(f"  - {segment}\n" for segment in segments or ("{audio: a.wav}",))
    return f"moee: 1\nvars: {variables}\n{more}cast: {{ana: {{portrait: ana.png}}}}\nsegments:\n{listed}"


def test_own_variables(project):
    script = project.load(film("{takes: vo, n: '01'}", '{audio: "${takes}/${n}.wav", text: "take ${n}: ${n}"}'))
    assert script.lines[0].audio == project.folder / "vo" / "01.wav"
    assert script.lines[0].text == "take 01: 01"


def test_variables_may_refer_to_variables_in_any_order(project):
    script = project.load(film('{b: "${a}/x", a: vo, c: "${b}"}', '{audio: a.wav, text: "${c}"}'))
    assert script.lines[0].text == "vo/x"


def test_variables_work_in_every_typed_value(project):
    text = film(
        "{w: '640', f: '30', who: ana, how: anger, t: 250ms}",
        '{audio: a.wav, speaker: "${who}", emotion: "${how}=0.5", transition: "blend ${t}"}',
        more='frame: {size: "${w}x360", fps: "${f}"}\nseed: "${f}"\n',
    )
    script = project.load(text)
    assert (script.outputs[0].frame.width, script.outputs[0].frame.fps, script.seed) == (640, 30, 30)
    assert script.lines[0].emotion[0].weights[3] == 0.5
    assert script.lines[0].transition.seconds * 4 == 1


def test_block_scalars_need_no_quotes(project):
    assert project.load(film("{x: y}", "audio: a.wav\n    text: ${x}!")).lines[0].text == "y!"


def test_a_dollar_escapes(project):
    script = project.load(film("{x: y}", '{audio: a.wav, text: "$${x} $x $5 $$ ${x}"}'))
    assert script.lines[0].text == "${x} $x $5 $$ y"


def test_stem_is_the_name_of_the_script(project):
    assert (
        project.load(film("{}", more='output: "out/${stem}.mp4"\n')).outputs[0].path
        == project.folder / "out" / "film.mp4"
    )


@pytest.mark.parametrize(("name", "stem"), [("<stdin>", "stdin"), ("a/b.yaml", "b"), (None, "stdin")])
def test_stem_of_a_script_given_as_text(project, name, stem):
    from moee_cli.presets import preset
    from moee_cli.script.load import load_script

    text = film("{}", more='output: "${stem}.mp4"\n')
    script = load_script(text, name=name, base=project.folder, presets=preset)
    assert script.outputs[0].path == project.folder / f"{stem}.mp4"
    assert script.path is None


def test_id_is_the_segments_own(project):
    script = project.load(
        film(
            "{}",
            '{id: 01, audio: "vo/${id}.wav"}',
            '{audio: b.wav, text: "${id}!"}',
            '{id: z, audio: c.wav, text: "${id}"}',
        )
    )
    assert script.lines[0].audio == project.folder / "vo" / "01.wav"
    assert [line.text for line in script.lines] == [None, "b!", "z"]


def test_id_is_unknown_where_it_would_be_circular(project):
    problem = project.problem(film("{}", '{audio: "vo/${id}.wav"}'))
    assert problem.message == "no variable is called ${id}"
    assert "has an `id`" in problem.hint


def test_the_environment_only_when_asked_for(project, monkeypatch):
    monkeypatch.setenv("MOEE_TEST_WORD", "hello")
    script = project.load(film("{}", '{audio: a.wav, text: "${env:MOEE_TEST_WORD}"}'))
    assert script.lines[0].text == "hello"
    problem = project.problem(film("{}", '{audio: a.wav, text: "${MOEE_TEST_WORD}"}'))
    assert "${env:MOEE_TEST_WORD}" in problem.hint


@pytest.mark.parametrize(
    ("variables", "value", "message", "hint"),
    [
        ("{takes: x}", "${tkes}", "no variable is called ${tkes}", 'did you mean "takes"'),
        ("{}", "${x", "is not closed", "$${"),
        ("{}", "${}", "cannot be the name", "$${"),
        ("{}", "${a b}", "cannot be the name", "$${"),
        ("{}", "${env:MOEE_NOT_SET}", '"MOEE_NOT_SET" is not set', "set it"),
    ],
)
def test_unknown_variables(project, variables, value, message, hint):
    problem = project.problem(film(variables, f'{{audio: a.wav, text: "{value}"}}'))
    assert message in problem.message
    assert hint in problem.hint
    assert (problem.key, problem.where) == ("segments[0].text", "film.yaml:5:26")


def test_an_unknown_variable_is_reported_once_and_hides_what_follows_from_it(project):
    problems = project.problems(film("{}", '{audio: "${x}/a.wav", emotion: "${y}", intensity: "${z}"}'))
    assert [problem.key for problem in problems] == [
        "segments[0].audio",
        "segments[0].emotion",
        "segments[0].intensity",
    ]


def test_circles_are_found(project):
    problems = project.problems(film('{a: "${b}", b: "${a}"}'))
    assert all("refers to itself" in problem.message for problem in problems)
    assert {problem.key for problem in problems} == {"vars.a", "vars.b"}


def test_variables_that_double_are_stopped(project):
    doubling = ", ".join(f'v{n}: "${{v{n - 1}}}${{v{n - 1}}}"' for n in range(1, 31))
    problems = project.problems(film(f"{{v0: xxxxxxxx, {doubling}}}"))
    assert any("grows beyond" in problem.message for problem in problems)


def test_long_chains_are_stopped(project):
    chain = ", ".join(f'v{n}: "${{v{n - 1}}}"' for n in range(1, 3000))
    problems = project.problems(film(f"{{{chain}, v0: x}}", '{audio: a.wav, text: "${v2999}"}'))
    assert any("more than" in problem.message for problem in problems)


def test_a_variable_is_one_text(project):
    assert project.problem(film("{a: [x]}")).key == "vars.a"


def test_keys_are_not_replaced(project):
    assert project.problem(film("{x: y}", '{audio: a.wav, "${x}": 1}')).key == "segments[0].${x}"


@pytest.mark.parametrize("source", ["matrix: {lang: [de, fr]}\n", "rows: lines.csv\n"])
def test_columns_wait_for_the_expansion(project, source):
    script = project.load(film("{}", '{audio: "${lang}/01.wav", emotion: "${lang}"}', more=source))
    assert [problem.key for problem in script.deferred] == [source.partition(":")[0]]


def test_a_matrix_knows_its_columns(project):
    text = film("{}", '{audio: a.wav, text: "${langs}"}', more="matrix: {lang: [de, fr]}\n")
    assert project.problem(text).message == "no variable is called ${langs}"
