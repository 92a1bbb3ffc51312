"""Sampling depends on a chunk's own drive and place, whatever is sampled with it."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch

from moee_cli.core.errors import EngineUnavailable
from moee_cli.core.labels import CHANNEL, SHAPES
from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import AudioFeatures, Drive, NoiseSpan
from moee_cli.engines.base import create_engine
from moee_cli.engines.motion import sampler
from moee_cli.engines.motion.sampler import SamplerSettings, input_of, sample_motion
from moee_cli.engines.motion.spec import SPEC
from moee_cli.engines.registry import check_options
from moee_cli.engines.runtime import Runtime
from moee_cli.models.motion_denoiser import MotionConfig, MotionDenoiser
from moee_cli.models.motion_weights import load_motion_weights, weights_bytes

FILM = 130
CHUNKS = [(0, 60, 20), (48, 108, 20), (96, 130, 20)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    network = MotionDenoiser(
        MotionConfig(width=32, n_layers=2, reach=8, growth=2, n_latents=2, latent_width=16, text_width=8)
    )
    for name, parameter in network.named_parameters():
        if name.endswith(("attention.out", "modulation.weight")) or name == "out.weight":
            torch.nn.init.normal_(parameter, std=0.2)
    network.scale.fill_(0.2)
    return network.eval().requires_grad_(requires_grad=False)


def drive(start, stop, context, *, emotion=3, seed=0):
    """A chunk of a film that is always the same, with what context there is."""
    rng = np.random.default_rng(seed)
    first, last = max(0, start - context), min(FILM, stop + context)
    mel = rng.normal(-4, 1, (FILM, 4, 80)).astype(np.float32)[first:last]
    n = last - first
    weights = np.zeros((n, 7), np.float32)
    weights[:, emotion] = 1.0
    features = AudioFeatures(mel, np.zeros(n, np.float32), np.full(n, 120, np.float32), np.zeros((n, 60), np.float32))
    ones = np.ones(n, np.float32)
    spans = (NoiseSpan("line", 1, first, last),)
    return Drive(features, weights, ones, ones, 0 * ones, 15 * ones, spans, start - first, stop - start, last - stop)


def sample(model, drives, seed=1, **settings):
    return sample_motion(model, drives, NoiseSource(seed), SamplerSettings(**settings))


def test_a_chunk_alone_equals_itself_in_the_whole(model):
    drives = [drive(*chunk) for chunk in CHUNKS]
    together = sample(model, drives, audio=1.5, emotion=1.3)
    for one, whole in zip(drives, together, strict=True):
        alone = sample(model, [one], audio=1.5, emotion=1.3)[0]
        assert alone.shape == (one.n_frames, 52)
        np.testing.assert_allclose(alone, whole, atol=1e-5)


def test_shapes_keep_their_limits_and_the_seed_matters(model):
    first, again, other = (sample(model, [drive(*CHUNKS[0])], seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01
    assert first[:, : len(SHAPES)].min() >= 0.0
    assert first[:, : len(SHAPES)].max() <= 1.0
    assert first.dtype == np.float32


def test_takes_and_places_have_their_own_noise(model):
    plain = drive(*CHUNKS[0])
    other = replace(plain, spans=(replace(plain.spans[0], take=2),))
    assert np.abs(sample(model, [plain])[0] - sample(model, [other])[0]).max() > 0.01


def test_context_is_cut_where_it_no_longer_matters(model):
    """Spans of several segments are cut with it."""
    short, long = drive(48, 108, 25), drive(48, 108, 40)
    first, last = long.spans[0].start, long.spans[0].stop
    long = replace(long, spans=(replace(long.spans[0], stop=first + 20), replace(long.spans[0], start=first + 20)))
    assert long.spans[-1].stop == last
    np.testing.assert_array_equal(sample(model, [short])[0], sample(model, [long])[0])


@pytest.mark.parametrize("settings", [{"audio": 2.0}, {"emotion": 2.0}, {"steps": 20}, {"mouth_noise": 0.5}])
def test_settings_matter(model, settings):
    plain = sample(model, [drive(*CHUNKS[0])])[0]
    assert np.abs(sample(model, [drive(*CHUNKS[0])], **settings)[0] - plain).max() > 1e-3


def test_the_mouth_alone_gets_less_noise(model, monkeypatch):
    one, first = drive(*CHUNKS[0]), []
    monkeypatch.setattr(sampler, "sample_dpm_2m", lambda _denoise, x, _levels: first.append(x.numpy().copy()) or x)
    for share in (1.0, 0.5):
        sample(model, [one], mouth_noise=share)
    shares = (first[1] / first[0]).mean((0, 1))
    assert [shares[CHANNEL[name]] for name in ("jawOpen", "mouthClose", "tongueOut")] == [0.5] * 3
    assert [shares[CHANNEL[name]] for name in ("headYaw", "browInnerUp", "eyeBlinkLeft", "gazeYaw")] == [1.0] * 4


def test_guidance_to_an_emotion_does_nothing_to_neutral(model):
    plain, guided = (sample(model, [drive(*CHUNKS[0], emotion=0)], emotion=scale)[0] for scale in (1.0, 3.0))
    np.testing.assert_allclose(plain, guided, atol=1e-5)


def test_fillers_are_neutral_silence():
    given = input_of([drive(0, 60, 20), drive(96, 130, 0)])
    assert given.valid.sum(1).tolist() == [80, 34]
    assert given.weights[1, 40].tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert given.log_mel[1, 40].unique().tolist() == [-7.0]


# --- in the engine --------------------------------------------------------------------------------------------------


def engine_with(**options):
    return create_engine(SPEC, check_options(SPEC, options), Runtime())


def test_the_engine_samples_with_given_weights(model, tmp_path):
    path = tmp_path / "motion.safetensors"
    path.write_bytes(weights_bytes(model))
    options = {"weights": str(path), "steps": 4, "emotion_guidance": 1.5}
    with closing(engine_with(**options)) as engine, closing(engine_with()) as plain:
        motion = engine.sample(None, drive(*CHUNKS[0]), noise=NoiseSource(1))
        driven = plain.sample(None, drive(*CHUNKS[0]), noise=NoiseSource(1))
    wanted = sample_motion(load_motion_weights(path), [drive(*CHUNKS[0])], NoiseSource(1), SamplerSettings(4, 1.0, 1.5))
    np.testing.assert_allclose(motion, wanted[0], atol=1e-5)
    assert motion.shape == driven.shape
    assert np.abs(motion - driven).max() > 0.01


def test_weights_that_are_not_there_are_told(tmp_path):
    with pytest.raises(EngineUnavailable, match="no-such"):
        engine_with(weights=str(tmp_path / "no-such.safetensors"))
