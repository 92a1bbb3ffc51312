"""What passes between the stages: frozen dataclasses over plain values and numpy arrays.

Arrays are marked with shape and unit. F counts motion frames (1/25 s), H and W pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.timebase import MOTION_FPS

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

OnStep = Callable[[int, int], None]
"""Progress callback: (done, total)."""


# --- look -----------------------------------------------------------------------------------------------------------


class Fit(StrEnum):
    """How a portrait of another shape meets the frame."""

    CROP = "crop"
    PAD = "pad"
    SOURCE = "source"


@dataclass(frozen=True, eq=False)
class Layers:
    """A picture taken apart: the person, who moves, and what stands still behind.

    Together they are the picture again: `person + (1 - alpha) * backdrop`.
    """

    person: U8
    """RGBA [H, W, 4], colours premultiplied by alpha."""
    backdrop: U8
    """RGB [H, W, 3], continued where the person hides it."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """The whole picture, of which only a part is animated: drawn frames of that part are laid back into it."""

    pixels: U8
    """RGB [H, W, 3], exactly the frame size."""
    left: int
    top: int
    """Where the animated part lies, in px."""


class BackgroundKind(StrEnum):
    """What stands behind the person."""

    KEEP = "keep"
    BLUR = "blur"
    COLOUR = "colour"
    PICTURE = "picture"
    TRANSPARENT = "transparent"


@dataclass(frozen=True)
class Background:
    """What stands behind the person, with the colour or the picture that the kind asks for."""

    kind: BackgroundKind = BackgroundKind.KEEP
    colour: tuple[int, int, int] = (0, 0, 0)
    """RGB 0..255."""
    picture: Path | None = None

    def __str__(self) -> str:
        """As a script spells it, the picture by its file name alone."""
        if self.kind is BackgroundKind.COLOUR:
            return "#{:02x}{:02x}{:02x}".format(*self.colour)
        return self.kind.value if self.picture is None else self.picture.name


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture cut to the frame, with its face found."""

    pixels: U8
    """RGB [H, W, 3]: exactly the frame size, or the animated part of `canvas`."""
    landmarks: F32
    """[478, 3] in pixels of `pixels` (z in the same unit, smaller is nearer), MediaPipe order, pixel centres at .5."""
    name: str = ""
    """File name for messages; never a path."""
    others: tuple[F32, ...] = ()
    """Landmarks, as above, of further faces in the picture: they stay still."""
    layers: Layers | None = None
    """Person and backdrop; None where the person cannot be told from what is behind."""
    transparent: bool = False
    """Frames are to be premultiplied RGBA [H, W, 4], without the backdrop."""
    canvas: Canvas | None = None
    """The whole picture, where `pixels` are a part of it."""
    held: tuple[bool, bool, bool, bool] = (False, False, False, False)
    """Left, top, right, bottom border of `pixels` where the canvas goes on: frames must equal the picture there."""
    warnings: tuple[str, ...] = ()
    """What the viewer may notice: small face, turned head, open mouth."""


# --- feel -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EmotionKey:
    """One emotion of a segment: weights, intensity, and when it is reached."""

    weights: tuple[float, ...]
    """[7] in the order of `labels.EMOTIONS`, summing to 1, before intensity."""
    intensity: float
    """0..1, gain on all that is not neutral."""
    at: Fraction | float = 0.0
    """Fraction: seconds from the segment's first sample; float: share 0..1 of the segment's length."""


class Gaze(StrEnum):
    """Where the eyes rest."""

    CAMERA = "camera"
    FREE = "free"


@dataclass(frozen=True)
class Controls:
    """Per-segment amounts of what is neither speech nor emotion."""

    head: float = 1.0
    """Gain on head motion; 0 keeps the head still."""
    gaze: Gaze = Gaze.CAMERA
    blinks: float = 15.0
    """Blinks per minute."""


# --- plan -----------------------------------------------------------------------------------------------------------


class TransitionKind(StrEnum):
    """How a segment starts. `auto` is resolved before a timeline exists."""

    AUTO = "auto"
    BLEND = "blend"
    CUT = "cut"
    DISSOLVE = "dissolve"


class MotionFormat(StrEnum):
    """A file that face motion is written to."""

    ARKIT_CSV = "arkit-csv"
    NPZ = "npz"


@dataclass(frozen=True)
class AudioSpan:
    """A stretch of an audio file, in samples of the file's own rate."""

    path: Path
    start: int
    stop: int
    rate: int

    @property
    def seconds(self) -> Fraction:
        """Exact length."""
        return Fraction(self.stop - self.start, self.rate)


@dataclass(frozen=True)
class Segment:
    """One line (or pause) of the film, placed on the clock."""

    id: str
    """Unique; with `take` it keys the noise, so it must not change when other lines do."""
    take: int
    speaker: str
    audio: AudioSpan | None
    """None for a pause."""
    continues: bool
    """The audio goes on, in the same file, where the previous segment stopped: no padding, no seam in the sound."""
    start_frame: int
    """First video frame in the film."""
    n_frames: int
    """Video frames."""
    pad: Fraction
    """Seconds of silence before its first sample: less than a video frame, and 0 unless the next segment continues the
    same recording (the frames of such a chain lie on the recording's own clock)."""
    seconds: Fraction
    """Length of its video frames."""
    run: int
    """Number of the run (a stretch of one speaker joined by blends)."""
    transition: TransitionKind
    transition_frames: int
    """Video frames the transition lasts, 0 for a cut."""
    handle_before: int
    """Video frames this segment idles before its start, for the dissolve that brings it in."""
    handle_after: int
    """Video frames this segment idles on after its end, for the dissolve that takes it out."""
    emotion: tuple[EmotionKey, ...]
    controls: Controls
    motion: Path | None = None
    """File that its motion is taken from; None: it is sampled."""
    is_centred: bool = False
    """The gaze in that file is turned to rest on the camera."""
    where: str = ""
    """`file:line:column` in the script, for messages."""

    @property
    def is_pause(self) -> bool:
        """No audio: the speaker idles."""
        return self.audio is None

    @property
    def stop_frame(self) -> int:
        """First video frame after the segment."""
        return self.start_frame + self.n_frames

    @property
    def key(self) -> tuple[str, int]:
        """What keys noise: id and take."""
        return (self.id, self.take)

    @property
    def n_motion(self) -> int:
        """Motion frames of the segment; the last may reach past its end where the length is no multiple of 1/25 s."""
        return -int(-(self.seconds * MOTION_FPS) // 1)


@dataclass(frozen=True)
class Piece:
    """At most 10 s of frames of one segment: the unit of cache, resume and distribution."""

    segment: int
    """Index into `Timeline.segments`."""
    start: int
    """First video frame, counted from the segment's start."""
    n_frames: int


@dataclass(frozen=True)
class Timeline:
    """The whole film on one clock."""

    fps: Fraction
    segments: tuple[Segment, ...]
    pieces: tuple[Piece, ...]
    warnings: tuple[str, ...] = ()

    @property
    def n_frames(self) -> int:
        """Video frames of the film."""
        return self.segments[-1].stop_frame if self.segments else 0

    @property
    def seconds(self) -> Fraction:
        """Length of the film."""
        return self.n_frames / self.fps

    @property
    def speakers(self) -> tuple[str, ...]:
        """Speakers in order of appearance."""
        return tuple(dict.fromkeys(segment.speaker for segment in self.segments))


# --- hear and move --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class AudioFeatures:
    """What the motion hears, on motion frames."""

    log_mel: F32
    """[F, 4, 80] log10 power of four 10 ms hops through 80 mel filters, 0..8 kHz, relative to the segment's speech."""
    energy_db: F32
    """[F] level in dB relative to full scale, floor -100."""
    pitch_hz: F32
    """[F] fundamental frequency, 0 where unvoiced."""
    spectrum: F32
    """[F, K] extra per-frame measures that `audio.visemes` reads; see `audio.features` for the columns."""

    def __len__(self) -> int:
        return len(self.energy_db)

    def __getitem__(self, span: slice) -> AudioFeatures:
        return AudioFeatures(self.log_mel[span], self.energy_db[span], self.pitch_hz[span], self.spectrum[span])

    @staticmethod
    def join(parts: list[AudioFeatures]) -> AudioFeatures:
        """Return the parts one after the other."""
        return AudioFeatures(
            np.concatenate([part.log_mel for part in parts]),
            np.concatenate([part.energy_db for part in parts]),
            np.concatenate([part.pitch_hz for part in parts]),
            np.concatenate([part.spectrum for part in parts]),
        )


@dataclass(frozen=True)
class NoiseSpan:
    """Motion frames [start, stop) of one segment, counted from its first sample (negative before it)."""

    id: str
    take: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True, eq=False)
class Drive:
    """Everything that decides the motion of one chunk, besides the portrait: nothing else may influence it.

    Arrays cover `before` context frames, the chunk's own `n_frames`, then `after` context frames: C frames in all.
    """

    features: AudioFeatures
    """[C, ...]"""
    emotion: F32
    """[C, 7], rows sum to 1, intensity folded in."""
    speech: F32
    """[C] 1 inside segments with audio, 0 in pauses and handles."""
    head: F32
    """[C] gain on head motion."""
    gaze_free: F32
    """[C] 1 where the gaze may wander, 0 where it holds the camera."""
    blinks: F32
    """[C] blinks per minute."""
    spans: tuple[NoiseSpan, ...]
    """Position of the C frames for the noise source, in order; lengths add up to C."""
    before: int
    n_frames: int
    after: int

    def __len__(self) -> int:
        return len(self.emotion)


# --- draw -----------------------------------------------------------------------------------------------------------


FRAME_SIDES = (64, 4096)
"""Least and greatest side of a frame, px: smaller ones hold no face, larger ones many players cannot show."""


@dataclass(frozen=True)
class FrameFormat:
    """Shape and rate of the picture."""

    width: int = 512
    height: int = 512
    fps: Fraction = field(default_factory=lambda: Fraction(25))
    fit: Fit = Fit.CROP
    scale_of_picture: float | None = None
    """The size is that of the first speaker's picture times this, and stands in `width` and `height` once planned."""
    background: Background = field(default_factory=Background)

    @property
    def is_transparent(self) -> bool:
        """Frames are premultiplied RGBA, and the film keeps their alpha."""
        return self.background.kind is BackgroundKind.TRANSPARENT

    def why_not_in(self, suffix: str) -> tuple[str, str] | None:
        """Return what is wrong with a file of this ending for such pictures, and what to do; None if nothing is."""
        if self.is_transparent and suffix.lower() not in ALPHA_SUFFIXES:
            told = f"{suffix} files cannot hold a transparent background"
            return told, f"end it in {' or '.join(ALPHA_SUFFIXES)}, or choose another `background`"
        if not self.is_transparent and suffix.lower() not in OPAQUE_SUFFIXES:
            told = f"{suffix} files are written for `background: transparent` alone"
            return told, f"end it in {', '.join(OPAQUE_SUFFIXES)}, or make the background transparent"
        return None


@dataclass(frozen=True)
class Encoding:
    """How pictures and sound are encoded; comes from quality presets."""

    crf: int = 18
    x264_preset: str = "veryfast"
    audio_bitrate_kbps: int = 160
    loudness_lufs: float | None = None
    """Target of ffmpeg's loudnorm, or None to leave the sound as it is."""


OPAQUE_SUFFIXES = (".mp4", ".m4v", ".mov")
"""Files that can be written. Matroska is not among them: its clock of milliseconds cannot say when a frame begins."""
ALPHA_SUFFIXES = (".mov", ".webm")
"""Files that keep a transparent background; WebM, which has Matroska's clock, because browsers play no other."""
VIDEO_SUFFIXES = (*OPAQUE_SUFFIXES, ".webm")

Frames = Iterator[U8]
"""RGB uint8 [H, W, 3], or premultiplied RGBA [H, W, 4], one by one; never the whole film in memory."""

Options = Mapping[str, Any]
"""Options of one engine, checked against its option model."""
