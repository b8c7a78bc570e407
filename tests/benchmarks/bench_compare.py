"""A comparison: six optimizers, three seeds and four epochs, beside the same trials one by one.

    python tests/benchmarks/bench_compare.py [--data DIR] [--rounds N]

The CNN at 32x32. clr-tui's time is from before its pool's processes start to the end of the last
trial. The plain loop (a DataLoader with the better number of workers) trains and validates one
epoch for each optimizer; the total is that times three seeds and four epochs.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

import engine_runs
import measure
import photographs
from peers import Contestant

from clr_tui.engine.log.events import PoolReady, TaskReady, TrialFinished
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.settings.config import Compare, TaskConfig
from clr_tui.engine.settings.entries import parse_entries

OPTIMIZERS = "adagrad,adadelta,rmsprop,adam,adamax,sgd+clr(lr=3e-3)"
SEEDS, EPOCHS = 3, 4
GOAL = 4.0


def ours(runs: Path) -> tuple[float, int]:
    """Returns the seconds of the whole comparison, and the steps per epoch."""
    run = create_run(
        runs,
        task=TaskConfig(data=str(photographs.folder()), image_size=32, device="cpu"),
        job=Compare(
            entries=parse_entries(OPTIMIZERS), seeds=SEEDS, epochs=EPOCHS, whole_cycles=False
        ),
        version="0",
    )
    told = engine_runs.finish(run)
    begin = engine_runs.of(told, PoolReady)[0].time
    end = engine_runs.of(told, TrialFinished)[-1].time
    return end - begin, engine_runs.of(told, TaskReady)[0].steps_per_epoch


def plain(steps: int) -> tuple[int, Contestant]:
    """Times the plain loop with the better number of workers."""
    peers = {n: Contestant("comparison", photographs.folder(), 32, n) for n in (0, 2)}
    timed = {n: (peer.seconds(2), peer.seconds(steps // 6))[1] for n, peer in peers.items()}
    workers = min(timed, key=lambda n: timed[n])
    for other in peers.keys() - {workers}:
        peers[other].close()
    return workers, peers[workers]


def main() -> int:
    report = measure.Report("comparison")
    with tempfile.TemporaryDirectory() as folder:
        runs = Path(folder)
        engine_runs.own_cache(runs)
        steps = 54
        workers, peer = plain(steps)
        before = peer.seconds(steps)
        spent, per_epoch = ours(runs)
        theirs = [s * SEEDS * EPOCHS * per_epoch / steps for s in (before, peer.seconds(steps))]
        peer.close()
    times = [s / spent for s in theirs]
    report.add("clr-tui", [spent], "s")
    report.add(
        f"plain loop, {workers} workers, from one epoch each",
        theirs,
        "s",
        f"clr-tui is {measure.spread(times)} times as fast",
    )
    middle = statistics.median(times)
    report.reach(
        "comparison against the plain loop", f"at least {GOAL:g}", f"{middle:.2f}", middle >= GOAL
    )
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
