"""Signals and commands, without a job."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from training_bench import Clock, Script

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Continue, Pause, SaveCheckpoint, Stop, StopTrial
from clr_tui.engine.log.events import CommandRefused, Continued, Paused
from clr_tui.engine.training.control import CommandHandlers, Control, RunRemoved, StopFlag, Stopped
from clr_tui.engine.training.stopwatch import Stopwatch


def make(script: Script) -> tuple[Control, StopFlag, Stopwatch]:
    stop = StopFlag()
    return Control(script.poll, stop, script.emit), stop, Stopwatch(Clock())


def test_without_commands_nothing_happens() -> None:
    script = Script()
    control, _, watch = make(script)
    assert control.handle_commands(CommandHandlers(), watch) is None
    assert not script.events


def test_a_signal_ends_a_pause_at_once() -> None:
    script = Script()
    control, stop, watch = make(script)
    script.order(Pause())
    old = signal.signal(signal.SIGUSR1, lambda *_: stop.set("stopped by SIGUSR1"))
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
    try:
        timer.start()
        assert control.handle_commands(CommandHandlers(), watch) == "stopped by SIGUSR1"
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, old)
    assert [type(e) for e in script.events] == [Paused]


def test_waiting_in_a_pause_costs_no_processor_time() -> None:
    script = Script()
    control, stop, watch = make(script)
    script.order(Pause())
    timer = threading.Timer(0.5, stop.set, ("enough",))
    timer.start()
    begin, begin_work = time.perf_counter(), time.thread_time()
    control.handle_commands(CommandHandlers(), watch)
    work, passed = time.thread_time() - begin_work, time.perf_counter() - begin
    timer.join()
    assert work < 0.2 * passed


def test_pausing_twice_is_pausing_once() -> None:
    script = Script()
    control, _, watch = make(script)
    script.order(Continue(), Pause(), Pause(), Continue(), Continue())
    assert control.handle_commands(CommandHandlers(), watch) is None
    assert [type(e) for e in script.events] == [Paused, Continued]


def test_the_first_reason_counts() -> None:
    stop = StopFlag()
    for number in range(100_000):  # more than a pipe holds
        stop.set(f"reason {number}")
    assert stop.reason == "reason 0"
    assert stop.wait(0)


def test_a_stop_is_seen_between_steps_and_other_orders_wait() -> None:
    script = Script()
    control, _, watch = make(script)
    saved = []
    orders = CommandHandlers(save_checkpoint=lambda: saved.append(1))
    script.order(SaveCheckpoint())
    control.raise_if_stopped()
    script.order(Stop(reason="enough"))
    with pytest.raises(Stopped, match="enough"):
        control.raise_if_stopped()
    assert not saved
    assert control.handle_commands(orders, watch) == "enough"
    assert saved == [1]


def test_what_a_job_cannot_do_is_refused_with_a_sentence() -> None:
    script = Script()
    control, _, watch = make(script)
    script.order(SaveCheckpoint())
    assert control.handle_commands(CommandHandlers(), watch) is None
    (refused,) = script.of(CommandRefused)
    assert refused.command == "save-checkpoint"
    assert "saves no checkpoint" in refused.reason


def test_a_pause_ends_when_nobody_is_there_any_more() -> None:
    def gone() -> None:
        raise FileNotFoundError

    script = Script()
    control = Control(script.poll, StopFlag(), script.emit, raise_if_gone=gone)
    script.order(Pause())
    with pytest.raises(FileNotFoundError):
        control.handle_commands(CommandHandlers(), Stopwatch(Clock()))


def test_an_order_that_fails_for_good_is_not_swallowed() -> None:
    def broken() -> None:
        raise OSError("the disk")

    script = Script()
    control, _, watch = make(script)
    script.order(SaveCheckpoint())
    with pytest.raises(OSError, match="the disk"):
        control.handle_commands(CommandHandlers(save_checkpoint=broken), watch)


def test_a_refusal_names_no_more_than_it_must() -> None:
    def refuse() -> None:
        raise UserError("not now")

    script = Script()
    control, _, watch = make(script)
    script.order(SaveCheckpoint())
    control.handle_commands(CommandHandlers(save_checkpoint=refuse), watch)
    assert script.events == [CommandRefused(command="save-checkpoint", reason="not now")]


def test_orders_that_cannot_be_read_do_not_end_the_work() -> None:
    script = Script()
    control, _, watch = make(script)

    def fail() -> None:
        raise UserError("'commands.jsonl' cannot be read: Permission denied")

    script.at_poll.append(fail)
    assert control.handle_commands(CommandHandlers(), watch) is None
    (refused,) = script.of(CommandRefused)
    assert "cannot be read" in refused.reason
    script.order(Stop(reason="enough"))
    assert control.handle_commands(CommandHandlers(), watch) == "enough"


def test_one_trial_is_not_stopped_where_trials_follow_one_another() -> None:
    script = Script()
    control, _, watch = make(script)
    script.order(StopTrial(trial=0))
    assert control.handle_commands(CommandHandlers(), watch) is None
    (refused,) = script.of(CommandRefused)
    assert refused.command == "stop-trial"
    assert "stop the run" in refused.reason


def test_a_job_may_take_its_orders_and_carry_them_out_itself() -> None:
    script = Script()
    control, stop, _ = make(script)
    script.order(Pause(), StopTrial(trial=3))
    control.raise_if_stopped()  # hears of them, and leaves them
    script.order(Stop(reason="enough"))
    assert control.take_commands() == ([Pause(), StopTrial(trial=3), Stop(reason="enough")], None)
    stop.set("stopped by SIGTERM")
    assert control.take_commands() == ([], "stopped by SIGTERM")
    assert not script.events


def test_who_takes_orders_learns_that_the_run_is_gone() -> None:
    def gone() -> None:
        raise RunRemoved("removed")

    script = Script()
    with pytest.raises(RunRemoved):
        Control(script.poll, StopFlag(), script.emit, raise_if_gone=gone).take_commands()
