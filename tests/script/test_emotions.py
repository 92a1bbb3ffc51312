"""Every way to write an emotion, and what it means."""

from fractions import Fraction

import pytest

from moee_cli.core.labels import EMOTIONS

HEAD = "moee: 1\ncast: {ana: {portrait: ana.png}}\n"


def weights(**shares):
    shares["neutral"] = 1 - sum(shares.values())
    return pytest.approx(tuple(shares.get(name, 0.0) for name in EMOTIONS))


@pytest.fixture
def emotion(project):
    """Return the keyframes of a segment with this emotion."""

    def read(text, more="", head=HEAD):
        return project.segments(f"{{audio: a.wav, emotion: {text}{more}}}", head=head).lines[0].emotion

    return read


@pytest.fixture
def fault(project):
    """Return the only problem of a segment with this emotion."""

    def read(text, more="", head=HEAD):
        return project.segment_problem(f"{{audio: a.wav, emotion: {text}{more}}}", head=head)

    return read


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("happiness", {"happiness": 1}),
        ("Happy", {"happiness": 1}),
        ("ANGRY", {"anger": 1}),
        ("neutral", {}),
        ("happily-surprised", {"happiness": 0.5, "surprise": 0.5}),
        ("Happily Surprised", {"happiness": 0.5, "surprise": 0.5}),
        ("happily_SURPRISED", {"happiness": 0.5, "surprise": 0.5}),
        ("{sadness: 0.6, surprise: 0.4}", {"sadness": 0.6, "surprise": 0.4}),
        ("{sad: .25}", {"sadness": 0.25}),
        ("{neutral: 0.5, anger: 0.5}", {"anger": 0.5}),
        ("{happily-surprised: 0.5, anger: 0.5}", {"happiness": 0.25, "surprise": 0.25, "anger": 0.5}),
        ('"anger=0.8, disgust=0.2"', {"anger": 0.8, "disgust": 0.2}),
        ('"anger=.8,disgust = 0.1"', {"anger": 0.8, "disgust": 0.1}),
        ('"Happily Surprised=1"', {"happiness": 0.5, "surprise": 0.5}),
    ],
)
def test_names_and_mixes(emotion, text, shares):
    (key,) = emotion(text)
    assert key.weights == weights(**shares)
    assert sum(key.weights) == pytest.approx(1)
    assert (key.intensity, key.at) == (0.7, 0)


def test_without_an_emotion_a_line_is_neutral(project):
    (key,) = project.segments("{audio: a.wav}").lines[0].emotion
    assert key.weights == weights()


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("hapiness", '"hapiness" is not an emotion', 'did you mean "happiness"'),
        ("xyzzy", "is not an emotion", "moee emotions"),
        ("''", "is not an emotion", None),
        ("{hapy: 0.5}", '"hapy" is not an emotion', 'did you mean "happy"'),
        ("{anger: 0.8, fear: 0.6}", "weights sum to 1.4, above 1", "{anger: 0.571, fear: 0.429}"),
        ("{anger: 1.5}", "1.5 is not from 0 to 1", None),
        ("{anger: -0.5}", "is not from 0 to 1", None),
        ("{anger: lots}", '"lots" is not a number', None),
        ("{}", "names no emotion", "anger: 0.6"),
        ("{anger: 0.5, intensity: 0.5}", "intensity is not an emotion", "beside"),
        ('"anger=0.8, disgust=0.8"', "weights sum to 1.6", "{anger: 0.5, disgust: 0.5}"),
        ('"anger=0.8, disgust"', '"disgust" is not a share', "anger=0.8"),
        ('"anger=x"', "is not a share", None),
        ('"anger=0.1, anger=0.2"', "given twice", None),
        ('"anger=0.1, Angry=0.2"', '"Angry" is the same emotion as "anger"', "one share"),
        ("{anger: 0.5, angry: 0.2}", '"angry" is the same emotion as "anger"', "one share"),
        ("{neutral: 0.5, calm: 0.2}", '"calm" is the same emotion as "neutral"', "one share"),
        ("{bittersweet: 0.5, Bitter-Sweet: 0.2}", "is the same emotion as", "one share"),
        ('"anger, disgust"', "is not an emotion", "anger=0.8"),
        ("[]", "has no keyframes", "at: 0s"),
        ("[anger]", "not a mapping of keys", None),
        ("[{emotion: anger}]", "is missing", "at: 40%"),
        ("[{at: 0s}]", "is missing", None),
        ("[{at: 0s, emotion: hapy}]", "is not an emotion", "happy"),
        ("[{at: 0s, emotion: auto}]", "`auto` cannot stand here", "whole segment"),
        ("[{at: 0s, emotion: joy}, {at: 0ms, emotion: fear}]", "same time", None),
        ("[{at: -1s, emotion: joy}]", "is negative", None),
        ("[{at: 120%, emotion: joy}]", "0% to 100%", None),
        ("[{at: 0s, emotion: joy, intensty: 1}]", "is not a key here", 'did you mean "intensity"'),
    ],
)
def test_what_is_no_emotion(fault, text, message, hint):
    problem = fault(text)
    assert message in problem.message
    assert hint is None or hint in problem.hint
    assert problem.key.startswith("segments[0].emotion")
    assert problem.where.startswith("film.yaml:4:")


def test_the_fault_is_placed_at_the_name(fault):
    assert fault("{anger: 0.5, hapy: 0.5}").where == "film.yaml:4:42"
    assert fault("[{at: 0, emotion: joy}, {at: 1, emotion: {hapy: 1}}]").where == "film.yaml:4:71"


def test_all_faults_of_keyframes_are_found(project):
    problems = project.problems(
        f"{HEAD}segments: [{{audio: a.wav, emotion: [{{emotion: joy}}, {{at: 0, emotion: hapy}},"
        " {at: 1, emotion: joy, intensity: 7}, {at: 2, emotion: {angr: 1}, x: 1}]}]\n"
    )
    assert [problem.key.removeprefix("segments[0].emotion") for problem in problems] == [
        "[0].at", "[1].emotion", "[2].intensity", "[3].emotion.angr", "[3].x",
    ]  # fmt: skip


# --- intensity


@pytest.mark.parametrize(
    ("head", "text", "more", "intensity"),
    [
        ("", "anger", "", 0.7),
        ("defaults: {intensity: 0.2}\n", "anger", "", 0.2),
        ("defaults: {intensity: 0.2}\n", "anger", ", intensity: 0.9", 0.9),
        ("defaults: {intensity: 0.2}\n", "WRY", "", 0.6),
        ("defaults: {intensity: 0.2}\n", "WRY", ", intensity: 0", 0.0),
        ("", "[{at: 0, emotion: WRY}]", "", 0.6),
        ("", "[{at: 0, emotion: WRY, intensity: 1}]", ", intensity: 0.5", 1.0),
        ("", "[{at: 0, emotion: anger}]", ", intensity: 0.5", 0.5),
    ],
)
def test_whose_intensity_counts(emotion, head, text, more, intensity):
    own = "emotions: {WRY: {disgust: 0.4, happiness: 0.4, intensity: 0.6}}\n"
    assert emotion(text, more, HEAD + own + head)[0].intensity == intensity


@pytest.mark.parametrize("text", ["1.5", "-0.1", "strong"])
def test_intensity_is_a_share(project, text):
    assert project.segment_problem(f"{{audio: a.wav, intensity: {text}}}").key == "segments[0].intensity"


# --- own names


@pytest.mark.parametrize(
    ("own", "text", "shares"),
    [
        ("{FURIOUS: {anger: 1}}", "furious", {"anger": 1}),
        ("{Cold Rage: {anger: 0.5}}", "cold-rage", {"anger": 0.5}),
        ("{COLD: 'anger=0.5, fear=0.1'}", "cold", {"anger": 0.5, "fear": 0.1}),
        ("{A: B, B: {fear: 0.4}}", "a", {"fear": 0.4}),
        ("{A: {B: 0.5, anger: 0.5}, B: {fear: 1}}", "a", {"fear": 0.5, "anger": 0.5}),
        ("{A: {B: 0.5}, B: {fear: 1, intensity: 0.4}}", "a", {"fear": 0.2}),
        ("{A: {fear: 1, intensity: 0.4}}", "{A: 0.5, joy: 0.5}", {"fear": 0.2, "happiness": 0.5}),
        ("{bittersweet: {happiness: 0.2, sadness: 0.8}}", "bittersweet", {"happiness": 0.2, "sadness": 0.8}),
        ("{Ärger: {anger: 1}}", "ärger", {"anger": 1}),
    ],
)
def test_own_names(emotion, own, text, shares):
    assert emotion(text, head=f"{HEAD}emotions: {own}\n")[0].weights == weights(**shares)


def test_an_alias_of_an_own_name_keeps_its_strength(emotion):
    (key,) = emotion("a", head=f"{HEAD}emotions: {{A: B, B: {{fear: 1, intensity: 0.4}}}}\n")
    assert key.weights == weights(fear=1)
    assert key.intensity == 0.4


@pytest.mark.parametrize(
    ("own", "key", "message"),
    [
        ("{A: {hapy: 1}}", "emotions.A.hapy", '"hapy" is not an emotion'),
        ("{A: hapy}", "emotions.A", '"hapy" is not an emotion'),
        ("{A: A}", "emotions.A", 'leads back to "A": A → A'),
        ("{A: {B: 1}, B: {A: 1}}", "emotions.B.A", 'leads back to "A": A → B → A'),
        ("{A: {B1: 0.5, b-1: 0.2}, B1: {fear: 1}}", "emotions.A.b-1", '"b-1" is the same emotion as "B1"'),
        ("{A: {anger: 0.7, fear: 0.7}}", "emotions.A", "weights sum to 1.4"),
        ("{A: {intensity: 0.7}}", "emotions.A", "names no emotion"),
        ("{A: {anger: 1, intensity: 7}}", "emotions.A.intensity", "not from 0 to 1"),
        ("{anger: {fear: 1}}", "emotions.anger", "already has a meaning"),
        ("{auto: {fear: 1}}", "emotions.auto", "already has a meaning"),
        ("{Intensity: {fear: 1}}", "emotions.Intensity", "already has a meaning"),
        ("{my mood: {fear: 1}, MY-MOOD: {fear: 1}}", "emotions.MY-MOOD", "are the same name"),
        ("{'a=b': {fear: 1}}", "emotions.a=b", "cannot be the name"),
        ("{'': {fear: 1}}", "emotions.", "cannot be the name"),
        ("{A: [fear]}", "emotions.A", "is a list"),
    ],
)
def test_own_names_that_cannot_be(project, own, key, message):
    problem = project.segment_problem(
        "{audio: a.wav, emotion: A}" if own.startswith("{A:") else "{audio: a.wav}", head=f"{HEAD}emotions: {own}\n"
    )
    assert message in problem.message
    assert problem.key == key
    assert problem.where.startswith("film.yaml:3:")


@pytest.mark.parametrize(
    ("name", "hint"), [("neutral", "seven emotions"), ("auto", "seven emotions"), ("'a=b'", "letters, digits")]
)
def test_the_hint_says_which_names_can_be(project, name, hint):
    head = f"{HEAD}emotions: {{{name}: {{fear: 1}}}}\n"
    assert hint in project.segment_problem("{audio: a.wav}", head=head).hint


@pytest.mark.parametrize("mix", ["{anger: 0.5, appalled: 0.5}", "{MAD: 0.5, anger: 0.5}", "{mad: 0.5, angry: 0.5}"])
def test_mixes_may_share_a_part(emotion, mix):
    head = HEAD + "emotions: {MAD: {anger: 0.5, fear: 0.5}}\n"
    assert emotion(mix, head=head)[0].weights[EMOTIONS.index("anger")] > 0.5


def test_a_misspelled_own_name(fault):
    assert 'did you mean "GRUMPY"' in fault("grumpi", head=f"{HEAD}emotions: {{GRUMPY: {{anger: 1}}}}\n").hint


def test_a_very_long_chain_of_names(project):
    chain = ", ".join(f"N{number}x: N{number + 1}x" for number in range(2000))
    problems = project.problems(
        f"{HEAD}emotions: {{{chain}, N2000x: anger}}\nsegments: [{{audio: a.wav, emotion: N0x}}]\n"
    )
    assert any("more than 32 steps" in problem.message for problem in problems)


# --- keyframes


def test_keyframes_have_times_or_percentages(emotion):
    keys = emotion('[{at: 12f, emotion: neutral}, {at: "00:01", emotion: "anger=0.8, fear=0.2", intensity: 0.9}]')
    assert [key.at for key in keys] == [Fraction(12, 25), Fraction(1)]
    assert keys[1].weights == weights(anger=0.8, fear=0.2)
    assert [key.intensity for key in keys] == [0.7, 0.9]
    assert isinstance(keys[0].at, Fraction)
    (key,) = emotion("[{at: 40%, emotion: joy}]")
    assert (key.at, type(key.at)) == (0.4, float)


def test_keyframes_are_sorted_where_they_compare(emotion):
    times = emotion("[{at: 2s, emotion: joy}, {at: 500ms, emotion: fear}, {at: 1, emotion: anger}]")
    assert [key.at for key in times] == [Fraction(1, 2), 1, 2]
    shares = emotion("[{at: 90%, emotion: joy}, {at: 10%, emotion: fear}]")
    assert [key.at for key in shares] == [0.1, 0.9]
    mixed = emotion("[{at: 90%, emotion: joy}, {at: 1s, emotion: fear}]")
    assert [key.at for key in mixed] == [0.9, 1]


def test_a_time_and_an_equal_share_are_not_the_same(emotion):
    assert len(emotion("[{at: 50%, emotion: joy}, {at: 0.5s, emotion: fear}]")) == 2


@pytest.mark.parametrize(
    "segment",
    [
        "{audio: a.wav, from: 1s, to: 3s, emotion: %s}",
        "{audio: a.wav, to: 2s, emotion: %s}",
        "{pause: 2s, emotion: %s}",
    ],
)
def test_keyframes_lie_inside_a_segment_of_known_length(project, segment):
    assert project.segments(segment % "[{at: 2s, emotion: joy}]").lines
    problem = project.segment_problem(segment % "[{at: 0, emotion: fear}, {at: 2.1s, emotion: joy}]")
    assert "2.1 s comes after the end, 2 s" in problem.message


def test_default_keyframes(project):
    head = HEAD + "defaults: {emotion: [{at: 0%, emotion: joy}, {at: 100%, emotion: fear}]}\n"
    lines = project.segments("{audio: a.wav}", "{audio: b.wav, emotion: anger}", head=head).lines
    assert [len(line.emotion) for line in lines] == [2, 1]


# --- auto and prompt


def test_auto_is_marked_and_keeps_its_gain(project):
    line = project.segments("{audio: a.wav, emotion: AUTO, intensity: 0.3}").lines[0]
    assert line.auto
    assert line.emotion[0].intensity == 0.3
    assert line.emotion[0].weights == weights()


def test_auto_as_default(project):
    lines = project.segments(
        "{audio: a.wav}", "{audio: b.wav, emotion: joy}", head=HEAD + "defaults: {emotion: auto}\n"
    ).lines
    assert [line.auto for line in lines] == [True, False]


def test_a_prompt_takes_the_place_of_the_default_emotion(project):
    head = HEAD + "defaults: {emotion: anger, intensity: 0.4}\n"
    line = project.segments('{audio: a.wav, prompt: "holding back tears"}', head=head).lines[0]
    assert line.prompt == "holding back tears"
    assert line.emotion[0].weights == weights()
    assert line.emotion[0].intensity == 0.4


def test_exactly_one_of_emotion_and_prompt(project):
    problem = project.segment_problem("{audio: a.wav, emotion: joy, prompt: smiling}")
    assert (problem.key, problem.where) == ("segments[0].prompt", "film.yaml:4:34")
    assert "exactly one" in problem.hint


def test_an_empty_prompt(project):
    assert "is empty" in project.segment_problem("{audio: a.wav, prompt: ' '}").message
