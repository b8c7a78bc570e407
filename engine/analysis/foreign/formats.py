"""The table of the formats of other tools' logs.

A row per format, the most specific first. Readers are imported only where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from clr_tui.engine.analysis.foreign.database_paths import is_mlflow, is_trackio
from clr_tui.engine.analysis.foreign.tensorboard_paths import is_tensorboard
from clr_tui.engine.analysis.foreign.wandb_paths import is_wandb


class Format(NamedTuple):
    """One format."""

    title: str
    """Such as "TensorBoard"."""
    looked_for: str
    """What makes a file or folder one of this format, in a few words, for an error message."""
    recognises: Callable[[Path, bytes], bool]
    """`(path, first bytes)`: whether it is one; the bytes of a folder are empty."""
    reader: str
    """Place of `(Path, Mapping) -> list[ForeignLog]`, one log per run."""


_HERE = "clr_tui.engine.analysis.foreign"

FORMATS: tuple[Format, ...] = (
    Format(
        title="TensorBoard",
        looked_for="event files of TensorBoard (*tfevents*)",
        recognises=is_tensorboard,
        reader=f"{_HERE}.tensorboard:open_tensorboard",
    ),
    Format(
        title="W&B",
        looked_for="files of offline runs of W&B (*.wandb)",
        recognises=is_wandb,
        reader=f"{_HERE}.wandb:open_wandb",
    ),
    Format(
        title="Trackio",
        looked_for="databases of Trackio (*.db)",
        recognises=is_trackio,
        reader=f"{_HERE}.trackio:open_trackio",
    ),
    Format(
        title="MLflow",
        looked_for="runs of MLflow (mlruns, or mlflow.db)",
        recognises=is_mlflow,
        reader=f"{_HERE}.mlflow:open_mlflow",
    ),
)
