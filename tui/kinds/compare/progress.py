"""The progress of a comparison in words: in its title, in place of curves, and on stderr."""

from __future__ import annotations

from dataclasses import dataclass

from clr_tui.engine.analysis.history import RunHistory, TrialHistory
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.state import State
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.entries import tuned_entries
from clr_tui.engine.settings.rate_grid import on_grid
from clr_tui.engine.words import exact_lr, listed, many, plural
from clr_tui.tui.text import figures, numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.event_lines import EventLines
from clr_tui.tui.text.names import SYMBOLS
from clr_tui.tui.text.status import Status, bar

SILENT_EVENTS = (ev.EpochFinished, ev.Diverged, ev.NonFinite, ev.TrialStarted)
"""Events without a line: a trial of many gets one line when it ends, with its name."""


@dataclass(frozen=True)
class TuningProgress:
    """The progress of the sweeps that tune the rates of a comparison."""

    names: str
    """The entries whose rates are being tuned."""
    done: int
    total: int
    fraction: float
    """Of the steps of all sweeps, 0 to 1."""

    @classmethod
    def of(cls, history: RunHistory) -> TuningProgress | None:
        """The progress so far; None if no sweep is running."""
        sweeps = [trial for trial in history.trials.values() if trial.role == "sweep"]
        running = [trial for trial in sweeps if trial.outcome is None]
        if not running:
            return None
        planned = tuned_entries(history.config.asked(Compare))
        total = max(len(planned), len(sweeps))
        parts = [
            1.0 if trial.outcome is not None else len(trial) / max(trial.total_steps, 1)
            for trial in sweeps
        ]
        names = ", ".join(plain(trial.label) or f"trial {trial.trial}" for trial in running)
        return cls(names, len(sweeps) - len(running), total, sum(parts) / total)


def comparison_status_words(history: RunHistory, status: Status) -> str:
    """The progress of a comparison for its title: "● 11 of 18 trials  left 9:40"."""
    symbol = SYMBOLS[status.state]
    overall = history.overall
    if status.ended or not history.trials:
        return status.words
    if (tuning := TuningProgress.of(history)) is not None:
        words = f"tuning, {tuning.done} of {tuning.total}"
    elif overall is not None:
        words = _trials_ended(overall)
    else:
        return status.words
    if status.state == "paused":
        return f"{symbol} paused  {words}"
    if status.quiet:
        return f"{symbol} {words}, {status.quiet}"
    left = overall.eta_seconds if overall is not None else None
    return f"{symbol} {words}" + (f"  left {numbers.duration(left)}" if left is not None else "")


def waiting_for_rates(history: RunHistory, state: State) -> str:
    """The progress of tuning; empty if nothing is being tuned or other work is in progress."""
    tuning = TuningProgress.of(history)
    if tuning is None or history.progress is not None or state not in ("preparing", "running"):
        return ""
    words = f"Tuning the learning rate of {tuning.names}: {tuning.done} of {tuning.total} done."
    return f"{words}  {bar(tuning.fraction, 24)}"


def _trials_ended(overall: ev.Overall) -> str:
    ended = overall.done + overall.failed + overall.stopped
    return f"{ended} of {many(overall.total, 'trial')}"


class ComparisonLines(EventLines):
    """One line per rate and per trial instead of one per epoch."""

    def __init__(self) -> None:
        self._ended: set[int] = set()
        self._grid_said = False

    def line_of(self, event: ev.AnyEvent, history: RunHistory) -> str:
        """Like every run's, except for the events of its trials."""
        if isinstance(event, SILENT_EVENTS):
            return ""
        if isinstance(event, ev.PoolReady):
            return _pool(event)
        if isinstance(event, ev.RateChosen):
            return self._rate(event, history)
        if isinstance(event, ev.EntryEnded):
            return f"{_entry(event.entry, history)} ended early: {event.reason}"
        if isinstance(event, ev.TrialFinished):
            return self._end(event, history)
        return super().line_of(event, history)

    def at_work(self, history: RunHistory) -> str:
        """How many trials have ended, and how long the rest will take."""
        overall = history.overall
        if overall is None:
            return ""
        parts = [_trials_ended(overall), numbers.percent(overall.fraction).strip()]
        if overall.failed:
            parts.append(f"{overall.failed} failed")
        if (tuning := TuningProgress.of(history)) is not None:
            parts.append(f"tuning {tuning.names}")
        if history.paused:
            parts.append("paused")
        elif overall.eta_seconds is not None:
            parts.append(f"left {numbers.duration(overall.eta_seconds)}")
        return ", ".join(parts)

    def _rate(self, event: ev.RateChosen, history: RunHistory) -> str:
        """The rate of an entry; one line for all on a grid, whose labels name their rates."""
        groups = on_grid(history.config.asked(Compare))
        if event.note or all(event.entry not in group.entries for group in groups):
            return _rate(event, history)
        said, self._grid_said = self._grid_said, True
        rates = many(len(groups[0].entries), "rate")
        labels = listed([group.asked.label for group in groups])
        return "" if said else f"{labels}: {rates}, {history.config.asked(Compare).rates}"

    def _end(self, event: ev.TrialFinished, history: RunHistory) -> str:
        trial = history.trials.get(event.trial) or TrialHistory(event.trial)
        total = history.config.asked(Compare).trials
        if trial.role == "sweep" or (total and event.trial >= total):
            # The rate that it found has a line of its own.
            label = trial.label or f"sweep {event.trial}"
            return "" if event.outcome == "done" else f"{label} range test: {_why(event)}"
        self._ended.add(event.trial)
        if event.outcome == "stopped" and not trial.label:
            return ""  # it never started, like most trials of a stopped run
        if event.outcome == "stopped" and trial.entry in history.ended_early:
            return ""  # the end of its rate has a line
        words = _measured(trial, history.primary) if event.outcome == "done" else _why(event)
        of = f" of {total}" if total else ""
        return f"{_name(trial, history)}: {words}  [{len(self._ended)}{of}]"


def _pool(event: ev.PoolReady) -> str:
    side_by_side = "one trial at a time" if event.jobs == 1 else f"{event.jobs} trials side by side"
    threads = f", {many(event.threads, 'thread')} each" if event.threads else ""
    devices = f" on {', '.join(event.devices)}" if len(event.devices) > 1 else ""
    reason = f" ({event.reason})" if event.reason else ""
    return f"{side_by_side}{threads}{devices}{reason}"


def _rate(event: ev.RateChosen, history: RunHistory) -> str:
    in_figures = numbers.lr if event.source == "tuned" else exact_lr
    rate = in_figures(event.lr)
    if event.base_lr is not None:
        rate = f"{in_figures(event.base_lr)} to {rate}"
    words = {
        "default": f"learning rate {rate}, its default",
        "given": f"learning rate {rate}, as given",
        "tuned": f"learning rate {rate} by a range test of {numbers.count(event.steps)}"
        f" {plural('step', event.steps)}, {numbers.duration(event.seconds)}",
    }[event.source]
    note = f". {event.note}" if event.note else ""
    return f"{_entry(event.entry, history)}: {words}{note}"


def _measured(trial: TrialHistory, metric: Metric) -> str:
    """The best epoch on validation, and the result of its model on test."""
    parts = []
    if trial.epochs:
        last = trial.epochs[-1]
        parts.append(f"{figures.brief(metric, last.best_value)} in epoch {last.best_epoch}")
    tests = {e.checkpoint: e.value(metric.name) for e in trial.evaluations if e.part == "test"}
    if (tested := tests.get("best", tests.get("last"))) is not None:
        parts.append(f"test {figures.brief(metric, tested)}")
    seconds = [epoch.seconds for epoch in trial.epochs if epoch.seconds is not None]
    if seconds:
        parts.append(numbers.duration(sum(seconds)))
    return ", ".join(parts) or "done"


def _why(event: ev.TrialFinished) -> str:
    return f"{event.outcome}: {event.reason}" if event.reason else event.outcome


def _name(trial: TrialHistory, history: RunHistory) -> str:
    """Entry and seed; a trial that never started has only its number to find them by."""
    job = history.config.asked(Compare)
    if trial.label:
        return f"{trial.label} seed {trial.seed}"
    entry, i = job.entry_and_seed(trial.trial)
    return f"{_entry(entry, history)} seed {history.config.task.seed + i}"


def _entry(entry: int, history: RunHistory) -> str:
    job = history.config.asked(Compare)
    if not 0 <= entry < len(job.entries):
        return f"entry {entry + 1}"
    return job.entries[entry].label
