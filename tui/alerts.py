"""What a user is told of runs that they do not look at: each thing once, when it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from clr_tui.engine.log.liveness import here
from clr_tui.engine.log.state import ENDED, State
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.numbers import silent_words

if TYPE_CHECKING:
    from clr_tui.engine.analysis.history import RunHistory
    from clr_tui.engine.log.summary import RunSummary

What = Literal["done", "stopped", "failed", "lost", "diverged", "silent"]
_ENOUGH = 3
"""Values that are not finite, one after another, are a divergence: a single one may be a gap."""


@dataclass(frozen=True)
class Alert:
    """Something that happened to a run."""

    run: str
    """Its id, or the name of another tool's log."""
    what: What
    sentence: str
    """Without its full stop; plain text in one line."""


@dataclass
class _Known:
    state: State
    told: set[What] | None
    """Signs of a living run that need not be told; None before its first look."""


class Alerts:
    """Compares each look at a run with the last one.

    What was so at the first look is not told, such as that a run had ended or was silent when it
    was opened.

    Args:
        tell: given each alert.
    """

    def __init__(self, tell: Callable[[Alert], None]) -> None:
        self._tell = tell
        self._known: dict[str, _Known] = {}

    def expect(self, run: str) -> None:
        """Tells of this run's end even if it has ended before the first look."""
        self._known[run] = _Known("running", None)

    def look(
        self, run: str, state: State, words: str, *, quiet: str = "", diverged: str = ""
    ) -> None:
        """Takes what is known of a run now.

        Args:
            run: what to call it.
            state: its state.
            words: its result or why it ended.
            quiet: for how long it is silent, if it is: "silent for 3 min".
            diverged: what of it is not finite any more: "loss is not finite".
        """
        signs: dict[What, str] = {"silent": quiet, "diverged": diverged}
        known = self._known.setdefault(run, _Known(state, None))
        if known.told is None:
            known.told = {what for what, sign in signs.items() if sign}
        if state in ENDED:
            if known.state not in ENDED:
                self._say(run, _ended(state), _ENDS[_ended(state)], words)
        else:
            for what, sign in signs.items():
                if sign and what not in known.told:
                    known.told.add(what)
                    self._say(run, what, f"{_LIVING[what]} {sign}", "")
            if not quiet:
                known.told.discard("silent")  # it may fall silent again
        known.state = state

    def look_at_history(self, run: str, history: RunHistory, state: State, now: float) -> None:
        """Takes a run whose log was read; `now` is Unix time in seconds."""
        finished, silent = history.finished, history.pace.silence(now)
        words = ""
        if finished is not None:
            words = finished.headline if finished.outcome == "done" else finished.message
        quiet = _quiet(silent, history.host)
        self.look(run, state, words, quiet=quiet, diverged=divergence(history))

    def look_at_summary(self, summary: RunSummary) -> None:
        """Takes a run of a list."""
        self.look(
            summary.id,
            summary.status,
            summary.headline if summary.status == "done" else summary.message,
            quiet=_quiet(summary.silent_seconds, summary.host),
        )

    def _say(self, run: str, what: What, sentence: str, words: str) -> None:
        reason = plain(words).strip().rstrip(".")
        whole = f"{plain(run)} {sentence}" + (f": {reason}" if reason else "")
        self._tell(Alert(run, what, whole))


_ENDS: dict[What, str] = {
    "done": "is done",
    "stopped": "was stopped",
    "failed": "failed",
    "lost": "was lost",
}
_LIVING: dict[What, str] = {"silent": "is", "diverged": "diverged:"}


def _quiet(silent: float | None, host: str) -> str:
    elsewhere = "" if host == here() else host
    return "" if silent is None else silent_words(silent, elsewhere)


def _ended(state: State) -> What:
    if state in ("done", "stopped", "failed"):
        return state
    return "lost"


def divergence(history: RunHistory) -> str:
    """Which loss of a user's own loop is not finite any more; empty if none is.

    Trainings of ours end when they diverge, and sweeps are meant to.
    """
    import numpy as np

    for name in history.logged.names:
        if "loss" in name.casefold():
            last = history.logged.column(name).value[-_ENOUGH:]
            if len(last) == _ENOUGH and not np.isfinite(last).any():
                return f"{plain(name)} is not finite"
    return ""
