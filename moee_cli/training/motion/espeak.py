"""Speech of espeak-ng in many languages, through libespeak-ng and its phoneme events.

The program `espeak-ng` prints phone times for MBROLA voices only; the library reports each phone as it is spoken.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache
from typing import Any

import numpy as np

from moee_cli.core.errors import EnvironmentFailed, Unavailable
from moee_cli.core.types import F32
from moee_cli.training.motion.phones import fold
from moee_cli.training.motion.recording import Recording
from moee_cli.training.motion.synthesis import at_feature_rate

_RETRIEVAL, _PHONEME_EVENTS, _IPA, _NO_EXIT = 1, 0x1, 0x2, 0x8000
"""espeak_Initialize: give samples to a callback; options."""
_RATE, _PITCH, _RANGE = 1, 3, 4
"""espeak_SetParameter."""
_END, _PHONEME = 0, 7
"""Types of events: end of list, phone."""
_UTF8 = 1
_HELD_S = 0.045
"""Seconds of silence before the burst of a voiceless stop, in which the lips or the tongue are shut; the event marks
the burst. Measured on 39 p, 28 t, 14 k of the voices en-us and de at 170 words a minute: silent from 50 to 0 ms
before."""
_BURST_S = 0.012
"""Seconds of a voiceless stop's burst: afterwards the lips are apart."""
_VOICELESS = ("p", "t", "k")


class _Name(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Name),
    )  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def is_installed() -> bool:
    """Tell whether the library can be found."""
    return _library_name() is not None


def _library_name() -> str | None:
    for name in ("libespeak-ng.so.1", ctypes.util.find_library("espeak-ng")):
        if name is None:
            continue
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return name
    return None


class _Speaker:
    """The library, which has one state per process, with a callback that collects."""

    def __init__(self) -> None:
        name = _library_name()
        if name is None:
            raise Unavailable("libespeak-ng is not installed", "apt install libespeak-ng1 espeak-ng-data")
        self.library = ctypes.CDLL(name)
        self.rate = int(self.library.espeak_Initialize(_RETRIEVAL, 0, None, _PHONEME_EVENTS | _IPA | _NO_EXIT))
        if self.rate <= 0:
            raise Unavailable("libespeak-ng finds no data", "apt install espeak-ng-data")
        self.samples: list[bytes] = []
        self.phones: list[tuple[str, int]] = []
        self._callback = _Callback(self._collect)
        self.library.espeak_SetSynthCallback(self._callback)

    def _collect(self, wave: Any, n_samples: int, events: Any) -> int:
        if n_samples > 0:
            self.samples.append(ctypes.string_at(wave, 2 * n_samples))
        index = 0
        while events[index].type != _END:
            if events[index].type == _PHONEME:
                self.phones.append((events[index].id.string.decode("utf-8", "replace"), events[index].sample))
            index += 1
        return 0


@cache
def _speaker() -> _Speaker:
    return _Speaker()


def espeak(text: str, voice: str, *, words_per_minute: int = 170, pitch: int = 50, pitch_range: int = 50) -> Recording:
    """Return a text spoken by a voice such as `de` or `en-us+f3`; pitch and range are 0..100.

    Raises:
        Unavailable: the library, its data or the voice is not installed.
        EnvironmentFailed: nothing was spoken.
    """
    speaker = _speaker()
    speaker.samples.clear()
    speaker.phones.clear()
    if speaker.library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise Unavailable(f"espeak-ng has no voice {voice}", "apt install espeak-ng-data")
    for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
        speaker.library.espeak_SetParameter(parameter, value, 0)
    encoded = text.encode()
    speaker.library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
    speaker.library.espeak_Synchronize()
    samples = np.frombuffer(b"".join(speaker.samples), np.int16).astype(np.float32) / 32768.0
    if not len(samples) or not speaker.phones:
        raise EnvironmentFailed(f"espeak-ng spoke nothing with the voice {voice}", "moee doctor says what is there")
    return _recording(samples, speaker.rate, speaker.phones, voice)


def _recording(samples: F32, rate: int, events: list[tuple[str, int]], voice: str) -> Recording:
    starts = [sample / rate for _, sample in events] + [len(samples) / rate]
    spoken: list[tuple[str, float, float]] = []
    for index, (name, _) in enumerate(events):
        start, stop = starts[index], starts[index + 1]
        if name[:1] in _VOICELESS and len(name.rstrip("ʰʲː")) == 1:
            held = min(_HELD_S, start - spoken[-1][1]) if spoken else 0.0
            if spoken:
                spoken[-1] = (spoken[-1][0], spoken[-1][1], start - held)
            burst = min(start + _BURST_S, stop)
            spoken += [(name, start - held, burst), ("h", burst, stop)]
        else:
            spoken.append((name, start, stop))
    return Recording(at_feature_rate(samples, rate), fold(spoken, "ipa"), f"espeak {voice}")
