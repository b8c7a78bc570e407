"""Milliseconds per frame: charts of 1e3 to 1e6 points per curve, beside textual-plotext.

    python tests/benchmarks/bench_frames.py [--rounds N]

One curve, and six with a band and glyphs each, at 80x24 and 160x44; each frame has a few more
points than the last. "Steady" has a planned axis, "growing" one that follows the data. Nothing is
cached between frames. textual-plotext's time is that of its widget's `render`, without bands, which
it lacks; it takes part up to 1e5 points in total, beyond which a frame takes seconds.
`bench_wire.py` counts the bytes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import measure
import numpy as np

from clr_tui.tui.charts.chart import Area, Axis, Chart, Series
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import DARK
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of

SIZES = ((80, 24), (160, 44))
CURVES = (1, 6)
POINTS = (1_000, 10_000, 100_000, 1_000_000)
FRAMES = 5
"""Frames per turn; one for textual-plotext."""
MORE = 25
"""Points added to a curve per frame."""
PLOTEXT_POINTS = 100_000
BUDGET, AIM = 25.0, 8.0
"""Milliseconds of the largest frame."""

Curve = tuple[np.ndarray, np.ndarray]


def curve(number: int, points: int) -> Curve:
    """Returns x and y of a noisy falling curve with a gap, shape (points,) each."""
    rng = np.random.default_rng(number)
    x = np.arange(points, dtype=np.float64)
    y = 2 + number / 4 - np.linspace(0, 1, points) + rng.normal(0, 0.05, points)
    y[points // 2 : points // 2 + points // 100] = np.nan
    return x, y


class Film:
    """Frames of the same curves, each with a few more points.

    Args:
        curves: the number of curves.
        points: points per curve at the end of the film.
        growing: whether the x axis follows the data.
    """

    def __init__(self, curves: int, points: int, *, growing: bool) -> None:
        self.curves = [curve(i, points) for i in range(curves)]
        # The edges of bands are computed in advance, because a view caches them.
        self.edges = [(y - 0.2, y + 0.2) for _, y in self.curves] if curves > 1 else []
        self.points = points
        self.axis = Axis("step") if growing else Axis("step", lo=0, hi=points)
        self.frame = 0

    def next(self) -> int:
        """Returns the number of points in the next frame."""
        self.frame += 1
        return self.points - MORE * (self.frame % min(20, self.points // (2 * MORE)))

    def chart(self) -> Chart:
        """Returns the next frame, made of new objects, so that nothing is cached."""
        n = self.next()
        series = [
            Series(x[:n], y[:n], "", role_of(i), glyph=glyph_of(i) if self.edges else "")
            for i, (x, y) in enumerate(self.curves)
        ]
        areas = [
            Area(x[:n], low[:n], high[:n], "", role_of(i))
            for i, ((x, _), (low, high)) in enumerate(zip(self.curves, self.edges, strict=False))
        ]
        return Chart(series=tuple(series), areas=tuple(areas), x=self.axis, y=Axis("loss"))


def milliseconds(frame: Callable[[], object], frames: int) -> float:
    """Returns the milliseconds per frame over one turn."""
    begin = time.perf_counter()
    for _ in range(frames):
        frame()
    return 1000 * (time.perf_counter() - begin) / frames


def ours(film: Film, width: int, height: int) -> Callable[[], float]:
    return lambda: milliseconds(lambda: draw(film.chart(), width, height, DARK), FRAMES)


def textual_plotext(film: Film, width: int, height: int) -> Callable[[], float]:
    """Does what `PlotextPlot.render` and its user do."""
    from rich.text import Text
    from textual_plotext.plot import Plot

    plot = Plot()

    def frame() -> object:
        n = film.next()
        plot.clear_figure()
        for x, y in film.curves:
            known = np.isfinite(y[:n])
            plot.plot(x[:n][known].tolist(), y[:n][known].tolist(), marker="braille")
        if film.axis.hi is not None:
            plot.xlim(film.axis.lo, film.axis.hi)
        plot.plotsize(width, height)
        plot._set_size(width, height)
        return Text.from_ansi(plot.build())

    return lambda: milliseconds(frame, 1)


def bench(report: measure.Report, curves: int, points: int, size: tuple[int, int]) -> None:
    """Adds a row for a steady axis and one for a growing axis."""
    for growing in (False, True):
        film = Film(curves, points, growing=growing)
        contestants = {"ours": ours(film, *size)}
        if curves * points <= PLOTEXT_POINTS and not growing:
            contestants["theirs"] = textual_plotext(film, *size)
        for turn in contestants.values():
            turn()
        spent = measure.take_turns(contestants, measure.rounds(3))
        words = ""
        if "theirs" in spent:
            theirs = statistics.median(spent["theirs"])
            times = measure.spread(measure.ratio(spent["theirs"], spent["ours"]), 1)
            words = f"textual-plotext {theirs:,.0f} ms: {times} times as long"
        name = f"{curves} x {points:,}, {size[0]}x{size[1]}, {'growing' if growing else 'steady'}"
        report.add(name, spent["ours"], "ms", words)
        if (curves, points, size) == (CURVES[-1], POINTS[-1], SIZES[-1]):
            frame = statistics.median(spent["ours"])
            aim = f"at most {BUDGET:g} ms (aim: {AIM:g})"
            report.reach(f"frame of {name}", aim, f"{frame:.1f} ms", frame <= BUDGET)


def main() -> int:
    report = measure.Report("frame")
    for curves in CURVES:
        for points in POINTS:
            for size in SIZES:
                bench(report, curves, points, size)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
