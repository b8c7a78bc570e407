"""The columns of the ranking table: their cells for an entry and for one of its trials."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rich.cells import cell_len

from clr_tui.engine.analysis.comparison.comparison_results import CompareReport, EntryReport, Spread
from clr_tui.engine.metrics import Metric
from clr_tui.engine.words import many
from clr_tui.tui.charts.chart import Role
from clr_tui.tui.kinds.compare.target import target_text
from clr_tui.tui.text import figures, numbers
from clr_tui.tui.text.clean import plain

_LIVE = ("running", "paused")
"""States of a run with more results to come."""
_MEAN, _HALF = 5, 4
"""Minimum cells of a mean and of the half width of its interval: enough for per cent."""
_SPREAD = _MEAN + 3 + _HALF
_MAX_LISTED = 3
"""More epochs than this are shown as a range."""


@dataclass(frozen=True)
class RankingColumn:
    """One column; its cells are as wide as the widest of them, and at least `least`."""

    heading: str
    importance: int
    """Columns with the highest number are left out first."""
    of_entry: Callable[[EntryReport], str]
    of_trial: Callable[[EntryReport, int], str] = lambda _entry, _n: ""
    """The cell of the entry's n-th trial, from 0."""
    least: int = 0
    right: bool = False
    role: Role = "text"
    early: bool = False
    """Whether it is left of the results, and shown before there are any."""

    def width(self, report: CompareReport) -> int:
        """Cells of its widest cell."""
        cells = [self.heading]
        for entry in report.entries:
            cells.append(self.of_entry(entry))
            cells += [self.of_trial(entry, n) for n in range(len(entry.trials))]
        return max(self.least, *map(cell_len, cells))


def columns_of(report: CompareReport) -> list[RankingColumn]:
    """All columns with content, from left to right.

    Columns that do not fit are left out in this order: tuning, best epoch, train, from, seconds,
    the result at the best epoch, lr, target, seeds. The final result stays longest.
    """
    columns = [
        RankingColumn("lr", 3, _rate, least=13, role="muted", early=True),
        RankingColumn(
            "from", 6, lambda entry: plain(entry.rate_source), least=7, role="muted", early=True
        ),
        _seeds_column(report),
        *_result_columns(report),
        *_target_columns(report),
        RankingColumn(
            "seconds",
            5,
            lambda entry: _seconds(entry.seconds.mean),
            lambda entry, n: _seconds(entry.trials[n].seconds),
            right=True,
            role="muted",
        ),
    ]
    if any(entry.tuning_steps for entry in report.entries):
        columns.append(RankingColumn("tuning", 9, _tuning, least=15, role="muted"))
    if report.status in _LIVE:
        return columns  # an empty column stays: the table must not jump when it fills
    return [column for column in columns if _has_content(column, report)]


def _has_content(column: RankingColumn, report: CompareReport) -> bool:
    cells = [column.of_entry(entry).strip() for entry in report.entries]
    return column.importance <= 1 or any(cell not in ("", numbers.UNKNOWN) for cell in cells)


def _rate(entry: EntryReport) -> str:
    high = numbers.short_lr(entry.lr)
    return high if entry.base_lr is None else f"{numbers.short_lr(entry.base_lr)}…{high}"


def _seeds_column(report: CompareReport) -> RankingColumn:
    def done(entry: EntryReport) -> str:
        return f"{sum(t.state == 'done' for t in entry.trials)}/{len(entry.trials)}"

    def epochs(entry: EntryReport, n: int) -> str:
        trial = entry.trials[n]
        if trial.state == "waiting":
            return ""
        total = "" if trial.total_epochs is None else f"/{trial.total_epochs}"
        return f"{trial.epochs}{total}"

    digits = len(str(report.epochs or 0))
    return RankingColumn("seeds", 1, done, epochs, least=2 * digits + 1, role="muted", early=True)


def _result_columns(report: CompareReport) -> list[RankingColumn]:
    final = any(entry.test_last is not None for entry in report.entries)
    best = any(entry.test_best is not None for entry in report.entries)
    return [
        _spread_column(
            "test, final" if final else "val, final", 0, lambda entry: entry.result, report.metric
        ),
        _spread_column(
            "at best val" if best else "val, best",
            4,
            lambda entry: entry.validation_best if entry.test_best is None else entry.test_best,
            report.metric,
        ),
        _best_epoch_column(),
        _spread_column("train, final", 7, lambda e: e.train_last, report.metric, role="muted"),
    ]


def _spread_column(
    heading: str,
    importance: int,
    spread: Callable[[EntryReport], Spread],
    metric: Metric,
    role: Role = "text",
) -> RankingColumn:
    def of_entry(entry: EntryReport) -> str:
        return spread_text(spread(entry), metric)

    def of_trial(entry: EntryReport, n: int) -> str:
        return _mean(spread(entry).values[n], metric)

    unit = {"share": " %", "seconds": " s", "number": ""}[metric.unit]
    return RankingColumn(heading + unit, importance, of_entry, of_trial, least=_SPREAD, role=role)


def spread_text(spread: Spread, metric: Metric) -> str:
    """Mean and half width of its interval: ` 67.9 ±  1.8` per cent; or the mean alone."""
    mean, half = _mean(spread.mean, metric), spread.half_width
    if half is None or not math.isfinite(half):
        return mean
    digits = f"{100 * half:.1f}" if metric.unit == "share" else f"{half:.2g}"
    return f"{mean} ± {digits.rjust(_HALF)}"


def _mean(value: float | None, metric: Metric) -> str:
    if value is None or not math.isfinite(value):
        return numbers.UNKNOWN.rjust(_MEAN)
    return figures.bare(metric, value).rjust(_MEAN)


def _best_epoch_column() -> RankingColumn:
    def epochs(entry: EntryReport) -> str:
        known = [epoch for epoch in entry.best_epochs if epoch is not None]
        if len(known) > _MAX_LISTED:
            return f"{min(known)}…{max(known)}"
        return ", ".join(map(str, known)) or numbers.UNKNOWN

    def of_trial(entry: EntryReport, n: int) -> str:
        epoch = entry.best_epochs[n]
        return numbers.UNKNOWN if epoch is None else str(epoch)

    return RankingColumn("best epoch", 8, epochs, of_trial, role="muted")


def _target_columns(report: CompareReport) -> list[RankingColumn]:
    if report.target is None:
        return []

    def way(entry: EntryReport) -> str:
        to = entry.to_target
        if to is None or not to.of:
            return numbers.UNKNOWN
        if not to.reached:
            return "never"
        when = "" if to.mean_epoch is None else f", ep {to.mean_epoch:.0f}"
        return f"{to.reached} of {to.of}{when}"

    def of_trial(entry: EntryReport, n: int) -> str:
        epoch = entry.to_target.epochs[n] if entry.to_target else None
        return "never" if epoch is None else f"ep {epoch}"

    least = len(f"{report.seeds} of {report.seeds}, ep {report.epochs or ''}")
    return [
        RankingColumn(
            f"to {target_text(report.target, report.metric)}", 2, way, of_trial, least=least
        )
    ]


def _seconds(value: float | None) -> str:
    """Whole seconds; below ten with one decimal."""
    if value is None or not math.isfinite(value):
        return numbers.UNKNOWN
    return f"{value:.1f}" if value < 9.95 else numbers.count(value)


def _tuning(entry: EntryReport) -> str:
    if not entry.tuning_steps:
        return numbers.UNKNOWN
    return f"{many(entry.tuning_steps, 'step')}, {numbers.duration(entry.tuning_seconds)}"
