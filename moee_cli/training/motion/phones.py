"""Every phone set folds to one: classes of what the face does, whatever the language.

Speech sources name their phones in ARPAbet (flite, festival, dictionaries), in EmoDB's SAMPA or in IPA (espeak-ng). All
are written in IPA first; then each letter has one class. Classes group what looks alike, so that the teacher knows one
posture for each (visemes; Fisher, "Confusions among visually perceived consonants", JSHR 1968).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple

Alphabet = Literal["arpabet", "sampa", "ipa"]

_LETTERS: Mapping[str, str] = {
    "bilabial": "p b m ɓ ɸ β ʙ",
    "labiodental": "f v ʋ ɱ",
    "dental": "θ ð",
    "sibilant": "s z",
    "postalveolar": "ʃ ʒ ɕ ʑ ʂ ʐ ɧ",
    "alveolar": "t d n ɾ r ɖ ʈ ɳ ɗ",
    "lateral": "l ɭ ʎ ɫ ʟ ɬ ɽ",
    "velar": "k g ɡ ŋ x ɣ q χ ʁ ʀ ɢ ɴ",
    "rhotic": "ɹ ɻ ɚ ɝ",
    "labial_glide": "w ʍ ɥ",
    "palatal": "j ç c ɟ ɲ ʝ",
    "glottal": "h ɦ ʔ ħ ʕ",
    "close_front": "i ɪ ɨ",
    "mid_front": "e ɛ",
    "open_front": "æ",
    "open": "a ɑ ʌ ɒ ɐ",
    "central": "ə ɜ ɘ ᵻ ɤ ɯ",
    "mid_back": "o ɔ ɵ",
    "close_back": "u ʊ ʉ",
    "front_rounded": "y ø œ ʏ ɞ",
}
CLASSES = ("silence", *_LETTERS)
"""Classes of articulation; a phone of a clip is named by one."""
CLASS: Mapping[str, int] = {name: index for index, name in enumerate(CLASSES)}
_CLASS_OF_LETTER = {letter: name for name, letters in _LETTERS.items() for letter in letters.split()}

VOWELS = frozenset(
    {"close_front", "mid_front", "open_front", "open", "central", "mid_back", "close_back", "front_rounded"}
)
OPEN_VOWELS = frozenset({"open", "open_front"})
"""What counts as an open vowel when lips are measured."""
CLOSURES = frozenset({"bilabial"})
"""What shuts the lips."""
FRONT_SHARE = 0.6
"""Share of a diphthong that its first vowel takes (as in benchmarks/fit_visemes.py)."""

_ARPABET: Mapping[str, str] = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b", "ch": "tʃ",
    "d": "d", "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "əl", "em": "əm", "en": "ən", "er": "ɚ", "ey": "eɪ", "f": "f",
    "g": "ɡ", "hh": "h", "hv": "h", "h": "h", "ih": "ɪ", "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n",
    "ng": "ŋ", "nx": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ",
    "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ", "ia": "iə", "ua": "uə", "ea": "ɛə",
}  # fmt: skip
_SAMPA: Mapping[str, str] = {
    "A": "ɑ", "AO": "ɑɔ", "AU": "aʊ", "B": "β", "C": "ç", "D": "ð", "E": "ɛ", "E6": "ɛɐ", "@E": "əɛ", "G": "ɣ",
    "I": "ɪ", "I6": "ɪɐ", "I@": "ɪə", "L": "l", "N": "ŋ", "NN": "ŋ", "O": "ɔ", "OU": "ɔʊ", "OY": "ɔɪ", "@O": "əɔ",
    "R": "ʁ", "S": "ʃ", "U": "ʊ", "V": "ʋ", "X": "χ", "Y": "ʏ", "Y6": "ʏɐ", "6": "ɐ", "@": "ə", "@6": "ɐ", "a": "a",
    "a6": "aɐ", "aI": "aɪ", "aO": "aɔ", "aU": "aʊ", "b": "b", "d": "d", "e": "e", "f": "f", "g": "ɡ", "h": "h",
    "i": "i", "i6": "iɐ", "i@": "iə", "ia": "ia", "j": "j", "k": "k", "l": "l", "m": "m", "n": "n", "o": "o", "p": "p",
    "s": "s", "ss": "s", "t": "t", "u": "u", "v": "v", "x": "x", "y": "y", "z": "z", "?": "ʔ",
}  # fmt: skip
_SILENT = frozenset({"pau", "sil", "SIL", "#", "h#", ".", "", "_", "(en)"})
_AFFRICATES = ("ʃ", "ʒ", "s", "z", "ɕ", "ʑ", "ʂ", "ʐ")
"""What turns a t or d before it into one sound with itself."""


class Phone(NamedTuple):
    """One class of articulation and when it is heard, in seconds."""

    name: str
    start: float
    stop: float

    def moved(self, seconds: float, scale: float = 1.0) -> Phone:
        """Return the phone `seconds` later, after its times were multiplied by `scale`."""
        return Phone(self.name, self.start * scale + seconds, self.stop * scale + seconds)


@cache
def classes_of(name: str, alphabet: Alphabet) -> tuple[str, ...]:
    """Return the classes a phone passes through, most often one; a name nobody knows is `central`."""
    if name in _SILENT:
        return ("silence",)
    if alphabet == "arpabet":
        ipa = _ARPABET.get(name.rstrip("012").lower())
    elif alphabet == "sampa":
        # `_t` is a partly devoiced stop, `!t` its release, `tasp` the breath after it (the corpus's own notes).
        ipa = "h" if name.endswith("asp") else _SAMPA.get(name.lstrip("_!"))
    else:
        ipa = name
    return _classes(ipa) if ipa else ("central",)


def fold(spoken: Sequence[tuple[str, float, float]], alphabet: Alphabet) -> tuple[Phone, ...]:
    """Return phones of the common set for (name, start, stop) of another one; diphthongs become two."""
    folded: list[Phone] = []
    for name, start, stop in spoken:
        classes = classes_of(name, alphabet)
        if alphabet == "sampa" and name.startswith("!") and classes == ("bilabial",):
            classes = ("glottal",)  # the lips have parted: the release is not the closure
        edges = _edges(start, stop, len(classes))
        folded += [Phone(kind, *edge) for kind, edge in zip(classes, edges, strict=True)]
    return tuple(phone for phone in folded if phone.stop > phone.start)


def _edges(start: float, stop: float, n: int) -> list[tuple[float, float]]:
    """Return `n` stretches that fill a phone; the first of several takes `FRONT_SHARE`."""
    if n == 1:
        return [(start, stop)]
    shares = [FRONT_SHARE] + [(1.0 - FRONT_SHARE) / (n - 1)] * (n - 1)
    edges, at = [], start
    for share in shares:
        edges.append((at, at + share * (stop - start)))
        at = edges[-1][1]
    return edges


@cache
def _classes(ipa: str) -> tuple[str, ...]:
    letters = [letter for letter in unicodedata.normalize("NFD", ipa) if not unicodedata.combining(letter)]
    found: list[str] = []
    for index, letter in enumerate(letters):
        kind = _CLASS_OF_LETTER.get(letter)
        follows = letters[index + 1] if index + 1 < len(letters) else ""
        if kind is None or (letter in "td" and follows in _AFFRICATES):
            continue
        if not found or found[-1] != kind:
            found.append(kind)
    return tuple(found) or ("central",)
