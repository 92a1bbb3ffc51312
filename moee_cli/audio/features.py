"""Waveform to `AudioFeatures` on motion frames.

Motion frame j is the state at t = j/25 s. Four analysis hops of 10 ms describe it, centred on sample
640 j + (-240, -80, 80, 240): together they cover exactly the 40 ms around that instant. Beyond the ends of a segment
the signal holds its value (silence), unless samples of the same recording are given as `lead` and `tail`.

`spectrum` holds, per motion frame, the four hops one after the other, each with the columns of `MEASURES`, so
`spectrum.reshape(-1, len(MEASURES))` is a 100 Hz sequence:

    band_LOW_HIGH   level of the band in dB, relative to the speech level of the segment, noise floor taken off,
                    evened out towards an average voice and microphone; -50..15
    level           level of all bands above 250 Hz together (below it lives the hum), same reference; -50..15
    periodicity     height of the autocorrelation peak, 0 (noise) .. 1 (a perfect tone)
    flatness        log10 of geometric over arithmetic mean of the power spectrum, 0.3..3.8 kHz; -4..0
    activity        1 where somebody speaks, 0 (exactly) where nobody does, ramps of some 10 ms between

`log_mel` [F, 4, 80] holds the same hops through Whisper's mel filters, against the same references, but with the noise
left in: who learns from it learns from noisy sound too.

The references (speech level, noise floor, average spectrum) are taken over the whole segment, which is why they are
computed here and not where a chunk is sampled: two chunks that overlap must hear the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain, pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from moee_cli.core.timebase import FEATURE_HOP, FEATURE_RATE
from moee_cli.core.types import F32, AudioFeatures

F64 = NDArray[np.float64]

HOPS = 4
"""Analysis hops per motion frame."""
HOP = FEATURE_HOP // HOPS
"""Samples between hops (10 ms), as in Whisper's front end (Radford et al., arXiv 2212.04356, section 2.2)."""
N_MELS = 80

BAND_EDGES_HZ = (80, 250, 500, 750, 1000, 1400, 1900, 2500, 3200, 3900, 5500, 7800)
"""Two bands in the voice bar, three around the first formant, four around the second and third, two of frication."""
N_BANDS = len(BAND_EDGES_HZ) - 1
BANDS = tuple(f"band_{low}_{high}" for low, high in pairwise(BAND_EDGES_HZ))
MEASURES = (*BANDS, "level", "periodicity", "flatness", "activity")
"""Columns of one hop of `AudioFeatures.spectrum`."""
MEASURE = {name: index for index, name in enumerate(MEASURES)}
"""Measure name to column of a hop."""

FLOOR_DB, CEILING_DB = -50.0, 15.0
"""Limits of levels relative to the speech level."""
SILENT_DB = -100.0
"""Floor of levels relative to full scale: below 16-bit resolution."""
MEL_FLOOR, MEL_CEILING = -7.0, 1.0
"""Limits of `log_mel`, log10 of power relative to the speech level. A mel filter is told its mean power per bin of the
spectrum, of which there are 200, so speech lies between -5 and -0.5."""

_WINDOW = 400
"""Samples of a spectrum window (25 ms)."""
_PITCH_WINDOW = 640
"""Samples of a pitch window (40 ms): three periods of the lowest pitch."""
_REACH = _PITCH_WINDOW // 2 + (HOPS - 1) * HOP // 2
"""Samples before the segment that its first hop looks at (560)."""
_PITCH_FFT = 1024
_PITCH_HZ = (75.0, 600.0)
_HUM_BINS = 7
"""Bins of the pitch spectrum that are left out (below 109 Hz): mains hum is periodic, but nobody's voice.

A low voice is still found, by its harmonics."""
_VOICED = 0.5
"""Periodicity above this is voiced speech (Praat's default, for clean recordings, is 0.45)."""
_BATCH = 500
"""Hops analysed at once: 5 s, so memory stays flat whatever the length."""

_QUIETEST_SPEECH_DB = -75.0
"""A segment whose loudest part lies below this holds no speech, only hiss."""
_AVERAGE_BANDS_DB = (-14.2, -14.9, -22.2, -28.8, -27.2, -27.5, -29.0, -27.9, -29.9, -30.5, -33.9)
"""Mean level of each band in active speech; measured over the training voices of `benchmarks/fit_visemes.py`."""
_AVERAGE_WEIGHT = 300.0
"""Hops of speech at which a segment's own average spectrum counts as much as the prior (3 s)."""


def extract_features(
    blocks: Iterable[F32], n_motion: int, *, lead: F32 | None = None, tail: F32 | None = None
) -> AudioFeatures:
    """Return the features of exactly `n_motion` motion frames.

    `blocks` are consecutive float32 mono pieces at 16 kHz, read once. Samples beyond the last motion frame are not
    read; missing ones come from `tail`, then count as silence. `lead` is what precedes the first block.
    """
    if n_motion == 0:
        return silence(0)
    parts = [_analyse(samples) for samples in _batches(_stream(blocks, lead, tail), n_motion * HOPS)]
    mel, bands, power, periodicity, pitch, flatness = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    del parts  # half of what is held here, and films may be long
    measures, reference_db = _relative_measures(bands, periodicity, flatness)
    by_frame = (n_motion, HOPS)
    return AudioFeatures(
        log_mel=_relative_mel(mel, reference_db).reshape(*by_frame, N_MELS),
        energy_db=np.maximum(_db(power.reshape(by_frame).mean(1)), SILENT_DB).astype(np.float32),
        pitch_hz=_frame_pitch(pitch, measures),
        spectrum=measures.reshape(n_motion, -1).astype(np.float32),
    )


def silence(n_motion: int) -> AudioFeatures:
    """Return the features of digital silence."""
    hop = np.zeros(len(MEASURES), np.float32)
    hop[: N_BANDS + 1] = FLOOR_DB
    return AudioFeatures(
        log_mel=np.full((n_motion, HOPS, N_MELS), MEL_FLOOR, np.float32),
        energy_db=np.full(n_motion, SILENT_DB, np.float32),
        pitch_hz=np.zeros(n_motion, np.float32),
        spectrum=np.tile(hop, (n_motion, HOPS)),
    )


# --- samples to hops ------------------------------------------------------------------------------------------------


def _stream(blocks: Iterable[F32], lead: F32 | None, tail: F32 | None) -> Iterator[F32]:
    """Yield samples from `_REACH` before the segment on, endlessly; ends hold their value, so an offset is no click."""
    known: F32 | None = np.empty(0, np.float32) if lead is None else _usable(lead[-_REACH:])
    last = np.float32(0.0)
    for block in chain(blocks, () if tail is None else (tail,)):
        if not len(block):
            continue
        samples = _usable(block)
        if known is not None:
            first = known[0] if len(known) else samples[0]
            yield np.full(_REACH - len(known), first, np.float32)
            yield known
            known = None
        yield samples
        last = samples[-1]
    if known is not None:
        yield np.zeros(_REACH, np.float32)
    while True:
        yield np.full(_BATCH * HOP, last, np.float32)


def _usable(samples: F32) -> F32:
    """Return float32 samples without NaN and infinity, within 18 dB above full scale."""
    return np.nan_to_num(np.asarray(samples, np.float32), nan=0.0, posinf=0.0, neginf=0.0).clip(-8.0, 8.0)


def _batches(source: Iterator[F32], n_hops: int) -> Iterator[F32]:
    """Yield sample stretches that hold at most `_BATCH` whole hops each, `n_hops` in all."""
    held = np.empty(0, np.float32)
    while n_hops:
        count = min(_BATCH, n_hops)
        need = (count - 1) * HOP + _PITCH_WINDOW
        found, have = [held], len(held)
        while have < need:
            found.append(next(source))
            have += len(found[-1])
        held = np.concatenate(found)
        yield held[:need]
        held = held[count * HOP :]
        n_hops -= count


def _analyse(samples: F32) -> tuple[F32, F64, F64, F64, F64, F64]:
    """Return log10 mel power [h, 80], band power [h, bands], then mean square, periodicity, pitch, flatness [h]."""
    wide = sliding_window_view(samples, _PITCH_WINDOW)[::HOP].astype(np.float64)
    wide -= wide.mean(1, keepdims=True)
    margin = (_PITCH_WINDOW - _WINDOW) // 2
    window = np.hanning(_WINDOW + 1)[:-1]
    spectra = np.abs(np.fft.rfft(wide[:, margin:-margin] * window, axis=1)) ** 2
    scale = window @ window * _WINDOW / 2  # with it the bins of a hop sum to its mean square
    bands = spectra @ _band_matrix() / scale
    formants = spectra[:, 8:96] + 1e-12  # 0.3..3.8 kHz, so a telephone line sounds no different
    flatness = np.log10(formants).mean(1) - np.log10(formants.mean(1))
    flatness[bands.sum(1) < 1e-10] = 0.0
    periodicity, pitch = _pitch(wide)
    log_mel = np.log10(np.maximum(spectra @ _mel_matrix() / scale, 1e-14)).astype(np.float32)
    return log_mel, bands, bands.sum(1), periodicity, pitch, np.clip(flatness, -4.0, 0.0)


@cache
def _band_matrix() -> F64:
    """Return [201, bands]: which spectrum bins belong to which band."""
    frequency = np.arange(_WINDOW // 2 + 1) * (FEATURE_RATE / _WINDOW)
    edges = np.asarray(BAND_EDGES_HZ, np.float64)
    return ((frequency[:, None] >= edges[:-1]) & (frequency[:, None] < edges[1:])).astype(np.float64)


@cache
def _mel_matrix() -> F64:
    """Return [201, 80]: Slaney's mel filters, 0..8 kHz, as Whisper uses them; each a mean over bins."""
    breaks = _mel_to_hz(np.linspace(0.0, _hz_to_mel(FEATURE_RATE / 2), N_MELS + 2))
    frequency = np.arange(_WINDOW // 2 + 1)[:, None] * (FEATURE_RATE / _WINDOW)
    rise = (frequency - breaks[:-2]) / (breaks[1:-1] - breaks[:-2])
    fall = (breaks[2:] - frequency) / (breaks[2:] - breaks[1:-1])
    area = (breaks[2:] - breaks[:-2]) / 2.0  # not the sum of the weights: the lowest filters are as narrow as a bin
    weights: F64 = np.maximum(0.0, np.minimum(rise, fall)) * (FEATURE_RATE / _WINDOW / area)
    return weights


def _hz_to_mel(hz: float) -> float:
    """Return Slaney's mel: linear below 1 kHz (mel 15), 27 logarithmic steps per factor 6.4 above."""
    return 3.0 * hz / 200.0 if hz < 1000.0 else 15.0 + 27.0 * float(np.log(hz / 1000.0) / np.log(6.4))


def _mel_to_hz(mel: F64) -> F64:
    return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0))


def _pitch(windows: F64) -> tuple[F64, F64]:
    """Return periodicity 0..1 and the frequency of the best period for each window of 40 ms.

    Source: Boersma, "Accurate short-term analysis of the fundamental frequency ..." (1993): the autocorrelation of the
    windowed signal divided by that of the window, with a small cost on long periods against octave errors.
    """
    taper = np.hanning(_PITCH_WINDOW)
    shortest, longest = int(FEATURE_RATE / _PITCH_HZ[1]), int(FEATURE_RATE / _PITCH_HZ[0])
    of_window = np.fft.irfft(np.abs(np.fft.rfft(taper, _PITCH_FFT)) ** 2)[: longest + 2]
    spectra = np.fft.rfft(windows * taper, _PITCH_FFT, axis=1)
    spectra[:, :_HUM_BINS] = 0.0
    correlation = np.fft.irfft(spectra.real**2 + spectra.imag**2, axis=1)[:, : longest + 2] / of_window
    power = correlation[:, :1]
    correlation = correlation / np.maximum(power, 1e-9)
    lags = np.arange(shortest, longest + 1)
    best = lags[np.argmax(correlation[:, lags] - 0.02 * np.log2(lags), axis=1)]
    rows = np.arange(len(windows))
    before, peak, after = (correlation[rows, best + step] for step in (-1, 0, 1))
    bend = np.minimum(before - 2.0 * peak + after, -1e-6)
    period = best + np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    return np.clip(peak, 0.0, 1.0), FEATURE_RATE / period


# --- absolute to relative -------------------------------------------------------------------------------------------


def _relative_measures(bands: F64, periodicity: F64, flatness: F64) -> tuple[F64, F64]:
    """Return [h, MEASURES], levels against the segment's own speech level, noise and microphone taken off; and [bands].

    The latter is what a level of 0 stands for in each band, in dB relative to full scale.
    """
    power = bands[:, 1:].sum(1)
    speech_db = _speech_level(power)
    noise = _noise_floor(bands, periodicity, speech_db)
    level = _relative_db(power - 2.0 * noise[1:].sum(), speech_db)
    activity = _activity(level)
    relative, shift = _even_out(_relative_db(bands - 2.0 * noise, speech_db), activity)
    return np.column_stack([relative, level, periodicity, flatness, activity]), speech_db + shift


def _relative_mel(log_mel: F32, reference_db: F64) -> F32:
    """Return log10 mel power [h, 80] against the levels of the bands [bands] around each filter; changes its input."""
    middles = np.sqrt(np.multiply(BAND_EDGES_HZ[:-1], BAND_EDGES_HZ[1:]))
    filters = _mel_to_hz(np.linspace(0.0, _hz_to_mel(FEATURE_RATE / 2), N_MELS + 2))[1:-1]
    log_mel -= (np.interp(filters, middles, reference_db) / 10.0).astype(np.float32)
    return np.clip(log_mel, MEL_FLOOR, MEL_CEILING, out=log_mel)


def _speech_level(power: F64) -> float:
    """Return the level of speech in dB: the mean over hops within 20 dB of the loudest lasting sound.

    In the manner of ITU-T P.56 (active speech level): pauses of any length do not lower it.
    """
    lasting = _db(_sliding(power, 9, np.median))
    top = float(np.percentile(lasting, 99.5))
    if top < _QUIETEST_SPEECH_DB:
        return 0.0  # nothing here counts as speech
    return float(lasting[lasting > top - 20.0].mean())


def _noise_floor(bands: F64, periodicity: F64, speech_db: float) -> F64:
    """Return the power of steady noise per band.

    Noise is what a band keeps up while no voice sounds, and all the time: a low percentile of unvoiced hops (else a
    held vowel would count), and not more than that of all hops (else the only `s` of a line would).
    """
    smooth = _moving_mean(bands, 9)
    heard = _db(smooth.sum(1)) > speech_db - 60.0  # digital zero says nothing about noise
    unvoiced = heard & (_moving_mean(periodicity, 9) < _VOICED)
    if np.count_nonzero(unvoiced) < 10:
        return np.zeros(bands.shape[1])
    lowest: F64 = np.minimum(np.percentile(smooth[unvoiced], 10, axis=0), np.percentile(smooth[heard], 10, axis=0))
    return 1.3 * lowest  # a low percentile lies below the mean; by so much on white noise


def _activity(level: F64) -> F64:
    """Return [h] 0..1: near the speech level; bursts under 50 ms alone do not count, 50 ms on either side do."""
    loud = np.clip((level + 32.0) / 8.0, 0.0, 1.0)
    lasting = _sliding(_sliding(loud, 5, np.min), 5, np.max)
    wide: F64 = _moving_mean(_sliding(lasting, 9, np.max), 5)
    return wide


def _even_out(relative: F64, activity: F64) -> tuple[F64, F64]:
    """Return band levels moved towards the average voice, and how far down in dB [bands].

    They are moved by half at 3 s of speech, more the longer it is. Bands a telephone line has cut off follow the
    highest one it carries.
    """
    weight = float(activity.sum())
    if weight < 1.0:
        return relative, np.zeros(N_BANDS)
    result = relative.copy()
    for band in range(1, N_BANDS):
        if np.percentile(relative[:, band], 99) <= -42.0:
            result[:, band] = np.maximum(result[:, band - 1] - 4.0, FLOOR_DB)
    heard = np.maximum(result, FLOOR_DB)
    average = activity @ heard / weight
    share = weight / (weight + _AVERAGE_WEIGHT)
    shift = np.clip(share * (average - np.asarray(_AVERAGE_BANDS_DB)), -15.0, 15.0)
    # Only what is heard is moved: silence stays silence.
    moved = result - shift * np.clip((result - FLOOR_DB) / 20.0, 0.0, 1.0)
    return _limited(moved), shift


def _frame_pitch(pitch: F64, measures: F64) -> F32:
    """Return the pitch of each motion frame [F]: median of its voiced hops, then of three frames; 0 if unvoiced."""
    voiced = (measures[:, MEASURE["periodicity"]] > _VOICED) & (measures[:, MEASURE["level"]] > -25.0)
    hops = np.where(voiced, pitch, np.nan).reshape(-1, HOPS)
    spoken = np.count_nonzero(~np.isnan(hops), axis=1) >= 2
    filled = np.full(len(hops) + 2, np.nan)
    filled[1:-1][spoken] = np.nanmedian(hops[spoken], axis=1) if spoken.any() else np.empty(0)
    result = np.zeros(len(hops))
    if spoken.any():
        result[spoken] = np.nanmedian(sliding_window_view(filled, 3)[spoken], axis=1)
    return result.astype(np.float32)


def _db(power: F64) -> F64:
    decibels: F64 = 10.0 * np.log10(np.maximum(power, 1e-30))
    return decibels


def _relative_db(power: F64, reference_db: float) -> F64:
    return _limited(_db(power) - reference_db)


def _limited(level_db: F64) -> F64:
    limited: F64 = np.clip(level_db, FLOOR_DB, CEILING_DB)
    return limited


def _moving_mean(values: F64, width: int) -> F64:
    """Return the mean over `width` hops around each hop, ends repeated; the first axis is time."""
    return _sliding(values, width, np.mean)


def _sliding(values: F64, width: int, reduce: Callable[..., F64]) -> F64:
    padded = np.pad(values, [(width // 2, width // 2)] + [(0, 0)] * (values.ndim - 1), mode="edge")
    return reduce(sliding_window_view(padded, width, axis=0), axis=-1)
