"""How pictures and sound of a film are coded: H.264, or, where the background is transparent, ProRes 4444 or VP9.

Why so, and what was measured: docs/decisions/0003-pieces.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from pathlib import Path
from typing import Any

from moee_cli.core.errors import OutputError
from moee_cli.core.timebase import FILM_RATE, max_piece_frames
from moee_cli.core.types import VIDEO_SUFFIXES, Encoding, FrameFormat

THREADS = 4
"""Fixed: the number of threads changes the bytes x264 and libvpx write."""
MATROSKA_RATE = 1000
"""Ticks per second in WebM files; one that is not a millisecond is not allowed there."""
_LEAST_TICKS = 10_000
"""Some players handle a coarser clock than 1/10000 s badly."""
_GREATEST_TIMESCALE = 2**31 - 1


@dataclass(frozen=True)
class Coding:
    """One way, and what goes with it."""

    encoders: tuple[str, str]
    """What ffmpeg calls the encoders of picture and sound."""
    pix_fmt: str
    """How the encoder takes pictures."""
    n_channels: int
    """Of the frames that are given: 4 with alpha, else 3."""
    container: str
    """What ffmpeg calls the format of pieces, and their suffix."""
    reordered: int
    """Pictures by which decoding runs ahead of showing at most: two in x264 with its B-frame pyramid."""


H264 = Coding(("libx264", "aac"), "yuv420p", n_channels=3, container="mp4", reordered=2)
PRORES = Coding(("prores_ks", "aac"), "yuva444p10le", n_channels=4, container="mov", reordered=0)
VP9 = Coding(("libvpx-vp9", "libopus"), "yuva420p", n_channels=4, container="webm", reordered=0)


def coding_of(output: Path, frame: FrameFormat) -> Coding:
    """Return how the film is coded that goes to a file.

    Raises:
        OutputError: the file's name asks for no container that moee writes, or for one that cannot hold the pictures.
    """
    suffix = output.suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        told = f"{output.suffix} is not a video format" if suffix else "its name does not say which video format"
        raise OutputError(f"cannot write {output}: {told}", f"end it in {', '.join(VIDEO_SUFFIXES)}")
    if fault := frame.why_not_in(output.suffix):
        raise OutputError(f"cannot write {output}: {fault[0]}", fault[1])
    if not frame.is_transparent:
        return H264
    return VP9 if suffix == ".webm" else PRORES


def film_container(output: Path, coding: Coding) -> str:
    """Return what ffmpeg calls the format of a film: H.264 goes into MOV files too."""
    return "mov" if output.suffix.lower() == ".mov" else coding.container


def track_timescale(fps: Fraction) -> int:
    """Return the ticks per second of a picture track in MP4 and MOV: a frame lasts a whole number of them."""
    return fps.numerator * ceil(_LEAST_TICKS / fps.numerator)


def picture_options(coding: Coding, fps: Fraction, encoding: Encoding) -> dict[str, Any]:
    """Return the options that ffmpeg encodes pictures with."""
    common: dict[str, Any] = {"vcodec": coding.encoders[0], "threads": THREADS, "flags": "+bitexact"}
    if coding is PRORES:
        return {**common, "profile:v": "4444", "vendor": "apl0", "alpha_bits": 16}
    # One keyframe per piece: at a further one still backgrounds visibly settle anew.
    common["g"] = max_piece_frames(fps)
    if coding is H264:
        return {**common, "preset": encoding.x264_preset, "crf": encoding.crf, "flags": "+cgop+bitexact"}
    # libvpx: pictures that are not shown do not go with alpha; 0 bits per second leave the quality to `crf` alone.
    quality = {"crf": encoding.crf, "b:v": 0, "deadline": "good", "cpu-used": 4}
    return {**common, **quality, "auto-alt-ref": 0, "row-mt": 0}


def clock_options(coding: Coding, fps: Fraction) -> dict[str, Any]:
    """Return the options that give a piece its clock."""
    if coding is VP9:
        return {}
    return {"video_track_timescale": track_timescale(fps), "movie_timescale": track_timescale(fps)}


def film_options(coding: Coding, fps: Fraction) -> dict[str, Any]:
    """Return the options that give a film its clock and its index in front."""
    if coding is VP9:
        # The tag becomes the header field by which players know that there is alpha.
        return {"bsf:v": _on_milliseconds(fps), "cues_to_front": 1, "metadata:s:v:0": "alpha_mode=1"}
    return {
        "bsf:v": _on_the_grid(fps, coding.reordered),
        "video_track_timescale": track_timescale(fps),
        "movie_timescale": _movie_timescale(fps),
        "movflags": "+faststart",
    }


def _on_the_grid(fps: Fraction, reordered: int) -> str:
    """Return the filter that puts every picture on a whole frame, in decoding order and in the order shown."""
    ticks = track_timescale(fps) // fps.numerator * fps.denominator
    shown = f"round((PTS-STARTPTS)/{ticks})*{ticks}"
    decoded = f"(N-{reordered})*{ticks}"
    return f"setts=pts={shown}:dts={decoded}:duration={ticks}"


def _on_milliseconds(fps: Fraction) -> str:
    """Return the filter that puts picture n, which is packet n, on the millisecond nearest to n/fps."""
    ticks = f"{MATROSKA_RATE * fps.denominator}/{fps.numerator}"
    shown, next_shown = f"round(N*{ticks})", f"round((N+1)*{ticks})"
    return f"setts=ts={shown}:duration={next_shown}-{shown}:time_base=1/{MATROSKA_RATE}"


def _movie_timescale(fps: Fraction) -> int:
    """Return a clock in which both frames and samples are whole; edit lists are written in it."""
    common = lcm(FILM_RATE, fps.numerator)
    return common if common <= _GREATEST_TIMESCALE else FILM_RATE
