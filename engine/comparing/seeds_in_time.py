"""How many seeds a comparison trains in a given time."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from clr_tui.engine.analysis.comparison.seed_curves import planned_epochs
from clr_tui.engine.comparing.time_left import Pace
from clr_tui.engine.log.events import Role
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.durations import duration
from clr_tui.engine.training.stopwatch import Stopwatch
from clr_tui.engine.words import many

MARGIN = 1.03
"""A factor for estimates, so that most runs end within their time."""
MEASURED_PART = 0.25
"""The part of a training that shows how long one takes."""


@dataclass(frozen=True)
class Remaining:
    """What is left of the seeds that were begun."""

    seeds: int
    """Their number."""
    running: Sequence[int]
    """Steps left of each running trial."""
    waiting: Sequence[int]
    """Steps of each waiting trial."""
    entries: int
    """Trainings of each further seed."""


class SeedsInTime:
    """Adds seeds of all entries while another one fits in the time.

    Args:
        config: the comparison, which has a time to spend.
        steps: the length of each training.
        jobs: trials at a time.
        spent: what the run has spent so far.
        pace: as measured so far.
    """

    def __init__(
        self, config: Compare, steps: int, jobs: int, spent: Stopwatch, pace: Pace
    ) -> None:
        assert config.time is not None
        self.seconds = config.time
        self._config = config
        self._steps = steps
        self.jobs = jobs
        """Trials at a time."""
        self._spent = spent
        self._pace = pace
        self._began: float | None = None
        """When the first training did."""
        self._submitted: dict[int, float] = {}
        self._preparing: list[float] = []
        """Seconds before the first step of each trial."""
        self._measured = self._due = self._warned = False

    @property
    def used(self) -> float:
        """Seconds spent so far."""
        return self._spent.elapsed

    @property
    def is_up(self) -> bool:
        """Whether no more trials may begin: never before the first one began."""
        return self._began is not None and self.used >= self.seconds

    def fraction(self, left: float | None) -> float:
        """The part of the run's time that has passed, 0 to 1; `left` seconds remain, if known."""
        whole = self.seconds if left is None or not self._measured else self.used + left
        return min(self.used / whole, 1.0) if whole > 0 else 0.0

    def resume(self, part: float) -> None:
        """Takes note that trainings began before, of which the longest had done this part."""
        self._began = 0.0
        self.watch(part)

    def submit(self, trial: int) -> None:
        """Takes note that a trial was given to a process."""
        self._submitted[trial] = self.used

    def begin(self, trial: int, role: Role) -> None:
        """Takes note that a trial begins its first step."""
        if role == "train" and self._began is None:
            self._began = self.used
        self._preparing.append(self.used - self._submitted.pop(trial, self.used))

    def watch(self, part: float) -> None:
        """Takes note that this part of a training is done."""
        if not self._measured and part >= MEASURED_PART:
            self._measured = self._due = True

    def end_training(self) -> None:
        """Takes note that a training ended."""
        self._due = self._measured

    def plan_due(self) -> bool:
        """Whether to plan again; asked once after each event."""
        due, self._due = self._due, False
        return due

    def seeds(self, left: Remaining) -> int:
        """The number of seeds that fit, at least those that were begun."""
        further = range(left.seeds + 1, self._config.most_seeds + 1)
        if not left.entries:
            return left.seeds
        return left.seeds + bisect.bisect_right(
            further, self.seconds, key=lambda seeds: self._end_of(seeds, left)
        )

    def _end_of(self, seeds: int, left: Remaining) -> float:
        """When so many seeds end, in seconds from the start of the run."""
        further = [self._steps] * (left.entries * (seeds - left.seeds))
        return self.used + self._duration(left.running, [*left.waiting, *further])

    def _duration(self, running: Sequence[int], waiting: Sequence[int]) -> float:
        """Seconds until these trials end, in steps as in `Remaining`; 0 before the first step."""
        each = self._pace.per_step
        # The first trial of a process also waits for its start.
        known = self._preparing[self.jobs :]
        preparing = sum(known) / len(known) / each if known and each else 0.0
        rest = self._pace.left(running, [steps + preparing for steps in waiting], self.jobs)
        return MARGIN * (rest or 0.0)

    def warning(self, left: Remaining) -> str:
        """A sentence if fewer than two seeds fit, with what would fit; only when first asked."""
        first, self._warned = not self._warned, True
        if not first or left.seeds > 1 or (two := self._end_of(2, left)) <= self.seconds:
            return ""
        time, trials, one = duration(self.seconds), left.entries, self._end_of(1, left)
        if one > self.seconds:
            words = (
                f"{time} is too short for one seed, whose {many(trials, 'trial')} take"
                f" about {_brief(one)}"
            )
        else:
            words = (
                f"{time} is enough for one seed only, which gives no intervals:"
                f" two take about {_brief(two)}"
            )
        return f"{words}; {self._hint(trials)}"

    def _hint(self, entries: int) -> str:
        epochs = self._epochs_for_two(entries)
        if epochs:
            return f"two fit with {many(epochs, 'epoch')}"
        shortest = planned_epochs(replace(self._config, epochs=1))
        cycle = ", a whole cycle" if shortest > 1 else ""
        return f"two do not fit even with {many(shortest, 'epoch')}{cycle}"

    def _epochs_for_two(self, entries: int) -> int:
        """The most epochs with which two seeds fit; 0 if there are none."""
        per_epoch = self._steps / planned_epochs(self._config)

        def end_with(epochs: int) -> float:
            length = planned_epochs(replace(self._config, epochs=epochs))
            trials = [round(length * per_epoch)] * (2 * entries)
            return (self._began or 0.0) + self._duration([], trials)

        return bisect.bisect_right(range(1, self._config.epochs), self.seconds, key=end_with)


def _brief(seconds: float) -> str:
    """A duration to about two digits."""
    return duration(60 * round(seconds / 60) if seconds > 600 else round(seconds))
