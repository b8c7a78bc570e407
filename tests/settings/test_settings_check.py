"""Every mistake in the settings, found with its field before anything starts."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from clr_tui.engine.settings import check as checks
from clr_tui.engine.settings.check import check, check_numbers
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    Job,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
    Train,
)
from clr_tui.engine.settings.entries import article_entries, parse_entries

NAN, INF = math.nan, math.inf


def fields(task: TaskConfig, job: Job) -> list[str | None]:
    return [error.field for error in check(task, job)]


def train(**changes: Any) -> Train:
    return Train(**{"base_lr": 1e-4, "max_lr": 1e-3, **changes})


def compare(**changes: Any) -> Compare:
    return Compare(**{"entries": article_entries(), **changes})


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    root = tmp_path / "flowers"
    for name in ("daisy", "tulip"):
        (root / name).mkdir(parents=True)
        for i in range(50):
            (root / name / f"{i}.jpg").touch()
    return root


def test_the_defaults_run_as_they_are() -> None:
    assert check(TaskConfig(), RangeTest()) == []
    assert check(TaskConfig(), train()) == []
    assert check(TaskConfig(model="resnet34", weights="none", device="cpu"), train()) == []
    assert check(TaskConfig(), compare()) == []
    assert check(TaskConfig(), train(optimizer=OptimizerConfig(name="adamw"))) == []


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"model": "resnt34"}, "model", r"no model 'resnt34'; did you mean 'resnet34'\?"),
        ({"model": "mine"}, "model", "no model 'mine': give cnn, a classifier of torchvision such"),
        ({"model": "timm:"}, "model", "the name after timm: is missing"),
        ({"weights": "mine.pt"}, "weights", "no file 'mine.pt'"),
        ({"model": "resnet34", "weights": "/x/mine.pt"}, "weights", "no file '/x/mine.pt'"),
        ({"model": "resnet34", "weights": "/"}, "weights", "'/' is a folder"),
        ({"image_size": 7}, "image_size", "at least 8 pixels, not 7"),
        ({"image_size": -1}, "image_size", "not -1"),
        ({"image_size": 100_000}, "image_size", "at most 4096 pixels, not 100000"),
        ({"batch_size": 1}, "batch_size", "at least 2, not 1"),
        ({"batch_size": 5000}, "batch_size", r"5000 is larger .*, which has 1259 images"),
        ({"device": "cuda:99"}, "device", "no device 'cuda:99' on this machine"),
        ({"device": "gpu"}, "device", "'gpu' is not a device: choose from auto, cpu"),
        ({"seed": -1}, "seed", "not -1"),
        ({"seed": 2**63}, "seed", "at most 9223372036854775807, not 9223372036854775808"),
        ({"data": ""}, "data", "data is empty"),
        ({"data": "/nonexistent/digts"}, "data", "did you mean 'digits'"),
        ({"data": "/a\0b"}, "data", "no folder"),
        ({"data": "/" + "x" * 5000}, "data", "."),
    ],
)
def test_mistakes_in_the_task(changes: dict[str, Any], field: str, words: str) -> None:
    task = TaskConfig(**changes)
    (error,) = check(task, RangeTest())
    assert error.field == field
    assert [e.field for e in check(task, train())] == [field]
    assert [e.field for e in check(task, compare())] == [field]
    with pytest.raises(type(error), match=words):
        raise error


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"start_lr": 0}, "start_lr", "above 0, not 0"),
        ({"start_lr": -1e-3}, "start_lr", "not -0.001"),
        ({"start_lr": NAN}, "start_lr", "not nan"),
        ({"end_lr": INF}, "end_lr", "not inf"),
        ({"start_lr": 1e-320}, "start_lr", r"at least 1e-30, not 9\.99989e-321"),
        ({"end_lr": 1e308}, "end_lr", r"at most 1e\+06, not 1e\+308"),
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
        (
            {"optimizer": OptimizerConfig(name="adam", options={"betta": 1})},
            "optimizer",
            "takes no 'betta'",
        ),
    ],
)
def test_mistakes_in_a_range_test(changes: dict[str, Any], field: str, words: str) -> None:
    (error,) = check(TaskConfig(), RangeTest(**changes))
    assert error.field == field
    with pytest.raises(type(error), match=words):
        raise error


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"base_lr": 0.0}, "base_lr", "above 0"),
        ({"max_lr": 1e300}, "max_lr", r"at most 1e\+06, not 1e\+300"),
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
        (
            {"policy": "warmup-stable-decay", "warmup": 0.7, "decay": 0.4},
            "decay",
            "warmup 0.7 and decay 0.4 are more than the whole training",
        ),
        ({"min_momentum": 1.0}, "min_momentum", "not 1"),
        ({"policy": "constant", "min_momentum": 0.8}, "min_momentum", "no effect"),
    ],
)
def test_mistakes_in_a_training(changes: dict[str, Any], field: str, words: str) -> None:
    (error,) = check(TaskConfig(), train(**changes))
    assert error.field == field
    with pytest.raises(type(error), match=words):
        raise error


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"entries": []}, "optimizers", "no optimizers are given"),
        ({"entries": parse_entries("adam") * 2}, "optimizers", "'adam' is given 2 times"),
        (
            {"entries": [EntryConfig(label="x", optimizer=OptimizerConfig(name="adm"))]},
            "optimizers",
            "no optimizer 'adm'; did you mean 'adam'",
        ),
        (
            {"entries": parse_entries("adam+clr(base_lr=0.1)")},
            "optimizers",
            r"base_lr of 'adam\+clr\(base_lr=0.1\)' needs the upper bound too",
        ),
        ({"seeds": 0}, "seeds", "seeds must be at least 1, not 0"),
        ({"seeds": -3}, "seeds", "not -3"),
        ({"seeds": 10**30}, "seeds", "at most 1000000000"),
        ({"seeds": 167}, "seeds", "6 optimizers with 167 seeds each are 1002 trials"),
        ({"epochs": 0}, "epochs", "at least 1, not 0"),
        ({"rates": "tune"}, "lr", "did you mean 'tuned'"),
        ({"factor": 1.0}, "factor", "above 1, not 1"),
        ({"factor": NAN}, "factor", "not nan"),
        ({"step_size_epochs": 0.0}, "step_size_epochs", "above 0"),
        ({"gamma": 1.5}, "gamma", "not 1.5"),
        ({"range_test": RangeTest(start_lr=2.0)}, "range_test", "start_lr 2 is not below"),
        ({"range_test": RangeTest(epochs=0)}, "range_test", "epochs must be .* range tests"),
        ({"target": 0.0}, "target", "above 0 and below 1, such as 0.65 or 65%, not 0"),
        ({"target": 1.0}, "target", "not 1"),
        ({"target": 65.0}, "target", "not 65"),
        ({"target": NAN}, "target", "not nan"),
        ({"jobs": 0}, "jobs", "at least 1, not 0"),
        ({"jobs": 5}, "jobs", "5 jobs are more than this machine's 4 cores .* at most 4"),
        ({"jobs": 10**60}, "jobs", r"at most 1000000000, not 1000.*\.\.\."),
        ({"jobs": 3, "threads": 2}, "jobs", "3 jobs of 2 threads each .* at most 2"),
        (
            {"jobs": 2, "seeds": 1, "entries": parse_entries("adam")},
            "jobs",
            "more than 1 trial: give at most 1",
        ),
        ({"threads": 0}, "threads", "at least 1, not 0"),
        ({"threads": 5}, "threads", "threads 5 is more than this machine's 4 cores"),
        ({"study": "cn"}, "study", "no study 'cn'; did you mean 'cnn'"),
        ({"study": "resnet34"}, "study", "uses the model resnet34, not cnn"),
    ],
    ids=str,
)
def test_mistakes_in_a_comparison(
    changes: dict[str, Any], field: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "usable_cores", lambda: 4)
    error = check(TaskConfig(), compare(**changes))[0]
    assert {one.field for one in check(TaskConfig(), compare(**changes))} == {field}
    with pytest.raises(type(error), match=words):
        raise error


def test_what_a_machine_can_run_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "usable_cores", lambda: 4)
    for jobs, threads in ((None, 1), (None, 4), (4, 1), (2, 2), (1, 4)):
        assert check(TaskConfig(), compare(jobs=jobs, threads=threads)) == []
    monkeypatch.setattr(checks, "usable_cores", lambda: 1)
    (error,) = check(TaskConfig(), compare(jobs=2))
    assert "this machine's 1 core can run" in error.message
    # While someone types, the machine is not looked at.
    assert check_numbers(TaskConfig(), compare(jobs=2)) == []


def test_a_rate_for_all_may_make_two_entries_one() -> None:
    adam, other = parse_entries("adam,adam(lr=0.01)")
    assert check(TaskConfig(), compare(entries=[adam, other])) == []
    given = msgspec.structs.replace(adam, lr=0.01)
    (error,) = check(TaskConfig(), compare(entries=[given, other]))
    assert "'adam' and 'adam(lr=0.01)' are the same" in error.message


def test_a_constant_rate_needs_no_band() -> None:
    assert check(TaskConfig(), train(policy="constant", base_lr=0.1, max_lr=0.1)) == []


def test_all_mistakes_are_reported_at_once() -> None:
    task = TaskConfig(data="/nonexistent", model="x", batch_size=0, image_size=1, device="x")
    assert set(fields(task, train(base_lr=NAN, epochs=0))) == {
        "data",
        "model",
        "batch_size",
        "image_size",
        "device",
        "base_lr",
        "epochs",
    }


def test_the_batch_must_fit_the_training_part_of_a_folder(flowers: Path) -> None:
    task = TaskConfig(data=str(flowers), batch_size=80)  # 80 of 100 images are for training
    assert check(task, RangeTest()) == []
    task = TaskConfig(data=str(flowers), batch_size=81)
    assert fields(task, RangeTest()) == ["batch_size"]


def test_weights_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").touch()
    task = TaskConfig(model="resnet34", weights=str(tmp_path / "mine.pt"))
    assert check(task, RangeTest()) == []
    task = TaskConfig(model="resnet34", weights=str(tmp_path / "mne.pt"))
    (error,) = check(task, RangeTest())
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
    assert check(task, RangeTest()) == []
    assert len(looks) >= 3
    looks.clear()
    assert check(task, RangeTest()) == []
    assert looks == []
    for image in (flowers / "daisy").iterdir():
        image.unlink()
    assert fields(task, RangeTest()) == ["data"]


def test_a_mistake_just_mended_is_not_remembered(flowers: Path) -> None:
    task = TaskConfig(data=str(flowers))
    (flowers / "rose").mkdir()
    assert fields(task, RangeTest()) == ["data"]
    (flowers / "rose" / "0.jpg").touch()
    assert fields(task, RangeTest()) == []
    changed = (flowers / "rose").stat().st_mtime_ns
    (flowers / "rose" / "0.jpg").unlink()
    os.utime(flowers / "rose", ns=(changed, changed))  # within one tick of the file system's clock
    assert fields(task, RangeTest()) == ["data"]


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; import clr_tui.engine.settings.check, clr_tui.engine.log.summary,"
        "clr_tui.engine.log.launch, clr_tui.engine.log.commands;"
        "print([m for m in ('torch', 'numpy', 'textual', 'rich', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_optimizer_whose_rate_nothing_moves_is_not_swept() -> None:
    rprop = OptimizerConfig(name="rprop")
    training = Train(base_lr=0.001, max_lr=0.01, optimizer=rprop)
    steady = msgspec.structs.replace(training, policy="constant")
    assert fields(TaskConfig(), RangeTest(optimizer=rprop)) == ["optimizer"]
    assert fields(TaskConfig(), training) == ["optimizer"]
    assert fields(TaskConfig(), steady) == []


def test_only_an_accuracy_has_a_target_below_one(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def task(): ...\n")
    own = TaskConfig(task=f"{tmp_path / 'mine.py'}:task")
    job = Compare(entries=parse_entries("adam"), target=30.0)
    assert check(own, job) == []
    (mistake,) = check(TaskConfig(), job)
    assert (mistake.field, mistake.message) == (
        "target",
        "target must be above 0 and below 1, such as 0.65 or 65%, not 30",
    )
