"""How a range test spends a given time: the length of its sweeps, and how many there are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from clr_tui.engine.log.events import Event, Note, TimePlanned
from clr_tui.engine.settings.durations import duration
from clr_tui.engine.training.stopwatch import Stopwatch

MIN_STEPS = 100
"""Of a sweep, even if they take longer than the time."""
ENOUGH_STEPS = 300
"""Beyond them, more seeds tell more: in the study (docs/advice.md), 8 of 48 sweeps of 100 steps
were too rough for a recommendation, and none of 48 sweeps of 300."""
ENOUGH_SEEDS = 5
"""Seeds that show how much the curve depends on the seed: beyond them, longer sweeps tell more."""
MOST_STEPS = 3000
MOST_SEEDS = 20
"""Beyond both, more time tells nothing new, and is not used."""


@dataclass(frozen=True)
class SweepCost:
    """Seconds that a sweep takes."""

    per_step: float
    per_sweep: float
    """In addition, to make its model and optimizer."""

    def steps_in(self, seconds: float) -> int:
        """The steps of a sweep that takes at most so long."""
        return math.floor((seconds - self.per_sweep) / max(self.per_step, 1e-9))

    def of(self, steps: int) -> float:
        """What a sweep of so many steps takes."""
        return self.per_sweep + steps * self.per_step


def plan_sweeps(seconds: float, cost: SweepCost) -> tuple[int, int]:
    """The number of sweeps and the steps of each that fit in `seconds`, at least one of 100 steps.

    First one sweep gets enough steps, then there are more seeds, then all sweeps get longer, and at
    last there are even more seeds. Steps are rounded down to two digits, which leaves some room.
    """
    seeds = next(
        (n for n in range(ENOUGH_SEEDS, 1, -1) if cost.steps_in(seconds / n) >= ENOUGH_STEPS), 1
    )
    steps = min(max(cost.steps_in(seconds / seeds), MIN_STEPS), MOST_STEPS)
    if steps == MOST_STEPS:
        seeds = min(max(math.floor(seconds / cost.of(steps)), seeds), MOST_SEEDS)
    return seeds, _two_digits(steps)


def _two_digits(steps: int) -> int:
    unit: int = 10 ** max(len(str(steps)) - 2, 0)
    return steps // unit * unit


class SweepBudget:
    """Plans the sweeps of a range test, and plans again after each, as many end early.

    Args:
        seconds: the time to spend.
        spent: what the run has spent so far.
        cost: as measured.
        emit: takes the plan, each time that it changes.
    """

    def __init__(
        self, seconds: float, spent: Stopwatch, cost: SweepCost, emit: Callable[[Event], object]
    ) -> None:
        self._seconds = seconds
        self._spent = spent
        self._emit = emit
        self._began = spent.elapsed
        left = seconds - self._began
        self.seeds, self.steps = plan_sweeps(left, cost)
        if cost.of(self.steps) > left:
            text = (
                f"{duration(seconds)} is too short for a sweep: its {self.steps} steps take about"
                f" {duration(math.ceil(cost.of(self.steps)))}"
            )
            emit(Note(level="warning", text=text))
        self._log()

    def seeds_after(self, done: int) -> int:
        """The number of sweeps in all, planned again after `done` of them by what they took."""
        now = self._spent.elapsed
        each = max((now - self._began) / done, 1e-9)
        more = max(math.floor((self._seconds - now) / each), 0)
        seeds = max(min(done + more, MOST_SEEDS), done)
        if seeds != self.seeds:
            self.seeds = seeds
            self._log()
        return seeds

    def end(self, begun: int) -> None:
        """Logs what was used, and for how many sweeps."""
        self.seeds = begun
        self._log()

    def _log(self) -> None:
        used = self._spent.elapsed
        self._emit(
            TimePlanned(seconds=self._seconds, used=used, seeds=self.seeds, steps=self.steps)
        )
