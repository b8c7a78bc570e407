"""Counting how the trainings of a comparison end, and the result of the run."""

from __future__ import annotations

from collections import Counter

from clr_tui.engine.log.events import Outcome, Overall, TrialFinished
from clr_tui.engine.training.session import Result
from clr_tui.engine.words import all_of, many


class TrialCounts:
    """Counts `total` trainings, planned with `steps` steps each, as they end."""

    def __init__(self, total: int, steps: int) -> None:
        self.total = total
        self._steps = steps
        self._ends: Counter[Outcome] = Counter()
        self._why_failed = ""

    def count(self, end: TrialFinished) -> None:
        """Counts a training that ended."""
        self._ends[end.outcome] += 1
        if end.outcome == "failed":
            self._why_failed = self._why_failed or end.reason

    def overall(self, running: int, steps: int, eta_seconds: float | None) -> Overall:
        """The overall progress.

        `steps` are done by the `running` trainings; `eta_seconds` to the run's end are estimated.
        """
        ended = sum(self._ends.values())
        return Overall(
            done=self._ends["done"],
            failed=self._ends["failed"],
            stopped=self._ends["stopped"],
            running=running,
            total=self.total,
            # A training that ended early has no steps left.
            fraction=(ended * self._steps + steps) / (self.total * self._steps),
            eta_seconds=eta_seconds,
        )

    def result(self) -> Result:
        """The result of a run that was not stopped: done if any training is done."""
        failed, stopped = self._ends["failed"], self._ends["stopped"]
        if failed == self.total:
            return Result("failed", f"{all_of(self.total, 'trial')} failed: {self._why_failed}")
        ends = [(failed, "failed"), (stopped, "stopped")]
        message = ", ".join(f"{n} of {many(self.total, 'trial')} {how}" for n, how in ends if n)
        if self._ends["done"]:
            return Result("done", message)
        return Result("failed" if failed else "stopped", message)
