"""What earlier workers of a comparison did, as the log says: a resumed one does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.comparing.halving import Halving
from clr_tui.engine.log.events import (
    AnyEvent,
    Continued,
    EntryEnded,
    Paused,
    RunResumed,
    TaskReady,
    TrialFinished,
)
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.log.void import without_void
from clr_tui.engine.settings.config import Compare


@dataclass(frozen=True)
class PastTrials:
    """The state of a comparison when its last worker ended."""

    history: RunHistory
    """Of the whole log, with this worker's `run-resumed`."""
    events: Sequence[AnyEvent] = ()
    """All of the log, in order."""

    @classmethod
    def read(cls, history: RunHistory, log: Path) -> PastTrials:
        """Reads the log once more, for what a history does not keep: the order of events."""
        return cls(history, read_events(log).events)

    def end_of(self, trial: int) -> TrialFinished | None:
        """How a trial ended; None if it did not, or only because the run was stopped."""
        known = self.history.trials.get(trial)
        if known is None or known.outcome is None:
            return None
        return TrialFinished(
            trial=trial, outcome=known.outcome, step=len(known), reason=known.reason
        )

    @property
    def unfinished(self) -> dict[int, int]:
        """The trials that began but did not end, and the steps from which each may go on."""
        trials = self.history.trials.values()
        begun = [one for one in trials if one.outcome is None and one.total_steps > 0]
        return {one.trial: one.steps_logged for one in begun}

    @property
    def data(self) -> str:
        """The mark of the data that all trials so far were trained on; empty if it is not known."""
        ready = (event for event in self.events if isinstance(event, TaskReady))
        return next((event.data for event in ready), "")

    @property
    def spent(self) -> float:
        """Seconds that the workers took, without pauses and without the time between them."""
        spent, last, paused = 0.0, None, False
        for event in self.events:
            if last is not None and not paused and not isinstance(event, RunResumed):
                spent += max(event.time - last, 0.0)
            last = event.time
            if isinstance(event, Paused | Continued | RunResumed):
                paused = isinstance(event, Paused)
        return spent

    def replay(self, halving: Halving, config: Compare) -> list[EntryEnded]:
        """Tells `halving` all that happened.

        Returns:
            What it decides that is not in the log: the worker ended before it could write it.
        """
        decided: list[EntryEnded] = []
        first = self.history.config.task.seed
        for event in without_void(self.events):
            trial = getattr(event, "trial", None)
            if trial is None or (isinstance(event, TrialFinished) and event.with_run):
                continue
            entry, seed = config.entry_and_seed(trial)
            decided += halving.observe(entry, first + seed, event)
        for entry in self.history.ended_early:
            halving.end(entry)
        return [ended for ended in decided if ended.entry not in self.history.ended_early]
