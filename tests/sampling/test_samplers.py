"""Samplers solve what can be solved on paper, and step like those of diffusers."""

from math import inf, log, pi, tan

import numpy as np
import pytest
import torch

from moee_cli.sampling.guidance import guess_shares, guide
from moee_cli.sampling.samplers import sample_ddim, sample_dpm_2m
from moee_cli.sampling.schedules import cosine_level, cosine_levels, even_levels, levels_of_products, mixing

MEAN, SPREAD = 3.0, 0.4
SAMPLERS = [sample_ddim, sample_dpm_2m]


def gaussian(x, level):
    """The best guess behind a noisy sample where clean ones are normal with MEAN and SPREAD."""
    alpha, sigma = mixing(level)
    return (alpha * SPREAD**2 * x + sigma**2 * MEAN) / (alpha**2 * SPREAD**2 + sigma**2)


def exact(x, level):
    """Where the probability flow leads from `x` at a level: deviations keep their rank."""
    alpha, sigma = mixing(level)
    return MEAN + SPREAD * (x - alpha * MEAN) / np.sqrt(alpha**2 * SPREAD**2 + sigma**2)


# --- levels ---------------------------------------------------------------------------------------------------------


def test_levels_rise_from_noise_to_clean():
    levels = cosine_levels(10)
    assert len(levels) == 11
    assert levels == sorted(levels)
    assert levels[-1] == inf
    assert mixing(levels[0])[0] == pytest.approx(0.0047, abs=1e-4)
    assert mixing(inf) == (1.0, 0.0)
    assert even_levels(3, -5.0, 5.0) == [-5.0, 0.0, 5.0, inf]


@pytest.mark.parametrize("level", [-300.0, -5.0, 0.0, 4.0, 299.0])
def test_power_is_one_at_every_level(level):
    alpha, sigma = mixing(level)
    assert alpha**2 + sigma**2 == pytest.approx(1.0)
    if abs(level) < 10:
        assert log(alpha / sigma) == pytest.approx(level)


def test_cosine_level_and_products_agree():
    alpha = np.cos(pi * 0.3 / 2)
    assert cosine_level(0.3) == pytest.approx(-log(tan(pi * 0.3 / 2)))
    assert levels_of_products([alpha**2]) == pytest.approx([cosine_level(0.3)])


@pytest.mark.parametrize("levels", [[], [1.0], [1.0, 0.0], [0.0, 0.0], [inf, inf]])
@pytest.mark.parametrize("sample", SAMPLERS)
def test_levels_that_do_not_rise_are_refused(sample, levels):
    with pytest.raises(ValueError, match="rise"):
        sample(gaussian, np.zeros(1), levels)
    with pytest.raises(ValueError, match="at least one"):
        cosine_levels(0)


# --- what can be solved on paper ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", SAMPLERS)
def test_gaussian_data_come_out_with_their_mean_and_spread(sample):
    x = np.random.default_rng(0).standard_normal(4000)
    found = sample(gaussian, x, cosine_levels(60))
    assert found.mean() == pytest.approx(MEAN, abs=0.02)
    assert found.std() == pytest.approx(SPREAD, rel=0.05)


@pytest.mark.parametrize(("sample", "order"), [(sample_ddim, 1), (sample_dpm_2m, 2)])
def test_error_falls_with_the_order_of_the_solver(sample, order):
    """Stops short of the clean sample, whose last step is of first order in either."""
    x = np.linspace(-2.0, 2.0, 9)
    errors = []
    for n_steps in (40, 80, 160):
        levels = even_levels(n_steps, -4.0, 3.0)[:-1]
        alpha, sigma = mixing(3.0)
        truth = alpha * MEAN + np.sqrt(alpha**2 * SPREAD**2 + sigma**2) * (exact(x, -4.0) - MEAN) / SPREAD
        errors.append(np.abs(sample(gaussian, x, levels) - truth).max())
    orders = -np.diff(np.log2(errors))
    np.testing.assert_allclose(orders, order, atol=0.2)


def test_second_order_is_better_at_ten_steps():
    x = np.linspace(-2.0, 2.0, 9)
    levels = cosine_levels(10)
    first, second = (np.abs(sample(gaussian, x, levels) - exact(x, levels[0])).max() for sample in SAMPLERS)
    assert second < 0.5 * first


def test_fresh_noise_keeps_the_spread():
    rng = np.random.default_rng(1)
    x = rng.standard_normal(4000)
    stirred = sample_ddim(gaussian, x, cosine_levels(60), eta=1.0, fresh=lambda _: rng.standard_normal(4000))
    assert stirred.mean() == pytest.approx(MEAN, abs=0.02)
    assert stirred.std() == pytest.approx(SPREAD, rel=0.08)
    assert abs(np.corrcoef(x, stirred)[0, 1]) < 0.3
    with pytest.raises(ValueError, match="fresh"):
        sample_ddim(gaussian, x, cosine_levels(5), eta=1.0)


def test_every_step_is_told():
    told = []
    sample_dpm_2m(gaussian, np.zeros(2), cosine_levels(4), on_step=lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


# --- against diffusers ----------------------------------------------------------------------------------------------


def wavy(x, level):
    """A guess that no schedule makes exact."""
    return torch.tanh(x + 0.3 * level) + 0.1 * x


def through_diffusers(scheduler, x, n_steps):
    scheduler.set_timesteps(n_steps)
    products = scheduler.alphas_cumprod[scheduler.timesteps.long()]
    levels = [*levels_of_products(products.double().tolist()), inf]
    for level, time in zip(levels, scheduler.timesteps, strict=False):
        x = scheduler.step(wavy(x, level), time, x).prev_sample
    return x, levels


@pytest.mark.parametrize("n_steps", [10, 25])
def test_steps_like_the_schedulers_of_diffusers(n_steps):
    from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

    x = torch.randn((3, 7), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ddim = DDIMScheduler(prediction_type="sample", clip_sample=False, set_alpha_to_one=True)
    dpm = DPMSolverMultistepScheduler(
        prediction_type="sample", algorithm_type="dpmsolver++", solver_order=2, final_sigmas_type="zero"
    )
    for scheduler, sample in ((ddim, sample_ddim), (dpm, sample_dpm_2m)):
        theirs, levels = through_diffusers(scheduler, x, n_steps)
        torch.testing.assert_close(sample(wavy, x, levels), theirs, rtol=1e-3, atol=1e-3)


# --- guidance -------------------------------------------------------------------------------------------------------


def test_guidance_goes_on_in_the_direction_of_each_condition():
    guesses = [np.array([0.0]), np.array([1.0]), np.array([3.0])]
    shares = guess_shares([2.0, 1.5])
    assert sum(shares) == pytest.approx(1.0)
    assert guide(guesses, shares) == pytest.approx([0.0 + 2.0 * 1.0 + 1.5 * 2.0])


def test_guesses_that_cancel_out_have_no_share():
    assert guess_shares([1.0, 1.0]) == [0.0, 0.0, 1.0]
    assert guess_shares([1.0, 3.0]) == [0.0, -2.0, 3.0]
    with pytest.raises(ValueError, match="shares"):
        guide([np.zeros(1)], [0.5, 0.5])
