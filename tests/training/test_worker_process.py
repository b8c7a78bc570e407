"""The worker as a process: signals, a vanished directory, a full disk. And its ways to fail."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from clr_tui.engine import user_frames, worker
from clr_tui.engine.log.commands import Pause, send
from clr_tui.engine.log.events import (
    CheckpointSaved,
    CommandRefused,
    DeviceUsage,
    EpochFinished,
    Event,
    Paused,
    Progress,
    RunFinished,
    RunStarted,
    Steps,
    TrialFinished,
)
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import RangeTest, TaskConfig, Train
from clr_tui.engine.training import checkpoint

LONG = Train(base_lr=1e-3, max_lr=6e-3, step_size_epochs=1, epochs=10_000)
PATIENCE = 120.0


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.05)


def events_of_type(run: RunDir, kind: type[Event]) -> list[Event]:
    return [e for e in read_events(run.events_path).events if isinstance(e, kind)]


def new_run(runs: Path, job: Train | RangeTest, **task: object) -> RunDir:
    if isinstance(job, Train):
        return create_run(runs, task=TaskConfig(**task), job=job, version="0")
    return create_run(runs, task=TaskConfig(**task), job=job, version="0")


def spawn(run: RunDir, **how: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "clr_tui.engine.worker", str(run.path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **how,
    )


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.usefixtures("one_thread")
def test_sigterm_ends_a_training_in_order_and_sighup_does_not(tmp_path: Path) -> None:
    run = new_run(tmp_path, LONG)
    pid = launch(run)
    wait_until(lambda: bool(events_of_type(run, EpochFinished)))
    os.kill(pid, signal.SIGHUP)
    epochs = len(events_of_type(run, EpochFinished))
    wait_until(lambda: len(events_of_type(run, EpochFinished)) > epochs)
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not run.alive)

    events = read_events(run.events_path).events
    assert isinstance(events[0], RunStarted)
    assert [e.seq for e in events] == list(range(len(events)))
    saved, trial, finished = events[-3:]
    assert isinstance(saved, CheckpointSaved)
    assert isinstance(trial, TrialFinished)
    assert isinstance(finished, RunFinished)
    assert (saved.reason, trial.outcome, finished.outcome) == ("stopped", "stopped", "stopped")
    assert finished.message == "stopped by SIGTERM"
    assert finished.headline.endswith(f"epoch {events_of_type(run, EpochFinished)[-1].best_epoch}")
    state = checkpoint.load(run.path / saved.path, torch.device("cpu"))
    steps = [step for e in events_of_type(run, Steps) for step in e.step]
    assert steps == list(range(state["step"]))
    assert trial.step == state["step"]


@pytest.mark.usefixtures("one_thread")
def test_sigterm_in_a_pause(tmp_path: Path) -> None:
    run = new_run(tmp_path, LONG)
    pid = launch(run)
    wait_until(lambda: bool(events_of_type(run, Steps)))
    send(run, Pause())
    wait_until(lambda: bool(events_of_type(run, Paused)))
    with run.commands_path.open("ab") as file:  # `send` itself would refuse these bounds
        file.write(b'{"type": "set-bounds", "base_lr": 0.5, "max_lr": 0.1}\n')
    wait_until(lambda: bool(events_of_type(run, CommandRefused)))
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not run.alive)
    assert [e.outcome for e in events_of_type(run, RunFinished)] == ["stopped"]
    assert (run.checkpoints / "last.pt").exists()


@pytest.mark.usefixtures("one_thread")
def test_a_run_whose_directory_vanishes_ends_by_itself(tmp_path: Path) -> None:
    run = new_run(tmp_path, LONG)
    process = spawn(run)
    wait_until(lambda: bool(events_of_type(run, Steps)))
    shutil.rmtree(run.path, ignore_errors=True)
    shutil.rmtree(run.path, ignore_errors=True)  # a file may have been made in between
    _, words = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "removed during the run" in words
    assert "Traceback" not in words
    assert not (run.path / "events.jsonl").exists()


@pytest.fixture
def restored_signals() -> Iterator[None]:
    """`worker.main` in this process: its signal handlers are taken off again."""
    numbers = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def do(
    tmp_path: Path, restored_signals: None, one_thread: None
) -> Callable[..., tuple[int, RunDir]]:
    def do(job: Train | RangeTest, **task: object) -> tuple[int, RunDir]:
        run = new_run(tmp_path, job, **task)
        return worker.main([str(run.path)]), run

    return do


Do = Callable[..., tuple[int, RunDir]]


def test_a_range_test_from_first_event_to_last(do: Do) -> None:
    code, run = do(RangeTest(seeds=2))
    assert code == 0
    assert not run.alive
    events = read_events(run.events_path).events
    assert [
        type(e).__name__ for e in events if not isinstance(e, Steps | Progress | DeviceUsage)
    ] == [
        "RunStarted",
        "DeviceChosen",
        "TaskReady",
        *["TrialStarted", "TrialFinished"] * 2,
        "RunFinished",
    ]
    assert events[-1].outcome == "done"
    assert events[-1].headline.startswith(("max_lr ", "no recommendation: "))


def test_a_sweep_to_nowhere_recommends_nothing(do: Do) -> None:
    code, run = do(RangeTest(start_lr=1e-9, end_lr=1e-7))
    assert code == 0
    (finished,) = events_of_type(run, RunFinished)
    assert finished.headline == "no recommendation: flat"


def test_a_run_is_done_once(do: Do, capsys: pytest.CaptureFixture[str]) -> None:
    _, run = do(RangeTest(steps=3))
    before = run.events_path.read_bytes()
    assert worker.main([str(run.path)]) == 1
    assert "was already started" in capsys.readouterr().err
    assert run.events_path.read_bytes() == before


def test_a_mistake_is_named_with_its_field(do: Do) -> None:
    code, run = do(RangeTest(), batch_size=5000)
    assert code == 1
    (finished,) = events_of_type(run, RunFinished)
    assert (finished.outcome, finished.field) == ("failed", "batch_size")
    assert "5000" in finished.message


def test_a_training_that_diverges_fails_with_advice(do: Do) -> None:
    code, run = do(Train(base_lr=1e6, max_lr=1e12, epochs=1, step_size_epochs=0.5))
    assert code == 1
    (finished,) = events_of_type(run, RunFinished)
    assert finished.outcome == "failed"
    assert "try a lower max_lr" in finished.message


def breaks(error: BaseException) -> Callable[[], Callable[..., None]]:
    def job(*_args: object) -> None:
        raise error

    return lambda: job


def test_what_nobody_foresaw_is_in_the_log_and_in_worker_log(
    do: Do, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(worker, "_job", breaks(ZeroDivisionError("by nothing\nat all")))
    monkeypatch.setattr(user_frames, "is_users", lambda _path: False)  # also of this file
    code, run = do(RangeTest())
    assert code == 1
    (finished,) = events_of_type(run, RunFinished)
    assert finished.outcome == "failed"
    assert finished.message == "ZeroDivisionError: by nothing (the details are in worker.log)"
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SystemExit(3), "the code that was run called sys.exit(3)"),
        (KeyboardInterrupt(), "Keyboard"),
    ],
)
def test_code_that_ends_the_program_ends_the_run_in_order(
    do: Do, monkeypatch: pytest.MonkeyPatch, error: BaseException, words: str
) -> None:
    monkeypatch.setattr(worker, "_job", breaks(error))
    code, run = do(RangeTest())
    assert code == 1
    (finished,) = events_of_type(run, RunFinished)
    assert finished.outcome == "failed"
    assert finished.message.startswith(words)
    assert "test_worker_process.py:" in finished.message


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"),
        MemoryError(),
    ],
)
def test_a_device_without_memory_left_gets_advice(
    do: Do, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(worker, "_job", breaks(error))
    code, run = do(RangeTest())
    assert code == 1
    (finished,) = events_of_type(run, RunFinished)
    assert finished.field == "batch_size"
    assert "smaller batch" in finished.message


def test_threads_wait_in_busy_loops_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
    monkeypatch.setattr(os, "environ", {k: v for k, v in os.environ.items() if k not in names})
    worker._job()
    assert [os.environ.get(name) for name in names] == [None, "3000", "0"]


def test_a_wait_policy_that_somebody_set_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"OMP_WAIT_POLICY": "ACTIVE"})
    worker._job()
    assert os.environ == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_a_directory_that_is_no_run(tmp_path: Path, restored_signals: None) -> None:
    assert worker.main([str(tmp_path)]) == 1
    assert worker.main([str(tmp_path / "nowhere")]) == 1
