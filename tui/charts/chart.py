"""A chart as data, independent of cells, pixels and colours.

Values are in real units (a learning rate of 1e-3 is 0.001); axes take the logarithms. Roles name
what things mean, and `palette.py` maps them to colours.
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
    "cursor",
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
"""What a thing on a chart means. `raw` is the unsmoothed curve, `lr-ahead` the rest of the
schedule, `band` the region between base_lr and max_lr, `seed-band` the spread over seeds, `entry-N`
an optimizer of a comparison: its curve and, as a tint, its band."""

Kind = Literal["line", "points"]


def _floats(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(-1)


@dataclass(frozen=True, eq=False)
class Series:
    """One curve.

    Args:
        x: shape (n,), real units; lines are drawn fast if it is ascending.
        y: shape (n,), real units. A value that is not finite, or not positive on a log axis,
            leaves a gap.
        name: for the legend in the title row; "" for none.
        colour: its role.
        kind: `line` joins the points, `points` draws a mark at each.
        faint: drawn subtly, below the others.
        strong: drawn twice as thick.
        dotted: drawn as dots with gaps between them.
        glyph: one cell wide, drawn along the line and at its end to identify curves without
            colour, or at each point of `points`; "" for none, or for the role's own mark.
        label: its name where the cursor reads values; None for `name`, "" if it has none to read.
        raw: shape (n,), the values before they were smoothed, which the cursor reads too; None if
            these are they, or if another series has them.
        rises: whether it is known that x never falls, so that nobody needs to look.
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
    label: str | None = None
    raw: Floats | None = None
    rises: bool = False

    def __post_init__(self) -> None:
        x, y = _floats(self.x), _floats(self.y)
        n = min(len(x), len(y))
        object.__setattr__(self, "x", x[:n])
        object.__setattr__(self, "y", y[:n])
        if self.raw is not None:
            object.__setattr__(self, "raw", _floats(self.raw)[:n])

    @cached_property
    def ascending(self) -> bool:
        """Whether x never falls, and so has no NaN."""
        if self.rises:
            return True
        return bool((self.x[1:] >= self.x[:-1]).all()) and not bool(np.isnan(self.x[:1]).any())

    @cached_property
    def places(self) -> Floats:
        """The x of its points in rising order, without NaN; x itself if that rises already."""
        return self.x if self.ascending else np.sort(self.x[~np.isnan(self.x)])

    def columns(self, x: Scale, count: int, *, log: bool) -> Columns:
        """Returns the points by dot column, for ascending x; the last result is cached."""
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
    """The region between two curves over an x that never falls, all of shape (n,).

    Later areas are drawn over earlier ones, faint ones below all. A value that is not finite
    leaves a gap. An area whose role has no tint is filled with a pattern. Patterns would hide each
    other, so a faint one becomes bars, one at each glyph of the curve of the same colour.
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
    """A vertical line over the full height, such as a bound, with its label in the tick row.

    `value` is a short text ("3.6e-03") that follows the label if there is space.
    """

    x: float
    label: str = ""
    colour: Role = "base"
    selected: bool = False
    value: str = ""


@dataclass(frozen=True)
class HLine:
    """A horizontal line over the full width, such as a target, with its label on the right."""

    y: float
    label: str = ""
    colour: Role = "target"


@dataclass(frozen=True)
class Band:
    """A tinted region between two values of x."""

    x0: float
    x1: float
    colour: Role = "band"


@dataclass(frozen=True)
class Mark:
    """A labelled point.

    With `y` it is in the chart (the point of divergence, the best epoch); without, a small tick on
    the top edge (a suggestion), or a few rows below it if only there is space for its label. With
    `foot` it is a heavy tick upwards from the x axis (the end of a cycle) without a label.
    """

    x: float
    y: float | None = None
    label: str = ""
    colour: Role = "suggestion"
    foot: bool = False


@dataclass(frozen=True)
class Axis:
    """One axis. `lo` and `hi` are in real units; None takes them from the data."""

    label: str = ""
    log: bool = False
    lo: float | None = None
    hi: float | None = None
    name: str = ""
    """What it counts, such as "step": charts whose x has the same name share cursor and zoom."""


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart, later series over earlier, faint ones below all; `empty` is shown without data."""

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
    zoomed: bool = False
    """Whether the limits of x are a part of it that the user chose: y then fits what is in it."""

    @cached_property
    def full_title(self) -> str:
        """The title, which says if a logarithmic axis has no place for some of the values."""
        if not self.y.log or not any(bool((one.y <= 0).any()) for one in self.series):
            return self.title
        return f"{self.title}, 0 and less left out" if self.title else "0 and less left out"


def same_chart(one: Any, other: Any) -> bool:
    """Whether two charts, or their series or areas, are equal, comparing arrays by value."""
    names = (field.name for field in fields(one))
    return all(_equal(getattr(one, name), getattr(other, name)) for name in names)


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, Series | Area):
        return same_chart(one, other)
    if isinstance(one, np.ndarray):
        return _same_memory(one, other) or np.array_equal(one, other, equal_nan=True)
    return bool(one == other)


def _same_memory(one: Floats, other: Floats) -> bool:
    """Whether two views have the same values because they are the same ones."""
    views = (one.__array_interface__, other.__array_interface__)
    return one.strides == other.strides and all(
        views[0][name] == views[1][name] for name in ("data", "shape", "typestr")
    )
