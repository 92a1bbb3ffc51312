"""CSV of the Live Link Face app: columns, timecodes, signs; what real and foreign files look like; what is refused."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
import pytest

from moee_cli.core.errors import MotionFileError
from moee_cli.core.labels import ARKIT_BLENDSHAPES, CHANNEL, N_MOTION, SHAPES
from moee_cli.face.controls import motion_frame
from moee_cli.face.live_link import CURVES, curves_of, read_csv, timecode, write_csv
from moee_cli.face.motion_file import read_motion

HEADER = "Timecode,BlendShapeCount," + ",".join(CURVES)
SHIFTS = [CHANNEL[name] for name in ("headX", "headY", "headZ")]


def row(code="00:00:00:00.000", count=61, columns=CURVES, **values):
    """Return a line of a file, at rest but for the curves named."""
    return f"{code},{count}," + ",".join(str(values.get(name, 0.0)) for name in columns)


def recording(n=60, step=2.0, rate=60, **values):
    """Return the lines of a recording: `step` units of 1/`rate` s from row to row."""
    codes = [divmod(round(index * step * 1000), rate * 1000) for index in range(n)]
    return [HEADER, *(row(f"12:59:{s:02d}:{u // 1000:02d}.{u % 1000:03d}", **values) for s, u in codes)]


@pytest.fixture
def read(tmp_path):
    def call(lines, name="take.csv"):
        path = tmp_path / name
        path.write_bytes(lines if isinstance(lines, bytes) else "\n".join(lines).encode())
        return read_motion(path)

    return call


@pytest.fixture
def refuses(read):
    def call(lines, *words):
        with pytest.raises(MotionFileError) as caught:
            read(lines)
        said = f"{caught.value.message}\n{caught.value.hint}"
        assert "\n" not in caught.value.message
        for word in words:
            assert word in said
        return caught.value

    return call


# --- writing --------------------------------------------------------------------------------------------------------


def test_the_columns_are_those_of_the_app():
    assert HEADER.startswith("Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,")
    assert HEADER.endswith(
        ",NoseSneerRight,TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,"
        "RightEyeYaw,RightEyePitch,RightEyeRoll"
    )
    assert len(CURVES) == 61
    assert CURVES.index("JawRight") < CURVES.index("JawLeft")


@pytest.mark.parametrize(
    ("frame", "fps", "expected"),
    [
        (0, 25, "00:00:00:00.000"),
        (1, 25, "00:00:00:02.400"),
        (25, 25, "00:00:01:00.000"),
        (1, Fraction(30000, 1001), "00:00:00:02.002"),
        (1798, Fraction(30000, 1001), "00:00:59:59.596"),
        (107892, Fraction(30000, 1001), "00:59:59:59.784"),
        (59, 60, "00:00:00:59.000"),
        (25 * 3600 * 25, 25, "25:00:00:00.000"),
        (1, 1_000_000_000, "00:00:00:00.000"),
    ],
)
def test_timecodes_tell_the_true_time(frame, fps, expected):
    assert timecode(frame, Fraction(fps)) == expected


def test_signs_of_head_and_eyes():
    motion = motion_frame(headYaw=0.1, headPitch=0.2, headRoll=0.3, gazeYaw=0.25, gazePitch=-0.5)
    values = dict(zip(CURVES, curves_of(motion[None])[0].tolist(), strict=True))
    expected = {
        "HeadYaw": 0.1, "HeadPitch": 0.2, "HeadRoll": -0.3,
        "LeftEyeYaw": -0.25, "RightEyeYaw": -0.25, "LeftEyePitch": 0.5, "RightEyePitch": 0.5,
        "EyeLookOutLeft": 0.25 / 0.6, "EyeLookInRight": 0.25 / 0.6,
        "EyeLookDownLeft": 0.5 / 0.61, "EyeLookDownRight": 0.5 / 0.61,
    }  # fmt: skip
    assert {name: pytest.approx(value) for name, value in values.items() if value} == expected


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001), Fraction(60), Fraction(12)])
def test_what_is_written_is_read_again(fps, tmp_path):
    random = np.random.default_rng(5)
    motion = random.random((150, N_MOTION), np.float32)
    motion[:, len(SHAPES) :] = 0.3 * random.standard_normal((150, 8))
    seen = np.ones(150, bool)
    seen[[0, 20, 21, 149]] = False
    path = tmp_path / "take.csv"
    with path.open("w", newline="") as file:
        write_csv(file, [(motion[:100], seen[:100].tolist()), (motion[100:], seen[100:].tolist())], fps)
    track = read_csv(path)
    assert track.seconds == pytest.approx(150 / fps, abs=1e-4)
    np.testing.assert_allclose(track.times, np.flatnonzero(seen) / float(fps), atol=1e-5)
    expected = motion[seen]
    expected[:, SHIFTS] = 0.0
    np.testing.assert_allclose(track.motion, expected, atol=2e-7)


def test_a_film_of_one_frame_is_read_again(tmp_path):
    path = tmp_path / "take.csv"
    with path.open("w", newline="") as file:
        write_csv(file, [(motion_frame(jawOpen=0.5)[None], [True])], Fraction(25))
    assert read_csv(path).motion[0, CHANNEL["jawOpen"]] == 0.5


def test_no_zero_has_a_sign():
    file = io.StringIO()
    write_csv(file, [(np.zeros((1, N_MOTION), np.float32), [True])], Fraction(25))
    assert "-" not in file.getvalue()


# --- recordings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "rate", "per_second"),
    [(1.001, 60, 59.94), (2.0, 60, 30), (2.5, 60, 24), (1.0, 60, 60), (1.0, 24, 24), (1.0, 25, 25), (1.0, 30, 30)],
)
def test_the_rate_is_seen_in_the_timecodes(read, step, rate, per_second):
    track = read(recording(130, step, rate, JawOpen=0.25))
    assert track.seconds == pytest.approx(130 / per_second, rel=1e-3)
    assert np.median(np.diff(track.times)) == pytest.approx(1 / per_second, rel=1e-3)
    assert not track.remarks


def test_names_go_by_meaning_in_any_order(read):
    columns = [name for name in ARKIT_BLENDSHAPES if not name.startswith("eyeLook") and name != "tongueOut"][::-1]
    spelled = [f"{name[:-4]}_L" if name.endswith("Left") else name for name in columns]
    lines = ["note;TimeCode; BlendshapeCount;" + ";".join(spelled)]
    lines += [
        f"hello;00:00:00:{index:02d}.0;51;" + ";".join("0.5" if name == "mouthSmileLeft" else "0" for name in columns)
        for index in range(10)
    ]
    track = read(("\ufeff" + "\r\n".join(lines) + "\r\n\r\n").encode())
    assert track.motion.shape == (10, N_MOTION)
    np.testing.assert_array_equal(np.flatnonzero(track.motion.any(0)), [CHANNEL["mouthSmileLeft"]])


def test_eyes_are_read_from_their_angles_or_else_from_the_shapes(read):
    angles = read(recording(3, LeftEyeYaw=-0.3, RightEyeYaw=-0.2, LeftEyePitch=0.1, RightEyePitch=0.1, EyeLookUpLeft=1))
    assert angles.motion[0, CHANNEL["gazeYaw"]] == pytest.approx(0.25)
    assert angles.motion[0, CHANNEL["gazePitch"]] == pytest.approx(-0.1)
    shapes = read(recording(3, EyeLookOutLeft=0.5, EyeLookInRight=0.5, EyeLookUpLeft=1, EyeLookUpRight=1))
    assert shapes.motion[0, CHANNEL["gazeYaw"]] == pytest.approx(0.3)
    assert shapes.motion[0, CHANNEL["gazePitch"]] == pytest.approx(0.44)


def test_shapes_a_little_out_of_range_are_held(read):
    motion = read(recording(2, JawOpen=1.08, MouthClose=-0.02)).motion
    assert motion[0, CHANNEL["jawOpen"]] == 1.0
    assert motion[0, CHANNEL["mouthClose"]] == 0.0


def test_rows_without_a_face_leave_a_gap_that_is_bridged(read):
    lines = recording(5, 6.0)
    lines[2:5] = [",".join([line.split(",")[0], "0"]) for line in lines[2:5]]
    lines[5] = lines[5].replace(",0.0", ",0.8", 1)
    track = read(lines)
    np.testing.assert_allclose(track.times, [0.0, 0.4])
    assert track.seconds == pytest.approx(0.5)
    assert track.at(np.array([0.2]))[0, CHANNEL["eyeBlinkLeft"]] == pytest.approx(0.4)


def test_rows_that_step_back_are_left_out_and_told_of(read):
    lines = recording(20)
    lines.insert(11, lines[3])
    lines.insert(15, lines[14])
    track = read(lines)
    assert len(track.times) == 20
    assert (np.diff(track.times) > 0).all()
    assert "left out: 2" in track.remarks[0]


def test_long_gaps_are_told_of_and_rows_without_a_face_are_none(read):
    lines = recording(60)
    assert read(lines[:10] + lines[16:]).remarks == ()
    told = "take.csv: rows are missing: 0.23 s after 0.27 s, 0.67 s after 0.83 s; the motion goes straight across"
    assert read(lines[:10] + lines[17:27] + lines[47:]).remarks == (told,)
    lost = [",".join([line.split(",")[0], "0"]) for line in lines[10:40]]
    assert read(lines[:10] + lost + lines[40:]).remarks == ()
    assert read(recording(5, 60.0)).remarks == ()


def test_columns_that_mean_nothing_may_repeat_and_lines_end_in_a_comma(read):
    track = read([f"{HEADER},note,note", f"{row()},a,b,,", f"{row('00:00:00:02')},a,b"])
    assert len(track.times) == 2


def test_midnight_does_not_turn_the_clock_back(read):
    track = read([HEADER, row("23:59:59:58.000"), row("00:00:00:00.000"), row("00:00:00:02.000")])
    np.testing.assert_allclose(track.times, [0, 1 / 30, 2 / 30], atol=1e-9)


# --- what is refused ------------------------------------------------------------------------------------------------

BAD = {
    "nothing": (b"", "is empty"),
    "a header alone": ([HEADER], "no rows"),
    "no header": ([row(), row()], "no column Timecode"),
    "other columns": (["Timecode,Name", "00:00:00:00,x"], "no column EyeBlinkLeft", "and 40 more"),
    "a missing shape": ([HEADER.replace("JawOpen", "Jaw"), row()], "take.csv:1", "no column JawOpen"),
    "no number": ([HEADER, row(), row("00:00:00:02", JawOpen="x")], "take.csv:3", 'JawOpen is "x"'),
    "not a number": ([HEADER, row(HeadYaw="nan")], "take.csv:2", "HeadYaw", "nan"),
    "infinity": ([HEADER, row(JawOpen="inf")], "take.csv:2", "JawOpen"),
    "percentages": ([HEADER, row(JawOpen=37)], "take.csv:2", "JawOpen is 37", "100"),
    "degrees": ([HEADER, row(HeadYaw=12)], "HeadYaw is 12", "radians"),
    "a huge value": ([HEADER, row(JawOpen="1e300")], "JawOpen is 1e+300"),
    "a bad timecode": ([HEADER, row("later")], "take.csv:2", '"later"'),
    "a line cut off": ([HEADER, row(), row("00:00:00:02")[:60]], "take.csv:3", "columns", "cut off"),
    "a column twice": (
        [HEADER + ",jawopen", row() + ",0.3"],
        "take.csv:1",
        'two columns for JawOpen: "JawOpen" and "jawopen"',
    ),
    "two spellings": ([HEADER + ",eyeBlink_L", row() + ",0"], 'EyeBlinkLeft: "EyeBlinkLeft" and "eyeBlink_L"'),
    "two timecodes": ([HEADER + ",timecode", row() + ",0"], "two columns for Timecode"),
    "a line that is too long": (
        [HEADER, row(), row("00:00:00:02", JawOpen="0,5")],
        "take.csv:3",
        "64 columns",
        "comma",
    ),
    "time that stands still": ([HEADER, row(), row(), row()], "none of its 3 rows is later"),
    "no face": ([HEADER, row(count=0), row("00:00:00:02", count=0)], "no face"),
    "latin-1": (HEADER.encode() + b"\n\xe4\xff", "UTF-8"),
    "utf-16": (f"{HEADER}\n{row()}".encode("utf-16"), "UTF-8"),
    "nul": ((HEADER + "\n" + row() + "\n\0\0\0").encode(), "take.csv"),
    "one endless cell": ((HEADER + "\n" + "x" * 200_000).encode(), "not a table"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_motion_is_refused_with_its_line(refuses, case):
    refuses(*BAD[case])


def test_too_many_rows_are_refused(refuses, monkeypatch):
    monkeypatch.setattr("moee_cli.face.live_link.MAX_ROWS", 10)
    refuses(recording(11), "take.csv:12", "more than 10")


def test_a_file_that_is_missing_or_something_else(tmp_path):
    with pytest.raises(MotionFileError, match="cannot read"):
        read_motion(tmp_path / "no.csv")
    with pytest.raises(MotionFileError, match="not face motion"):
        read_motion(tmp_path / "take.wav")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(MotionFileError, match="cannot read"):
        read_motion(tmp_path / "folder.csv")
