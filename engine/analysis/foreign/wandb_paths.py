"""Which files W&B's are."""

from __future__ import annotations

import os
from pathlib import Path

from clr_tui.engine.analysis.foreign.folders import FEW, folders_below


def is_wandb_file(name: str) -> bool:
    """Whether W&B gives that name to the file of a run."""
    return name.endswith(".wandb")


def is_wandb(path: Path, head: bytes) -> bool:
    """Whether a path is a file of W&B, or a folder that has one in it, at whatever depth."""
    if os.path.isdir(path):
        return any(any(map(is_wandb_file, names)) for _, names in folders_below(path, FEW))
    return is_wandb_file(path.name) or head.startswith(b":W&B")
