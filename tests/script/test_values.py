"""Every kind of scalar: what is read, and what is refused with a hint."""

from fractions import Fraction
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from moee_cli.core.types import TransitionKind
from moee_cli.script import values
from moee_cli.script.positions import Map, Mark, Seq, Source, Text

MARK = Mark(Source("s.yaml", Path("/film")), 1, 1)
FPS = Fraction(25)


def read(kind, text):
    return TypeAdapter(kind).validate_python(Text(text, MARK, quoted=True))


def fault(kind, text):
    with pytest.raises(ValidationError) as caught:
        read(kind, text)
    return caught.value.errors()[0]["ctx"]["error"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1.5", Fraction(3, 2)),
        ("1.5s", Fraction(3, 2)),
        ("2 s", 2),
        (".25", Fraction(1, 4)),
        ("3.", 3),
        ("0", 0),
        ("600ms", Fraction(3, 5)),
        ("0.5ms", Fraction(1, 2000)),
        ("600MS", Fraction(3, 5)),
        ("00:17", 17),
        ("1:30", 90),
        ("90:00", 5400),
        ("00:01:02.5", Fraction(125, 2)),
        ("1:02:03", 3723),
        ("37f", Fraction(37, 25)),
        ("0.1", Fraction(1, 10)),
        ("007", 7),
    ],
)
def test_times_are_exact(text, seconds):
    assert read(values.Length, text).seconds(FPS) == seconds


def test_frames_follow_the_frame_rate():
    assert read(values.Length, "37f").seconds(Fraction(30000, 1001)) == Fraction(37 * 1001, 30000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1,5",
        "1.5.2",
        "1h",
        "5 m",
        "1:2:3:4",
        "00:60",
        "00:60:00",
        "1:-2",
        "nan",
        "inf",
        "1e3",
        "1.5f",
        "٣",
    ],
)
def test_what_is_no_time(text):
    assert "is not a time" in fault(values.Length, text).message


@pytest.mark.parametrize("text", ["9" * 30, "99999999999 ms", "9999999999f", "0." + "3" * 40, "10000:00", "9" * 9999])
def test_times_beyond_what_is_read_are_not_called_something_else(text):
    assert "too many digits for a time" in fault(values.Length, text).message


def test_times_with_the_digits_of_a_program_are_read():
    assert read(values.Length, "1.3333333333333333").seconds(FPS) == Fraction("1.3333333333333333")


@pytest.mark.parametrize("text", ["-1", "-1.5s", "- 600ms", "-00:17", "-3f"])
def test_negative_times(text):
    error = fault(values.Length, text)
    assert "is negative" in error.message


def test_a_pause_has_a_length():
    assert "no length" in fault(values.PositiveLength, "0ms").message


@pytest.mark.parametrize(("text", "share"), [("40%", 0.4), ("0%", 0.0), ("100%", 1.0), ("12.5 %", 0.125)])
def test_moments_may_be_percentages(text, share):
    assert read(values.Moment, text) == share


def test_moments_may_be_times():
    assert read(values.Moment, "0s") == values.Time(Fraction(0))


@pytest.mark.parametrize("text", ["101%", "-1%", "x%", "%"])
def test_percentages_stay_in_the_segment(text):
    assert "0% to 100%" in fault(values.Moment, text).message


@pytest.mark.parametrize(
    ("text", "fps"),
    [
        ("25", Fraction(25)),
        ("30000/1001", Fraction(30000, 1001)),
        ("60 / 2", Fraction(30)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("29.970", Fraction(30000, 1001)),
        ("25.0", Fraction(25)),
    ],
)
def test_frame_rates(text, fps):
    assert read(values.Rate, text) == fps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "not from 1 to 120"),
        ("121", "not from 1 to 120"),
        ("25/0", "divides by zero"),
        ("1/2", "not from 1 to 120"),
        ("-25", "is not a frame rate"),
        ("9" * 9, "not from 1 to 120"),
        ("fast", "is not a frame rate"),
        ("25 fps", "is not a frame rate"),
    ],
)
def test_what_is_no_frame_rate(text, message):
    assert message in fault(values.Rate, text).message


def test_a_decimal_frame_rate_gets_its_ratio_as_hint():
    assert "25/2" in fault(values.Rate, "12.5").hint


@pytest.mark.parametrize(
    ("text", "name"), [("29.97003", "29.97"), ("23.97", "23.976"), ("59.9400599400599", "59.94"), ("29.976", "29.97")]
)
def test_a_rounded_broadcast_rate_leads_to_its_name_and_not_to_a_ratio(text, name):
    hint = fault(values.Rate, text).hint
    assert hint.startswith(f"write {name}, which stands for")


def test_a_rate_with_a_sign_gets_no_ratio():
    assert fault(values.Rate, "+25").hint.startswith("write a whole number")


@pytest.mark.parametrize(
    ("text", "size"), [("512x512", (512, 512)), ("1280 X 720", (1280, 720)), ("64×4096", (64, 4096))]
)
def test_sizes(text, size):
    assert read(values.Size, text) == size


@pytest.mark.parametrize("text", ["512", "5x5", "512x", "x512", "-512x512", "512x512x3", "5000x512", "big"])
def test_what_is_no_size(text):
    assert "is not" in fault(values.Size, text).message


@pytest.mark.parametrize("text", ["99999999x99999999", "512x9999999999999", "1x1"])
def test_sizes_beyond_the_limits_are_sizes(text):
    assert "is not from 64x64 to 4096x4096" in fault(values.Size, text).message


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("1", 1), (".5", 0.5), ("0.70", 0.7), ("1.", 1)])
def test_shares(text, number):
    assert read(values.Share, text) == number


@pytest.mark.parametrize("text", ["1.01", "-0.1", "half", "1e-1", "nan", "", "50%", "0,5"])
def test_what_is_no_share(text):
    fault(values.Share, text)


@pytest.mark.parametrize(("text", "seed"), [("0", 0), ("007", 7), (str(2**63 - 1), 2**63 - 1)])
def test_seeds(text, seed):
    assert read(values.Seed, text) == seed


@pytest.mark.parametrize("text", ["-1", "1.0", str(2**63), "9" * 5000, "seven", "1_000", "0x7"])
def test_what_is_no_seed(text):
    assert len(fault(values.Seed, text).message) < 120


@pytest.mark.parametrize("text", ["-1", str(2**63), "9" * 20, "9" * 5000])
def test_seeds_beyond_the_limits_are_whole_numbers(text):
    assert fault(values.Seed, text).message.endswith(f"is not from 0 to {2**63 - 1}")


def test_shares_with_the_digits_of_a_program_are_read():
    assert read(values.Share, "0.33333333333333331483") == 1 / 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("film.txt", '"film.txt": .txt is not a video format'),
        ("film.mkv", ".mkv is not a video format"),
        ("film", "does not say which video format"),
        ("out/", "does not say which video format"),
        (".", "does not say which video format"),
    ],
)
def test_outputs_end_like_a_video(text, message):
    error = fault(values.OutputPath, text)
    assert message in error.message
    assert ".mp4" in error.hint


@pytest.mark.parametrize("text", ["film.mp4", "out/film.MOV", "/x/a b.m4v"])
def test_outputs(text):
    assert read(values.OutputPath, text) == Path("/film") / text


@pytest.mark.parametrize(
    ("text", "truth"), [("true", True), ("Yes", True), ("on", True), ("false", False), ("NO", False), ("off", False)]
)
def test_truth(text, truth):
    assert read(values.Truth, text) is truth


def test_truth_is_not_guessed():
    fault(values.Truth, "1")


@pytest.mark.parametrize(
    ("text", "kind", "seconds"),
    [
        ("auto", TransitionKind.AUTO, None),
        ("cut", TransitionKind.CUT, None),
        ("Blend", TransitionKind.BLEND, None),
        ("dissolve 250ms", TransitionKind.DISSOLVE, Fraction(1, 4)),
        ("blend  1.5", TransitionKind.BLEND, Fraction(3, 2)),
        ("dissolve 12f", TransitionKind.DISSOLVE, Fraction(12, 25)),
    ],
)
def test_transitions(text, kind, seconds):
    wish = read(values.TransitionValue, text)
    assert wish.kind is kind
    assert (wish.length and wish.length.seconds(FPS)) == seconds


@pytest.mark.parametrize(
    ("text", "hint"),
    [("disolve", 'did you mean "dissolve"'), ("cut 1s", "dissolve 1s"), ("auto 2", None), ("blend x", None)],
)
def test_what_is_no_transition(text, hint):
    error = fault(values.TransitionValue, text)
    assert hint is None or hint in error.hint


@pytest.mark.parametrize(
    ("text", "face"),
    [("largest", "largest"), ("LEFT", "left"), ("2", "2"), ("007", "7"), ("10, 20, 300, 400", "10,20,300,400")],
)
def test_faces(text, face):
    assert read(values.FaceChoice, text) == face


@pytest.mark.parametrize("text", ["biggest", "-1", "1,2,3", "1,2,0,4", "1.5", ""])
def test_what_is_no_face(text):
    fault(values.FaceChoice, text)


@pytest.mark.parametrize("text", ["a01", "Zeile 1", "ä.b", "no", "007", "-x"])
def test_ids(text):
    assert read(values.Id, text) == text


@pytest.mark.parametrize("text", ["", " ", ".", "..", " a", "a ", "a,b", "a~b", "a/b", "a\\b", "a\nb"])
def test_what_is_no_id(text):
    assert "cannot be an id" in fault(values.Id, text).message


def test_loudness_may_be_off():
    assert read(values.Loudness, "off") is None
    assert read(values.Loudness, "-16") == -16
    fault(values.Loudness, "16")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a b.wav", "/film/a b.wav"),
        ("/x/a.wav", "/x/a.wav"),
        ("a: b.wav", "/film/a: b.wav"),
        ("-a'\n.wav", "/film/-a'\n.wav"),
    ],
)
def test_paths_start_from_the_folder_of_their_file(text, path):
    assert str(read(values.InputPath, text)) == path


def test_home_is_known(own_home):
    assert read(values.InputPath, "~/a.wav") == own_home / "a.wav"


@pytest.mark.parametrize(
    "text",
    [
        "https://x/a.wav",
        "HTTP://x/a.wav",
        "rtmp://x",
        "concat:a.wav|b.wav",
        "file:a.wav",
        "pipe:0",
        "data:audio/wav;base64,",
        "s3://b/a",
    ],
)
def test_remote_inputs_are_refused(text):
    assert "is not a file on this machine" in fault(values.InputPath, text).message


@pytest.mark.parametrize("text", ["live.m3u8", "LIST.M3U", "x.pls", "x.ffconcat", "x.mpd"])
def test_playlists_are_refused(text):
    assert "is a playlist" in fault(values.InputPath, text).message


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_what_is_no_path(text):
    assert "is not a path" in fault(values.InputPath, text).message


@pytest.mark.parametrize(
    "kind",
    [values.Length, values.Size, values.Rate, values.TextValue, values.InputPath, values.Share, values.FaceChoice],
)
def test_lists_mappings_and_nothing_are_no_scalars(kind):
    for value in (Map(MARK), Seq(MARK), Text("", MARK)):
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(kind).validate_python(value)
        message = caught.value.errors()[0]["ctx"]["error"].message
        assert message.startswith(("is a mapping, not", "is a list, not", "has no value"))


def test_long_values_are_shortened_in_messages():
    assert len(fault(values.Size, "9" * 100_000).message) < 100
