"""How long trials side by side still take, by the pace that was measured."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable


class Pace:
    """Measures how long a step of a trial takes, whatever else a trial does between its steps.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self._seconds = 0.0
        self._steps = 0

    def add(self, steps: int) -> None:
        """So many steps were done, in any of the trials."""
        self._steps += steps

    def pass_time(self, running: int) -> None:
        """Since the last call so many trials have been at work; 0 in a pause."""
        now = self._clock()
        self._seconds += (now - self._last) * running
        self._last = now

    def left(self, running: Iterable[int], waiting: Iterable[int], jobs: int) -> float | None:
        """Seconds until the last of the trials has ended.

        Args:
            running: steps left of each trial under way, at most `jobs` of them.
            waiting: steps of each trial to come, in order; whichever process is free takes the
                next one.
            jobs: processes.

        Returns:
            None before the first step.
        """
        if not self._steps or self._seconds <= 0:
            return None
        ends = list(running)
        ends += [0] * (jobs - len(ends))
        heapq.heapify(ends)
        for steps in waiting:
            heapq.heapreplace(ends, ends[0] + steps)
        return max(ends) * self._seconds / self._steps
