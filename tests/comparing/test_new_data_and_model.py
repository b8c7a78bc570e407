"""A data set and a model are added by a line each in their tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import toy_images
from comparing_runs import do, events_of_type

from clr_tui.engine.log.events import Note, Steps, TaskReady
from clr_tui.engine.log.rundir import find_run
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.tui import launching
from clr_tui.tui.cli.main import main
from clr_tui.tui.text.form import read_form
from clr_tui.tui.text.form_fields import form_fields

STRIPES = ["--data", "stripes", "--device", "cpu", "--no-augment"]
SHORT = ["--max-lr", "0.05", "--epochs", "2", "--step-size-epochs", "1"]


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs, in a program that has the toys in its tables, and works in this process."""
    monkeypatch.setenv("CLR_TUI_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    for table, name, entry in toy_images.TABLES:
        monkeypatch.setitem(table, name, entry)
    monkeypatch.setattr(launching, "launch", do)
    return tmp_path / "runs"


def test_they_train(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task = [*STRIPES, "--model", "line", "--batch-size", "40"]
    assert main(["train", *task, *SHORT, "--headless", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["task"], result["model"], result["status"]) == ("stripes", "line", "done")
    run = find_run(runs, "train-stripes-1")
    (ready,) = events_of_type(run, TaskReady)
    assert (ready.name, ready.model, ready.image_size) == ("stripes", "line", 12)
    assert (ready.train, ready.validation, ready.test) == (120, 40, 40)
    assert "stripes are easy" in [note.text for note in events_of_type(run, Note)]
    assert sum(len(event.step) for event in events_of_type(run, Steps)) == 6
    assert main(["replay", run.id, "--headless"]) == 0
    assert "stripes · Line · SGD" in capsys.readouterr().out


def test_a_model_takes_the_data_at_the_size_asked_for(runs: Path) -> None:
    assert main(["train", *STRIPES, *SHORT, "--image-size", "16", "--headless"]) == 0
    (ready,) = events_of_type(find_run(runs, "train-stripes-1"), TaskReady)
    assert (ready.model, ready.image_size) == ("cnn", 16)


def test_a_training_gives_its_weights_to_another_run(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = [*STRIPES, "--model", "line", "--batch-size", "40"]
    assert main(["train", *task, *SHORT, "--headless"]) == 0
    sweep = ["range-test", *task, "--steps", "2", "--start-lr", "1e-9", "--end-lr", "1e-8"]
    assert main([*sweep, "--weights", "train-stripes-1", "--headless"]) == 0
    first = find_run(runs, "train-stripes-1")
    second = find_run(runs, "range-test-stripes-1")
    assert second.config().task.weights == str(first.path / "checkpoints" / "best.pt")
    assert not [note for note in events_of_type(second, Note) if "weights" in note.text]
    facts = torch.load(second.config().task.weights, weights_only=True)["task"]
    assert (facts["classes"], facts["image_size"]) == (["across", "along"], 12)
    assert len(facts["mean"]) == len(facts["std"]) == 1
    losses = [events_of_type(run, Steps)[0].loss[0] for run in (first, second)]
    assert losses[1] < losses[0]  # of the same batch
    capsys.readouterr()
    assert main([*sweep, "--weights", "range-test-stripes-1", "--headless"]) == 2
    assert "the run 'range-test-stripes-1' has no checkpoint" in capsys.readouterr().err


def test_a_layer_to_freeze_is_looked_for_before_the_data_is_read(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*STRIPES, *SHORT, "--freeze", "stage7", "--headless"]
    assert main(["train", *options]) == 1
    assert "cnn has no layer 'stage7'" in " ".join(capsys.readouterr().err.split())
    assert not events_of_type(find_run(runs, "train-stripes-1"), TaskReady)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--data", "stripe"], "no 'stripe'; did you mean 'stripes'?"),
        ([*STRIPES, "--model", "lime"], "did you mean 'line'?"),
        ([*STRIPES, "--batch-size", "121"], "the training part, which has 120 images"),
        (
            [*STRIPES, "--model", "line", "--weights", "w.pt"],
            "no file 'w.pt'",
        ),
    ],
)
def test_mistakes_name_them(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *options, "--max-lr", "0.1", "--headless"]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_the_form_takes_the_model() -> None:
    fields = {field.name: field for field in form_fields()}
    values = {name: field.default for name, field in fields.items()}
    values |= {"model": "line", "data": "stripes"}
    assert read_form(values).task == TaskConfig(data="stripes", model="line")
