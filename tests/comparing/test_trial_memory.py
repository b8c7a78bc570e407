"""What a trial is thought to need, beside what one takes; and best weights kept in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from clr_tui.engine.comparing.trial_memory import COPIES, trial_need
from clr_tui.engine.log.events import CheckpointSaved, EpochFinished, Evaluated, Event
from clr_tui.engine.settings.config import RunConfig, TaskConfig, Train
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.keepers import DiskKeeper, MemoryKeeper
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.training import Training

MEASURE = """
import json, re, sys
import torch
torch.set_num_threads(1)
from clr_tui.engine.malloc import keep_freed_memory
keep_freed_memory()
from clr_tui.engine.settings.config import OptimizerConfig, TaskConfig
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.training.evaluate import evaluate
from clr_tui.engine.training.job import tune_torch, use_all_cores
from clr_tui.engine.comparing.trial_memory import trial_need
from clr_tui.engine.training.optimizers.classes import default_lr
from clr_tui.engine.training.trainee import make_trainee
model, size, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
config = TaskConfig(
    model=model, image_size=size, batch_size=batch, augment=model == "cnn", weights="none"
)
task = load_task(config, torch.device("cpu"), lambda *a: None, lambda t: None)
# As the worker of a comparison, which makes no optimizer: that takes torch a second.
use_all_cores()
tune_torch(torch.device("cpu"))
torch.set_num_threads(1)
need = trial_need(task, batch)
assert default_lr(OptimizerConfig(name="adam")) == 0.001
assert model != "cnn" or "torch._dynamo" not in sys.modules
trainee = make_trainee(
    task, OptimizerConfig(name="adam"), batch_size=batch, seed=0, precision="float32"
)
for _ in range(3):
    trainee.step()
evaluate(trainee, task.validation)
# Not ru_maxrss: that begins with the peak of the process that started this one.
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
print(json.dumps({"peak": peak, "need": need.on_cpu, "process": need.process}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="measured by Linux's means")
@pytest.mark.parametrize(
    ("model", "size", "batch"), [("cnn", 32, 64), ("cnn", 64, 256), ("resnet34", 64, 64)]
)
def test_the_estimate_is_above_what_a_trial_takes_and_not_far(
    model: str, size: int, batch: int
) -> None:
    words = subprocess.run(
        [sys.executable, "-c", MEASURE, model, str(size), str(batch)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    seen = json.loads(words)
    assert seen["process"] < seen["peak"] <= seen["need"]
    assert seen["need"] <= 3 * seen["peak"], seen


def digits() -> object:
    return load_task(TaskConfig(), torch.device("cpu"), lambda *_: None, lambda _: None)


def test_the_parts_of_the_need_add_up() -> None:
    task = digits()
    small, large = trial_need(task, 2), trial_need(task, 2000)
    assert small.data == 1797 * (8 * 8 + 8)
    weights = 4 * sum(p.numel() for p in task.make_model(0).parameters())
    assert COPIES * weights < small.training < large.training
    assert small.on_cpu == small.process + small.training
    assert small.on_accelerator > small.data + small.training


def measured_on_test(
    keeper: MemoryKeeper | DiskKeeper, events: list[Event], folder: Path, seed: int
) -> list[Evaluated]:
    job = Train(base_lr=0.1, max_lr=0.6, step_size_epochs=0.5, epochs=5)
    config = RunConfig(id="r", created=0.0, version="0", job=job)
    control = Control(list, StopFlag(), events.append)
    session = Session(config, digits(), "float32", events.append, control, folder)
    Training(session, job, Trial(0, seed, "triangular"), keeper).run()
    return [e for e in events if isinstance(e, Evaluated)]


def test_weights_kept_in_memory_are_those_kept_on_disk(tmp_path: Path) -> None:
    for seed in range(10):  # the last bits differ by machine, and with them which epoch is best
        events: list[Event] = []
        by_disk = measured_on_test(
            DiskKeeper(tmp_path, events.append, torch.device("cpu")), events, tmp_path, seed
        )
        last = [e for e in events if isinstance(e, EpochFinished)][-1]
        if last.best_epoch < last.epoch:
            break
    assert last.best_epoch < last.epoch, "the test needs a best epoch that is not the last"
    other: list[Event] = []
    by_memory = measured_on_test(MemoryKeeper(), other, tmp_path / "none", seed)
    assert by_memory == by_disk
    assert not [e for e in other if isinstance(e, CheckpointSaved)]
    assert not (tmp_path / "none").exists()
