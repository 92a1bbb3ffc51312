"""How the motion network is trained: everything that may be set, in one frozen value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from moee_cli.core.errors import UsageError
from moee_cli.core.suggest import did_you_mean
from moee_cli.models.motion_denoiser import MotionConfig


@dataclass(frozen=True)
class MotionRecipe:
    """Three stages, after MoEE (arXiv 2501.01808).

    `base`: a talking face at an intensity, without experts, on all clips. `experts`: each on its own emotion, the base
    frozen. `mixtures`: gates and latents on everything, the rest frozen.
    """

    network: MotionConfig = field(default_factory=MotionConfig)
    base_steps: int = 8000
    expert_steps: int = 3000
    mixture_steps: int = 1000
    batch: int = 32
    """Windows per step."""
    frames: int = 100
    """Motion frames per window."""
    rate: float = 8e-4
    """Learning rate of the base at its highest."""
    expert_rate: float = 5e-4
    """Learning rate of the later stages at its highest."""
    velocity: float = 2.0
    """Weight of the error of frame-to-frame change."""
    articulation: float = 0.1
    """Weight of the channels that speak while experts learn: they are to learn expression and not lip shapes."""
    foreign: float = 0.2
    """Share of windows of another emotion, or of none, that an expert is trained on (masked noisy sampling)."""
    withheld: float = 0.1
    """Share of windows whose sound is withheld, for guidance."""
    decay: float = 0.999
    """Of the moving average of the weights, which is what is kept."""
    seed: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for a file."""
        return asdict(self)

    @staticmethod
    def from_dict(values: dict[str, Any]) -> MotionRecipe:
        """Return the recipe of plain values."""
        return MotionRecipe(**{**values, "network": MotionConfig(**values["network"])})


def recipe_with(recipe: MotionRecipe, settings: Sequence[str]) -> MotionRecipe:
    """Return the recipe with settings like `base_steps=2000` or `network.width=96` applied.

    Raises:
        UsageError: a setting names nothing, or its value does not fit.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f'--set: "{setting}" has no value', "write KEY=VALUE, as in base_steps=2000")
        if key.startswith("network."):
            network = _with(recipe.network, key.removeprefix("network."), text, key)
            recipe = replace(recipe, network=network)
        else:
            recipe = _with(recipe, key, text, key)
    return recipe


def _with(owner: Any, name: str, text: str, key: str) -> Any:
    known = [item.name for item in fields(owner) if item.name != "network"]
    if name not in known:
        raise UsageError(f"--set: there is no {key}", f"{did_you_mean(name, known)}there are {', '.join(known)}")
    try:
        value = _read(type(getattr(owner, name)), text)
    except ValueError:
        kind = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
        wanted = kind[type(getattr(owner, name))]
        raise UsageError(f'--set {key}: "{text}" is not {wanted}', f"the default is {getattr(owner, name)}") from None
    return replace(owner, **{name: value})


def _read(kind: type, text: str) -> bool | int | float | str:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    value: int | float | str = kind(text)
    return value
