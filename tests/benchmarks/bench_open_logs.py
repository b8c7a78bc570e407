"""Opening the logs of other tools: 1,000,000 scalars, beside what reads each format today.

    python tests/benchmarks/bench_open_logs.py [--rounds N]

The same values in each format: 10 names at 100,000 steps; for TensorBoard also one name at
1,000,000. clr-tui opens the log, reads all of it and makes the columns of every name, as `clr-tui
watch` does before it draws. TensorBoard's EventAccumulator keeps all scalars, if it is asked to;
pandas is `read_csv`; for CSV also each in a process of its own, imports included, since whoever
opens one log waits for them. W&B's LEET has no reader without its screen: its time is that until
its screen of 160x44 stands still, which is also the time of a small run, measured beside it, and
loading.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

import measure
import numpy as np
from screens import Screen

from clr_tui.engine.analysis.foreign.opening import config_of, open_logs
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.tensorboard_events import Scalars, event_file

sys.path.append(str(Path(__file__).resolve().parents[1] / "foreign"))
import wandb_files

SCALARS, NAMES = 1_000_000, 10
LEET_DEADLINE = 120.0
"""Seconds after which LEET has not opened the log."""
LEET_PAUSE = 3.0
"""Seconds without a byte after which it has."""
TENSORBOARD, ONE_NAME, CSV, WANDB = "TensorBoard", "TensorBoard, one name", "CSV", "W&B"
NEW_PROCESS = "CSV in a new process"

MODULES = {
    TENSORBOARD: "tensorboard.backend.event_processing.event_accumulator",
    ONE_NAME: "tensorboard.backend.event_processing.event_accumulator",
    CSV: "pandas",
    NEW_PROCESS: "pandas",
    WANDB: "wandb",
}


def imported(module: str) -> bool:
    """Imports a peer, which does not count, and returns whether it is installed."""
    try:
        import_module(module)
    except ModuleNotFoundError:
        return False
    return True


def columns(names: int) -> dict[str, np.ndarray]:
    """The values by name: what a loss does, with some noise."""
    steps = np.arange(SCALARS // names)
    noise = np.random.default_rng(0).normal(size=(names, len(steps)))
    return {f"train/metric_{i}": 1 / (1 + steps / 1000) + 0.05 * noise[i] for i in range(names)}


def write_events(folder: Path, values: dict[str, np.ndarray]) -> Path:
    folder.mkdir()
    step = np.arange(len(next(iter(values.values()))))
    curves = [Scalars(name, step, 1.7e9 + step / 10, column) for name, column in values.items()]
    with (folder / "events.out.tfevents.1700000000.bench").open("wb") as file:
        file.writelines(event_file(curves, {}, 1.7e9))
    return folder


def write_csv(path: Path, values: dict[str, np.ndarray]) -> Path:
    rows = zip(*(column.tolist() for column in values.values()), strict=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(["step", *values]) + "\n")
        file.writelines(f"{i},{','.join(map(repr, row))}\n" for i, row in enumerate(rows))
    return path


def write_wandb(folder: Path, values: dict[str, np.ndarray], most: int) -> Path:
    rows = zip(*(column[:most].tolist() for column in values.values()), strict=True)
    logged = (dict(zip(values, row, strict=True)) for row in rows)
    records = [wandb_files.run("bench", {}), *wandb_files.rows(logged), wandb_files.END]
    return wandb_files.wandb_file(folder, *records)


def seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def follow(path: Path) -> int:
    """Reads a log and returns the number of its scalars."""
    (log,) = open_logs([path])
    history = RunHistory(config_of(log))
    history.feed(log.poll())
    return sum(len(history.logged.column(name).step) for name in history.logged.names)


def ours(path: Path) -> None:
    assert follow(path) == SCALARS


def event_accumulator(path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(path), size_guidance={"scalars": 0})
    accumulator.Reload()
    assert sum(len(accumulator.Scalars(tag)) for tag in accumulator.Tags()["scalars"]) == SCALARS


def pandas(path: Path) -> None:
    import pandas

    assert pandas.read_csv(path).shape == (SCALARS // NAMES, NAMES + 1)


def in_new_process(program: str, path: Path) -> None:
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)


FOLLOW = """
import sys
from pathlib import Path
from clr_tui.engine.analysis.foreign.opening import config_of, open_logs
from clr_tui.engine.analysis.history import RunHistory

(log,) = open_logs([Path(sys.argv[1])])
history = RunHistory(config_of(log))
history.feed(log.poll())
"""
READ_CSV = "import sys, pandas; pandas.read_csv(sys.argv[1])"


def leet(path: Path) -> float:
    """Seconds until LEET's screen stands still; `LEET_DEADLINE` if it does not."""
    from wandb.util import get_core_path

    arguments = ["leet", "run", "-no-observability", "-run-file", str(path), str(path.parent)]
    with Screen([get_core_path(), *arguments]) as screen:
        last = time.perf_counter()
        while (now := time.perf_counter()) - screen.begin < LEET_DEADLINE:
            if screen.read(LEET_PAUSE):
                last = now
            elif now - last >= LEET_PAUSE:
                return last - screen.begin
    return LEET_DEADLINE


def main() -> int:
    report = measure.Report("opening logs of other tools")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        values = columns(NAMES)
        events = write_events(folder / "events", values)
        one_name = write_events(folder / "one", columns(1))
        table = write_csv(folder / "table.csv", values)
        wandb_run = write_wandb(folder / "wandb", values, SCALARS)
        small_run = write_wandb(folder / "small", values, 100)
        contestants: dict[str, Callable[[], float]] = {
            f"{TENSORBOARD}, clr-tui": partial(seconds, partial(ours, events)),
            f"{ONE_NAME}, clr-tui": partial(seconds, partial(ours, one_name)),
            f"{CSV}, clr-tui": partial(seconds, partial(ours, table)),
            f"{NEW_PROCESS}, clr-tui": partial(seconds, partial(in_new_process, FOLLOW, table)),
            f"{WANDB}, clr-tui": partial(seconds, partial(ours, wandb_run)),
        }
        peers = {
            TENSORBOARD: ("EventAccumulator", partial(seconds, partial(event_accumulator, events))),
            ONE_NAME: ("EventAccumulator", partial(seconds, partial(event_accumulator, one_name))),
            CSV: ("pandas.read_csv", partial(seconds, partial(pandas, table))),
            NEW_PROCESS: (
                "pandas.read_csv",
                partial(seconds, partial(in_new_process, READ_CSV, table)),
            ),
            WANDB: ("LEET", partial(leet, wandb_run)),
        }
        for path in (write_events(folder / "few", {"loss": np.ones(100)}), small_run):
            follow(path)  # what is imported once does not count
        for kind, (name, work) in list(peers.items()):
            if imported(MODULES[kind]):
                contestants[f"{kind}, {name}"] = work
            else:
                report.notes.append(f"{name} is not installed: not measured.")
                del peers[kind]
        if WANDB in peers:
            contestants[f"{WANDB}, LEET, 100 steps"] = partial(leet, small_run)
        spent = measure.take_turns(contestants, measure.rounds(3))
    for name, times in spent.items():
        report.add(f"1e6 scalars, {name}" if "100 steps" not in name else name, times, "s")
    for kind, (name, _) in peers.items():
        mine, theirs = spent[f"{kind}, clr-tui"], spent[f"{kind}, {name}"]
        times = statistics.median(measure.ratio(mine, theirs))
        late = " or more" if math.isclose(statistics.median(theirs), LEET_DEADLINE) else ""
        report.reach(
            f"1e6 scalars of {kind}",
            f"at most the time of {name}",
            f"{times:.2f} times ({statistics.median(mine):.2f} of "
            f"{statistics.median(theirs):.2f} s{late})",
            times <= 1,
        )
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
