"""Whatever a file holds, loading ends soon, in a script or in a ScriptError whose problems can be shown."""

import random

import pytest
import yaml

from moee_cli.core.errors import ScriptError
from moee_cli.script.dump import dump_script

SCRIPT = """\
moee: 1
extends: studio.yaml
output: out/${stem}.mp4
engine: motion
engines: {moee: {steps: 30}, motion: {weights: x.bin}}
preset: [balanced, vertical]
seed: 7
frame: {size: 512x512, fps: 30000/1001, fit: crop, background: keep}
encoding: {crf: 20, loudness_lufs: -16}
vars: {takes: vo, more: "${takes}/x"}
x-quiet: &quiet {head: 0.2, gaze: camera}
cast:
  ana: {portrait: ana.png, face: largest, consent: "release signed 2026-03"}
  bo:  {portrait: bo.png}
emotions: {FURIOUS: {anger: 1}, SARCASM: {disgust: 0.4, happiness: 0.4, intensity: 0.6}, BOTH: {FURIOUS: 0.5}}
defaults: {speaker: ana, emotion: neutral, intensity: 0.7, gap: 0, head: 1.0, gaze: camera, blinks: 15}
segments:
  - {id: a01, audio: "${takes}/01.wav", emotion: happiness}
  - {id: a02, audio: a.wav, from: 12.5s, to: "00:17", emotion: {sadness: 0.6, surprise: 0.4}, take: 2, <<: *quiet}
  - {id: a03, audio: b.wav, prompt: "holding back tears, trying to smile"}
  - {id: a04, audio: c.wav, emotion: auto, text: "I can't believe you did that, ${id}."}
  - pause: 600ms
  - {id: b01, speaker: bo, audio: d.wav, transition: dissolve 250ms, emotion: SARCASM}
  - id: b02
    audio: vo/a.wav
    emotion: [{at: 0s, emotion: neutral}, {at: 40%, emotion: "anger=0.8, disgust=0.2", intensity: 0.9}]
captions: {burn: false, write: [srt, vtt]}
write: [arkit-csv]
"""
PIECES = [
    "{", "}", "[", "]", ":", ": ", ",", "- ", "\n", "  ", "\t", "&a ", "*a", "<<: ", "!!x ", "${", "}", "$${", "${x}",
    "'", '"', "#", "|", ">", "%", "@", "~", "null", "-1", "1e9", "9" * 400, "\x00", "é", "\ud7ff", "\U0001f600",
    "---\n", "...\n", "? ", "x-a: 1", "auto", "0",
    "[[[[", "{a: {a: {a: ", "emotion: ", "pause: 0", "segments: ", "<text>", "<map>", "[key]", "/", "\\", "~pause",
]  # fmt: skip


def mutate(text, chance):
    """Return the text with a few random edits: characters, words, lines, pieces."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        start = chance.randrange(len(text) + 1)
        stop = min(len(text), start + chance.choice((0, 1, 1, 3, 10, 60)))
        kind = chance.randrange(5)
        if kind == 0:
            text = text[:start] + text[stop:]
        elif kind in (1, 2):
            text = text[:start] + chance.choice(PIECES) + text[stop:]
        elif kind == 3:
            other = chance.randrange(len(text) + 1)
            text = text[:start] + text[other : other + 40] + text[stop:]
        else:
            lines = text.split("\n")
            lines.insert(chance.randrange(len(lines)), lines[chance.randrange(len(lines))])
            text = "\n".join(lines)
    return text


@pytest.fixture
def studio(project):
    project.write("vars: {takes: vo}\ncast: {ana: {portrait: ana.png}}\n", "studio.yaml")
    return project


def test_the_script_itself_loads(studio):
    assert len(studio.load(SCRIPT).lines) == 7


def problems_of(load, *args, **more):
    """Return what loading complains about, nothing if it loads; anything but a ScriptError fails the test."""
    try:
        load(*args, **more)
    except ScriptError as error:
        assert error.problems, "an error says what is wrong"  # noqa: PT017 - loading may also succeed
        return error.problems
    return ()


@pytest.mark.parametrize("seed", range(8))
def test_random_mutations_raise_nothing_but_script_errors(studio, seed):
    chance = random.Random(seed)
    n_good = 0
    for _ in range(80):
        data = mutate(SCRIPT, chance).encode("utf-8", "surrogatepass")
        problems = problems_of(studio.load, data, engines=["motion", "moee"])
        n_good += not problems
        for problem in problems:
            assert problem.message
            assert "\n" not in str(problem) + (problem.hint or "")
            assert len(str(problem)) < 600
    assert 0 < n_good < 80


VALUES = [
    "", "x", "joy", "auto", "0", "-1", "1.5", "1e400", "07", "10%", "3f", "cut", "a.wav", "none.wav", "ana", "<text>",
    "${x}", "anger=0.5", "FURIOUS", "true", [], {}, ["a"], [[]], [{}], {"a": "b"}, {"": ""}, {"at": "0"},
    {"anger": "0.5"}, {"<map>": {"<list>": ["<text>"]}}, [{"at": "0", "emotion": {"FURIOUS": "1"}}], {"x-y": ["z"]},
    "x" * 3000,
]  # fmt: skip


def replace_one(value, chance):
    """Return the tree with one value, somewhere, replaced, removed, or moved under another key."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        kind = chance.randrange(8)
        if kind == 0:
            return {name: item for name, item in value.items() if name != key}
        if kind == 1:
            new = chance.choice([*value, "new", "emotion", "pause"])
            return {new if name == key else name: item for name, item in value.items()}
        return value | {key: replace_one(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        index = chance.randrange(len(value))
        return [*value[:index], replace_one(value[index], chance), *value[index + chance.randrange(2) :]]
    return chance.choice(VALUES)


@pytest.mark.parametrize("seed", range(8))
def test_random_values_in_random_places_raise_nothing_but_script_errors(studio, seed):
    chance = random.Random(seed)
    sound = yaml.load(SCRIPT.replace(", <<: *quiet", ""), yaml.BaseLoader)
    n_good = 0
    for _ in range(60):
        tree = sound
        for _ in range(chance.choice((1, 2, 5))):
            tree = replace_one(tree, chance)
        by_hand = isinstance(tree, dict) and chance.random() < 0.5
        text = dump_script(tree) if by_hand else yaml.safe_dump(tree, sort_keys=False)
        n_good += not problems_of(studio.load, text, engines=["motion", "moee"])
    assert 0 < n_good < 60


@pytest.mark.parametrize("seed", range(4))
def test_random_sets_raise_nothing_but_script_errors(studio, seed):
    chance = random.Random(seed)
    keys = [
        "seed", "segments.a01.emotion", "segments.b02.emotion.0.at", "cast.ana", "frame", "segments", "vars.takes",
        "moee", "emotions.BOTH.FURIOUS", "segments[2].prompt", "defaults.emotion", "engines.motion", "preset", "x-y.z",
    ]  # fmt: skip
    for _ in range(60):
        item = f"{chance.choice(keys)}{chance.choice(['', '.a', '[0]'])}={mutate(chance.choice(PIECES), chance)}"
        problems_of(studio.load, SCRIPT, sets=[item])


def test_every_prefix_of_a_script(studio):
    outcomes = [bool(problems_of(studio.load, SCRIPT[:stop])) for stop in range(0, len(SCRIPT), 17)]
    assert set(outcomes) == {True, False}


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes(studio, seed):
    with pytest.raises(ScriptError):
        studio.load(random.Random(seed).randbytes(500))


def test_two_thousand_segments_load(project):
    lines = "".join(
        f"  - {{id: s{n}, audio: a.wav, from: {n}s, to: {n + 1}s, emotion: {{joy: 0.5, fear: 0.2}}, text: '${{id}}'}}\n"
        for n in range(2000)
    )
    text = f"moee: 1\ncast: {{ana: {{portrait: ana.png}}}}\ndefaults: {{gap: 100ms}}\nsegments:\n{lines}"
    assert len(project.load(text).lines) == 4000


def test_of_two_thousand_faulty_segments_a_thousand_problems_are_reported(project):
    lines = "".join(f"  - {{id: s{n}, audio: none{n}.wav, emotoin: hapiness, emotion: hapines}}\n" for n in range(2000))
    *problems, last = project.problems(f"moee: 1\ncast: {{ana: {{portrait: ana.png}}}}\nsegments:\n{lines}")
    assert [problem.severity for problem in problems] == ["error"] * 1000
    assert (last.severity, last.where) == ("warning", "film.yaml")
    assert last.message == "these are the first 1000 of 6000 errors"


def test_of_two_thousand_faults_of_form_a_thousand_are_reported(project):
    *problems, last = project.problems("moee: 1\n" + "seed: 1\n" * 2000)
    assert [problem.severity for problem in problems] == ["error"] * 1000
    assert (last.severity, last.message) == ("warning", "after 1000 errors the rest of the file was not looked at")


def test_exactly_a_thousand_problems_are_all(project):
    lines = "".join(f"  - {{id: s{n}, audio: a.wav, emotion: hapines}}\n" for n in range(1000))
    problems = project.problems(f"moee: 1\ncast: {{ana: {{portrait: ana.png}}}}\nsegments:\n{lines}")
    assert [problem.severity for problem in problems] == ["error"] * 1000
