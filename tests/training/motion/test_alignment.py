"""Forced alignment: phones are found where they are, and what cannot be found is said so."""

import numpy as np
import pytest

from moee_cli.training.motion import alignment, synthesis
from moee_cli.training.motion.alignment import align, dictionary_phones, listed_phones

needs_aligner = pytest.mark.skipif(not alignment.is_installed(), reason="pocketsphinx is not installed")


def test_a_table_lists_phones_without_stress_and_words():
    assert listed_phones("DH EY0 | W ER1") == ["DH", "EY", "W", "ER"]
    assert listed_phones("") == []


@needs_aligner
def test_words_are_looked_up():
    assert dictionary_phones("My baby!") == ["M", "AY", "B", "EY", "B", "IY"]
    assert dictionary_phones("xqzzt baby") is None
    assert dictionary_phones("") is None


@needs_aligner
@pytest.mark.skipif("rms" not in synthesis.flite_voices(), reason="flite is not installed")
def test_phones_are_found_within_a_frame():
    """flite knows its own times; 40 ms is a motion frame."""
    text = "My baby may buy a puppy."
    said = synthesis.flite(text, "rms")
    found = align(said.samples, dictionary_phones(text))
    true = [phone for phone in said.phones if phone.name != "silence"]
    assert [phone.name for phone in found][:8] == [phone.name for phone in true][:8]  # `a` has two pronunciations
    starts = np.abs([one.start - other.start for one, other in zip(found, true, strict=True)])
    assert np.median(starts) < 0.03
    assert align(said.samples, dictionary_phones(text)) == found


@needs_aligner
def test_an_unknown_phone_is_not_found():
    assert align(np.zeros(16_000, np.float32), ["ZZZ"]) is None
    assert align(np.zeros(16_000, np.float32), []) is None
