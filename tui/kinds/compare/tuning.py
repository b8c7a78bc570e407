"""Whose rates a comparison tunes before it trains, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.entries import tuned_entries
from clr_tui.tui.text.clean import plain


@dataclass(frozen=True)
class Tuning:
    """Where the sweeps that tune the rates of a comparison stand."""

    names: str
    """Whose rates are being tuned."""
    done: int
    total: int
    fraction: float
    """Of all their steps, 0 to 1."""

    @classmethod
    def of(cls, history: RunHistory) -> Tuning | None:
        """None while no sweep is under way."""
        sweeps = [trial for trial in history.trials.values() if trial.role == "sweep"]
        running = [trial for trial in sweeps if trial.outcome is None]
        if not running:
            return None
        planned = tuned_entries(history.config.asked(Compare))
        total = max(len(planned), len(sweeps))
        parts = [
            1.0 if trial.outcome is not None else len(trial) / max(trial.total_steps, 1)
            for trial in sweeps
        ]
        names = ", ".join(plain(trial.label) or f"trial {trial.trial}" for trial in running)
        return cls(names, len(sweeps) - len(running), total, sum(parts) / total)
