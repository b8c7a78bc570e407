"""Bytes that a steady update of the range-test chart sends to the terminal.

    python tests/benchmarks/bench_wire.py

A Textual application that shows nothing but the chart runs on a real pty of 160 x 44 cells; every
byte that it writes is counted, Textual's own included. A sweep is fed to it a few steps at a time,
the same steps to our widget and to a plain one, which hands plotext's drawing to Textual whole,
as textual-plotext does. Exits 1 where ours is over its budget.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import select
import statistics
import struct
import subprocess
import sys
import termios
import time

import numpy as np

WIDTH, HEIGHT = 160, 44
BUDGET = 1024
"""Bytes a steady update, on average and in the median."""
QUIET = 0.15
"""Seconds without a byte after which an update is taken to be over."""
DEADLINE = 30.0


def sweep(steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rates, smoothed and raw losses of a sweep that looks like a real one, shape (steps,)."""
    rng = np.random.default_rng(0)
    lr = 1e-7 * (1e6 ** (np.arange(steps) / steps))
    place = np.log10(lr)
    raw = 1.64 - 0.12 / (1 + np.exp(-3 * (place + 2.7))) + rng.normal(0, 0.02, steps)
    smoothed = np.empty(steps)
    for i, value in enumerate(raw):
        smoothed[i] = value if i == 0 else 0.05 * value + 0.95 * smoothed[i - 1]
    return lr, smoothed, raw


def child(kind: str, steps: int, each: int, orders: int, answers: int) -> None:
    """The application: shows `each` steps more for every byte on `orders`, then answers."""
    from rich.text import Text
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    from clr_tui.tui.charts.chart import Axis, Band, Chart, Mark, Series, VLine
    from clr_tui.tui.widgets.chart_view import ChartView

    lr, smoothed, raw = sweep(steps)

    def chart(n: int) -> Chart:
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
            empty="the loss comes with the first steps",
        )

    def plain(n: int) -> Text:
        import plotext

        plotext.clear_figure()
        plotext.limitsize(False, False)
        plotext.plot_size(WIDTH, HEIGHT)
        plotext.xlim(-7, 0)
        plotext.ylim(1.45, 1.7)
        for y in (raw[:n], smoothed[:n]):
            plotext.plot(np.log10(lr[:n]).tolist(), y.tolist(), marker="braille")
        for x in (6e-4, 3.6e-3):
            plotext.vline(float(np.log10(x)))
        return Text.from_ansi(plotext.build())

    class Bench(App[None]):
        def compose(self) -> ComposeResult:
            yield ChartView() if kind == "ours" else Static()

        def on_mount(self) -> None:
            self.shown = 0
            asyncio.get_running_loop().add_reader(orders, self.order)

        def order(self) -> None:
            if os.read(orders, 1) == b"q":
                self.exit()
                return
            self.shown = min(self.shown + each, steps)
            if kind == "ours":
                self.query_one(ChartView).set_chart(chart(self.shown))
            else:
                self.query_one(Static).update(plain(self.shown))
            self.call_after_refresh(os.write, answers, b".")

    Bench().run()


class Terminal:
    """A pty with the application on it; counts what it writes."""

    def __init__(self, kind: str, steps: int, each: int) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        environment = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor")
        environment.pop("NO_COLOR", None)
        environment.pop("TEXTUAL_COLOR_SYSTEM", None)
        arguments = [kind, str(steps), str(each), str(orders), str(answers)]
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--child", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            pass_fds=(orders, answers),
            start_new_session=True,
        )
        for descriptor in (slave, orders, answers):
            os.close(descriptor)

    def update(self, order: bytes = b"+") -> int:
        """Asks for one update; the bytes that came of it."""
        os.write(self.orders, order)
        return self.read_until_quiet(answered=False)

    def read_until_quiet(self, *, answered: bool) -> int:
        """The bytes up to a pause, which counts only once the application has answered."""
        count, end = 0, time.monotonic() + DEADLINE
        while True:
            ready, _, _ = select.select([self.master, self.answers], [], [], QUIET)
            if self.answers in ready:
                answered = bool(os.read(self.answers, 1)) or answered
            if self.master in ready:
                count += len(os.read(self.master, 65536))
            if not ready and answered:
                return count
            if time.monotonic() > end:
                raise TimeoutError("the application did not answer")

    def close(self) -> None:
        """Ends the application."""
        os.write(self.orders, b"q")
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < end:
            if select.select([self.master], [], [], 0.05)[0]:
                try:
                    os.read(self.master, 65536)
                except OSError:
                    break
        self.process.wait(DEADLINE)
        for descriptor in (self.master, self.orders, self.answers):
            os.close(descriptor)


def measure(kind: str, steps: int, each: int) -> tuple[list[int], int]:
    """Bytes of each update of a sweep, the first ones left out, and of one that changes nothing."""
    terminal = Terminal(kind, steps, each)
    try:
        first = terminal.update()
        while first < 5000:  # start-up, until a whole screen has come
            first += terminal.update()
        count = steps // each - 4
        sizes = [terminal.update() for _ in range(count)]
        for _ in range(3):
            terminal.update()
        return sizes, terminal.update()
    finally:
        terminal.close()


def main() -> int:
    """Measures, prints, and says whether the budget is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--child", nargs=5, help=argparse.SUPPRESS)
    child_arguments = parser.parse_args().child
    if child_arguments:
        kind, *numbers = child_arguments
        child(kind, *map(int, numbers))
        return 0
    kept = True
    print(f"bytes an update, {WIDTH} x {HEIGHT}, true colour")
    print(f"{'widget':8} {'sweep':24} {'mean':>7} {'median':>7} {'most':>7} {'unchanged':>10}")
    for steps, each in ((108, 2), (1000, 10)):
        for kind in ("ours", "plain"):
            sizes, unchanged = measure(kind, steps, each)
            mean, median = statistics.mean(sizes), statistics.median(sizes)
            words = f"{steps} steps, {each} an update"
            print(f"{kind:8} {words:24} {mean:7.0f} {median:7.0f} {max(sizes):7} {unchanged:10}")
            if kind == "ours":
                kept &= mean <= BUDGET and median <= BUDGET and unchanged == 0
    print("within budget" if kept else f"OVER BUDGET: {BUDGET} bytes an update, 0 when unchanged")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
