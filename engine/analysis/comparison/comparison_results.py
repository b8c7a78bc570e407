"""The result of a comparison, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clr_tui.engine.analysis.comparison.pairs import Pair
from clr_tui.engine.analysis.comparison.sensitivity_results import Sensitivity
from clr_tui.engine.analysis.report import Report
from clr_tui.engine.analysis.statistics import Interval
from clr_tui.engine.log.state import State


@dataclass(frozen=True)
class Spread(Interval):
    """A result over the seeds of an entry: its mean and interval."""

    values: list[float | None]
    """By seed, in the order of `EntryReport.seeds`."""


@dataclass(frozen=True)
class ToTarget:
    """When trials first reached the target on validation."""

    target: float
    reached: int
    of: int
    """Trials that reached it, were completed or failed."""
    epochs: list[int | None]
    """By seed; None if never."""
    seconds: list[float | None]
    mean_epoch: float | None
    """Over the trials that reached it."""
    mean_seconds: float | None


@dataclass(frozen=True)
class TrialReport:
    """One trial."""

    trial: int
    seed: int
    state: State
    reason: str
    epochs: int
    total_epochs: int | None
    seconds: float | None
    diverged: bool
    """Whether it failed because its loss was not finite."""


@dataclass(frozen=True)
class EntryReport:
    """One optimizer. Spreads are over the trials that are done."""

    entry: int
    label: str
    rank: int | None
    """1 + the number of distinguishably better entries (so several can share a rank), but never
    before an entry with a better mean, which may vary more. An entry with a diverged trial ranks
    behind all without: its mean is that of the lucky seeds. None while a trial is pending, and if
    none is done."""
    lr: float | None
    base_lr: float | None
    rate_source: str
    """`default`, `tuned`, `given`, or empty if unknown."""
    rate_note: str
    tuning_steps: int
    tuning_samples: int
    tuning_seconds: float
    seeds: list[int]
    trials: list[TrialReport]
    validation_last: Spread
    validation_best: Spread
    """At the best epoch on validation, chosen and measured on the same data."""
    best_epochs: list[int | None]
    """By seed."""
    test_last: Spread | None
    """None if nothing was tested (imported curves)."""
    test_best: Spread | None
    """For the model that was best on validation."""
    train_last: Spread
    to_target: ToTarget | None
    seconds: Spread
    """Duration of a trial."""
    phase: str
    """The schedule's position at the end: "at the end of cycle 2 of 2"; empty if constant."""
    whole_cycles: bool

    @property
    def result(self) -> Spread:
        """The result that ranks and pairs use."""
        return self.validation_last if self.test_last is None else self.test_last

    @property
    def pending(self) -> bool:
        """Whether some of its trials have not ended."""
        return any(t.state in ("waiting", "running") for t in self.trials)

    @property
    def done(self) -> int:
        """The number of trials that are done."""
        return sum(t.state == "done" for t in self.trials)

    @property
    def diverged(self) -> int:
        """The number of diverged trials."""
        return sum(t.diverged for t in self.trials)


@dataclass(frozen=True)
class CompareReport(Report):
    """The result of a comparison. `entries` are ranked: best first, unranked ones last."""

    measure: str
    """What ranks and pairs use: "test accuracy, last epoch", or validation without a test."""
    samples: str
    """A plural noun for the samples of the task, such as "images"."""
    epochs: int | None
    """Planned for each trial."""
    seeds: int
    paired: bool
    target: float | None
    """A value of the primary metric."""
    trials_total: int
    trials_done: int
    trials_failed: int
    trials_stopped: int
    left: float | None
    """Estimated seconds until the end, while it runs."""
    entries: list[EntryReport]
    pairs: list[Pair]
    sensitivity: Sensitivity | None
    """What a grid of rates shows; None without one."""
    verdict: str
    """Sentences: who leads, and who cannot be distinguished from whom."""
    remarks: list[str]
    """Sentences on what the results rest on: cost of tuning, rates not found at equal cost, phase
    of cycles, epochs picked on validation, failed trials."""

    def as_json(self) -> dict[str, Any]:
        """As for every report; tuning cost is named after its samples, such as `tuning_images`."""
        entries = []
        for entry in self.entries:
            fields = vars(entry).copy()
            fields[f"tuning_{self.samples}"] = fields.pop("tuning_samples")
            entries.append(fields)
        return super().as_json() | {"entries": entries}
