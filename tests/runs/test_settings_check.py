"""Every mistake in the settings, found with its field before anything starts."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clr_tui.engine.runs.check import check
from clr_tui.engine.runs.config import OptimizerConfig, RangeTestConfig, TaskConfig, TrainConfig

NAN, INF = math.nan, math.inf


def fields(task: TaskConfig, job: RangeTestConfig | TrainConfig) -> list[str | None]:
    return [error.field for error in check(task, job)]


def train(**changes: Any) -> TrainConfig:
    return TrainConfig(**{"base_lr": 1e-4, "max_lr": 1e-3, **changes})


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    root = tmp_path / "flowers"
    for name in ("daisy", "tulip"):
        (root / name).mkdir(parents=True)
        for i in range(50):
            (root / name / f"{i}.jpg").touch()
    return root


def test_the_defaults_run_as_they_are() -> None:
    assert check(TaskConfig(), RangeTestConfig()) == []
    assert check(TaskConfig(), train()) == []
    assert check(TaskConfig(model="resnet34", weights="none", device="cpu"), train()) == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"model": "resnt34"}, "model", r"no model 'resnt34'; did you mean 'resnet34'\?"),
        ({"model": "vgg"}, "model", "no model 'vgg': choose from cnn, resnet34"),
        ({"weights": "mine.pt"}, "weights", "cannot be loaded into the cnn"),
        ({"model": "resnet34", "weights": "/x/mine.pt"}, "weights", "no file '/x/mine.pt'"),
        ({"model": "resnet34", "weights": "/"}, "weights", "'/' is a folder"),
        ({"image_size": 7}, "image_size", "at least 8 pixels, not 7"),
        ({"image_size": -1}, "image_size", "not -1"),
        ({"image_size": 100_000}, "image_size", "at most 4096 pixels, not 100000"),
        ({"batch_size": 1}, "batch_size", "at least 2, not 1"),
        ({"batch_size": 5000}, "batch_size", r"5000 is larger .* \(about 1257 images\)"),
        ({"device": "cuda:99"}, "device", "no device 'cuda:99' on this machine"),
        ({"device": "gpu"}, "device", "'gpu' is not a device: choose from auto, cpu"),
        ({"seed": -1}, "seed", "not -1"),
        ({"seed": 2**63}, "seed", "from 0 to 9223372036854775807, not 9223372036854775808"),
        ({"data": ""}, "data", "data is empty"),
        ({"data": "/nonexistent/digts"}, "data", "did you mean 'digits'"),
        ({"data": "/a\0b"}, "data", "no folder"),
        ({"data": "/" + "x" * 5000}, "data", "."),
    ],
)
def test_mistakes_in_the_task(changes: dict[str, Any], field: str, words: str) -> None:
    task = TaskConfig(**changes)
    (error,) = check(task, RangeTestConfig())
    assert error.field == field
    assert [e.field for e in check(task, train())] == [field]
    with pytest.raises(type(error), match=words):
        raise error


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"start_lr": 0}, "start_lr", "above 0, not 0"),
        ({"start_lr": -1e-3}, "start_lr", "not -0.001"),
        ({"start_lr": NAN}, "start_lr", "not nan"),
        ({"end_lr": INF}, "end_lr", "not inf"),
        ({"start_lr": 1e-320}, "start_lr", r"from 1e-30 to 1e6, not 9\.99989e-321"),
        ({"end_lr": 1e308}, "end_lr", r"from 1e-30 to 1e6, not 1e\+308"),
        ({"epochs": 1e300}, "epochs", r"at most 1000000000, not 1e\+300"),
        ({"steps": 10**30}, "steps", "at most 1000000000, not 1000000000000000000000000000000"),
        ({"seeds": 10**30}, "seeds", "at most 1000000000"),
        ({"start_lr": 1.0}, "start_lr", "start_lr 1 is not below end_lr 1"),
        ({"epochs": 0.0}, "epochs", "not 0"),
        ({"epochs": NAN}, "epochs", "not nan"),
        ({"steps": 0}, "steps", "at least 1, not 0"),
        ({"seeds": 0}, "seeds", "at least 1, not 0"),
        ({"smoothing": 0.0}, "smoothing", "above 0 and at most 1"),
        ({"smoothing": NAN}, "smoothing", "not nan"),
        ({"divergence": 1.0}, "divergence", "above 1"),
        ({"optimizer": OptimizerConfig(momentum=1.0)}, "momentum", "below 1, not 1"),
        ({"optimizer": OptimizerConfig(momentum=NAN)}, "momentum", "not nan"),
        ({"optimizer": OptimizerConfig(weight_decay=-1.0)}, "weight_decay", "not -1"),
        ({"optimizer": OptimizerConfig(name="sdg")}, "optimizer", "did you mean 'sgd'"),
    ],
)
def test_mistakes_in_a_range_test(changes: dict[str, Any], field: str, words: str) -> None:
    (error,) = check(TaskConfig(), RangeTestConfig(**changes))
    assert error.field == field
    with pytest.raises(type(error), match=words):
        raise error


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"base_lr": 0.0}, "base_lr", "above 0"),
        ({"max_lr": 1e300}, "max_lr", r"from 1e-30 to 1e6, not 1e\+300"),
        ({"epochs": 10**30}, "epochs", "at most 1000000000"),
        ({"step_size_epochs": 1e300}, "step_size_epochs", r"at most 1000000000"),
        ({"max_lr": NAN}, "max_lr", "not nan"),
        ({"base_lr": 0.1, "max_lr": 0.01}, "base_lr", "base_lr 0.1 is not below max_lr 0.01"),
        ({"base_lr": 0.1, "max_lr": 0.1}, "base_lr", "is not below"),
        ({"policy": "triangle"}, "policy", "did you mean 'triangular'"),
        ({"step_size_epochs": 0.0}, "step_size_epochs", "above 0"),
        ({"epochs": 0}, "epochs", "at least 1"),
        ({"gamma": 0.0}, "gamma", "above 0 and at most 1"),
        ({"gamma": 1.1}, "gamma", "not 1.1"),
    ],
)
def test_mistakes_in_a_training(changes: dict[str, Any], field: str, words: str) -> None:
    (error,) = check(TaskConfig(), train(**changes))
    assert error.field == field
    with pytest.raises(type(error), match=words):
        raise error


def test_a_constant_rate_needs_no_band() -> None:
    assert check(TaskConfig(), train(policy="constant", base_lr=0.1, max_lr=0.1)) == []


def test_all_mistakes_are_told_at_once() -> None:
    task = TaskConfig(data="/nonexistent", model="x", batch_size=0, image_size=1, device="x")
    assert set(fields(task, train(base_lr=NAN, epochs=0))) == {
        "data",
        "model",
        "image_size",
        "device",
        "base_lr",
        "epochs",
    }


def test_the_batch_must_fit_the_training_part_of_a_folder(flowers: Path) -> None:
    task = TaskConfig(data=str(flowers), batch_size=80)  # 80 of 100 images are for training
    assert check(task, RangeTestConfig()) == []
    task = TaskConfig(data=str(flowers), batch_size=90)
    assert fields(task, RangeTestConfig()) == ["batch_size"]


def test_weights_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").touch()
    task = TaskConfig(model="resnet34", weights=str(tmp_path / "mine.pt"))
    assert check(task, RangeTestConfig()) == []
    task = TaskConfig(model="resnet34", weights=str(tmp_path / "mne.pt"))
    (error,) = check(task, RangeTestConfig())
    assert "did you mean 'mine.pt'" in error.message


def test_a_folder_is_looked_at_again_only_when_it_changed(
    flowers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TaskConfig(data=str(flowers))
    for folder in (flowers, *flowers.iterdir()):
        os.utime(folder, (1e9, 1e9))
    looks = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looks.append(path) or scandir(path))
    assert check(task, RangeTestConfig()) == []
    assert len(looks) >= 3
    looks.clear()
    assert check(task, RangeTestConfig()) == []
    assert looks == []
    for image in (flowers / "daisy").iterdir():
        image.unlink()
    assert fields(task, RangeTestConfig()) == ["data"]


def test_a_mistake_just_mended_is_not_remembered(flowers: Path) -> None:
    task = TaskConfig(data=str(flowers))
    (flowers / "rose").mkdir()
    assert fields(task, RangeTestConfig()) == ["data"]
    (flowers / "rose" / "0.jpg").touch()
    assert fields(task, RangeTestConfig()) == []
    changed = (flowers / "rose").stat().st_mtime_ns
    (flowers / "rose" / "0.jpg").unlink()
    os.utime(flowers / "rose", ns=(changed, changed))  # within one tick of the file system's clock
    assert fields(task, RangeTestConfig()) == ["data"]


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; import clr_tui.engine.runs.check, clr_tui.engine.runs.summary,"
        "clr_tui.engine.runs.launch, clr_tui.engine.runs.commands;"
        "print([m for m in ('torch', 'numpy', 'textual', 'rich', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
