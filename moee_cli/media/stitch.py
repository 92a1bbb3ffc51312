"""Pieces and the sound track into the film: pictures copied, sound encoded once, both equally long.

Pictures are placed by counting: frame n of the film shows at n/fps whatever the pieces' own clocks say (adding up
durations in microseconds, as ffmpeg's concat demuxer does, drifts at NTSC rates). See docs/decisions/0003-pieces.md.
"""

from __future__ import annotations

import select
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from moee_cli.core.errors import EnvironmentFailed
from moee_cli.core.timebase import sample_of_frame
from moee_cli.core.types import Encoding, FrameFormat
from moee_cli.media import ffmpeg
from moee_cli.media.coding import H264, VP9, Coding, coding_of, film_container, film_options
from moee_cli.media.encode import count_frames
from moee_cli.media.sound import RAW_FORMAT, SAMPLE_BYTES
from moee_cli.store.atomic import replacing

STDOUT = "-"
_STREAMED = "+frag_keyframe+delay_moov+default_base_moof"
"""MP4 that is written front to back; the index is delayed by one fragment, so that it can tell of the AAC priming."""
_FROM_ZERO = "setts=ts=PTS-STARTPTS"
"""ffmpeg 5.1 moves the pictures of a WebM behind the 6.5 ms of priming that Opus puts before the sound, unless the
sound's packets count from 0; ffmpeg 7.0 and 9.0 let them begin before 0, and with this would move the sound instead."""


def stitch(
    pieces: Sequence[Path],
    sound: Path,
    output: Path,
    *,
    frame: FrameFormat,
    encoding: Encoding,
    tags: Mapping[str, str],
) -> None:
    """Write the film; `-` as output sends a fragmented MP4 to standard output.

    `tags` are written where the container has a place for them; MP4 has one for title, artist, comment, description,
    copyright, genre, date and a few more.

    Raises:
        EnvironmentFailed: ffmpeg failed, no space is left, or pieces and sound are not equally long.
        OutputError: the output cannot be written, or its suffix is not that of a film with such pictures.
        BrokenPipeError: the reader of standard output went away.
    """
    n_frames = _check_lengths(pieces, sound, frame.fps)
    to_stdout = str(output) == STDOUT
    coding = H264 if to_stdout else coding_of(output, frame)
    container = film_container(output, coding)
    options = _film_options(container, coding, frame.fps, encoding.audio_bitrate_kbps, tags)
    with _piece_list(pieces, coding) as listing:
        if to_stdout:
            sys.stdout.flush()
            ffmpeg.run(_graph(listing, sound, "pipe:1", {**options, "movflags": _STREAMED}), "cannot write the film")
            _check_reader()
            return
        with replacing(output) as temporary:
            target = ffmpeg.file_url(temporary)
            ffmpeg.run(_graph(listing, sound, target, options), f"cannot write {output}")
            if coding is VP9 and _is_late(temporary):
                options["bsf:a"] = _FROM_ZERO
                ffmpeg.run(_graph(listing, sound, target, options), f"cannot write {output}")
            _check_film(temporary, output, coding, n_frames, frame.fps)


def _check_reader() -> None:
    """Raise BrokenPipeError if nobody reads standard output any more: ffmpeg does not mind in its last write."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(1, select.POLLOUT)
        if any(event & select.POLLERR for _, event in poll.poll(0)):
            raise BrokenPipeError


def _check_lengths(pieces: Sequence[Path], sound: Path, fps: Fraction) -> int:
    """Return the number of frames; a piece or a sound track that does not fit would show as lost sync."""
    n_frames = 0
    for piece in pieces:
        held = count_frames(piece)
        if held == 0:
            raise EnvironmentFailed(f"{piece.name} is damaged or gone", "run the same command again")
        n_frames += held
    n_samples = sound.stat().st_size // SAMPLE_BYTES
    if n_samples != sample_of_frame(n_frames, fps):
        raise EnvironmentFailed(
            f"{n_frames} frames do not go with {n_samples} samples of sound", "run the same command again"
        )
    return n_frames


def _is_late(film: Path) -> bool:
    """Tell whether the first picture shows after the film has begun."""
    import av

    with av.open(ffmpeg.file_url(film)) as container:
        return bool(next(container.demux(container.streams.video[0])).pts)


def _check_film(film: Path, output: Path, coding: Coding, n_frames: int, fps: Fraction) -> None:
    """Make sure, before the film takes its name, that every picture is there and shows when it should."""
    import av

    with av.open(ffmpeg.file_url(film)) as container:
        stream = container.streams.video[0]
        frame_ticks = 1 / (fps * Fraction(stream.time_base or 1))
        shown = np.fromiter((packet.pts for packet in container.demux(stream) if packet.pts is not None), np.int64)
    if len(shown) != n_frames:
        raise EnvironmentFailed(f"cannot write {output}: it holds {len(shown)} of {n_frames} frames")
    shown.sort()
    # Rounded to the millisecond, as WebM wants it, a picture shows half of one early or late.
    tolerance = Fraction(1, 2) if coding is VP9 else 0
    if np.abs(shown * frame_ticks.denominator - np.arange(n_frames) * frame_ticks.numerator).max() > (
        tolerance * frame_ticks.denominator
    ):
        raise EnvironmentFailed(f"cannot write {output}: its pictures are not evenly spaced")


@contextmanager
def _piece_list(pieces: Sequence[Path], coding: Coding) -> Iterator[Path]:
    """Yield a list file for ffmpeg's concat demuxer. It names links, as its syntax cannot hold every path.

    It lies beside the pieces, which somebody cleans up even after a kill.
    """
    with tempfile.TemporaryDirectory(prefix="list-", dir=pieces[0].parent) as name:
        folder = Path(name)
        lines = ["ffconcat version 1.0"]
        for number, piece in enumerate(pieces):
            link = f"{number:06d}.{coding.container}"
            (folder / link).symlink_to(piece.absolute())
            lines.append(f"file {link}")
        listing = folder / "pieces.ffconcat"
        listing.write_text("\n".join(lines) + "\n", encoding="ascii")
        yield listing


def _graph(listing: Path, sound: Path, target: str, options: Mapping[str, Any]) -> object:
    import ffmpeg as graph

    picture = ffmpeg.file_input(listing, format="concat")
    track = ffmpeg.file_input(sound, **RAW_FORMAT)
    return graph.output(picture["v"], track["a"], target, **options)


def _film_options(
    container: str, coding: Coding, fps: Fraction, audio_kbps: int, tags: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "format": container,
        "c:v": "copy",
        "c:a": coding.encoders[1],
        "b:a": f"{audio_kbps}k",
        "map_metadata": -1,
        "map_chapters": -1,
        "fflags": "+bitexact",
        "flags:a": "+bitexact",
        **film_options(coding, fps),
        **_tag_options(tags),
    }


def _tag_options(tags: Mapping[str, str]) -> dict[str, str]:
    # The number only tells the options apart: ffmpeg-python takes each name once, ffmpeg ignores what follows `g:`.
    return {f"metadata:g:{number}": f"{key}={value}" for number, (key, value) in enumerate(sorted(tags.items()))}
