"""Logs that are a range test or a comparison open as one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from reading import follow_one

from clr_tui.engine.analysis.comparison.comparison_report import compare_report
from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.logged_comparison import group_and_seed
from clr_tui.engine.analysis.recordings.recording import Recording, open_recording
from clr_tui.engine.analysis.report import range_report
from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.config import Compare, RangeTest

REAL = Path(__file__).parent / "real_logs"


def replayed(recording: Recording) -> RunHistory:
    history = RunHistory(recording.config)
    history.feed(recording.batch)
    return history


def sweep(count: int = 100) -> tuple[list[float], list[float]]:
    """Rates from 1e-6 to 1 and losses that fall by a sigmoid and rise at the end."""
    lr = np.geomspace(1e-6, 1, count)
    x = np.log10(lr)
    loss = 2.3 - 1.8 / (1 + np.exp(-4 * (x + 3))) + 6 * np.maximum(0, x + 0.7)
    return lr.tolist(), loss.tolist()


def rows(names: str, *columns: list) -> str:
    lines = [",".join(map(repr, row)) for row in zip(*columns, strict=True)]
    return "\n".join([names, *lines, ""])


@pytest.mark.parametrize("name", ["history.csv", "history.json"])
def test_the_history_of_torch_lr_finder_is_a_range_test(name: str) -> None:
    recording = open_recording(REAL / "lr_finder" / name)
    job = recording.config.job
    assert isinstance(job, RangeTest)
    history = json.loads((REAL / "lr_finder" / "history.json").read_text())
    trial = replayed(recording).trials[0]
    assert trial.lr.tolist() == history["lr"]
    assert trial.loss.tolist() == history["loss"]
    assert range_report(replayed(recording)).verdict.kind


def write_csv(path: Path, lr: list[float], loss: list[float]) -> Path:
    path.write_text(rows("step,epoch,train/lr,train/loss,val", range(100), [0] * 100, lr, loss, lr))
    return path


def write_lines(path: Path, lr: list[float], loss: list[float]) -> Path:
    lines = [
        json.dumps({"iter": i, "learning_rate": a, "loss": b})
        for i, (a, b) in enumerate(zip(lr, loss, strict=True))
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_state(path: Path, lr: list[float], loss: list[float]) -> Path:
    log = [
        {"step": i, "learning_rate": a, "loss": b, "epoch": i / 50}
        for i, (a, b) in enumerate(zip(lr, loss, strict=True))
    ]
    path = path.with_name("trainer_state.json")
    path.write_text(json.dumps({"log_history": log}, indent=2))
    return path


@pytest.mark.parametrize("write", [write_csv, write_lines, write_state])
def test_a_log_whose_rate_rises_exponentially_is_a_range_test(tmp_path: Path, write) -> None:
    lr, loss = sweep()
    recording = open_recording(write(tmp_path / "log.csv", lr, loss))
    assert isinstance(recording.config.job, RangeTest)
    history = replayed(recording)
    assert history.trials[0].lr.tolist() == lr
    assert history.trials[0].loss.tolist() == loss
    report = range_report(history)
    assert report.verdict.kind == "recommended"


def test_it_says_the_same_as_the_plain_csv_of_the_same_numbers(tmp_path: Path) -> None:
    lr, loss = sweep()
    (tmp_path / "plain.csv").write_text(rows("step,lr,loss", range(100), lr, loss))
    among_others = write_csv(tmp_path / "others.csv", lr, loss)
    plain, other = (
        range_report(replayed(open_recording(path)))
        for path in (tmp_path / "plain.csv", among_others)
    )
    assert plain.verdict == other.verdict
    assert plain.bounds == other.bounds


def test_a_rate_that_begins_at_0_and_losses_that_are_missing(tmp_path: Path) -> None:
    lr, loss = sweep()
    text = rows("step,lr,loss,acc", range(100), lr, loss, lr).replace(",2.2", ",", 1)
    path = tmp_path / "log.csv"
    path.write_text(text.replace("0,1e-06,", "0,0.0,", 1))
    recording = open_recording(path)
    trial = replayed(recording).trials[0]
    assert len(trial) == 99
    assert np.isnan(trial.loss).sum() <= 1
    assert "1 step with a learning rate of 0 was left out" in [
        note.text for note in replayed(recording).notes
    ]


@pytest.mark.parametrize(
    "rate",
    [
        lambda i: 0.1 * min(1.0, (i + 1) / 100),  # a warm-up
        lambda i: 0.1 * 0.9**i,
        lambda i: 0.1,
        lambda i: 0.05 * (1 - np.cos(np.pi * i / 99)) + 1e-4,
        lambda i: 0.1 * 1.005**i,  # less than a decade
        lambda i: 1e-6 * 1.2 ** (i % 50),
    ],
)
def test_other_rates_make_no_range_test(tmp_path: Path, rate) -> None:
    path = tmp_path / "log.csv"
    lr = [float(rate(i)) for i in range(100)]
    path.write_text(rows("step,lr,loss,val_loss", range(100), lr, sweep()[1], lr))
    assert open_recording(path).config.kind == "logged"


def test_a_mapping_names_rate_and_loss_whatever_they_are_called(tmp_path: Path) -> None:
    lr, loss = sweep()
    path = tmp_path / "log.csv"
    path.write_text(rows("n,eta,L,foo", range(100), lr, loss, lr))
    assert open_recording(path).config.kind == "logged"
    recording = open_recording(path, Mapping(x="eta", y=("l",)))
    assert isinstance(recording.config.job, RangeTest)
    assert replayed(recording).trials[0].lr.tolist() == lr


def test_a_rate_that_rises_in_another_way_is_a_range_test_if_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lr = np.linspace(1e-4, 0.1, 100).tolist()
    path.write_text(rows("step,lr,loss,val", range(100), lr, sweep()[1], lr))
    assert open_recording(path, Mapping(x="lr", y=("loss",))).config.kind == "range-test"


def metrics_csv(path: Path, start: float, pace: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    accuracy = [round(1 - start * pace**i, 4) for i in range(5)]
    loss = [start * pace**i for i in range(5)]
    path.write_text(
        rows("epoch,step,train_loss,val_acc,val_loss", range(5), range(5), loss, accuracy, loss)
    )


def test_several_runs_of_several_groups_are_a_comparison(tmp_path: Path) -> None:
    root = tmp_path / "study"
    for i in range(3):
        metrics_csv(root / f"adam_seed{i}" / "metrics.csv", 0.8 + 0.01 * i, 0.5)
        metrics_csv(root / f"sgd_seed{i}" / "metrics.csv", 0.8 + 0.01 * i, 0.8)
    recording = open_recording(root)
    job = recording.config.job
    assert isinstance(job, Compare)
    assert [entry.label for entry in job.entries] == ["adam", "sgd"]
    assert (job.seeds, job.epochs, recording.config.id) == (3, 5, "study")
    report = compare_report(replayed(recording))
    assert [entry.label for entry in report.entries] == ["adam", "sgd"]
    final = [1 - start * 0.5**4 for start in (0.8, 0.81, 0.82)]
    assert report.entries[0].result.mean == pytest.approx(np.mean(final), abs=1e-4)


@pytest.mark.parametrize(
    "names",
    [
        ["adam_seed0", "adam_seed1"],
        ["adam_seed0", "sgd_seed0"],
        ["adam_seed0", "adam_seed1", "sgd", "sgd_seed1"],
        ["version_0", "version_1", "version_2"],
    ],
)
def test_runs_without_groups_are_none(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        metrics_csv(tmp_path / name / "metrics.csv", 0.8, 0.5)
    with pytest.raises(UserError, match=f"holds {len(names)} runs.*clr-tui watch"):
        open_recording(tmp_path)


@pytest.mark.parametrize(
    ("name", "group", "seed"),
    [
        ("adam_seed0", "adam", 0),
        ("adam/seed=12", "adam", 12),
        ("seed3/sgd", "sgd", 3),
        ("resnet50-lr0.1-s2", "resnet50-lr0.1", 2),
        ("adam/version_1", "adam", 1),
        ("sgd run 7", "sgd", 7),
        ("resnet18", "resnet18", None),
        ("lr_0.1", "lr_0.1", None),
        ("version_4", "runs", 4),
    ],
)
def test_groups_and_seeds_in_names(name: str, group: str, seed: int | None) -> None:
    assert group_and_seed(name) == (group, seed)


@pytest.mark.parametrize(
    "name",
    ["lightning/lightning_logs/version_0/metrics.csv", "keras/training.csv", "timm/summary.csv"],
)
def test_an_ordinary_log_is_replayed_as_it_is(name: str) -> None:
    recording = open_recording(REAL / name)
    assert recording.config.kind == "logged"
    assert {*replayed(recording).logged.names} == {*follow_one(REAL / name).read()}
