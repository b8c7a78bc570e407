"""The frame of a chart: axes, ticks, labels of vertical lines, and the x label."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from rich.cells import cell_len

from clr_tui.tui.charts.cells import Grid, Weight, clean
from clr_tui.tui.charts.chart import Chart, VLine
from clr_tui.tui.charts.frame import x_axis, y_axis
from clr_tui.tui.charts.layout import Layout, x_ticks
from clr_tui.tui.charts.scale import Scale
from clr_tui.tui.fitting import truncate

_MIN_WIDTH_FOR_VALUES = 60
"""Below this data width, values under the vertical lines would leave no space for ticks."""


def draw_frame(grid: Grid, plan: Layout, chart: Chart, x: Scale | None, y: Scale | None) -> None:
    """Draws axes, ticks, labels of vertical lines and the x label on a blank grid."""
    own = _framed(grid.width, grid.height, plan, chart.vlines, chart.x.label, x, y)
    grid.codes[:], grid.inks[:] = own.codes, own.inks


@lru_cache(maxsize=16)
def _framed(
    width: int,
    height: int,
    plan: Layout,
    vlines: tuple[VLine, ...],
    label: str,
    x: Scale | None,
    y: Scale | None,
) -> Grid:
    """Returns a grid with only the frame, cached while the limits stay the same."""
    grid = Grid(width, height)
    assert plan.axis is not None
    labels = _line_labels(plan, vlines, x) if x is not None else []
    taken = np.zeros(grid.width + 1, dtype=np.bool_)
    for start, words, _ in labels:
        taken[max(0, start - 1) : start + cell_len(words) + 1] = True
    x_cells: list[tuple[int, str]] = []
    for tick in x_ticks(x, plan.width) if x is not None else []:
        cell = x.cell(tick.value, plan.width) if x is not None else None
        if cell is None:
            continue
        half = len(tick.label) // 2 + 1
        start = max(0, plan.left + cell - half)
        room = slice(start, plan.left + cell + half + 1)
        # A tick without space for its label is drawn without it.
        x_cells.append((cell, "" if taken[room].any() else tick.label))
        taken[room] = True
    y_cells: list[tuple[int, str]] = []
    for tick in plan.y_ticks:
        cell = y.cell(tick.value, plan.height) if y is not None else None
        if cell is not None and all(cell != other for other, _ in y_cells):
            y_cells.append((cell, tick.label))
    widest = max((len(label) for _, label in y_cells), default=0)
    offset = plan.left - 1 - widest
    for at, row in enumerate(y_axis(plan.height, tuple(y_cells)), plan.top):
        grid.put(at, offset, row[:-1], "muted")
        grid.put(at, offset + widest, row[-1], "frame")
    line, *tick_labels = x_axis(plan.width, tuple(x_cells), widest)
    grid.put(plan.axis, offset, line, "frame")
    if plan.tick_row is not None and tick_labels:
        grid.put(plan.tick_row, offset, tick_labels[0], "muted")
    for start, words, vline in labels:
        weight: Weight = "strong" if vline.selected else "normal"
        grid.put(plan.axis + 1, start, words, vline.colour, weight)
    _draw_x_label(grid, plan, clean(label))
    return grid


def _draw_x_label(grid: Grid, plan: Layout, label: str) -> None:
    """Draws it centred in its own row, or right of the tick labels if there is space."""
    size = cell_len(label)
    if plan.label_row is not None:
        label = truncate(label, plan.width)
        grid.put(plan.label_row, plan.left + (plan.width - cell_len(label)) // 2, label, "muted")
    elif size and plan.tick_row is not None:
        for start in range(grid.width - size, plan.left, -1):
            if grid.blank(plan.tick_row, start - 2, min(start + size + 2, grid.width)):
                grid.put(plan.tick_row, start, label, "muted")
                return


def _line_labels(plan: Layout, vlines: tuple[VLine, ...], x: Scale) -> list[tuple[int, str, VLine]]:
    """Returns (first cell, words, line) in the tick row, selected first; values where they fit."""
    placed: list[tuple[int, str, VLine]] = []
    lines = [line for line in vlines if line.label and x.cell(line.x, plan.width) is not None]
    for line in sorted(lines, key=lambda line: not line.selected):
        name = clean(line.label)
        value = clean(line.value) if plan.width >= _MIN_WIDTH_FOR_VALUES else ""
        rivals = [other.x - line.x for other in lines if other is not line]
        cells = [x.cell(other.x, plan.width) or 0 for other in lines if other is not line]
        column = x.cell(line.x, plan.width) or 0
        for words in ([f"{name} {value}"] if value else []) + [name]:
            near = cell_len(words) + 2
            right = any(d >= 0 and c - column < near for d, c in zip(rivals, cells, strict=True))
            left = any(d < 0 and column - c < near for d, c in zip(rivals, cells, strict=True))
            start = _place(plan.left + column, cell_len(words), plan, placed, left, right)
            if start is not None:
                placed.append((start, words, line))
                break
    return placed


def _place(
    column: int,
    size: int,
    plan: Layout,
    placed: list[tuple[int, str, VLine]],
    left: bool,
    right: bool,
) -> int | None:
    """Returns the first of `size` free cells at `column`, or None if there is no space.

    The label is centred, or on the side away from a close neighbour on the `left` or `right`,
    touching its line or one cell away.
    """
    before, after = (column - size + 1, column - size), (column, column + 1)
    order = after if left and not right else before if right and not left else ()
    first, last = plan.left, plan.left + plan.width - size
    for start in order or (column - size // 2, *before, *after):
        start = min(max(start, first), last)
        over = any(start <= at + cell_len(words) and at <= start + size for at, words, _ in placed)
        if start >= first and not over and start - 1 <= column <= start + size:
            return start
    return None
