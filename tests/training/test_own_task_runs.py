"""Runs of a user's task: each wrong one ends in one sentence with its line, and nothing is lost."""

from __future__ import annotations

import functools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace

from clr_tui.engine import worker
from clr_tui.engine.log.commands import Stop, send
from clr_tui.engine.log.events import (
    CheckpointSaved,
    Event,
    Note,
    Progress,
    RunFinished,
    Steps,
    TaskReady,
    TrialStarted,
)
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir, create_run
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import (
    Compare,
    EntryConfig,
    Job,
    OptimizerConfig,
    RangeTest,
    TaskConfig,
    Train,
)
from clr_tui.engine.training.control import StopFlag
from clr_tui.engine.training.overdue_stop import stopping_in_time

E = TypeVar("E", bound=Event)
TASK = """
import torch
from torch import nn
import clr_tui

def data(n=40):
    x = torch.randn(n, 3)
    return x, x.sum(1, keepdim=True)

def task():
    return clr_tui.Task({})
"""
GOOD = (
    "model=lambda: nn.Linear(3, 1), train=data(), validation=data(20), loss=nn.functional.mse_loss"
)
SWEEP = RangeTest(steps=100)


def file(arguments: str, more: str = "") -> str:
    return TASK.replace("{}", arguments).replace("def task", f"{more}\ndef task")


def run_it(run: RunDir) -> int:
    """Does a run in this process, as its worker does."""
    lock = acquire(run.lock_path)
    try:
        return worker._run(run, lock, StopFlag(), resume=False)
    finally:
        os.close(lock)


def run_of(folder: Path, source: str, job: Job = SWEEP) -> RunDir:
    (folder / "mytask.py").write_text(source)
    task = TaskConfig(task=f"{folder}/mytask.py:task", batch_size=10, device="cpu")
    return create_run(folder / "runs", task=task, job=job, version="0", folder=str(folder))


def finished(run: RunDir) -> RunFinished:
    (end,) = [e for e in read_events(run.events_path).events if isinstance(e, RunFinished)]
    return end


def end_of(folder: Path, source: str, job: Job = SWEEP) -> RunFinished:
    """How a run ends in this process."""
    run = run_of(folder, source, job)
    code = run_it(run)
    end = finished(run)
    assert (code, end.outcome) == (1, "failed")
    assert "\n" not in end.message
    return end


STEP = """
def step(model, batch):
    x, y = batch
    return {}
"""
LATE = """
calls = 0
def step(model, batch):
    global calls
    calls += 1
    x, y = batch
    if calls == 60:
        return {}
    return nn.functional.mse_loss(model(x), y)
"""
STEPPED = "model=lambda: nn.Linear(3, 1), train=data(), validation=data(20), step=step"
ELSEWHERE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 1)
    def forward(self, x):
        return self.inner(x).to('meta')
"""
WRONG = {
    "no model": (file(GOOD.replace("lambda: nn.Linear(3, 1)", "None")), "the task's model is None"),
    "model missing": (file("train=data()"), "missing 1 required keyword-only argument: 'model'"),
    "wrong shapes": (
        file(GOOD.replace("nn.Linear(3, 1)", "nn.Linear(4, 1)")),
        "mat1 and mat2 shapes cannot be multiplied",
    ),
    "loss not a scalar": (
        file(STEPPED, STEP.format("(model(x) - y) ** 2")),
        "the loss has the shape (8, 1): return its mean, a scalar",
    ),
    "no data": (file(GOOD.replace("train=data()", "train=None")), "the task has no training data"),
    "empty data": (file(GOOD.replace("train=data()", "train=data(0)")), ""),
    "no function": ("x = 1\n", "mytask.py has no function 'task'"),
    "import error": (f"import torhc\n{TASK}", "no module 'torhc': install it"),
    "wrong device": (file(GOOD.replace("nn.Linear(3, 1)", "Net()"), ELSEWHERE), "meta"),
    "NaN targets": (
        file(
            GOOD, "def data(n=40):\n    return torch.randn(n, 3), torch.full((n, 1), torch.nan)\n"
        ),
        "not finite",
    ),
    "a step that returns None": (
        file(STEPPED, STEP.format("None")),
        "step returned None, not the loss, a scalar tensor",
    ),
    "sys.exit": (file(STEPPED, STEP.format("exit(1)")), "called sys.exit(1)"),
    "an interruption": (file(STEPPED, STEP.format("exec('raise KeyboardInterrupt')")), ""),
    "an error that cannot be written": (
        file(
            STEPPED,
            "class Odd(Exception):\n    def __str__(self): raise ValueError\n"
            "def step(model, batch):\n    raise Odd\n",
        ),
        "Odd (mytask.py:",
    ),
    "an error with any bytes": (
        file(STEPPED, STEP.format("open(b'\\xff\\xfe.csv'.decode('utf-8', 'surrogateescape'))")),
        "No such file or directory",
    ),
    "an error in the step": (
        file(STEPPED, STEP.format("model(x, y)")),
        "TypeError: Linear.forward() takes 2 positional arguments but 3 were given",
    ),
}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_task_is_one_sentence_with_its_line(users_folder: Path, case: str) -> None:
    source, sentence = WRONG[case]
    end = end_of(users_folder, source)
    assert sentence in end.message
    assert "mytask.py" in end.message
    if case != "no function":
        assert "mytask.py:" in end.message
    if end.traceback:
        assert all(
            f'"{users_folder}' in line for line in end.traceback if line.startswith('File "')
        )


LONG = Train(base_lr=1e-3, max_lr=6e-3, step_size_epochs=1, epochs=100_000)


@pytest.mark.parametrize("job", [SWEEP, LONG])
@pytest.mark.parametrize("result", ["None", "exit(3)", "model(x, y)", "torch.ones(3)"])
def test_what_was_measured_before_is_kept(users_folder: Path, job: Job, result: str) -> None:
    run = run_of(users_folder, file(STEPPED, LATE.format(result)), job)
    assert run_it(run) == 1
    assert "(mytask.py:" in finished(run).message
    steps = [s for e in read_events(run.events_path).events if isinstance(e, Steps) for s in e.step]
    assert len(steps) >= 30  # the other calls were of validation


CHOOSING = GOOD + (
    ", precision='bfloat16', optimizer=lambda model: torch.optim.AdamW(model.parameters(), lr=0.01)"
)


@pytest.mark.parametrize("job", [RangeTest(steps=3), Train(base_lr=0.001, max_lr=0.01, epochs=1)])
@pytest.mark.parametrize(("name", "own"), [("sgd", "AdamW"), ("adagrad", "")])
def test_the_log_says_what_the_task_chose(
    users_folder: Path, job: RangeTest | Train, name: str, own: str
) -> None:
    """Its optimizer is not used if another is asked for."""
    job = replace(job, optimizer=OptimizerConfig(name=name))
    run = run_of(users_folder, file(CHOOSING), job)
    assert run_it(run) == 0
    assert [event.own_optimizer for event in events(run, TrialStarted)] == [own]
    assert [event.precision for event in events(run, TaskReady)] == ["bfloat16"]


def wait_until(true: Callable[[], bool]) -> None:
    deadline, pause = time.monotonic() + 100, threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        pause.wait(0.05)


def events(run: RunDir, kind: type[E]) -> list[E]:
    if not run.events_path.exists():
        return []
    return [e for e in read_events(run.events_path).events if isinstance(e, kind)]


ENDLESS = """
print('started', flush=True)
while True:
    try:
        pass
    except Exception:
        pass
"""


@pytest.mark.parametrize("how", ["signal", "command"])
def test_an_endless_import_is_shown_and_can_be_stopped(tmp_path: Path, how: str) -> None:
    run = run_of(tmp_path, ENDLESS)
    pid = launch(run)
    wait_until(lambda: b"started" in run.log_path.read_bytes())
    said = [e.what for e in events(run, Progress)]
    assert said[-1] == "importing mytask.py"
    if how == "signal":
        os.kill(pid, signal.SIGTERM)
    else:
        send(run, Stop(reason="enough"))
    wait_until(lambda: not run.alive)
    end = finished(run)
    expected = "stopped by SIGTERM" if how == "signal" else "enough"
    assert (end.outcome, end.message) == ("stopped", expected)


HANGING = """
import os, threading
calls = 0
def step(model, batch):
    global calls
    calls += 1
    x, y = batch
    if calls == 60:
        with open(os.environ["COMMANDS"], "a") as file:
            file.write('{"type": "stop", "reason": "enough"}\\n')
        threading.Event().wait()
    return nn.functional.mse_loss(model(x), y)
"""


def test_a_step_that_hangs_can_be_stopped(
    users_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = functools.partial(stopping_in_time, patience=0.1)
    monkeypatch.setattr(worker, "stopping_in_time", soon)
    run = run_of(users_folder, file(STEPPED, HANGING), LONG)
    monkeypatch.setenv("COMMANDS", str(run.commands_path))
    assert run_it(run) == 0
    assert finished(run).outcome == "stopped"
    assert re.fullmatch(
        r"enough: what did not return within 0 s was interrupted \(mytask.py:\d+, in step\)",
        finished(run).message,
    )
    # Not saved again: the step may have been done in part.
    assert [e.reason for e in events(run, CheckpointSaved)][-1] in ("best", "last")
    assert (run.checkpoints / "last.pt").exists()
    assert len([s for e in events(run, Steps) for s in e.step]) >= 30


def test_an_optimizer_may_be_beside_the_file(users_folder: Path) -> None:
    """Though the user started clr-tui elsewhere."""
    code = users_folder / "code"
    code.mkdir()
    (code / "optim.py").write_text("import torch\nclass Mine(torch.optim.SGD): ...\n")
    mine = OptimizerConfig(name="optim:Mine")
    (code / "mytask.py").write_text(file(GOOD))
    task = TaskConfig(task=f"{code}/mytask.py:task", batch_size=10, device="cpu")
    run = create_run(
        users_folder / "runs",
        task=task,
        job=RangeTest(steps=100, optimizer=mine),
        version="0",
        folder=str(users_folder),
    )
    assert run_it(run) == 0, finished(run).message


TALKING = """
import os, sys, warnings
import torch
from torch import nn
import clr_tui
import engine, utils

print("printed by", __name__)
print("\\r 50%", end="\\r", file=sys.stderr)
warnings.warn("a warning of mine")
os.chdir("/")
if __name__ == "__main__":
    print("never this")
order = "".join({"a", "b", "c", "d", "e", "f", "g"})

def task(width: int = 4):
    print(f"width {width}, order {order}, draw {torch.rand(1).item()}")
    x = torch.randn(40, 3)
    return clr_tui.Task(
        model=lambda: nn.Sequential(nn.Linear(3, width), utils.Act(), nn.Linear(width, 1)),
        train=(x, x.sum(1, keepdim=True)),
        validation=(x, x.sum(1, keepdim=True)),
        loss=nn.functional.mse_loss,
    )
"""


def test_a_comparison_of_an_own_task_in_processes_of_its_own(tmp_path: Path) -> None:
    """They see the same data, print to the run's worker.log, and load what the worker loaded."""
    (tmp_path / "engine.py").write_text("")
    (tmp_path / "utils.py").write_text(
        "from torch import nn\nclass Act(nn.ReLU): ...\n"
        "import pathlib\npathlib.Path(__file__).write_text('raise ValueError(1)')\n"
    )
    adam, sgd = (
        EntryConfig(label=name, optimizer=OptimizerConfig(name=name), lr=0.01)
        for name in ("adam", "sgd")
    )
    run = run_of(tmp_path, TALKING, Compare(entries=[adam, sgd], seeds=1, epochs=2, jobs=2))
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
    with run.log_path.open("wb") as log:
        code = subprocess.run(
            [sys.executable, "-m", "clr_tui.engine.worker", str(run.path)],
            stdout=log,
            stderr=log,
            env=environment,
            cwd=run.path,
        ).returncode
    text = run.log_path.read_bytes().decode()
    assert (code, finished(run).outcome) == (0, "done"), text
    # The worker, and the pool's two processes, or one if it did both trials before the other began.
    assert text.count("printed by __mp_main__") in (2, 3)
    assert text.count("a warning of mine") >= 2
    assert "\r 50%\r" in text
    assert "never this" not in text
    draws = [line for line in text.splitlines() if line.startswith("width 4")]
    assert len(draws) in (2, 3)
    assert len(set(draws)) == 1
    assert [e.text for e in events(run, Note) if "has changed" in e.text] == [
        "utils.py has changed since this run loaded it: the run carries on with what it loaded"
    ]


def test_a_training_whose_file_changes_says_so_once(tmp_path: Path) -> None:
    run = run_of(tmp_path, file(GOOD), LONG)
    launch(run)
    wait_until(lambda: bool(events(run, Steps)))
    changed = lambda: [e.text for e in events(run, Note) if "has changed" in e.text]  # noqa: E731
    pause = threading.Event()
    while not changed():
        assert run.alive
        (tmp_path / "mytask.py").write_text(f"# {time.time()}\n")
        pause.wait(0.5)
    seen = len(events(run, Steps))
    wait_until(lambda: len(events(run, Steps)) > seen + 10)
    send(run, Stop())
    wait_until(lambda: not run.alive)
    assert changed() == [
        "mytask.py has changed since this run loaded it: the run carries on with what it loaded"
    ]
