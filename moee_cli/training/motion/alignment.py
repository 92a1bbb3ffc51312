"""Phone times of transcribed English speech, by forced alignment with pocketsphinx's bundled model.

The recogniser's own phone alignment fails on many clips. So phones stand in its dictionary as words of one phone each,
and its word alignment, which does not fail, gives their times. Against flite's own times the starts are off by 11 to 13
ms in the median (four voices, 31 phones each).
"""

from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from moee_cli.core.timebase import FEATURE_RATE
from moee_cli.core.types import F32
from moee_cli.training.motion.phones import Phone, fold

_FRAME_S = 0.01
"""pocketsphinx works in frames of 10 ms."""
_SHORTEST_SHARE = 0.5
"""An alignment that finds fewer of its phones than this share at more than 20 ms has slipped and is not used."""


def is_installed() -> bool:
    """Tell whether pocketsphinx is there (`pip install moee-cli[train]`)."""
    from importlib.util import find_spec

    return find_spec("pocketsphinx") is not None


def dictionary_phones(text: str) -> list[str] | None:
    """Return the phones (ARPAbet without stress) of an English text; None if a word is not in the dictionary."""
    words = re.findall(r"[a-z']+", text.lower())
    found = [_dictionary().get(word) or _dictionary().get(word.strip("'")) for word in words]
    if not words or any(phones is None for phones in found):
        return None
    return [phone for phones in found if phones is not None for phone in phones]


def listed_phones(column: str) -> list[str]:
    """Return the phones of a table's column such as `DH EY0 | W ER0`, without stress."""
    return [name.rstrip("012") for name in column.replace("|", " ").split() if name.rstrip("012").isalpha()]


def align(samples: F32, phones: list[str]) -> tuple[Phone, ...] | None:
    """Return when each phone is heard in samples at 16 kHz; None if they cannot be found there."""
    decoder = _decoder()
    known = set(_phone_names())
    if not phones or any(phone not in known for phone in phones):
        return None
    pcm = np.asarray(np.clip(samples, -1.0, 1.0) * 32767.0, np.int16).tobytes()
    try:
        decoder.set_align_text(" ".join(phones))
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        segments = [(part.word, part.start_frame, part.end_frame + 1) for part in decoder.seg() or ()]
    except RuntimeError:
        return None
    spoken = [(word, start, stop) for word, start, stop in segments if word in known]
    if len(spoken) != len(phones) or len(spoken) * _SHORTEST_SHARE > sum(stop - start > 2 for _, start, stop in spoken):
        return None
    timed = [(word, start * _FRAME_S, stop * _FRAME_S) for word, start, stop in spoken]
    assert timed[-1][2] <= len(samples) / FEATURE_RATE + 0.1
    return fold(timed, "arpabet")


def _decoder() -> Any:
    """Return a decoder whose words are phones: a new one each time, since one adapts to what it has heard."""
    from pocketsphinx import Decoder

    with tempfile.TemporaryDirectory(prefix="moee-") as folder:
        path = Path(folder) / "phones.dict"
        path.write_text("".join(f"{name} {name}\n" for name in _phone_names()), encoding="ascii")
        return Decoder(hmm=str(_model() / "en-us"), dict=str(path), lm=None, samprate=FEATURE_RATE, loglevel="FATAL")


@cache
def _phone_names() -> tuple[str, ...]:
    return tuple(sorted({phone for phones in _dictionary().values() for phone in phones}))


@cache
def _dictionary() -> dict[str, list[str]]:
    """Return the first pronunciation of every word."""
    found: dict[str, list[str]] = {}
    for line in (_model() / "cmudict-en-us.dict").read_text("utf-8").splitlines():
        word, *phones = line.split()
        if "(" not in word:
            found[word] = phones
    return found


def _model() -> Path:
    from pocketsphinx import get_model_path

    return Path(get_model_path()) / "en-us"
