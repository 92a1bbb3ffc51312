"""All phone sets end in the same classes."""

import pytest

from moee_cli.training.motion.phones import CLASSES, CLOSURES, OPEN_VOWELS, Phone, classes_of, fold


@pytest.mark.parametrize(
    ("name", "alphabet", "classes"),
    [
        ("p", "arpabet", ("bilabial",)),
        ("AA1", "arpabet", ("open",)),
        ("ay", "arpabet", ("open", "close_front")),
        ("jh", "arpabet", ("postalveolar",)),
        ("pau", "arpabet", ("silence",)),
        ("aU", "sampa", ("open", "close_back")),
        ("_b", "sampa", ("bilabial",)),
        ("tasp", "sampa", ("glottal",)),
        (".", "sampa", ("silence",)),
        ("øː", "ipa", ("front_rounded",)),
        ("tʃ", "ipa", ("postalveolar",)),
        ("ts", "ipa", ("sibilant",)),
        ("ɐ̃ʊ̃", "ipa", ("open", "close_back")),
        ("əl", "ipa", ("central", "lateral")),
        ("ç", "ipa", ("palatal",)),
        ("dʲ", "ipa", ("alveolar",)),
        ("❓", "ipa", ("central",)),
    ],
)
def test_a_phone_has_its_classes(name, alphabet, classes):
    assert classes_of(name, alphabet) == classes


def test_a_diphthong_becomes_two_that_fill_it():
    first, second = fold([("ay", 1.0, 1.2)], "arpabet")
    assert (first.name, second.name) == ("open", "close_front")
    assert (first.start, second.stop) == (1.0, 1.2)
    assert first.stop == second.start == pytest.approx(1.12)


def test_the_release_of_a_labial_is_no_closure():
    held, released = fold([("p", 0.0, 0.1), ("!p", 0.1, 0.13)], "sampa")
    assert held.name == "bilabial"
    assert released.name not in CLOSURES


def test_measured_classes_exist():
    assert set(CLASSES) >= CLOSURES | OPEN_VOWELS


def test_phones_move_with_the_speed():
    assert Phone("open", 1.0, 2.0).moved(0.5, 0.5) == ("open", 1.0, 1.5)
