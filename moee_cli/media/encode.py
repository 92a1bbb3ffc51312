"""Frames of one piece into one file. Formats of pieces: docs/decisions/0003-pieces.md."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from moee_cli.core.errors import EnvironmentFailed
from moee_cli.core.types import U8, Encoding, FrameFormat
from moee_cli.media import ffmpeg
from moee_cli.media.alpha import to_straight
from moee_cli.media.coding import H264, Coding, clock_options, picture_options
from moee_cli.store.atomic import replacing

_TO_YUV = "in_range=full:out_range=limited:out_color_matrix=bt709:flags=bicubic+accurate_rnd+full_chroma_int+bitexact"
_TAGGED = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
"""On the frames and not as encoder options: newer versions of ffmpeg take what the frames say."""


class PieceWriter:
    """Writes one piece. It appears under its name when the `with` block ends well, and not at all otherwise.

    Raises:
        EnvironmentFailed: ffmpeg died, no space is left, or the file does not hold every frame written.
        OutputError: nothing can be written there.
        Unavailable: there is no ffmpeg.
    """

    def __init__(self, path: Path, frame: FrameFormat, encoding: Encoding, coding: Coding = H264) -> None:
        self.path = path
        self.n_frames = 0
        self._frame = frame
        self._encoding = encoding
        self._shape = (frame.height, frame.width, coding.n_channels)
        self._coding = coding
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._temporary = stack.enter_context(replacing(self.path))
            graph = _graph(self._temporary, self._frame, self._encoding, self._coding)
            self._process = stack.enter_context(ffmpeg.Process(graph, f"cannot encode {self.path.name}", feed=True))
            self._open = stack.pop_all()
        return self

    def write(self, pixels: U8) -> None:
        """Add one frame, RGB uint8 [H, W, 3], or premultiplied RGBA [H, W, 4]; waits while the encoder is busy."""
        if pixels.shape != self._shape or pixels.dtype != np.uint8:
            raise ValueError(f"frame is {pixels.dtype} {pixels.shape}, not uint8 {self._shape}")
        straight = to_straight(pixels) if self._coding.n_channels == 4 else pixels
        self._process.write(np.ascontiguousarray(straight))
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
    """Return how many frames a piece file holds: as it says, or counted where its format has no place to say so."""
    import av

    try:
        with av.open(ffmpeg.file_url(piece)) as container:
            stream = container.streams.video[0]
            return stream.frames or sum(1 for packet in container.demux(stream) if packet.size)
    except (av.FFmpegError, IndexError):
        return 0


def _graph(target: Path, frame: FrameFormat, encoding: Encoding, coding: Coding) -> object:
    rate = f"{frame.fps.numerator}/{frame.fps.denominator}"
    given = "rgba" if coding.n_channels == 4 else "rgb24"
    source = ffmpeg.pipe_input(format="rawvideo", pix_fmt=given, s=f"{frame.width}x{frame.height}", framerate=rate)
    options: dict[str, object] = {
        "format": coding.container,
        "vf": f"scale={_TO_YUV},format={coding.pix_fmt},{_TAGGED}",
        **picture_options(coding, frame.fps, encoding),
        "fflags": "+bitexact",
        "fps_mode": "passthrough",
        **clock_options(coding, frame.fps),
    }
    return source.output(ffmpeg.file_url(target), **options)
