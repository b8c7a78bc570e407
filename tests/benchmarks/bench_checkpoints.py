"""What checkpoints cost a training: the same one with and without them, in turns.

    python tests/benchmarks/bench_checkpoints.py [--rounds N] [--data DIR]

With them it writes best.pt, last.pt and resume points, each synced to the disk, as a run does;
without them the best weights are kept in memory. Digits with the default network; of a folder of
images a few epochs of a network whose first layers are frozen.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # as the worker does

import measure
import torch

from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.malloc import keep_freed_memory
from clr_tui.engine.settings.config import RunConfig, TaskConfig, Train
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.training import Training, run_training

WITHOUT, WITH = "without", "with checkpoints"
AIM = 1.02


def training(task: Task, config: TaskConfig, epochs: int, *, kept: bool) -> float:
    """Trains, and returns the seconds that it took."""
    job = Train(base_lr=1e-3, max_lr=1e-2, step_size_epochs=epochs / 2, epochs=epochs)
    run = RunConfig(id="bench-1", created=0.0, version="0", task=config, job=job)
    folder = Path(tempfile.mkdtemp(dir=Path.cwd(), prefix="bench-checkpoints-"))
    writer = EventWriter(folder / "events.jsonl")
    control = Control(list, StopFlag(), writer.write)
    session = Session(run, task, "float32", writer.write, control, folder)
    begin = time.perf_counter()
    if kept:
        run_training(session, job)
    else:
        Training(session, job, Trial(0, 0, "one"), MemoryKeeper()).run()
    seconds = time.perf_counter() - begin
    shutil.rmtree(folder)
    return seconds


def main() -> int:
    keep_freed_memory()
    report = measure.Report("checkpoints")
    cases = {"digits": (TaskConfig(device="cpu"), 20)}
    if folder := measure.data_folder():
        cases[folder.name] = (TaskConfig(data=str(folder), model="resnet34", device="cpu"), 3)
    for name, (config, epochs) in cases.items():
        task = load_task(config, torch.device("cpu"), lambda *_: None, lambda _: None)
        training(task, config, 1, kept=True)
        seconds = measure.take_turns(
            {
                WITHOUT: partial(training, task, config, epochs, kept=False),
                WITH: partial(training, task, config, epochs, kept=True),
            },
            measure.rounds(7),
        )
        ratios = sorted(measure.ratio(seconds[WITH], seconds[WITHOUT]))
        report.add(f"{name}, {WITHOUT}", seconds[WITHOUT], "s")
        report.add(f"{name}, {WITH}", seconds[WITH], "s", f"{measure.spread(ratios, 3)} times")
        middle = ratios[len(ratios) // 2]
        what = f"a training with checkpoints, over one without ({name})"
        report.reach(what, f"{AIM}", f"{middle:.3f}", middle <= AIM)
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
