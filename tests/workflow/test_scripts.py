"""Opening a script with everything around it: all that is wrong at once, and what this release does not do."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from moee_cli.core.errors import NotInRelease, ScriptError, UsageError
from moee_cli.workflow.check import check_script
from moee_cli.workflow.plan import plan
from moee_cli.workflow.scripts import open_script

EXAMPLES = Path(__file__).parents[2] / "examples"


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


def bmp(side, claimed):
    """Return a square picture whose header says that it is larger."""
    data = io.BytesIO()
    Image.new("RGB", (side, side)).save(data, "BMP")
    return data.getvalue()[:18] + claimed.to_bytes(4, "little") * 2 + data.getvalue()[26:]


NO_PICTURES = {
    "text": (b"no picture", "p.png is not a picture"),
    "cut": ((EXAMPLES / "ana.png").read_bytes()[:9000], "p.png is damaged"),
    "dot": (bmp(1, 1), "p.png is only 1x1 px"),
    "bomb": (bmp(8, 60_000), "p.png has too many pixels"),
}
PORTRAIT = f"portrait: {EXAMPLES / 'ana.png'}"


@pytest.mark.parametrize("case", NO_PICTURES)
def test_what_is_no_picture_comes_with_the_rest(opened, case):
    content, words = NO_PICTURES[case]
    background = ("frame: {size: 128x128}", "frame: {size: 128x128, background: p.png}")
    path, open_it = opened(background, (PORTRAIT, "portrait: p.png"), LATE)
    (path.parent / "p.png").write_bytes(content)
    with pytest.raises(ScriptError) as caught:
        open_it()
    for problems in (caught.value.problems, check_script(str(path)).problems):
        frame, portrait, late = problems
        assert (frame.where, frame.key) == (f"{path}:4:36", "frame.background")
        assert (portrait.where, portrait.key) == (f"{path}:5:24", "cast.ana.portrait")
        assert late.key == "segments[0].to"
        for problem in (frame, portrait):
            assert problem.message.startswith(words)
            assert problem.hint


def test_a_picture_is_decoded_once_and_again_when_it_changed(opened, monkeypatch):
    from moee_cli.face import picture

    second = "emotion: happiness}\n  - {id: b, speaker: bo, audio: line.wav}"
    cast = "cast: {bo: {portrait: p.png}, ana: {portrait: p.png}}\ndefaults: {speaker: ana}"
    path, open_it = opened((f"cast: {{ana: {{{PORTRAIT}}}}}", cast), ("emotion: happiness}", second))
    shutil.copy(EXAMPLES / "ana.png", path.parent / "p.png")
    looked, check_picture = [], picture.check_picture
    monkeypatch.setattr(picture, "check_picture", lambda file: (looked.append(file.name), check_picture(file)))
    open_it()
    assert check_script(str(path)).is_ok
    assert looked == ["p.png"]
    (path.parent / "p.png").write_bytes(b"no picture")
    assert [problem.key for problem in check_script(str(path)).problems] == ["cast.bo.portrait", "cast.ana.portrait"]


def test_whether_there_is_a_face_is_not_checked(opened):
    path, _ = opened((PORTRAIT, "portrait: p.png"))
    Image.new("RGB", (300, 300), (90, 110, 130)).save(path.parent / "p.png")
    assert check_script(str(path)).is_ok


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
