"""The table of the formats of other tools' logs.

A row per format, the most specific first. Readers are imported only where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from clr_tui.engine.analysis.foreign.csv_log import is_csv
from clr_tui.engine.analysis.foreign.database_paths import is_mlflow, is_trackio
from clr_tui.engine.analysis.foreign.json_lines import is_json_lines
from clr_tui.engine.analysis.foreign.json_tables import is_json_table
from clr_tui.engine.analysis.foreign.tensorboard_paths import is_tensorboard
from clr_tui.engine.analysis.foreign.text_folder import has_text_logs
from clr_tui.engine.analysis.foreign.trainer_state import is_trainer_state
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
    Format(
        title="Hugging Face Trainer",
        looked_for="trainer_state.json",
        recognises=is_trainer_state,
        reader=f"{_HERE}.trainer_state:open_trainer_state",
    ),
    Format(
        title="JSON",
        looked_for="JSON with a list of values for each name",
        recognises=is_json_table,
        reader=f"{_HERE}.json_tables:open_json_table",
    ),
    Format(
        title="JSON lines",
        looked_for="one JSON object a line",
        recognises=is_json_lines,
        reader=f"{_HERE}.json_lines:open_json_lines",
    ),
    Format(
        title="CSV",
        looked_for="a CSV whose columns have names",
        recognises=is_csv,
        reader=f"{_HERE}.csv_log:open_csv_log",
    ),
    Format(
        title="text logs",
        looked_for="logs of these formats in a folder",
        recognises=has_text_logs,
        reader=f"{_HERE}.text_folder:open_text_logs",
    ),
)
"""A file is of the first format that recognises it; in a folder there may be logs of several."""
