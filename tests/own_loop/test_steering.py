"""`run.steps`: the loop is paused, stopped and given new bounds from a screen, between steps."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from loops import ending, events, wait_until

import clr_tui
from clr_tui.engine.log import commands
from clr_tui.engine.log.commands import Continue, Pause, SaveCheckpoint, SetBounds, Stop, send
from clr_tui.engine.log.events import BoundsChanged, CommandRefused, Continued, Logged, Paused
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.summary import summarise


class Loop:
    """A loop that makes a step whenever it is told to, in a thread of its own."""

    def __init__(self, run: clr_tui.Run, schedule: Any = None, batches: int = 10**6) -> None:
        self.run = run
        self.steps = 0
        self._go, self._made = threading.Semaphore(0), threading.Semaphore(0)
        self._batches = run.steps(range(batches), schedule)
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        for batch in self._batches:
            self._go.acquire()
            self.run.log(loss=float(batch))
            self.steps += 1
            self._made.release()

    def step(self) -> None:
        self._go.release()
        assert self._made.acquire(timeout=60)

    def step_until(self, true: Callable[[], bool]) -> None:
        """Makes steps, as a loop that nothing holds."""

        def once() -> bool:
            if not true() and self.thread.is_alive():
                self._go.release()
                self._made.acquire(timeout=0.1)
            return true()

        wait_until(once)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[clr_tui.Run]:
    with clr_tui.start("a", runs_dir=tmp_path) as run:
        yield run


@pytest.fixture
def there(tmp_path: Path, run: clr_tui.Run) -> RunDir:
    return RunDir(tmp_path / run.id)


def test_all_batches_come_in_their_order_and_number(run: clr_tui.Run) -> None:
    steps = run.steps(["a", "b", "c"])
    assert len(steps) == 3
    assert list(steps) == ["a", "b", "c"]
    assert list(steps) == ["a", "b", "c"]  # the next epoch
    assert list(run.steps(iter("ab"))) == ["a", "b"]
    with pytest.raises(TypeError):
        len(run.steps(iter("ab")))


def test_a_pause_holds_the_loop_until_it_is_continued(run: clr_tui.Run, there: RunDir) -> None:
    loop = Loop(run)
    loop.step()
    send(there, Pause())
    loop.step_until(lambda: bool(events(there, Paused)))
    assert summarise(there).status == "paused"
    made = loop.steps
    loop._go.release()
    assert not loop._made.acquire(timeout=0.5)
    assert loop.steps == made
    send(there, Continue())
    assert loop._made.acquire(timeout=60)
    assert len(events(there, Continued)) == 1
    assert summarise(there).status == "running"


def test_a_stop_ends_the_loop_and_the_epochs_after_it(run: clr_tui.Run, there: RunDir) -> None:
    loop = Loop(run)
    loop.step()
    assert not run.stopping
    send(there, Stop(reason="enough"))
    loop.step_until(lambda: not loop.thread.is_alive())
    assert run.stopping
    assert list(run.steps([1, 2, 3])) == []
    run.finish()
    end = ending(there)
    assert (end.outcome, end.message) == ("stopped", "enough")
    assert summarise(there).status == "stopped"


def test_a_stop_ends_a_pause(run: clr_tui.Run, there: RunDir) -> None:
    loop = Loop(run)
    send(there, Pause())
    loop.step_until(lambda: bool(events(there, Paused)))
    send(there, Stop())
    loop._go.release()
    loop.thread.join(timeout=60)
    assert not loop.thread.is_alive()
    assert run.stopping


class Schedule:
    def __init__(self) -> None:
        self.bounds: list[tuple[float, float]] = []

    def set_bounds(self, base_lr: float, max_lr: float) -> None:
        if base_lr == 0.25:
            raise ValueError("not these")
        self.bounds.append((base_lr, max_lr))


def test_new_bounds_reach_the_schedule_and_the_log(run: clr_tui.Run, there: RunDir) -> None:
    schedule = Schedule()
    loop = Loop(run, schedule)
    send(there, SetBounds(base_lr=1e-4, max_lr=6e-4))
    loop.step_until(lambda: bool(events(there, BoundsChanged)))
    assert schedule.bounds == [(1e-4, 6e-4)]
    assert run.bounds == (1e-4, 6e-4)
    (changed,) = events(there, BoundsChanged)
    assert (changed.base_lr, changed.max_lr) == (1e-4, 6e-4)
    logged = [step for event in events(there, Logged) for step in event.step]
    assert changed.step in (len(logged), len(logged) - 1, loop.steps)


def test_clr_takes_new_bounds(run: clr_tui.Run, there: RunDir) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    schedule = clr_tui.CLR(optimizer, max_lr=0.1, base_lr=0.01, step_size=1000)
    loop = Loop(run, schedule)
    send(there, SetBounds(base_lr=2.0, max_lr=4.0))
    loop.step_until(lambda: bool(events(there, BoundsChanged)))
    optimizer.step()
    schedule.step()
    assert 2.0 <= optimizer.param_groups[0]["lr"] <= 4.0


def test_a_schedule_that_refuses_is_heard(run: clr_tui.Run, there: RunDir) -> None:
    schedule = Schedule()
    loop = Loop(run, schedule)
    send(there, SetBounds(base_lr=0.25, max_lr=0.5))
    loop.step_until(lambda: bool(events(there, CommandRefused)))
    (refused,) = events(there, CommandRefused)
    assert (refused.command, refused.reason) == ("set-bounds", "ValueError: not these")
    assert run.bounds is None


def test_bounds_that_are_none_are_refused(
    run: clr_tui.Run, there: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "bounds_mistakes", lambda *_: [])  # as a file by another hand
    schedule = Schedule()
    loop = Loop(run, schedule)
    send(there, SetBounds(base_lr=0.5, max_lr=-1.0))
    loop.step_until(lambda: bool(events(there, CommandRefused)))
    assert schedule.bounds == []


def test_a_loop_may_read_its_bounds_itself(run: clr_tui.Run, there: RunDir) -> None:
    assert run.bounds is None
    loop = Loop(run)
    send(there, SetBounds(base_lr=1e-4, max_lr=6e-4))
    loop.step_until(lambda: run.bounds is not None)
    assert run.bounds == (1e-4, 6e-4)


def test_a_loop_without_bounds_says_so(run: clr_tui.Run, there: RunDir) -> None:
    loop = Loop(run)
    send(there, SetBounds(base_lr=1e-4, max_lr=6e-4))
    loop.step_until(lambda: bool(events(there, CommandRefused)))
    assert "no bounds to move" in events(there, CommandRefused)[0].reason


def test_checkpoints_are_the_loops_own(run: clr_tui.Run, there: RunDir) -> None:
    loop = Loop(run)
    send(there, SaveCheckpoint())
    loop.step_until(lambda: bool(events(there, CommandRefused)))
    assert "its own checkpoints" in events(there, CommandRefused)[0].reason


@pytest.mark.parametrize("command", [Pause(), Stop(), SetBounds(base_lr=1e-4, max_lr=6e-4)])
def test_a_loop_that_only_logs_refuses_commands(
    run: clr_tui.Run, there: RunDir, command: Any
) -> None:
    run.log(loss=1.0)
    send(there, command)
    wait_until(lambda: bool(events(there, CommandRefused)))
    assert "does not go through run.steps" in events(there, CommandRefused)[0].reason


def test_a_command_that_comes_before_the_loop_waits_for_it(
    run: clr_tui.Run, there: RunDir, tmp_path: Path
) -> None:
    send(there, Stop(reason="too early"))
    steering = run._steering
    assert steering is not None
    wait_until(lambda: bool(steering._early))
    assert events(there, CommandRefused) == []
    run.steps([])
    wait_until(lambda: run.stopping)


def test_a_loop_that_only_asks_whether_to_stop_can_be_stopped(
    run: clr_tui.Run, there: RunDir
) -> None:
    assert not run.stopping
    send(there, Stop())
    wait_until(lambda: run.stopping)
    assert events(there, CommandRefused) == []


def test_several_ranks_refuse_what_they_would_not_do_together(
    run: clr_tui.Run, there: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    run.steps([])
    run.log(loss=1.0)
    send(there, Stop())
    wait_until(lambda: bool(events(there, CommandRefused)))
    assert "trains in 4 processes" in events(there, CommandRefused)[0].reason


def test_a_folder_that_is_removed_during_a_pause_lets_the_loop_go_on(
    run: clr_tui.Run, there: RunDir
) -> None:
    loop = Loop(run)
    send(there, Pause())
    loop.step_until(lambda: bool(events(there, Paused)))
    shutil.rmtree(there.path)
    loop.step()
    loop.step()


def test_nonsense_among_commands_is_passed_over(run: clr_tui.Run, there: RunDir) -> None:
    loop = Loop(run)
    there.commands_path.write_bytes(b'\xff\n{"type": "dance"}\nnull\n{"type": "pause"')
    loop.step()
    send(there, Stop(reason="for real"))
    loop.step_until(lambda: not loop.thread.is_alive())
    run.finish()
    assert ending(there).message == "for real"


def test_a_step_costs_a_stat_only_of_the_writing_thread(
    run: clr_tui.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps read no file: commands are read beside the loop, four times a second."""
    polled: list[str] = []
    poll = commands.CommandTail.poll

    def noted(tail: commands.CommandTail) -> Any:
        polled.append(threading.current_thread().name)
        return poll(tail)

    monkeypatch.setattr(commands.CommandTail, "poll", noted)
    for _ in run.steps(range(20_000)):
        run.log(loss=1.0)
    wait_until(lambda: bool(polled))
    assert set(polled) == {f"log of {run.id}"}
