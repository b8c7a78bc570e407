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
from clr_tui.engine.log.events import AnyEvent, Diverged, EntryEnded, Evaluated, NonFinite
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.rate_grid import OnGrid, on_grid

PARTS = (0.25, 0.5, 1.0)
"""When rates are compared, as parts of the length."""
MARGIN, ONE_SEED_MARGIN = 0.01, 0.05
"""The least distance to the median: of a share, or relative to the median of another metric."""


@dataclass
class _Race:
    """The rates of one optimizer."""

    entries: tuple[int, ...]
    """In the order of their rates."""
    kept: int | None
    """The one that is never ended: a range test recommends it."""
    values: dict[tuple[int, int], dict[int, float]] = field(default_factory=dict)
    """By entry and epoch, then by seed: higher is better."""
    out: set[int] = field(default_factory=set)
    """Those that were ended, or that diverged."""
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
        races = [_Race(group.entries, _recommended(config, group)) for group in on_grid(config)]
        self._race_of = {entry: race for race in races for entry in race.entries}

    def observe(self, entry: int, seed: int, event: AnyEvent) -> list[EntryEnded]:
        """The rates to end after an event of a training of `entry`."""
        race = self._race_of.get(entry)
        if race is None or entry in race.out:
            return []
        if isinstance(event, Diverged | NonFinite):
            return self._diverged(race, entry, seed)
        if not isinstance(event, Evaluated) or event.part != "validation" or event.checkpoint:
            return []
        if event.epoch not in self._marks:
            return []
        value = event.value(self._metric.name)
        signed = -math.inf if value is None else self._metric.sign * value
        race.values.setdefault((entry, event.epoch), {})[seed] = signed
        return list(self._compare(race, event.epoch))

    def _diverged(self, race: _Race, entry: int, seed: int) -> list[EntryEnded]:
        race.out.add(entry)
        ended = []
        if entry != race.kept:
            ended.append(EntryEnded(entry=entry, epoch=None, reason=f"Seed {seed} diverged."))
        # The others may have waited for it.
        for epoch in sorted(self._marks):
            ended += self._compare(race, epoch)
        return ended

    def _compare(self, race: _Race, epoch: int) -> Iterator[EntryEnded]:
        """Ends rates by their values after `epoch` epochs, once for each number of seeds."""
        values = {e: race.values.get((e, epoch), {}) for e in race.entries if e not in race.out}
        seeds = set.intersection(*map(set, values.values())) if values else set()
        if not seeds or (epoch, len(seeds)) in race.judged:
            return
        race.judged.add((epoch, len(seeds)))
        levels = {e: fmean(of[seed] for seed in seeds) for e, of in values.items()}
        middle = median([*levels.values(), *[-math.inf] * len(race.out)])
        if not math.isfinite(middle):
            return
        spared = self._spared(race, levels) | self._further(race, epoch, seeds)
        for entry, level in levels.items():
            high = level + self._reach([values[entry][seed] for seed in seeds], middle)
            if high < middle and entry not in spared:
                race.out.add(entry)
                yield EntryEnded(
                    entry=entry, epoch=epoch, reason=self._reason(epoch, level, middle)
                )

    def _reach(self, values: list[float], middle: float) -> float:
        """How far above the mean of `values` chance may lift a rate."""
        unit = 1.0 if self._metric.unit == "share" else abs(middle)
        half = t_interval(values).half_width
        return ONE_SEED_MARGIN * unit if half is None else max(MARGIN * unit, half)

    def _further(self, race: _Race, epoch: int, seeds: set[int]) -> set[int]:
        """The entries that have a value at a later mark for one of these seeds."""
        return {
            entry
            for (entry, at), values in race.values.items()
            if at > epoch and not seeds.isdisjoint(values)
        }

    def _spared(self, race: _Race, levels: dict[int, float]) -> set[int]:
        leading = race.entries.index(max(levels, key=lambda entry: levels[entry]))
        near = race.entries[max(leading - 1, 0) : leading + 2]
        return {*near} if race.kept is None else {*near, race.kept}

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
