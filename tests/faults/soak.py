"""Kills and stops real workers at random moments, resumes them, and compares what comes of it.

    python tests/faults/soak.py --rounds 50 --seed 1 [--kinds train,range-test,own,compare]

Each round starts a run of one kind on the CPU, ends its worker by kill -9, SIGTERM or a stop
command at a random event of its log, once or twice, resumes it, and holds log and weights, bit for
bit, against those of a run that was left alone. In a comparison it may be the process of a trial
that is killed, which is run again. Takes some 20 seconds a round on two cores.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Stop, send
from clr_tui.engine.log.events import AnyEvent, RunFinished, RunResumed, RunStarted
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    Job,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
    Train,
)
from clr_tui.tui.launching import start_run
from clr_tui.tui.resuming import resume_run

OWN = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from clr_tui import Task

def task():
    made = torch.Generator().manual_seed(0)
    x = torch.randn(600, 8, generator=made)
    y = (x.sum(1) > 0).long()
    def part(a, b, shuffle):
        return DataLoader(TensorDataset(x[a:b], y[a:b]), batch_size=20, shuffle=shuffle)
    def model():
        return nn.Sequential(nn.Linear(8, 32), nn.Dropout(0.2), nn.ReLU(), nn.Linear(32, 2))
    return Task(
        model=model,
        train=part(0, 400, True),
        validation=part(400, 500, False),
        test=part(500, 600, False),
        loss=nn.functional.cross_entropy,
    )
"""
TRAIN = Train(base_lr=0.005, max_lr=0.05, step_size_epochs=1.5, epochs=9)
COMPARE = Compare(
    entries=[
        EntryConfig(label="adam", optimizer=OptimizerConfig(name="adam"), lr=0.001),
        EntryConfig(label="sgd+clr", optimizer=OptimizerConfig(name="sgd"), policy="triangular"),
    ],
    seeds=2,
    epochs=8,
    step_size_epochs=1,
    jobs=2,
    range_test=RangeTest(steps=60, end_lr=10.0),
)
TASK = TaskConfig(device="cpu", checkpoint_every=1)


def jobs(folder: Path) -> dict[str, tuple[TaskConfig, Job]]:
    """The runs to end, by name."""
    (folder / "own.py").write_text(OWN, encoding="utf-8")
    own = TaskConfig(task=str(folder / "own.py"), device="cpu", checkpoint_every=1)
    return {
        "train": (TASK, TRAIN),
        "range-test": (TASK, RangeTest(steps=150, seeds=3)),
        "own": (own, TRAIN),
        "compare": (TASK, COMPARE),
    }


def ended(run: RunDir) -> bool:
    """Waits a little; whether the run has no worker."""
    time.sleep(0.02)
    return not run.alive


def finish(run: RunDir) -> None:
    """Waits for the end of the run."""
    while not ended(run):
        pass


def end_at(run: RunDir, count: int, how: str) -> None:
    """Ends the worker once its log has so many events, and waits until it is gone."""
    while len(read_events(run.events_path).events) < count:
        if ended(run):
            return
    with suppress(ProcessLookupError, UserError):  # it may have just ended
        if how == "trial":
            for process in _children(worker_of(read_events(run.events_path).events))[:1]:
                os.kill(process, signal.SIGKILL)
        elif how == "stop":
            send(run, Stop(reason="soak"))
        else:
            number = signal.SIGKILL if how == "kill" else signal.SIGTERM
            os.kill(worker_of(read_events(run.events_path).events), number)
    finish(run)


def worker_of(events: list[AnyEvent]) -> int:
    """The process of the newest worker."""
    started = [e for e in events if isinstance(e, (RunStarted, RunResumed))]
    return started[-1].pid


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def result_of(run: RunDir) -> dict[str, Any]:
    """What must be the same, bit for bit."""
    batch, history = read_events(run.events_path), RunHistory(run.config())
    history.feed(batch)
    assert not batch.corrupt, f"{batch.corrupt} damaged lines"
    numbers = [event.seq for event in batch.events]
    assert numbers == list(range(len(numbers))), "events are lost or there twice"
    found: dict[str, Any] = {"outcome": history.finished and history.finished.outcome}
    for number, trial in sorted(history.trials.items()):
        found[f"trial {number}"] = {
            "end": (trial.outcome, trial.reason, len(trial)),
            "loss": np.nan_to_num(trial.loss, nan=-1.0).tolist(),
            "lr": trial.lr.tolist(),
            "epochs": [
                (e.epoch, e.train_loss, e.train_metrics, e.best_epoch) for e in trial.epochs
            ],
            "evaluations": [
                (e.step, e.part, e.checkpoint, e.loss, e.metrics) for e in trial.evaluations
            ],
        }
    for name in ("best", "last"):
        if (path := run.checkpoints / f"{name}.pt").exists():
            state = torch.load(path, weights_only=True)
            found[name] = {key: value.tolist() for key, value in state["model"].items()}
    return found


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of what differs."""
    return [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]


def leftovers(run: RunDir) -> list[str]:
    """Drafts and resume points of a run that is done."""
    files = [path.name for path in run.path.rglob("*") if path.is_file()]
    return [name for name in files if name.startswith((".", "resume-"))]


def main() -> int:
    """Returns 1 if a run was not what it should be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default="train,range-test,own,compare")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="clr-tui-soak-"))
    generator, wanted, bad = random.Random(arguments.seed), arguments.kinds.split(","), 0
    known = {name: job for name, job in jobs(folder).items() if name in wanted}
    expected, lengths = {}, {}
    for name, job in known.items():
        whole = start_run(folder / "runs", *job)
        finish(whole)
        expected[name] = result_of(whole)
        lengths[name] = len(read_events(whole.events_path).events)
        assert expected[name]["outcome"] == "done", whole.path
    for number in range(arguments.rounds):
        name = generator.choice(list(known))
        hows = ("kill", "trial", "term", "stop") if name == "compare" else ("kill", "term", "stop")
        how = generator.choice(hows)
        run = start_run(folder / "runs", *known[name])
        at = [generator.randrange(lengths[name]) for _ in range(generator.choice((1, 1, 2)))]
        for count in at:
            end_at(run, count, how)
            if _is_done(run):
                break
            resume_run(run, reason="soak")
        finish(run)
        wrong = differences(result_of(run), expected[name]) + leftovers(run)
        bad += bool(wrong)
        print(f"{number:3d}  {name:10} {how:4} at {at}  {wrong or 'the same'}", flush=True)
        if not wrong:
            shutil.rmtree(run.path)
    print(f"{arguments.rounds - bad} of {arguments.rounds} were the same; {folder}")
    return int(bad > 0)


def _is_done(run: RunDir) -> bool:
    last = next(iter(read_events(run.events_path).events[-1:]), None)
    return isinstance(last, RunFinished) and last.outcome == "done"


if __name__ == "__main__":
    sys.exit(main())
