"""Which trials are run again after their process was killed or memory ran out."""

from __future__ import annotations

from collections import Counter

from clr_tui.engine.comparing.executor import TrialLost

TRIES, TRIES_ALONE = 3, 2
"""Times that a trial is run. Fewer if memory ran out while no other trial ran: it may still have
been somebody else who took it, but a trial that needs too much would fail each time."""


class LostTrials:
    """Counts how often each trial was lost."""

    def __init__(self) -> None:
        self._losses: Counter[int] = Counter()

    def add(self, trial: int, lost: TrialLost, *, alone: bool) -> bool:
        """Takes note of a loss; returns whether the trial is to be run again.

        Args:
            alone: whether no other trial has run since its beginning.
        """
        self._losses[trial] += 1
        tries = TRIES_ALONE if alone and lost.cause == "memory" else TRIES
        return lost.cause != "crashed" and self._losses[trial] < tries

    def next_try(self, trial: int) -> int:
        """The number of the try that follows, from 1."""
        return self._losses[trial] + 1

    def reason(self, trial: int, lost: TrialLost) -> str:
        """Why a trial failed that is not run again."""
        tries = self._losses[trial]
        return lost.reason if tries == 1 else f"{lost.reason}; it was tried {tries} times"
