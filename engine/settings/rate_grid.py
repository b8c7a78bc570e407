"""A grid of learning rates, `grid:1e-4..0.1x7`, and the entries of a comparison at its rates.

Each entry of the comparison that has no rate of its own becomes one entry for each rate of the
grid, so that everything behind the settings knows plain entries only.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import AROUND, GRID, Compare, EntryConfig
from clr_tui.engine.settings.entries import LEARNING_RATE, MAX_ENTRIES, entry_at
from clr_tui.engine.settings.limits import shown
from clr_tui.engine.words import exact_lr, many

FIELD = "lr"
EXAMPLE = "grid:1e-4..0.1x7"
COUNT = 7
"""Rates of a grid that does not say how many."""
MOST_AROUND = 15
"""Rates of a grid around a recommendation, at most: more than two decades to each side."""
PER_DECADE = 3
"""Rates in a decade of a grid around a recommendation."""
CLOSEST = 1.05
"""Smallest ratio of neighbouring rates: closer ones train alike, and three digits would not tell
them apart."""


@dataclass(frozen=True)
class RateGrid:
    """Rates from `low` to `high`, both included, at equal ratios."""

    low: float
    high: float
    count: int

    @property
    def rates(self) -> tuple[float, ...]:
        """The rates, increasing, rounded to three digits: they are part of the entries' labels."""
        low, span = math.log10(self.low), math.log10(self.high) - math.log10(self.low)
        exact = [10 ** (low + span * i / (self.count - 1)) for i in range(self.count)]
        return tuple(float(f"{lr:.3g}") for lr in exact)

    @property
    def text(self) -> str:
        """Its text, which `parse_grid` reads."""
        return f"{GRID}{_number(self.low)}..{_number(self.high)}x{self.count}"


def rates_around(lr: float, count: int) -> RateGrid:
    """`count` rates, three in each decade, with `lr` in their middle.

    Raises:
        UserError: (field `lr`) `count` is even, so that none would be in the middle, or too small
            or large.
    """
    if count % 2 == 0 or not 3 <= count <= MOST_AROUND:
        words = f"give an odd number from 3 to {MOST_AROUND}, with the advised one in their middle"
        raise UserError(f"{shown(count)} rates around a recommendation: {words}", FIELD)
    middle = float(f"{lr:.3g}")
    reach = 10 ** ((count - 1) / 2 / PER_DECADE)
    return RateGrid(middle / reach, middle * reach, count)


class OnGrid(NamedTuple):
    """An entry as it was asked for, and where it is in the comparison."""

    asked: EntryConfig
    """Without a rate."""
    entries: tuple[int, ...]
    """The numbers of its entries, one for each rate of the grid, in their order."""


def parse_grid(text: str) -> RateGrid:
    """Parses `grid:LOW..HIGHxCOUNT`; without `xCOUNT` there are 7 rates.

    Raises:
        UserError: (field `lr`) the text cannot be read, or there is no such grid.
    """
    low_text, dots, rest = text.removeprefix(GRID).strip().partition("..")
    high_text, times, count_text = rest.lower().partition("x")
    try:
        low, high = float(low_text), float(high_text)
        count = int(count_text) if times else COUNT
    except ValueError:
        dots = ""
    if not dots:
        words = "cannot be read: write grid:LOW..HIGHxCOUNT, such as"
        raise UserError(f"lr '{shown(text)}' {words} {EXAMPLE}", FIELD)
    for value, which in ((low, "first"), (high, "last")):
        if mistake := LEARNING_RATE.mistake(value, f"the {which} rate of the grid", FIELD):
            raise mistake
    grid = RateGrid(low, high, count)
    _check(grid)
    return grid


def _check(grid: RateGrid) -> None:
    low, high, count = grid.low, grid.high, grid.count
    if not low < high:
        words = f"the first rate of the grid, {low:g}, is not below its last, {high:g}"
        raise UserError(f"{words}: write {EXAMPLE}, or one rate such as 1e-3", FIELD)
    if count < 2:
        raise UserError(f"a grid has at least 2 rates, not {count}: give one as a number", FIELD)
    if count > MAX_ENTRIES:
        raise UserError(f"a grid has at most {MAX_ENTRIES} rates, not {shown(count)}", FIELD)
    most = 1 + math.floor(math.log(high / low) / math.log(CLOSEST) + 1e-9)
    if count > most:
        between = f"{count} rates between {low:g} and {high:g} are closer than 5 %"
        fewer = f"give at most {most}, or a wider grid" if most > 1 else "give a wider grid"
        raise UserError(f"{between}: {fewer}", FIELD)


def split_around(text: str) -> tuple[str, int]:
    """The run and the number of rates in `around:RUN` or `around:RUNxCOUNT`.

    Raises:
        UserError: (field `lr`) no run is named.
    """
    run, count = text.removeprefix(AROUND).strip(), COUNT
    if found := re.fullmatch(r"(.+-\d+)x(\d{1,9})", run, re.DOTALL):  # ids end in a number
        run, count = found[1], int(found[2])
    if not run:
        raise UserError("around: needs a range test: write around:range-test-digits-1", FIELD)
    return run, count


def is_around(job: Compare) -> bool:
    """Whether the rates of a comparison are to be a grid around what a range test recommends."""
    return isinstance(job.rates, str) and job.rates.startswith(AROUND)


def has_grid(job: Compare) -> bool:
    """Whether the rates of a comparison are a grid."""
    return isinstance(job.rates, str) and job.rates.startswith(GRID)


def at_each_rate(job: Compare) -> Compare:
    """The comparison with each entry without a rate replaced by one for each rate of the grid.

    Without a grid, or where every entry has its rate, it is returned as it is.

    Raises:
        UserError: (field `lr`) there is no such grid, or there would be too many entries.
    """
    if not has_grid(job):
        return job
    rates = parse_grid(str(job.rates)).rates
    entries: list[EntryConfig] = []
    for entry in job.entries:
        entries += [entry] if entry.lr is not None else [entry_at(entry, lr) for lr in rates]
    if len(entries) > MAX_ENTRIES >= len(job.entries):
        open_ = sum(entry.lr is None for entry in job.entries)
        most = (MAX_ENTRIES - len(job.entries) + open_) // open_
        raise UserError(
            f"{many(open_, 'optimizer')} at {many(len(rates), 'rate')} make {len(entries)} entries,"
            f" but a comparison takes at most {MAX_ENTRIES}: give at most {many(most, 'rate')}",
            FIELD,
        )
    return replace(job, entries=entries)


def stand_in(job: Compare) -> Compare:
    """The comparison with a grid of as many rates as are wanted around a range test.

    Which they are is found when it starts; how many trials there are does not depend on that.

    Raises:
        UserError: (field `lr`) no run is named, or there is no such number of rates.
    """
    if not is_around(job):
        return job
    count = rates_around(1.0, split_around(str(job.rates))[1]).count
    return replace(job, rates=RateGrid(1e4, 1e6, count).text)


def on_grid(job: Compare) -> list[OnGrid]:
    """The optimizers that train at every rate of the grid, in the order they were asked for.

    An entry at a rate of its own is none, even if this is a rate of the grid. Empty without a grid,
    and if its text is damaged.
    """
    if not has_grid(job):
        return []
    try:
        rates = parse_grid(str(job.rates)).rates
    except UserError:  # a damaged run.json
        return []
    found: dict[str, tuple[EntryConfig, dict[float, int]]] = {}
    for number, entry in enumerate(job.entries):
        if entry.lr in rates:
            asked = entry_at(entry, None)
            found.setdefault(asked.label, (asked, {}))[1].setdefault(entry.lr, number)
    return [
        OnGrid(asked, tuple(numbers[lr] for lr in rates))
        for asked, numbers in found.values()
        if len(numbers) == len(rates)
    ]


def as_asked(job: Compare) -> Compare:
    """The comparison as it was asked for: the inverse of `at_each_rate`."""
    groups = on_grid(job)
    first = {group.entries[0]: group.asked for group in groups}
    expanded = {number for group in groups for number in group.entries}
    entries = [
        first.get(number, entry)
        for number, entry in enumerate(job.entries)
        if number in first or number not in expanded
    ]
    return replace(job, entries=entries)


def _number(value: float) -> str:
    """A number as one would type it, to six digits if it needs more than four."""
    short = exact_lr(value)
    return short if math.isclose(float(short), value, rel_tol=1e-9) else f"{value:.6g}"
