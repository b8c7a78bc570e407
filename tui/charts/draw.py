"""A chart drawn into rows of cells.

From below to above: tints and patterns, horizontal lines, faint curves, vertical lines, curves,
points, the words of horizontal lines, marks and their words. The frame comes from plotext
(`frame.py`), the dots of curves from `raster.py`, which says why they do not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len

from clr_tui.tui.charts.cells import Grid, Row, Weight, clean, fitted
from clr_tui.tui.charts.chart import Area, Chart, Mark, Role, Series, VLine
from clr_tui.tui.charts.frame import frame
from clr_tui.tui.charts.layout import Layout, layout, scales, x_ticks
from clr_tui.tui.charts.palette import Palette
from clr_tui.tui.charts.raster import area_mask, braille, dots_mask, series_mask
from clr_tui.tui.charts.scale import Scale

_BRAILLE = 0x2800
_ROOM_FOR_VALUES = 60
"""Cells of data width below which values under the vertical lines would leave no ticks."""
_APART = 3
"""Cells between a mark's word and whatever comes next."""
_POINT: dict[Role, str] = {"best": "★", "diverged": "✗", "suggestion": "▾"}
_BAND_FILL, _AREA_FILL = ord("·"), ord("░")


def draw(chart: Chart, width: int, height: int, palette: Palette) -> list[Row]:
    """Draws `chart`: `height` rows, each exactly `width` cells wide.

    The palette matters for one thing only: where it does not tint, bands and areas are drawn as
    patterns of characters. Any data and any size are drawn; values that an axis has no place for
    leave gaps.
    """
    if width < 1 or height < 1:
        return [() for _ in range(max(height, 0))]
    with np.errstate(all="ignore"):
        x, y = scales(chart)
        plan = layout(chart, width, height, y)
        grid = Grid(width, height)
        if plan.framed:
            _draw_frame(grid, plan, chart, x, y)
        if plan.title is not None:
            _draw_title(grid, plan, chart)
        if x is not None and plan.width > 0 and plan.height > 0:
            _Picture(grid, plan, chart, x, y, palette).draw()
        if chart.empty and not _has_data(chart):
            _draw_words(grid, plan, chart.empty)
        return grid.rows()


def _has_data(chart: Chart) -> bool:
    return any(bool(np.isfinite(s.y).any()) for s in chart.series)


class _Picture:
    """The data area of one chart, layer by layer."""

    def __init__(
        self, grid: Grid, plan: Layout, chart: Chart, x: Scale, y: Scale | None, palette: Palette
    ) -> None:
        self.grid, self.plan, self.chart, self.x, self.y = grid, plan, chart, x, y
        self.tinted = palette.tinted
        self.rows = slice(plan.top, plan.top + plan.height)
        self.columns = slice(plan.left, plan.left + plan.width)
        self.shape = plan.height, plan.width
        self.dots = 2 * plan.width, 4 * plan.height

    def draw(self) -> None:
        """All of it, from below to above."""
        self.bands()
        if self.y is not None:
            self.areas(self.y)
            self.hlines(self.y)
            self.curves(self.y, faint=True)
        self.vlines()
        if self.y is not None:
            self.curves(self.y, faint=False)
            self.points(self.y)
            self.hline_words(self.y)
        self.marks()

    def fill(self, where: npt.NDArray[np.bool_], role: Role, pattern: int) -> None:
        """Tints cells, or fills them with a pattern where nothing is tinted."""
        if self.tinted:
            self.grid.tint(self.rows, self.columns, where, role)
            return
        codes = np.full(self.shape, pattern, dtype=np.int32)
        self.grid.paint(self.rows, self.columns, codes, where, Grid.ink_code(role))

    def bands(self) -> None:
        """The region between two values of x."""
        for band in self.chart.bands:
            ends = sorted((band.x0, band.x1))
            places = np.clip(np.nan_to_num(self.x.fraction(ends), nan=-1.0), 0, 1)
            if places[0] >= places[1]:
                continue
            first, last = np.minimum((places * self.plan.width).astype(int), self.plan.width - 1)
            where = np.zeros(self.shape, dtype=np.bool_)
            where[:, first : last + 1] = True
            if not self.tinted:  # every other cell: a texture that curves stand out from
                where &= (np.add.outer(*map(np.arange, self.shape)) % 2).astype(np.bool_)
            self.fill(where, band.colour, _BAND_FILL)

    def areas(self, y: Scale) -> None:
        """The region between two curves, in cells at least half covered."""
        for area in self.chart.areas:
            mask = area_mask(area.x, area.low, area.high, self.x, y, *self.dots)
            covered = mask.reshape(self.plan.height, 4, self.plan.width, 2).sum(axis=(1, 3))
            self.fill(covered >= 4, area.colour, _AREA_FILL)

    def hlines(self, y: Scale) -> None:
        """Horizontal lines over the whole width."""
        for line in self.chart.hlines:
            row = y.cell(line.y, self.plan.height)
            if row is not None:
                at = self.plan.top + self.plan.height - 1 - row
                self.grid.put(at, self.plan.left, "╌" * self.plan.width, line.colour)

    def hline_words(self, y: Scale) -> None:
        """Their labels at the right end, over the curves: half a word says nothing."""
        for line in self.chart.hlines:
            row = y.cell(line.y, self.plan.height)
            label = fitted(clean(line.label), self.plan.width - 2)
            if row is not None and label:
                at = self.plan.top + self.plan.height - 1 - row
                column = self.plan.left + self.plan.width - cell_len(label) - 1
                self.grid.put(at, column, f" {label}", line.colour)

    def curves(self, y: Scale, *, faint: bool) -> None:
        """Lines and steps. Among equals dots add up and the later one gives the colour."""
        bits: npt.NDArray[np.int32] = np.zeros(self.shape, dtype=np.int32)
        inks = np.zeros(self.shape, dtype=np.int32)
        for series in self.chart.series:
            if series.faint != faint or series.kind == "points":
                continue
            own = braille(series_mask(series, self.x, y, *self.dots))
            bits |= own
            inks[own > 0] = Grid.ink_code(series.colour, _weight(series))
        for ink in np.unique(inks[bits > 0]).tolist():
            where = (bits > 0) & (inks == ink)
            self.grid.paint(self.rows, self.columns, bits + np.int32(_BRAILLE), where, ink)

    def points(self, y: Scale) -> None:
        """A mark for each point, a cell each."""
        for series in self.chart.series:
            if series.kind != "points":
                continue
            height, width = self.shape
            where = dots_mask(series.x, series.y, self.x, y, width, height)
            codes = np.full(self.shape, ord(_POINT.get(series.colour, "•")), dtype=np.int32)
            ink = Grid.ink_code(series.colour, _weight(series))
            self.grid.paint(self.rows, self.columns, codes, where, ink)

    def vlines(self) -> None:
        """Vertical lines, and their feet on the axis; the selected one is heavy and comes last."""
        for line in sorted(self.chart.vlines, key=lambda line: line.selected):
            cell = self.x.cell(line.x, self.plan.width)
            if cell is None:
                continue
            column = self.plan.left + cell
            weight: Weight = "strong" if line.selected else "normal"
            for row in range(self.rows.start, self.rows.stop):
                self.grid.put(row, column, "┃" if line.selected else "│", line.colour, weight)
            if self.plan.axis is not None:
                foot = "▲" if line.selected else "┴"
                self.grid.put(self.plan.axis, column, foot, line.colour, weight)

    def marks(self) -> None:
        """Single points with their words; ticks along the top for those without a y."""
        places: list[tuple[Mark, int, int]] = []
        for mark in self.chart.marks:
            cell = self.x.cell(mark.x, self.plan.width)
            if cell is not None:
                places.append((mark, self._mark_row(mark), self.plan.left + cell))
        for mark, row, column in places:
            glyph = _POINT.get(mark.colour, "●" if mark.y is not None else "▾")
            self.grid.put(row, column, glyph, mark.colour, "strong")
        for mark, row, column in places:
            self._mark_words(mark, row, column)

    def _mark_row(self, mark: Mark) -> int:
        if mark.y is None or self.y is None:
            return self.plan.top
        place = float(np.nan_to_num(self.y.fraction(mark.y), nan=1.0))
        up = int(min(max(place * self.plan.height, 0), self.plan.height - 1))
        return self.plan.top + self.plan.height - 1 - up

    def _mark_words(self, mark: Mark, row: int, column: int) -> None:
        """Beside the mark where nothing else is; over the data if need be, except along the top."""
        words = clean(mark.label)
        size = cell_len(words)
        if not size:
            return
        right, left = column + 2, column - 1 - size
        first, end = self.columns.start, self.columns.stop
        inside = [at for at in (right, left) if first <= at <= end - size]
        # Nothing may stand between the mark and its word, nor so near the word's other end that
        # it might be the word of what stands there.
        room = {
            right: (column + 1, min(right + size + _APART, end)),
            left: (max(left - _APART, first), column),
        }
        free = [at for at in inside if self.grid.blank(row, *room[at])]
        places = free or (inside if mark.y is not None else [])
        if places:
            self.grid.put(row, places[0], words, mark.colour)


def _weight(series: Series) -> Weight:
    # `raw` and `lr-ahead` have quiet colours of their own.
    return "faint" if series.faint and series.colour not in ("raw", "lr-ahead") else "normal"


def _draw_title(grid: Grid, plan: Layout, chart: Chart) -> None:
    """Title and y label at the left, the legend at the right."""
    assert plan.title is not None
    title, label = clean(chart.title), clean(chart.y.label)
    if not title:
        # A y label alone stands over its numbers, aligned as they are.
        start = max(0, plan.left - 1 - cell_len(label))
        end = start + cell_len(label)
        grid.put(plan.title, start, fitted(label, grid.width - start), "muted")
    else:
        shown = fitted(title, grid.width)
        end = cell_len(shown)
        grid.put(plan.title, 0, shown, "text", "strong")
        if label and end + 2 + cell_len(label) <= grid.width:
            grid.put(plan.title, end + 2, label, "muted")
            end += 2 + cell_len(label)
    entries: list[tuple[Series | Area, str]] = []
    room = grid.width - end - 1
    drawn: list[Series | Area] = [*chart.areas, *chart.series]
    for item in drawn:
        name = clean(item.name)
        if name and room >= cell_len(name) + 5:
            entries.append((item, name))
            room -= cell_len(name) + 5
    column = grid.width - sum(cell_len(name) + 5 for _, name in entries) + 1
    for item, name in entries:
        weight: Weight = _weight(item) if isinstance(item, Series) else "normal"
        grid.put(plan.title, column + 1, f"{_sample(item)} {name}", item.colour, weight)
        column += cell_len(name) + 5


def _sample(item: Series | Area) -> str:
    if isinstance(item, Area):
        return "░░"
    if item.kind == "points":
        return _POINT.get(item.colour, "•")
    return "┄┄" if item.faint else "━━"


def _draw_frame(grid: Grid, plan: Layout, chart: Chart, x: Scale | None, y: Scale | None) -> None:
    """Axes with their ticks, the labels of vertical lines among them, and the x label."""
    assert plan.axis is not None
    labels = _line_labels(plan, chart, x) if x is not None else []
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
        # A tick whose label has no room stands without it.
        x_cells.append((cell, "" if taken[room].any() else tick.label))
        taken[room] = True
    y_cells: list[tuple[int, str]] = []
    for tick in plan.y_ticks:
        cell = y.cell(tick.value, plan.height) if y is not None else None
        if cell is not None and all(cell != other for other, _ in y_cells):
            y_cells.append((cell, tick.label))
    rows = frame(plan.width, plan.height, tuple(x_cells), tuple(y_cells))
    widest = max((len(label) for _, label in y_cells), default=0)
    offset = plan.left - 1 - widest
    for number, row in enumerate(rows):
        at = plan.top + number
        if number < plan.height:
            grid.put(at, offset, row[:widest], "muted")
            grid.put(at, offset + widest, row[widest], "frame")
        elif at in (plan.axis, plan.tick_row):
            grid.put(at, offset, row, "frame" if at == plan.axis else "muted")
    for start, words, line in labels:
        weight: Weight = "strong" if line.selected else "normal"
        grid.put(plan.axis + 1, start, words, line.colour, weight)
    _draw_x_label(grid, plan, clean(chart.x.label))


def _draw_x_label(grid: Grid, plan: Layout, label: str) -> None:
    """Centred in a row of its own, else at the right of the tick labels where they leave room."""
    size = cell_len(label)
    if plan.label_row is not None:
        label = fitted(label, plan.width)
        grid.put(plan.label_row, plan.left + (plan.width - cell_len(label)) // 2, label, "muted")
    elif size and plan.tick_row is not None:
        for start in range(grid.width - size, plan.left, -1):
            if grid.blank(plan.tick_row, start - 2, min(start + size + 2, grid.width)):
                grid.put(plan.tick_row, start, label, "muted")
                return


def _line_labels(plan: Layout, chart: Chart, x: Scale) -> list[tuple[int, str, VLine]]:
    """Where the labels of vertical lines go on the tick row: (first cell, words, line).

    With its value if that fits, else alone; the selected line chooses first.
    """
    placed: list[tuple[int, str, VLine]] = []
    lines = [line for line in chart.vlines if line.label and x.cell(line.x, plan.width) is not None]
    for line in sorted(lines, key=lambda line: not line.selected):
        name = clean(line.label)
        value = clean(line.value) if plan.width >= _ROOM_FOR_VALUES else ""
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
    """The first cell of `size` cells at `column` that no other label needs; None: no room.

    Centred; with a neighbour near at the `left` or the `right` on the other side, where the label
    touches its line or stands a cell apart.
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


def _draw_words(grid: Grid, plan: Layout, words: str) -> None:
    """Words in the middle of the data area, over as many rows as they need."""
    room = plan.width - 2
    if room < 4:
        return
    lines = _wrapped(clean(words), room)[: plan.height]
    top = plan.top + (plan.height - len(lines)) // 2
    for number, line in enumerate(lines):
        start = plan.left + (plan.width - cell_len(line)) // 2
        grid.put(top + number, start - 1, f" {line} ", "muted")


def _wrapped(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(fitted(word, width))
    return lines
