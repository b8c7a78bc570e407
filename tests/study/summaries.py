"""Everybody's advice about the sweeps of the study, and what following it costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from advise import Said, said_of_sweeps, smiths
from judge import Judged, enclosed
from library_rules import FILE
from suite import DEFAULTS, is_held_out

OURS = "recommended"
ARTICLE = "minimum/10"
SMITH = "Smith, accuracy"
DEFAULT = "no range test"
SOURCES = {
    OURS: "what clr-tui recommends, if it does",
    ARTICLE: "a tenth of the rate at the minimum of the smoothed loss",
    "torch-lr-finder": "`plot(suggest_lr=True)`: steepest fall",
    "fastai minimum": "`minimum`: a tenth of the rate at the minimum",
    "fastai steep": "`steep`: steepest fall",
    "fastai valley": "`valley`, its default",
    "fastai slide": "`slide`",
    "Lightning": "`Tuner.lr_find().suggestion()`: steepest fall per rate",
    "ignite": "`FastaiLRFinder.lr_suggestion()`: steepest fall before the minimum",
    SMITH: "where accuracy turns ragged or falls, three sweeps of 300 steps",
    DEFAULT: "the default rate of the optimizer's class",
}
SWEEPS_OF = {SMITH: 3, DEFAULT: 0}
"""How many sweeps a rule is asked about, if not one."""


@dataclass(frozen=True)
class Advice:
    """One rule's answer to one range test of a setting."""

    setting: Judged
    rule: str
    sweeps: int
    """How many sweeps the range test has."""
    steps: int
    lr: float | None
    said: Said | None = None
    """All that the program said; None for rules that are not its own."""

    @property
    def lost(self) -> float:
        """Points; NaN without an answer."""
        return float("nan") if self.lr is None else self.setting.truth.lost(self.lr)

    @property
    def more_error(self) -> float:
        """Percent of the best error; NaN for an accuracy or without an answer."""
        return float("nan") if self.lr is None else self.setting.truth.more_error(self.lr)

    @property
    def factor(self) -> float:
        """The advised rate relative to the best one."""
        return float("nan") if self.lr is None else self.lr / self.setting.truth.best_lr

    @property
    def interval(self) -> tuple[float, float] | None:
        """For the best rate, if the rule gives one."""
        return self.said.interval if self.said else None

    @property
    def holds_best(self) -> bool:
        """Whether the interval contains the rate with the best mean."""
        if self.interval is None:
            return False
        low, high = self.interval
        return low <= self.setting.truth.best_lr <= high

    @property
    def holds_as_good(self) -> bool:
        """Whether it contains that rate, or one that loses no more than luck.

        On a plateau the best of many noisy means may be any of its rates.
        """
        if self.interval is None:
            return False
        truth = self.setting.truth
        within = np.geomspace(*self.interval, 50)
        return self.holds_best or min(map(truth.lost, within.tolist())) <= truth.luck


@dataclass(frozen=True)
class Summary:
    """How a rule did, over settings."""

    answered: float
    """The share of range tests with an answer."""
    mean: float
    """Points lost, the mean over settings; of each, over lengths and seeds."""
    fair: float
    """The same without the luck of the best rate."""
    worst: float
    """The most that a setting lost in the mean."""
    worst_single: float
    within: float
    """The share of answers that lose at most a point."""
    off: float
    """The median distance from the best rate, in decades."""

    @staticmethod
    def of(advice: Iterable[Advice]) -> Summary | None:
        """None if there is no answer."""
        asked = list(advice)
        given = [a for a in asked if a.lr is not None]
        if not given:
            return None
        by_setting: dict[str, list[float]] = {}
        luck: dict[str, float] = {}
        for a in given:
            by_setting.setdefault(a.setting.setting.name, []).append(a.lost)
            luck[a.setting.setting.name] = a.setting.truth.luck
        means = {name: float(np.mean(values)) for name, values in by_setting.items()}
        return Summary(
            answered=len(given) / len(asked),
            mean=float(np.mean([*means.values()])),
            fair=float(np.mean([value - luck[name] for name, value in means.items()])),
            worst=max(means.values()),
            worst_single=max(a.lost for a in given),
            within=float(np.mean([a.lost <= 1 for a in given])),
            off=float(np.median([abs(np.log10(a.factor)) for a in given])),
        )


class Study:
    """The results, with everybody's advice."""

    def __init__(self, folder: Path) -> None:
        known = enclosed(folder)
        self.settings = [setting for setting in known if setting.is_firm]
        """Those that count."""
        self.uncertain = [setting for setting in known if not setting.is_firm]
        """Those whose best rate is not known well enough yet."""
        file = folder / FILE
        lines = map(json.loads, file.open()) if file.exists() else ()
        self._libraries = {tuple(line["sweep"]): line["advice"] for line in lines}

    @cached_property
    def advice(self) -> list[Advice]:
        """Of every rule for every sweep alone; of the program also for all seeds of a length."""
        return [a for setting in self.settings for a in self._of(setting)]

    @cached_property
    def held_out(self) -> list[Advice]:
        """That about settings by which nothing was chosen."""
        return [a for a in self.advice if is_held_out(a.setting.setting)]

    def _of(self, setting: Judged) -> Iterable[Advice]:
        yield Advice(setting, DEFAULT, 0, 0, DEFAULTS[setting.setting.optimizer])
        for steps, sweeps in sorted(setting.sweeps.items()):
            groups = [[sweep] for sweep in sweeps]
            for group in groups if len(sweeps) == 1 else [*groups, sweeps]:
                said = said_of_sweeps(group)
                yield Advice(setting, OURS, len(group), steps, said.recommended, said)
                yield Advice(setting, ARTICLE, len(group), steps, said.rates[ARTICLE], said)
            for sweep in sweeps:
                key = setting.setting.name, steps, sweep["seed"]
                for rule, lr in self._libraries.get(key, {}).items():
                    yield Advice(setting, rule, 1, steps, lr)
        if setting.accuracies:
            smith = smiths(setting.accuracies)
            yield Advice(setting, SMITH, len(setting.accuracies), 300, smith)

    def by(self, keep: Callable[[Advice], bool]) -> list[Advice]:
        """The advice that is wanted."""
        return [a for a in self.advice if keep(a)]
