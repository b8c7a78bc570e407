"""The summary of a run in each of its states, and what it costs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from clr_tui.engine.log.events import (
    Continued,
    DeviceUsage,
    Evaluated,
    Event,
    Note,
    Overall,
    Paused,
    Progress,
    Resumed,
    RunFinished,
    RunResumed,
    RunStarted,
    Steps,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.removal import remove_run
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
    Train,
)

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


def test_a_summary_holds_the_kind_task_and_model_of_the_config(new_run: NewRun) -> None:
    run = new_run(task=TaskConfig(data="/d/flowers", model="resnet34"))
    summary = summarise(run)
    assert (summary.id, summary.kind, summary.task, summary.model) == (
        "range-test-flowers-1",
        "range-test",
        "flowers",
        "resnet34",
    )
    assert summary.created == run.config().created


def test_a_summary_follows_a_run_from_start_to_finish(new_run: NewRun) -> None:
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
def test_a_summary_names_every_way_a_run_can_end(new_run: NewRun, outcome: str) -> None:
    run = new_run()
    tell(run, STARTED, RunFinished(outcome=outcome, message="no folder 'flwers'"))
    summary = summarise(run)
    assert (summary.status, summary.message) == (outcome, "no folder 'flwers'")


def test_several_seeds_are_one_progress(new_run: NewRun) -> None:
    run = new_run(job=RangeTest(seeds=4))
    second = TrialStarted(trial=1, seed=1, total_steps=100, steps_per_epoch=20)
    end = TrialFinished(trial=0, outcome="done", step=40)  # early: the sweep diverged
    tell(run, STARTED, TRIAL, steps(39), end, second, steps(49, trial=1))
    with living(run):
        summary = summarise(run)
    assert summary.progress == (1 + 0.5) / 4
    assert summary.headline == "seed 2 of 4, step 49, loss 1.59"


def test_a_run_with_a_time_to_spend_progresses_by_the_time(new_run: NewRun) -> None:
    run = new_run(job=RangeTest(time=60.0))
    tell(run, STARTED, TRIAL, at=100.0)
    second = TrialStarted(trial=1, seed=1, total_steps=100, steps_per_epoch=20)
    chunk = replace(steps(49, trial=1), eta_seconds=30.0)
    with living(run):
        assert summarise(run).progress is None
        tell(run, second, chunk, at=110.0)
        summary = summarise(run)
    assert summary.progress == 10 / (10 + 30)
    assert summary.headline == "seed 2, step 49, loss 1.59"


def test_a_training_tells_epoch_and_accuracy(new_run: NewRun) -> None:
    run = new_run(job=Train(base_lr=1e-4, max_lr=1e-3))
    tell(run, STARTED, TRIAL, steps(19))
    with living(run):
        assert summarise(run).headline == "epoch 1, loss 1.59"
        best = Evaluated(
            trial=0, step=20, part="validation", loss=1.0, metrics={"accuracy": 0.641}, epoch=1
        )
        tell(run, best, steps(41))
        assert summarise(run).headline == "epoch 3, 64.1 %"


COMPARISON = Compare(
    entries=[
        EntryConfig(label=name, optimizer=OptimizerConfig(name=name)) for name in ("adam", "adamax")
    ]
)


def overall(done: int, *, failed: int = 0, running: int = 2, fraction: float = 0.25) -> Overall:
    return Overall(
        done=done,
        failed=failed,
        stopped=0,
        running=running,
        total=6,
        fraction=fraction,
        eta_seconds=9.0,
    )


def test_a_summary_follows_a_comparison_from_start_to_finish(new_run: NewRun) -> None:
    run = new_run(job=COMPARISON)
    assert run.id == "compare-digits-1"
    sweep = TrialStarted(trial=6, seed=0, total_steps=100, steps_per_epoch=20, role="sweep")
    with living(run):
        tell(run, STARTED)
        assert (summarise(run).kind, summarise(run).status) == ("compare", "starting")
        tell(run, sweep, overall(0, running=0, fraction=0.01), steps(9, trial=6))
        assert summarise(run).headline == "tuning learning rates"
        tell(run, TRIAL, overall(0), steps(74))
        summary = summarise(run)
        assert (summary.status, summary.headline) == ("running", "0 of 6 trials")
        # Trials run side by side: no step of one of them tells how far the whole is.
        assert summary.progress == 0.25
        tell(run, overall(3, failed=1, fraction=0.7))
        summary = summarise(run)
        assert (summary.progress, summary.headline) == (0.7, "4 of 6 trials, 1 failed")
        tell(run, Paused())
        assert summarise(run).status == "paused"
        tell(run, Continued())
        assert summarise(run).status == "running"
    assert summarise(run).status == "lost"
    tell(run, RunFinished(outcome="done", message="1 of 6 trials failed", headline="adam leads"))
    summary = summarise(run)
    assert (summary.status, summary.progress) == ("done", 1.0)
    assert (summary.headline, summary.message) == ("adam leads", "1 of 6 trials failed")


def test_a_comparison_is_summarised_from_the_end_of_its_log(new_run: NewRun, monkeypatch) -> None:
    run = new_run(job=COMPARISON)
    tell(run, STARTED, TRIAL, *[steps(i, count=500) for i in range(500, 50_000, 500)], overall(2))
    tell(run, *[steps(i, trial=1, count=500) for i in range(500, 2000, 500)])
    sizes = count_reads(monkeypatch)
    with living(run):
        assert summarise(run).headline == "2 of 6 trials"
    assert sum(sizes) < 200_000 < run.events_path.stat().st_size


def test_steps_that_fill_the_window_do_not_hide_the_progress_of_a_comparison(
    new_run: NewRun,
) -> None:
    run = new_run(job=COMPARISON)
    tell(run, STARTED, TRIAL, overall(2))
    tell(run, *[steps(i, count=500) for i in range(500, 10_000, 500)])
    assert run.events_path.stat().st_size > 2 * (64 << 10)
    with living(run):
        summary = summarise(run)
    assert (summary.headline, summary.progress) == ("2 of 6 trials", 0.25)


@pytest.mark.parametrize("kind", ["range-test", "train", "compare"])
def test_the_kind_of_a_damaged_run_is_told_by_its_name(runs: Path, kind: str) -> None:
    run = RunDir(runs / f"{kind}-digits-1")
    run.path.mkdir(parents=True)
    run.config_path.write_text("{")
    assert summarise(run).kind == kind


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
        tell(run, RunResumed(), Resumed(trial=0, step=5))
        resumed = summarise(run)
        assert (resumed.status, resumed.headline) == ("running", "")
        tell(run, steps(5))
        assert summarise(run).headline == "step 5, loss 1.59"


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
