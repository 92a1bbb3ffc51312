"""Figures of a network that acts by the book are perfect, and those of one that does not move are not."""

import numpy as np
import pytest

from moee_cli.core.labels import CHANNEL
from moee_cli.engines.motion.poses import emotion_poses
from moee_cli.engines.motion.sampler import SamplerSettings
from moee_cli.training.denoiser import figures
from moee_cli.training.motion.phones import Phone


@pytest.fixture
def clips(clip):
    """Two clips that say `a` and `m` in turn."""
    phones = tuple(Phone("open" if i % 2 else "bilabial", 0.32 * i, 0.32 * i + 0.32) for i in range(14))
    return [type(this)(**{**vars(this), "phones": phones}) for this in (clip(0, seed=0), clip(1, seed=1))]


@pytest.fixture
def acts(monkeypatch):
    """Put a function of drives in the place of the sampler."""

    def install(act):
        monkeypatch.setattr(
            figures,
            "sample_motion",
            lambda _model, drives, _noise, _settings: [
                act(drive)[drive.before : drive.before + drive.n_frames] for drive in drives
            ],
        )

    return install


def by_the_book(drive):
    motion = drive.emotion @ emotion_poses()
    times = (drive.spans[0].start + np.arange(len(drive))) / 25.0
    motion[:, CHANNEL["jawOpen"]] = 0.5 * (times // 0.32 % 2)
    for name in ("mouthLowerDown", "mouthUpperUp"):
        motion[:, [CHANNEL[f"{name}Left"], CHANNEL[f"{name}Right"]]] = 0.0
    return motion


def test_acting_by_the_book(acts, clips):
    acts(by_the_book)
    found = figures.figures_of(None, clips, SamplerSettings())
    assert found["lips: open vowels against closures, AUC"] == 1.0
    assert found["lips: p b m closed"] == 1.0
    assert found["lips: the same, sound moved by 400 ms"] < 0.6
    assert found["emotion: told at intensity 0.5"] == found["emotion: told at intensity 1"] == 1.0
    assert found["emotion: more at 1 than at 0.5 than at 0"] == 1.0
    assert found["emotion: neutral, largest mean of a shape"] == 0.0


def test_a_face_that_does_not_move(acts, clips):
    acts(lambda drive: np.full((len(drive), 52), 0.1, np.float32))
    found = figures.figures_of(None, clips, SamplerSettings())
    assert found["lips: open vowels against closures, AUC"] == pytest.approx(0.5, abs=0.2)
    assert found["emotion: told at intensity 1"] < 0.2
    assert found["emotion: more at 1 than at 0.5 than at 0"] == 0.0
    assert found["life: thousandths of the eye distance per frame"] < 1e-6


def test_chunks_make_the_clip_again(acts, clips):
    acts(lambda drive: drive.features.pitch_hz[:, None] * drive.emotion[:, :1])
    motions = figures.perform(None, clips, SamplerSettings())
    for motion, this in zip(motions, clips, strict=True):
        np.testing.assert_allclose(motion, this.pitch_hz[:, None] * this.emotion[:, :1], rtol=1e-5)
