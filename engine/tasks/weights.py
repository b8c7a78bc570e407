"""Weights in files: opening them without running code, and finding the state dict in them."""

from __future__ import annotations

import argparse
import os
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import open_regular
from clr_tui.engine.words import many, type_in_words

_USUAL = ("state_dict", "model", "model_state_dict", "model_state", "net", "network", "weights")
"""What training scripts call a model's state dict in a checkpoint, the most frequent first."""
_SCALAR = np.float64(0).__reduce__()[0]
_SAFE: list[Any] = [
    argparse.Namespace,
    np.dtype,
    *{type(np.dtype(name)) for name in ("bool", "int32", "int64", "float32", "float64")},
    (_SCALAR, "numpy.core.multiarray.scalar"),  # in files of numpy 1
    (_SCALAR, "numpy._core.multiarray.scalar"),
]
"""What is opened besides torch's own types: the arguments that checkpoints of timm and of
torchvision's scripts hold, and numpy's numbers, such as a best accuracy. None runs code."""
_HEADER_BYTES = 8
"""A .safetensors file begins with the length of its header, a JSON object."""
_HARMLESS_BYTES = 1 << 28
"""What a file may unpack to, however small it is."""
_MAX_DEPTH = 8
"""Dicts within one another in which a state dict is looked for."""


@dataclass(frozen=True)
class Weights:
    """A state dict, on the CPU, and what the file says about it."""

    name: str
    """Its name in messages: its path, or "imagenet"."""
    state: Mapping[str, Tensor]
    model: str = ""
    """The model's name, if a run of clr-tui wrote them."""
    classes: tuple[str, ...] = ()
    """The classes of that run."""
    mean: tuple[float, ...] = ()
    """The normalisation of that run's images, one value per channel; 1 is white."""
    std: tuple[float, ...] = ()


def read_weights(path: Path) -> Weights:
    """Reads a checkpoint of clr-tui, or whatever holds a state dict.

    That is: a state dict itself, a dict that holds one under any name, and a .safetensors file.
    Nothing is unpickled but tensors and plain values.

    Raises:
        UserError: the file is missing or holds no state dict; the sentence says what it holds
            (field "weights").
    """
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            start = file.read(_HEADER_BYTES + 1)
            file.seek(0)
            if start[_HEADER_BYTES:] == b"{":
                return Weights(str(path), _safetensors(file.read()))
            _refuse_bomb(file, path)
            with torch.serialization.safe_globals(_SAFE):
                found = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"no weights file '{path}'", "weights") from None
    except UserError:
        raise
    # torch.load may raise anything on a file that is not its own.
    except Exception as error:
        raise UserError(f"'{path}' {_why_unreadable(str(error))}", "weights") from error
    state = _state_dict(found, {})
    if state is None:
        raise UserError(
            f"'{path}' holds no state dict, but {_contents(found)}: give one, written by"
            " torch.save(model.state_dict(), ...)",
            "weights",
        )
    _refuse_empty_space(state, path)
    return Weights(str(path), state, **_of_our_run(found))


def _refuse_bomb(file: IO[bytes], path: Path) -> None:
    """Refuses an archive that unpacks to more than its size: torch packs, but does not compress.

    Raises:
        UserError: it does, and to much (field "weights").
    """
    size = os.fstat(file.fileno()).st_size
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError):  # no archive: as torch will see
        unpacked = 0
    file.seek(0)
    if unpacked > max(size, _HARMLESS_BYTES):
        raise UserError(
            f"'{path}' would unpack from {_megabytes(size)} to {_megabytes(unpacked)}: a file that"
            " torch.save has written is not compressed, and this one was not read",
            "weights",
        )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _refuse_empty_space(state: Mapping[str, Tensor], path: Path) -> None:
    """Refuses tensors that repeat a few stored values: any use would write them all out."""
    for name, tensor in state.items():
        count = tensor.numel() * tensor.element_size()
        if tensor.layout != torch.strided or (
            count > max(_HARMLESS_BYTES, tensor.untyped_storage().nbytes())
        ):
            raise UserError(
                f"'{path}' holds '{name}' {tuple(tensor.shape)} without all of its values:"
                " give one with whole tensors, written by torch.save(model.state_dict(), ...)",
                "weights",
            )


def _safetensors(content: bytes) -> dict[str, Tensor]:
    try:
        from safetensors.torch import load
    except ImportError:
        raise UserError(
            "reading .safetensors needs the package safetensors: pip install safetensors", "weights"
        ) from None
    state: dict[str, Tensor] = load(content)
    return state


def _why_unreadable(error: str) -> str:
    save = "torch.save(model.state_dict(), ...)"
    if "TorchScript" in error:
        return f"is a TorchScript archive: give a state dict, written by {save}"
    found = re.search(r"Unsupported global: GLOBAL (\S+)", error)
    if not found:
        return f"cannot be read as weights: give a state dict, written by {save}, or .safetensors"
    what = "a whole model" if found[1].startswith("torch.nn.") else "Python objects"
    return (
        f"holds {what} ({found[1]}), which could run code when opened: give one written by {save}"
    )


_Known = dict[int, "dict[str, Tensor] | None"]
"""The state dict in each dict that was looked into, by its `id`."""


def _state_dict(found: object, known: _Known, depth: int = 0) -> dict[str, Tensor] | None:
    """The state dict in a file's content: itself, or the most likely of those that it holds."""
    # A file may hold a dict in itself, and one in so many others that to follow all takes for ever.
    if not isinstance(found, Mapping) or depth > _MAX_DEPTH:
        return None
    if id(found) not in known:
        known[id(found)] = None
        known[id(found)] = _likely_state_dict(found, known, depth)
    return known[id(found)]


def _likely_state_dict(
    found: Mapping[Any, Any], known: _Known, depth: int
) -> dict[str, Tensor] | None:
    tensors = {str(name): value for name, value in found.items() if isinstance(value, Tensor)}
    if tensors and len(tensors) == len(found):
        return tensors
    inner = {
        str(name): state
        for name, value in found.items()
        if not str(name).startswith("optim")
        and (state := _state_dict(value, known, depth + 1)) is not None
    }
    for name in (*_USUAL, *sorted(inner, key=lambda name: -len(inner[name]))):
        if name in inner:
            return inner[name]
    # State dicts may hold values that are no tensors, such as those of get_extra_state.
    return tensors if 2 * len(tensors) > len(found) else None


def _contents(found: object) -> str:
    if not isinstance(found, Mapping):
        return type_in_words(found)
    if not found:
        return "an empty dict"
    shown = [f"'{name}' ({type(value).__name__})" for name, value in list(found.items())[:5]]
    more = len(found) - len(shown)
    return ", ".join(shown) + (f" and {many(more, 'more value')}" if more else "")


def _of_our_run(found: Any) -> dict[str, Any]:
    """The fields of `Weights` that checkpoints of clr-tui have; none for other files."""
    config, facts = found.get("config"), found.get("task")
    task = config.get("task") if isinstance(config, Mapping) else None
    if not isinstance(task, Mapping) or "schema" not in found:
        return {}
    about = facts if isinstance(facts, Mapping) else {}  # older ones have none
    named = {key: tuple(about.get(key, ())) for key in ("classes", "mean", "std")}
    return {"model": str(task.get("model", "")), **named}
