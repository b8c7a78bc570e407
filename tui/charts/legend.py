"""The title row of a chart: title and y label on the left, legend on the right."""

from __future__ import annotations

from rich.cells import cell_len

from clr_tui.tui.charts.cells import Grid, Weight, clean
from clr_tui.tui.charts.chart import Area, Chart, Role, Series
from clr_tui.tui.fitting import truncate

POINT: dict[Role, str] = {"best": "★", "diverged": "✗", "suggestion": "▾"}
"""Symbol of single points by role; others are dots."""
_SAMPLE_WIDTH = 5
"""Cells of an entry besides its name: two blanks, a sample of two cells, a blank."""
_MIN_NAME_WIDTH = 5
"""Names are not cut below this width: they would be unreadable."""


def weight_of(item: Series | Area) -> Weight:
    """Returns the weight of a series, in the chart and in the legend."""
    if isinstance(item, Area):
        return "normal"
    if item.strong:
        return "strong"
    # `raw` and `lr-ahead` already have subtle colours.
    return "faint" if item.faint and item.colour not in ("raw", "lr-ahead") else "normal"


def point_of(series: Series) -> str:
    """Returns the mark at each of the points of a series."""
    return clean(series.glyph) or POINT.get(series.colour, "•")


def draw_title(grid: Grid, row: int, left: int, chart: Chart) -> None:
    """Writes the title row; `left` is the first column of the data area."""
    title, label = clean(chart.full_title), clean(chart.y.label)
    parts: list[Series | Area] = [*chart.areas, *chart.series]
    named = [item for item in parts if clean(item.name)]
    names = [clean(item.name) for item in named]
    whole = sum(cell_len(name) + _SAMPLE_WIDTH for name in names)
    end = 0
    if not title:
        # Without a title, the y label is right-aligned above its tick labels.
        start = max(0, left - 1 - cell_len(label))
        end = start + cell_len(label)
        grid.put(row, start, truncate(label, grid.width - start), "muted")
    else:
        shown = truncate(title, grid.width)
        end = cell_len(shown)
        grid.put(row, 0, shown, "text", "strong")
        beside = end + 2 + cell_len(label)
        # The legend has priority over the y label.
        if label and beside + (whole and whole + 1) <= grid.width:
            grid.put(row, end + 2, label, "muted")
            end = beside
    _draw_legend(grid, row, named, _shortened(names, grid.width - end - 1))


def _draw_legend(grid: Grid, row: int, named: list[Series | Area], names: list[str]) -> None:
    """Writes the legend right-aligned, with a count of the entries left out."""
    more = f"  +{len(named) - len(names)}" if 0 < len(names) < len(named) else ""
    taken = sum(cell_len(name) + _SAMPLE_WIDTH for name in names) + cell_len(more)
    column = grid.width - taken + 2
    for item, name in zip(named, names, strict=False):
        grid.put(row, column, f"{_sample(item)} {name}", item.colour, weight_of(item))
        column += cell_len(name) + _SAMPLE_WIDTH
    grid.put(row, column - 2, more, "muted")


def _shortened(names: list[str], room: int) -> list[str]:
    """Returns as many names as fit in `room` cells, all cut to one length if that helps."""
    sizes = [cell_len(name) for name in names]
    for count in range(min(len(names), room // (_SAMPLE_WIDTH + 1)), 0, -1):
        spare = room - (0 if count == len(names) else len(f"  +{len(names) - count}"))
        for most in range(max(_MIN_NAME_WIDTH, *sizes[:count]), _MIN_NAME_WIDTH - 1, -1):
            if sum(min(size, most) + _SAMPLE_WIDTH for size in sizes[:count]) <= spare:
                return [truncate(name, most) for name in names[:count]]
    return []


def _sample(item: Series | Area) -> str:
    if isinstance(item, Area):
        return "░░"
    if item.kind == "points":
        return point_of(item)
    if item.glyph:
        return f"━{clean(item.glyph)}"
    return "┄┄" if item.faint or item.dotted else "━━"
