"""Opening a script with everything around it: all that is wrong at once, and what this release does not do."""

import shutil

import pytest

from moee_cli.core.errors import NotInRelease, ScriptError, UsageError
from moee_cli.workflow.check import check_script
from moee_cli.workflow.plan import plan
from moee_cli.workflow.scripts import open_script


@pytest.fixture
def opened(film):
    """Return a script whose text has been changed, and the file it is in."""

    def opened(*changes, **options):
        path = film()
        for old, new in changes:
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new))
        return path, lambda: open_script(path, **options)

    return opened


LATE = ("audio: line.wav", "audio: line.wav, to: 9s")


def test_faults_of_recordings_come_together_with_those_of_the_script(opened):
    path, open_it = opened(("moee: 1", "moee: 1\nsed: 4"), LATE)
    with pytest.raises(ScriptError) as caught:
        open_it()
    assert [problem.key for problem in caught.value.problems] == ["sed", "segments[0].to"]
    assert [problem.key for problem in check_script(str(path)).problems] == ["sed", "segments[0].to"]


def test_a_recording_that_cannot_be_read_comes_with_the_rest(opened):
    path, open_it = opened(("moee: 1", "moee: 1\nsed: 4"))
    (path.parent / "line.wav").write_bytes(b"not sound")
    with pytest.raises(ScriptError) as caught:
        open_it()
    assert [problem.key for problem in caught.value.problems] == ["sed", "segments[0].audio"]


def test_faults_of_engine_options_come_with_the_rest(opened):
    _, open_it = opened(("moee: 1", "moee: 1\nsed: 4\nengines: {motion: {nope: 1}}"))
    with pytest.raises(ScriptError) as caught:
        open_it()
    assert {problem.key for problem in caught.value.problems} == {"sed", "engines.motion.nope"}


LATER = (
    ("moee: 1", "moee: 1\nengine: moee\ncaptions: {burn: true}"),
    ("emotion: happiness", "prompt: holding back tears"),
)


def test_all_that_comes_later_is_refused_at_once_by_plan_and_shown_by_check(opened):
    path, open_it = opened(*LATER)
    with pytest.raises(NotInRelease) as caught:
        plan(open_it())
    assert {problem.key for problem in caught.value.problems} == {"engine", "captions", "segments[0].prompt"}
    assert all(problem.where.startswith(f"{path}:") for problem in caught.value.problems)
    report = check_script(str(path))
    assert report.is_ok
    assert {problem.key for problem in report.problems} == {"engine", "captions", "segments[0].prompt"}


def test_a_check_measures_scripts_that_wait_for_a_later_release(opened):
    path, _ = opened(*LATER)
    assert check_script(str(path)).facts["n_frames"] == 10
    late, _ = opened(*LATER, LATE)
    assert not check_script(str(late)).is_ok


def test_a_check_does_not_look_for_the_recordings_of_a_script_to_be_expanded(opened):
    path, _ = opened(("moee: 1", "moee: 1\nmatrix: {lang: [de, fr]}"), ("line.wav", '"${lang}.wav"'))
    report = check_script(str(path))
    assert report.is_ok
    assert "seconds" not in report.facts


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_cannot_be_is_a_wrong_command_line(opened, seed):
    _, open_it = opened(seed=seed)
    with pytest.raises(UsageError):
        open_it()


def test_a_user_config_that_is_a_folder_is_a_fault(opened, own_home):
    (own_home / "config" / "moee" / "config.yaml").mkdir(parents=True)
    _, open_it = opened()
    with pytest.raises(ScriptError, match="is a folder"):
        open_it()


def test_numbers_of_a_plan_are_rounded(opened):
    two = "emotion: {anger: 0.3333333333}, intensity: 0.9}\n  - {pause: 1s}"
    _, open_it = opened(("emotion: happiness}", two), sets=["frame.fps=29.97"])
    content = plan(open_it()).as_dict()
    speech, pause = content["segments"]
    assert content["seconds"] == round(content["seconds"], 6)
    numbers = [part[key] for part in (speech, pause) for key in ("start_seconds", "seconds", "transition_seconds")]
    numbers += [part["emotion"][0]["intensity"] for part in (speech, pause)]
    assert numbers == [round(number, 6) for number in numbers]
    assert pause["emotion"][0]["intensity"] == 0.18


def test_a_plan_reads_every_recording_once(film, monkeypatch):
    from moee_cli.media import decode

    names = [f"v{number:02}.wav" for number in range(8)]
    path = film("film.yaml", *(f"{{audio: {name}}}" for name in names))
    for name in names:
        shutil.copy(path.parent / "line.wav", path.parent / name)
    read = []
    monkeypatch.setattr(decode, "probe_audio", lambda file: read.append(file.name) or decode._probe(file, 0, 0))
    assert len(plan(open_script(path)).timeline.segments) == len(names)
    assert read == names
