"""Who lives: with a deleted lock, on another host, frozen. Two workers never have one run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clr_tui.engine import worker
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Stop, send
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.liveness import LOST_SECONDS, Worker, sign, worker_of
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.removal import remove_run
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.tui.text.run_rows import result, status
from clr_tui.tui.text.status import status_of

HERE = os.uname().nodename
needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/cwd"), reason="no /proc here")


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., RunDir]:
    """A run whose worker wrote its first events so many seconds ago, and holds no lock."""

    def make(*events: ev.Event, host: str = "gpu-7", pid: int = 4, ago: float = 0.0) -> RunDir:
        run = create_run(tmp_path, task=TaskConfig(), job=RangeTest(), version="0")
        writer = EventWriter(run.events_path, clock=lambda: time.time() - ago)
        first = ev.RunStarted(run=run.id, kind="range-test", host=host, pid=pid)
        for event in (
            first,
            ev.TrialStarted(trial=0, seed=0, total_steps=9, steps_per_epoch=9, label=""),
            *events,
        ):
            writer.write(event)
        writer.close()
        return run

    return make


def test_a_run_of_another_host_lives_while_its_log_grows(started: Callable[..., RunDir]) -> None:
    run = started(ago=5.0)
    assert run.alive
    summary = summarise(run)
    assert (summary.status, summary.silent_seconds) == ("running", None)
    send(run, Stop())
    for refused in (remove_run, launch):
        with pytest.raises(UserError, match="on gpu-7, which wrote within the last 15 minutes"):
            refused(run)
    assert worker.main([str(run.path)]) == 1
    assert run.events_path.exists()


def test_a_silent_run_of_another_host_is_named_with_it(started: Callable[..., RunDir]) -> None:
    run = started(ago=45.0)
    summary = summarise(run)
    assert status(summary) == "silent"
    assert result(summary).startswith("for 40 s on gpu-7")
    history = RunHistory(run.config())
    history.feed(read_events(run.events_path))
    shown = status_of(history, alive=run.alive, now=time.time())
    assert shown.words == "● running, silent for 40 s on gpu-7"


@pytest.mark.parametrize(
    ("events", "ago"), [([], LOST_SECONDS + 1), ([ev.RunFinished(outcome="done")], 1.0)]
)
def test_a_run_of_another_host_that_ended_or_is_long_silent_does_not_live(
    started: Callable[..., RunDir], events: list[ev.Event], ago: float
) -> None:
    run = started(*events, ago=ago)
    assert not run.alive
    assert summarise(run).status == ("done" if events else "lost")
    remove_run(run)
    assert not run.path.exists()


def test_a_frozen_worker_of_this_host_is_silent(started: Callable[..., RunDir]) -> None:
    """It holds its lock, as one does that was stopped by SIGSTOP."""
    run = started(host=HERE, ago=45.0)
    lock = acquire(run.lock_path)
    assert result(summarise(run)).startswith("for 40 s")
    assert status(summarise(run)) == "silent"
    os.close(lock)
    assert summarise(run).status == "lost"


def test_the_lock_tells_who_resumed_the_run(started: Callable[..., RunDir]) -> None:
    run = started(host="gpu-7", pid=4)
    assert worker_of(run.path) == Worker("gpu-7", 4, "range-test")
    lock = acquire(run.lock_path)
    sign(lock, "range-test")
    os.close(lock)
    assert worker_of(run.path) == Worker(HERE, os.getpid(), "range-test")
    assert not run.alive  # its process is not a worker, whatever its id


@needs_proc
def test_a_living_run_whose_lock_was_deleted_is_running(started: Callable[..., RunDir]) -> None:
    run = started()
    waits = [sys.executable, "-c", "input()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, cwd=run.path) as process:
        run.lock_path.write_bytes(b'{"host":"%s","pid":%d}' % (HERE.encode(), process.pid))
        assert run.alive
        assert summarise(run).status == "running"
        send(run, Stop())
        with pytest.raises(UserError, match="already has a worker"):
            launch(run)
        with pytest.raises(UserError, match="is running: stop it first"):
            remove_run(run)
        process.communicate(b"\n")
    assert not run.alive


def test_damage_in_the_lock_is_no_worker(started: Callable[..., RunDir]) -> None:
    run = started(host=HERE)
    for damage in (b"", b"\xff" * 100, b'{"host":3}', b"[" * 2000, b'{"pid":-1}'):
        run.lock_path.write_bytes(damage)
        assert not run.alive
