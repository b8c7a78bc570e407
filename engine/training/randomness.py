"""Random streams, one per purpose, and the state of the global generators."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
import torch


def stream(seed: int, purpose: str) -> int:
    """Derives a seed for a purpose ("order", "augmentation", ...) from a trial's seed.

    Hashed, because trials with consecutive seeds must not share a stream.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, purpose: str) -> torch.Generator:
    """Makes a CPU generator on the stream of `purpose`."""
    return torch.Generator().manual_seed(stream(seed, purpose))


def global_state(device: torch.device) -> dict[str, Any]:
    """The state of every global generator: torch's on the CPU and `device`, Python's, numpy's.

    Contains only tensors and plain values, so that a checkpoint loads with `weights_only=True`.
    """
    numpy_state = np.random.get_state(legacy=False)
    assert isinstance(numpy_state, dict)
    numpy_state["state"]["key"] = numpy_state["state"]["key"].tolist()
    state: dict[str, Any] = {
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": numpy_state,
    }
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def set_global_state(state: dict[str, Any], device: torch.device) -> None:
    """Restores what `global_state` returned."""
    torch.set_rng_state(state["torch"])
    random.setstate(state["python"])
    inner = state["numpy"]["state"]
    key = np.array(inner["key"], dtype=np.uint32)
    np.random.set_state({**state["numpy"], "state": {**inner, "key": key}})
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    elif device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])


def seed_globally(seed: int, device: torch.device) -> None:
    """Seeds every generator whose state `global_state` has, and no other.

    `torch.manual_seed` would also seed other devices, at once or when they are first used.
    """
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
