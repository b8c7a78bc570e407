"""Names and symbols shared by all screens."""

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
"""The symbol shown before each state, so that it can be read without colour."""
STOPPING_TRIAL = "The other trials continue. The table's means leave out a stopped trial."
"""What stopping one trial of a comparison means."""


def model_name(model: str) -> str:
    """Return a model's usual spelling: CNN, ResNet34."""
    return MODELS[model].title if model in MODELS else plain(model)
