"""Bytes sent to the terminal: by a steady update of charts and of screens, and by opening a run.

    python tests/benchmarks/bench_wire.py

On a real pty of 160x44 cells, counting every byte, including Textual's own. First an application
with only a chart, fed the same points with our widget and with textual-plotext's; then clr-tui
itself on a live run whose log grows in chunks, as a worker writes it, including device load.
"""

from __future__ import annotations

import asyncio
import os
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path

import measure
import numpy as np
from living_run import LivingRun, sweep
from made_logs import comparison_run
from screens import CLR_TUI, DEADLINE, HEIGHT, WIDTH, Screen

BUDGET = 1024
"""Bytes per steady update: the median, because a widening axis repaints the chart."""
OPENING = 30 * 1024
"""Bytes until a run is on the screen."""
PAUSE = 0.15
"""Seconds without a byte after which an update of the chart counts as complete."""
STILL = 3.0
"""Seconds during which nothing may be sent while the log is idle."""
STEPS, EACH, UPDATES = 1000, 10, 20
CHILD = "--child"
CHARTS = {
    "sweep": "a sweep",
    "growing": "a curve whose x axis grows",
    "six": "6 curves with bands",
}


def child(widget: str, what: str, orders: int, answers: int) -> None:
    """The application: adds points for every byte on `orders`, then replies."""
    from textual.app import App, ComposeResult
    from textual.widget import Widget

    from clr_tui.tui.widgets.chart_view import ChartView

    lr, smoothed, raw = sweep(STEPS)
    waves = [smoothed + 0.1 * i + 0.02 * np.sin(np.arange(STEPS) / (5 + i)) for i in range(6)]

    def ours(n: int) -> object:
        return our_chart(what, n, lr, smoothed, raw, waves)

    def theirs(plot: object, n: int) -> None:
        plotext_chart(plot, what, n, lr, smoothed, raw, waves)

    class Bench(App[None]):
        def compose(self) -> ComposeResult:
            self.chart: Widget
            if widget == "clr-tui":
                self.chart = ChartView()
            else:
                from textual_plotext import PlotextPlot

                self.chart = PlotextPlot()
            yield self.chart

        def on_mount(self) -> None:
            self.shown = STEPS - (UPDATES + 8) * EACH
            asyncio.get_running_loop().add_reader(orders, self.order)

        def order(self) -> None:
            os.read(orders, 1)
            self.shown = min(self.shown + EACH, STEPS)
            if isinstance(self.chart, ChartView):
                self.chart.set_chart(ours(self.shown))
            else:
                theirs(self.chart.plt, self.shown)
                self.chart.refresh()
            self.call_after_refresh(os.write, answers, b".")

    Bench().run()


def our_chart(
    what: str,
    n: int,
    lr: np.ndarray,
    smoothed: np.ndarray,
    raw: np.ndarray,
    waves: list[np.ndarray],
) -> object:
    from clr_tui.tui.charts.chart import Area, Axis, Band, Chart, Mark, Series, VLine
    from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of

    steps = np.arange(n, dtype=float)
    if what == "growing":
        return Chart(series=(Series(steps, smoothed[:n]),), x=Axis("step"), y=Axis("loss"))
    if what == "six":
        return Chart(
            series=tuple(
                Series(steps, wave[:n], "", role_of(i), glyph=glyph_of(i))
                for i, wave in enumerate(waves)
            ),
            areas=tuple(
                Area(steps, wave[:n] - 0.04, wave[:n] + 0.04, "", role_of(i))
                for i, wave in enumerate(waves)
            ),
            x=Axis("step", lo=0, hi=STEPS),
            y=Axis("loss"),
        )
    return Chart(
        series=(
            Series(lr[:n], raw[:n], "raw", "raw", faint=True),
            Series(lr[:n], smoothed[:n], "smoothed"),
        ),
        x=Axis("learning rate (log)", log=True, lo=1e-7, hi=1.0),
        y=Axis("loss"),
        vlines=(VLine(6e-4, "base", "base"), VLine(3.6e-3, "max", "max", selected=True)),
        bands=(Band(6e-4, 3.6e-3),),
        marks=(Mark(6.8e-4, None, "valley"), Mark(8.8e-3, None, "steepest")),
    )


def plotext_chart(
    plot: object,
    what: str,
    n: int,
    lr: np.ndarray,
    smoothed: np.ndarray,
    raw: np.ndarray,
    waves: list[np.ndarray],
) -> None:
    """The same curves without bands and marks, which textual-plotext lacks."""
    plot.clear_figure()
    steps = list(range(n))
    if what == "growing":
        plot.plot(steps, smoothed[:n].tolist(), marker="braille")
    elif what == "six":
        plot.xlim(0, STEPS)
        for wave in waves:
            plot.plot(steps, wave[:n].tolist(), marker="braille")
    else:
        plot.xlim(-7, 0)
        plot.ylim(1.45, 1.7)
        for y in (raw[:n], smoothed[:n]):
            plot.plot(np.log10(lr[:n]).tolist(), y.tolist(), marker="braille")
        for x in (6e-4, 3.6e-3):
            plot.vline(float(np.log10(x)))


class ChartApp:
    """The chart's application on a pty, with one update per order."""

    def __init__(self, widget: str, what: str) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        command = [sys.executable, __file__, CHILD, widget, what, str(orders), str(answers)]
        self.screen = Screen(command, pass_fds=(orders, answers))
        os.close(orders)
        os.close(answers)

    def update(self) -> int:
        """Requests one update; returns the bytes up to a pause after its reply."""
        os.write(self._orders, b"+")
        count, answered, end = 0, False, time.monotonic() + DEADLINE
        while time.monotonic() < end:
            ready, _, _ = select.select([self.screen.master, self._answers], [], [], PAUSE)
            if self._answers in ready:
                answered = bool(os.read(self._answers, 1))
            if self.screen.master in ready:
                count += len(os.read(self.screen.master, 1 << 16))
            if not ready and answered:
                return count
        raise TimeoutError("the application did not answer")

    def close(self) -> None:
        self.screen.end()
        os.close(self._orders)
        os.close(self._answers)


def chart_bytes(widget: str, what: str) -> tuple[list[int], int]:
    """Returns the bytes of each update after the first few, and of one without a change."""
    app = ChartApp(widget, what)
    try:
        first = app.update()
        while first < 3000:  # start-up, until a whole screen has come
            first += app.update()
        sizes = [app.update() for _ in range(UPDATES)]
        for _ in range(8):  # to the last point, and beyond
            app.update()
        return sizes, app.update()
    finally:
        app.close()


def screen_bytes(steps: int, each: int) -> tuple[list[int], int]:
    """Returns the bytes of each of the last updates of a sweep, and of an idle period."""
    with tempfile.TemporaryDirectory() as folder:
        living = LivingRun(Path(folder), steps, each)
        while steps - living.done > (UPDATES + 1) * each:
            living.chunk()
        command = [*CLR_TUI, "attach", living.run.id, "--runs-dir", folder]
        with Screen(command) as screen:
            drawn = 0
            while drawn < 5000:
                drawn += screen.bytes_until_quiet()
            sizes = []
            for _ in range(UPDATES):
                living.chunk()
                sizes.append(screen.bytes_until_quiet())
            still = screen.bytes_until_quiet(STILL)
        living.end()
        return sizes, still


def opening_bytes() -> int:
    """Returns the bytes until a comparison of 18 trials is on the screen."""
    with tempfile.TemporaryDirectory() as folder:
        run = comparison_run(Path(folder), epochs=30)
        with Screen([*CLR_TUI, "attach", run.id, "--runs-dir", folder]) as screen:
            sent = 0
            while sent < 5000:  # the first frame says that it is opening
                sent += screen.bytes_until_quiet(2 * STILL)
            return sent


def judge(report: measure.Report, name: str, sizes: list[int], still: int) -> None:
    """Whether ours keep the budget."""
    mean, median = statistics.mean(sizes), statistics.median(sizes)
    kept = median <= BUDGET and still == 0
    words = f"median {median:.0f}, mean {mean:.0f}, unchanged {still}"
    report.reach(f"bytes of {name}", f"{BUDGET} a steady update, 0 unchanged", words, kept)


def main() -> int:
    if CHILD in sys.argv:
        widget, what, *descriptors = sys.argv[sys.argv.index(CHILD) + 1 :]
        child(widget, what, *map(int, descriptors))
        return 0
    report = measure.Report(f"update on a pty of {WIDTH}x{HEIGHT}")
    for what, words in CHARTS.items():
        ours, unchanged = chart_bytes("clr-tui", what)
        theirs, _ = chart_bytes("textual-plotext", what)
        times = statistics.median(theirs) / statistics.median(ours)
        report.add(f"chart, {words}", ours, "bytes", f"textual-plotext sends {times:.0f} times")
        report.add(f"textual-plotext, {words}", theirs, "bytes")
        judge(report, f"the chart, {words}", ours, unchanged)
    for steps, each in ((108, 2), (STEPS, EACH)):
        sizes, still = screen_bytes(steps, each)
        report.add(f"range-test screen, {steps} steps, {each} an update", sizes, "bytes")
        judge(report, f"the range-test screen, {steps} steps", sizes, still)
    sent = opening_bytes()
    report.add("opening a comparison of 18 trials", [sent], "bytes")
    report.reach("bytes of opening a run", f"{OPENING} at most", str(sent), sent <= OPENING)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
