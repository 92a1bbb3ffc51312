"""`moee train`: recipes, and what is said where there is nothing to learn from."""

import pytest

from moee_cli.training.motion import corpus, shelf
from moee_cli.training.motion.shelf import Sources


@pytest.fixture
def no_voices(monkeypatch):
    monkeypatch.setattr(shelf, "find_sources", lambda _folder: Sources(None, (), (), has_espeak=False))


def test_data_makes_a_corpus_and_names_its_folder(moee, monkeypatch, tmp_path):
    def make(folder, settings, *, jobs, progress):
        progress.start("speak and act", 1, "shards")
        assert (settings.hours, settings.seed, jobs) == (0.5, 4, 2)
        return {"seconds": 1800.0, "shards": [{"voices": ["flite slt", "emodb emodb03"]}]}

    monkeypatch.setattr(corpus, "make_corpus", make)
    result = moee("train", "data", "--out", tmp_path / "c", "--hours", "0.5", "--seed", "4", "-j", "2")
    assert (result.code, result.out) == (0, f"{tmp_path / 'c'}\n")
    assert "0.50 hours in 1 shard" in result.err
    assert "emodb, flite" in result.err


def test_without_voices_it_says_what_to_install(moee, no_voices, tmp_path):
    result = moee("train", "data", "--out", tmp_path / "c")
    assert result.code == 4
    assert "apt install" in result.err


def test_a_folder_without_speech_is_an_input_error(moee, tmp_path):
    result = moee("train", "data", "--out", tmp_path / "c", "--speech", tmp_path)
    assert result.code == 3
    assert "transcripts.tsv" in result.err


def test_the_doctor_lists_missing_voices(moee, no_voices):
    result = moee("doctor")
    assert "no synthetic voices" in result.out
    assert "apt install flite" in result.out
