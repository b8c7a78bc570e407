"""The pool's processes: killed by hand, left behind, stopped, held."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from comparing_runs import (
    ADAM,
    LONG,
    PER_EPOCH,
    check_event_order,
    children,
    events_of,
    events_of_type,
    kill,
    lives,
    new_run,
    wait_until,
)

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.comparing import pool as pool_module
from clr_tui.engine.comparing.executor import TrialEvent, TrialLost, TrialWork
from clr_tui.engine.comparing.pool import Pool
from clr_tui.engine.comparing.scheduler import CompareContext, run_comparison
from clr_tui.engine.log.commands import Continue, Pause, Stop, StopTrial, send
from clr_tui.engine.log.events import (
    Continued,
    Event,
    Note,
    Overall,
    Paused,
    PoolReady,
    Resumed,
    RunFinished,
    Steps,
    TrialFinished,
    TrialStarted,
)
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.settings.config import (
    Compare,
    OptimizerConfig,
    RunConfig,
    Train,
)
from clr_tui.engine.training.control import Control, StopFlag
from clr_tui.engine.training.session import Result

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
TRIALS = range(4)


@pytest.fixture
def launched(tmp_path: Path) -> Callable[[Compare], tuple[RunDir, int]]:
    """A run whose two first trials are at work, and its worker's process id."""

    def start(config: Compare) -> tuple[RunDir, int]:
        run = new_run(tmp_path, config)
        pid = launch(run)
        wait_until(lambda: {e.trial for e in events_of_type(run, Steps)} == {0, 2})
        return run, pid

    return start


Launched = Callable[[Compare], tuple[RunDir, int]]


@linux
def test_processes_end_with_a_worker_that_is_killed(launched: Launched) -> None:
    run, worker = launched(LONG)
    processes = children(worker)
    assert len(processes) == 2
    assert all(lives(pid) for pid in processes)
    kill(worker)
    wait_until(lambda: not any(lives(pid) for pid in processes))
    # They did not hold the lock on beyond the worker's end.
    assert not run.alive
    assert not events_of_type(run, RunFinished)


@linux
def test_a_pause_then_a_stop_of_one_then_of_all(launched: Launched) -> None:
    run, worker = launched(LONG)
    processes = children(worker)
    send(run, Pause())
    wait_until(lambda: bool(events_of_type(run, Paused)))
    send(run, StopTrial(trial=1))  # it waits
    send(run, StopTrial(trial=2))  # it is held
    wait_until(lambda: {e.trial for e in events_of_type(run, TrialFinished)} == {1, 2})
    send(run, Continue())
    wait_until(lambda: bool(events_of_type(run, Continued)))
    at = {type(e): i for i, e in enumerate(events_of(run)) if isinstance(e, Paused | Continued)}
    between = events_of(run)[at[Paused] + 1 : at[Continued]]
    assert {type(e) for e in between} == {TrialFinished, Overall}
    wait_until(lambda: {e.trial for e in events_of_type(run, TrialStarted)} == {0, 2, 3})
    os.kill(worker, signal.SIGTERM)
    wait_until(lambda: not run.alive)
    events = events_of(run)
    check_event_order(events)
    ends = {e.trial: (e.outcome, e.reason) for e in events_of_type(run, TrialFinished)}
    assert ends == {
        1: ("stopped", "stopped by request"),
        2: ("stopped", "stopped by request"),
        0: ("stopped", "stopped by SIGTERM"),
        3: ("stopped", "stopped by SIGTERM"),
    }
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].outcome, events[-1].message) == ("stopped", "stopped by SIGTERM")
    assert not any(lives(pid) for pid in processes)
    assert (len(events_of_type(run, Paused)), len(events_of_type(run, Continued))) == (1, 1)


@linux
def test_a_run_that_is_removed_ends_with_all_its_processes(launched: Launched) -> None:
    run, worker = launched(LONG)
    processes = children(worker)
    shutil.rmtree(run.path, ignore_errors=True)
    shutil.rmtree(run.path, ignore_errors=True)  # a file may have been made in between
    wait_until(lambda: not any(lives(pid) for pid in [worker, *processes]))
    assert not run.events_path.exists()


@pytest.fixture
def pool(tmp_path: Path) -> object:
    made: list[Pool] = []

    def make(jobs: int) -> Pool:
        config = RunConfig(id="r", created=0.0, version="0", job=Compare(entries=[]))
        made.append(Pool(config, devices=["cpu"], jobs=jobs, threads=1, folder=tmp_path))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_trial_whose_process_is_killed_is_run_again(pool: Callable[[int], Pool]) -> None:
    config = Compare(entries=[ADAM], seeds=4, epochs=3)
    events: list[Event] = []
    ours = pool(2)
    killed: list[int] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, Steps) and event.trial == 1 and not killed:
            killed.append(ours.pids[1])
            kill(killed[0])

    stage = CompareContext(
        config=RunConfig(id="r", created=0.0, version="0", job=config),
        executor=ours,
        pool=PoolReady(jobs=2, threads=1, devices=["cpu"]),
        emit=emit,
        control=Control(list, StopFlag(), emit),
        steps_per_epoch=PER_EPOCH,
        sweep_steps=100,
        metric="accuracy",
        default_rate=lambda entry: 0.1,
    )
    assert run_comparison(stage, config) == Result("done")
    ends = {e.trial: e for e in events if isinstance(e, TrialFinished)}
    assert {trial: end.outcome for trial, end in ends.items()} == dict.fromkeys(TRIALS, "done")
    assert [e.trial for e in events if isinstance(e, Resumed)] == [1]
    (note,) = [e.text for e in events if isinstance(e, Note)]
    assert note.startswith("adam, seed 1: its process was killed (SIGKILL)")
    history = RunHistory(stage.config)
    for event in events:
        history.apply(event)
    assert not history.corrupt
    for trial in history.trials.values():
        assert trial.step.tolist() == list(range(3 * PER_EPOCH))


WORK = TrialWork(
    trial=0,
    seed=0,
    entry=0,
    label="adam",
    train=Train(base_lr=0.001, max_lr=0.001, policy="constant", epochs=2000),
)
SHORT = msgspec.structs.replace(WORK, train=msgspec.structs.replace(WORK.train, epochs=1))


def hear(pool: Pool, until: Callable[[TrialEvent], bool]) -> list[TrialEvent]:
    told: list[TrialEvent] = []

    def poll() -> bool:
        told.extend(pool.poll(0.05))
        return any(until(t) for t in told)

    wait_until(poll)
    return told


def ended(told: TrialEvent) -> bool:
    return isinstance(told.event, TrialLost | TrialFinished)


def test_a_process_serves_trial_after_trial_and_is_replaced_when_lost(
    pool: Callable[[int], Pool],
) -> None:
    ours = pool(1)
    ours.submit(WORK)
    first = ours.pids[0]
    hear(ours, lambda t: isinstance(t.event, Steps))
    ours.order(0, Stop(reason="enough"))
    end = hear(ours, ended)[-1].event
    assert (end.outcome, end.reason) == ("stopped", "enough")
    assert not ours.pids

    ours.order(0, Stop())  # void: it has ended
    ours.submit(msgspec.structs.replace(WORK, trial=1))
    assert ours.pids == {1: first}
    hear(ours, lambda t: isinstance(t.event, Steps))
    kill(first)
    end = hear(ours, ended)[-1]
    assert end.trial == 1
    assert "SIGKILL" in end.event.reason

    ours.submit(msgspec.structs.replace(WORK, trial=2))
    assert ours.pids[2] != first
    assert isinstance(hear(ours, lambda t: t.trial == 2)[0].event, TrialStarted)


def test_a_process_is_replaced_that_failed_but_not_where_the_loss_diverged(
    pool: Callable[[int], Pool],
) -> None:
    ours = pool(1)
    sgd = OptimizerConfig(name="sgd", momentum=0.0)
    wild = msgspec.structs.replace(WORK.train, base_lr=1e20, max_lr=1e20, optimizer=sgd)
    wrong = msgspec.structs.replace(WORK.train, optimizer=OptimizerConfig(name="torch:Tensor"))
    used = []
    for trial, train in enumerate((wild, wrong, wild)):
        ours.submit(msgspec.structs.replace(WORK, trial=trial, train=train))
        used.append(ours.pids[trial])
        end = hear(ours, ended)[-1]
        assert (end.trial, end.event.outcome) == (trial, "failed")
    assert used[0] == used[1] != used[2]


@pytest.fixture
def idle(pool: Callable[[int], Pool]) -> tuple[Pool, int]:
    """A pool with one process, which has done trial 0."""
    ours = pool(1)
    ours.submit(SHORT)
    first = ours.pids[0]
    assert hear(ours, ended)[-1].event.outcome == "done"
    return ours, first


@linux
def test_an_idle_process_that_dies_costs_no_trial(idle: tuple[Pool, int]) -> None:
    ours, first = idle
    kill(first)
    wait_until(lambda: not lives(first))
    ours.submit(msgspec.structs.replace(SHORT, trial=1))
    told = hear(ours, ended)
    assert {t.trial for t in told} == {1}
    assert told[-1].event.outcome == "done"


def test_a_process_that_dies_before_taking_its_trial_costs_no_trial(idle: tuple[Pool, int]) -> None:
    ours, first = idle
    os.kill(first, signal.SIGSTOP)
    ours.submit(msgspec.structs.replace(SHORT, trial=1))
    assert ours.pids == {1: first}
    kill(first)
    told = hear(ours, ended)
    assert {t.trial for t in told} == {1}
    assert told[-1].event.outcome == "done"


@linux
def test_two_processes_that_die_at_once_cost_no_trial(pool: Callable[[int], Pool]) -> None:
    ours = pool(2)
    for trial in (0, 1):
        ours.submit(msgspec.structs.replace(SHORT, trial=trial))
    processes = list(ours.pids.values())
    done: set[int] = set()

    def both(told: TrialEvent) -> bool:
        done.update({told.trial} if ended(told) else ())
        return done == {0, 1}

    hear(ours, both)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    ours.submit(msgspec.structs.replace(SHORT, trial=2))
    for pid in processes:
        kill(pid)
    wait_until(lambda: not any(map(lives, processes)))
    told = hear(ours, ended)
    assert {t.trial for t in told} == {2}
    assert told[-1].event.outcome == "done"
    assert ours.pids == {}


def test_a_stopped_trial_is_not_restarted(idle: tuple[Pool, int]) -> None:
    ours, first = idle
    os.kill(first, signal.SIGSTOP)
    ours.submit(msgspec.structs.replace(SHORT, trial=1))
    ours.order(1, Stop())
    kill(first)
    told = hear(ours, ended)
    assert [(t.trial, type(t.event)) for t in told] == [(1, TrialLost)]


def test_a_trial_that_does_not_stop_is_killed(
    pool: Callable[[int], Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs, or was halted by hand."""
    monkeypatch.setattr(pool_module, "STOP_SECONDS", 0.5)
    ours = pool(1)
    ours.submit(WORK)
    hear(ours, lambda t: isinstance(t.event, Steps))
    os.kill(ours.pids[0], signal.SIGSTOP)
    ours.order(0, Stop())
    assert isinstance(hear(ours, ended)[-1].event, TrialLost)
    monkeypatch.setattr(pool_module, "STOP_SECONDS", 600.0)
    ours.submit(msgspec.structs.replace(WORK, trial=1))
    hear(ours, lambda t: t.trial == 1 and isinstance(t.event, Steps))
    ours.order(1, Stop())
    assert hear(ours, ended)[-1].event.outcome == "stopped"


class Hanging:
    """A process that no signal reaches."""

    killed = 0

    def wait(self, seconds: float) -> int:
        raise subprocess.TimeoutExpired("trial", seconds)

    def kill(self) -> None:
        self.killed += 1


def test_nobody_waits_for_ever_for_a_process_that_hangs() -> None:
    hanging = Hanging()
    assert pool_module._wait_or_kill(hanging) == -signal.SIGKILL
    assert hanging.killed


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "ended by itself (exit code 3)"),
        (-signal.SIGSEGV, "ended by SIGSEGV"),
        (-signal.SIGKILL, "was killed (SIGKILL): out of memory, or by hand"),
        (-signal.SIGTERM, "was ended by SIGTERM"),
        (-40, "ended by signal 40"),  # one of the real-time signals
    ],
)
def test_how_a_process_ended(code: int, words: str) -> None:
    assert words in pool_module._lost(code, None).reason


def test_signals_for_the_worker_do_not_reach_the_trials(pool: Callable[[int], Pool]) -> None:
    ours = pool(1)
    ours.submit(WORK)
    hear(ours, lambda t: isinstance(t.event, Steps))
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(ours.pids[0], number)
    heard = hear(ours, lambda t: isinstance(t.event, Steps))
    last = max(t.event.step[-1] for t in heard if isinstance(t.event, Steps))
    hear(ours, lambda t: isinstance(t.event, Steps) and t.event.step[0] > last)
    os.kill(ours.pids[0], signal.SIGTERM)
    assert "SIGTERM" in hear(ours, ended)[-1].event.reason


def test_a_process_listens_before_it_loads_torch() -> None:
    """Loading takes seconds, in which the pool may go."""
    code = "import sys, clr_tui.engine.comparing.trial_process; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
