"""Milliseconds a frame for six series of a million points, and how plotext alone compares.

    python tests/benchmarks/bench_draw.py

Exits 1 where a frame takes longer than its budget of 25 ms. On a busy machine the ratio to
plotext, which is measured beside it on a tenth of the points and one series, says more.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from clr_tui.tui.charts.chart import Axis, Band, Chart, Series, VLine
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import DARK

WIDTH, HEIGHT = 160, 44
SERIES, POINTS = 6, 1_000_000
PLOTEXT_POINTS = 100_000
BUDGET = 25.0

Curve = tuple[np.ndarray, np.ndarray]


def curve(number: int, points: int, *, log: bool) -> Curve:
    """x and y of a noisy falling curve with a gap, shape (points,) each."""
    rng = np.random.default_rng(number)
    x = np.logspace(-7, 0, points) if log else np.arange(points, dtype=np.float64)
    y = 2 + number / 4 - np.linspace(0, 1, points) + rng.normal(0, 0.05, points)
    y[points // 2 : points // 2 + points // 100] = np.nan
    return x, y


def chart(curves: list[Curve], *, log: bool) -> Chart:
    """The curves with bounds, as a view makes them for every frame: nothing is remembered."""
    return Chart(
        series=tuple(Series(x, y, f"run {i}") for i, (x, y) in enumerate(curves)),
        x=Axis("learning rate (log)", log=True) if log else Axis("step"),
        y=Axis("loss"),
        vlines=(VLine(6e-4, "base", "base"), VLine(3.6e-3, "max", "max", selected=True)),
        bands=(Band(6e-4, 3.6e-3),),
    )


def plotext_alone() -> str:
    """plotext 5, all points, one series."""
    import plotext

    x, y = curve(0, PLOTEXT_POINTS, log=False)
    known = np.isfinite(y)
    plotext.clear_figure()
    plotext.limitsize(False, False)
    plotext.plot_size(WIDTH, HEIGHT)
    plotext.plot(x[known].tolist(), y[known].tolist(), marker="braille")
    return str(plotext.build())


def milliseconds(call: Callable[[], object], times: int) -> list[float]:
    """How long each of some calls took."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        spent.append(1000 * (time.perf_counter() - start))
    return spent


def main() -> int:
    """Measures, prints, and says whether the budget is kept."""
    kept = True
    slow = statistics.median(milliseconds(plotext_alone, 3))
    for log in (True, False):
        curves = [curve(i, POINTS, log=log) for i in range(SERIES)]

        def frame_of_all(curves: list[Curve] = curves, log: bool = log) -> object:
            return draw(chart(curves, log=log), WIDTH, HEIGHT, DARK)

        frame_of_all()
        spent = milliseconds(frame_of_all, 15)
        frame = statistics.median(spent)
        # plotext's time grows with the points: scaled to as many as we drew.
        ratio = slow * (SERIES * POINTS / PLOTEXT_POINTS) / frame
        kept &= frame <= BUDGET
        print(
            f"{SERIES} series x {POINTS:,} points, {'log' if log else 'linear'} x, "
            f"{WIDTH} x {HEIGHT}: median {frame:.1f} ms, best {min(spent):.1f} ms a frame; "
            f"plotext would take {ratio:,.0f} times as long"
        )
    print(f"plotext, one series of {PLOTEXT_POINTS:,} points: {slow:.0f} ms")
    print("within budget" if kept else f"OVER BUDGET: {BUDGET} ms a frame")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
