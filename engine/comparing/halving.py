"""Ends the rates of a grid that cannot be the best any more: successive halving, with caution.

After a quarter and half of the length and at the end, the rates of one optimizer are compared by
the primary metric on validation, over the seeds for which all of them have come that far. A rate is
ended if it is below their median by more than chance explains: if even the upper end of its 95%
interval is or, where there is none (one seed, or identical values), if it is five points below. So
at most half of the rates are ended. A rate that has come further already is not judged by what it
was earlier. The leading rate and its neighbours are never ended, nor is the one that a range test
recommends. A rate with a trial that diverged is ended at once, since it cannot be the best.

Source: K. Jamieson and A. Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
Optimization", AISTATS 2016. They halve what is left at each look, whatever the distance, which
would end rates that only learn late, such as high ones before they decay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean, median

from clr_tui.engine.analysis.statistics import t_interval
from clr_tui.engine.log.events import (
    AnyEvent,
    Diverged,
    EntryEnded,
    Evaluated,
    NonFinite,
    TrialFinished,
)
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.rate_grid import OnGrid, on_grid

PARTS = (0.25, 0.5, 1.0)
"""When rates are compared, as parts of the length."""
MARGIN, ONE_SEED_MARGIN = 0.01, 0.05
"""The least distance to the median: of a share, or relative to the median of another metric."""


@dataclass
class _Rates:
    """The rates of one optimizer."""

    entries: tuple[int, ...]
    """In the order of their rates."""
    kept: int | None
    """The one that is never ended: a range test recommends it."""
    values: dict[tuple[int, int], dict[int, float]] = field(default_factory=dict)
    """By entry and epoch, then by seed: higher is better."""
    out: set[int] = field(default_factory=set)
    """Those that were ended, or that have a trial that diverged, failed or was stopped."""
    judged: set[tuple[int, int]] = field(default_factory=set)
    """Epochs and numbers of seeds."""


class Halving:
    """Takes the events of all trainings of a comparison, and says which rates to end.

    Args:
        config: the comparison, with its entries at each rate.
        epochs: the length of its trainings.
        metric: the primary one.
    """

    def __init__(self, config: Compare, epochs: int, metric: Metric) -> None:
        self._metric = metric
        self._marks = {max(1, math.ceil(part * epochs)) for part in PARTS}
        grids = [_Rates(group.entries, _recommended(config, group)) for group in on_grid(config)]
        self._rates_of = {entry: rates for rates in grids for entry in rates.entries}

    def observe(self, entry: int, seed: int, event: AnyEvent) -> list[EntryEnded]:
        """The rates to end after an event of a training of `entry`."""
        rates = self._rates_of.get(entry)
        if rates is None or entry in rates.out:
            return []
        if isinstance(event, Diverged | NonFinite):
            ended = EntryEnded(entry=entry, epoch=None, reason=f"Seed {seed} diverged.")
            return [*([ended] if entry != rates.kept else []), *self._without(rates, entry)]
        if isinstance(event, TrialFinished) and event.outcome != "done":
            return self._without(rates, entry)  # it may never come as far as the others
        if not isinstance(event, Evaluated) or event.part != "validation" or event.checkpoint:
            return []
        if event.epoch not in self._marks:
            return []
        value = event.value(self._metric.name)
        signed = -math.inf if value is None else self._metric.sign * value
        rates.values.setdefault((entry, event.epoch), {})[seed] = signed
        return list(self._compare(rates, event.epoch))

    def end(self, entry: int) -> None:
        """Takes note that a rate was ended."""
        if entry in self._rates_of:
            self._rates_of[entry].out.add(entry)

    def _without(self, rates: _Rates, entry: int) -> list[EntryEnded]:
        """No longer waits for `entry`, and compares the others, which may have come far enough."""
        rates.out.add(entry)
        return [ended for epoch in sorted(self._marks) for ended in self._compare(rates, epoch)]

    def _compare(self, rates: _Rates, epoch: int) -> Iterator[EntryEnded]:
        """Ends rates by their values after `epoch` epochs, once for each number of seeds."""
        values = {e: rates.values.get((e, epoch), {}) for e in rates.entries if e not in rates.out}
        seeds = set.intersection(*map(set, values.values())) if values else set()
        if not seeds or (epoch, len(seeds)) in rates.judged:
            return
        rates.judged.add((epoch, len(seeds)))
        levels = {e: fmean(of[seed] for seed in seeds) for e, of in values.items()}
        middle = median([*levels.values(), *[-math.inf] * len(rates.out)])
        if not math.isfinite(middle):
            return
        spared = self._spared(rates, levels) | self._further(rates, epoch, seeds)
        for entry, level in levels.items():
            high = level + self._reach([values[entry][seed] for seed in seeds], middle)
            if high < middle and entry not in spared:
                rates.out.add(entry)
                yield EntryEnded(
                    entry=entry, epoch=epoch, reason=self._reason(epoch, level, middle)
                )

    def _reach(self, values: list[float], middle: float) -> float:
        """How far above the mean of `values` chance may lift a rate."""
        unit = 1.0 if self._metric.unit == "share" else abs(middle)
        half = t_interval(values).half_width
        return ONE_SEED_MARGIN * unit if half is None else max(MARGIN * unit, half)

    def _further(self, rates: _Rates, epoch: int, seeds: set[int]) -> set[int]:
        """The entries that have a value at a later mark for one of these seeds."""
        return {
            entry
            for (entry, at), values in rates.values.items()
            if at > epoch and not seeds.isdisjoint(values)
        }

    def _spared(self, rates: _Rates, levels: dict[int, float]) -> set[int]:
        leading = rates.entries.index(max(levels, key=lambda entry: levels[entry]))
        near = rates.entries[max(leading - 1, 0) : leading + 2]
        return {*near} if rates.kept is None else {*near, rates.kept}

    def _reason(self, epoch: int, level: float, middle: float) -> str:
        metric = self._metric
        found = metric.text(metric.sign * level) if math.isfinite(level) else "not finite"
        worse = "below" if metric.sign > 0 else "above"
        return (
            f"After epoch {epoch} its validation {metric.name} ({found}) was {worse} the median of"
            f" the rates ({metric.text(metric.sign * middle)})."
        )


def _recommended(config: Compare, group: OnGrid) -> int | None:
    """The entry nearest to what a range test of this optimizer recommends, if it does."""
    lr = config.advice.get(config.advised)
    if lr is None or group.asked.optimizer != config.swept:
        return None
    rates = {entry: config.entries[entry].lr or math.nan for entry in group.entries}
    return min(rates, key=lambda entry: abs(math.log(rates[entry] / lr)))
