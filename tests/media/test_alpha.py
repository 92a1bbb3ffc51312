"""Films that show through: what is decoded is the picture that was given, alpha and soft edge included."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from moee_cli.core.errors import EnvironmentFailed, OutputError
from moee_cli.core.timebase import sample_of_frame
from moee_cli.core.types import Background, BackgroundKind, Encoding, FrameFormat
from moee_cli.media.alpha import to_straight
from moee_cli.media.coding import PRORES, VP9, coding_of
from moee_cli.media.encode import PieceWriter
from moee_cli.media.probe import probe_video
from moee_cli.media.stitch import stitch

NTSC = Fraction(30000, 1001)
ALL_FPS = [Fraction(25), NTSC, Fraction(24000, 1001), Fraction(60000, 1001), Fraction(12)]
CODINGS = {".mov": PRORES, ".webm": VP9}
NUMBERS = [list(range(5)), [5], list(range(6, 20)), [20, 21]]


def clear(fps=Fraction(25)):
    return FrameFormat(96, 64, fps, background=Background(BackgroundKind.TRANSPARENT))


@pytest.fixture(params=[".mov", ".webm"])
def suffix(request):
    return request.param


@pytest.fixture
def make_film(tmp_path, disc, make_track):
    def make(suffix, fps=Fraction(25), name="film", pieces=NUMBERS, clicks=()):
        frame, coding, made = clear(fps), CODINGS[suffix], []
        for index, numbers in enumerate(pieces):
            made.append(tmp_path / f"{index}.{coding.container}")
            with PieceWriter(made[-1], frame, Encoding(crf=12), coding) as piece:
                for number in numbers:
                    piece.write(disc(number))
        film = tmp_path / f"{name}{suffix}"
        track = make_track(sample_of_frame(sum(map(len, pieces)), fps), clicks)
        stitch(made, track, film, frame=frame, encoding=Encoding(), tags={"title": "disc", "comment": "by moee"})
        return film

    return make


def decoded(film):
    """Return the pictures as RGBA [n, H, W, 4]; FFmpeg's own VP9 decoder leaves alpha out, libvpx does not."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        decoder = stream.codec_context
        if film.suffix == ".webm":
            decoder = av.CodecContext.create("libvpx-vp9", "r")
        frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
        return np.stack([_rgba(frame) for frame in frames]).astype(int)


def _rgba(frame):
    from av.video.reformatter import ColorRange, Colorspace

    return frame.to_ndarray(
        format="rgba",
        src_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.JPEG,
        src_color_range=ColorRange.MPEG,
    )


def over(rgba, ground):
    """Return straight RGBA laid over a grey."""
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + ground * (1 - alpha)


# --- straight alpha --------------------------------------------------------------------------------------------------


def test_multiplied_again_it_is_what_was_given(disc):
    given = disc(3)
    straight = to_straight(given).astype(float)
    assert np.array_equal(straight[..., 3], given[..., 3])
    assert np.abs(straight[..., :3] * straight[..., 3:] / 255 - given[..., :3]).max() <= 1.6


def test_colours_go_on_where_nothing_is_seen(disc):
    straight = to_straight(disc(0)).astype(int)
    bare = straight[straight[..., 3] == 0]
    assert bare[:, :3].min() >= 35, "black, or darker than either colour"
    assert np.abs(straight[32 - 12, 20 - 19, :3] - (220, 180, 150)).max() <= 40, "just outside its upper half"
    assert np.abs(straight[32 + 12, 20 + 19, :3] - (40, 90, 200)).max() <= 40, "just outside its lower half"


@pytest.mark.parametrize("level", [0, 1, 255])
def test_even_frames(level):
    given = np.full((6, 10, 4), level, np.uint8)
    given[..., 1] = 0
    straight = to_straight(given)
    assert np.array_equal(straight[..., 3], given[..., 3])
    assert np.array_equal(straight[0, 0, :3], (0, 0, 0) if level == 0 else (255, 0, 255))


# --- films -----------------------------------------------------------------------------------------------------------


def test_colours_and_alpha_come_back(build, make_film, disc, suffix):
    pictures = decoded(make_film(suffix))
    expected = np.stack([disc(number) for number in range(22)]).astype(int)
    assert pictures.shape == expected.shape
    tolerance = 2 if suffix == ".mov" else 8
    assert np.abs(pictures[..., 3] - expected[..., 3]).max() <= 2 * tolerance
    for ground in (0, 255):
        off = np.abs(over(pictures, ground) - (expected[..., :3] + ground * (1 - expected[..., 3:] / 255)))
        assert off.mean() <= 0.5
        assert off.max() <= 3 * tolerance + 6, "a rim shows on this ground"


@pytest.mark.parametrize("fps", ALL_FPS, ids=lambda fps: f"{float(fps):.5g}fps")
def test_pieces_keep_order_time_and_sound(build, make_film, disc, suffix, fps):
    order = [0, 1, 2, 3] * 6
    film = make_film(suffix, fps, pieces=[NUMBERS[index] for index in order], clicks=[2000])
    expected = np.stack([disc(number)[..., 3] for index in order for number in NUMBERS[index]]).astype(int)
    info = probe_video(film)
    n_frames = len(expected)
    assert (info.n_frames, info.fps, info.has_alpha, info.even_spacing) == (n_frames, fps, True, True)
    assert (info.video_start, info.audio_start) == (0, 0)
    assert abs(info.video_seconds - n_frames / fps) <= Fraction(1, 1000)
    assert abs(info.audio_seconds - n_frames / fps) <= Fraction(1, 2000)
    assert info.tags.get("comment", info.tags.get("COMMENT")) == "by moee"
    alpha = decoded(film)[..., 3]
    assert np.abs(alpha - expected).mean(axis=(1, 2)).max() < 1, "a picture is missing or not in its place"


def test_each_picture_shows_at_its_nearest_millisecond(make_film):
    film = make_film(".webm", NTSC)
    with av.open(str(film)) as container:
        times = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert times == [int(number * 1000 / NTSC + Fraction(1, 2)) for number in range(22)]
    assert {later - earlier for earlier, later in pairwise(times)} == {33, 34}


def test_the_same_frames_give_the_same_bytes(build, make_film, suffix):
    assert make_film(suffix, name="a").read_bytes() == make_film(suffix, name="b").read_bytes()


def test_the_header_of_webm_says_that_there_is_alpha(make_film):
    """The element AlphaMode (0x53C0) of the track, one byte long: players look there, not at tags."""
    assert b"\x53\xc0\x81\x01" in make_film(".webm").read_bytes()


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "frame", "words"),
    [
        ("film.mp4", clear(), r"\.mp4 files cannot hold a transparent background"),
        ("film.M4V", clear(), r"\.M4V files cannot hold a transparent background"),
        ("film.webm", FrameFormat(96, 64), r"\.webm files are written for `background: transparent` alone"),
        ("film.gif", clear(), r"\.gif is not a video format"),
    ],
)
def test_files_that_cannot_hold_the_pictures(tmp_path, name, frame, words):
    with pytest.raises(OutputError, match=words):
        coding_of(tmp_path / name, frame)


def test_frames_without_alpha_are_no_frames_of_such_a_piece(tmp_path):
    with (
        pytest.raises(ValueError, match="not uint8"),
        PieceWriter(tmp_path / "a.mov", clear(), Encoding(), PRORES) as piece,
    ):
        piece.write(np.zeros((64, 96, 3), np.uint8))


def test_a_damaged_piece_is_refused(make_film, make_track, tmp_path, suffix):
    make_film(suffix)
    piece = tmp_path / f"0{suffix}"
    piece.write_bytes(b"something else")
    with pytest.raises(EnvironmentFailed, match="is damaged or gone"):
        stitch([piece], make_track(9600), tmp_path / f"b{suffix}", frame=clear(), encoding=Encoding(), tags={})
