"""Names of values as the tools that log them write them."""

from __future__ import annotations

import pytest

from clr_tui.engine.analysis.metric_names import in_order, is_share, read_name

NAMES = {
    # Lightning's CSVLogger and TensorBoardLogger
    "train_loss": ("loss", "train", "", "loss"),
    "val_loss": ("loss", "val", "", "loss"),
    "train_loss_step": ("loss", "train", "step", "loss"),
    "train_loss_epoch": ("loss", "train", "epoch", "loss"),
    "train/loss_epoch": ("loss", "train", "epoch", "loss"),
    "loss_step": ("loss", "", "step", "loss"),
    "lr-SGD": ("lr-SGD", "", "", "lr"),
    "lr-AdamW/pg1": ("lr-AdamW/pg1", "", "", "lr"),
    "hp_metric": ("hp_metric", "", "", "other"),
    "epoch": ("epoch", "", "", "count"),
    # Keras
    "accuracy": ("accuracy", "", "", "metric"),
    "val_accuracy": ("accuracy", "val", "", "metric"),
    "learning_rate": ("learning_rate", "", "", "lr"),
    "val_top_5_accuracy": ("top_5_accuracy", "val", "", "metric"),
    # fastai
    "valid_loss": ("loss", "val", "", "loss"),
    "error_rate": ("error_rate", "", "", "metric"),
    "time": ("time", "", "", "count"),
    # Ultralytics
    "train/box_loss": ("box_loss", "train", "", "loss"),
    "val/box_loss": ("box_loss", "val", "", "loss"),
    "metrics/mAP50-95(B)": ("metrics/mAP50-95(B)", "", "", "metric"),
    "metrics/precision(B)": ("metrics/precision(B)", "", "", "metric"),
    "lr/pg0": ("lr/pg0", "", "", "lr"),
    # timm
    "eval_top1": ("top1", "val", "", "metric"),
    # Hugging Face's Trainer, alone and through TensorBoard
    "eval_loss": ("loss", "val", "", "loss"),
    "grad_norm": ("grad_norm", "", "", "other"),
    "eval_runtime": ("runtime", "val", "", "count"),
    "eval_samples_per_second": ("samples_per_second", "val", "", "count"),
    "eval/steps_per_second": ("steps_per_second", "val", "", "count"),
    "train/learning_rate": ("learning_rate", "train", "", "lr"),
    "total_flos": ("total_flos", "", "", "count"),
    # torch's SummaryWriter as its tutorials use it
    "Loss/train": ("Loss", "train", "", "loss"),
    "Loss/test": ("Loss", "test", "", "loss"),
    "Accuracy/validation": ("Accuracy", "val", "", "metric"),
    # nanoGPT, MAE, OpenMMLab, W&B
    "lossf": ("lossf", "", "", "other"),
    "test_acc1": ("acc1", "test", "", "metric"),
    "seconds_per_step": ("seconds_per_step", "", "", "count"),
    "_runtime": ("_runtime", "", "", "count"),
    "global_step": ("global_step", "", "", "count"),
    "train/BoxLoss": ("BoxLoss", "train", "", "loss"),
    "loss.val": ("loss", "val", "", "loss"),
    "system/gpu.0.memory": ("system/gpu.0.memory", "", "", "system"),
    "system.cpu": ("system.cpu", "", "", "system"),
    # what only looks like one of these
    "train": ("train", "", "", "other"),
    "testosterone": ("testosterone", "", "", "other"),
    "retrain_count": ("retrain_count", "", "", "other"),
    "": ("", "", "", "other"),
    "/": ("/", "", "", "other"),
    "損失": ("損失", "", "", "other"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_taken_apart(name: str) -> None:
    found = read_name(name)
    assert (found.quantity, found.part, found.each, found.sort) == NAMES[name]
    assert found.name == name


def test_losses_come_first_then_metrics_rates_and_the_rest_groups_together() -> None:
    names = [
        "epoch",
        "lr",
        "grad_norm",
        "val_acc",
        "metrics/a",
        "train/x_loss",
        "loss",
        "metrics/b",
    ]
    names += ["f1", "lr/pg1", "system/cpu"]
    ordered = [one.name for one in in_order(map(read_name, names))]
    assert ordered == [
        "loss",
        "train/x_loss",
        "val_acc",
        "f1",
        "metrics/a",
        "metrics/b",
        "lr",
        "lr/pg1",
        "grad_norm",
        "epoch",
        "system/cpu",
    ]


def test_what_is_read_as_per_cent() -> None:
    shares = ["accuracy", "Accuracy", "metrics/top1", "top_5_accuracy"]
    assert all(map(is_share, shares))
    assert not any(map(is_share, ["f1", "loss", "accumulated"]))
