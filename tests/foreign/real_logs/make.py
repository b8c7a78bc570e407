"""Makes the logs in this folder anew, each with the library that writes its format.

    python make.py [NAME ...]

needs the packages in README.md, and trains models of a few weights for some steps. Beside each log
it writes `expected.json`: the values that were given to the library, taken where they were given
and not from the log.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"

HERE = Path(__file__).parent
Values = dict[str, list[list[float]]]


class Recorder:
    """The values that were logged, by name: steps and values."""

    def __init__(self) -> None:
        self.values: Values = {}

    def add(self, step: int, values: dict[str, Any]) -> None:
        for name, value in values.items():
            self.values.setdefault(name, []).append([step, float(value)])

    def write(self, folder: Path, x: str) -> None:
        text = json.dumps({"x": x, "values": self.values}, indent=None)
        (folder / "expected.json").write_text(text.replace("], ", "],\n ") + "\n")


def folder_for(name: str) -> Path:
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def lightning() -> None:
    """Sparse rows; a learning rate, and a validation whose first value rewrites the file."""
    import torch
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers import CSVLogger

    recorder = Recorder()

    class Logger(CSVLogger):
        def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:
            assert step is not None
            recorder.add(step, metrics)
            super().log_metrics(metrics, step)

    class Model(LightningModule):
        def __init__(self, width: int = 3, dropout: float = 0.1) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(4, 1)

        def training_step(self, batch: Any, index: int) -> Any:
            loss = self.layer(batch[0]).square().mean()
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            if self.global_step == 7:
                self.log("train_nan", math.nan)
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("val_loss", self.layer(batch[0]).square().mean())

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)
            return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)]

    torch.manual_seed(0)
    folder = folder_for("lightning")
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(24, 4)), 4)
    logger = Logger(folder, name="lightning_logs", flush_logs_every_n_steps=4)
    trainer = Trainer(
        max_epochs=3,
        accelerator="cpu",
        logger=logger,
        log_every_n_steps=2,
        callbacks=[LearningRateMonitor("step")],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Model(), data, data)
    recorder.write(folder, "step")


def keras() -> None:
    """Comma and semicolon, an epoch without validation (NA), and a second fit appended."""
    import keras
    import numpy as np

    class Told(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            recorder.add(epoch, logs or {})

    keras.utils.set_random_seed(0)
    x, y = np.random.default_rng(0).normal(size=(32, 4)), np.arange(32) % 2
    for name, separator in (("keras", ","), ("keras_semicolon", ";"), ("keras_tab", "\t")):
        recorder = Recorder()
        folder = folder_for(name)
        model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        log = keras.callbacks.CSVLogger(folder / "training.csv", separator=separator, append=True)
        rate = keras.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.7)
        given: dict[str, Any] = {"callbacks": [rate, log, Told()], "verbose": 0}
        given |= {"validation_data": (x, y), "validation_freq": 2}
        model.fit(x, y, epochs=4, **given)
        model.fit(x, y, epochs=8, initial_epoch=4, **given)
        recorder.write(folder, "epoch")


def fastai() -> None:
    """Two fits appended to one file: the header stands again, and epochs begin at 0 again."""
    import torch
    from fastai.callback.progress import CSVLogger
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.learner import Learner
    from fastai.losses import MSELossFlat

    torch.manual_seed(0)
    folder = folder_for("fastai")
    x = torch.randn(32, 4)
    data = list(zip(x, x.sum(1, keepdim=True), strict=True))
    loaders = DataLoaders(DataLoader(data, bs=8, num_workers=0), DataLoader(data, bs=8))
    recorder, done = Recorder(), 0
    learner = Learner(loaders, torch.nn.Linear(4, 1), loss_func=MSELossFlat(), path=folder)
    with learner.no_bar():
        for epochs in (2, 3):
            learner.fit(epochs, 0.05, cbs=CSVLogger(append=True))
            for i, values in enumerate(learner.recorder.values):
                names = learner.recorder.metric_names[1:-1]
                recorder.add(done + i, dict(zip(names, values, strict=True)))
            done += epochs
    recorder.write(folder, "epoch")


def ultralytics() -> None:
    """The Trainer's own function that writes `results.csv`, on metrics made here."""
    import time
    from types import SimpleNamespace

    import numpy as np
    from ultralytics.engine.trainer import BaseTrainer

    folder, recorder = folder_for("ultralytics"), Recorder()
    names = [
        "train/box_loss",
        "train/cls_loss",
        "metrics/precision(B)",
        "metrics/mAP50(B)",
        "metrics/mAP50-95(B)",
        "val/box_loss",
        "val/cls_loss",
        "lr/pg0",
        "lr/pg1",
    ]
    rng = np.random.default_rng(0)
    trainer = SimpleNamespace(csv=folder / "results.csv", train_time_start=time.time() - 3)
    for epoch in range(5):
        metrics = dict(zip(names, rng.uniform(0, 3, len(names)).tolist(), strict=True))
        metrics["val/cls_loss"] = math.nan if epoch == 2 else metrics["val/cls_loss"]
        trainer.epoch = epoch
        BaseTrainer.save_metrics(trainer, metrics)
        recorder.add(epoch + 1, {name: f"{value:.6g}" for name, value in metrics.items()})
    (folder / "args.yaml").write_text("task: detect\nmodel: yolo11n.pt\nlr0: 0.01\nbox: 7.5\n")
    recorder.write(folder, "epoch")


def timm() -> None:
    """The function of its training script that writes `summary.csv`."""
    from timm.utils import update_summary

    folder, recorder = folder_for("timm"), Recorder()
    for epoch in range(4):
        train = {"loss": 7 / (epoch + 1.5)}
        evaluated = {"loss": 5 / (epoch + 1.25), "top1": 100 * epoch / 7, "top5": 100 * epoch / 5}
        update_summary(
            epoch,
            train,
            evaluated,
            folder / "summary.csv",
            lr=0.1 / 3**epoch,
            write_header=not epoch,
        )
        recorder.add(epoch, {f"train_{name}": value for name, value in train.items()})
        recorder.add(epoch, {f"eval_{name}": value for name, value in evaluated.items()})
        recorder.add(epoch, {"lr": 0.1 / 3**epoch})
    recorder.write(folder, "epoch")


def lr_finder() -> None:
    """A range test of torch-lr-finder, its history as CSV and as JSON."""
    import pandas as pd
    import torch
    from torch_lr_finder import LRFinder

    torch.manual_seed(0)
    folder, recorder = folder_for("lr_finder"), Recorder()
    x = torch.randn(512, 16)
    y = (x @ torch.randn(16, 4) + torch.randn(512, 4)).argmax(1)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 32, shuffle=True)
    model = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-7)
    finder = LRFinder(model, optimizer, torch.nn.CrossEntropyLoss(), device="cpu")
    finder.range_test(loader, end_lr=10, num_iter=100, diverge_th=5)
    history = {name: [float(v) for v in values] for name, values in finder.history.items()}
    pd.DataFrame(finder.history).to_csv(folder / "history.csv")
    (folder / "history.json").write_text(json.dumps(history))
    for step, values in enumerate(zip(history["lr"], history["loss"], strict=True)):
        recorder.add(step, dict(zip(("lr", "loss"), values, strict=True)))
    recorder.write(folder, "row")


def trainer() -> None:
    """Hugging Face's Trainer: checkpoints, two sets to evaluate on, and a loss that is NaN."""
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

    folder, recorder = folder_for("trainer"), Recorder()

    class Told(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            recorder.add(state.global_step, {**logs, "epoch": state.log_history[-1]["epoch"]})

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)
            self.calls = 0

        def forward(self, x: Any, labels: Any = None) -> Any:
            self.calls += self.training
            out = self.layer(x)
            loss = (out.squeeze(1) - labels).square().mean()
            return {"loss": loss + (math.nan if self.calls == 6 else 0), "logits": out}

    torch.manual_seed(0)
    x = torch.randn(64, 4)
    rows = [{"x": row, "labels": row.sum()} for row in x]
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=12,
        per_device_train_batch_size=8,
        logging_steps=2,
        eval_strategy="steps",
        eval_steps=4,
        save_steps=4,
        logging_nan_inf_filter=False,
        learning_rate=0.01,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
    )
    training = Trainer(
        Model(),
        arguments,
        train_dataset=rows,
        eval_dataset={"near": rows[:16], "far": rows[16:32]},
        callbacks=[Told()],
    )
    training.train()
    training.save_state()
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in ("trainer_state.json", "expected.json"):
            path.unlink()
    recorder.write(folder, "step")


def openmmlab() -> None:
    """Its `scalars.json`: rows of validations have the epoch for a step, and no iteration."""
    import torch
    from mmengine.evaluator import BaseMetric
    from mmengine.model import BaseModel
    from mmengine.runner import Runner
    from mmengine.visualization import LocalVisBackend

    folder, recorder = folder_for("openmmlab"), Recorder()
    last = 0
    add = LocalVisBackend.add_scalars

    def told(self: Any, scalars: dict[str, Any], *more: Any, **named: Any) -> None:
        nonlocal last
        last = int(scalars.get("iter", last))
        recorder.add(last, {name: v for name, v in scalars.items() if name not in ("iter", "step")})
        add(self, scalars, *more, **named)

    LocalVisBackend.add_scalars = told

    class Model(BaseModel):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def forward(self, x: Any, mode: str = "tensor") -> Any:
            loss = self.layer(x).square().mean()
            return {"loss": loss} if mode == "loss" else [loss]

    class Mean(BaseMetric):
        def process(self, data_batch: Any, data_samples: Any) -> None:
            self.results += [float(sample) for sample in data_samples]

        def compute_metrics(self, results: list[float]) -> dict[str, float]:
            return {"mean": sum(results) / len(results)}

    torch.manual_seed(0)
    data: dict[str, Any] = {
        "dataset": [{"x": row} for row in torch.randn(24, 4)],
        "batch_size": 4,
        "num_workers": 0,
    }
    data["collate_fn"] = {"type": "default_collate"}
    data["sampler"] = {"type": "DefaultSampler", "shuffle": False}
    Runner(
        Model(),
        work_dir=str(folder),
        train_dataloader=data,
        val_dataloader=data,
        val_evaluator=[Mean()],
        train_cfg={"by_epoch": True, "max_epochs": 3},
        val_cfg={},
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.05}},
        default_hooks={
            "logger": {"type": "LoggerHook", "interval": 2},
            "checkpoint": None,
        },
        log_level="ERROR",
    ).train()
    LocalVisBackend.add_scalars = add
    (scalars,) = folder.rglob("vis_data/scalars.json")
    kept = folder / "run" / "vis_data"
    kept.mkdir(parents=True)
    shutil.copy(scalars, kept)
    for path in folder.iterdir():
        if path.is_dir() and path.name != "run":
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
    recorder.write(folder, "iteration")


MAKERS: dict[str, Callable[[], None]] = {
    maker.__name__: maker
    for maker in (
        lightning,
        keras,
        fastai,
        ultralytics,
        timm,
        lr_finder,
        trainer,
        openmmlab,
    )
}

if __name__ == "__main__":
    for name in sys.argv[1:] or MAKERS:
        MAKERS[name]()
        print(f"made {name}")
