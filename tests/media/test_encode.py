"""Frames into a piece."""

import os
import signal
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest

from moee_cli.core.errors import EnvironmentFailed, OutputError
from moee_cli.core.types import Encoding, FrameFormat
from moee_cli.media.encode import PieceWriter
from moee_cli.media.probe import probe_video, read_frames

FORMAT = FrameFormat(64, 48, Fraction(25))
GREY = np.full((48, 64, 3), 128, np.uint8)


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("n_frames", [1, 2, 3, 7, 40])
def test_a_piece_holds_every_frame(build, make_piece, number_in, n_frames):
    path = make_piece("a.mp4", range(n_frames))
    info = probe_video(path)
    assert (info.width, info.height, info.fps, info.n_frames) == (64, 64, 25, n_frames)
    assert (info.codec, info.pix_fmt, info.audio_seconds) == ("h264", "yuv420p", None)
    assert info.even_spacing
    assert [number_in(frame) for frame in read_frames(path)] == list(range(n_frames))


def test_colours_come_back(build, tmp_path):
    """A wrong matrix or range is off by 8 and more on saturated patches."""
    patches = np.array(
        [
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
            [255, 255, 255],
            [0, 0, 0],
            [200, 150, 120],
            [90, 60, 40],
            [20, 90, 160],
        ]
    )
    frame = np.repeat(np.repeat(patches.reshape(2, 4, 3), 32, axis=0), 32, axis=1).astype(np.uint8)
    path = tmp_path / "a.mp4"
    with PieceWriter(path, FrameFormat(128, 64), Encoding(crf=4)) as piece:
        piece.write(frame)
    assert probe_video(path).colour == {
        "space": "bt709",
        "primaries": "bt709",
        "transfer": "bt709",
        "range": "limited",
    }
    (decoded,) = read_frames(path)
    centres = decoded[16::32, 16::32].reshape(-1, 3).astype(int)
    assert np.abs(centres - patches).max() <= 4


def test_the_same_frames_give_the_same_bytes(build, make_piece):
    assert make_piece("a.mp4", range(30)).read_bytes() == make_piece("b.mp4", range(30)).read_bytes()


def test_views_and_foreign_memory_orders_are_written_right(tmp_path, numbered, number_in):
    path = tmp_path / "a.mp4"
    with PieceWriter(path, FrameFormat(64, 64), Encoding()) as piece:
        piece.write(np.asfortranarray(numbered(5)))
        piece.write(np.concatenate([numbered(9), numbered(9)], axis=1)[:, 32:96])
    assert [number_in(frame) for frame in read_frames(path)] == [5, 9]


def test_a_frame_may_be_reused_by_the_caller(tmp_path, numbered, number_in):
    path = tmp_path / "a.mp4"
    frame = np.empty((64, 64, 3), np.uint8)
    with PieceWriter(path, FrameFormat(64, 64), Encoding()) as piece:
        for number in range(20):
            frame[:] = numbered(number)
            piece.write(frame)
    assert [number_in(frame) for frame in read_frames(path)] == list(range(20))


@pytest.mark.parametrize("pixels", [GREY[:-2], GREY.astype(np.float32), GREY[..., 0]])
def test_a_frame_of_another_kind_is_refused(tmp_path, pixels):
    with pytest.raises(ValueError, match="not uint8"), PieceWriter(tmp_path / "a.mp4", FORMAT, Encoding()) as piece:
        piece.write(pixels)
    assert _names(tmp_path) == []


def test_a_piece_without_frames_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no frame"), PieceWriter(tmp_path / "a.mp4", FORMAT, Encoding()):
        pass
    assert _names(tmp_path) == []


@pytest.mark.parametrize("name", ["a b.mp4", 'it\'s "x".mp4', "ünï.mp4", "new\nline.mp4", "-y.mp4", "%03d.mp4"])
def test_names(build, make_piece, name):
    assert probe_video(make_piece(name, range(2))).n_frames == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_an_exception_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"the piece before")
    with pytest.raises(error), PieceWriter(path, FORMAT, Encoding()) as piece:  # noqa: PT012
        pid = piece._process._process.pid
        piece.write(GREY)
        raise error
    assert _names(tmp_path) == ["a.mp4"]
    assert path.read_bytes() == b"the piece before"
    assert not _is_alive(pid)


def test_ffmpeg_killed_in_the_middle(build, tmp_path):
    with (  # noqa: PT012
        pytest.raises(EnvironmentFailed, match=r"cannot encode a\.mp4: ffmpeg was killed"),
        PieceWriter(tmp_path / "a.mp4", FORMAT, Encoding()) as piece,
    ):
        for number in range(2000):
            piece.write(GREY)
            if number == 5:
                os.kill(piece._process._process.pid, signal.SIGKILL)
    assert _names(tmp_path) == []


def test_a_wish_x264_cannot_fulfil_is_told(build, tmp_path):
    with (  # noqa: PT012
        pytest.raises(EnvironmentFailed, match=r"cannot encode a\.mp4: .*preset"),
        PieceWriter(tmp_path / "a.mp4", FORMAT, Encoding(x264_preset="warp9")) as piece,
    ):
        for _ in range(2000):
            piece.write(GREY)
    assert _names(tmp_path) == []


def test_the_folder_is_missing(tmp_path):
    with pytest.raises(OutputError, match="no folder"), PieceWriter(tmp_path / "no" / "a.mp4", FORMAT, Encoding()):
        pass


def test_a_full_disk_leaves_nothing(build, run_limited, tmp_path):
    ran = run_limited(
        """
import sys
from pathlib import Path
import numpy as np
from moee_cli.core.errors import EnvironmentFailed
from moee_cli.core.types import Encoding, FrameFormat
from moee_cli.media.encode import PieceWriter
noise = np.random.default_rng(0)
try:
    with PieceWriter(Path(sys.argv[1]) / "a.mp4", FrameFormat(128, 128), Encoding()) as piece:
        for _ in range(200):
            piece.write(noise.integers(0, 255, (128, 128, 3), np.uint8))
except EnvironmentFailed as error:
    print(error.exit_code, error.message, error.hint)
""",
        300_000,
    )
    assert "6 cannot encode a.mp4: no space left free some space" in ran.stdout, ran.stderr
    assert _names(tmp_path) == []


def test_ctrl_c_in_another_process(build, tmp_path):
    """The signal goes to the whole foreground group, as from a terminal."""
    script = """
import sys
from pathlib import Path
import numpy as np
from moee_cli.core.types import Encoding, FrameFormat
from moee_cli.media.encode import PieceWriter
with PieceWriter(Path(sys.argv[1]) / "a.mp4", FrameFormat(256, 256), Encoding()) as piece:
    for number in range(1_000_000):
        piece.write(np.full((256, 256, 3), number % 256, np.uint8))
        if number == 20:
            print(piece._process._process.pid, flush=True)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        encoder = int(process.stdout.readline())
        assert any(name.startswith(".moee-") for name in _names(tmp_path))
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in said
    assert _names(tmp_path) == []
    deadline = time.monotonic() + 5
    while _is_alive(encoder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(encoder)
