"""Motion as npz: exact, the same bytes each time, and nothing in it can run code or fill the memory."""

from __future__ import annotations

import io
import zipfile
from fractions import Fraction

import numpy as np
import pytest

from moee_cli.core.errors import MotionFileError
from moee_cli.core.labels import CHANNEL, MOTION_CHANNELS, N_MOTION, SHAPES
from moee_cli.face.motion_file import read_motion
from moee_cli.face.motion_npz import Rows, write_npz

FPS = Fraction(30000, 1001)
ROWS = Rows(["a", "~ä"], [0, 30], [30, 20])


def motion(n=50):
    random = np.random.default_rng(2)
    values = random.random((n, N_MOTION), np.float32)
    values[:, len(SHAPES) :] -= 0.5
    return values


def written(values, seen=None):
    file = io.BytesIO()
    seen = np.ones(len(values), bool) if seen is None else seen
    blocks = [(values[:20], seen[:20]), (values[20:], seen[20:])]
    write_npz(file, blocks, FPS, n_frames=len(values), speaker="ana", rows=ROWS)
    return file.getvalue()


@pytest.fixture
def read(tmp_path):
    def call(content):
        path = tmp_path / "take.npz"
        path.write_bytes(content)
        return read_motion(path)

    return call


def archive(**arrays):
    """Return an npz of arrays, over those of a sound file; None leaves one out."""
    sound = {"motion": motion(), "channels": np.array(MOTION_CHANNELS), "fps": np.array([25, 1])}
    file = io.BytesIO()
    np.savez(file, **{name: value for name, value in (sound | arrays).items() if value is not None})
    return file.getvalue()


def test_motion_comes_back_bit_for_bit(read):
    values = motion()
    track = read(written(values))
    np.testing.assert_array_equal(track.motion, values)
    np.testing.assert_array_equal(track.at(track.times), values)
    np.testing.assert_allclose(track.times, np.arange(50) * 1001 / 30000, rtol=1e-15)
    assert track.seconds == pytest.approx(50 / FPS)
    assert [part.id for part in track.parts] == ["a", "~ä"]
    assert track.part("~ä").start == pytest.approx(30 / FPS)


def test_numpy_reads_it_without_pickle(tmp_path):
    path = tmp_path / "take.npz"
    path.write_bytes(written(motion()))
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["motion"].dtype == np.float32
        assert list(arrays["channels"]) == list(MOTION_CHANNELS)
        assert list(arrays["fps"]) == [30000, 1001]
        assert list(arrays["segments"]) == ["a", "~ä"]
        assert (list(arrays["starts"]), list(arrays["lengths"])) == ([0, 30], [30, 20])
        assert str(arrays["speaker"]) == "ana"
        assert arrays["seen"].all()


def test_the_same_motion_gives_the_same_bytes():
    assert written(motion()) == written(motion())


def test_rows_that_are_not_seen_are_bridged(read):
    seen = np.ones(50, bool)
    seen[10:12] = False
    track = read(written(motion(), seen))
    assert len(track.times) == 48


def test_channels_go_by_name(read):
    names = ["gazeYaw", "other", "jawOpen"]
    track = read(archive(motion=motion()[:, -3:].astype(np.float64), channels=np.array(names), fps=np.array(50)))
    assert track.motion.any(0).nonzero()[0].tolist() == sorted([CHANNEL["jawOpen"], CHANNEL["gazeYaw"]])
    assert track.seconds == 1.0


def test_a_table_of_segments_may_be_missing_or_empty(read):
    assert read(archive()).parts == ()
    assert read(table()).parts == ()
    assert [part.id for part in read(table(segments=["a", "b"], starts=[0, 20], lengths=[20, 30])).parts] == ["a", "b"]


def table(**columns):
    """Return an npz of 50 rows with a table of segments; None leaves a column out."""
    given = {"segments": [], "starts": [], "lengths": []} | columns
    kinds = {"segments": np.str_, "starts": np.int64, "lengths": np.int64}
    return archive(**{name: None if given[name] is None else np.array(given[name], kinds[name]) for name in kinds})


def named(*names):
    """Return an npz whose first channels are called otherwise."""
    return archive(channels=np.array([*names, *MOTION_CHANNELS[len(names) :]]))


def one(name, value):
    values = motion()
    values[7, CHANNEL[name]] = value
    return values


BAD = {
    "no npz": (b"hello", "not an npz"),
    "nothing": (b"", "not an npz"),
    "half of it": (archive()[:3000], "not an npz"),
    "no motion": (archive(motion=None), "no array `motion`"),
    "no channels": (archive(channels=None), "no array `channels`"),
    "no rate": (archive(fps=None), "no array `fps`"),
    "rate 0": (archive(fps=np.array([25, 0])), "`fps`"),
    "rate nan": (archive(fps=np.array(np.nan)), "`fps`"),
    "rate huge": (archive(fps=np.array(1e9)), "`fps` is 1e+09"),
    "no rows": (archive(motion=np.zeros((0, N_MOTION), np.float32)), "no rows"),
    "another width": (archive(motion=np.zeros((9, 3), np.float32)), "`motion` is float32 [9, 3]"),
    "one dimension": (archive(motion=np.zeros(52, np.float32)), "`motion`"),
    "whole numbers": (archive(motion=np.zeros((9, N_MOTION), np.int32)), "`motion` is int32"),
    "no names": (archive(channels=np.arange(52)), "`motion`"),
    "foreign names": (archive(channels=np.array([f"x{n}" for n in range(52)])), "no face shape"),
    "one name for all": (
        archive(channels=np.array([MOTION_CHANNELS[3]] * N_MOTION)),
        f"`channels` names {MOTION_CHANNELS[3]} 52 times; {MOTION_CHANNELS[0]} and 50 more are missing",
    ),
    "one name twice": (
        named(MOTION_CHANNELS[1]),
        f"`channels` names {MOTION_CHANNELS[1]} 2 times; {MOTION_CHANNELS[0]} is missing",
    ),
    "a segment beyond the end": (
        table(segments=["a"], starts=[100], lengths=[20]),
        "its table of segments is damaged: `a` starts at row 100 and has 20, but there are 50 rows",
    ),
    "a segment before the beginning": (
        table(segments=["a"], starts=[-5], lengths=[20]),
        "damaged: `a` starts at row -5",
    ),
    "a segment that is too long": (table(segments=["a"], starts=[0], lengths=[51]), "damaged: `a` starts at row 0"),
    "a segment of less than nothing": (table(segments=["a"], starts=[9], lengths=[-2]), "table of segments is damaged"),
    "half a table": (table(segments=["a"], starts=[0], lengths=None), "damaged: `lengths` is missing"),
    "a ragged table": (table(segments=["a"], starts=[0, 1], lengths=[1]), "1 `segments`, 2 `starts`, 1 `lengths`"),
    "numbers as ids": (
        archive(segments=np.arange(2), starts=np.arange(2), lengths=np.ones(2, int)),
        "damaged: `segments` is int64",
    ),
    "nan": (archive(motion=one("jawOpen", np.nan)), "row 7: jawOpen is nan"),
    "infinity": (archive(motion=one("headX", np.inf)), "row 7: headX is inf"),
    "percent": (archive(motion=one("jawOpen", 80.0)), "row 7: jawOpen is 80"),
    "degrees": (archive(motion=one("headYaw", 12.0)), "radians"),
    "beyond float32": (archive(motion=motion().astype(np.float64) * 1e300), "eyeBlinkLeft is inf"),
    "not seen": (written(motion(), np.zeros(50, bool)), "no face"),
    "objects": (archive(motion=np.array([[{}]], object)), "could run code"),
    "objects as names": (archive(channels=np.array([print], object)), "could run code"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_motion_is_refused(read, case):
    content, word = BAD[case]
    with pytest.raises(MotionFileError) as caught:
        read(content)
    assert word in f"{caught.value.message} {caught.value.hint}"
    assert "\n" not in caught.value.message


def test_a_pickle_is_not_run(read, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (type(tmp_path).touch, (tmp_path / "ran",))

    with pytest.raises(MotionFileError):
        read(archive(fps=np.array([Bomb()], object)))
    assert not (tmp_path / "ran").exists()


def npy(shape, data=b"", descr="'<f4'"):
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data


def with_member(name, content):
    file = io.BytesIO(archive(**{name: None}))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as target:
        target.writestr(f"{name}.npy", content)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        with_member("motion", npy((10**12, 52))),
        with_member("motion", npy((10, 52))),
        with_member("motion", npy((-5, 52))),
        with_member("motion", npy((3, 52), bytes(52 * 52 * 4))),
        with_member("channels", npy((10**7,), descr="'<U9'")),
        with_member("motion", b"\x93NUMPY\x09\x00"),
        with_member("motion", b""),
    ],
)
def test_headers_that_lie_take_no_memory(read, content):
    with pytest.raises(MotionFileError):
        read(content)


def test_a_zip_bomb_is_not_unpacked(read, monkeypatch):
    monkeypatch.setattr("moee_cli.face.motion_npz.MAX_BYTES", 1 << 16)
    bomb = with_member("motion", npy((10**6, 52), bytes(1 << 20)))
    assert len(bomb) < 10_000
    with pytest.raises(MotionFileError, match="MiB"):
        read(bomb)
