"""What drawing costs with and without reduction: run by hand, prints milliseconds and ratios.

    python tests/benchmarks/bench_reduce.py [points]

Measures, each as the best of several runs on one line of `points` noisy values: reduction to 320
columns, smoothing, a plotext chart of the reduced line, and a plotext chart of the whole line
(once: it takes seconds).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import plotext

from clr_tui.engine.analysis.reduce import reduce_columns
from clr_tui.engine.analysis.smoothing import smooth

COLUMNS = 320


def milliseconds(work: Callable[[], object], times: int = 5) -> float:
    best = float("inf")
    for _ in range(times):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best * 1e3


def chart(x: np.ndarray, y: np.ndarray) -> str:
    plotext.clear_figure()
    plotext.plotsize(160, 40)
    plotext.plot(x.tolist(), y.tolist(), marker="braille")
    return plotext.build()


def main() -> None:
    points = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    x = np.arange(float(points))
    y = 2 - x / points + np.random.default_rng(0).normal(0, 0.1, points)
    to_and_fro = np.abs((x / points * 40) % 2 - 1)  # as a cyclical rate, 20 cycles

    reduction = milliseconds(lambda: reduce_columns(x, y, COLUMNS, 0, points - 1))
    envelope = milliseconds(lambda: reduce_columns(to_and_fro, y, COLUMNS, 0, 1))
    smoothing = milliseconds(lambda: smooth(y))
    few = reduce_columns(x, y, COLUMNS, 0, points - 1)
    reduced = milliseconds(lambda: chart(*few))
    whole = milliseconds(lambda: chart(x, y), times=1)

    print(f"{points} points, {COLUMNS} columns -> {len(few[0])} points")
    print(f"  reduce                    {reduction:10.1f} ms")
    print(f"  reduce, 20 cycles of x    {envelope:10.1f} ms")
    print(f"  smooth                    {smoothing:10.1f} ms")
    print(f"  plotext, reduced          {reduced:10.1f} ms")
    print(f"  plotext, whole            {whole:10.1f} ms")
    print(f"  whole / (reduce + reduced)  {whole / (reduction + reduced):8.0f} x")


if __name__ == "__main__":
    main()
