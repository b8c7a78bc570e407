"""Lines beside charts of logged values: the last values, settings, and who is who."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len

from clr_tui.engine.analysis.logged import LoggedColumn
from clr_tui.engine.analysis.metric_names import read_name
from clr_tui.tui.charts.chart import Role
from clr_tui.tui.fitting import padded, truncate
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.logged.curves import RunCurves
from clr_tui.tui.kinds.logged.groups import ChartGroup
from clr_tui.tui.text import numbers
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.lines import BLANK, Line, heading, wrap_line

_VALUE_WIDTH = 9
_MOST_NAME = 24
_WITH_STEPS, _STEP_WIDTH = 40, 10
"""Cells from which on the step of the best value is shown, and those that it takes."""
_LOWER_IS_BETTER = frozenset({"error", "err", "mae", "mse", "rmse", "mape", "wer", "cer", "fid"})
_SETTING_LINES = 2
"""Lines of differing settings of each of several runs."""


@dataclass(frozen=True)
class RunLabel:
    """One of several runs, as it is named beside the charts."""

    name: str
    style: int
    """Number of its colour and shape."""
    state: str
    """Such as "● running"."""
    role: Role
    """Of its state."""
    differing: Mapping[str, str]
    """The settings that others have otherwise."""
    shown: bool = True
    """Whether the filter shows its curves."""


def value_lines(groups: Sequence[ChartGroup], run: RunCurves, width: int) -> list[Line]:
    """The last and the best value of each name of these charts."""
    known = set(run.columns.names)
    names = [curve.name for group in groups for curve in group.curves if curve.name in known]
    if not names:
        return []
    with_steps = width >= _WITH_STEPS
    room = width - 2 * _VALUE_WIDTH - (_STEP_WIDTH if with_steps else 0)
    wide = min(max(map(cell_len, map(plain, names))) + 1, _MOST_NAME, max(room, 8))
    lines: list[Line] = [
        (
            (" " * wide, "muted"),
            ("last".rjust(_VALUE_WIDTH), "muted"),
            ("best".rjust(_VALUE_WIDTH), "muted"),
        )
    ]
    for name in names:
        column = run.columns.column(name)
        last, best = numbers.loss(float(column.value[-1])), _best(name, column, with_steps)
        lines.append(
            (
                (padded(truncate(plain(name), wide - 1), wide), "text"),
                (last.rjust(_VALUE_WIDTH), "text"),
                (best, "muted"),
            )
        )
    return lines


def _best(name: str, column: LoggedColumn, with_step: bool) -> str:
    """The best value, for a loss the lowest, and its step; empty where nothing is best."""
    found = read_name(name)
    finite = np.isfinite(column.value)
    if found.sort not in ("loss", "metric") or not finite.any():
        return ""
    lower = found.sort == "loss" or not _LOWER_IS_BETTER.isdisjoint(
        found.quantity.casefold().replace("_", " ").replace("/", " ").split()
    )
    place = int(np.nanargmin(column.value) if lower else np.nanargmax(column.value))
    value = numbers.loss(float(column.value[place])).rjust(_VALUE_WIDTH)
    return f"{value} at {numbers.count(float(column.step[place]))}" if with_step else value


def setting_lines(settings: Mapping[str, str], width: int) -> list[Line]:
    """The settings of a run, one a line."""
    if not settings:
        return []
    wide = min(max(map(cell_len, map(plain, settings))) + 1, max(width // 2, 8))
    lines = [heading("settings")]
    for name, value in settings.items():
        label = padded(truncate(plain(name), wide - 1), wide)
        lines.append(((label, "muted"), (truncate(plain(value), width - wide), "text")))
    return lines


def run_lines(runs: Sequence[RunLabel], width: int) -> list[Line]:
    """The names of several runs with colour and shape, their states and differing settings."""
    lines: list[Line] = []
    for run in runs:
        room = max(width - cell_len(run.state) - 3, 6)
        name = padded(truncate(plain(run.name), room), room)
        role: Role = role_of(run.style) if run.shown else "muted"
        glyph = glyph_of(run.style) if run.shown else " "
        lines.append(((f"{glyph} ", role), (name, role), (f" {run.state}", run.role)))
        words = " · ".join(f"{plain(name)} {plain(text)}" for name, text in run.differing.items())
        lines += [(("  ", "muted"), *line) for line in wrap_line(words, width - 2)[:_SETTING_LINES]]
        lines.append(BLANK)
    return lines
