"""How often the grid of charts is drawn while a loop logs four times a second."""

from __future__ import annotations

import pytest
from logged_runs import LoggedLog
from run_logs import Clock, app_of, poll

from clr_tui.engine.log import events as ev
from clr_tui.tui.kinds.logged.screen import LoggedScreen

GPU = ev.DeviceUsage(memory_used=1, memory_total=2, utilisation=0.5)


async def drawings(log: LoggedLog, monkeypatch: pytest.MonkeyPatch, polls: int) -> int:
    """How often it was drawn while values came before each of the polls, 0.25 s apart."""
    seen: list[int] = []
    draw = LoggedScreen.show_history

    def record(screen: LoggedScreen) -> None:
        seen.append(1)
        draw(screen)

    monkeypatch.setattr(LoggedScreen, "show_history", record)
    clock = Clock()
    async with app_of(log, clock=clock).run_test(size=(160, 44)) as pilot:
        for _ in range(3):
            await poll(pilot)
        clock.now += 10
        seen.clear()
        for step in range(polls):
            log.tell(ev.Logged(step=[1000 + step], values={"loss": [1.0]}))
            await poll(pilot)
            clock.now += 0.25 + (0.001 if step % 2 else -0.001)  # polls are not exact
        return len(seen)


async def test_it_is_polled_four_times_a_second(own_log, monkeypatch) -> None:
    own_log.live().begin().logs(20)
    timers: list[float] = []
    set_interval = LoggedScreen.set_interval

    def record(screen: LoggedScreen, seconds: float, *args, **kwargs):
        timers.append(seconds)
        return set_interval(screen, seconds, *args, **kwargs)

    monkeypatch.setattr(LoggedScreen, "set_interval", record)
    async with app_of(own_log).run_test() as pilot:
        await poll(pilot)
    assert timers.count(0.25) == 1


async def test_on_an_accelerator_twice_a_second(own_log, monkeypatch) -> None:
    own_log.live().begin().logs(200).tell(GPU)
    assert await drawings(own_log, monkeypatch, 12) == 6


async def test_where_the_loop_uses_the_same_cores_once_a_second(own_log, monkeypatch) -> None:
    own_log.live().begin().logs(200)
    assert await drawings(own_log, monkeypatch, 12) == 3
