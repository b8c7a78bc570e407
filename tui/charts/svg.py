"""Charts as SVG, for export."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from clr_tui.engine.analysis.reduce import reduce_columns
from clr_tui.tui.charts.axis_limits import scales
from clr_tui.tui.charts.cells import clean
from clr_tui.tui.charts.chart import Area, Chart, Mark, Role, Series
from clr_tui.tui.charts.cut_bands import telling_of_cuts
from clr_tui.tui.charts.glyphs import glyph_points
from clr_tui.tui.charts.palette import DARK, LIGHT
from clr_tui.tui.charts.scale import Floats, Scale
from clr_tui.tui.charts.ticks import ticks

_FONT = (
    "Inter, -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, "
    "'DejaVu Sans', sans-serif"
)
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 28, 64, 62
_MARGIN = 4
"""Px beyond the axes for points on their limits."""
_MARK_ROWS = 6
_LEGEND_ROW = 22
_FREE_ROWS = 2
"""Rows of a legend that take their height from the chart; more of them make the picture higher."""
_LABEL_ROW = 15
"""Height of a label, px."""
SMALL = 13
"""Size of most text."""
_CHARACTER = 7.4
"""Approximate width of a character of that size, px: SVG does not measure text."""
_SAMPLE = 50
"""Width of a legend entry without its name, px: the sample and the blanks around it."""


@dataclass(frozen=True)
class Box:
    """The data area of a picture, px."""

    left: float
    top: float
    right: float
    bottom: float


def to_svg(
    chart: Chart,
    width_px: int = 1120,
    height_px: int = 600,
    dark: bool = True,
    title: str = "",
    clip: str = "data",
) -> str:
    """Draws `chart` as an SVG document.

    Args:
        chart: what to draw.
        width_px: width; raised to 240 if less.
        height_px: height; raised to 160 if less, and by what a legend of many rows takes.
        dark: light on dark, else dark on light.
        title: heading; the chart's own title and y label go below it.
        clip: the id of its data area, unique among the pictures in one document.
    """
    width, height = max(width_px, 240), max(height_px, 160)
    with np.errstate(all="ignore"):
        return _Drawing(chart, width, height, dark, title, clip).document()


def stack_svg(charts: Sequence[Chart], width_px: int, height_px: int, title: str = "") -> str:
    """Draws `charts` below one another, each as `to_svg` does; `title` precedes the first's."""
    parts, whole = [], 0
    for i, chart in enumerate(telling_of_cuts(chart, *scales(chart)) for chart in charts):
        heading = f"{title}: {chart.full_title}" if title and i == 0 else chart.full_title
        with np.errstate(all="ignore"):
            drawing = _Drawing(chart, width_px, height_px, True, heading, clip=f"data-{i}")
            parts.append(drawing.document().replace("<svg ", f'<svg y="{whole}" ', 1))
        whole += drawing.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{whole}" '
        f'viewBox="0 0 {width_px} {whole}">\n{"".join(parts)}</svg>\n'
    )


class _Drawing:
    def __init__(
        self, chart: Chart, width: int, height: int, dark: bool, title: str, clip: str = "data"
    ) -> None:
        self.x, self.y = scales(chart)
        chart = telling_of_cuts(chart, self.x, self.y)
        self.chart, self.width = chart, width
        self.clip = clip
        self.title = clean(title or chart.full_title)
        known = not chart.full_title or chart.full_title in self.title
        self.subtitle = ", ".join(filter(None, ("" if known else chart.full_title, chart.y.label)))
        self.palette = DARK if dark else LIGHT
        self.mark_rows = self._place_marks()
        self.legend = self._legend_rows()
        self.below = len(self.legend) > 1 or self._free_title_width(self.legend) < 0
        self.height = height + _LEGEND_ROW * max(len(self.legend) - _FREE_ROWS, 0)
        top = _TOP + (_LEGEND_ROW * len(self.legend) if self.below else 0)
        top += 17 * (1 + max(self.mark_rows.values())) if self.mark_rows else 0
        self.box = Box(_LEFT, top, width - _RIGHT, self.height - _BOTTOM)
        self.parts: list[str] = []
        self.labelled: list[tuple[float, float, float]] = []
        """Left and right end of each point's label, and its baseline, px."""

    def document(self) -> str:
        self._header()
        self._bands()
        self._axes()
        if self.x is not None and self.y is not None:
            self._data(self.x, self.y)
        self._vlines()
        self._marks()
        if self.chart.empty and not any(bool(np.isfinite(s.y).any()) for s in self.chart.series):
            middle = (self.box.left + self.box.right) / 2, (self.box.top + self.box.bottom) / 2
            self._text(*middle, self.chart.empty, "muted", anchor="middle")
        label = escape(self.title or clean(self.chart.y.label) or "chart", quote=True)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{label}" '
            f'font-family="{_FONT}" font-size="{SMALL}" '
            f'style="font-variant-numeric: tabular-nums">\n'
            f'<clipPath id="{self.clip}"><rect x="{self.box.left - _MARGIN}" '
            f'y="{self.box.top - _MARGIN}" '
            f'width="{self.box.right - self.box.left + 2 * _MARGIN}" '
            f'height="{self.box.bottom - self.box.top + 2 * _MARGIN}"/></clipPath>\n'
            f'<rect width="100%" height="100%" rx="10" fill="{self.palette.background}"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )

    def colour(self, role: Role) -> str:
        """Returns the colour of a role, `#rrggbb`."""
        return self.palette.colours[role]

    def across(self, value: float) -> float | None:
        """Returns the x of a value, px; None outside the axis."""
        return _between(self.x, value, self.box.left, self.box.right)

    def up(self, value: float) -> float | None:
        """Returns the y of a value, px; None outside the axis."""
        return _between(self.y, value, self.box.bottom, self.box.top)

    def _text(
        self,
        x: float,
        y: float,
        words: str,
        role: Role,
        *,
        anchor: str = "start",
        size: int = SMALL,
        bold: bool = False,
        rim: bool = False,
    ) -> None:
        """Writes `words`; a rim lets them stand out from the lines below them."""
        weight = ' font-weight="600"' if bold else ""
        if rim:
            weight += f' stroke="{self.palette.background}" stroke-width="3" paint-order="stroke"'
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{self.colour(role)}" text-anchor="{anchor}" '
            f'font-size="{size}"{weight}>{escape(clean(words))}</text>'
        )

    def _line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str, extra: str = ""
    ) -> None:
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f"{extra}/>"
        )

    def _header(self) -> None:
        """Title and y label on the left; legend on the right, or below them if it is long."""
        if self.title:
            self._text(24, 32, self.title, "text", size=17, bold=True)
        self._text(24, 52 if self.title else 34, self.subtitle, "muted")
        for number, row in enumerate(self.legend):
            y = 78 + _LEGEND_ROW * number if self.below else 32
            x = _LEFT if self.below else self.width - _RIGHT + 22 - legend_width(row)
            for item in row:
                self._sample(x + 22, y - 4, item)
                self._text(x + 30, y, item.name, "muted")
                x += legend_width([item])

    def _legend_rows(self) -> list[list[Series | Area]]:
        rows: list[list[Series | Area]] = []
        named: list[Series | Area] = [*self.chart.areas, *self.chart.series]
        for item in (one for one in named if one.name):
            if not rows or legend_width([*rows[-1], item]) > self.width - _LEFT - _RIGHT:
                rows.append([])
            rows[-1].append(item)
        return rows

    def _free_title_width(self, rows: list[list[Series | Area]]) -> float:
        """Returns the space left in the title's row with one legend row in it, px."""
        title = 17 / SMALL * text_width(self.title)
        return self.width - _RIGHT - 24 - title - (legend_width(rows[0]) if rows else 0)

    def _sample(self, right: float, y: float, item: Series | Area) -> None:
        colour = self.colour(item.colour)
        if isinstance(item, Area):
            self.parts.append(
                f'<rect x="{right - 22:.1f}" y="{y - 6}" width="22" height="12" rx="2" '
                f'fill="{colour}" opacity="0.35"/>'
            )
        elif item.kind == "points":
            self._dot(right - 6, y, item, radius=4)
        else:
            self._line(right - 22, y, right, y, colour, stroke(item))
            if item.glyph:
                self._glyph(right - 11, y, item)

    def _glyph(self, x: float, y: float, series: Series) -> None:
        """Draws a glyph with a rim, so that it stands out from the lines below it."""
        size = 17 if series.strong else 14
        self.parts.append(
            f'<text x="{x:.1f}" y="{y + 0.35 * size:.1f}" fill="{self.colour(series.colour)}" '
            f'font-size="{size}" text-anchor="middle" stroke="{self.palette.background}" '
            f'stroke-width="3" paint-order="stroke">{escape(clean(series.glyph))}</text>'
        )

    def _bands(self) -> None:
        for band in self.chart.bands:
            if self.x is None:
                continue
            ends = np.clip(self.x.fraction(sorted((band.x0, band.x1))), 0, 1)
            if not ends[0] < ends[1]:
                continue
            span = self.box.right - self.box.left
            left, right = (self.box.left + float(end) * span for end in ends)
            self.parts.append(
                f'<rect x="{left:.1f}" y="{self.box.top:.1f}" width="{right - left:.1f}" '
                f'height="{self.box.bottom - self.box.top:.1f}" '
                f'fill="{self.palette.tints.get(band.colour, self.colour(band.colour))}"/>'
            )

    def _axes(self) -> None:
        box, frame = self.box, self.colour("frame")
        if self.y is not None:
            most = max(2, int((box.bottom - box.top) / 42))
            for tick in ticks(self.y.lo, self.y.hi, log=self.y.log, most=most):
                at = self.up(tick.value)
                if at is not None:
                    self._line(box.left, at, box.right, at, frame, 'stroke-opacity="0.4"')
                    self._text(box.left - 10, at + 4.5, tick.label, "muted", anchor="end")
        self._line(box.left, box.bottom, box.right, box.bottom, frame, 'stroke-width="1.2"')
        if self.x is not None:
            most = max(2, int((box.right - box.left) / (60 if self.x.log else 76)))
            for tick in ticks(self.x.lo, self.x.hi, log=self.x.log, most=most):
                at = self.across(tick.value)
                if at is not None:
                    self._line(at, box.bottom, at, box.bottom + 5, frame, 'stroke-width="1.2"')
                    if not self._near_line(at, tick.label):
                        self._text(at, box.bottom + 21, tick.label, "muted", anchor="middle")
        middle = (box.left + box.right) / 2
        self._text(middle, self.height - 14, self.chart.x.label, "muted", anchor="middle")

    def _near_line(self, at: float, label: str) -> bool:
        """Whether a tick's label would overlap the label of a vertical line."""
        for line in self.chart.vlines:
            x = self.across(line.x)
            reach = (text_width(f"{line.label} {line.value}") + text_width(label)) / 2 + 14
            if x is not None and line.label and abs(x - at) < reach:
                return True
        return False

    def _data(self, x: Scale, y: Scale) -> None:
        self.parts.append(f'<g clip-path="url(#{self.clip})">')
        for area in sorted(self.chart.areas, key=lambda area: not area.faint):
            gaps = np.isnan(area.low) | np.isnan(area.high)
            curves = [np.where(gaps, np.nan, curve) for curve in (area.low, area.high)]
            edges = [pieces(*to_pixels(area.x, curve, x, y, self.box)) for curve in curves]
            for low, high in zip(*edges, strict=False):
                outline = " ".join(low + high[::-1])
                self.parts.append(
                    f'<polygon points="{outline}" fill="{self.colour(area.colour)}" '
                    f'opacity="{0.15 if area.faint else 0.35}"/>'
                )
        for line in self.chart.hlines:
            at = self.up(line.y)
            if at is not None:
                colour = self.colour(line.colour)
                self._line(self.box.left, at, self.box.right, at, colour, 'stroke-dasharray="6 5"')
        for series in sorted(self.chart.series, key=lambda s: (not s.faint, s.strong)):
            self._series(series, x, y)
        marked = [one for one in self.chart.series if one.glyph and one.kind == "line"]
        places = glyph_points([to_pixels(s.x, s.y, x, y, self.box) for s in marked])
        for series, points in zip(marked, places, strict=True):
            for point in points:
                self._glyph(*point, series)
        self.parts.append("</g>")
        for line in self.chart.hlines:
            at = self.up(line.y)
            if at is not None:
                self._text(self.box.right - 4, at - 6, line.label, line.colour, anchor="end")

    def _series(self, series: Series, x: Scale, y: Scale) -> None:
        pixels = to_pixels(series.x, series.y, x, y, self.box)
        if series.kind == "points":
            for px, py in zip(*(column.tolist() for column in pixels), strict=True):
                if math.isfinite(px) and math.isfinite(py):
                    self._dot(px, py, series)
            return
        for piece in pieces(*pixels):
            self.parts.append(
                f'<polyline points="{" ".join(piece)}" fill="none" '
                f'stroke="{self.colour(series.colour)}" {stroke(series)} stroke-linejoin="round"/>'
            )

    def _dot(self, x: float, y: float, series: Series, radius: float = 3.6) -> None:
        if series.glyph:
            self._glyph(x, y, series)
        else:
            fill = self.colour(series.colour)
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}"/>')

    def _vlines(self) -> None:
        places = {i: self.across(line.x) for i, line in enumerate(self.chart.vlines)}
        shown = sorted((at, i) for i, at in places.items() if at is not None)
        for n, (at, i) in enumerate(shown):
            line = self.chart.vlines[i]
            colour = self.colour(line.colour)
            stroke = f'stroke-width="{2.4 if line.selected else 1.4}"'
            self._line(at, self.box.top, at, self.box.bottom + 5, colour, stroke)
            # Lines close to each other have their labels on the outer sides.
            words = f"{line.label} {line.value}".strip()
            crowd = text_width(words) + 12
            anchor, shift = "middle", 0
            if n + 1 < len(shown) and shown[n + 1][0] - at < crowd:
                anchor, shift = "end", -3
            elif n and at - shown[n - 1][0] < crowd:
                anchor, shift = "start", 3
            below = self.box.bottom + 21
            self._text(at + shift, below, words, line.colour, anchor=anchor, bold=line.selected)

    def _place_marks(self) -> dict[Mark, int]:
        """Assigns the labels of the top marks to rows, counted from below, without overlap.

        Goes from right to left: a label that would overlap its right neighbour moves above it,
        where no stem crosses it.
        """
        rows: dict[Mark, int] = {}
        if self.x is None:
            return rows
        starts = [float(self.width)] * _MARK_ROWS
        span = self.width - _LEFT - _RIGHT
        tops = [mark for mark in self.chart.marks if mark.y is None and not mark.foot]
        along = [(float(self.x.fraction(mark.x)), i) for i, mark in enumerate(tops)]
        for place, i in sorted(((p, i) for p, i in along if 0 <= p <= 1), reverse=True):
            start = place * span
            end = start + text_width(tops[i].label) + 14
            row = next((r for r, other in enumerate(starts) if end < other), _MARK_ROWS - 1)
            starts[row] = start
            rows[tops[i]] = row
        return rows

    def _marks(self) -> None:
        for mark, row in self.mark_rows.items():
            at = self.across(mark.x)
            if at is None:
                continue
            colour = self.colour(mark.colour)
            y = self.box.top - 5 - 17 * row
            if row:
                self._line(at, y, at, self.box.top - 5, colour, 'stroke-opacity="0.45"')
            self.parts.append(f'<path d="M{at - 4.5:.1f} {y - 7:.1f}h9l-4.5 7z" fill="{colour}"/>')
            self._text(at + 8, y, mark.label, mark.colour, size=12)
        for mark in self.chart.marks:
            at = self.across(mark.x)
            if mark.foot and at is not None:
                foot, colour = self.box.bottom, self.colour(mark.colour)
                self._line(at, foot - 9, at, foot, colour, 'stroke-width="2.4"')
            elif mark.y is not None:
                self._point(mark)

    def _point(self, mark: Mark) -> None:
        at, y = self.across(mark.x), self.up(mark.y if mark.y is not None else np.nan)
        if at is None:
            return
        y = self.box.top + 8 if y is None else y
        colour = self.colour(mark.colour)
        if mark.colour == "diverged":
            cross = f"M{at - 4.5:.1f} {y - 4.5:.1f}l9 9m0 -9l-9 9"
            self.parts.append(
                f'<path d="{cross}" stroke="{colour}" stroke-width="2.4" stroke-linecap="round"/>'
            )
        else:
            self.parts.append(
                f'<circle cx="{at:.1f}" cy="{y:.1f}" r="5" fill="none" stroke="{colour}" '
                'stroke-width="2.2"/>'
            )
        self._point_label(mark, at, y)

    def _point_label(self, mark: Mark, at: float, y: float) -> None:
        """Labels a point on the right, else left, below or above, where no other label is."""
        size, half = text_width(mark.label), text_width(mark.label) / 2
        tries = [(12.0, 4.5, "start", 12), (-12.0, 4.5, "end", -12 - size)]
        tries += [(0.0, 24.0, "middle", -half), (0.0, -14.0, "middle", -half)]
        for right, down, anchor, first in tries:
            start, base = at + first, y + down
            if start < self.box.left or start + size > self.box.right:
                continue
            if any(
                start < end + 6 and begin < start + size + 6 and abs(base - other) < _LABEL_ROW
                for begin, end, other in self.labelled
            ):
                continue
            self._text(at + right, base, mark.label, mark.colour, anchor=anchor, rim=True)
            self.labelled.append((start, start + size, base))
            return


def _between(scale: Scale | None, value: float, low: float, high: float) -> float | None:
    place = float(scale.fraction(value)) if scale is not None else math.nan
    return low + place * (high - low) if 0 <= place <= 1 else None


def text_width(words: str) -> float:
    """Estimates the width of `words`, px."""
    return len(clean(words)) * _CHARACTER


def legend_width(items: Sequence[Series | Area]) -> float:
    """Returns the width of a legend row, px."""
    return sum(text_width(item.name) + _SAMPLE for item in items)


def stroke(series: Series) -> str:
    """Returns the attributes of a line except its colour."""
    width = 1.2 if series.faint else 3.6 if series.strong else 2.4
    dots = ' stroke-dasharray="1 5"' if series.dotted else ""
    opacity = 0.8 if series.faint else 1
    return f'stroke-width="{width}" stroke-opacity="{opacity}" stroke-linecap="round"{dots}'


def to_pixels(xs: Floats, ys: Floats, x: Scale, y: Scale, box: Box) -> tuple[Floats, Floats]:
    """Returns the points of a curve, px, about two per pixel at most; NaN in gaps."""
    columns = max(1, int(box.right - box.left))
    across, up = reduce_columns(x.fraction(xs), y.fraction(ys), columns, 0.0, 1.0)
    # The picture is clipped: values far outside would only make the numbers longer.
    up = np.clip(up, -1.0, 2.0)
    px = box.left + across * (box.right - box.left)
    return px, box.bottom - up * (box.bottom - box.top)


def pieces(px: Floats, py: Floats) -> list[list[str]]:
    """Splits a curve at its gaps; each piece is a list of points "x,y", px."""
    pieces: list[list[str]] = [[]]
    for a, b in zip(px.tolist(), py.tolist(), strict=True):
        if a != a or b != b:
            pieces.append([])
        else:
            pieces[-1].append(f"{a:.1f},{b:.1f}")
    return [piece for piece in pieces if piece]
