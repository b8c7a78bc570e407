"""Bytes that a steady update of the whole range-test screen sends to the terminal.

    python tests/benchmarks/bench_screen_wire.py

`bench_wire.py` measures the chart alone; here the app shows a living run on a real pty of
160 x 44 cells - title, chart, panel, verdict, footer - while its log grows a chunk at a time as a
worker writes it, device load included. Every byte is counted. Exits 1 over the budget, or where
anything is sent while nothing changes.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from bench_wire import BUDGET, DEADLINE, HEIGHT, WIDTH, sweep

from clr_tui.engine.runs import events as ev
from clr_tui.engine.runs.config import RangeTestConfig, TaskConfig
from clr_tui.engine.runs.lock import acquire
from clr_tui.engine.runs.rundir import RunDir, create_run
from clr_tui.engine.runs.writer import EventWriter

QUIET = 0.6
"""Seconds without a byte after which an update is over: more than two polls of the screen."""
STILL = 3.0
"""Seconds over which nothing may be sent while the log stands still."""
IMAGES = 64


def child(path: str) -> None:
    """The application, on the run at `path`."""
    from clr_tui.tui.app import ClrTuiApp

    run = RunDir(Path(path))
    ClrTuiApp(run.path.parent, open_run=run).run()


class Worker:
    """Writes a sweep into a run's log as a worker does."""

    def __init__(self, folder: Path, steps: int, each: int) -> None:
        self.run = create_run(
            folder,
            kind="range-test",
            task=TaskConfig(),
            range_test=RangeTestConfig(steps=steps, end_lr=0.1),
            version="0",
        )
        self.lock = acquire(self.run.lock_path)
        self.steps, self.each, self.done = steps, each, 0
        self.lr, _, self.loss = sweep(steps)
        self.writer = EventWriter(self.run.events_path)
        self.write(
            ev.RunStarted(run=self.run.id, kind="range-test", version="0", pid=1),
            ev.DeviceChosen(device="cuda:0", name="NVIDIA H100 80GB HBM3", memory=85 * 10**9),
            ev.TrialStarted(trial=0, seed=0, total_steps=steps, steps_per_epoch=steps // 2),
        )

    def write(self, *events: ev.Event) -> None:
        for event in events:
            self.writer.write(event)

    def chunk(self) -> None:
        """The next steps; every fourth time the device's load as well."""
        part = slice(self.done, min(self.done + self.each, self.steps))
        rate = 1600.0 + 40 * (self.done % 7)
        self.write(
            ev.Steps(
                trial=0,
                step=list(range(part.start, part.stop)),
                lr=self.lr[part].tolist(),
                loss=self.loss[part].tolist(),
                elapsed=part.stop * IMAGES / rate,
                images_per_second=rate,
                left=(self.steps - part.stop) * IMAGES / rate,
            )
        )
        if self.done // self.each % 4 == 0:
            used = 3_100_000_000 + 10_000_000 * (self.done % 90)
            load = 0.4 + 0.01 * (self.done % 13)
            self.write(ev.DeviceUsage(memory_used=used, memory_total=85 * 10**9, utilisation=load))
        self.done = part.stop


class Screen:
    """The application on a pty; counts what it writes."""

    def __init__(self, run: RunDir) -> None:
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        environment = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor")
        environment.pop("NO_COLOR", None)
        environment.pop("TEXTUAL_COLOR_SYSTEM", None)
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--child", str(run.path)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    def bytes_until_quiet(self, quiet: float = QUIET) -> int:
        """What comes up to a pause of `quiet` seconds."""
        count, end = 0, time.monotonic() + DEADLINE
        while select.select([self.master], [], [], quiet)[0]:
            count += len(os.read(self.master, 65536))
            if time.monotonic() > end:
                raise TimeoutError("the screen never stands still")
        return count

    def close(self) -> None:
        """Leaves by its key."""
        os.write(self.master, b"q")
        end = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < end:
            try:
                if select.select([self.master], [], [], 0.05)[0]:
                    os.read(self.master, 65536)
            except OSError:
                break
        self.process.wait(DEADLINE)
        os.close(self.master)


def measure(steps: int, each: int, updates: int) -> tuple[list[int], int]:
    """Bytes of each of `updates` updates, the last of a sweep, and of a while without any."""
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(Path(folder), steps, each)
        while steps - worker.done > (updates + 1) * each:
            worker.chunk()
        screen = Screen(worker.run)
        try:
            drawn = 0
            while drawn < 5000:  # start-up, until a whole screen has come
                drawn += screen.bytes_until_quiet()
            sizes = []
            for _ in range(updates):
                worker.chunk()
                sizes.append(screen.bytes_until_quiet())
            return sizes, screen.bytes_until_quiet(STILL)
        finally:
            screen.close()
            os.close(worker.lock)


def main() -> int:
    """Measures, prints, and says whether the budget is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    path = parser.parse_args().child
    if path:
        child(path)
        return 0
    kept = True
    print(f"bytes an update of the range-test screen, {WIDTH} x {HEIGHT}, true colour")
    print(f"{'sweep':26} {'mean':>7} {'median':>7} {'most':>7} {'standing still':>15}")
    for steps, each, updates in ((108, 2, 45), (1000, 10, 45)):
        sizes, still = measure(steps, each, updates)
        mean, median = statistics.mean(sizes), statistics.median(sizes)
        words = f"{steps} steps, {each} an update"
        print(f"{words:26} {mean:7.0f} {median:7.0f} {max(sizes):7} {still:15}")
        kept &= mean <= BUDGET and median <= BUDGET and still == 0 and min(sizes) > 0
    print("within budget" if kept else f"OVER BUDGET: {BUDGET} bytes an update, 0 standing still")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
