"""What a finished video file really holds: counted, not believed."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moee_cli.core.errors import InputError
from moee_cli.core.types import U8
from moee_cli.media.ffmpeg import file_url

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer

_COLOUR_NAMES = {1: "bt709", 2: "unknown", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 9: "bt2020"}
_RANGE_NAMES = {0: "unknown", 1: "limited", 2: "full"}


@dataclass(frozen=True)
class VideoInfo:
    """A video file."""

    width: int
    height: int
    fps: Fraction
    n_frames: int
    """Pictures that decode."""
    video_start: Fraction
    """Seconds at which the first picture shows."""
    video_seconds: Fraction
    """From the first picture to the end of the last."""
    even_spacing: bool
    """Every picture shows for exactly 1/fps; in Matroska and WebM, whose clock has milliseconds, to a millisecond."""
    audio_start: Fraction | None
    audio_seconds: Fraction | None
    """Decoded samples without encoder priming and padding; None without sound."""
    codec: str
    pix_fmt: str
    has_alpha: bool
    """Pictures have alpha, in their pixels or, as in WebM, beside them."""
    colour: Mapping[str, str]
    """`space`, `primaries`, `transfer`, `range`."""
    faststart: bool
    """The index stands before the data, so playback can begin while the file still loads."""
    tags: Mapping[str, str]


def probe_video(path: Path) -> VideoInfo:
    """Return what a video file holds, by decoding all of it.

    Raises:
        InputError: it is missing, or not a video.
    """
    import av

    try:
        with _open(path) as container:
            stream = container.streams.video[0]
            tags = dict(container.metadata)
            times = sorted(
                frame.pts * frame.time_base
                for frame in container.decode(stream)
                if frame.pts is not None and frame.time_base
            )
            sound = _measure_sound(path)
            fps = stream.average_rate or Fraction(0)
            if is_matroska := "matroska" in container.format.name:
                fps = _told_in_nanoseconds(fps)
            spacing = {later - earlier for earlier, later in pairwise(times)}
            slack = Fraction(1, 1000) if is_matroska else 0
            context = stream.codec_context
            return VideoInfo(
                width=stream.width,
                height=stream.height,
                fps=fps,
                n_frames=len(times),
                video_start=times[0] if times else Fraction(0),
                video_seconds=times[-1] - times[0] + 1 / fps if times and fps else Fraction(0),
                even_spacing=bool(fps) and all(abs(length - 1 / fps) <= slack for length in spacing),
                audio_start=sound[0] if sound else None,
                audio_seconds=sound[1] if sound else None,
                codec=context.name,
                pix_fmt=context.pix_fmt or "unknown",
                has_alpha=_has_alpha(stream),
                colour=_colour(stream),
                faststart=_has_index_first(path),
                tags=tags,
            )
    except (av.FFmpegError, IndexError) as error:
        raise InputError(f"{path} is not a video that can be read", "MP4, MOV, WebM and MKV are checked") from error


def read_frames(path: Path) -> Iterator[U8]:
    """Yield the pictures of a video as RGB uint8 [H, W, 3].

    Raises:
        InputError: it is missing, or not a video.
    """
    import av
    from av.video.reformatter import Colorspace

    with _open(path) as container:
        try:
            for frame in container.decode(video=0):
                source = Colorspace.ITU709 if frame.colorspace == Colorspace.ITU709 else None
                yield np.asarray(frame.to_ndarray(format="rgb24", src_colorspace=source), np.uint8)
        except (av.FFmpegError, IndexError) as error:
            raise InputError(f"{path} is not a video that can be read") from error


def _open(path: Path) -> InputContainer:
    import av

    if not path.is_file():
        raise InputError(f"{path} is not a file" if path.exists() else f"there is no file {path}")
    try:
        return av.open(file_url(path), options={"protocol_whitelist": "file"})
    except av.FFmpegError as error:
        raise InputError(f"{path} is not a video that can be read", "MP4, MOV, WebM and MKV are checked") from error


def _measure_sound(path: Path) -> tuple[Fraction, Fraction] | None:
    """Return (start, length) in seconds of the first audio stream."""
    with _open(path) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        start, n_samples, n_last, rate = None, 0, 0, 1
        for frame in container.decode(stream):
            if start is None and frame.pts is not None and frame.time_base:
                start = frame.pts * frame.time_base
            n_samples, n_last, rate = n_samples + frame.samples, frame.samples, frame.sample_rate
        length = Fraction(n_samples, rate)
        if stream.duration and stream.time_base:
            # The edit list ends inside the last frame; players stop there, the decoder gives the whole frame.
            shown = stream.duration * stream.time_base
            if length - Fraction(n_last, rate) < shown < length:
                length = shown
        return start or Fraction(0), length


def _told_in_nanoseconds(rate: Fraction) -> Fraction:
    """Return the rate that is meant: Matroska holds no rate, but how many nanoseconds a picture shows."""
    usual = (Fraction(round(rate)), Fraction(round(rate * Fraction(1001, 1000)) * 1000, 1001))
    return next((known for known in usual if abs(rate - known) < known * Fraction(1, 1_000_000)), rate)


def _has_alpha(stream: VideoStream) -> bool:
    """Whether pixels have alpha, or the header of a WebM file says that there is some beside each picture."""
    pixels = stream.codec_context.format
    in_pixels = pixels is not None and any(component.is_alpha for component in pixels.components)
    return in_pixels or any(key.lower() == "alpha_mode" and value == "1" for key, value in stream.metadata.items())


def _colour(stream: VideoStream) -> dict[str, str]:
    context = stream.codec_context
    return {
        "space": _COLOUR_NAMES.get(int(context.colorspace), "other"),
        "primaries": _COLOUR_NAMES.get(int(context.color_primaries), "other"),
        "transfer": _COLOUR_NAMES.get(int(context.color_trc), "other"),
        "range": _RANGE_NAMES.get(int(context.color_range), "other"),
    }


def _has_index_first(path: Path) -> bool:
    """Whether `moov` comes before `mdat` among the top-level boxes of an MP4 or MOV (ISO 14496-12, 4.2)."""
    with path.open("rb") as file:
        while len(header := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", header)
            if kind in (b"moov", b"mdat"):
                return bool(kind == b"moov")
            if size == 1:
                size = struct.unpack(">Q", file.read(8))[0] - 8
            if size < 8:
                return False
            file.seek(size - 8, 1)
    return False
