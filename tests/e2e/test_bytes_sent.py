"""What a living run's screen sends over the wire: little where little changes, nothing else."""

from __future__ import annotations

import math
import os
import signal
import statistics
from collections.abc import Iterator

import pytest
from homes import Home
from trained_run import trained

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.lock import acquire
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.engine.settings.logged_config import LoggedRun

STEPS, EACH, UPDATES = 1000, 10, 12
BUDGET = 1024
"""Bytes of a steady update."""
QUIET = 0.4
"""Seconds without a byte after which an update is over."""


class Living:
    """A sweep on an accelerator, half way through, whose log a test writes on."""

    def __init__(self, home: Home) -> None:
        self.run = create_run(
            home.runs,
            task=TaskConfig(),
            job=RangeTest(steps=STEPS, end_lr=0.1),
            version="0",
        )
        self.lock = acquire(self.run.lock_path)
        self.writer = EventWriter(self.run.events_path)
        self.done = 0
        for event in (
            ev.RunStarted(run=self.run.id, kind="range-test", version="0", pid=2**30),
            ev.DeviceChosen(device="cuda:0", name="an accelerator", memory=85 * 10**9),
            ev.TrialStarted(trial=0, seed=0, total_steps=STEPS, steps_per_epoch=STEPS // 2),
        ):
            self.writer.write(event)
        while self.done < STEPS // 2:
            self.steps()

    def steps(self) -> None:
        """The next ones, as a worker tells of them."""
        steps = list(range(self.done, self.done + EACH))
        self.done += EACH
        self.writer.write(
            ev.Steps(
                trial=0,
                step=steps,
                lr=[1e-7 * 1e6 ** (i / STEPS) for i in steps],
                loss=[1.6 - 0.3 * i / STEPS + 0.05 * math.sin(1.7 * i) for i in steps],
                elapsed=self.done / 25,
                samples_per_second=1600.0 + self.done % 7,
                eta_seconds=(STEPS - self.done) / 25,
            )
        )

    def close(self) -> None:
        os.close(self.lock)
        self.writer.close()


@pytest.fixture
def living(home: Home) -> Iterator[Living]:
    run = Living(home)
    yield run
    run.close()


@pytest.mark.slow
def test_an_update_sends_a_kilobyte_at_most_and_no_change_nothing(
    home: Home, living: Living
) -> None:
    terminal = home.open("attach", living.run.id, columns=160, rows=44)
    terminal.wait_for(f"{living.done} / 1 000")

    def settle() -> int:
        """All that was sent so far, once it is over."""
        while terminal.read(QUIET):
            pass
        return len(terminal.output)

    before = settle()
    sizes = []
    for _ in range(UPDATES):
        living.steps()
        terminal.wait_for(f"{living.done} / 1 000")
        after = settle()
        sizes.append(after - before)
        before = after
    assert statistics.median(sizes) <= BUDGET, sizes
    assert terminal.read(4 * QUIET) == b""


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (160, 44)])
def test_the_output_of_the_worker_costs_a_kilobyte_at_most_and_nothing_while_hidden(
    home: Home, living: Living, columns: int, rows: int
) -> None:
    def prints(text: str) -> None:
        with open(living.run.log_path, "a", encoding="utf-8") as file:
            file.write(text)

    prints(
        "".join(f"a line of some sixty characters, as most are, number {i}\n" for i in range(50))
    )
    terminal = home.open("attach", living.run.id, columns=columns, rows=rows)
    terminal.wait_for("running")

    def sent_after(text: str, shown: str) -> int:
        while terminal.read(QUIET):
            pass
        before = len(terminal.output)
        prints(text)
        if shown:
            terminal.wait_for(shown)
        while terminal.read(QUIET):
            pass
        return len(terminal.output) - before

    assert sent_after("hidden\n", "") == 0
    terminal.press("l")
    terminal.wait_for("hidden")
    bars = [sent_after(f"\r{i}/100 |{'#' * i}|", f"{i}/100 |") for i in range(10, 16)]
    lines = [sent_after(f"\nthe next one of these lines is {i}", f"is {i} ") for i in range(10, 22)]
    for sizes in (bars, lines):
        assert statistics.median(sizes) <= BUDGET / 4, sizes
        assert max(sizes) <= BUDGET, sizes  # now and then it moves up
    assert terminal.read(4 * QUIET) == b""


class LivingLoop:
    """A user's own loop whose log a test writes on: four charts beside a panel."""

    def __init__(self, home: Home) -> None:
        self.run = create_run(
            home.runs,
            task=TaskConfig(data="", model=""),
            job=LoggedRun(name="loop", config={"lr": "0.1", "optimizer": "sgd"}),
            version="0",
        )
        self.lock = acquire(self.run.lock_path)
        self.writer = EventWriter(self.run.events_path)
        self.done = 0
        self.writer.write(ev.RunStarted(run=self.run.id, kind="logged", version="0", pid=2**30))
        for _ in range(200):
            self.steps(10)

    def steps(self, each: int) -> None:
        """The next ones, in one event; every hundredth is validated."""
        steps = list(range(self.done, self.done + each))
        values: dict[str, list[float | None]] = {
            "loss": [2 * math.exp(-i / 2000) + 0.1 * math.sin(1.7 * i) for i in steps],
            "lr": [0.1 * math.cos(i / 4000) for i in steps],
            "grad_norm": [1 + math.sin(2.3 * i) ** 2 for i in steps],
        }
        self.done += each
        at = [1.79e9 + i / 20 for i in steps]
        self.writer.write(ev.Logged(step=steps, values=values, at=at))
        if self.done % 100 == 0:
            accuracy: dict[str, list[float | None]] = {
                "val/loss": [2 * math.exp(-self.done / 2000) + 0.2],
                "val/accuracy": [1 - math.exp(-self.done / 2000)],
            }
            self.writer.write(ev.Logged(step=[self.done - 1], values=accuracy, at=at[-1:]))

    def close(self) -> None:
        os.close(self.lock)
        self.writer.close()


@pytest.fixture
def loop(home: Home) -> Iterator[LivingLoop]:
    run = LivingLoop(home)
    yield run
    run.close()


@pytest.mark.slow
def test_two_drawings_of_four_charts_send_a_kilobyte_and_no_change_nothing(
    home: Home, loop: LivingLoop
) -> None:
    terminal = home.open("attach", loop.run.id, columns=160, rows=44)
    terminal.wait_for("grad_norm")
    while terminal.read(3 * QUIET):
        pass
    first = len(terminal.output)
    assert first <= 30_000
    sizes = []
    before = first
    for _ in range(24):
        loop.steps(5)
        while not terminal.read(0.1):  # until it is drawn
            pass
        while terminal.read(QUIET):
            pass
        sizes.append(len(terminal.output) - before)
        before = len(terminal.output)
    # It draws at most twice a second, see tests/tui_run/test_logged_pace.py.
    assert 2 * statistics.mean(sizes) <= 1200, sizes
    assert terminal.read(4 * QUIET) == b""


FIRST_PAINT = 30 * 1024
"""Bytes for opening a run of three charts at 160x44."""


@pytest.mark.slow
def test_opening_a_run_sends_thirty_kilobytes_at_most_and_shows_all_of_it(home: Home) -> None:
    terminal = home.open("attach", trained(home), columns=160, rows=44)
    terminal.wait_for("accuracy, %")
    while terminal.read(3 * QUIET):
        pass
    assert len(terminal.output) <= FIRST_PAINT
    shown = terminal.text
    for words in ("learning rate", "loss (smoothing 0.05)", "epoch     20 / 20", "? help"):
        assert words in shown
    assert sum("⠀" < char <= "⣿" for char in shown) > 300  # three curves


@pytest.mark.slow
def test_a_terminal_of_another_size_and_ctrl_l_show_all_of_it_again(home: Home) -> None:
    terminal = home.open("attach", trained(home), columns=120, rows=40)
    terminal.wait_for("accuracy, %")
    while terminal.read(3 * QUIET):
        pass
    whole = terminal.text
    terminal.resize(100, 30)
    terminal.resize(120, 40)  # a terminal may have moved its cells in between
    while terminal.read(3 * QUIET):
        pass
    assert terminal.text == whole
    terminal.scribble("what another program wrote")
    assert terminal.text != whole
    terminal.press("\x0c")
    while terminal.read(3 * QUIET):
        pass
    assert terminal.text == whole


@pytest.mark.slow
def test_after_a_suspension_all_of_it_is_shown_again(home: Home) -> None:
    terminal = home.open("attach", trained(home), columns=120, rows=40)
    terminal.wait_for("accuracy, %")
    while terminal.read(3 * QUIET):
        pass
    whole = terminal.text
    terminal.process.send_signal(signal.SIGTSTP)
    while terminal.read(3 * QUIET):
        pass
    terminal.scribble("the shell's prompt, and what was typed there")
    terminal.process.send_signal(signal.SIGCONT)
    while terminal.read(3 * QUIET):
        pass
    assert terminal.text == whole
