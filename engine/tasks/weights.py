"""The weights of ResNet34, from a file or from torchvision's download."""

from __future__ import annotations

import hashlib
import os
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

import torch
from torch import Tensor

from clr_tui.engine.atomic import replacing
from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import open_regular
from clr_tui.engine.tasks.dataset import Progress

IMAGENET_URL = "https://download.pytorch.org/models/resnet34-b627a593.pth"
"""torchvision's `ResNet34_Weights.IMAGENET1K_V1`."""
BLOCK = 1 << 20
"""Bytes read at a time."""
TIMEOUT = 30.0
"""Seconds without an answer from the server."""


def read_weights(weights: str, progress: Progress) -> dict[str, Tensor] | None:
    """The state dict of a ResNet34 without its head, on the CPU.

    Args:
        weights: `imagenet` (downloaded once, into torch.hub's folder), `none`, or the path of a
            state dict written by `torch.save`; its head, if any, is dropped.
        progress: called during a download, in MB.

    Returns:
        None for `none`.

    Raises:
        UserError: the file is missing, does not hold such weights, or cannot be downloaded (field
            "weights").
    """
    if weights == "none":
        return None
    state = _load(_imagenet_file(progress) if weights == "imagenet" else Path(weights))
    return _checked_weights(state, weights)


def _load(path: Path) -> dict[str, Tensor]:
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"no weights file '{path}'", "weights") from None
    # torch.load may raise anything on a file that is not its own.
    except Exception as error:
        raise UserError(
            f"'{path}' cannot be read as weights: give a state dict of resnet34, written by "
            "torch.save(model.state_dict(), ...)",
            "weights",
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise UserError(
            f"'{path}' holds no state dict: give one of resnet34, written by "
            "torch.save(model.state_dict(), ...)",
            "weights",
        )
    return state


def _checked_weights(state: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """The weights without the head, checked against the model."""
    from torchvision.models import resnet34

    with torch.device("meta"):  # shapes only
        wanted = _without_head(resnet34(weights=None).state_dict())
    state = _without_head(state)
    for key, tensor in wanted.items():
        if key not in state and not key.endswith("num_batches_tracked"):
            raise _wrong_weights(name, f"'{key}' is missing")
        if key in state and state[key].shape != tensor.shape:
            shapes = f"{tuple(state[key].shape)} instead of {tuple(tensor.shape)}"
            raise _wrong_weights(name, f"'{key}' is {shapes}")
    for key in state:
        if key not in wanted:
            raise _wrong_weights(name, f"resnet34 has no '{key}'")
    return state


def _without_head(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: tensor for key, tensor in state.items() if not key.startswith("fc.")}


def _wrong_weights(name: str, why: str) -> UserError:
    return UserError(f"the weights '{name}' do not fit resnet34: {why}", "weights")


def _imagenet_file(progress: Progress) -> Path:
    path = Path(torch.hub.get_dir()) / "checkpoints" / IMAGENET_URL.rpartition("/")[2]
    if not path.exists():
        try:
            _download(IMAGENET_URL, path, progress)
        except (OSError, HTTPException) as error:  # URLError is an OSError
            why = getattr(error, "reason", None) or error
            raise UserError(
                f"the ImageNet weights of resnet34 cannot be downloaded ({why}): give their file "
                f"with --weights FILE (published at {IMAGENET_URL}), or --weights none",
                "weights",
            ) from error
    return path


def _download(url: str, path: Path, progress: Progress) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    request = Request(url, headers={"User-Agent": "clr-tui"})
    digest = hashlib.sha256()
    with replacing(path) as file, urlopen(request, timeout=TIMEOUT) as source:
        total = int(source.headers.get("Content-Length") or 0)
        while block := source.read(BLOCK):
            file.write(block)
            digest.update(block)
            done = file.tell()
            progress("downloading the weights of resnet34 (MB)", done // 10**6, total // 10**6)
        # The name of the published file ends with the first digits of its SHA-256.
        if not digest.hexdigest().startswith(path.stem.rpartition("-")[2]):
            raise OSError("the downloaded file is damaged")
