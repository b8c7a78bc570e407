"""Draws a chart into rows of cells.

Layers from the bottom: tints and patterns, horizontal lines, faint curves, vertical lines, curves,
points, glyphs, labels of horizontal lines, marks and their labels. plotext draws the frame
(`frame.py`) but not the curves, for the reasons given in `raster.py`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rich.cells import cell_len

from clr_tui.tui.charts.axes import draw_frame
from clr_tui.tui.charts.axis_limits import scales
from clr_tui.tui.charts.cells import Grid, Row, Weight, clean
from clr_tui.tui.charts.chart import Chart, Mark, Role, Series
from clr_tui.tui.charts.cut_bands import telling_of_cuts
from clr_tui.tui.charts.glyphs import glyph_places
from clr_tui.tui.charts.layout import Layout, layout
from clr_tui.tui.charts.legend import POINT, draw_title, point_of, weight_of
from clr_tui.tui.charts.palette import Palette
from clr_tui.tui.charts.raster import area_mask, braille, dots_mask, series_mask
from clr_tui.tui.charts.scale import Scale
from clr_tui.tui.fitting import truncate

_BRAILLE = 0x2800
_MIN_GAP = 3
"""Minimum cells between a mark's label and whatever is next to it."""
_LABEL_ROWS = 3
"""Rows, from the top, that labels of ticks on the top edge may use."""
_BAND_FILL, _AREA_FILL = ord("·"), ord("░")
_BEHIND = " ·░"
"""What a label may cover."""
_HLINE, _BAR, _FOOT = "╌", "╎", "┸"


def draw(chart: Chart, width: int, height: int, palette: Palette) -> list[Row]:
    """Draws `chart`: `height` rows, each exactly `width` cells wide."""
    return draw_grid(chart, width, height, palette).rows()


def draw_grid(chart: Chart, width: int, height: int, palette: Palette) -> Grid:
    """Draws `chart` on a grid; any data and any size are accepted.

    Values that an axis cannot show leave gaps. Bands and areas of roles that the palette does not
    tint become patterns of characters; nothing else depends on the palette.
    """
    grid = Grid(max(width, 0), max(height, 0))
    if width < 1 or height < 1:
        return grid
    with np.errstate(all="ignore"):
        x, y = scales(chart, width)
        chart = telling_of_cuts(chart, x, y)
        plan = layout(chart, width, height, y)
        if plan.framed:
            draw_frame(grid, plan, chart, x, y)
        if plan.title is not None:
            draw_title(grid, plan.title, plan.left, chart)
        if x is not None and plan.width > 0 and plan.height > 0:
            _Picture(grid, plan, chart, x, y, palette).draw()
        if chart.empty and not _has_data(chart):
            _draw_words(grid, plan, chart.empty)
        return grid


def _has_data(chart: Chart) -> bool:
    return any(bool(np.isfinite(s.y).any()) for s in chart.series)


class _Picture:
    """The data area of one chart, layer by layer."""

    def __init__(
        self, grid: Grid, plan: Layout, chart: Chart, x: Scale, y: Scale | None, palette: Palette
    ) -> None:
        self.grid, self.plan, self.chart, self.x, self.y = grid, plan, chart, x, y
        self.tints = palette.tints
        self.rows = slice(plan.top, plan.top + plan.height)
        self.columns = slice(plan.left, plan.left + plan.width)
        self.shape = plan.height, plan.width
        self.dots = 2 * plan.width, 4 * plan.height
        self.covered: dict[Series, npt.NDArray[np.bool_]] = {}
        """Cells covered by each curve with a glyph."""
        self.barred: dict[Role, npt.NDArray[np.bool_]] = {}
        """Cells of faint areas without a tint."""
        self.written: set[tuple[int, int]] = set()
        """Rows and columns of marks and their labels."""

    def draw(self) -> None:
        self.bands()
        if self.y is not None:
            self.areas(self.y)
            self.hlines(self.y)
            self.curves(self.y, faint=True)
        self.vlines()
        if self.y is not None:
            self.curves(self.y, faint=False)
            self.points(self.y)
            self.glyphs()
            self.hline_words(self.y)
        self.marks()

    def fill(self, where: npt.NDArray[np.bool_], role: Role, pattern: int) -> None:
        """Tints cells, or fills them with a pattern if the role has no tint."""
        if role in self.tints:
            self.grid.tint(self.rows, self.columns, where, role)
            return
        codes = np.full(self.shape, pattern, dtype=np.int32)
        self.grid.paint(self.rows, self.columns, codes, where, Grid.ink_code(role))

    def bands(self) -> None:
        for band in self.chart.bands:
            ends = sorted((band.x0, band.x1))
            places = np.clip(np.nan_to_num(self.x.fraction(ends), nan=-1.0), 0, 1)
            if places[0] >= places[1]:
                continue
            first, last = np.minimum((places * self.plan.width).astype(int), self.plan.width - 1)
            where = np.zeros(self.shape, dtype=np.bool_)
            where[:, first : last + 1] = True
            if band.colour not in self.tints:
                # Every other cell, so that curves stand out.
                where &= (np.add.outer(*map(np.arange, self.shape)) % 2).astype(np.bool_)
            self.fill(where, band.colour, _BAND_FILL)

    def areas(self, y: Scale) -> None:
        """Fills the cells that areas cover by at least half."""
        for area in sorted(self.chart.areas, key=lambda area: not area.faint):
            mask = area_mask(area, self.x, y, *self.dots)
            covered = mask.reshape(self.plan.height, 4, self.plan.width, 2).sum(axis=(1, 3))
            if area.faint and area.colour not in self.tints:
                self.barred[area.colour] = covered > 0
            else:
                self.fill(covered >= 4, area.colour, _AREA_FILL)

    def hlines(self, y: Scale) -> None:
        for line in self.chart.hlines:
            row = y.cell(line.y, self.plan.height)
            if row is not None:
                at = self.plan.top + self.plan.height - 1 - row
                self.grid.put(at, self.plan.left, _HLINE * self.plan.width, line.colour)

    def hline_words(self, y: Scale) -> None:
        """Labels horizontal lines on the right, or on the left if a curve blocks only the right.

        If curves block both ends, the label covers the curve: half a word is useless.
        """
        for line in self.chart.hlines:
            row = y.cell(line.y, self.plan.height)
            label = truncate(clean(line.label), self.plan.width - 2)
            if row is None or not label:
                continue
            at = self.plan.top + self.plan.height - 1 - row
            left, size = self.plan.left, cell_len(label) + 1
            right = left + self.plan.width - size
            clear = [self.grid.holds_only(f"{_HLINE} ", at, c, c + size) for c in (left, right)]
            words = f"{label} " if clear == [True, False] else f" {label}"
            self.grid.put(at, left if clear == [True, False] else right, words, line.colour)

    def curves(self, y: Scale, *, faint: bool) -> None:
        """Draws lines: dots of equal curves add up in the colour of the later one."""
        bits: npt.NDArray[np.int32] = np.zeros(self.shape, dtype=np.int32)
        inks = np.zeros(self.shape, dtype=np.int32)
        lines = [s for s in self.chart.series if s.faint == faint and s.kind == "line"]
        for series in sorted(lines, key=lambda line: line.strong):
            own = braille(self._dots(series, y))
            bits |= own
            inks[own > 0] = Grid.ink_code(series.colour, weight_of(series))
            if series.glyph:
                self.covered[series] = own > 0
        for ink in np.unique(inks[bits > 0]).tolist():
            where = (bits > 0) & (inks == ink)
            self.grid.paint(self.rows, self.columns, bits + np.int32(_BRAILLE), where, ink)

    def _dots(self, series: Series, y: Scale) -> npt.NDArray[np.bool_]:
        mask = series_mask(series, self.x, y, *self.dots)
        if series.strong:
            mask[1:] |= mask[:-1].copy()
        if series.dotted:
            mask[:, 1::2] = False
        return mask

    def glyphs(self) -> None:
        marked = [series for series in self.chart.series if series in self.covered]
        places = glyph_places([self.covered[series] for series in marked])
        for series, own in zip(marked, places, strict=True):
            self._bars(series.colour, [column for _, column in own])
        for series, own in zip(marked, places, strict=True):
            for row, column in own:
                at = self.plan.top + row, self.plan.left + column
                self.grid.put(*at, clean(series.glyph), series.colour, weight_of(series))

    def _bars(self, role: Role, columns: list[int]) -> None:
        """Draws a band as bars at its curve's glyphs, in blank cells."""
        if role in self.barred:
            blank = self.grid.codes[self.rows, self.columns] == ord(" ")
            at = np.isin(np.arange(self.plan.width), columns)
            codes = np.full(self.shape, ord(_BAR), dtype=np.int32)
            where, ink = self.barred[role] & blank & at, Grid.ink_code(role, "faint")
            self.grid.paint(self.rows, self.columns, codes, where, ink)

    def points(self, y: Scale) -> None:
        for series in self.chart.series:
            if series.kind != "points":
                continue
            height, width = self.shape
            where = dots_mask(series.x, series.y, self.x, y, width, height)
            codes = np.full(self.shape, ord(point_of(series)), dtype=np.int32)
            ink = Grid.ink_code(series.colour, weight_of(series))
            self.grid.paint(self.rows, self.columns, codes, where, ink)

    def vlines(self) -> None:
        """Draws vertical lines down to the axis, a heavy one for the selected line on top."""
        for line in sorted(self.chart.vlines, key=lambda line: line.selected):
            cell = self.x.cell(line.x, self.plan.width)
            if cell is None:
                continue
            column = self.plan.left + cell
            weight: Weight = "strong" if line.selected else "normal"
            stroke = "┊" if line.colour == "cursor" else "┃" if line.selected else "│"
            for row in range(self.rows.start, self.rows.stop):
                self.grid.put(row, column, stroke, line.colour, weight)
            if self.plan.axis is not None:
                foot = "▲" if line.selected else "┴"
                self.grid.put(self.plan.axis, column, foot, line.colour, weight)

    def marks(self) -> None:
        """Draws marks, then their labels; those without y as ticks on an edge."""
        placed: list[tuple[Mark, int, int]] = []
        for mark in self.chart.marks:
            cell = self.x.cell(mark.x, self.plan.width)
            if cell is None:
                continue
            column = self.plan.left + cell
            if mark.foot:
                row = self.plan.axis if self.plan.axis is not None else -1
                self.grid.put(row, column, _FOOT, mark.colour)
            else:
                placed.append((mark, self._mark_row(mark), column))
        for mark, row, column in placed:
            self._put_mark(mark, row, column)
        for mark, row, column in placed:
            if cell_len(clean(mark.label)):
                (self._label_top if mark.y is None else self._label_point)(mark, row, column)

    def _put_mark(self, mark: Mark, row: int, column: int) -> None:
        glyph = POINT.get(mark.colour, "●" if mark.y is not None else "▾")
        self.grid.put(row, column, glyph, mark.colour, "strong")
        self.written.add((row, column))

    def _mark_row(self, mark: Mark) -> int:
        if mark.y is None or self.y is None:
            return self.plan.top
        place = float(np.nan_to_num(self.y.fraction(mark.y), nan=1.0))
        up = int(min(max(place * self.plan.height, 0), self.plan.height - 1))
        return self.plan.top + self.plan.height - 1 - up

    def _label_top(self, mark: Mark, row: int, column: int) -> None:
        """Labels a tick where all is blank; a tick on a lower row if there is space only there."""
        for lower in range(row, min(row + _LABEL_ROWS, self.rows.stop)):
            start = self._blank_beside(mark, lower, column)
            if start is not None and (lower == row or self._is_free(lower, column, column + 1)):
                self._put_mark(mark, lower, column)
                self._put_label(mark, lower, start)
                return

    def _blank_beside(self, mark: Mark, row: int, column: int) -> int | None:
        """The start of the mark's label, right or left of it, with nothing in between or near."""
        size, first, end = cell_len(clean(mark.label)), self.columns.start, self.columns.stop
        right, left = column + 2, column - 1 - size
        # Nothing may be so near the label's other end that the label could belong to it.
        room = {
            right: (column + 1, min(right + size + _MIN_GAP, end)),
            left: (max(left - _MIN_GAP, first), column),
        }
        inside = [at for at in (right, left) if first <= at <= end - size]
        return next((at for at in inside if self._is_free(row, *room[at])), None)

    def _is_free(self, row: int, start: int, end: int) -> bool:
        """Whether nothing but the patterns of bands and areas is there."""
        return self.grid.holds_only(_BEHIND, row, start, end)

    def _label_point(self, mark: Mark, row: int, column: int) -> None:
        """Labels a point beside, below or above it where it is blank, otherwise over the data.

        A label never covers another one, nor a mark.
        """
        size, first, end = cell_len(clean(mark.label)), self.columns.start, self.columns.stop
        start = self._blank_beside(mark, row, column)
        if start is not None:
            self._put_label(mark, row, start)
            return
        over = min(max(column - size // 2, first), end - size)
        around = [(row, column + 2), (row, column - 1 - size), (row + 1, over), (row - 1, over)]
        free = [
            (at, start)
            for at, start in around
            if first <= start <= end - size
            and self.rows.start <= at < self.rows.stop
            and not any((at, cell) in self.written for cell in range(start - 1, start + size + 1))
        ]
        clear = [
            (at, start)
            for at, start in free
            if at != row and self._is_free(at, start, start + size)
        ]
        for at, start in (clear or free)[:1]:
            self._put_label(mark, at, start)

    def _put_label(self, mark: Mark, row: int, start: int) -> None:
        words = clean(mark.label)
        self.grid.put(row, start, words, mark.colour)
        self.written |= {(row, start + cell) for cell in range(cell_len(words))}


def _draw_words(grid: Grid, plan: Layout, words: str) -> None:
    room = plan.width - 2
    if room < 4:
        return
    lines = _wrap(clean(words), room)[: plan.height]
    top = plan.top + (plan.height - len(lines)) // 2
    for number, line in enumerate(lines):
        start = plan.left + (plan.width - cell_len(line)) // 2
        grid.put(top + number, start - 1, f" {line} ", "muted")


def _wrap(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(truncate(word, width))
    return lines
