"""A chart as data: what is to be seen, with nothing said of cells, pixels or colours.

Values are in real units (a learning rate of 1e-3 is 0.001): axes take the logarithms. Roles name
what a thing means; `palette.py` gives each role its colour and `svg.py` likewise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

import numpy as np

from clr_tui.tui.charts.columns import Columns
from clr_tui.tui.charts.scale import Floats, Scale

Role = Literal[
    "text",
    "muted",
    "frame",
    "loss",
    "raw",
    "validation",
    "accuracy",
    "lr",
    "lr-ahead",
    "base",
    "max",
    "band",
    "suggestion",
    "diverged",
    "best",
    "target",
    "seed-band",
    "entry-1",
    "entry-2",
    "entry-3",
    "entry-4",
    "entry-5",
    "entry-6",
    "entry-7",
    "entry-8",
]
"""What a thing on a chart means. `raw` is the unsmoothed curve, `lr-ahead` the schedule still to
come, `band` the region between base_lr and max_lr, `seed-band` the spread over seeds, `entry-N`
the contestants of a comparison: their curves, and as a tint their bands."""

Kind = Literal["line", "points"]


def _floats(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(-1)


@dataclass(frozen=True, eq=False)
class Series:
    """One curve.

    Args:
        x: shape (n,), real units, ascending for a line that is to be drawn fast.
        y: shape (n,), real units. A value that is not finite, or not positive on a log axis,
            leaves a gap.
        name: for the legend in the title row; "" keeps it out of there.
        colour: its role.
        kind: `line` joins the points, `points` puts a mark at each.
        faint: drawn under the others, quietly.
        strong: drawn twice as thick.
        dotted: drawn as dots with gaps between them.
        glyph: one cell wide; set on the line at intervals and at its end, so that curves can be
            told apart without colour; "" for none.
    """

    x: Floats
    y: Floats
    name: str = ""
    colour: Role = "loss"
    kind: Kind = "line"
    faint: bool = False
    strong: bool = False
    dotted: bool = False
    glyph: str = ""

    def __post_init__(self) -> None:
        x, y = _floats(self.x), _floats(self.y)
        n = min(len(x), len(y))
        object.__setattr__(self, "x", x[:n])
        object.__setattr__(self, "y", y[:n])

    @cached_property
    def ascending(self) -> bool:
        """Whether x never falls; no NaN is in it then. Drawing asks more than once."""
        return bool((self.x[1:] >= self.x[:-1]).all()) and not bool(np.isnan(self.x[:1]).any())

    def columns(self, x: Scale, count: int, *, log: bool) -> Columns:
        """Its points by dot column, where x is ascending; the last answer is remembered."""
        asked = x, count, log
        if asked not in self._columns:
            self._columns.clear()
            self._columns[asked] = Columns.of(self.x, self.y, x, count, log=log)
        return self._columns[asked]

    @cached_property
    def _columns(self) -> dict[tuple[Scale, int, bool], Columns]:
        return {}


@dataclass(frozen=True, eq=False)
class Area:
    """The region between two curves over one x that never falls, all of shape (n,): a band.

    Later areas are drawn over earlier ones, faint ones under all. A value that is not finite
    leaves a gap. Where its role has no tint, an area is filled with a pattern; patterns on top of
    one another would hide each other, so a faint one shows as bars, one at each glyph of the curve
    of its colour.
    """

    x: Floats
    low: Floats
    high: Floats
    name: str = ""
    colour: Role = "seed-band"
    faint: bool = False

    def __post_init__(self) -> None:
        columns = _floats(self.x), _floats(self.low), _floats(self.high)
        n = min(len(column) for column in columns)
        for name, column in zip(("x", "low", "high"), columns, strict=True):
            object.__setattr__(self, name, column[:n])


@dataclass(frozen=True)
class VLine:
    """A vertical line over the whole height, its label on the axis row: a bound.

    `value` is a short text ("3.6e-03") that follows the label where there is room for it.
    """

    x: float
    label: str = ""
    colour: Role = "base"
    selected: bool = False
    value: str = ""


@dataclass(frozen=True)
class HLine:
    """A horizontal line over the whole width, its label at the right end: a target."""

    y: float
    label: str = ""
    colour: Role = "target"


@dataclass(frozen=True)
class Band:
    """The tinted region between two values of x."""

    x0: float
    x1: float
    colour: Role = "band"


@dataclass(frozen=True)
class Mark:
    """One point with a word to it.

    With `y` it stands in the chart (the point of divergence, the best epoch); without, it is a
    small tick on the top edge (a suggestion), with its label beside it where there is room. With
    `foot` it is a heavy tick upwards from the x axis (the end of a cycle), and has no label.
    """

    x: float
    y: float | None = None
    label: str = ""
    colour: Role = "suggestion"
    foot: bool = False


@dataclass(frozen=True)
class Axis:
    """One axis. `lo` and `hi` in real units; None takes them from what is drawn."""

    label: str = ""
    log: bool = False
    lo: float | None = None
    hi: float | None = None


@dataclass(frozen=True, eq=False)
class Chart:
    """All that one chart shows. Later series are drawn over earlier ones, faint ones under all.

    `empty` is shown in the middle while there is nothing to draw.
    """

    series: tuple[Series, ...] = ()
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    vlines: tuple[VLine, ...] = ()
    hlines: tuple[HLine, ...] = ()
    bands: tuple[Band, ...] = ()
    areas: tuple[Area, ...] = ()
    marks: tuple[Mark, ...] = ()
    title: str = ""
    empty: str = ""


def same(one: Chart, other: Chart) -> bool:
    """Whether two charts show the same, their arrays compared value by value."""
    return _fields_equal(one, other)


def _fields_equal(one: Any, other: Any) -> bool:
    names = (field.name for field in fields(one))
    return all(_equal(getattr(one, name), getattr(other, name)) for name in names)


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, Series | Area):
        return _fields_equal(one, other)
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return bool(one == other)
