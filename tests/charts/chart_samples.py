"""Charts and readings that several tests of charts share."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from clr_tui.tui.charts.cells import Row
from clr_tui.tui.charts.chart import Axis, Band, Chart, Mark, Series, VLine
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import DARK, Palette

LOG = Path(__file__).resolve().parents[3] / "shared" / "reference" / "lr_find_cnn.csv"


def sweep_chart(
    steps: int = 100, *, base: float = 6e-4, peak: float = 3.6e-3, selected: str = "max"
) -> Chart:
    """A range test after `steps` of 100 steps, made the same every time."""
    lr = 1e-7 * 1e6 ** (np.arange(100) / 100)
    rng = np.random.default_rng(1)
    smoothed = 1.64 - 0.1 / (1 + np.exp(-3 * (np.log10(lr) + 2.7)))
    raw = smoothed + rng.normal(0, 0.01, 100)
    return Chart(
        series=(
            Series(lr[:steps], raw[:steps], "raw", "raw", faint=True),
            Series(lr[:steps], smoothed[:steps], "smoothed"),
        ),
        x=Axis("learning rate (log)", log=True, lo=1e-7, hi=1.0),
        y=Axis("loss"),
        vlines=(
            VLine(base, "base", "base", selected == "base", f"{base:.1e}"),
            VLine(peak, "max", "max", selected == "max", f"{peak:.1e}"),
        ),
        bands=(Band(base, peak),),
        empty="The loss comes with the first steps.",
    )


def lines(chart: Chart, width: int, height: int, palette: Palette = DARK) -> list[str]:
    """The chart's rows as text, trailing blanks kept."""
    return ["".join(span.text for span in row) for row in draw(chart, width, height, palette)]


def cells(rows: list[Row], role: str) -> list[tuple[int, int, str]]:
    """Each visible cell of a role: (row, column, character)."""
    found = []
    for y, row in enumerate(rows):
        x = 0
        for text, ink in row:
            found += [(y, x + i, c) for i, c in enumerate(text) if ink.role == role and c != " "]
            x += len(text)
    return found


def reference() -> tuple[np.ndarray, np.ndarray]:
    """Rates and losses of the reference sweep; skips where it is not there."""
    if not LOG.exists():
        pytest.skip("no reference log here")
    with LOG.open() as file:
        rows = list(csv.DictReader(file))
    return np.array([float(r["lr"]) for r in rows]), np.array([float(r["loss"]) for r in rows])


def marked(chart: Chart, *marks: Mark) -> Chart:
    """The chart with marks."""
    return Chart(**{**chart.__dict__, "marks": marks})
