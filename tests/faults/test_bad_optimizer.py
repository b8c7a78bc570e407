"""A worker whose optimizer forks, prints nonsense and then crashes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import OptimizerConfig, RangeTest, TaskConfig

PATIENCE = 120.0
OPTIMIZER = '''
import ctypes, os, sys, time
from pathlib import Path

from torch.optim import SGD

WORKER = os.getpid()


class Bad(SGD):
    """Each of its first steps does something else that no optimizer should do."""

    def __init__(self, params, lr=0.01):
        super().__init__(params, lr=lr)
        self.steps = 0

    def step(self, closure=None):
        super().step(closure)
        self.steps += 1
        if Path("armed").exists() and os.getpid() == WORKER:  # not in a fork
            [self.crash, self.fork, self.leave, self.stay, self.print][self.steps % 5]()

    def fork(self):
        os.fork()  # both return

    def leave(self):
        if os.fork() == 0:
            sys.exit(0)

    def stay(self):
        pid = os.fork()
        while pid == 0:
            time.sleep(1)
        Path("forked").write_text(str(pid))

    def print(self):
        os.write(2, bytes(range(256)) + b"\\x1b]52;c;AAAA\\x07")

    def crash(self):
        ctypes.string_at(0)
'''


def wait_until(true: Callable[[], bool]) -> None:
    deadline, pause = time.monotonic() + PATIENCE, threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.05)


def test_whatever_an_optimizer_does_the_log_stays_whole_and_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "bad.py").write_text(OPTIMIZER)
    job = RangeTest(steps=20, optimizer=OptimizerConfig(name="bad:Bad"))
    run = create_run(
        tmp_path / "runs", task=TaskConfig(), job=job, version="0", folder=str(tmp_path)
    )
    (run.path / "armed").touch()  # in its working directory; optimizers are tried elsewhere first
    launch(run)
    wait_until(lambda: not run.alive)

    summary = summarise(run)
    assert summary.status == "lost"
    assert summary.message.startswith("the worker was ended by SIGSEGV (")
    assert "bad.py:" in summary.message
    assert "in crash)" in summary.message
    batch = read_events(run.events_path)
    assert batch.corrupt == 0
    assert [event.seq for event in batch.events] == list(range(len(batch.events)))
    pid = int((run.path / "forked").read_text())
    wait_until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
