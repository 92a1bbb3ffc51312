"""Training learns, goes on where it stopped, and changes in each stage what it should and nothing else."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from moee_cli.core.errors import InputError, OutputError
from moee_cli.core.labels import CHANNEL
from moee_cli.core.noise import NoiseSource
from moee_cli.core.types import AudioFeatures, Drive, NoiseSpan
from moee_cli.engines.motion.sampler import SamplerSettings, sample_motion
from moee_cli.models.motion_weights import load_motion_weights, weights_facts
from moee_cli.training.denoiser.batches import MotionCorpus
from moee_cli.training.denoiser.checkpoint import STATE_FILE
from moee_cli.training.denoiser.loop import WEIGHTS_FILE, Training, rate_at, train_motion
from moee_cli.training.denoiser.losses import channel_weights, motion_loss
from moee_cli.training.denoiser.stages import base_parameters


class Stopped(Exception):
    """The power fails."""


class Unplugged:
    """Progress that stops the training at its n-th step."""

    def __init__(self, after):
        self.left = after

    def start(self, stage, total=None, unit="frames"):
        pass

    def advance(self, n=1):
        self.left -= 1
        if not self.left:
            raise Stopped

    def warn(self, message):
        pass

    def event(self, name, **fields):
        pass


# --- loss and rate --------------------------------------------------------------------------------------------------


def test_loss_counts_position_and_change():
    wanted = torch.zeros(1, 4, 52)
    valid = torch.ones(1, 4, dtype=torch.bool)
    weights = channel_weights(1.0)
    assert motion_loss(wanted + 0.5, wanted, valid, weights, 2.0) == pytest.approx(0.25)
    stairs = torch.arange(4.0)[None, :, None].expand(1, 4, 52)
    assert motion_loss(stairs, wanted, valid, weights, 2.0) == pytest.approx((0 + 1 + 4 + 9) / 4 + 2.0)
    valid[:, 2:] = False
    assert motion_loss(stairs, wanted, valid, weights, 2.0) == pytest.approx(0.5 + 2.0)


def test_speech_counts_less_for_experts():
    weights = channel_weights(0.1)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[CHANNEL["jawOpen"]] == pytest.approx(0.1 * weights[CHANNEL["mouthSmileLeft"]])


def test_rate_rises_and_falls():
    rates = [rate_at(step, 1000) for step in range(1000)]
    assert rates[0] < 0.02
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) < 150
    assert rates[-1] < 0.06


# --- stages ---------------------------------------------------------------------------------------------------------


def changed_parts(before, after):
    return {name for name, tensor in after.state_dict().items() if not torch.equal(tensor, before.state_dict()[name])}


@pytest.fixture
def stages(recipe, corpus, tmp_path):
    """The networks after each stage."""
    networks = [Training.new(recipe, corpus).average]
    for number, steps in enumerate(({"expert_steps": 0, "mixture_steps": 0}, {"mixture_steps": 0}, {})):
        out = tmp_path / str(number)
        train_motion(replace(recipe, **steps), corpus, None, out)
        networks.append(Training.read(out).average)
    return networks


def test_each_stage_changes_its_own_part(stages):
    base, experts, gates = (changed_parts(*pair) for pair in pairwise(stages))
    assert base
    assert not any("experts" in name or name.startswith("latents.") for name in base)
    assert {"silence", "audio.hops.weight", "layers.0.attention.bias"} <= base
    assert experts
    assert all("experts" in name or name.startswith("latents.") for name in experts)
    assert not any(".overall." in name for name in experts)
    assert gates
    assert all(".overall." in name or ".local." in name or name.startswith("latents.") for name in gates)


@pytest.mark.parametrize(
    "switch", [{"experts": False}, {"global_gate": False}, {"local_gate": False}, {"gate": "learned"}]
)
def test_ablations_train(recipe, corpus, tmp_path, switch):
    switched = replace(recipe, network=replace(recipe.network, **switch), base_steps=1, expert_steps=2)
    path = train_motion(switched, corpus, None, tmp_path / "run")
    assert load_motion_weights(path).config == switched.network


def test_variants_share_a_base(recipe, corpus, tmp_path):
    train_motion(replace(recipe, expert_steps=0, mixture_steps=0), corpus, None, tmp_path / "base")
    lone = replace(recipe, network=replace(recipe.network, experts=False))
    train_motion(lone, corpus, None, tmp_path / "lone", base=tmp_path / "base")
    first, second = (Training.read(tmp_path / name).average for name in ("base", "lone"))
    for one, other in zip(base_parameters(first), base_parameters(second), strict=True):
        assert torch.equal(one, other)
    assert next(second.mixtures()).attention.out.abs().sum() > 0


def test_a_base_that_does_not_fit_is_told(recipe, corpus, tmp_path):
    out = tmp_path / "new"
    with pytest.raises(InputError, match=STATE_FILE):
        train_motion(recipe, corpus, None, out, base=tmp_path)
    with pytest.raises(Stopped):
        train_motion(recipe, corpus, None, tmp_path / "begun", progress=Unplugged(2), save_every=0.0)
    with pytest.raises(InputError, match="not finished"):
        train_motion(recipe, corpus, None, out, base=tmp_path / "begun")
    train_motion(replace(recipe, base_steps=1, expert_steps=0, mixture_steps=0), corpus, None, tmp_path / "done")
    for change in ({"width": 48}, {"n_layers": 2}):
        wide = replace(recipe, network=replace(recipe.network, **change))
        with pytest.raises(InputError, match="base of"):
            train_motion(wide, corpus, None, out, base=tmp_path / "done")
    assert not out.exists()


# --- going on -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [3, 8, 12])
def test_an_interrupted_training_ends_as_an_undisturbed_one(recipe, corpus, tmp_path, after):
    whole = train_motion(recipe, corpus, corpus, tmp_path / "whole")
    with pytest.raises(Stopped):
        train_motion(recipe, corpus, corpus, tmp_path / "cut", progress=Unplugged(after), save_every=0.0)
    cut = train_motion(recipe, corpus, corpus, tmp_path / "cut", resume=True, save_every=0.0)
    assert whole.read_bytes() == cut.read_bytes()


def test_a_folder_with_a_training_is_not_overwritten(recipe, corpus, tmp_path):
    short = replace(recipe, base_steps=1, expert_steps=0, mixture_steps=0)
    train_motion(short, corpus, None, tmp_path)
    with pytest.raises(OutputError, match="holds a training"):
        train_motion(short, corpus, None, tmp_path)
    with pytest.raises(InputError, match=r"rate 0\.0008 to 0\.1"):
        train_motion(replace(short, rate=0.1), corpus, None, tmp_path, resume=True)
    train_motion(short, corpus, None, tmp_path, resume=True)


@pytest.mark.parametrize("content", [b"", b"junk", b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_damaged_checkpoint_is_told(recipe, corpus, tmp_path, content):
    (tmp_path / STATE_FILE).write_bytes(content)
    with pytest.raises(InputError, match=STATE_FILE):
        train_motion(recipe, corpus, None, tmp_path, resume=True)


def test_reports_and_facts(recipe, corpus, tmp_path):
    reports = []
    path = train_motion(recipe, corpus, corpus, tmp_path, on_report=reports.append, facts={"corpus": "made"})
    assert [report.stage for report in reports] == ["base", "experts", "mixtures"]
    assert all(np.isfinite([report.loss, report.held_out]).all() for report in reports)
    assert path.name == WEIGHTS_FILE
    assert weights_facts(path)["corpus"] == "made"


# --- learning -------------------------------------------------------------------------------------------------------


def drive_of(clip):
    spans = (NoiseSpan("line", 1, 0, len(clip.motion)),)
    features = AudioFeatures(clip.log_mel, clip.energy_db, clip.pitch_hz, np.zeros((len(clip.motion), 60), np.float32))
    controls = clip.controls.T
    return Drive(features, clip.emotion, *controls, spans, 0, len(clip.motion), 0)


@pytest.mark.slow
def test_a_small_network_learns_what_a_small_corpus_says(recipe, clip, tmp_path):
    clips = [clip(emotion, seed=emotion, n_frames=60) for emotion in (0, 1, 3)]
    steps = {"base_steps": 200, "expert_steps": 100, "mixture_steps": 10, "batch": 8}
    learnt = replace(
        recipe, **steps, rate=5e-3, expert_rate=5e-3, decay=0.97, foreign=0.0, withheld=0.1, articulation=1.0
    )
    model = load_motion_weights(train_motion(learnt, MotionCorpus(clips, 40), None, tmp_path))
    drives = [drive_of(this) for this in clips]
    sampled = sample_motion(model, drives, NoiseSource(1), SamplerSettings())
    jaw, smile, brow = CHANNEL["jawOpen"], CHANNEL["mouthSmileLeft"], CHANNEL["browDownLeft"]
    for motion, this in zip(sampled, clips, strict=True):
        assert np.corrcoef(motion[:, jaw], this.motion[:, jaw])[0, 1] > 0.9
    smiles, brows = (np.array([motion[:, channel].mean() for motion in sampled]) for channel in (smile, brow))
    np.testing.assert_allclose(smiles, [0.0, 0.8, 0.0], atol=0.15)
    np.testing.assert_allclose(brows, [0.0, 0.0, 0.8], atol=0.15)
