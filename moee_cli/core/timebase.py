"""The one clock: every rate of the project and every conversion between seconds, samples and frames.

*Motion frame*: 1/25 s, always. *Video frame*: 1/fps of the script, fps an exact ratio. Times are exact `Fraction`
seconds until they become samples or frames, and rounding happens here and nowhere else.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

MOTION_FPS = 25
"""Motion frames per second; features, emotion weights and noise live on these."""
FEATURE_RATE = 16_000
"""Sample rate of the mono waveform that features are computed from, in Hz."""
FEATURE_HOP = FEATURE_RATE // MOTION_FPS
"""Samples of the feature waveform in one motion frame (640)."""
FILM_RATE = 48_000
"""Sample rate of the film's sound track, in Hz."""
FILM_CHANNELS = 2
"""Channels of the film's sound track."""
MAX_PIECE_SECONDS = 10
"""Longest stretch of frames in one piece file."""

NTSC = {
    "23.976": Fraction(24000, 1001),
    "23.98": Fraction(24000, 1001),
    "29.97": Fraction(30000, 1001),
    "59.94": Fraction(60000, 1001),
}
"""Decimal spellings that always mean the NTSC ratio."""


def round_half_up(value: Fraction) -> int:
    """Return the nearest integer, halves upwards (Python's `round` would go to even and make lengths uneven)."""
    return floor(value + Fraction(1, 2))


def frames_covering(seconds: Fraction, fps: Fraction) -> int:
    """Return the least number of whole frames at `fps` that last at least `seconds`."""
    return ceil(seconds * fps)


def nearest_frame(seconds: Fraction, fps: Fraction) -> int:
    """Return the frame boundary at `fps` nearest to `seconds`."""
    return round_half_up(seconds * fps)


def sample_of_frame(frame: int, fps: Fraction, rate: int = FILM_RATE) -> int:
    """Return the sample at `rate` at which video frame `frame` begins."""
    return round_half_up(frame * rate / fps)


def frames_of_samples(n_samples: int, fps: Fraction, rate: int = FILM_RATE) -> int:
    """Return how many video frames a track of `n_samples` lasts: round(n_samples * fps / rate)."""
    return round_half_up(n_samples * fps / rate)


def max_piece_frames(fps: Fraction) -> int:
    """Return the most frames one piece may hold at `fps`."""
    return floor(MAX_PIECE_SECONDS * fps)
