"""Shards: what is written is what is read, equal clips give equal bytes, and damage is said in one line."""

import numpy as np
import pytest

from moee_cli.core.errors import InputError
from moee_cli.core.labels import N_EMOTIONS, N_MOTION
from moee_cli.training.motion.clip import (
    Clip,
    checksum,
    read_corpus,
    read_manifest,
    read_shard,
    write_manifest,
    write_shard,
)  # fmt: skip
from moee_cli.training.motion.phones import Phone


def a_clip(n_frames=30, *, seed=0, held_out=False):
    generator = np.random.default_rng(seed)
    values = {
        name: generator.random((n_frames, *shape), dtype=np.float32)
        for name, shape in {
            "log_mel": (4, 80), "energy_db": (), "pitch_hz": (), "motion": (N_MOTION,), "emotion": (N_EMOTIONS,),
            "controls": (4,),
        }.items()
    }  # fmt: skip
    phones = (Phone("bilabial", 0.25, 0.5), Phone("open", 0.5, 0.75))
    return Clip(**values, phones=phones, voice="drawn one", held_out=held_out)


def test_a_shard_holds_its_clips(tmp_path):
    clips = [a_clip(30), a_clip(7, seed=1, held_out=True)]
    write_shard(tmp_path / "a.npz", clips)
    for written, read in zip(clips, read_shard(tmp_path / "a.npz"), strict=True):
        assert (read.phones, read.voice, read.held_out) == (written.phones, written.voice, written.held_out)
        for name in ("log_mel", "energy_db", "pitch_hz", "motion", "emotion", "controls"):
            assert getattr(read, name).dtype == np.float32
            np.testing.assert_allclose(getattr(read, name), getattr(written, name), atol=5e-4)


def test_equal_clips_give_equal_bytes(tmp_path):
    first = write_shard(tmp_path / "a.npz", [a_clip()])
    assert write_shard(tmp_path / "b.npz", [a_clip()]) == first == checksum(tmp_path / "b.npz")
    assert write_shard(tmp_path / "c.npz", [a_clip(seed=1)]) != first


def test_a_clip_without_phones_is_kept(tmp_path):
    clip = a_clip()
    write_shard(tmp_path / "a.npz", [Clip(**{**vars(clip), "phones": ()})])
    assert read_shard(tmp_path / "a.npz")[0].phones == ()


@pytest.mark.parametrize("content", [b"", b"no shard", b"PK\x03\x04 cut off"])
def test_a_damaged_shard_is_said_so(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match="cannot read") as caught:
        read_shard(tmp_path / "a.npz")
    assert "\n" not in caught.value.message


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", lengths=np.array([{}], dtype=object))
    with pytest.raises(InputError):
        read_shard(tmp_path / "a.npz")


def test_a_corpus_is_read_by_its_manifest(tmp_path):
    write_shard(tmp_path / "a.npz", [a_clip(), a_clip(seed=1)])
    write_shard(tmp_path / "b.npz", [a_clip(seed=2, held_out=True)])
    shards = [{"file": "a.npz", "held_out": False}, {"file": "b.npz", "held_out": True}]
    write_manifest(tmp_path, {"shards": shards})
    assert len(list(read_corpus(tmp_path))) == 3
    assert [clip.held_out for clip in read_corpus(tmp_path, held_out=True)] == [True]
    assert len(list(read_corpus(tmp_path, held_out=False))) == 2


def test_no_manifest_and_a_foreign_one_are_said_so(tmp_path):
    with pytest.raises(InputError, match="no corpus"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(InputError, match="another version"):
        read_manifest(tmp_path)
