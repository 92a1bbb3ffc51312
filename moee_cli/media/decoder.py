"""One audio stream of one file, decoded frame by frame, at any position, always with the same result.

Only uncompressed files and FLAC can be entered in the middle: there a position is exact and no sample depends on
those before it. Anything else (MP3, AAC, Vorbis, Opus) is decoded from its start, because a decoder that starts in
the middle yields other samples. Reading many spans of a long file in order stays linear all the same: a decoder that
is done with a span waits for the next one (`borrowed`).
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from moee_cli.core.errors import AudioError

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream
    from av.container import InputContainer

_FORMATS = (
    "wav,w64,aiff,caf,au,voc,mp3,aac,ac3,eac3,flac,ogg,mov,matroska,avi,mpegts,mpeg,asf,amr,amrnb,amrwb,ape,wv,tta,flv"
)
"""Containers that hold their sound themselves. Playlists (hls, concat, sdp ...) would reach for other files."""
_SEEKABLE = frozenset({"wav", "w64", "aiff", "flac"})
_HONEST = frozenset({"w64", "aiff", "flac", "mov,mp4,m4a,3gp,3g2,mj2"})
"""Containers that know their length exactly and not by estimate."""
_SKIP_AHEAD = 10
"""Seconds: nearer than this, reading on is cheaper than a seek."""


class Decoder:
    """Decodes the best audio stream of a file. Not for several threads at once.

    Raises:
        AudioError: the file cannot be opened, or holds no audio.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_broken = 0
        self._container = _open(path)
        self._stream = self._choose_stream()
        context = self._stream.codec_context
        self.rate = int(context.sample_rate or 0)
        self.codec: str = context.name
        self.position = 0
        """Sample at which the next new frame begins."""
        self._pushed_back: tuple[int, AudioFrame] | None = None
        self._source = self._decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        self._source.close()
        self._container.close()

    @property
    def missing(self) -> Fraction:
        """Seconds that the container promises and that were not there, once all has been decoded."""
        held = Fraction(self.position, max(self.rate, 1))
        kind, duration, unit = self._container.format.name, self._stream.duration, self._stream.time_base
        if kind == "wav":  # the library believes the file's size and not its header
            return held * _riff_bytes_missing(self.path) / max(self.path.stat().st_size, 1)
        if kind not in _HONEST or not duration or not unit:
            return Fraction(0)
        return max(duration * unit - held, Fraction(0))

    @property
    def earliest(self) -> int:
        """First sample that can still be read without going back."""
        return self._pushed_back[0] if self._pushed_back else self.position

    def push_back(self, first: int, frame: AudioFrame) -> None:
        """Let the next `frames` begin with this frame again: the next span may start inside it."""
        self._pushed_back = (first, frame)

    def frames(self, start: int = 0) -> Iterator[tuple[int, AudioFrame]]:
        """Yield (number of its first sample, frame) up to the end; the frames before `start` may be left out.

        Raises:
            AudioError: the file changes its sample rate in the middle.
        """
        if self._pushed_back:
            yield self._pushed_back
            self._pushed_back = None
        if start > self.position + _SKIP_AHEAD * max(self.rate, 1):
            self._seek(start)
        for frame in self._source:
            if self.position == 0:
                self.rate = frame.sample_rate  # HE-AAC tells its true rate with the first frame only
            if frame.sample_rate != self.rate:
                raise AudioError(
                    f"{self.path} changes its sample rate from {self.rate} to {frame.sample_rate} Hz",
                    "convert it to WAV or FLAC first",
                )
            first = self.position
            self.position += frame.samples
            yield first, frame

    def _choose_stream(self) -> AudioStream:
        stream = self._container.streams.best("audio")
        if stream is None:
            self._container.close()
            raise AudioError(f"{self.path} has no sound", "choose a file with an audio track")
        return stream  # type: ignore[return-value]  # best("audio") is an AudioStream

    def _decode(self) -> Generator[AudioFrame, None, None]:
        """Yield decoded frames; what cannot be decoded is counted and left out."""
        import av

        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:  # the file ends inside a packet
                self.n_broken += 1
                return
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self.n_broken += 1

    def _seek(self, start: int) -> None:
        """Go near `start` from before, if that is exact in this file; else do nothing and let reading go on."""
        if self._container.format.name not in _SEEKABLE or self._stream.time_base != Fraction(1, self.rate):
            return
        self._container.seek(start, stream=self._stream, backward=True)
        self._source.close()
        source = self._decode()
        frame = next(source, None)
        if frame is None or frame.pts is None or frame.pts > start:
            raise AudioError(
                f"{self.path} cannot be read at sample {start}", "the file may be damaged; export it again"
            )
        self.position = frame.pts
        self._source = _after(frame, source)


def _after(frame: AudioFrame, rest: Generator[AudioFrame, None, None]) -> Generator[AudioFrame, None, None]:
    yield frame
    yield from rest


def _riff_bytes_missing(path: Path) -> int:
    """Return by how many bytes a WAV file is shorter than its header says."""
    with path.open("rb") as file:
        mark, size = struct.unpack("<4sI", file.read(8))
    # A recorder that was streaming, or died, leaves 0 or the largest number.
    if mark != b"RIFF" or size in {0, 0xFFFFFFFF}:
        return 0
    return max(0, int(size) + 8 - path.stat().st_size)


def _open(path: Path) -> InputContainer:
    import av

    try:
        if path.is_dir():
            raise AudioError(f"{path} is a folder", "name an audio file")
        if path.stat().st_size == 0:
            raise AudioError(f"{path} is empty", "export it again")
        options = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
        return av.open(f"file:{path.absolute()}", options=options)
    except av.FFmpegError as error:
        if isinstance(error, PermissionError | FileNotFoundError):
            raise AudioError(f"cannot read {path}: {error.strerror}", "check the path and its permissions") from error
        raise AudioError(f"{path} is not an audio file", "WAV, FLAC, MP3, M4A, OGG and MP4 are read") from error
    except OSError as error:
        raise AudioError(f"cannot read {path}: {error.strerror}", "check the path in the script") from error


# --- decoders between two spans -------------------------------------------------------------------------------------

_MAX_WAITING = 4
_waiting: list[tuple[tuple[object, ...], Decoder]] = []
_lock = threading.Lock()


def _identity(path: Path) -> tuple[object, ...]:
    """Return what must be the same for a waiting decoder to be of use."""
    state = path.stat()
    # A forked process would share, and move, the position in the file.
    return (os.getpid(), str(path), state.st_ino, state.st_mtime_ns, state.st_size)


@contextmanager
def borrowed(path: Path, start: int) -> Iterator[Decoder]:
    """Yield a decoder that can read from `start` on: a waiting one that is not past it, else a new one.

    Raises:
        AudioError: the file cannot be opened, or holds no audio.
    """
    try:
        identity = _identity(path)
    except OSError as error:
        raise AudioError(f"cannot read {path}: {error.strerror}", "check the path in the script") from error
    decoder = _take(identity, start) or Decoder(path)
    try:
        yield decoder
    except BaseException:  # GeneratorExit included: its position is not known any more
        decoder.close()
        raise
    _give(identity, decoder)


def _take(identity: tuple[object, ...], start: int) -> Decoder | None:
    with _lock:
        usable = [entry for entry in _waiting if entry[0] == identity and entry[1].earliest <= start]
        if not usable:
            return None
        nearest = max(usable, key=lambda entry: entry[1].earliest)
        _waiting.remove(nearest)
        return nearest[1]


def _give(identity: tuple[object, ...], decoder: Decoder) -> None:
    with _lock:
        _waiting.append((identity, decoder))
        dropped = _waiting[:-_MAX_WAITING]
        del _waiting[:-_MAX_WAITING]
    for _, old in dropped:
        old.close()
