"""Workers whose disk is full, whose log is replaced, whose lock is deleted, whose folder is moved.

tests/faults/test_disk_log.py has every fault of the log alone.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from clr_tui.engine import run_log, waiting, worker
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import (
    DeviceUsage,
    EpochFinished,
    Event,
    Note,
    Paused,
    RunFinished,
    Steps,
)
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.lock import acquire, is_held
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import RangeTest, TaskConfig, Train
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.control import Control
from clr_tui.engine.training.session import Result

PATIENCE = 120.0
SHORT = Train(base_lr=1e-3, max_lr=6e-3, step_size_epochs=1, epochs=6)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.02)


def of(run: RunDir, kind: type[Event]) -> list[Any]:
    return [e for e in read_events(run.events_path).events if isinstance(e, kind)]


def check_whole(run: RunDir, epochs: int) -> None:
    """Every step and epoch is in the log once, in order, and the last checkpoint is of the end."""
    batch = read_events(run.events_path)
    assert batch.corrupt == 0
    assert [event.seq for event in batch.events] == list(range(len(batch.events)))
    steps = [step for event in of(run, Steps) for step in event.step]
    assert steps == list(range(len(steps)))
    assert [event.epoch for event in of(run, EpochFinished)] == list(range(1, epochs + 1))
    (finished,) = of(run, RunFinished)
    assert finished.outcome == "done"
    state = checkpoint.load(run.checkpoints / "last.pt", torch.device("cpu"))
    assert state["step"] == len(steps)


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[RunDir], int]]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    pids = []

    def start(run: RunDir) -> int:
        pids.append(launch(run))
        return pids[-1]

    yield start
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def new_run(runs: Path, job: Train | RangeTest) -> RunDir:
    return create_run(runs, task=TaskConfig(), job=job, version="0")


def test_a_training_outlasts_a_disk_that_takes_no_more(
    tmp_path: Path, launched: Callable[[RunDir], int]
) -> None:
    """A limit on the size of files refuses parts of lines and checkpoints, as a full disk does."""
    run = new_run(tmp_path, SHORT)
    pid = launched(run)
    wait_until(lambda: bool(of(run, EpochFinished)))
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    limit = run.events_path.stat().st_size + 200
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, hard))
    wait_until(lambda: b"written later" in run.log_path.read_bytes())
    assert read_events(run.events_path).corrupt == 0
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    wait_until(lambda: not run.alive)
    check_whole(run, SHORT.epochs)
    notes = [note.text for note in of(run, Note) if "File too large" in note.text]
    assert any(note.startswith("the log could not be written for ") for note in notes)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    with open(disk / "filler", "ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_training_on_a_full_disk_goes_on_and_is_whole_once_there_is_room(
    small_disk: Path, launched: Callable[[RunDir], int]
) -> None:
    run = new_run(small_disk / "runs", SHORT)
    output = small_disk.with_name("worker.log")
    run.log_path.symlink_to(output)
    launched(run)
    for times, filled_at in enumerate((1, 3), start=1):
        wait_until(lambda at=filled_at: len(of(run, EpochFinished)) >= at)

        def is_noticed(times: int = times) -> bool:
            fill(small_disk)  # again and again, as drafts of checkpoints leave room
            return output.read_text().count("written later") >= times

        wait_until(is_noticed)
        assert read_events(run.events_path).corrupt == 0
        (small_disk / "filler").unlink()
    wait_until(lambda: not run.alive)
    check_whole(run, SHORT.epochs)
    assert any("No space left" in note.text for note in of(run, Note))


class InProcess:
    """A worker in this process, whose job is a function of `emit` and `control`."""

    def __init__(self, run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run = run
        self._monkeypatch = monkeypatch

    def do(self, job: Callable[[Callable[[Event], object], Control], None]) -> int:
        def whole(_config: object, emit: Any, control: Control, *_: object) -> Result:
            job(emit, control)
            return Result("done", headline="good")

        self._monkeypatch.setattr(worker, "_job", lambda: whole)
        return worker.main([str(self.run.path)])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcess]:
    numbers = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    handlers = [signal.getsignal(number) for number in numbers]
    monkeypatch.setattr(run_log, "WATCH_SECONDS", 0.01)
    monkeypatch.setattr(waiting, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr("clr_tui.engine.log.lasting_log.PATIENCE_SECONDS", 0.0)
    yield InProcess(new_run(tmp_path, SHORT), monkeypatch)
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


class FullDisk:
    """Refuses events while it is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, full: bool = False) -> None:
        self.full = full
        write = EventWriter.write

        def refuse(log: EventWriter, event: Event, at: float | None = None) -> Event:
            if self.full:
                raise UserError("the disk of '/runs' is full")
            return write(log, event, at)

        monkeypatch.setattr(EventWriter, "write", refuse)


def test_a_run_does_not_begin_on_a_full_disk(
    here: InProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    FullDisk(monkeypatch, full=True)
    assert here.do(lambda emit, control: pytest.fail("it began")) == 1
    assert "the disk of '/runs' is full" in capsys.readouterr().err


def test_a_training_waits_when_memory_should_hold_no_more(
    here: InProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("clr_tui.engine.log.lasting_log.MAX_WAITING", 100)
    disk = FullDisk(monkeypatch)

    def job(emit: Callable[[Event], object], control: Control) -> None:
        disk.full = True
        room = threading.Timer(0.3, lambda: setattr(disk, "full", False))
        room.start()
        for step in range(12):
            emit(Note(level="info", text=str(step)))
        assert not room.is_alive()
        disk.full = False

    assert here.do(job) == 0
    assert [n.text for n in of(here.run, Note) if n.text.isdigit()] == [str(i) for i in range(12)]
    assert "waits until there is room" in capsys.readouterr().err


def test_a_stop_ends_the_wait_for_room(
    here: InProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("clr_tui.engine.log.lasting_log.MAX_WAITING", 30)
    monkeypatch.setattr(waiting, "STOP_SECONDS", 0.0)
    disk = FullDisk(monkeypatch)

    def job(emit: Callable[[Event], object], control: Control) -> None:
        disk.full = True
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGTERM]).start()
        for step in range(12):
            emit(Note(level="info", text=str(step)))
        control.raise_if_stopped()

    assert here.do(job) == 1
    assert "could not be written to its log" in capsys.readouterr().err
    assert of(here.run, Note) == []


def test_the_end_waits_for_room(here: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)

    def job(emit: Callable[[Event], object], control: Control) -> None:
        disk.full = True
        emit(Paused())
        threading.Timer(0.3, lambda: setattr(disk, "full", False)).start()

    assert here.do(job) == 0
    assert len(of(here.run, Paused)) == 1
    assert [end.outcome for end in of(here.run, RunFinished)] == ["done"]


def test_a_worker_says_that_it_lives_while_nothing_happens(
    here: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_log, "SIGN_SECONDS", 0.05)
    here.do(lambda emit, control: wait_until(lambda: len(of(here.run, DeviceUsage)) >= 2))
    sign = of(here.run, DeviceUsage)[0]
    assert sign.process_memory > 1 << 20


def test_a_lock_that_was_deleted_is_taken_again(here: InProcess) -> None:
    def job(emit: Callable[[Event], object], control: Control) -> None:
        for _ in range(2):
            here.run.lock_path.unlink()
            wait_until(lambda: is_held(here.run.lock_path))
        shutil.copy(here.run.lock_path, here.run.path / "other")
        os.replace(here.run.path / "other", here.run.lock_path)
        wait_until(lambda: is_held(here.run.lock_path))

    assert here.do(job) == 0
    assert not is_held(here.run.lock_path)


def test_a_worker_gives_way_to_whoever_took_its_deleted_lock(here: InProcess) -> None:
    def job(emit: Callable[[Event], object], control: Control) -> None:
        folder = here.run.path
        (folder / "new").touch()
        other = acquire(folder / "new")
        os.replace(folder / "new", here.run.lock_path)
        wait_until(control.is_stopping)
        os.close(other)
        control.raise_if_stopped()

    assert here.do(job) == 0
    (end,) = of(here.run, RunFinished)
    assert (end.outcome, end.message) == ("stopped", "another process has taken the run's lock")


def test_a_run_whose_folder_is_moved_ends_where_it_is_now(here: InProcess, tmp_path: Path) -> None:
    there = tmp_path / "there"

    def job(emit: Callable[[Event], object], control: Control) -> None:
        here.run.path.rename(there)
        wait_until(control.is_stopping)
        control.raise_if_stopped()

    here.do(job)
    (end,) = of(RunDir(there), RunFinished)
    assert end.outcome == "stopped"
    assert end.message == f"its folder was moved to '{there}' while it trained"
    assert not here.run.path.exists()


@pytest.mark.parametrize("how", ["replaced", "deleted"])
def test_a_log_that_is_replaced_or_deleted_has_all_events(here: InProcess, how: str) -> None:
    def job(emit: Callable[[Event], object], control: Control) -> None:
        log = here.run.events_path
        emit(Note(level="info", text="before"))
        if how == "deleted":
            log.unlink()
        else:
            shutil.copy(log, log.with_name("x"))
            emit(Note(level="info", text="between"))
            os.replace(log.with_name("x"), log)
        emit(Note(level="info", text="after"))

    assert here.do(job) == 0
    batch = read_events(here.run.events_path)
    assert [event.seq for event in batch.events] == list(range(len(batch.events)))
    told = [note.text for note in of(here.run, Note)]
    assert told[0] == "before"
    assert "after" in told
    assert ("between" in told) == (how == "replaced")
    assert any("another file" in text or "was deleted" in text for text in told)


def test_the_log_is_forced_to_the_disk(here: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(run_log, "SYNC_SECONDS", 0.01)
    monkeypatch.setattr(
        "clr_tui.engine.log.lasting_log.os.fsync", lambda fd: synced.append(os.fstat(fd).st_size)
    )
    here.do(lambda emit, control: wait_until(lambda: len(synced) > 1))
    assert synced[-1] == here.run.events_path.stat().st_size
