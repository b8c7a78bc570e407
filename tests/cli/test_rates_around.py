"""A grid around what a range test recommends, and what keeps it from being used."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from made_runs import ENDING, flat, make_sweep, make_training
from msgspec.structs import replace

from clr_tui.engine.analysis.comparison.asked_rates import resolve_rates
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.settings.config import Compare, OptimizerConfig, RangeTest, TaskConfig
from clr_tui.engine.settings.entries import entry_of, parse_entries
from clr_tui.engine.settings.rate_grid import as_asked, rates_around
from clr_tui.tui import launching
from clr_tui.tui.cli.parser import build_parser
from clr_tui.tui.kinds.compare.command import comparison_from_args
from clr_tui.tui.launching import mistakes_of

SWEPT = entry_of(RangeTest().optimizer)
GIVE = "give a grid such as grid:1e-4..0.1x7"


def asked(text: str, runs: Path) -> tuple[TaskConfig, Compare, str | None]:
    return comparison_from_args(build_parser().parse(["compare", *shlex.split(text)]), runs)


def around(run: str, **changes) -> Compare:
    return replace(Compare(entries=[SWEPT], rates=f"around:{run}"), **changes)


def refused(runs: Path, job: Compare, task: TaskConfig | None = None) -> str:
    """The sentence at the field `lr`, which the form shows and the command line prints."""
    with pytest.raises(UserError) as raised:
        resolve_rates(task or TaskConfig(), job, runs)
    assert raised.value.field == "lr"
    shown = mistakes_of(runs, task or TaskConfig(), job)
    assert [m.message for m in shown if m.field == "lr"] == [raised.value.message]
    return raised.value.message


def test_the_grid_is_around_what_is_recommended(runs: Path) -> None:
    run = make_sweep(runs)
    job = resolve_rates(TaskConfig(), around(run.id), runs)
    rates = [entry.lr for entry in job.entries]
    assert len(rates) == 7
    assert job.advised in job.advice
    assert rates[3] == float(f"{job.advice[job.advised]:.3g}")
    assert rates[0] == pytest.approx(rates[3] / 10, rel=0.005)
    assert rates[6] == pytest.approx(rates[3] * 10, rel=0.005)
    assert job.rates == rates_around(job.advice[job.advised], 7).text
    assert (job.swept, job.swept_in, job.swept_on) == (SWEPT.optimizer, run.id, TaskConfig())
    assert len(job.advice) >= 3
    assert as_asked(job).entries == [SWEPT]


@pytest.mark.parametrize("count", [3, 9, 15])
def test_any_odd_number_of_rates(runs: Path, count: int) -> None:
    run = make_sweep(runs)
    job = resolve_rates(TaskConfig(), around(f"{run.id}x{count}"), runs)
    rates = [entry.lr for entry in job.entries]
    assert len(rates) == count
    assert rates[count // 2] == float(f"{job.advice[job.advised]:.3g}")


@pytest.mark.parametrize("count", [0, 1, 2, 8, 17])
def test_other_numbers_are_refused(runs: Path, count: int) -> None:
    run = make_sweep(runs)
    assert "give an odd number from 3 to 15" in refused(runs, around(f"{run.id}x{count}"))


def test_the_options_around_a_run_are_those_of_the_run(runs: Path) -> None:
    swept = OptimizerConfig(name="adam", options={"eps": 1e-6})
    run = make_sweep(
        runs, task=TaskConfig(batch_size=16, seed=5), config=replace(RangeTest(), optimizer=swept)
    )
    task, job, parent = asked(f"--lr around:{run.id} --seeds 2", runs)
    assert (task.batch_size, task.seed, parent) == (16, 5, run.id)
    assert [entry.label for entry in job.entries] == ["adam(eps=1e-06)+clr"]
    assert resolve_rates(task, job, runs).swept == job.entries[0].optimizer
    other = make_training(runs)
    task, job, parent = asked(f"--lr around:{run.id}x5 --from {other.id} --optimizers adam", runs)
    assert (task, parent) == (TaskConfig(), other.id)
    assert [entry.label for entry in job.entries] == ["adam"]


def test_what_the_advice_does_not_depend_on_may_differ(runs: Path) -> None:
    run = make_sweep(runs)
    task = TaskConfig(seed=9, device="cpu")
    assert resolve_rates(task, around(run.id), runs).advice


def test_a_run_that_there_is_not(runs: Path) -> None:
    assert "there are no runs" in refused(runs, around("nothing"))
    run = make_sweep(runs)
    assert f"did you mean '{run.id}'?" in refused(runs, around("range-test-digit-9"))
    assert "around: needs a range test" in refused(runs, around(""))
    assert "no run" in refused(runs, around(f"{run.id}x{'9' * 5000}"))


def test_a_run_that_is_no_range_test(runs: Path) -> None:
    run = make_training(runs)
    assert refused(runs, around(run.id)) == f"{run.id} is no range test: {GIVE}"


def test_a_running_range_test(runs: Path) -> None:
    run = make_sweep(runs, steps=60, ending=[])
    with_lock = acquire(run.lock_path)
    assert with_lock >= 0
    assert f"{run.id} is still running: wait for its end, or {GIVE}" == refused(
        runs, around(run.id)
    )


def test_a_range_test_that_recommends_nothing(runs: Path) -> None:
    run = make_sweep(runs, flat)
    said = refused(runs, around(run.id))
    assert said.startswith(f"{run.id} recommends no rate, since ")
    assert said.endswith(f": {GIVE}")


@pytest.mark.parametrize("outcome", ["failed", "stopped"])
def test_a_range_test_that_broke_off_early(runs: Path, outcome: str) -> None:
    ending = [
        ev.TrialFinished(trial=0, outcome=outcome, step=40, reason="it broke"),
        ev.RunFinished(outcome=outcome, message="it broke"),
    ]
    run = make_sweep(runs, steps=40, ending=ending)
    assert f"{run.id} recommends no rate, since " in refused(runs, around(run.id))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"batch_size": 128}, "was made with batch size 64, not 128"),
        ({"model": "resnet34"}, "was made with model cnn, not resnet34"),
        ({"data": "mnist"}, "was made with data digits, not mnist"),
        ({"image_size": 16}, "was made with image size none, not 16"),
        ({"augment": False}, "was made with augmentation on, not off"),
    ],
)
def test_a_range_test_of_another_task(runs: Path, changes: dict, says: str) -> None:
    run = make_sweep(runs)
    task = replace(TaskConfig(), **changes)
    said = refused(runs, around(run.id), task)
    assert said == f"{run.id} {says}, so its advice does not hold: {GIVE}"


def test_the_same_folder_by_another_path_is_the_same_data(
    runs: Path, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = make_sweep(runs, task=TaskConfig(data=str(tmp_path / "photos")))
    assert resolve_rates(TaskConfig(data="photos"), around(run.id), runs).advice


def test_another_optimizer_than_the_one_swept(runs: Path) -> None:
    run = make_sweep(runs)
    said = refused(
        runs, around(run.id, entries=parse_entries("adam,sgd+clr,sgd(momentum=0.9,lr=1)"))
    )
    assert said == f"{run.id} swept another optimizer: add sgd(momentum=0.9)+clr, or {GIVE}"
    both = around(run.id, entries=parse_entries("adam,sgd(momentum=0.9)"))
    assert len(resolve_rates(TaskConfig(), both, runs).entries) == 14


def test_a_task_that_makes_its_own_optimizer(runs: Path, tmp_path: Path) -> None:
    place = tmp_path / "mine.py"
    place.write_text("def task(): ...")
    task = TaskConfig(task=f"{place}:task")
    started = ev.TrialStarted(
        trial=1, seed=0, total_steps=1, steps_per_epoch=1, own_optimizer="AdamW"
    )
    run = make_sweep(runs, task=task, ending=[started, *ENDING])
    assert refused(runs, around(run.id), task) == (
        f"{run.id} swept AdamW, which its task makes and a comparison cannot use: {GIVE}"
    )


def test_advice_is_kept_as_long_as_it_holds(runs: Path) -> None:
    run = make_sweep(runs)
    first = resolve_rates(TaskConfig(), around(run.id), runs)
    again = as_asked(first)
    assert resolve_rates(TaskConfig(seed=3), replace(again, seeds=5), runs).advice == first.advice
    wider = resolve_rates(TaskConfig(), replace(again, rates="grid:1e-5..1x9"), runs)
    assert (wider.advice, len(wider.entries)) == (first.advice, 9)
    for task, job in (
        (TaskConfig(batch_size=32), again),
        (TaskConfig(), replace(again, entries=parse_entries("adam"))),
        (TaskConfig(), replace(again, rates=0.1)),
    ):
        left = resolve_rates(task, job, runs)
        assert (left.advice, left.advised, left.swept, left.swept_on) == ({}, "", None, None)


def test_the_command_line_starts_the_grid(cli, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launching, "launch", lambda run: 1)
    run = make_sweep(runs)
    result = cli("compare", "--lr", f"around:{run.id}x3", "--seeds", "2", "--detach")
    assert result.code == 0, result.err
    stored = json.loads((runs / "compare-digits-1" / "run.json").read_text())
    assert stored["parent"] == run.id
    assert len(stored["job"]["entries"]) == 3
    assert stored["job"]["rates"].startswith("grid:")
    for text, says in (("grid:1..x", "cannot be read"), ("around:nix", "no run 'nix'")):
        result = cli("compare", "--lr", text, "--detach")
        assert (result.code, says in result.err) == (2, True), result.err
