"""Prints the result of a run on stdout: text with charts, or one JSON object."""

from __future__ import annotations

import json as jsonlib
import shutil
import sys

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import Report, report_of, to_json
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.cli.plain_text import wrap
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.status import title_of

MIN_WIDTH, DEFAULT_WIDTH, MAX_WIDTH = 40, 100, 160
"""Columns of the printed result: minimum, default without a terminal, maximum."""


def print_result(history: RunHistory, *, alive: bool, json: bool) -> Report:
    """Print the run's result as text, empty without steps, or one JSON object; and return it."""
    report = report_of(history, live=alive)
    if json:
        print(json_text(report))
    elif history.has_results:
        print("\n".join(result_lines(history, report, printed_width())))
    sys.stdout.flush()
    return report


def printed_width() -> int:
    """Return how wide to print: as the terminal, within limits, or as $COLUMNS says."""
    columns = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    return min(max(columns, MIN_WIDTH), MAX_WIDTH)


def json_text(report: Report) -> str:
    """Format a report as one JSON object, without a final newline."""
    return jsonlib.dumps(to_json(report), indent=2, allow_nan=False)


def result_lines(history: RunHistory, report: Report, width: int) -> list[str]:
    """Format the result as lines of at most `width` cells, without escape codes."""
    head = wrap(f"{plain(report.run)}  {title_of(history.config, history)}", width)
    display = KINDS[history.config.kind].load_display()
    return [*head, "", *display.lines(history, report, width)]


def charts_of(history: RunHistory, report: Report) -> list[Chart]:
    """Return the charts of a run, top to bottom, as its screen first shows them."""
    return KINDS[history.config.kind].load_display().charts(history, report)
