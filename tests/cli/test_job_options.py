"""From options to the configuration of a run, and how a run is started."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from made_runs import SWEEP, make_sweep

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.report import range_report
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.rundir import find_run, list_runs
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, TaskConfig, Train
from clr_tui.tui import launching
from clr_tui.tui.cli.job_options import with_options
from clr_tui.tui.cli.parser import build_parser
from clr_tui.tui.kinds.range_test.command import range_test_from_args
from clr_tui.tui.kinds.train.command import training_from_args


def sweep_of(args) -> RangeTest:
    return range_test_from_args(args, Path())[1]


def parsed(text: str):
    return build_parser().parse(text.split())


def test_without_options_everything_is_as_the_configuration_says() -> None:
    args = parsed("range-test")
    assert with_options(TaskConfig(), args) == TaskConfig()
    assert sweep_of(args) == RangeTest()


def test_every_option_of_a_range_test_arrives() -> None:
    args = parsed(
        "range-test --start-lr 1e-6 --end-lr 10 --epochs 3.5 --seeds 4 --accuracy --momentum 0.8"
        " --weight-decay 1e-4 --optimizer sgd --data here --model resnet34 --weights none"
        " --batch-size 16 --image-size 96 --seed 7 --device cpu --no-augment"
    )
    assert sweep_of(args) == RangeTest(
        start_lr=1e-6,
        end_lr=10.0,
        epochs=3.5,
        seeds=4,
        accuracy=True,
        optimizer=OptimizerConfig(name="sgd", momentum=0.8, weight_decay=1e-4),
    )
    assert with_options(TaskConfig(), args) == TaskConfig(
        data="here",
        model="resnet34",
        weights="none",
        batch_size=16,
        image_size=96,
        seed=7,
        device="cpu",
        augment=False,
    )
    assert sweep_of(parsed("range-test --steps 150")).steps == 150


def test_every_option_of_a_training_arrives(runs: Path) -> None:
    args = parsed(
        "train --base-lr 1e-4 --max-lr 1e-2 --policy triangular2 --step-size-epochs 2.5"
        " --epochs 9 --gamma 0.99 --no-whole-cycles --momentum 0 --weight-decay 5e-4"
    )
    task, job, parent = training_from_args(args, runs)
    assert (task, parent) == (TaskConfig(), None)
    assert job == Train(
        base_lr=1e-4,
        max_lr=1e-2,
        policy="triangular2",
        step_size_epochs=2.5,
        epochs=9,
        gamma=0.99,
        whole_cycles=False,
        optimizer=OptimizerConfig(momentum=0.0, weight_decay=5e-4),
    )


def test_base_lr_defaults_to_a_sixth_of_max_lr(runs: Path) -> None:
    _, job, _ = training_from_args(parsed("train --max-lr 6e-3"), runs)
    assert job.base_lr == pytest.approx(1e-3)
    _, job, _ = training_from_args(parsed("train --max-lr 6e-3 --factor 3"), runs)
    assert job.base_lr == pytest.approx(2e-3)


def test_from_takes_bounds_task_and_optimizer_of_the_sweep(runs: Path) -> None:
    task = TaskConfig(batch_size=32, seed=5, augment=False)
    optimizer = OptimizerConfig(momentum=0.5, weight_decay=1e-3)
    config = msgspec.structs.replace(SWEEP, optimizer=optimizer)
    run = make_sweep(runs, task=task, config=config)
    history = RunHistory(run.config())
    history.feed(read_events(run.events_path))
    bounds = range_report(history).bounds
    assert bounds is not None

    got, job, parent = training_from_args(parsed("train --from range-test"), runs)
    assert (got, parent, job.optimizer) == (task, run.id, optimizer)
    assert job.max_lr == pytest.approx(bounds.max_lr)
    assert job.base_lr == pytest.approx(bounds.base_lr)


def test_what_is_given_goes_over_what_the_sweep_says(runs: Path) -> None:
    run = make_sweep(runs, task=TaskConfig(batch_size=32, seed=5))
    options = "--max-lr 0.5 --batch-size 16 --momentum 0.1 --factor 5"
    got, job, parent = training_from_args(parsed(f"train --from {run.id} {options}"), runs)
    assert (got.batch_size, got.seed, parent) == (16, 5, run.id)
    assert (job.base_lr, job.max_lr) == (pytest.approx(0.1), 0.5)
    assert job.optimizer.momentum == 0.1


def test_starting_makes_paths_absolute(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "check", lambda task, job: [])
    monkeypatch.setattr(launching, "launch", lambda run: 1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    task = TaskConfig(data="~/flowers", model="resnet34", weights="w.pt")
    config = launching.start_run(runs, task, RangeTest()).config()
    assert config.task.data == str(tmp_path / "home" / "flowers")
    assert config.task.weights == str(tmp_path / "w.pt")
    digits = launching.start_run(runs, TaskConfig(), RangeTest(), "parent").config()
    assert (digits.task, digits.parent) == (TaskConfig(), "parent")


def test_a_worker_that_cannot_be_started_leaves_nothing(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(run) -> int:
        raise UserError("the worker cannot be started: too many processes")

    monkeypatch.setattr(launching, "launch", refuse)
    with pytest.raises(UserError, match="too many processes"):
        launching.start_run(runs, TaskConfig(), RangeTest())
    assert list_runs(runs) == []


def test_any_optimizer_can_be_swept_and_trained_with(runs: Path) -> None:
    sweep = sweep_of(parsed("range-test --optimizer AdamW(weight_decay=0.05,eps=1e-6)"))
    options = {"weight_decay": 0.05, "eps": 1e-6}
    assert sweep.optimizer == OptimizerConfig(name="adamw", options=options)
    # 0 is not what adamw has by itself, and arrives all the same.
    sweep = sweep_of(parsed("range-test --optimizer adamw --weight-decay 0"))
    assert sweep.optimizer == OptimizerConfig(name="adamw", options={"weight_decay": 0.0})
    sweep = sweep_of(parsed("range-test --optimizer sgd(momentum=0)"))
    assert sweep.optimizer.momentum == 0.0
    assert sweep_of(parsed("range-test --optimizer sgd")) == RangeTest()


def test_a_training_takes_the_optimizer_of_its_sweep_or_another(runs: Path) -> None:
    adam = OptimizerConfig(name="adam", options={"amsgrad": True})
    run = make_sweep(runs, config=msgspec.structs.replace(SWEEP, optimizer=adam))
    for options in ("", " --optimizer adam"):
        _, job, _ = training_from_args(parsed(f"train --from {run.id}{options}"), runs)
        assert job.optimizer == adam
    _, job, _ = training_from_args(parsed(f"train --from {run.id} --optimizer rmsprop"), runs)
    assert job.optimizer == OptimizerConfig(name="rmsprop")
    _, job, _ = training_from_args(parsed(f"train --from {run.id} --weight-decay 0.1"), runs)
    assert job.optimizer.options == {"amsgrad": True, "weight_decay": 0.1}
    with pytest.raises(UserError, match="--momentum is for sgd, but the optimizer is adam"):
        training_from_args(parsed(f"train --from {run.id} --momentum 0.9"), runs)


def test_a_run_remembers_where_it_was_asked_for(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "launch", lambda run: 1)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    for job in (RangeTest(), Train(base_lr=0.1, max_lr=0.2)):
        assert launching.start_run(runs, TaskConfig(), job).config().folder == str(gone)
    gone.rmdir()
    assert launching.start_run(runs, TaskConfig(), RangeTest()).config().folder == ""


def test_detach_prints_the_id_and_returns(cli, runs: Path, monkeypatch) -> None:
    started = []
    monkeypatch.setattr(launching, "launch", lambda run: started.append(run.id) or 1)
    result = cli("range-test", "--detach")
    assert (result.code, result.out, result.err) == (0, "range-test-digits-1\n", "")
    result = cli("train", "--max-lr", "1e-2", "--detach", "--json")
    found = json.loads(result.out)
    assert found["run"] == "train-digits-1"
    assert found["kind"] == "train"
    assert Path(found["path"]) == find_run(runs, "train-digits-1").path
    assert started == ["range-test-digits-1", "train-digits-1"]


def test_from_takes_what_a_vanished_worker_had_finished(runs: Path) -> None:
    whole, lost = make_sweep(runs), make_sweep(runs, ending=[])
    _, expected, _ = training_from_args(parsed(f"train --from {whole.id}"), runs)
    _, job, _ = training_from_args(parsed(f"train --from {lost.id}"), runs)
    assert job.max_lr == expected.max_lr
