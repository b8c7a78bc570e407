"""The time left for trials that run in parallel, from the measured pace."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable


class Pace:
    """Measures the time per step of a trial, including whatever happens between steps.

    `clock` returns seconds and is monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self._seconds = 0.0
        self._steps = 0

    @property
    def per_step(self) -> float:
        """Seconds per step of a trial; 0 before the first."""
        return self._seconds / self._steps if self._steps else 0.0

    def add(self, steps: int) -> None:
        """Counts steps done, in any of the trials."""
        self._steps += steps

    def add_past(self, steps: int, seconds: float) -> None:
        """Counts steps that were done before, and the seconds that they took."""
        self._steps += steps
        self._seconds += seconds

    def pass_time(self, running: int) -> None:
        """Counts the time since the last call, when `running` trials were working (0: paused)."""
        now = self._clock()
        self._seconds += (now - self._last) * running
        self._last = now

    def left(self, running: Iterable[float], waiting: Iterable[float], jobs: int) -> float | None:
        """Seconds until the last trial ends, in `jobs` processes; None before the first step.

        Args:
            running: steps left of each running trial, at most `jobs` of them.
            waiting: steps of each waiting trial, in order; the first free process takes the next.
        """
        if self.per_step <= 0:
            return None
        ends = list(running)
        ends += [0] * (jobs - len(ends))
        heapq.heapify(ends)
        for steps in waiting:
            heapq.heapreplace(ends, ends[0] + steps)
        return max(ends) * self.per_step
