"""Which logged values share a chart, and in which order charts come."""

from __future__ import annotations

from clr_tui.tui.kinds.logged.groups import chart_groups


def titles(*names: str) -> list[str]:
    return [group.title for group in chart_groups(names)]


def labels(*names: str) -> list[str]:
    (group,) = chart_groups(names)
    return [curve.label for curve in group.curves]


def test_lightnings_names() -> None:
    names = ["epoch", "lr-SGD", "step", "train_acc", "train_loss_epoch", "train_loss_step"]
    groups = chart_groups([*names, "val_acc", "val_loss"])
    assert [(group.title, [curve.label for curve in group.curves]) for group in groups] == [
        ("loss", ["train epoch", "train step", "val"]),
        ("acc", ["train", "val"]),
        ("lr-SGD", ["train"]),
        ("epoch", ["train"]),
        ("step", ["train"]),
    ]


def test_ultralytics_names() -> None:
    names = ["epoch", "time", "train/box_loss", "train/cls_loss", "metrics/precision(B)"]
    names += ["metrics/mAP50(B)", "val/box_loss", "val/cls_loss", "lr/pg0", "lr/pg1", "lr/pg2"]
    assert titles(*names) == [
        "box_loss",
        "cls_loss",
        "metrics/precision(B)",
        "metrics/mAP50(B)",
        "learning rate",
        "epoch",
        "time",
    ]


def test_hugging_faces_names() -> None:
    names = ["loss", "grad_norm", "learning_rate", "epoch", "eval_loss", "eval_f1", "eval_runtime"]
    assert titles(*names, "train_loss") == [
        "loss",
        "eval_f1",
        "learning_rate",
        "grad_norm",
        "epoch",
        "eval_runtime",
    ]
    # two losses of the training data cannot both be called "train"
    assert labels("loss", "eval_loss", "train_loss") == ["loss", "val", "train_loss"]
    assert labels("loss", "val_loss") == ["train", "val"]


def test_many_learning_rates_have_charts_of_their_own() -> None:
    assert titles(*(f"lr/pg{i}" for i in range(8))) == ["learning rate"]
    assert labels("lr-Adam/pg1", "lr-Adam/pg2") == ["pg1", "pg2"]
    assert labels("lr_head", "lr_body") == ["head", "body"]
    assert len(titles(*(f"lr/pg{i}" for i in range(9)))) == 9


def test_a_chart_keeps_its_key_when_a_partner_arrives() -> None:
    (before,), (after,) = chart_groups(["train_loss"]), chart_groups(["train_loss", "val_loss"])
    assert before.key == after.key
    assert (before.title, after.title) == ("train_loss", "loss")


def test_names_are_text_and_never_escape_codes() -> None:
    (group,) = chart_groups(["a\x1b[31mloss", "a\x1b[31mloss"])
    assert group.title == "a�[31mloss"
    assert group.curves[0].name == "a\x1b[31mloss"


def test_accuracy_is_the_same_however_it_is_abbreviated() -> None:
    groups = chart_groups(["val/accuracy", "val_acc", "accumulated"])
    assert [[curve.label for curve in group.curves] for group in groups] == [
        ["val/accuracy", "val_acc"],
        ["train"],
    ]
