"""The result of `clr_tui.range_test`: the curve, what the rules say, a verdict, a chart."""

from __future__ import annotations

import shutil
import sys
from functools import cached_property
from typing import TextIO

from clr_tui.engine.analysis.arrays import Floats
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import RangeReport, range_report
from clr_tui.engine.analysis.sweep.curve import Curve, curve_of
from clr_tui.engine.analysis.sweep.suggest import Suggestion
from clr_tui.engine.analysis.sweep.verdict import VerdictKind
from clr_tui.library.notebook import html_of
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.svg import to_svg
from clr_tui.tui.cli.nearest_characters import NAME, register
from clr_tui.tui.exporting import SVG_HEIGHT, SVG_WIDTH
from clr_tui.tui.kinds.range_test.display import charts, findings, lines
from clr_tui.tui.text.clean import plain

MOST_COLUMNS = 120
"""Width of a chart where the terminal is wider."""


class RangeTestResult:
    """What a learning-rate range test says.

    Printing it gives the findings in words, `plot()` the chart with them; a notebook shows both.

    Args:
        history: the sweeps, which have ended.
    """

    def __init__(self, history: RunHistory) -> None:
        self._history = history

    @cached_property
    def _report(self) -> RangeReport:
        return range_report(self._history)

    @property
    def _curve(self) -> Curve:
        return curve_of(self._history, self._report.smoothing)

    @property
    def lr(self) -> Floats:
        """The learning rates of the sweep, rising; shape (n,)."""
        return self._curve.lr

    @property
    def loss(self) -> Floats:
        """The loss of the batch at each rate, before its update; shape (n,).

        With several seeds it is their median. NaN where it is not finite.
        """
        return self._curve.loss

    @property
    def smoothed(self) -> Floats:
        """The smoothed loss at each rate, the curve of the chart; shape (n,)."""
        return self._curve.smoothed

    @property
    def sweeps(self) -> list[Floats]:
        """The losses of each seed, NaN after its end; each of shape (n,)."""
        return list(self._curve.raw)

    @property
    def suggestions(self) -> dict[str, Suggestion]:
        """What each rule suggests, by its name: `bottom`, `minimum/10`, `steepest`, ..."""
        return {one.rule: one for one in self._report.suggestions}

    @property
    def max_lr(self) -> float | None:
        """The recommended highest rate; None if the sweep supports none."""
        return self._report.bounds.max_lr if self._report.bounds else None

    @property
    def base_lr(self) -> float | None:
        """The recommended lowest rate, a sixth of `max_lr`; None if there is none."""
        return self._report.bounds.base_lr if self._report.bounds else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the best max_lr is likely; None if the sweep does not tell."""
        best = self._report.best
        return (best.low, best.high) if best else None

    @property
    def kind(self) -> VerdictKind:
        """The verdict in a word: `recommended`, or why there is no recommendation, such as `flat`.

        docs/range-test.md describes each.
        """
        return self._report.verdict.kind

    @property
    def verdict(self) -> str:
        """The verdict in one sentence or two: what the curve says, and what to do about it."""
        judged = self._report.verdict
        return f"{judged.sentence} {judged.advice}".strip()

    @property
    def diverged(self) -> bool:
        """Whether the sweep ended early: the loss grew too far or was not finite."""
        return self._report.diverged

    @property
    def notes(self) -> list[str]:
        """Remarks on the data and the optimizer."""
        return self._report.notes

    def plot(self, width: int | None = None, height: int = 24, file: TextIO | None = None) -> None:
        """Prints the chart and the findings.

        Args:
            width: of the text, in characters; None: the terminal's, at most 120.
            height: of the chart, in lines.
            file: where to; None: standard output.
        """
        out = sys.stdout if file is None else file
        print(_printable(self.text(width, height), out), file=out)

    def text(self, width: int | None = None, height: int = 24) -> str:
        """The chart and the findings as text; arguments as for `plot`."""
        columns = _columns() if width is None else width
        return "\n".join([*lines(self._history, self._report, columns, height), *self._remarks()])

    def _remarks(self) -> list[str]:
        return [f"note    {plain(note)}" for note in self.notes]

    def __str__(self) -> str:
        return "\n".join([*findings(self._report, _columns()), *self._remarks()])

    def __repr__(self) -> str:
        name, interval = type(self).__name__, self.interval
        if self.max_lr is None or interval is None:
            return f"{name}(max_lr=None, kind={self.kind!r})"
        low, high = interval
        return f"{name}(max_lr={self.max_lr:.3g}, interval=({low:.2g}, {high:.2g}))"

    @cached_property
    def _chart(self) -> Chart:
        return charts(self._history, self._report)[0]

    def _repr_svg_(self) -> str:
        return to_svg(self._chart, SVG_WIDTH, SVG_HEIGHT, dark=False, title="range test")

    def _repr_html_(self) -> str:
        found = list(self.suggestions.values())
        return html_of(self._repr_svg_(), found, self.verdict, self.notes)


def _columns() -> int:
    return min(shutil.get_terminal_size((100, 24)).columns, MOST_COLUMNS)


def _printable(text: str, file: TextIO) -> str:
    """The text in characters that the file's encoding has."""
    encoding = getattr(file, "encoding", None) or "utf-8"
    register()
    return text.encode(encoding, errors=NAME).decode(encoding)
