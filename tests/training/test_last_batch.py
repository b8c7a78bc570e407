"""What is left of the training part when batches are full: left out, or a smaller last batch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset
from training_bench import make_task

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import TaskReady
from clr_tui.engine.settings.config import RunConfig, Train
from clr_tui.engine.tasks.task import Task
from clr_tui.engine.training.batches import make_batches
from clr_tui.tui.text.event_lines import EventLines


def training_run() -> RunConfig:
    return RunConfig(id="a", created=0.0, version="0", job=Train(base_lr=0.1, max_lr=0.6))


def task_of(samples: int, *, keep: bool) -> Task:
    """Samples whose targets are their numbers."""
    task = make_task()
    part = task.train.take(torch.arange(samples) % len(task.train))
    return replace(task, train=replace(part, targets=torch.arange(samples)), keep_last=keep)


def epoch(task: Task, batch_size: int) -> list[list[int]]:
    batches = make_batches(task, batch_size, 0)
    return [batches.draw()[1].tolist() for _ in range(batches.steps_per_epoch)]


@pytest.mark.parametrize(("samples", "batch_size"), [(23, 5), (20, 5), (22, 4), (3, 7)])
def test_kept_batches_are_those_of_a_data_loader(samples: int, batch_size: int) -> None:
    drawn = epoch(task_of(samples, keep=True), batch_size)
    loader = DataLoader(TensorDataset(torch.arange(samples)), batch_size)
    assert [len(batch) for batch in drawn] == [len(batch) for (batch,) in loader]
    assert sorted(one for batch in drawn for one in batch) == list(range(samples))


@pytest.mark.parametrize(("samples", "batch_size"), [(23, 5), (20, 5), (22, 4)])
def test_dropped_batches_are_those_of_a_data_loader(samples: int, batch_size: int) -> None:
    drawn = epoch(task_of(samples, keep=False), batch_size)
    loader = DataLoader(TensorDataset(torch.arange(samples)), batch_size, drop_last=True)
    assert [len(batch) for batch in drawn] == [len(batch) for (batch,) in loader]


def test_a_sample_left_alone_joins_the_batch_before_it() -> None:
    """Batch norm cannot train on one sample."""
    drawn = epoch(task_of(21, keep=True), 5)
    assert [len(batch) for batch in drawn] == [5, 5, 5, 6]
    assert sorted(one for batch in drawn for one in batch) == list(range(21))


def test_the_first_batches_are_the_same_in_both() -> None:
    kept, dropped = (epoch(task_of(23, keep=keep), 5) for keep in (True, False))
    assert kept[:4] == dropped


def test_only_a_part_that_may_not_fill_a_batch_is_too_small() -> None:
    assert len(epoch(task_of(3, keep=True), 7)) == 1
    with pytest.raises(UserError, match="a batch of 7 is larger than the training part"):
        make_batches(task_of(3, keep=False), 7, 0)


@pytest.mark.parametrize(
    ("steps", "words"),
    [(4, "4 steps per epoch, which leave out 3 images"), (5, "5 steps per epoch")],
)
def test_what_an_epoch_leaves_out_is_said(steps: int, words: str) -> None:
    event = TaskReady(
        name="made",
        model="cnn",
        train=23,
        validation=5,
        test=5,
        parameters=9,
        trainable=9,
        batch_size=5,
        steps_per_epoch=steps,
        metrics=[],
        samples="images",
    )
    assert EventLines().line_of(event, RunHistory(training_run())).endswith(words)
