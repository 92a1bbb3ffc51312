"""The corpus: the same command makes the same shards, and makes no shard twice."""

import json

import numpy as np
import pytest

from moee_cli.core.errors import Unavailable
from moee_cli.core.progress import Silent
from moee_cli.training.motion import compose, corpus, espeak, shelf, synthesis
from moee_cli.training.motion.clip import read_corpus, read_manifest
from moee_cli.training.motion.corpus import Settings, make_corpus, shard_name
from moee_cli.training.motion.shelf import Shelf, Sources, find_sources

NOTHING = Sources(folder=None, flite=(), festival=(), has_espeak=False)


@pytest.fixture
def one_voice(monkeypatch, recording):
    """Let every source be one buzz, and shards be short."""
    monkeypatch.setattr(Shelf, "voices", lambda _self, *, held_out: {"flite": 1.0})
    monkeypatch.setattr(Shelf, "take", lambda _self, _source, n, _generator, *, held_out: [recording(1.2)] * n)
    monkeypatch.setattr(corpus, "CLIPS_PER_SHARD", 2)


@pytest.fixture
def settings():
    return Settings(NOTHING, hours=0.17, seed=3)


def test_a_corpus_is_made_whole(one_voice, settings, tmp_path):
    manifest = make_corpus(tmp_path / "corpus", settings, jobs=1, progress=Silent())
    read = read_manifest(tmp_path / "corpus")
    assert json.loads(json.dumps(manifest)) == {name: read[name] for name in manifest}
    assert [entry["held_out"] for entry in manifest["shards"]] == [False, True]
    clips = list(read_corpus(tmp_path / "corpus"))
    assert len(clips) == 4
    assert manifest["seconds"] == pytest.approx(sum(clip.seconds for clip in clips), abs=0.1)
    for clip in clips:
        assert clip.log_mel.shape == (len(clip), 4, 80)
        np.testing.assert_allclose(clip.emotion.sum(1), 1.0, atol=2e-3)
        assert np.isfinite(clip.motion).all()
        assert all(phone.stop <= clip.seconds + 0.5 for phone in clip.phones)
    assert str(tmp_path) not in json.dumps(manifest)


def test_the_same_settings_make_the_same_bytes(one_voice, settings, tmp_path):
    made = [make_corpus(tmp_path / name, settings, jobs=1, progress=Silent()) for name in ("a", "b")]
    assert made[0] == made[1]
    assert make_corpus(tmp_path / "c", Settings(NOTHING, 0.17, 4), jobs=1, progress=Silent()) != made[0]


def test_only_what_is_missing_is_made_again(one_voice, settings, tmp_path, monkeypatch):
    make_corpus(tmp_path, settings, jobs=1, progress=Silent())
    (tmp_path / shard_name(settings, 1)).unlink()
    made = []
    monkeypatch.setattr(corpus, "_make", lambda _f, _s, index: made.append(index) or original(_f, _s, index))
    make_corpus(tmp_path, settings, jobs=1, progress=Silent())
    assert made == [1]


original = corpus._make


def test_another_recipe_makes_other_shards(settings, monkeypatch):
    before = shard_name(settings, 0)
    monkeypatch.setattr(corpus, "recipe_hash", lambda: "another")
    assert shard_name(settings, 0) != before


def test_without_any_voice_it_says_what_to_install(settings, tmp_path):
    with pytest.raises(Unavailable, match="no speech") as caught:
        make_corpus(tmp_path / "corpus", settings, jobs=1, progress=Silent())
    assert "apt install" in caught.value.hint
    assert not (tmp_path / "corpus").exists()


def test_a_missing_source_leaves_its_share_to_the_others():
    shares = Shelf(Sources(None, ("slt", "awb"), (), has_espeak=True)).voices(held_out=False)
    assert set(shares) == {"flite", "espeak"}
    assert sum(shares.values()) == pytest.approx(1.0)


def test_idle_clips_rest(monkeypatch):
    monkeypatch.setattr(compose, "IDLE_SHARE", 1.0)
    clip = compose.make_clip(Shelf(NOTHING), np.random.default_rng(0), held_out=False)
    assert clip.phones == ()
    assert clip.motion.shape == (len(clip), 52)


@pytest.mark.skipif(not synthesis.flite_voices(), reason="flite is not installed")
def test_flite_knows_its_phones():
    said = synthesis.flite("My baby may buy a puppy.", "kal16", stretch=1.2)
    assert sum(phone.name == "bilabial" for phone in said.phones) >= 6
    assert 0.0 <= said.seconds - said.phones[-2].stop < 0.3


@pytest.mark.skipif(not synthesis.festival_voices(), reason="festival is not installed")
def test_festival_knows_its_phones():
    (said,) = synthesis.festival(['My baby "may" buy a puppy.'], synthesis.festival_voices()[0], [1.0])
    assert sum(phone.name == "bilabial" for phone in said.phones) >= 6


@pytest.mark.skipif(not espeak.is_installed(), reason="espeak-ng is not installed")
def test_espeak_closes_its_lips_where_it_is_silent():
    """Voiceless stops are silent in the phone that carries their name, and loud right after it."""
    said = espeak.espeak("Papa packt Pappe.", "de")
    stops = [phone for phone in said.phones if phone.name == "bilabial" and phone.start > 0.1]
    assert len(stops) >= 3
    for phone in stops:
        held = said.samples[int((phone.start + 0.01) * 16_000) : int((phone.stop - 0.02) * 16_000)]
        after = said.samples[int(phone.stop * 16_000) : int((phone.stop + 0.06) * 16_000)]
        assert np.sqrt(np.mean(held**2)) < 0.2 * np.sqrt(np.mean(after**2))


@pytest.mark.skipif(not espeak.is_installed(), reason="espeak-ng is not installed")
@pytest.mark.parametrize("held_out", [False, True])
def test_voices_to_validate_with_are_never_learnt_from(held_out):
    generator = np.random.default_rng(0)
    for _ in range(12):
        (said,) = Shelf(Sources(None, (), (), has_espeak=True)).take("espeak", 1, generator, held_out=held_out)
        variant = said.voice.partition("+")[2]
        language = said.voice.split()[1].partition("+")[0].partition("-")[0]
        assert (variant in shelf.HELD_OUT_VARIANTS) is held_out
        assert (language in shelf.HELD_OUT_LANGUAGES) is held_out


def test_sources_are_found_without_a_folder():
    assert find_sources(None).folder is None
