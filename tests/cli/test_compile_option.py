"""`--compile`: off unless asked for, and handed on from run to run."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_runs import make_sweep

from clr_tui.engine.settings.config import Compare, RangeTest, TaskConfig, Train
from clr_tui.engine.settings.entries import article_entries
from clr_tui.tui.cli.job_options import with_options
from clr_tui.tui.cli.parser import build_parser
from clr_tui.tui.kinds.compare.command import comparison_from_args
from clr_tui.tui.kinds.train.command import training_from_args
from clr_tui.tui.text.form import form_texts, read_form

COMPILED = TaskConfig(compile=True)


def parsed(text: str):
    return build_parser().parse(text.split())


def test_only_where_it_is_asked_for() -> None:
    assert with_options(TaskConfig(), parsed("range-test")) == TaskConfig()
    assert with_options(TaskConfig(), parsed("range-test --compile")) == COMPILED
    assert with_options(TaskConfig(), parsed("range-test --compile --no-augment")) == TaskConfig(
        compile=True, augment=False
    )


def test_trainings_and_comparisons_take_it(runs: Path) -> None:
    task, _, _ = training_from_args(parsed("train --max-lr 0.01 --compile"), runs)
    assert task == COMPILED
    task, _, _ = comparison_from_args(parsed("compare --study cnn --compile"), runs)
    assert task.compile


def test_it_comes_from_the_run_that_is_named(runs: Path) -> None:
    run = make_sweep(runs, task=COMPILED)
    assert run.config().task == COMPILED
    task, _, _ = training_from_args(parsed(f"train --from {run.id}"), runs)
    assert task == COMPILED
    task, _, _ = comparison_from_args(parsed(f"compare --from {run.id}"), runs)
    assert task == COMPILED


@pytest.mark.parametrize(
    "job",
    [
        RangeTest(),
        Train(base_lr=1e-3, max_lr=1e-2),
        Compare(entries=article_entries()),
    ],
)
def test_run_again_keeps_it(job: RangeTest | Train | Compare) -> None:
    """Though the form does not show it."""
    reading = read_form(form_texts(COMPILED, job), COMPILED, job)
    assert reading.errors == {}
    assert reading.task == COMPILED


def test_the_help_says_where_it_pays(cli) -> None:
    for command in ("range-test", "train", "compare"):
        said = cli(command, "--help").out
        assert "--compile" in said
        assert "on CUDA" in said.partition("--compile")[2]
