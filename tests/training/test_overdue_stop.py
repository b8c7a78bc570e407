"""Code that does not stop when asked is interrupted, and at last its process is ended."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from clr_tui.engine.log.commands import Command, Stop
from clr_tui.engine.training import overdue_stop
from clr_tui.engine.training.control import Interrupted, StopFlag, Stopped
from clr_tui.engine.training.overdue_stop import stopping_in_time

pytestmark = pytest.mark.usefixtures("deadline")


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overdue_stop, "POLL_SECONDS", 0.01)


@contextmanager
def watched(
    commands: list[Command],
    stop: StopFlag,
    give_up: Callable[[str], None] = pytest.fail,
    patience: float = 0.05,
) -> Iterator[None]:
    with stopping_in_time(lambda: commands, stop, give_up, patience, repeat=patience):
        yield


@pytest.mark.parametrize("how", ["command", "signal"])
def test_code_that_hangs_is_interrupted(how: str) -> None:
    stop = StopFlag()
    commands: list[Command] = []
    if how == "command":
        commands.append(Stop(reason="enough"))
    else:
        stop.set("enough")
    before = signal.getsignal(signal.SIGUSR2)
    with pytest.raises(Interrupted) as stopped, watched(commands, stop):
        threading.Event().wait()
    assert re.fullmatch(
        r"enough: what did not return within 0 s was interrupted \(.*\.py:\d+, in test_code.*\)",
        str(stopped.value),
    )
    assert signal.getsignal(signal.SIGUSR2) == before


def test_code_that_catches_the_interruption_is_given_up() -> None:
    given_up: list[str] = []

    def hang() -> None:
        while not given_up:
            try:
                threading.Event().wait(0.01)
            except Exception:  # noqa: BLE001
                continue

    with watched([Stop()], StopFlag(), given_up.append):
        hang()
    assert given_up == [
        "stopped by request: its process was ended, as what it did could not be interrupted"
    ]


def test_code_that_catches_one_interruption_is_interrupted_again() -> None:
    def stubborn() -> None:
        with contextlib.suppress(Stopped):
            threading.Event().wait()
        threading.Event().wait()

    with pytest.raises(Interrupted), watched([Stop()], StopFlag(), patience=0.2):
        stubborn()


def test_a_signal_is_noticed_while_its_handler_cannot_run() -> None:
    """As within a call of a library that never returns."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    given_up, over = list[str](), threading.Event()

    def note(reason: str) -> None:
        given_up.append(reason)
        over.set()

    handled = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: handled.set())
    try:
        with watched([], StopFlag(), note, patience=0):
            os.kill(os.getpid(), signal.SIGTERM)  # the handler runs, but sets no flag
            with contextlib.suppress(Stopped):
                over.wait()
            while not given_up:
                with contextlib.suppress(Stopped):
                    over.wait(0.01)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert given_up[0].startswith("stopped by SIGTERM: its process was ended")


def test_code_may_end_within_the_patience() -> None:
    asked = threading.Event()

    def commands() -> list[Command]:
        asked.set()
        return [Stop()]

    with stopping_in_time(commands, StopFlag(), pytest.fail, patience=100):
        assert asked.wait(20)


def test_nothing_happens_without_a_stop() -> None:
    polls = threading.Semaphore(0)

    def commands() -> list[Command]:
        polls.release()
        return []

    with stopping_in_time(commands, StopFlag(), pytest.fail, patience=0):
        assert all(polls.acquire(timeout=20) for _ in range(5))
