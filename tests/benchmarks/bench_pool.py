"""Twelve trials: two processes with one thread each, beside one process with two threads.

Both use a fresh pool, and take turns so that other load on the machine affects both. The CNN on the
digits (8x8), or with `--data` on a folder of images at 32x32. The events in each log are counted.
Then the pool's cost per step: one trial in it, beside the same training in this process. Run by
hand:

    python tests/benchmarks/bench_pool.py [--data DIR] [--epochs N] [--rounds N]

Prints seconds, steps per second and their ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # as the worker does

import torch

from clr_tui.engine.comparing.entry_rates import known_rate, training_at
from clr_tui.engine.comparing.pool import Pool
from clr_tui.engine.comparing.scheduler import CompareContext, run_comparison
from clr_tui.engine.log.events import (
    AnyEvent,
    EpochFinished,
    Event,
    PoolReady,
    Steps,
    TrialFinished,
)
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    OptimizerConfig,
    RunConfig,
    TaskConfig,
)
from clr_tui.engine.tasks.image_task import ImageTask
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.training import Training

NAMES = ("adagrad", "adam", "adamax", "sgd")
SEEDS = 3


class Bench:
    """One data set and length, and the ways to train on it."""

    def __init__(self, data: str, epochs: int, folder: Path) -> None:
        self.task_config = TaskConfig(
            data=data, image_size=None if data == "digits" else 32, device="cpu"
        )
        self.task: ImageTask = load_task(
            self.task_config, torch.device("cpu"), lambda *_: None, lambda _: None
        )
        self.epochs = epochs
        self.steps = len(self.task.train) // self.task_config.batch_size
        self._folder = folder
        self._logs = 0

    def _config(self, names: tuple[str, ...], seeds: int) -> tuple[RunConfig, Compare]:
        entries = [
            EntryConfig(label=name, optimizer=OptimizerConfig(name=name, momentum=0.0), lr=0.001)
            for name in names
        ]
        compare = Compare(entries=entries, seeds=seeds, epochs=self.epochs)
        run = RunConfig(
            id="bench",
            created=0.0,
            version="0",
            task=self.task_config,
            job=compare,
        )
        return run, compare

    def pooled(
        self, jobs: int, threads: int, names: tuple[str, ...] = NAMES, seeds: int = SEEDS
    ) -> tuple[float, list[AnyEvent]]:
        """Returns the seconds of a whole comparison, and its log."""
        run, compare = self._config(names, seeds)
        self._logs += 1
        writer = EventWriter(self._folder / f"{self._logs}.jsonl")
        begin = time.perf_counter()
        stage = CompareContext(
            config=run,
            executor=Pool(
                run, devices=["cpu"], jobs=jobs, threads=threads, folder=writer.path.parent
            ),
            pool=PoolReady(jobs=jobs, threads=threads, devices=["cpu"]),
            emit=writer.write,
            control=Control(list, StopFlag(), writer.write),
            steps_per_epoch=self.steps,
            sweep_steps=100,
            metric="accuracy",
            default_rate=lambda entry: 0.001,
        )
        run_comparison(stage, compare)
        seconds = time.perf_counter() - begin
        writer.close()
        events = read_events(writer.path).events
        self._count(events, len(names) * seeds)
        return seconds, events

    def _count(self, events: list[AnyEvent], trials: int) -> None:
        """Checks that no event is lost or duplicated."""
        assert [e.seq for e in events] == list(range(len(events)))
        for trial in range(trials):
            own = [e for e in events if getattr(e, "trial", None) == trial]
            steps = [s for e in own if isinstance(e, Steps) for s in e.step]
            assert steps == list(range(self.epochs * self.steps)), f"steps of trial {trial}"
            epochs = [e.epoch for e in own if isinstance(e, EpochFinished)]
            assert epochs == list(range(1, self.epochs + 1)), f"epochs of trial {trial}"
            ends = [e.outcome for e in own if isinstance(e, TrialFinished)]
            assert ends == ["done"], f"ends of trial {trial}"

    def alone(self) -> list[Event]:
        """Trains in this process with one thread."""
        run, compare = self._config(("sgd",), 1)
        rate = known_rate(0, compare, lambda entry: 0.001)
        assert rate is not None
        events: list[Event] = []
        control = Control(list, StopFlag(), events.append)
        session = Session(run, self.task, "float32", events.append, control, self._folder)
        torch.set_num_threads(1)
        job = training_at(rate, compare, self.epochs)
        Training(session, job, Trial(0, 0, "sgd"), MemoryKeeper()).run()
        return events


def pace(events: list[Event] | list[AnyEvent]) -> float:
    """Returns steps per second without the first chunk, in which torch initialises."""
    chunks = [e for e in events if isinstance(e, Steps)]
    done = chunks[-1].step[-1] - chunks[0].step[-1]
    return done / (chunks[-1].elapsed - chunks[0].elapsed)


def take_turns(ways: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    seen: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            seen[name].append(way())
            print(f"  {name:34}{seen[name][-1]:8.1f}", flush=True)
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="digits", help="digits, or a folder of images")
    parser.add_argument("--epochs", type=int, default=6, help="of each trial")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    data = arguments.data if arguments.data == "digits" else os.path.abspath(arguments.data)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(data, arguments.epochs, Path(folder))
        trials = len(NAMES) * SEEDS
        print(
            f"{trials} trials of {bench.epochs} epochs of {bench.steps} steps on "
            f"{bench.task.name}, torch {torch.__version__}; seconds:"
        )
        seen = take_turns(
            {
                "2 processes of 1 thread": lambda: bench.pooled(2, 1)[0],
                "1 process of 2 threads": lambda: bench.pooled(1, 2)[0],
            },
            arguments.rounds,
        )
        pool, single = (statistics.median(seconds) for seconds in seen.values())
        print(f"side by side is {single / pool:.2f}x as fast (medians {pool:.1f}, {single:.1f} s)")
        print("the logs' counts are right; steps a second of one trial, one thread:")
        paces = take_turns(
            {
                "in the pool": lambda: pace(bench.pooled(1, 1, ("sgd",), 1)[1]),
                "in this process": lambda: pace(bench.alone()),
            },
            arguments.rounds,
        )
        inside, outside = (statistics.median(each) for each in paces.values())
        print(f"a step in the pool takes {outside / inside:.2f}x as long")


if __name__ == "__main__":
    main()
