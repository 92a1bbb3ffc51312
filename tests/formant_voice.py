"""A voice for tests: formant synthesis with known phone times, made from sums of harmonics and filtered noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RATE = 16_000

FORMANTS = {
    "a": ((750.0, -1.0), (1250.0, -6.0), (2550.0, -26.0), (3500.0, -34.0)),
    "i": ((290.0, -4.0), (2250.0, -22.0), (2950.0, -26.0), (3600.0, -32.0)),
    "u": ((320.0, -3.0), (850.0, -18.0), (2250.0, -42.0), (3400.0, -46.0)),
    "m": ((260.0, -10.0), (1050.0, -38.0), (2200.0, -44.0), (3300.0, -50.0)),
}
"""Formants in Hz with their level in dB (vowels after Peterson and Barney 1952; `m` is a plausible murmur)."""


def say(phones: Sequence[tuple[str, float]], pitch: float = 130.0) -> NDArray[np.float32]:
    """Return float32 mono at 16 kHz, near -20 dBFS: phones `a i u m b s` or `.` (silence), each with its seconds."""
    parts = [_sound(name, round(seconds * RATE), pitch) for name, seconds in phones]
    wave = np.concatenate(parts)
    return (0.1 * wave / max(np.sqrt(np.mean(wave**2)), 1e-9)).astype(np.float32)


def _sound(name: str, n: int, pitch: float) -> NDArray[np.float64]:
    if name == ".":
        return np.zeros(n)
    edge = np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.008 * RATE))
    if name == "s":
        spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n))
        spectrum *= np.minimum(1.0, (np.fft.rfftfreq(n, 1 / RATE) / 4800.0) ** 3)
        return 0.6 * edge * np.fft.irfft(spectrum, n)
    if name == "b":
        return 0.02 * edge * np.sin(2 * np.pi * pitch * np.arange(n) / RATE)
    return edge * _harmonics(FORMANTS[name], n, pitch)


def _harmonics(formants: Sequence[tuple[float, float]], n: int, pitch: float) -> NDArray[np.float64]:
    frequency = np.arange(1.0, 7000.0 / pitch) * pitch
    gain = np.full(len(frequency), 10 ** (-60 / 20))
    for formant, level in formants:
        width = 45.0 + 0.03 * formant
        gain += 10 ** (level / 20) * width / np.abs(width + 1j * (frequency - formant))
    return np.sin(np.arange(n)[:, None] * frequency * (2 * np.pi / RATE)) @ gain
