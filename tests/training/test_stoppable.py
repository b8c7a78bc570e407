"""Code that never returns is ended by a stop, however it spends its time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from clr_tui.engine.training.control import Stopped
from clr_tui.engine.training.stoppable import stoppable


def stop_after(calls: int) -> Callable[[], None]:
    count = 0

    def check() -> None:
        nonlocal count
        count += 1
        if count >= calls:
            raise Stopped("stopped by request")

    return check


def busy() -> None:
    while True:
        pass


def waiting() -> None:
    threading.Event().wait(60)


def stubborn() -> None:
    caught = 0
    while caught < 2:
        try:
            busy()
        except Exception:  # noqa: BLE001
            caught += 1
        except:  # noqa: E722
            caught += 1
    busy()


@pytest.mark.parametrize("work", [busy, waiting, stubborn])
def test_it_ends_whatever_the_code_does(work: Callable[[], None]) -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with pytest.raises(Stopped, match="stopped by request"), stoppable(stop_after(2)):
        work()
    assert signal.getsignal(signal.SIGUSR1) == before


def test_an_error_of_the_code_is_its_own() -> None:
    with pytest.raises(ValueError, match="mine"), stoppable(lambda: None):
        raise ValueError("mine")


def test_handlers_that_the_code_replaces_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stoppable(lambda: None):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) == before


def test_nothing_is_watched_in_another_thread() -> None:
    done = []

    def work() -> None:
        with stoppable(stop_after(1)):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
