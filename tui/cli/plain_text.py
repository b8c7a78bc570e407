"""Charts and sentences as lines of plain text."""

from __future__ import annotations

import textwrap

from clr_tui.tui.charts.cells import to_text
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import PLAIN
from clr_tui.tui.text.clean import plain


def chart_lines(chart: Chart, width: int, height: int) -> list[str]:
    """Draw the chart as lines without escape codes."""
    return to_text(draw(chart, width, height, PLAIN)).split("\n")


def wrap(text: str, width: int) -> list[str]:
    """Wrap `text`, made safe, to `width` cells; an empty text is one empty line."""
    return textwrap.wrap(plain(text), width) or [""]
