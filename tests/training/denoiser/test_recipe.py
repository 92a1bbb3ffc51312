import pytest

from moee_cli.core.errors import UsageError
from moee_cli.training.denoiser.recipe import MotionRecipe, recipe_with


def test_settings_reach_the_recipe_and_the_network():
    recipe = recipe_with(MotionRecipe(), ["base_steps=20", "rate=1e-3", "network.width=64", "network.experts=false"])
    assert (recipe.base_steps, recipe.rate, recipe.network.width, recipe.network.experts) == (20, 1e-3, 64, False)
    assert MotionRecipe.from_dict(recipe.as_dict()) == recipe


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("base_steps", "no value"),
        ("bass_steps=3", "no bass_steps"),
        ("network.wide=3", "no network.wide"),
        ("network=3", "no network"),
        ("base_steps=many", "whole number"),
        ("rate=fast", "a number"),
        ("network.experts=no", "true or false"),
    ],
)
def test_wrong_settings_are_told(setting, told):
    with pytest.raises(UsageError, match=told):
        recipe_with(MotionRecipe(), [setting])
