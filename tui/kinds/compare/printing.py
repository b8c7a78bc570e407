"""The printed result of a comparison: its curves, its table, and tests of every pair."""

from __future__ import annotations

from rich.cells import cell_len

from clr_tui.engine.analysis.comparison.comparison_results import CompareReport
from clr_tui.engine.analysis.comparison.pairs import Pair
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.words import many
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.cli.plain_text import chart_lines, wrap
from clr_tui.tui.fitting import padded
from clr_tui.tui.kinds.compare.ranking import ranking_text, verdict_and_remarks
from clr_tui.tui.kinds.compare.sensitivity_view import is_complete, sensitivity_chart
from clr_tui.tui.kinds.compare.view import CompareOptions, comparison_chart
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.page import Table
from clr_tui.tui.text.status import waiting_words

CHART_ROWS = 24
SMALLEST_P = 0.001
"""Smaller p-values are printed as "<": a few seeds do not support more digits."""


def comparison_lines(history: RunHistory, report: CompareReport, width: int) -> list[str]:
    """The result below its title, in lines of at most `width` cells."""
    chart = _chart(history, report)
    lines = [*chart_lines(chart, width, CHART_ROWS), "", *ranking_text(report, width), ""]
    for words in verdict_and_remarks(report):
        lines += wrap(words, width)
    pairs = _pairs(report, width)
    return [*lines, "", *pairs] if pairs else lines


def _chart(history: RunHistory, report: CompareReport) -> Chart:
    """The final metric by rate once it is known at each, else the curves."""
    # No bands: without colour they cannot be assigned to entries; the table has the intervals.
    options = CompareOptions(target=report.target, bands=False)
    waiting = waiting_words(history, report.status, "epoch")
    by_rate = report.sensitivity
    if by_rate is not None and is_complete(by_rate):
        return sensitivity_chart(by_rate, history.config.asked(Compare), options, waiting=waiting)
    return comparison_chart(history, options, waiting=waiting)


def pairs_table(report: CompareReport) -> Table:
    """The difference of every pair, as in the printed result."""
    compared = _compared(report)
    rows = tuple(
        (
            f"{plain(pair.a)} - {plain(pair.b)}",
            *_parts(pair, report.metric),
            "yes" if pair.distinguishable else "no",
        )
        for pair in compared
    )
    columns = "pair", "difference", "±", "p", "distinguishable"
    heading = _pairs_heading(report, compared) if compared else ""
    return Table(heading, columns, rows, right=frozenset({1, 2, 3}))


def _compared(report: CompareReport) -> list[Pair]:
    """The pairs of entries to show: none with fewer than two seeds each, nor of a grid of rates,
    which has hundreds of pairs."""
    if report.sensitivity is not None:
        return []
    return [pair for pair in report.pairs if pair.n > 1 and pair.difference is not None]


def _pairs_heading(report: CompareReport, compared: list[Pair]) -> str:
    method = "paired t" if all(pair.paired for pair in compared) else "Welch's t"
    unit = {"share": " in points", "seconds": " in seconds", "number": ""}[report.metric.unit]
    return (
        f"{report.measure}: differences{unit} with their 95% intervals, {method}; p after"
        f" Holm's correction over {many(len(compared), 'pair')}"
    )


def _pairs(report: CompareReport, width: int) -> list[str]:
    """The difference of every pair of entries; empty if there are none to show."""
    compared = _compared(report)
    if not compared:
        return []
    names = [(plain(pair.a), plain(pair.b)) for pair in compared]
    left, right = (max(map(cell_len, column)) for column in zip(*names, strict=True))
    figures = [_figures(pair, report.metric) for pair in compared]
    words = [f"{'' if pair.distinguishable else 'not '}distinguishable" for pair in compared]
    room = width - 7 - max(map(len, figures))
    short = left + right + max(map(len, words)) > room
    if short:
        words = ["*" if pair.distinguishable else "" for pair in compared]
        room = max(room - 1, 2 * 4)
        left = max(min(left, room - right), min(left, room // 2))
        right = min(right, room - left)
    heading = _pairs_heading(report, compared) + ("; * distinguishable" if short else "")
    rows = [
        f"{padded(a, left)} - {padded(b, right)}  {figure}  {word}".rstrip()
        for (a, b), figure, word in zip(names, figures, words, strict=True)
    ]
    return [*wrap(heading, width), *rows]


def _figures(pair: Pair, metric: Metric) -> str:
    difference, half, p = _parts(pair, metric)
    return f"{difference:>6} ± {half:>5}  {f'p {p}':>9}"


def _parts(pair: Pair, metric: Metric) -> tuple[str, str, str]:
    """The difference, half the width of its interval, and p."""
    scale, digits = (100, ".2f") if metric.unit == "share" else (1, ".3g")
    difference = f"{scale * (pair.difference or 0.0):+{digits}}"
    half = "-" if pair.half_width is None else f"{scale * pair.half_width:{digits}}"
    p = "-" if pair.p_adjusted is None else f"{pair.p_adjusted:.3f}"
    if pair.p_adjusted is not None and pair.p_adjusted < SMALLEST_P:
        p = f"< {SMALLEST_P}"
    return difference, half, p
