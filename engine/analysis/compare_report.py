"""What came of a comparison, as plain data, and what the seeds can and cannot tell apart."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.engine.analysis.comparison import TrialState
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Report


@dataclass(frozen=True)
class Spread:
    """A figure over the seeds of an entry. Accuracies are 0 to 1."""

    n: int
    """Seeds that have it."""
    mean: float | None
    sd: float | None
    """Of the sample (n - 1); None with fewer than two."""
    half_width: float | None
    """Of the 95% t-interval of the mean; None where `note` says why there is none."""
    values: list[float | None]
    """By seed, in the order of `EntryReport.seeds`."""
    note: str
    """"one seed only: no interval", "identical over 3 seeds: no interval", or empty."""


@dataclass(frozen=True)
class ToTarget:
    """The way to the target accuracy on validation: the first epoch that has it."""

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
    state: TrialState
    reason: str
    epochs: int
    total_epochs: int | None
    seconds: float | None


@dataclass(frozen=True)
class EntryReport:
    """One optimizer. Spreads are over its trials that are done."""

    entry: int
    label: str
    rank: int | None
    """1 + how many entries are distinguishably better (so several share a rank); None while a
    trial of it is to come, and where none is done."""
    lr: float | None
    base_lr: float | None
    rate_source: str
    """`default`, `tuned`, `given`, or empty where not known."""
    rate_note: str
    tuning_steps: int
    tuning_images: int
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


@dataclass(frozen=True)
class Pair:
    """Two entries compared on the report's measure."""

    a: str
    b: str
    paired: bool
    """Paired t-test over common seeds; else Welch's."""
    n: int
    """Pairs; of Welch's, the smaller of both samples."""
    difference: float | None
    """Mean of a less mean of b, 0 to 1."""
    half_width: float | None
    """Of its 95% interval (of this pair alone, not corrected)."""
    t: float | None
    df: float | None
    p: float | None
    p_adjusted: float | None
    """Holm's, over all pairs that have a p."""
    distinguishable: bool
    """p_adjusted < 0.05, or both samples constant and different (see `note`)."""
    note: str


@dataclass(frozen=True)
class CompareReport(Report):
    """A comparison's result. `entries` are ranked: best first, those without a rank last."""

    measure: str
    """What ranks and pairs go by: "test accuracy, last epoch", or validation where none is."""
    epochs: int | None
    """Planned, of each trial."""
    seeds: int
    paired: bool
    target: float | None
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


def compare_report(
    history: RunHistory, *, target: float | None = None, live: bool = True
) -> CompareReport:
    """Reports on a comparison as far as it has come.

    Args:
        target: accuracy, 0 to 1; None for the one in the run's configuration, if any.
        live: as for `range_report`.
    """
    raise NotImplementedError
