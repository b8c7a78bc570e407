"""The result of a comparison, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clr_tui.engine.analysis.comparison.pairs import Pair
from clr_tui.engine.analysis.report import Report
from clr_tui.engine.analysis.statistics import Interval
from clr_tui.engine.log.state import State


@dataclass(frozen=True)
class Spread(Interval):
    """A figure over the seeds of an entry: its mean and interval."""

    values: list[float | None]
    """By seed, in the order of `EntryReport.seeds`."""


@dataclass(frozen=True)
class ToTarget:
    """The way to the target on validation: the first epoch that is as good."""

    target: float
    reached: int
    of: int
    """Trials that came to their end (or reached it)."""
    epochs: list[int | None]
    """By seed; None: never."""
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
    """It failed for a loss that was not finite."""


@dataclass(frozen=True)
class EntryReport:
    """One optimizer. Spreads are over its trials that are done."""

    entry: int
    label: str
    rank: int | None
    """1 + how many entries are distinguishably better (so several share a rank), but never before
    that of an entry with a better mean, which may vary more. An entry of which a trial diverged
    ranks behind all of which none did, since its mean is of the lucky seeds. None while a trial of
    it is to come, and where none is done."""
    lr: float | None
    base_lr: float | None
    rate_source: str
    """`default`, `tuned`, `given`, or empty where not known."""
    rate_note: str
    tuning_steps: int
    tuning_samples: int
    tuning_seconds: float
    seeds: list[int]
    trials: list[TrialReport]
    validation_last: Spread
    validation_best: Spread
    """At the epoch that is best on validation, chosen on the very data it is measured on."""
    best_epochs: list[int | None]
    """By seed."""
    test_last: Spread | None
    """None where nothing was tested (imported curves)."""
    test_best: Spread | None
    """Of the model that was best on validation."""
    train_last: Spread
    to_target: ToTarget | None
    seconds: Spread
    """Of a whole trial."""
    phase: str
    """Where its schedule stands at the end: "at the end of cycle 2 of 2"; empty: constant."""
    whole_cycles: bool

    @property
    def result(self) -> Spread:
        """What ranks and pairs go by."""
        return self.validation_last if self.test_last is None else self.test_last

    @property
    def diverged(self) -> int:
        """How many of its trials diverged."""
        return sum(t.diverged for t in self.trials)


@dataclass(frozen=True)
class CompareReport(Report):
    """A comparison's result. `entries` are ranked: best first, those without a rank last."""

    measure: str
    """What ranks and pairs go by: "test accuracy, last epoch", or validation where none is."""
    samples: str
    """What the samples of the task are, in the plural: "images"."""
    epochs: int | None
    """Planned, of each trial."""
    seeds: int
    paired: bool
    target: float | None
    """A value of the primary metric."""
    trials_total: int
    trials_done: int
    trials_failed: int
    trials_stopped: int
    left: float | None
    """Estimated seconds to the end, while it runs."""
    entries: list[EntryReport]
    pairs: list[Pair]
    verdict: str
    """One or two sentences: who leads, and who cannot be told apart from whom."""
    remarks: list[str]
    """Sentences on what the figures rest on: cost of tuning, rates not found at equal cost, phase
    of cycles, epochs picked on validation, failed trials."""

    def as_json(self) -> dict[str, Any]:
        """As of every report; what tuning cost is called `tuning_images` where it was images."""
        entries = []
        for entry in self.entries:
            fields = vars(entry).copy()
            fields[f"tuning_{self.samples}"] = fields.pop("tuning_samples")
            entries.append(fields)
        return super().as_json() | {"entries": entries}
