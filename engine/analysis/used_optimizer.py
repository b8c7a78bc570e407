"""The optimizer of a range test or a training: of its settings, or made by the user's task."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.settings.config import OptimizerConfig
from clr_tui.engine.settings.entries import optimizer_label


def own_optimizer(history: RunHistory) -> str | None:
    """The class of the optimizer that the task made; empty if that of the settings is used.

    None while it is not known: a task's file says so only when it is run.
    """
    # Comparisons name all of theirs, and another one than the default was asked for by name.
    if not history.config.task.task or _of_settings(history) != OptimizerConfig():
        return ""
    return history.trial.own_optimizer if history.trial is not None else None


def optimizer_in_use(history: RunHistory) -> str | None:
    """The class of the optimizer that the task made, or the text of that of the settings.

    None if it is not known, as for a recording that does not name its task.
    """
    own, asked = own_optimizer(history), _of_settings(history)
    if own or own is None:
        return own
    return optimizer_label(asked) if asked is not None and history.config.task.model else None


def _of_settings(history: RunHistory) -> OptimizerConfig | None:
    """None for jobs that have several."""
    optimizer: OptimizerConfig | None = getattr(history.config.job, "optimizer", None)
    return optimizer
