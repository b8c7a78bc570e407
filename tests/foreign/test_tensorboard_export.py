"""Runs as event files of TensorBoard: byte by byte, and read back."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest
from comparison_logs import comparison_history
from event_files import message, record, scalar
from reading import follow, follow_one

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.tensorboard_export import export_tensorboard
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import LoggedRun, RunConfig, TaskConfig, Train


def history_of(*events: ev.AnyEvent, id_: str = "run-1", **config: str) -> RunHistory:
    task = TaskConfig(data="", model="")
    job = LoggedRun(config=config) if config or not events else LoggedRun()
    history = RunHistory(RunConfig(id=id_, created=1.7e9, version="", task=task, job=job))
    for one in events:
        history.apply(one)
    return history


def test_the_file_is_the_one_that_the_specification_asks_for(tmp_path: Path) -> None:
    steps = [0, 1, 127, 128, 16_383, 16_384, 2**21, 2**40, 2**62]
    values = [0.5, math.nan, 1e-30, 3e38, -1.0, 0.1, 1e300, 2.0, -0.0]
    logged = ev.Logged(step=steps, values={"val/ä": values}, at=[1.7e9 + i for i in range(9)])
    (path,) = export_tensorboard(history_of(logged), tmp_path)
    assert path == tmp_path / "run-1" / "events.out.tfevents.1700000000.clr-tui"
    start = b"\x09" + struct.pack("<d", 1.7e9) + message(3, b"brain.Event:2")
    payloads = []
    for i, (step, value) in enumerate(zip(steps, values, strict=True)):
        # A value that a float32 cannot hold is infinite there.
        payload = scalar(1.7e9 + i, step, "val/ä", math.inf if value > 1e39 else value)
        if step == 0:  # which may be left out; it is written here
            payload = payload[:9] + b"\x10\x00" + payload[9:]
        payloads.append(payload)
    assert path.read_bytes() == b"".join(map(record, [start, *payloads]))


def test_scalars_of_several_names_rise_together(tmp_path: Path) -> None:
    loss = ev.Logged(step=[0, 1, 2], values={"loss": [3.0, 2.0, 1.0]})
    acc = ev.Logged(step=[1, 3], values={"acc": [0.5, 0.75]})
    (path,) = export_tensorboard(history_of(loss, acc), tmp_path)
    expected = [("loss", 1, 2.0), ("acc", 1, 0.5), ("loss", 2, 1.0), ("acc", 3, 0.75)]
    payloads = [scalar(1.7e9, step, name, value) for name, step, value in expected]
    assert path.read_bytes().endswith(b"".join(map(record, payloads)))
    assert follow_one(tmp_path).read() == {
        "loss": [(0, 3.0), (1, 2.0), (2, 1.0)],
        "acc": [(1, 0.5), (3, 0.75)],
    }


def test_settings_are_hyperparameters(tmp_path: Path) -> None:
    logged = ev.Logged(step=[0], values={"loss": [1.0]})
    export_tensorboard(history_of(logged, lr="0.1", model="résumé"), tmp_path)
    follower = follow_one(tmp_path)
    follower.read()
    assert follower.log.settings == {"lr": "0.1", "model": "résumé"}


def test_a_training_has_its_steps_epochs_and_evaluations(tmp_path: Path) -> None:
    task, job = TaskConfig(data="digits", model="cnn"), Train(base_lr=1e-3, max_lr=1e-2)
    history = RunHistory(RunConfig(id="train-1", created=5.0, version="", task=task, job=job))
    for one in (
        ev.RunStarted(run="train-1", kind="train", time=1.7e9),
        ev.TrialStarted(trial=0, seed=3, total_steps=4, steps_per_epoch=2),
        ev.Steps(
            trial=0,
            step=[0, 1],
            lr=[0.5, 0.25],
            loss=[2.0, None],
            metrics={"acc": [0.5, 1]},
            elapsed=2.0,
        ),
        ev.Evaluated(
            trial=0,
            step=2,
            part="validation",
            loss=1.0,
            metrics={"acc": 0.5},
            time=1.7e9 + 3,
            epoch=1,
        ),
        ev.EpochFinished(
            trial=0,
            epoch=1,
            step=2,
            train_loss=2.0,
            train_metrics={"acc": 0.75},
            seconds=3,
            best_epoch=1,
            best_value=0.5,
            time=1.7e9 + 4,
        ),
        ev.Evaluated(trial=0, step=2, part="test", loss=4.0, metrics={}, checkpoint="best"),
    ):
        history.apply(one)
    export_tensorboard(history, tmp_path)
    follower = follow_one(tmp_path)
    assert follower.read() == {
        "lr": [(0, 0.5), (1, 0.25)],
        "train/loss": [(0, 2.0), (1, None)],
        "train/acc": [(0, 0.5), (1, 1.0)],
        "validation/loss": [(2, 1.0)],
        "validation/acc": [(2, 0.5)],
        "test_of_best/loss": [(2, 4.0)],
        "train_epoch/loss": [(2, 2.0)],
        "train_epoch/acc": [(2, 0.75)],
    }
    assert follower.history.logged.column("lr").at.tolist() == [1.7e9 + 1, 1.7e9 + 2]
    assert follower.history.logged.column("validation/loss").at.tolist() == [1.7e9 + 3]
    assert follower.log.settings["max_lr"] == "0.01"
    assert follower.log.settings["model"] == "cnn"


def test_each_trial_of_a_comparison_is_a_run(tmp_path: Path) -> None:
    history = comparison_history()
    files = export_tensorboard(history, tmp_path)
    with_values = [t for t in history.trials.values() if len(t.step) or t.evaluations or t.epochs]
    assert len(files) == len(set(files)) == len(with_values)
    for name, follower in follow(tmp_path).items():
        label, _, seed = name.rpartition("/")
        assert seed.startswith(("seed-", "sweep-"))
        assert any(t.label in label or label.endswith(t.label) for t in history.trials.values())
        assert follower.read()


def test_an_export_replaces_the_one_before_and_stays_in_its_folder(tmp_path: Path) -> None:
    for value in (1.0, 2.0):
        logged = ev.Logged(step=[0], values={"loss": [value]})
        (path,) = export_tensorboard(history_of(logged, id_="../../a/.b\x1b"), tmp_path)
        assert path.parent == tmp_path / "a" / "b_"
    assert follow_one(tmp_path).read() == {"loss": [(0, 2.0)]}


def test_what_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    logged = ev.Logged(step=[0], values={"loss": [1.0]})
    with pytest.raises(UserError, match="choose a folder that can be written"):
        export_tensorboard(history_of(logged), tmp_path / "file")
    with pytest.raises(UserError, match="has no values yet"):
        export_tensorboard(history_of(), tmp_path)
