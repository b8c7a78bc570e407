"""Makes logs that are not text, each with the library that writes its format.

    python make_binary.py FOLDER [NAME ...]

needs torch, tensorboard, tensorboardX, wandb, trackio, mlflow-skinny, sqlalchemy and alembic.
Beside each log it writes `expected.json`: the values that were given to the library.
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

STEPS = 40
Values = dict[str, list[list[float]]]


def rows() -> list[dict[str, float]]:
    """What a training might log; a name now and then, and values that are not finite."""
    found = []
    for step in range(STEPS):
        row = {"train/loss": 2.0 / (step + 1), "lr": 0.1 * 0.9**step, "samples": step * 32}
        if step % 10 == 9:
            row["val/acc"] = step / 41
        if step in (5, 6, 7):
            row["grad_norm"] = (math.nan, math.inf, -math.inf)[step - 5]
        found.append(row)
    return found


def expect(folder: Path, values: Values, settings: dict[str, str]) -> None:
    text = json.dumps({"values": values, "settings": settings})
    (folder / "expected.json").write_text(text.replace("], ", "],\n ") + "\n")


def all_rows() -> Values:
    values: Values = {}
    for step, row in enumerate(rows()):
        for name, value in row.items():
            values.setdefault(name, []).append([step, value])
    return values


def torch(folder: Path) -> None:
    """torch's SummaryWriter: scalars of each kind, what is no scalar, and parts of the run."""
    import numpy as np
    from torch.utils.tensorboard import SummaryWriter

    values = all_rows()
    with SummaryWriter(str(folder / "run")) as writer:
        for step, row in enumerate(rows()):
            for name, value in row.items():
                writer.add_scalar(name, value, step)
        for step in range(0, STEPS, 8):
            writer.add_scalar("tensor", step / 7, step, new_style=True)
            writer.add_scalar("double", step / 7, step, new_style=True, double_precision=True)
            writer.add_scalars("loss", {"train": step, "val": step / 3}, step)
            values.setdefault("tensor", []).append([step, step / 7])
            values.setdefault("double", []).append([step, step / 7])
            values.setdefault("loss/train", []).append([step, step])
            values.setdefault("loss/val", []).append([step, step / 3])
        writer.add_histogram("weights", np.arange(10), 1)
        writer.add_text("note", "hello", 1)
        writer.add_image("image", np.zeros((3, 4, 4)), 1)
        writer.add_hparams({"lr": 0.1, "model": "cnn"}, {"best": 0.5}, run_name="1700000000.5")
        values["best"] = [[0, 0.5]]
    expect(folder, values, {"lr": "0.1", "model": "cnn"})


def tensorboardx(folder: Path) -> None:
    """tensorboardX's SummaryWriter."""
    from tensorboardX import SummaryWriter

    with SummaryWriter(str(folder / "run")) as writer:
        for step, row in enumerate(rows()):
            for name, value in row.items():
                writer.add_scalar(name, value, step)
    expect(folder, all_rows(), {})


def wandb(folder: Path) -> None:
    """An offline run of W&B."""
    os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_DIR": str(folder)}
    import wandb

    config = {"lr": 0.1, "model": "cnn", "optimizer": {"name": "sgd"}}
    quiet = wandb.Settings(x_disable_stats=True, x_disable_meta=True, console="off")
    run = wandb.init(project="p", name="quiet-lake", config=config, settings=quiet)
    for row in rows():
        run.log(row)
    run.finish()
    expect(folder, all_rows(), {"lr": "0.1", "model": "cnn", "optimizer.name": "sgd"})


def trackio(folder: Path) -> None:
    """A project of Trackio with one run."""
    os.environ["TRACKIO_DIR"] = str(folder / "trackio")
    import trackio

    trackio.init(project="p", name="quiet-lake", config={"lr": 0.1, "model": "cnn"}, embed=False)
    for row in rows():
        trackio.log(row)
    trackio.finish()
    expect(folder, all_rows(), {"lr": "0.1", "model": "cnn"})


def mlflow_files(folder: Path) -> None:
    """A run of MLflow in files."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    _mlflow(folder, f"file:{folder}/mlruns")


def mlflow_database(folder: Path) -> None:
    """A run of MLflow in a database."""
    _mlflow(folder, f"sqlite:///{folder}/mlflow.db")


def _mlflow(folder: Path, place: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(place)
    with mlflow.start_run(run_name="quiet-lake"):
        mlflow.log_params({"lr": 0.1, "model": "cnn"})
        for step, row in enumerate(rows()):
            mlflow.log_metrics(row, step=step)
    expect(folder, all_rows(), {"lr": "0.1", "model": "cnn"})


LOGS: dict[str, Callable[[Path], Any]] = {
    "torch": torch,
    "tensorboardx": tensorboardx,
    "wandb": wandb,
    "trackio": trackio,
    "mlflow_files": mlflow_files,
    "mlflow_database": mlflow_database,
}


def main() -> None:
    root = Path(sys.argv[1]).resolve()
    for name in sys.argv[2:] or LOGS:
        folder = root / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        os.chdir(folder)
        LOGS[name](folder)


if __name__ == "__main__":
    main()
