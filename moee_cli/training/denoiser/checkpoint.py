"""The state of a training on disk: one file that stands complete or not at all, tensors with a JSON header.

Nothing is pickled, so a checkpoint from elsewhere can do no harm.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.optim import Optimizer

from moee_cli.core.errors import InputError
from moee_cli.store.atomic import write_bytes

STATE_FILE = "state.safetensors"
FORMAT = "moee-training-1"


def write_state(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write the state of a training.

    Raises:
        OutputError, EnvironmentFailed: it cannot be written; the one before still stands.
    """
    flat = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    write_bytes(folder / STATE_FILE, save(flat, {"format": FORMAT, "facts": json.dumps(facts)}))


def read_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors and facts of the training in a folder.

    Raises:
        InputError: there is none, or it is damaged or of another version.
    """
    path = folder / STATE_FILE
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise InputError(f"{path} is of another version", "start anew in another folder")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            return tensors, json.loads(header["facts"])
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"cannot read {path}: {told}", "start anew in another folder, or without --resume") from error


def optimizer_tensors(optimizer: Optimizer) -> dict[str, Tensor]:
    """Return the moments of an optimizer under flat names."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": value for index, moments in state.items() for key, value in moments.items()}


def restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put moments back that `optimizer_tensors` took from an optimizer of the same parameters."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors under `prefix.name`."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def under_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of `prefix.name` under their names."""
    return {name[len(prefix) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}.")}
