"""Frames of one piece into one H.264 file. Format of a piece: docs/decisions/0003-pieces.md."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from moee_cli.core.errors import EnvironmentFailed
from moee_cli.core.timebase import max_piece_frames
from moee_cli.core.types import U8, Encoding, FrameFormat
from moee_cli.media import ffmpeg
from moee_cli.store.atomic import replacing

X264_THREADS = 4
"""Fixed: the number of threads changes the bytes x264 writes."""
_LEAST_TICKS = 10_000
"""Some players handle a coarser clock than 1/10000 s badly."""

_TO_YUV = "in_range=full:out_range=limited:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int+bitexact"
_TAGGED = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
"""On the frames and not as encoder options: newer versions of ffmpeg take what the frames say."""


def track_timescale(fps: Fraction) -> int:
    """Return the ticks per second of a picture track: a frame lasts a whole number of them."""
    return fps.numerator * ceil(_LEAST_TICKS / fps.numerator)


class PieceWriter:
    """Writes one piece. It appears under its name when the `with` block ends well, and not at all otherwise.

    Raises:
        EnvironmentFailed: ffmpeg died, no space is left, or the file does not hold every frame written.
        OutputError: nothing can be written there.
        Unavailable: there is no ffmpeg.
    """

    def __init__(self, path: Path, frame: FrameFormat, encoding: Encoding) -> None:
        self.path = path
        self.n_frames = 0
        self._frame = frame
        self._encoding = encoding
        self._shape = (frame.height, frame.width, 3)
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._temporary = stack.enter_context(replacing(self.path))
            graph = _graph(self._temporary, self._frame, self._encoding)
            self._process = stack.enter_context(ffmpeg.Process(graph, f"cannot encode {self.path.name}", feed=True))
            self._open = stack.pop_all()
        return self

    def write(self, pixels: U8) -> None:
        """Add one frame, RGB uint8 [H, W, 3]; waits while the encoder is busy."""
        if pixels.shape != self._shape or pixels.dtype != np.uint8:
            raise ValueError(f"frame is {pixels.dtype} {pixels.shape}, not uint8 {self._shape}")
        self._process.write(np.ascontiguousarray(pixels))
        self.n_frames += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._open.__exit__(kind, error, trace)
            return
        with self._open:
            if self.n_frames == 0:
                raise ValueError(f"no frame was written to {self.path}")
            self._process.finish()
            held = count_frames(self._temporary)
            if held != self.n_frames:
                raise EnvironmentFailed(f"cannot encode {self.path.name}: it holds {held} of {self.n_frames} frames")


def count_frames(piece: Path) -> int:
    """Return how many frames a piece file says it holds."""
    import av

    try:
        with av.open(ffmpeg.file_url(piece)) as container:
            return container.streams.video[0].frames
    except (av.FFmpegError, IndexError):
        return 0


def _graph(target: Path, frame: FrameFormat, encoding: Encoding) -> object:
    rate = f"{frame.fps.numerator}/{frame.fps.denominator}"
    source = ffmpeg.pipe_input(format="rawvideo", pix_fmt="rgb24", s=f"{frame.width}x{frame.height}", framerate=rate)
    options: dict[str, object] = {
        "format": "mp4",
        "vf": f"scale={_TO_YUV},format=yuv420p,{_TAGGED}",
        "vcodec": "libx264",
        "preset": encoding.x264_preset,
        "crf": encoding.crf,
        # One keyframe per piece: at a further one still backgrounds visibly settle anew.
        "g": max_piece_frames(frame.fps),
        "threads": X264_THREADS,
        "flags": "+cgop+bitexact",
        "fflags": "+bitexact",
        "fps_mode": "passthrough",
        "video_track_timescale": track_timescale(frame.fps),
        "movie_timescale": track_timescale(frame.fps),
    }
    return source.output(ffmpeg.file_url(target), **options)
