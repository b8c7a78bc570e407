"""The main job as its users do it: a real terminal, a real worker, and the terminal's death."""

from __future__ import annotations

import math
import re
import signal
import time
from collections.abc import Callable

import pytest
from homes import Home
from terminal import Terminal

from clr_tui.engine.log.commands import Stop, send
from clr_tui.engine.log.events import AnyEvent, BoundsChanged, EpochFinished, RunFinished, Steps
from clr_tui.engine.log.lock import is_held
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.tail import read_events
from clr_tui.engine.settings.config import Train

pytestmark = pytest.mark.slow


def events(run: RunDir) -> list[AnyEvent]:
    batch = read_events(run.events_path)
    assert not batch.corrupt
    return batch.events


def until(condition: Callable[[], bool], seconds: float, tick: Callable[[], object]) -> None:
    """Asks again, with `tick` between, till `condition` holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        tick()


def panel_value(text: str, name: str) -> float:
    """The figure behind `name` in the side panel; NaN while it is not there."""
    found = re.search(rf"{name}\s+(\d\.\de[-+]\d+)", text)
    return float(found[1]) if found else math.nan


def epochs(run: RunDir) -> int:
    return sum(isinstance(event, EpochFinished) for event in events(run))


def test_sweep_set_train_and_outlive_the_terminal(home: Home) -> None:
    terminal = home.open("range-test", "--batch-size", "32", "--seed", "1", "--steps", "200")
    terminal.wait_for("is recommended", 180)
    text = terminal.wait_for(
        lambda text: panel_value(text, "max_lr") > panel_value(text, "base_lr")
    )
    base, top = panel_value(text, "base_lr"), panel_value(text, "max_lr")

    terminal.press("left", "left", "left")
    terminal.wait_for(lambda text: panel_value(text, "max_lr") < top)
    terminal.press("tab", "left", "left", "left", "left")
    terminal.wait_for(lambda text: panel_value(text, "base_lr") < base)

    terminal.press("t")
    terminal.wait_for("Train with CLR")
    terminal.press("\x7f\x7f", "4000", "enter")
    terminal.wait_for("● running", 60)
    terminal.wait_for(lambda text: "best" in text and "epoch" in text and "validation" in text)
    run = home.only_run("train")
    job = run.config().job
    assert isinstance(job, Train)
    assert job.epochs == 4000  # typed in one burst, the two old digits deleted first
    until(lambda: epochs(run) >= 2, 120, lambda: terminal.read(0.1))

    terminal.hang_up()
    assert terminal.process.wait(20) is not None
    assert is_held(run.lock_path)
    seen = epochs(run)

    again = home.open("attach")
    until(lambda: epochs(run) >= seen + 2, 120, lambda: again.read(0.1))
    again.wait_for("● running")
    send(run, Stop())
    again.wait_for("stopped", 60)
    again.press("q")
    assert again.wait_for_exit() == 0
    check_nothing_is_missing(run, base, top)


def check_nothing_is_missing(run: RunDir, base: float, top: float) -> None:
    story = events(run)
    assert [event.seq for event in story] == list(range(len(story)))
    steps = [step for event in story if isinstance(event, Steps) for step in event.step]
    assert steps == list(range(len(steps)))
    bounds = next(event for event in story if isinstance(event, BoundsChanged))
    assert bounds.base_lr < base
    assert bounds.max_lr < top
    assert isinstance(story[-1], RunFinished)
    assert story[-1].outcome == "stopped"
    assert (run.path / "checkpoints" / "last.pt").exists()


def restored(terminal: Terminal) -> bool:
    """Left the alternate screen, the cursor shown, mouse reports off: as it was found."""
    output = bytes(terminal.output)
    last = output.rfind(b"\x1b[?1049h")
    return all(output.rfind(code) > last for code in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1003l"))


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGHUP"])
def test_signals_leave_the_terminal_restored_and_the_worker_alive(
    home: Home, signal_name: str
) -> None:
    terminal = home.open("train", "--base-lr", "1e-3", "--max-lr", "6e-3", "--epochs", "4000")
    terminal.wait_for("● running", 90)
    run = home.only_run("train")
    terminal.process.send_signal(getattr(signal, signal_name))
    terminal.wait_for_exit()
    assert restored(terminal)
    assert "clr-tui attach" in terminal.output.decode(errors="replace").rpartition("\x1b[?1049l")[2]
    assert is_held(run.lock_path)
    seen = len(events(run))
    until(lambda: len(events(run)) > seen, 60, lambda: terminal.process.poll())
