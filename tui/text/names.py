"""Names and symbols that every screen uses alike."""

from __future__ import annotations

from typing import Literal

from clr_tui.engine.settings.config import Kind
from clr_tui.tui.text.clean import plain

State = Literal["starting", "preparing", "running", "paused", "done", "stopped", "failed", "lost"]
SYMBOLS: dict[State, str] = {
    "starting": "◌",
    "preparing": "◌",
    "running": "●",
    "paused": "‖",
    "done": "✓",
    "stopped": "■",
    "failed": "✗",
    "lost": "?",
}
"""What stands before a state, so that it is told without colour too."""
KINDS: dict[Kind, str] = {
    "range-test": "range test",
    "train": "training",
    "compare": "comparison",
}
STOPPING: dict[Kind, str] = {
    "range-test": "The sweep ends after the step at hand; what it has measured stays.",
    "train": "The training ends after the step at hand and leaves a checkpoint.",
    "compare": "All its trials end after the step at hand; what they have measured stays.",
}
"""What stopping means for a run of each kind."""
STOPPING_TRIAL = "The others go on. What is stopped counts in no mean of the table."
"""What stopping means for one trial of a comparison."""
_MODELS = {"cnn": "CNN", "resnet34": "ResNet34"}


def model_name(model: str) -> str:
    """As people write it: CNN, ResNet34."""
    return _MODELS.get(model, plain(model))
