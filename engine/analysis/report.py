"""Reports on runs as plain data: the object that `--json` prints."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any

import numpy as np

from clr_tui.engine.analysis.arrays import Floats, finite_or_none
from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.analysis.sweep.best_rate import BestRate
from clr_tui.engine.analysis.sweep.curve import Curve, curve_of
from clr_tui.engine.analysis.sweep.suggest import Suggestion, suggestions
from clr_tui.engine.analysis.sweep.verdict import Verdict, verdict
from clr_tui.engine.analysis.used_optimizer import optimizer_in_use
from clr_tui.engine.by_name import named
from clr_tui.engine.kinds import JOB_KINDS
from clr_tui.engine.log.events import Evaluated, TaskReady
from clr_tui.engine.log.state import State, state_of
from clr_tui.engine.metrics import LOSS, Metric
from clr_tui.engine.policies import Phase, shape_of, step_size_steps
from clr_tui.engine.policies import phase as phase_at
from clr_tui.engine.settings.config import FACTOR, RangeTest, Train, Value
from clr_tui.engine.words import lr_str


@dataclass(frozen=True)
class Bounds:
    """The two learning rates that a cycle runs between."""

    base_lr: float
    max_lr: float


@dataclass(frozen=True)
class SeedResult:
    """One sweep of a range test."""

    seed: int
    steps: int
    diverged_at: float | None
    """The learning rate at which it ended early."""
    minimum_lr: float | None
    """Where the smoothed loss is lowest."""
    minimum_loss: float | None


@dataclass(frozen=True)
class Data:
    """The numbers of samples in the run's data."""

    samples: str
    """A plural noun for them, such as "images"."""
    train: int
    validation: int
    test: int
    skipped: int
    """Files that could not be read; the notes name them."""
    classes: list[str] | None
    """Null unless the task is a classification."""


@dataclass(frozen=True)
class SpentTime:
    """How a run with a time to spend spends it."""

    seconds: float
    """To spend."""
    used: float
    """Until the last plan, which is made again at the end; without pauses."""
    seeds: int
    steps: int | None
    """Of each sweep of a range test; null in a comparison."""


@dataclass(frozen=True)
class Report:
    """The fields of every report."""

    run: str
    kind: str
    status: State
    """`running`, `paused`, `done`, `stopped`, `failed` or `lost`."""
    message: str
    """Why the run failed or was stopped."""
    traceback: list[str]
    """After an error in a user's own code: its lines in the traceback, outermost first."""
    task: str
    parameters: dict[str, Value]
    """Those given to a user's own task."""
    model: str
    metric: Metric
    """The primary one."""
    device: str
    precision: str
    """`float32` or `bfloat16` (autocast); empty if it is not known."""
    data: Data | None
    """Null until it is read."""
    notes: list[str]
    """What the run said about its data and settings, in order."""
    time: SpentTime | None
    """Null without a time to spend."""
    steps: int
    """Done, over all trials."""
    seconds: float | None
    """Time spent in trials, without pauses."""
    diverged: bool

    def as_json(self) -> dict[str, Any]:
        """The fields of the report, and those of the metric."""
        metric = self.metric
        read = {"metric": metric.name, "unit": metric.unit, "direction": metric.direction}
        return vars(self) | read


@dataclass(frozen=True)
class RangeReport(Report):
    """The result of a range test."""

    optimizer: str | None
    """Its class if a user's task made it, else its text; null if it is not known."""
    smoothing: float
    minimum_lr: float | None
    """Where the smoothed median loss is lowest."""
    minimum_loss: float | None
    bounds: Bounds | None
    """The recommended bounds, if any."""
    best: BestRate | None
    """The best max_lr and its interval, if the verdict is `recommended` or `uncertain`."""
    suggestions: list[Suggestion]
    verdict: Verdict
    seeds: list[SeedResult] = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """Loss and metrics on a part of the data, after `epoch` epochs."""

    loss: float | None
    metrics: dict[str, float | None]
    """By name."""
    epoch: int | None

    def value(self, metric: Metric) -> float | None:
        """The value of a metric or the loss."""
        return self.loss if metric == LOSS else self.metrics.get(metric.name)

    def as_json(self) -> dict[str, Any]:
        """The metrics next to the loss, each under its own name."""
        return {"loss": self.loss, **self.metrics, "epoch": self.epoch}


@dataclass(frozen=True)
class TrainReport(Report):
    """The result of a training."""

    optimizer: str | None
    """As in `RangeReport`."""
    total_steps: int
    epochs: int
    """Finished."""
    total_epochs: int | None
    bounds: Bounds | None
    """The last ones."""
    policy: str
    phase: str
    """The position in the cycle, such as "cycle 2 of 4, falling"."""
    whole_cycles: bool
    """Whether training is at the end of a cycle: only then are its results final. False for a run
    that was stopped within a cycle, whatever was planned."""
    final_validation: Measured | None
    best_validation: Measured | None
    """Best by the primary metric; chosen and measured on the same data."""
    test_last: Measured | None
    test_best: Measured | None


def report_of(history: RunHistory, *, live: bool) -> Report:
    """Reports on a run of any kind; one that has not finished is `lost` unless it is `live`."""
    report: Report = named(JOB_KINDS[history.config.kind].report)(history, live=live)
    return report


def range_report(
    history: RunHistory,
    *,
    smoothing: float | None = None,
    factor: float = FACTOR,
    live: bool = True,
) -> RangeReport:
    """Reports on a range test so far.

    Args:
        smoothing: the weight of a new loss in the smoothed curve; None: the run's own.
        factor: max_lr / base_lr of the bounds, above 1.
        live: as for `report_of`; a lost run is judged by the steps it made.
    """
    if smoothing is None:
        smoothing = history.config.asked(RangeTest).smoothing
    curve = curve_of(history, smoothing)
    if not live and curve.running:
        curve = replace(curve, running=False, cut_short=None if any(curve.ended) else "lost")
    found, judged = suggestions(curve), verdict(curve)
    best = next((s.lr for s in found if s.recommended), None)
    lr, loss = _minimum(curve.lr, curve.smoothed)
    return RangeReport(
        **common_fields(history, live),
        optimizer=optimizer_in_use(history),
        steps=sum(len(t) for t in history.trials.values()),
        diverged=curve.diverged,
        smoothing=smoothing,
        minimum_lr=lr,
        minimum_loss=loss,
        bounds=Bounds(best / factor, best) if best is not None else None,
        best=curve.best_rate if judged.kind in ("recommended", "uncertain") else None,
        suggestions=found,
        verdict=judged,
        seeds=_seed_results(history, curve),
    )


def range_headline(history: RunHistory) -> str:
    """The result of a range test in a few words; empty without steps."""
    report = range_report(history)
    if report.steps == 0:
        return ""
    if report.bounds is None:
        return f"no recommendation: {report.verdict.kind}"
    return f"max_lr {lr_str(report.bounds.max_lr)}"


def _seed_results(history: RunHistory, curve: Curve) -> list[SeedResult]:
    trials = [t for t in history.trials.values() if len(t)]
    results = []
    for trial, smoothed in zip(trials, curve.seeds, strict=True):
        end = trial.diverged or trial.non_finite
        lr, loss = _minimum(curve.lr, smoothed)
        results.append(SeedResult(trial.seed, len(trial), end.lr if end else None, lr, loss))
    return results


def _minimum(lr: Floats, loss: Floats) -> tuple[float, float] | tuple[None, None]:
    if not np.isfinite(loss).any():
        return None, None
    at = int(np.nanargmin(loss))
    return float(lr[at]), float(loss[at])


def train_report(history: RunHistory, *, live: bool = True) -> TrainReport:
    """Reports on a training so far; `live` as for `report_of`."""
    trial = history.trial or TrialHistory(0)
    config = history.config.asked(Train)
    steps = int(trial.step[-1]) + 1 if len(trial) else 0
    phase = _phase(config, trial, steps)
    validations = list(trial.validations().values())
    best = _best(validations, history.primary)
    tests = {e.checkpoint or "last": e for e in trial.evaluations if e.part == "test"}
    best_epoch = trial.epochs[-1].best_epoch if trial.epochs else None
    bounds = history.bounds
    return TrainReport(
        **common_fields(history, live),
        optimizer=optimizer_in_use(history),
        steps=steps,
        total_steps=trial.total_steps,
        epochs=len(trial.epochs),
        total_epochs=trial.total_epochs,
        bounds=Bounds(*bounds) if bounds else None,
        policy=config.schedule,
        phase=phase.words if phase else "",
        whole_cycles=phase.complete if phase else False,
        final_validation=_measured(validations[-1]) if validations else None,
        best_validation=_measured(best) if best else None,
        test_last=_measured(tests["last"], len(trial.epochs)) if "last" in tests else None,
        test_best=_measured(tests["best"], best_epoch) if "best" in tests else None,
        diverged=trial.has_diverged,
    )


def _phase(config: Train, trial: TrialHistory, steps: int) -> Phase | None:
    if config.scheduler or not trial.steps_per_epoch or not trial.total_steps:
        return None
    half = step_size_steps(config.step_size_epochs, trial.steps_per_epoch)
    total, shape = trial.total_steps, shape_of(config)
    return phase_at(config.policy, steps, step_size=half, total_steps=total, **shape)


def _best(measured: list[Evaluated], metric: Metric) -> Evaluated | None:
    """The first of equals; None if none has a value."""
    best, value = None, None
    for event in measured:
        found = event.value(metric.name)
        if found is not None and metric.is_better(found, value):
            best, value = event, found
    return best


def _measured(event: Evaluated, epoch: int | None = None) -> Measured:
    return Measured(event.loss, event.metrics, event.epoch if event.epoch is not None else epoch)


def common_fields(history: RunHistory, live: bool) -> dict[str, Any]:
    """The fields of `Report` except `steps` and `diverged`."""
    config, task = history.config, history.task
    finished = history.finished
    spent = [float(t.seconds[-1]) for t in history.trials.values() if len(t)]
    known = [s for s in spent if math.isfinite(s)]
    return {
        "run": config.id,
        "kind": config.kind,
        "status": state_of(
            finished.outcome if finished else None, alive=live, paused=history.paused
        ),
        "message": finished.message if finished else "",
        "traceback": finished.traceback if finished else [],
        "parameters": config.task.parameters,
        "task": task.name if task else config.subject,
        "model": task.model if task else config.task.model_name,
        "metric": history.primary,
        "device": history.device.device if history.device else "",
        "precision": history.precision,
        "data": _data(task) if task else None,
        "notes": [note.text for note in history.notes],
        "time": _spent(history),
        "seconds": sum(known) if known else None,
    }


def _spent(history: RunHistory) -> SpentTime | None:
    time = history.time
    if time is None:
        return None
    return SpentTime(time.seconds, time.used, time.seeds, time.steps)


def _data(task: TaskReady) -> Data:
    counts = {"train": task.train, "validation": task.validation, "test": task.test}
    return Data(task.samples, **counts, skipped=task.skipped, classes=task.classes)


def to_json(report: Report) -> dict[str, Any]:
    """Converts to plain types: dict, list, str, numbers; None for values that are not finite."""
    plain = _plain(report)
    assert isinstance(plain, dict)
    return plain


def _plain(value: Any) -> Any:
    if hasattr(value, "as_json"):
        return _plain(value.as_json())
    if is_dataclass(value):
        return _plain(vars(value))
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return finite_or_none(value)
    return value
