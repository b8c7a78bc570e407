"""Names and symbols that every screen uses alike."""

from __future__ import annotations

from clr_tui.engine.log.state import State
from clr_tui.engine.settings.catalogue import MODELS
from clr_tui.tui.text.clean import plain

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
STOPPING_TRIAL = "The others go on. What is stopped counts in no mean of the table."
"""What stopping means for one trial of a comparison."""


def model_name(model: str) -> str:
    """As people write it: CNN, ResNet34."""
    return MODELS[model].title if model in MODELS else plain(model)
