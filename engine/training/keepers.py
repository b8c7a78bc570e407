"""Keeping the weights of a training: in files, or, in a comparison, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from clr_tui.engine.log.events import CheckpointSaved, Event
from clr_tui.engine.training import checkpoint

Reason = Literal["best", "last", "asked", "stopped"]
"""Validation was the best so far, an epoch ended, a command asked, or the training stopped."""

BEST = Path("checkpoints", "best.pt")
LAST = Path("checkpoints", "last.pt")


class DiskKeeper:
    """Writes `best.pt`, `last.pt` and, on command, `step-N.pt` into `folder`/checkpoints."""

    def __init__(self, folder: Path, emit: Callable[[Event], object], device: torch.device) -> None:
        self._folder = folder
        self._emit = emit
        self._device = device

    def keep(self, reason: Reason, model: nn.Module, state: Callable[[], dict[str, Any]]) -> None:
        """Writes a checkpoint and logs it.

        Args:
            model: the model in training.
            state: makes a whole checkpoint, see `engine.training.checkpoint`.

        Raises:
            UserError: it cannot be written.
        """
        captured = state()
        trial, step = captured["trial"], captured["step"]
        paths = {"best": BEST, "asked": Path("checkpoints", f"step-{step}.pt")}
        path = paths.get(reason, LAST)
        checkpoint.save(self._folder / path, captured)
        self._emit(CheckpointSaved(trial=trial, step=step, path=path.as_posix(), reason=reason))

    def best(self) -> Mapping[str, Tensor]:
        """Reads the best checkpoint's model onto the device."""
        weights: dict[str, Tensor] = checkpoint.load(self._folder / BEST, self._device)["model"]
        return weights


class MemoryKeeper:
    """Keeps only the best weights, on the model's device. Writes and logs nothing."""

    def __init__(self) -> None:
        self._best: dict[str, Tensor] = {}

    def keep(self, reason: Reason, model: nn.Module, state: Callable[[], dict[str, Any]]) -> None:
        """Copies the best weights; ignores everything else."""
        if reason == "best":
            self._best = {}  # first, so that memory never holds two copies
            self._best = {name: value.clone() for name, value in model.state_dict().items()}

    def best(self) -> Mapping[str, Tensor]:
        """The copy."""
        return self._best
