"""Orders to a run: sent by anyone, read once, in order."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import (
    CommandTail,
    Continue,
    Pause,
    Resume,
    SaveCheckpoint,
    SetBounds,
    Stop,
    ask_to_resume,
    asked_to_resume,
    send,
)
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import RunDir


@pytest.fixture
def living(new_run: Callable[..., RunDir]) -> Iterator[RunDir]:
    run = new_run()
    lock = acquire(run.lock_path)
    yield run
    os.close(lock)


def test_every_command_arrives_once_and_in_order(living: RunDir) -> None:
    tail = CommandTail(living.commands_path)
    assert tail.poll() == []
    sent = [
        SetBounds(base_lr=1e-4, max_lr=6e-4, time=1.0),
        Pause(time=2.0),
        Continue(time=3.0),
        SaveCheckpoint(time=4.0),
        Stop(reason="enough", time=5.0),
    ]
    for command in sent[:2]:
        send(living, command)
    assert tail.poll() == sent[:2]
    assert tail.poll() == []
    for command in sent[2:]:
        send(living, command)
    assert tail.poll() == sent[2:]
    assert CommandTail(living.commands_path).poll() == sent


def test_a_later_worker_gets_no_command_to_an_earlier_one(living: RunDir) -> None:
    before = CommandTail(living.commands_path)
    send(living, Stop(reason="enough", time=1.0))
    assert asked_to_resume(living) is None
    ask_to_resume(living, Resume(reason="first", time=2.0))
    send(living, SaveCheckpoint(time=3.0))
    ask_to_resume(living, Resume(reason="again", epochs=32, time=4.0))
    assert CommandTail(living.commands_path).poll() == []
    send(living, Pause(time=5.0))
    assert CommandTail(living.commands_path).poll() == [Pause(time=5.0)]
    assert before.poll() == [Pause(time=5.0)]
    assert asked_to_resume(living) == Resume(reason="again", epochs=32, time=4.0)


def test_the_time_is_set_where_it_is_not(living: RunDir) -> None:
    send(living, Pause())
    (command,) = CommandTail(living.commands_path).poll()
    assert command.time > living.config().created - 1


def test_a_run_without_a_worker_takes_no_orders(new_run: Callable[..., RunDir]) -> None:
    run = new_run()
    with pytest.raises(UserError, match="'range-test-digits-1' is not running"):
        send(run, Pause())
    assert not run.commands_path.exists()


@pytest.mark.parametrize(
    ("base", "top", "field"),
    [(0.0, 1.0, "base_lr"), (-1.0, 1.0, "base_lr"), (1e-3, float("nan"), "max_lr")],
)
def test_bounds_that_are_no_rates_are_not_sent(
    living: RunDir, base: float, top: float, field: str
) -> None:
    with pytest.raises(UserError, match="must be a number above 0") as caught:
        send(living, SetBounds(base_lr=base, max_lr=top))
    assert caught.value.field == field


def test_lines_that_are_no_commands_are_skipped_and_told_once(living: RunDir) -> None:
    living.commands_path.write_bytes(
        b'null\n\xff\n\n{"type":"dance"}\n{"type":"set-bounds","base_lr":"x","max_lr":1}\n{"torn'
    )
    tail = CommandTail(living.commands_path)
    assert tail.poll() == []
    with pytest.raises(UserError, match=r"4 lines of commands.jsonl: no known command"):
        tail.poll()
    send(living, Pause(time=1.0))  # does not become a part of the torn line
    assert tail.poll() == [Pause(time=1.0)]
    assert tail.poll() == []


def test_a_line_without_end_is_not_held_in_memory(living: RunDir) -> None:
    with open(living.commands_path, "wb") as file:
        for _ in range(20):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + b'{"type":"pause"}\n' * 9000)
    tail = CommandTail(living.commands_path)
    tracemalloc.start()
    found = tail.poll()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [Pause()] * 9000
    assert peak < 6 << 20
    with pytest.raises(UserError, match="1 line of"):
        tail.poll()


_SEND = """
import sys
from pathlib import Path
from clr_tui.engine.log.commands import Stop, send
from clr_tui.engine.log.rundir import RunDir
for i in range(100):
    send(RunDir(Path(sys.argv[1])), Stop(reason=sys.argv[2] * 50, time=float(i + 1)))
"""


def test_processes_that_send_at_once_do_not_mix_their_lines(living: RunDir) -> None:
    senders = [
        subprocess.Popen([sys.executable, "-c", _SEND, str(living.path), name]) for name in "abc"
    ]
    tail = CommandTail(living.commands_path)
    got = []
    while any(sender.poll() is None for sender in senders):
        got += tail.poll()
    got += tail.poll()
    assert [sender.returncode for sender in senders] == [0, 0, 0]
    assert Counter(command.reason for command in got if isinstance(command, Stop)) == {
        name * 50: 100 for name in "abc"
    }
    for name in "abc":
        times = [c.time for c in got if isinstance(c, Stop) and c.reason.startswith(name)]
        assert times == sorted(times)


def test_an_idle_poll_opens_nothing(living: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    send(living, Pause(time=1.0))
    tail = CommandTail(living.commands_path)
    assert tail.poll() == [Pause(time=1.0)]

    def refuse(*_: object) -> int:
        raise AssertionError("opened")

    monkeypatch.setattr(os, "open", refuse)
    assert tail.poll() == []


def test_a_new_commands_file_is_read_from_its_start(living: RunDir) -> None:
    send(living, Stop(reason="a" * 100, time=1.0))
    tail = CommandTail(living.commands_path)
    tail.poll()
    living.commands_path.unlink()
    assert tail.poll() == []
    send(living, Pause(time=2.0))
    assert tail.poll() == [Pause(time=2.0)]
