"""How far a comparison is, in words: beside its title, and where its curves will be."""

from __future__ import annotations

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log.state import State
from clr_tui.engine.words import many
from clr_tui.tui.kinds.compare.tuning import Tuning
from clr_tui.tui.text.names import SYMBOLS
from clr_tui.tui.text.numbers import duration
from clr_tui.tui.text.status import Status, bar


def standing_of_comparison(history: RunHistory, status: Status) -> str:
    """How a comparison stands, for its title: "● 11 of 18 trials  left 9:40"."""
    symbol = SYMBOLS[status.state]
    overall = history.overall
    if status.ended or not history.trials:
        return status.words
    if (tuning := Tuning.of(history)) is not None:
        words = f"tuning, {tuning.done} of {tuning.total}"
    elif overall is not None:
        ended = overall.done + overall.failed + overall.stopped
        words = f"{ended} of {many(overall.total, 'trial')}"
    else:
        return status.words
    if status.state == "paused":
        return f"{symbol} paused  {words}"
    left = overall.eta_seconds if overall is not None else None
    return f"{symbol} {words}" + (f"  left {duration(left)}" if left is not None else "")


def waiting_for_rates(history: RunHistory, state: State) -> str:
    """Whose rates are being tuned, and how far that is; empty where none are, or work is named."""
    tuning = Tuning.of(history)
    if tuning is None or history.progress is not None or state not in ("preparing", "running"):
        return ""
    words = f"Tuning the learning rate of {tuning.names}: {tuning.done} of {tuning.total} done."
    return f"{words}  {bar(tuning.fraction, 24)}"
