"""Asking for a comparison: from options to its configuration, and what a mistake gets."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import msgspec
import pytest
from comparison_logs import write_run
from made_runs import make_sweep, make_training

from clr_tui.engine.log.rundir import find_run
from clr_tui.engine.settings import check
from clr_tui.engine.settings.config import Compare, TaskConfig
from clr_tui.engine.settings.entries import article_entries, parse_entries
from clr_tui.engine.settings.studies import study
from clr_tui.tui import launching
from clr_tui.tui.cli import main as command
from clr_tui.tui.cli.parser import build_parser
from clr_tui.tui.kinds.compare.command import comparison_from_args


def asked(text: str, runs: Path) -> tuple[TaskConfig, Compare, str | None]:
    return comparison_from_args(build_parser().parse(["compare", *shlex.split(text)]), runs)


def test_without_options_the_six_of_the_article_on_digits(runs: Path) -> None:
    task, job, parent = asked("", runs)
    assert (task, parent) == (TaskConfig(), None)
    assert job == Compare(entries=article_entries())


def test_every_option_of_a_comparison_arrives(runs: Path) -> None:
    task, job, _ = asked(
        "--optimizers 'adamw(weight_decay=0.05)+one-cycle, SGD+CLR' --seeds 5 --epochs 9"
        " --no-whole-cycles --lr tuned --factor 4 --step-size-epochs 2 --gamma 0.9 --jobs 2"
        " --threads 1 --target 65% --data here --batch-size 16 --seed 7 --device cpu --no-augment",
        runs,
    )
    assert job == Compare(
        entries=parse_entries("adamw(weight_decay=0.05)+one-cycle,sgd+clr"),
        seeds=5,
        epochs=9,
        whole_cycles=False,
        rates="tuned",
        factor=4.0,
        step_size_epochs=2.0,
        gamma=0.9,
        jobs=2,
        threads=1,
        target=0.65,
    )
    assert task == TaskConfig(data="here", batch_size=16, seed=7, device="cpu", augment=False)


@pytest.mark.parametrize("text", ["65%", "0.65", " 65 %", "65.0%"])
def test_a_target_is_a_part_or_a_percentage(runs: Path, text: str) -> None:
    assert asked(f"--target '{text}'", runs)[1].target == 0.65


def test_a_rate_is_of_all_that_name_none(runs: Path) -> None:
    _, job, _ = asked("--optimizers 'adam,rmsprop(lr=0.5),sgd+clr' --lr 2e-3", runs)
    assert [job.lr_of(entry) for entry in job.entries] == [2e-3, 0.5, 2e-3]
    assert [entry.label for entry in job.entries] == ["adam", "rmsprop(lr=0.5)", "sgd+clr"]
    assert asked("--lr Tuned", runs)[1].rates == "tuned"
    assert asked("--study cnn --lr default", runs)[1].rates == "default"


@pytest.mark.parametrize("name", ["cnn", "resnet34"])
def test_a_study_is_one_option(runs: Path, name: str) -> None:
    task, job, _ = asked(f"--study {name} --data flowers", runs)
    assert task == TaskConfig(data="flowers", model=name)
    assert job == study(name)[1]


def test_all_of_a_study_can_be_overridden(runs: Path) -> None:
    task, job, _ = asked(
        "--study cnn --epochs 16 --seeds 2 --optimizers adam,sgd --whole-cycles --lr tuned"
        " --factor 3 --step-size-epochs 1 --image-size 32 --target 0.7",
        runs,
    )
    assert task == TaskConfig(model="cnn", image_size=32)
    assert [entry.label for entry in job.entries] == ["adam", "sgd"]
    assert (job.epochs, job.seeds, job.whole_cycles, job.rates) == (16, 2, True, "tuned")
    assert (job.factor, job.step_size_epochs, job.target) == (3.0, 1.0, 0.7)
    assert job.study == "cnn"


def test_from_takes_the_task_of_any_run(runs: Path) -> None:
    given = TaskConfig(batch_size=32, seed=5, augment=False)
    sweep = make_sweep(runs, task=given)
    task, job, parent = asked(f"--from {sweep.id} --seed 1", runs)
    assert (task, parent) == (msgspec.structs.replace(given, seed=1), sweep.id)
    assert job == Compare(entries=article_entries())
    training = make_training(runs)
    assert asked(f"--from {training.id}", runs)[2] == training.id
    other = write_run(runs)
    task, job, parent = asked(f"--from {other.id} --optimizers adam", runs)
    assert (task, parent) == (other.config().task, other.id)
    # A study's model is asked for as any option is.
    assert asked(f"--from {sweep.id} --study resnet34", runs)[0].model == "resnet34"


def test_it_starts_as_every_run_does(
    cli, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "launch", lambda run: 1)
    monkeypatch.chdir(tmp_path)
    result = cli("compare", "--optimizers", "adam,sgd+clr", "--detach", "--json")
    found = json.loads(result.out)
    assert (found["run"], found["kind"]) == ("compare-digits-1", "compare")
    config = find_run(runs, "compare-digits-1").config()
    assert (config.kind, config.folder) == ("compare", str(tmp_path))
    assert config.job == Compare(entries=parse_entries("adam,sgd+clr"))
    result = cli("compare", "--from", "compare-digits-1", "--epochs", "3", "--detach")
    assert (result.code, result.out) == (0, "compare-digits-2\n")
    config = find_run(runs, "compare-digits-2").config()
    assert config.parent == "compare-digits-1"
    assert config.job.epochs == 3


def assert_one_sentence(result, *words: str) -> None:
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("clr-tui: ")
    assert result.err.count("\n") == 1
    for word in words:
        assert word in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--optimizers", "adm"], ["'adm'", "did you mean 'adam'"]),
        (["--optimizers", "zzz"], ["'zzz'", "adagrad", "sgd"]),
        (["--optimizers", "adam(betta=1)"], ["'betta'", "did you mean 'betas'"]),
        (["--optimizers", "adam+tringular"], ["did you mean 'triangular'"]),
        (["--optimizers", "adam,sgd,Adam"], ["'adam' is given 2 times"]),
        (["--optimizers", "adam(lr=0.01),adam", "--lr", "0.01"], ["are the same"]),
        (["--optimizers", ""], ["no optimizers are given"]),
        (["--optimizers", "adam(lr=1"], ["a bracket is not closed"]),
        (["--optimizers", "adam(lr=\x1b[31m)"], ["unmatched ')'"]),
        (["--optimizers", "sgd+clr(base_lr=0.1)"], ["base_lr", "needs the upper bound"]),
        (
            ["--optimizers", "sgd+clr(base_lr=0.1)", "--lr", "0.01"],
            ["0.1", "not below its lr 0.01"],
        ),
        (["--seeds", "0"], ["seeds must be at least 1, not 0"]),
        (["--seeds", "-2"], ["-2"]),
        (["--seeds", "500"], ["3000 trials"]),
        (["--epochs", "0"], ["epochs", "0"]),
        (["--epochs", "2.5"], ["--epochs '2.5' is not a whole number"]),
        (["--target", "0"], ["not 0", "0.65 or 65%"]),
        (["--target", "1"], ["not 1"]),
        (["--target", "65"], ["not 65"]),
        (["--target", "100%"], ["not 1"]),
        (["--target", "-5%"], ["not -0.05"]),
        (["--target", "nan"], ["'nan'"]),
        (["--target", "high"], ["'high'"]),
        (["--target", ""], ["--target is empty"]),
        (["--jobs", "0"], ["jobs must be at least 1, not 0"]),
        (["--jobs", "9"], ["9 jobs", "8 cores", "at most 8"]),
        (["--jobs", "8", "--seeds", "1"], ["8 jobs", "6 trials"]),
        (["--jobs", "3", "--threads", "4"], ["3 jobs of 4 threads each", "at most 2"]),
        (["--threads", "0"], ["threads must be at least 1, not 0"]),
        (["--threads", "99"], ["threads 99", "8 cores"]),
        (["--lr", "tunde"], ["--lr 'tunde'", "did you mean 'tuned'"]),
        (["--lr", "fast"], ["--lr 'fast'", "default, tuned, or one such as 1e-3"]),
        (["--lr", "0"], ["lr must be a number above 0, not 0"]),
        (["--lr", "-1e-3"], ["lr must be a number above 0, not -0.001"]),
        (["--lr", "nan"], ["lr must be a number above 0, not nan"]),
        (["--lr", "inf"], ["lr must be a number above 0, not inf"]),
        (["--factor", "1"], ["factor must be a number above 1, not 1"]),
        (["--gamma", "0"], ["gamma"]),
        (["--step-size-epochs", "0"], ["step_size_epochs"]),
        (["--study", "vgg"], ["no study 'vgg'", "cnn, resnet34"]),
        (["--study", "cnn", "--model", "resnet34"], ["study cnn", "resnet34", "leave one"]),
        (["--from", "nothing"], ["nothing"]),
        (["--data", "nowhere"], ["nowhere"]),
        (["--batch-size", "0"], ["batch_size"]),
        (["--device", "cuda:99"], ["cuda:99"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_gets_one_sentence_and_leaves_nothing(
    cli, runs: Path, arguments: list[str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "usable_cores", lambda: 8)
    result = cli("compare", *arguments)
    assert_one_sentence(result, *words)
    assert "\x1b" not in result.err
    assert not runs.exists() or not any(runs.iterdir())


def test_training_from_a_comparison(cli, runs: Path) -> None:
    run = write_run(runs)
    assert_one_sentence(cli("train", "--from", run.id), run.id, "is a comparison", "range test")
    run = make_training(runs)
    assert_one_sentence(cli("train", "--from", run.id), run.id, "is a training", "range test")


@pytest.mark.parametrize("option", ["--markdown", "--curves-csv"])
def test_what_is_exported_of_comparisons_only(cli, runs: Path, tmp_path: Path, option: str) -> None:
    for run in (make_sweep(runs), make_training(runs)):
        file, other = tmp_path / "file", tmp_path / "other"
        result = cli("export", run.id, option, file, "--csv", other)
        assert_one_sentence(result, option, "comparisons", run.id)
        assert not file.exists()
        assert not other.exists()
    run = write_run(runs)
    result = cli("export", run.id, option, "-", "--epochs-csv", tmp_path / "epochs.csv")
    assert (result.code, result.err) == (0, "")
    assert "sgd+clr" in result.out
    assert (tmp_path / "epochs.csv").read_text().count("\n") == 1 + 9 * 8


def test_rates_are_exported_of_a_grid_only(cli, runs: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    for run, why in (
        (make_sweep(runs), "is for comparisons"),
        (write_run(runs), "a grid of rates"),
    ):
        result = cli("export", run.id, "--csv", other, "--rates-csv", file)
        assert_one_sentence(result, "--rates-csv", why, run.id)
        assert not file.exists()
        assert not other.exists()


def test_exports_that_collide_on_stdout(cli) -> None:
    result = cli("export", "x", "--markdown", "-", "--curves-csv", "-")
    assert_one_sentence(result, "only one of the exports can go to stdout")
    assert_one_sentence(cli("export", "x"), "--curves-csv FILE", "--markdown FILE")


def test_a_replay_takes_a_target_for_comparisons_only(
    cli, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(runs, target=0.5)
    for target in ("70%", "0.7"):
        found = json.loads(cli("replay", run.id, "--target", target, "--json").out)
        assert found["target"] == 0.7
    assert json.loads(cli("replay", run.id, "--json").out)["target"] == 0.5
    result = cli("replay", make_sweep(runs).id, "--target", "70%")
    assert_one_sentence(result, "--target is for comparisons", "range-test-digits-1")
    assert_one_sentence(cli("replay", run.id, "--target", "70"), "0.65 or 65%")

    shown = []
    monkeypatch.setattr(command, "_wants_screen", lambda args: True)
    monkeypatch.setattr(command, "_screen", lambda runs, load, **how: shown.append(load()) or 0)
    assert cli("replay", run.id, "--target", "70%").code == 0
    assert shown[0].config.job.target == 0.7
