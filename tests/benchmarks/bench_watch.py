"""The cost of watching: a training with log and screen, with only the log, and with neither.

    python tests/benchmarks/bench_watch.py [--data DIR] [--rounds N]

CLR training of the CNN at 32x32 in the real worker; the screen is clr-tui on a pty of 160x44 that
is read continuously. "Neither" is the same loop with its events discarded. The time is from the end
of the first epoch to the end of the last, by the engine's own events. Then the share of a core that
a screen of a live run takes: while the log is idle, and while it grows four times a second.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import engine_runs
import measure
import photographs
from living_run import LivingRun
from screens import CLR_TUI, Screen

from clr_tui.engine.log.events import EpochFinished, Event
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.settings.config import RunConfig, TaskConfig, Train

EPOCHS = 4
SECONDS = 10.0
"""Seconds over which a screen's share of a core is measured."""
CHILD = "--child"


def new_run(runs: Path) -> RunDir:
    return create_run(
        runs,
        task=TaskConfig(data=str(photographs.folder()), image_size=32, device="cpu"),
        job=Train(base_lr=1e-4, max_lr=1e-3, epochs=EPOCHS, whole_cycles=False),
        version="0",
    )


def span(told: list[Event]) -> float:
    """Returns the seconds from the end of the first epoch to the end of the last."""
    ends = [event.time for event in engine_runs.of(told, EpochFinished)]
    return ends[-1] - ends[0]


def with_log(runs: Path) -> float:
    return span(engine_runs.finish(new_run(runs)))


def with_screen(runs: Path) -> float:
    run = new_run(runs)
    launch(run)
    with Screen([*CLR_TUI, "attach", run.id, "--runs-dir", str(runs)]) as screen:
        screen.drain()
        return span(engine_runs.wait_for(run))


def with_neither(runs: Path) -> float:
    run = new_run(runs)
    command = [sys.executable, __file__, CHILD, str(run.path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    return float(ran.stdout)


def child(path: str) -> None:
    """Runs the worker's job without a log; only the times of epochs are kept."""
    from clr_tui.engine import worker
    from clr_tui.engine.training.control import Control, StopFlag

    run = RunDir(Path(path))
    config: RunConfig = run.config()
    times: list[float] = []

    def emit(event: Event) -> None:
        if isinstance(event, EpochFinished):
            times.append(time.time())

    worker._job()(config, emit, Control(list, StopFlag(), emit), run.path)
    print(json.dumps(times[-1] - times[0]))


def share_of_core(folder: Path, updates: float) -> float:
    """Returns the percent of a core that a screen takes at an update rate."""
    living = LivingRun(folder, steps=2000, each=10)
    try:
        for _ in range(100):
            living.chunk()
        attach = [*CLR_TUI, "attach", living.run.id, "--runs-dir", str(folder)]
        with Screen(attach) as screen:
            screen.bytes_until_quiet(2.0)
            screen.drain()
            before, begin = screen.cpu_seconds(), time.monotonic()
            while time.monotonic() - begin < SECONDS:
                time.sleep(1 / updates if updates else SECONDS)
                if updates:
                    living.chunk()
            return 100 * (screen.cpu_seconds() - before) / (time.monotonic() - begin)
    finally:
        living.end()


def main() -> int:
    if CHILD in sys.argv:
        child(sys.argv[-1])
        return 0
    report = measure.Report("watching")
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        engine_runs.own_cache(runs)
        contestants: dict[str, Callable[[], float]] = {
            "log and screen": partial(with_screen, runs),
            "log alone": partial(with_log, runs),
            "neither": partial(with_neither, runs),
        }
        with_neither(runs)  # decodes the images
        seconds = measure.take_turns(contestants, measure.rounds(3))
        for name, spent in seconds.items():
            times = measure.ratio(spent, seconds["neither"])
            words = "" if name == "neither" else f"{measure.spread(times, 3)} of neither's time"
            report.add(f"CLR training 32x32, {name}", spent, "s", words)
        slower = 100 * (
            statistics.median(measure.ratio(seconds["log and screen"], seconds["neither"])) - 1
        )
        report.reach("watching a training", "at most 3 % slower", f"{slower:.1f} %", slower <= 3)
        for name, updates, goal in (("idle", 0.0, 2), ("4 updates/s", 4.0, 8)):
            shares = [share_of_core(runs, updates) for _ in range(2)]
            report.add(f"screen of a living run, {name}", shares, "% of a core")
            share = statistics.median(shares)
            report.reach(f"screen, {name}", f"{goal} % of a core", f"{share:.1f} %", share <= goal)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
