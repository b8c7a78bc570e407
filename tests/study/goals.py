"""The figures that the advice should reach, and what the study measures of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from advise import said_of
from made_curves import COUNT, deserving, undeserving
from summaries import OURS, Advice, Study, Summary


@dataclass(frozen=True)
class Goal:
    """One figure, with what was aimed at and what was found."""

    about: Literal["points lost", "intervals", "made curves", "factor"]
    what: str
    aim: float
    found: float
    form: str = "{:.2f}"
    """How the found figure is written."""
    least: bool = False
    """Whether it should be as large as the aim or larger, not as small or smaller."""

    @property
    def is_reached(self) -> bool:
        return self.found >= self.aim if self.least else self.found <= self.aim

    @property
    def row(self) -> str:
        """Of the table of all figures."""
        aim = f"{self.aim:.0%}" if "%" in self.form else f"{self.aim:g}"
        bound = f"at {'least' if self.least else 'most'} {aim}" if self.aim else "0"
        reached = "yes" if self.is_reached else "no"
        return f"| {self.what} | {bound} | {self.form.format(self.found)} | {reached} |"

    @property
    def missed_by(self) -> str:
        """How far the figure is from its aim, as text."""
        gap = abs(self.found - self.aim)
        return f"{100 * gap:.0f} in 100" if "%" in self.form else f"{gap:.2f}"


def goals(study: Study) -> list[Goal]:
    """Every figure; points lost and intervals are of the held-out settings."""
    return [*_of_rates(study), *_of_made_curves(), *_of_lengths(study)]


def _of_rates(study: Study) -> Iterator[Goal]:
    for words, sweeps in (("one sweep", 1), ("three sweeps", 3)):
        held = [a for a in study.held_out if (a.rule, a.sweeps) == (OURS, sweeps)]
        summary = Summary.of(held)
        if summary is None:
            continue
        yield Goal("points lost", f"points lost, mean, {words}", 0.5, summary.mean)
        yield Goal("points lost", f"points lost, worst setting, {words}", 1.5, summary.worst)
        yield from _of_intervals(held, words)


def _of_intervals(held: list[Advice], words: str) -> Iterator[Goal]:
    known = [a for a in held if a.interval and a.lr is not None]
    if not known:
        return
    inside = float(np.mean([a.holds_best for a in known]))
    as_good = float(np.mean([a.holds_as_good for a in known]))
    width = float(np.median([np.log10(a.interval[1] / a.interval[0]) for a in known if a.interval]))
    share = "{:.0%}"
    yield Goal(
        "intervals", f"intervals that hold the best rate, {words}", 0.9, inside, share, least=True
    )
    yield Goal(
        "intervals",
        f"intervals that hold it, or one as good within luck, {words}",
        0.9,
        as_good,
        share,
        least=True,
    )
    yield Goal("intervals", f"width of the interval in decades, median, {words}", 1, width)


def _of_made_curves() -> Iterator[Goal]:
    wrong = sum(said_of(case).recommended is not None for case in undeserving())
    refused = sum(said_of(case).recommended is None for case in deserving()) / COUNT
    yield Goal(
        "made curves", f"recommendations on {COUNT} made curves without one", 0, wrong, "{:.0f}"
    )
    yield Goal("made curves", f"refusals of {COUNT} good made curves", 0.05, refused, "{:.1%}")


def _of_lengths(study: Study) -> Iterator[Goal]:
    moved = [max(ends) / min(ends) for ends in ends_of_lengths(study).values()]
    if moved:
        words = f"factor between advice of 100 and 3,000 steps, median of {len(moved)} settings"
        yield Goal("factor", words, 2, float(np.median(moved)))
        yield Goal("factor", "largest factor between advice of 100 and 3,000 steps", 2, max(moved))


def ends_of_lengths(study: Study) -> dict[str, tuple[float, float]]:
    """The median advice of the sweeps of 100 and of 3,000 steps, by name of the setting."""
    found = {}
    for setting in study.settings:
        medians = []
        for steps in (100, 3000):
            rates = [
                a.lr
                for a in study.advice
                if a.setting is setting
                and (a.rule, a.steps, a.sweeps) == (OURS, steps, 1)
                and a.lr is not None
            ]
            if rates:
                medians.append(float(np.median(rates)))
        if len(medians) == 2:
            found[setting.setting.name] = (medians[0], medians[1])
    return found
