"""One voice heard over many rooms, microphones and lines. Phone times follow where they must.

Everything random comes from the passed generator. Nothing here delays the sound: what a codec puts in front is taken
off again, and a room's direct path stands at sample 0.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from moee_cli.core.timebase import FEATURE_RATE
from moee_cli.core.types import F32
from moee_cli.training.motion.recording import Recording

F64 = NDArray[np.float64]
Change = Callable[[F32, np.random.Generator], F32]

SPEEDS = (0.86, 1.16)
"""Range of resampling: pitch, formants and tempo together, as if by another speaker (speed perturbation: Ko et al.,
"Audio augmentation for speech recognition", Interspeech 2015, with 0.9 to 1.1; a little more for children and
giants)."""
CODECS = (
    ("mp3", "libmp3lame", 16_000), ("mp3", "libmp3lame", 32_000), ("ogg", "libopus", 12_000),
    ("ogg", "libopus", 24_000), ("adts", "aac", 24_000), ("wav", "pcm_mulaw", 0), ("wav", "adpcm_ima_wav", 0),
)  # fmt: skip
"""Container, encoder and bits per second of lines that voices come over."""


def augmented(recording: Recording, generator: np.random.Generator) -> Recording:
    """Return the recording as it might be heard elsewhere: one in four stays clean but for its level and speed."""
    heard = respeeded(recording, float(generator.uniform(*SPEEDS))) if generator.random() < 0.6 else recording
    samples = heard.samples
    if generator.random() < 0.75:
        for share, change in _CHANGES:
            if generator.random() < share:
                samples = change(samples, generator)
    gain = 10.0 ** (float(generator.uniform(-30.0, 0.0)) / 20.0) / max(float(np.abs(samples).max()), 1e-4)
    return replace(heard, samples=np.asarray(gain * samples, np.float32))


def respeeded(recording: Recording, speed: float) -> Recording:
    """Return the recording played `speed` times as fast: pitch and formants rise with it, phone times follow."""
    import soxr

    samples = np.asarray(soxr.resample(recording.samples, FEATURE_RATE * speed, FEATURE_RATE, "MQ"), np.float32)
    phones = tuple(phone.moved(0.0, 1.0 / speed) for phone in recording.phones)
    return replace(recording, samples=samples, phones=phones)


def noisy(samples: F32, generator: np.random.Generator) -> F32:
    """Return samples with steady noise at 8 to 40 dB: white to brown, at times with hum."""
    spectrum = np.fft.rfft(generator.standard_normal(len(samples)))
    frequency = np.maximum(np.fft.rfftfreq(len(samples), 1.0 / FEATURE_RATE), 20.0)
    noise = np.fft.irfft(spectrum * frequency ** -float(generator.uniform(0.0, 1.0)), len(samples))
    noise /= max(float(noise.std()), 1e-9)
    if generator.random() < 0.25:
        mains = float(generator.choice([50.0, 60.0])) * (1 + int(generator.integers(3)))
        noise += np.sin(2 * np.pi * mains * np.arange(len(samples)) / FEATURE_RATE + generator.uniform(0, 6))
    return _mixed(samples, noise, float(generator.uniform(8.0, 40.0)))


def in_room(samples: F32, generator: np.random.Generator) -> F32:
    """Return samples in a room: exponentially fading noise behind the direct sound (Polack 1988; Moorer 1979).

    Reverberation lasts 0.15 to 0.7 s, and is 3 to 20 dB weaker than the direct sound.
    """
    length = float(generator.uniform(0.15, 0.7))
    n = int(length * FEATURE_RATE)
    tail = generator.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    tail[: int(generator.integers(16, 160))] = 0.0
    tail *= 10.0 ** (-float(generator.uniform(3.0, 20.0)) / 20.0) / max(float(np.sqrt(tail @ tail)), 1e-9)
    tail[0] = 1.0
    size = 1 << (len(samples) + n).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return np.asarray(wet[: len(samples)], np.float32)


def band_limited(samples: F32, generator: np.random.Generator) -> F32:
    """Return samples between a low edge up to 350 Hz and a high edge from 3.2 kHz, tilted by up to 6 dB each way."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1.0 / FEATURE_RATE)
    low, high = float(generator.uniform(20.0, 350.0)), float(generator.uniform(3200.0, 8000.0))
    order = 6.0
    gain = 1.0 / np.sqrt(1.0 + (low / np.maximum(frequency, 1.0)) ** order) / np.sqrt(1.0 + (frequency / high) ** 12.0)
    tilt = float(generator.uniform(-6.0, 6.0)) * np.log2(np.maximum(frequency, 100.0) / 1000.0) / 3.0
    return np.asarray(np.fft.irfft(spectrum * gain * 10.0 ** (tilt / 20.0), len(samples)), np.float32)


def coded(samples: F32, generator: np.random.Generator) -> F32:
    """Return samples after a lossy codec at a low rate, its delay taken off."""
    container, codec, bits = CODECS[int(generator.integers(len(CODECS)))]
    return through_codec(samples, container, codec, bits)


def with_music(samples: F32, generator: np.random.Generator) -> F32:
    """Return samples over a bed of slow chords with plucked notes, 10 to 28 dB below the voice."""
    return _mixed(samples, _music(len(samples), generator), float(generator.uniform(10.0, 28.0)))


def overdriven(samples: F32, generator: np.random.Generator) -> F32:
    """Return samples cut at 0.2 to 0.8 of their peak."""
    limit = float(generator.uniform(0.2, 0.8)) * float(np.abs(samples).max())
    return np.clip(samples, -limit, limit)


_CHANGES: Sequence[tuple[float, Change]] = (
    (0.45, in_room), (0.12, with_music), (0.55, noisy), (0.10, overdriven), (0.40, band_limited), (0.20, coded),
)  # fmt: skip
"""How often each happens to a recording that is changed, in the order of a sound's way."""


def through_codec(samples: F32, container: str, codec: str, bits: int) -> F32:
    """Return samples [n] encoded and decoded, aligned with what went in."""
    import av

    file = io.BytesIO()
    rate = 8000 if codec == "pcm_mulaw" else 48_000 if codec == "libopus" else FEATURE_RATE
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        if bits:
            stream.bit_rate = bits
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate = FEATURE_RATE
        size = stream.codec_context.frame_size or None
        target = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=size)
        for part in (*target.resample(frame), *target.resample(None)):
            out.mux(stream.encode(part))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as coming:
        source = av.AudioResampler(format="flt", layout="mono", rate=FEATURE_RATE)
        frames = [part for frame in coming.decode(audio=0) for part in source.resample(frame)]
        frames += source.resample(None)
    decoded = np.concatenate([frame.to_ndarray()[0] for frame in frames] or [np.zeros(1, np.float32)])
    return _aligned(decoded, samples)


def _aligned(decoded: F32, samples: F32) -> F32:
    """Return what was decoded with its delay taken off: where it correlates best, at most 0.2 s either way."""
    size = 1 << (len(samples) + len(decoded)).bit_length()
    product = np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(samples, size))
    correlation = np.fft.irfft(product, size)
    reach = FEATURE_RATE // 5
    lags = np.concatenate([np.arange(reach), np.arange(-reach, 0)])
    lag = int(lags[np.argmax(correlation[lags])])
    shifted = decoded[lag:] if lag >= 0 else np.concatenate([np.zeros(-lag, np.float32), decoded])
    fitted = np.zeros(len(samples), np.float32)
    n = min(len(samples), len(shifted))
    fitted[:n] = shifted[:n]
    return fitted


def _mixed(samples: F32, other: F64, below_db: float) -> F32:
    """Return samples with `other` so many dB below their active level."""
    active = np.abs(samples) > 0.05 * np.abs(samples).max()
    level = float(np.sqrt(np.mean(samples[active].astype(np.float64) ** 2))) if active.any() else 0.0
    scale = level * 10.0 ** (-below_db / 20.0) / max(float(np.sqrt(np.mean(other**2))), 1e-9)
    return np.asarray(samples + scale * other, np.float32)


def _music(n: int, generator: np.random.Generator) -> F64:
    """Return `n` samples of chords in one key, and single notes over them that fade within half a second."""
    root = float(generator.uniform(65.0, 130.0))
    scale = np.array([0, 2, 4, 5, 7, 9, 11]) if generator.random() < 0.5 else np.array([0, 2, 3, 5, 7, 8, 10])
    bed = np.zeros(n)
    bar = int(float(generator.uniform(0.8, 2.0)) * FEATURE_RATE)
    for start in range(0, n, bar):
        length = min(bar, n - start)
        time = np.arange(length) / FEATURE_RATE
        degree = int(generator.integers(7))
        for step in (0, 2, 4):
            tone = root * 2.0 ** (scale[(degree + step) % 7] / 12.0)
            bed[start : start + length] += sum(np.sin(2 * np.pi * tone * k * time) / k for k in (1, 2, 3))
    for start in range(0, n, bar // 4):
        length = min(FEATURE_RATE // 2, n - start)
        time = np.arange(length) / FEATURE_RATE
        tone = 4.0 * root * 2.0 ** (scale[int(generator.integers(7))] / 12.0)
        bed[start : start + length] += 2.0 * np.exp(-8.0 * time) * np.sin(2 * np.pi * tone * time)
    return bed
