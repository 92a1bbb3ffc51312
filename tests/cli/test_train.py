"""`moee train`: recipes, and what is said where there is nothing to learn from."""

import numpy as np
import pytest

from moee_cli.training.motion import corpus, shelf
from moee_cli.training.motion.clip import Clip, write_manifest, write_shard
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
    speech = tmp_path / "speech"
    told = f"error: no speech in {speech}: "
    names = [*corpus.SPEECH_TABLES, f"{corpus.SPEECH_SOUNDS}/"]
    for missing in ("there is no such folder", f"it has no {', '.join(names)}", f"it has no {', '.join(names[1:])}"):
        result = moee("train", "data", "--out", tmp_path / "c", "--speech", speech)
        assert (result.code, result.err.splitlines()[0]) == (3, told + missing)
        assert all(name in result.err.splitlines()[1] for name in names)
        (speech / names[0]).touch() if speech.is_dir() else speech.mkdir()
    assert not (tmp_path / "c").exists()


def test_the_help_names_what_recorded_voices_are(moee):
    shown = moee("train", "--help").out
    assert all(name in shown for name in (*corpus.SPEECH_TABLES, f"{corpus.SPEECH_SOUNDS}/"))


def test_the_doctor_lists_missing_voices(moee, no_voices):
    result = moee("doctor")
    assert "no synthetic voices" in result.out
    assert "apt install flite" in result.out


# --- motion ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    generator = np.random.default_rng(0)
    shapes = {"log_mel": (4, 80), "energy_db": (), "pitch_hz": (), "motion": (52,), "emotion": (7,), "controls": (4,)}
    clips = [
        Clip(
            **{name: generator.random((50, *shape), dtype=np.float32) for name, shape in shapes.items()},
            phones=(), voice="drawn", held_out=held_out,
        )
        for held_out in (False, True)
    ]  # fmt: skip
    checksum = write_shard(folder / "a.npz", clips)
    write_manifest(folder, {"shards": [{"file": "a.npz", "sha256": checksum}]})
    return folder


SMALL = ["base_steps=2", "expert_steps=1", "mixture_steps=1", "batch=2", "frames=20", "network.width=16"]
SETS = [word for setting in SMALL for word in ("--set", setting)]


def test_motion_trains_and_goes_on(moee, small_corpus, tmp_path):
    out = tmp_path / "run"
    result = moee("train", "motion", "--data", small_corpus, "--out", out, *SETS)
    assert (result.code, result.out) == (0, f"{out / 'motion.safetensors'}\n")
    assert "base 2/2: loss" in result.err
    assert "held-out voices" in result.err
    assert "emotion: told at intensity 1: " in result.err
    assert "emotion: neutral, largest mean of a shape" in (out / "figures.json").read_text("utf-8")
    assert moee("train", "motion", "--data", small_corpus, "--out", out, *SETS).code == 3
    assert moee("train", "motion", "--data", small_corpus, "--out", out, "--resume", *SETS).code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["motion"], "--data"),
        (["motion", "--data", "c", "--speech", "s"], "--speech"),
        (["data", "--resume"], "--resume"),
        (["motion", "--data", "c", "--set", "bass_steps=2"], "bass_steps"),
    ],
)
def test_options_of_the_other_recipe_are_told(moee, tmp_path, arguments, told):
    result = moee("train", *arguments, "--out", tmp_path / "x")
    assert result.code == 2
    assert told in result.err


def test_motion_without_a_corpus_is_an_input_error(moee, tmp_path):
    for folder, told in ((tmp_path, "it has no manifest.json"), (tmp_path / "no", "there is no such folder")):
        result = moee("train", "motion", "--data", folder, "--out", tmp_path / "x")
        assert result.code == 3
        assert f"error: no corpus in {folder}: {told}" in result.err
        assert "moee train data" in result.err
