"""A task brings its own metrics: everything behind the loop goes by their names and directions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from comparing_runs import do, events_of_type
from fake_executor import entry
from toy_regression import MAE, NEAR, instead_of_images, toy_task

from clr_tui.engine.log.events import EpochFinished, Evaluated, Note, RunFinished, Steps, TaskReady
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.settings.config import Compare, Job, RangeTest, TaskConfig, Train
from clr_tui.engine.training.keepers import BEST
from clr_tui.tui.cli.main import main

FAST = entry("sgd", lr=0.05)
SLOW = entry("adagrad", lr=0.0005)
Run = Callable[[Job], RunDir]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    instead_of_images(monkeypatch)
    monkeypatch.setenv("CLR_TUI_RUNS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")

    def done(job: Job) -> RunDir:
        task = TaskConfig(batch_size=20, device="cpu", seed=4)
        made = create_run(tmp_path, task=task, job=job, version="0")
        assert do(made) == 0, events_of_type(made, RunFinished)
        return made

    return done


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def test_a_range_test(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    made = run(RangeTest(steps=100, accuracy=True))
    (ready,) = events_of_type(made, TaskReady)
    assert (ready.metrics, ready.primary, ready.samples) == ([MAE, NEAR], MAE, "rows")
    assert (ready.classes, ready.channels, ready.image_size) == (None, None, None)
    # Smith's rule reads a share that rises; an error is neither.
    assert events_of_type(made, Evaluated) == []
    assert any("mae is not measured" in note.text for note in events_of_type(made, Note))
    found = json.loads(printed(capsys, "replay", made.id, "--json"))
    assert (found["metric"], found["unit"], found["direction"]) == ("mae", "number", "min")
    assert "smith-accuracy" not in {one["rule"] for one in found["suggestions"]}


def test_a_training_keeps_the_epoch_with_the_least_error(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    made = run(Train(base_lr=0.005, max_lr=0.03, epochs=8, step_size_epochs=1))
    measured = [e for e in events_of_type(made, Evaluated) if e.part == "validation"]
    errors = [e.metrics["mae"] for e in measured]
    last = events_of_type(made, EpochFinished)[-1]
    assert last.best_value == min(errors) < errors[0]
    assert last.best_epoch == 1 + errors.index(min(errors))
    assert set(last.train_metrics) == {"mae", "near"}

    task = toy_task()
    model = task.make_model(0)
    model.load_state_dict(torch.load(made.path / BEST, weights_only=True)["model"])
    off = model(**task.validation.inputs) - task.validation.targets
    assert float(off.abs().mean()) == pytest.approx(min(errors), rel=1e-6)
    best = measured[last.best_epoch - 1]
    assert best.metrics["near"] == (off.abs() < 0.5).sum().item() / 300

    steps = events_of_type(made, Steps)
    assert sum(len(e.metrics["mae"]) for e in steps) == sum(len(e.step) for e in steps) == 80
    assert summarise(made).headline == f"{min(errors):.4g}, epoch {last.best_epoch}"
    shown = printed(capsys, "replay", made.id, "--headless")
    assert "validation mae" in shown
    assert "accuracy" not in shown
    assert "images" not in shown
    found = json.loads(printed(capsys, "replay", made.id, "--json"))
    assert found["best_validation"]["mae"] == min(errors)
    assert found["best_validation"]["near"] == best.metrics["near"]


def test_a_comparison_ranks_the_lesser_error_first_and_reaches_its_target_downwards(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = run(Compare(entries=[SLOW, FAST], seeds=2, epochs=4, target=0.5))
    found = json.loads(printed(capsys, "replay", made.id, "--json"))
    assert found["measure"] == "test mae, last epoch"
    first, second = found["entries"]
    assert (first["label"], second["label"]) == ("sgd", "adagrad")
    assert first["test_last"]["mean"] < 0.5 < second["test_last"]["mean"]
    assert (first["to_target"]["reached"], second["to_target"]["reached"]) == (2, 0)
    assert found["pairs"][0]["better"] in ("sgd", None)

    validated = {
        (e.trial, e.epoch): e.metrics["mae"]
        for e in events_of_type(made, Evaluated)
        if e.part == "validation"
    }
    by_trial = [[validated[trial, epoch] for epoch in range(1, 5)] for trial in (2, 3)]
    assert first["validation_best"]["values"] == [min(errors) for errors in by_trial]
    assert first["best_epochs"] == [1 + int(np.argmin(errors)) for errors in by_trial]
    below = [1 + next(i for i, e in enumerate(errors) if e <= 0.5) for errors in by_trial]
    assert first["to_target"]["epochs"] == below

    shown = printed(capsys, "replay", made.id, "--headless")
    assert "validation mae" in shown
    assert "to 0.5" in shown
    assert "accuracy" not in shown
    text = printed(capsys, "export", made.id, "--curves-csv", "-")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [key for key in rows[0] if key.startswith(("train_", "val_"))] == [
        *("train_mae", "train_loss", "val_mae", "val_loss"),
        *("train_near", "val_near"),
    ]
    # Read back, the first metric ranks, and an error is better where it is less.
    copy = tmp_path / "copy.csv"
    copy.write_text(text)
    again = json.loads(printed(capsys, "replay", copy, "--json"))
    assert (again["metric"], again["direction"]) == ("mae", "min")
    assert [e["label"] for e in again["entries"]] == ["sgd", "adagrad"]
