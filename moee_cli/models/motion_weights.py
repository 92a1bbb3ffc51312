"""The file of a motion network: safetensors in half precision, with what is needed to build it in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from moee_cli.core.errors import EngineUnavailable
from moee_cli.models.motion_denoiser import MotionConfig, MotionDenoiser

FORMAT = "moee-motion-1"
_HINT = "give a file that `moee train motion` wrote, or leave `weights` out"


def weights_bytes(model: MotionDenoiser, facts: Mapping[str, str] | None = None) -> bytes:
    """Return the content of a weights file; `facts` (recipe, data, figures) go into its header."""
    tensors = {name: tensor.detach().to("cpu", torch.float16) for name, tensor in model.state_dict().items()}
    for name in ("mean", "scale"):  # small, and what every channel is measured in
        tensors[name] = getattr(model, name).detach().to("cpu", torch.float32)
    tensors = {name: tensor.contiguous() for name, tensor in sorted(tensors.items())}
    config = json.dumps(model.config.as_dict(), sort_keys=True)
    return tidy(save(tensors, {**(facts or {}), "format": FORMAT, "config": config}))


def tidy(content: bytes) -> bytes:
    """Return a safetensors file with its header in order, since the library writes it in any: same weights, same bytes.

    Source of the layout: 8 bytes length of the header, little endian; JSON, filled up with spaces; data.
    """
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:start]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[start:]


def load_motion_weights(path: Path) -> MotionDenoiser:
    """Return the network of a weights file, in single precision, ready to guess.

    Raises:
        EngineUnavailable: the file is missing or no such file.
    """
    if not path.is_file():
        raise EngineUnavailable(f"there is no weights file {path}", _HINT)
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise EngineUnavailable(f"{path}: these are no weights of the motion engine", _HINT)
            model = MotionDenoiser(MotionConfig(**json.loads(header["config"])))
            model.load_state_dict({name: file.get_tensor(name).float() for name in file.keys()})  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise EngineUnavailable(f"cannot read the weights {path}: {str(error).splitlines()[0]}", _HINT) from error
    return model.eval().requires_grad_(requires_grad=False)


def weights_facts(path: Path) -> dict[str, str]:
    """Return the header of a weights file: its format, config, and what training noted.

    Raises:
        EngineUnavailable: the file is missing or no such file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise EngineUnavailable(f"cannot read the weights {path}: {str(error).splitlines()[0]}", _HINT) from error
