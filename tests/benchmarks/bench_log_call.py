"""What a call costs that logs two values of a step, in a training loop that goes on meanwhile.

    python tests/benchmarks/bench_log_call.py [--rounds N]

Each contestant logs two floats at each of some thousand steps; the time is that of the calls, with
whatever threads or processes of theirs do in the same time, and again with their end. TensorBoard's
SummaryWriter and W&B (offline) are left out where they are not installed. A line of CSV that is
flushed is what people write by hand.
"""

from __future__ import annotations

import csv
import gc
import os
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ["WANDB_SILENT"] = "true"

import measure

import clr_tui

CALLS = 20_000
SLOW_CALLS = 2_000
"""Of contestants that take ten times as long and more."""
LIMIT = 5.0
"""Microseconds that a call of ours may take."""
OURS, TENSORS = "clr_tui run.log", "clr_tui run.log, a tensor"

Log = Callable[[int, Any], object]


def timed(log: Log, finish: Callable[[], object], calls: int, value: Any) -> tuple[float, float]:
    """Microseconds a call, without and with the end."""
    gc.collect()
    begin = time.perf_counter()
    for step in range(calls):
        log(step, value)
    logged = time.perf_counter()
    finish()
    return (logged - begin) / calls * 1e6, (time.perf_counter() - begin) / calls * 1e6


def ours(folder: Path, value: Any = 0.5) -> tuple[float, float]:
    run = clr_tui.start("bench", runs_dir=folder)
    return timed(lambda step, v: run.log(lr=0.1, loss=v), run.finish, CALLS, value)


def ours_with_tensors(folder: Path) -> tuple[float, float]:
    import torch

    return ours(folder, torch.tensor(0.5))


def by_hand(folder: Path) -> tuple[float, float]:
    with open(folder / "log.csv", "w", encoding="utf-8") as file:
        writer = csv.writer(file)

        def log(step: int, value: float) -> None:
            writer.writerow((step, 0.1, value))
            file.flush()

        return timed(log, file.flush, CALLS, 0.5)


def tensorboard(folder: Path) -> tuple[float, float]:
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = SummaryWriter(folder)  # type: ignore[no-untyped-call]

    def log(step: int, value: float) -> None:
        writer.add_scalar("lr", 0.1, step)
        writer.add_scalar("loss", value, step)

    return timed(log, writer.close, SLOW_CALLS, 0.5)


def wandb(folder: Path) -> tuple[float, float]:
    import wandb as package

    library: Any = package
    run = library.init(mode="offline", dir=folder, project="bench")
    return timed(
        lambda step, v: run.log({"lr": 0.1, "loss": v}, step=step), run.finish, SLOW_CALLS, 0.5
    )


def main() -> int:
    report = measure.Report("logging a step of two values")
    contestants: dict[str, Callable[[Path], tuple[float, float]]] = {
        OURS: ours,
        TENSORS: ours_with_tensors,
        "a line of CSV, flushed": by_hand,
    }
    if find_spec("tensorboard"):
        contestants["TensorBoard SummaryWriter"] = tensorboard
    if find_spec("wandb"):
        contestants["W&B offline"] = wandb
    with_end: dict[str, list[float]] = {name: [] for name in contestants}

    def turn(name: str) -> Callable[[], float]:
        def measured() -> float:
            with tempfile.TemporaryDirectory() as folder:
                call, whole = contestants[name](Path(folder))
            with_end[name].append(whole)
            return call

        return measured

    taken = measure.take_turns({name: turn(name) for name in contestants}, measure.rounds(7))
    for name, times in taken.items():
        ratio = "" if name == OURS else measure.spread(measure.ratio(times, taken[OURS]), 1)
        report.add(name, times, "us a call", ratio)
        report.add(f"{name}, with its end", with_end[name], "us a call")
    middle = sorted(taken[OURS])[len(taken[OURS]) // 2]
    report.reach(
        "a call of run.log with floats",
        f"at most {LIMIT:g} us",
        f"{middle:.1f} us",
        middle <= LIMIT,
    )
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
