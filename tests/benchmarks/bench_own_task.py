"""A training of a user's task beside the same loop written by hand, Lightning and fastai.

    python tests/benchmarks/bench_own_task.py [--rounds N]

All train the same network for an epoch on the same batches of a DataLoader, with SGD and momentum,
read every loss, change the rate at each step, and validate at the end. Ours also writes its log.
Lightning and fastai are left out where they are not installed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "3000")  # as the worker does

import measure
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import clr_tui
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.malloc import keep_freed_memory
from clr_tui.engine.settings.config import RunConfig, TaskConfig, Train
from clr_tui.engine.tasks.cnn import build_cnn
from clr_tui.engine.tasks.own_training import own_task
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.keepers import MemoryKeeper
from clr_tui.engine.training.session import Session, Trial
from clr_tui.engine.training.training import Training

BATCH, SIZE, CLASSES = 64, 32, 10
STEPS = 30
"""Of an epoch."""
LOW, HIGH = 1e-4, 1e-3
HAND, OURS = "by hand", "ours"

Turn = Callable[[], float]
"""Trains an epoch, and returns the seconds that it took."""


def network() -> nn.Module:
    return build_cnn(3, SIZE, CLASSES)


def loader(steps: int, *, shuffle: bool) -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(steps * BATCH, 3, SIZE, SIZE, generator=generator)
    labels = torch.randint(0, CLASSES, (len(images),), generator=generator)
    return DataLoader(TensorDataset(images, labels), BATCH, shuffle=shuffle)


TRAIN, VALIDATION = loader(STEPS, shuffle=True), loader(4, shuffle=False)


def by_hand() -> float:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=LOW, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CyclicLR(
        optimizer, LOW, HIGH, step_size_up=STEPS // 2, cycle_momentum=False
    )
    losses = []
    begin = time.perf_counter()
    model.train()
    for images, labels in TRAIN:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        for images, labels in VALIDATION:
            functional.cross_entropy(model(images), labels).item()
    return time.perf_counter() - begin


def ours(folder: Path) -> Turn:
    given = clr_tui.Task(
        model=network, train=TRAIN, validation=VALIDATION, loss=functional.cross_entropy
    )
    config = TaskConfig(task="/mine.py:task", device="cpu")
    task = own_task(given, config, torch.device("cpu"), lambda *_: None, lambda _: None)
    job = Train(base_lr=LOW, max_lr=HIGH, step_size_epochs=0.5, epochs=1)
    run = RunConfig(id="own-1", created=0.0, version="0", task=config, job=job)

    def turn() -> float:
        writer = EventWriter(folder / f"{time.monotonic_ns()}.jsonl")
        control = Control(list, StopFlag(), writer.write)
        session = Session(run, task, "float32", writer.write, control, folder)
        training = Training(session, job, Trial(0, 0, "own"), MemoryKeeper())
        begin = time.perf_counter()
        training.run()
        return time.perf_counter() - begin

    return turn


def with_lightning(folder: Path) -> Turn:
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = network()

        def training_step(self, batch: Any, _index: int) -> Tensor:
            loss = functional.cross_entropy(self.network(batch[0]), batch[1])
            self.log("loss", loss)
            return loss

        def validation_step(self, batch: Any, _index: int) -> None:
            self.log("val", functional.cross_entropy(self.network(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.SGD(self.parameters(), lr=LOW, momentum=0.9)
            schedule = torch.optim.lr_scheduler.CyclicLR(
                optimizer, LOW, HIGH, step_size_up=STEPS // 2, cycle_momentum=False
            )
            return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    for name in ("lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)

    def turn() -> float:
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")
            trainer = lightning.Trainer(
                max_epochs=1,
                accelerator="cpu",
                enable_progress_bar=False,
                enable_model_summary=False,
                enable_checkpointing=False,
                num_sanity_val_steps=0,
                logger=False,
                default_root_dir=folder,
            )
            model = Module()
            begin = time.perf_counter()
            trainer.fit(model, TRAIN, VALIDATION)
            return time.perf_counter() - begin

    return turn


def with_fastai() -> Turn:
    import fastai.callback.schedule  # noqa: F401 - adds to Learner what is used below
    from fastai.data.core import DataLoaders
    from fastai.learner import Learner
    from fastai.optimizer import OptimWrapper

    def sgd(parameters: Any, **_: Any) -> Any:
        return OptimWrapper(parameters, torch.optim.SGD, lr=LOW, momentum=0.9)

    def turn() -> float:
        data = DataLoaders(TRAIN, VALIDATION)
        learner = Learner(data, network(), loss_func=functional.cross_entropy, opt_func=sgd)
        with learner.no_bar(), learner.no_logging():
            begin = time.perf_counter()
            learner.fit_one_cycle(1, HIGH)
            return time.perf_counter() - begin

    return turn


def main() -> int:
    keep_freed_memory()
    report = measure.Report("own task")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contestants: dict[str, Turn] = {HAND: by_hand, OURS: ours(folder)}
        if find_spec("lightning"):
            contestants["Lightning"] = with_lightning(folder)
        if find_spec("fastai"):
            contestants["fastai"] = with_fastai()
        for warm_up in contestants.values():
            warm_up()
        seconds = measure.take_turns(contestants, measure.rounds(9))
    for who, measured in seconds.items():
        ratios = measure.ratio(measured, seconds[HAND])
        report.add(
            who,
            [STEPS * BATCH / s for s in measured],
            "images/s",
            "" if who == HAND else f"{measure.spread(ratios)} times as long",
        )
    ratios = sorted(measure.ratio(seconds[OURS], seconds[HAND]))
    middle = ratios[len(ratios) // 2]
    report.reach(
        "an epoch of a user's task, over the loop by hand", "1.03", f"{middle:.3f}", middle <= 1.03
    )
    return report.finish()


if __name__ == "__main__":
    raise SystemExit(main())
