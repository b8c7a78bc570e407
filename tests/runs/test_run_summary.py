"""The summary of a run in each of its states, and what it costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from clr_tui.engine.runs.config import RangeTestConfig, TaskConfig, TrainConfig
from clr_tui.engine.runs.events import (
    Continued,
    DeviceUsage,
    Evaluated,
    Event,
    Note,
    Paused,
    Progress,
    Resumed,
    RunFinished,
    RunStarted,
    Steps,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.runs.lock import acquire
from clr_tui.engine.runs.rundir import RunDir, remove_run
from clr_tui.engine.runs.summary import summarise
from clr_tui.engine.runs.writer import EventWriter

NewRun = Callable[..., RunDir]
STARTED = RunStarted(run="r", kind="range-test")
TRIAL = TrialStarted(trial=0, seed=0, total_steps=100, steps_per_epoch=20)


def steps(last: int, loss: float | None = 1.592, trial: int = 0, count: int = 5) -> Steps:
    return Steps(
        trial=trial,
        step=list(range(last + 1 - count, last + 1)),
        lr=[1e-3] * count,
        loss=[loss] * count,
    )


def tell(run: RunDir, *events: Event, at: float = 100.0) -> None:
    writer = EventWriter(run.events_path, clock=lambda: at)
    for event in events:
        writer.write(event)
    writer.close()


@contextmanager
def living(run: RunDir) -> Iterator[None]:
    lock = acquire(run.lock_path)
    yield
    os.close(lock)


def test_what_was_asked(new_run: NewRun) -> None:
    run = new_run(task=TaskConfig(data="/d/flowers", model="resnet34"))
    summary = summarise(run)
    assert (summary.id, summary.kind, summary.task, summary.model) == (
        "range-test-flowers-1",
        "range-test",
        "flowers",
        "resnet34",
    )
    assert summary.created == run.config().created


def test_a_life(new_run: NewRun) -> None:
    run = new_run()
    with living(run):
        assert summarise(run).status == "starting"
        tell(run, STARTED, Progress(what="decoding images", done=3, total=9))
        summary = summarise(run)
        assert (summary.status, summary.headline) == ("starting", "decoding images, 3 of 9")
        assert summary.progress is None
        tell(run, TRIAL, steps(74))
        summary = summarise(run)
        assert (summary.status, summary.progress) == ("running", 0.75)
        assert summary.headline == "step 74, loss 1.59"
        assert summary.finished_at is None
        tell(run, Paused())
        assert summarise(run).status == "paused"
        assert summarise(run).headline == "step 74, loss 1.59"
        tell(run, Continued())
        assert summarise(run).status == "running"
    lost = summarise(run)
    assert (lost.status, lost.finished_at) == ("lost", None)
    assert "worker.log" in lost.message
    tell(run, RunFinished(outcome="done", headline="max_lr 3.6e-03"), at=321.0)
    done = summarise(run)
    assert (done.status, done.progress, done.headline) == ("done", 1.0, "max_lr 3.6e-03")
    assert (done.finished_at, done.message) == (321.0, "")


def test_a_long_pause_is_still_a_pause(new_run: NewRun) -> None:
    run = new_run()
    usage = [DeviceUsage(memory_used=1 << 33, memory_total=1 << 36, utilisation=0.0)] * 1000
    with living(run):
        tell(run, STARTED, TRIAL, steps(74), Paused(), *usage)
        summary = summarise(run)
    assert (summary.status, summary.headline) == ("paused", "step 74, loss 1.59")
    assert summary.progress == 0.75


@pytest.mark.parametrize("outcome", ["stopped", "failed"])
def test_other_ends(new_run: NewRun, outcome: str) -> None:
    run = new_run()
    tell(run, STARTED, RunFinished(outcome=outcome, message="no folder 'flwers'"))
    summary = summarise(run)
    assert (summary.status, summary.message) == (outcome, "no folder 'flwers'")


def test_several_seeds_are_one_progress(new_run: NewRun) -> None:
    run = new_run(range_test=RangeTestConfig(seeds=4))
    second = TrialStarted(trial=1, seed=1, total_steps=100, steps_per_epoch=20)
    end = TrialFinished(trial=0, outcome="done", step=40)  # early: the sweep diverged
    tell(run, STARTED, TRIAL, steps(39), end, second, steps(49, trial=1))
    with living(run):
        summary = summarise(run)
    assert summary.progress == (1 + 0.5) / 4
    assert summary.headline == "seed 2 of 4, step 49, loss 1.59"


def test_a_training_tells_epoch_and_accuracy(new_run: NewRun) -> None:
    run = new_run(kind="train", train=TrainConfig(base_lr=1e-4, max_lr=1e-3))
    tell(run, STARTED, TRIAL, steps(19))
    with living(run):
        assert summarise(run).headline == "epoch 1, loss 1.59"
        best = Evaluated(trial=0, step=20, part="validation", loss=1.0, accuracy=0.641, epoch=1)
        tell(run, best, steps(41))
        assert summarise(run).headline == "epoch 3, 64.1 %"


def test_a_loss_that_is_not_finite_has_no_number(new_run: NewRun) -> None:
    run = new_run()
    tell(run, STARTED, TRIAL, steps(9, loss=None))
    with living(run):
        assert summarise(run).headline == "step 9"


def test_a_resumed_run_lives_again(new_run: NewRun) -> None:
    run = new_run()
    tell(run, STARTED, TRIAL, steps(9), RunFinished(outcome="stopped"))
    assert summarise(run).status == "stopped"
    with living(run):
        tell(run, STARTED, Resumed(trial=0, step=10))
        assert summarise(run).status == "running"


def test_an_id_given_again_is_another_run(new_run: NewRun) -> None:
    run = new_run()
    tell(run, STARTED, TRIAL, steps(49))
    with living(run):
        assert summarise(run).progress == 0.5
    remove_run(run)
    again = new_run()
    assert again == run
    tell(
        again, STARTED, TrialStarted(trial=0, seed=0, total_steps=50, steps_per_epoch=5), steps(49)
    )
    with living(again):
        assert summarise(again).progress == 1.0


def test_damage_is_passed_over(new_run: NewRun) -> None:
    run = new_run()
    tell(run, STARTED, TRIAL, steps(9), RunFinished(outcome="done", headline="max_lr 1e-03"))
    with open(run.events_path, "ab") as file:
        file.write(b"\x00\xff\nnull\n" + b'{"type":"torn')
    assert summarise(run).headline == "max_lr 1e-03"


def test_a_run_that_cannot_be_read_is_lost_with_the_reason(new_run: NewRun) -> None:
    run = new_run()
    run.config_path.write_text("{")
    summary = summarise(run)
    assert (summary.status, summary.kind) == ("lost", "range-test")
    assert "is damaged" in summary.message
    run = new_run()
    run.events_path.mkdir()
    assert "cannot be read" in summarise(run).message


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes: list[int] = []
    pread = os.pread

    def counted(fd: int, size: int, at: int) -> bytes:
        text = pread(fd, size, at)
        sizes.append(len(text))
        return text

    monkeypatch.setattr(os, "pread", counted)
    return sizes


def test_a_long_log_is_not_read_whole(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()
    tell(run, STARTED, TRIAL, *[steps(i, count=500) for i in range(500, 100_000, 500)])
    size = run.events_path.stat().st_size
    assert size > 1 << 20
    sizes = count_reads(monkeypatch)
    with living(run):
        assert summarise(run).headline == "step 99500, loss 1.59"
        assert sum(sizes) < 200_000
        sizes.clear()
        tell(run, steps(99_999))
        sizes.clear()
        assert summarise(run).headline == "step 99999, loss 1.59"
    assert sum(sizes) < 80_000  # the first trial is known by now


def test_a_finished_run_is_read_once(new_run: NewRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run()
    tell(run, STARTED, TRIAL, steps(9), RunFinished(outcome="done"))
    first = summarise(run)
    sizes = count_reads(monkeypatch)
    assert summarise(run) == first
    assert sizes == []
    tell(run, Note(level="info", text="late"), RunFinished(outcome="failed"))
    assert summarise(run).status == "failed"


def test_the_first_trial_is_found_behind_much_progress(new_run: NewRun) -> None:
    run = new_run()
    decoding = [Progress(what="decoding images", done=i, total=5000) for i in range(2000)]
    tell(run, STARTED, *decoding, TRIAL, *[steps(i) for i in range(5, 100, 5)] * 60)
    with living(run):
        summary = summarise(run)
    assert (summary.status, summary.progress) == ("running", 0.96)
