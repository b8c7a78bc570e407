"""How often a living run is drawn: seldom where the cores that draw are those that train."""

from __future__ import annotations

import pytest
from run_logs import Clock, Log, app_of, poll, usual

from clr_tui.engine.log import events as ev
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen
from clr_tui.tui.screens.run_screen import CPU_SECONDS, UNPACED_SECONDS


@pytest.fixture
def drawings(monkeypatch) -> list[int]:
    """The steps that had come when the charts were drawn, each time."""
    seen: list[int] = []
    draw = RangeTestScreen.show_history

    def record(screen) -> None:
        seen.append(sum(len(trial) for trial in screen.history.trials.values()))
        draw(screen)

    monkeypatch.setattr(RangeTestScreen, "show_history", record)
    return seen


def tell_step(log: Log, step: int) -> None:
    log.tell(ev.Steps(trial=0, step=[step], lr=[1e-3 * 1.01**step], loss=[1.5], elapsed=step / 25))


async def drawn_over_time(
    log: Log, drawings: list[int], apart: float, polls: int, *, last: ev.Event | None = None
) -> int:
    """How often it was drawn while a step came before each of `polls` polls, `apart` seconds."""
    clock = Clock()
    async with app_of(log, clock=clock).run_test(size=(100, 30)) as pilot:
        await poll(pilot)
        clock.now += 10
        drawings.clear()
        for step in range(polls):
            tell_step(log, 20 + step)
            await poll(pilot)
            clock.now += apart + (0.001 if step % 2 else -0.001)  # polls are not exact
        if last is not None:
            log.tell(last)
            await poll(pilot)
        return len(drawings)


async def test_on_an_accelerator_each_poll_that_brings_steps_draws(sweep_log, drawings):
    sweep_log.live().begin().sweep(usual, until=20)
    assert await drawn_over_time(sweep_log, drawings, CPU_SECONDS / 4, 12) == 12
    sweep_log.die()


def on_the_cpu(log: Log, seconds: float) -> Log:
    """A run that began so long ago."""
    log.live().begin().tell(ev.DeviceChosen(device="cpu", name="a processor", memory=10**9))
    log.clock.now += seconds
    return log.sweep(usual, until=20)


async def test_on_the_cpu_it_is_drawn_once_a_second(sweep_log, drawings):
    on_the_cpu(sweep_log, UNPACED_SECONDS)
    assert await drawn_over_time(sweep_log, drawings, CPU_SECONDS / 4, 12) == 3
    sweep_log.die()


async def test_its_first_seconds_are_seen_to_move(sweep_log, drawings):
    on_the_cpu(sweep_log, 0.0)
    assert await drawn_over_time(sweep_log, drawings, CPU_SECONDS / 4, 12) == 12
    sweep_log.die()


async def test_a_change_of_state_is_drawn_at_once(sweep_log, drawings):
    on_the_cpu(sweep_log, UNPACED_SECONDS)
    assert await drawn_over_time(sweep_log, drawings, 0.0, 3, last=ev.Paused()) == 2
    assert drawings == [21, 23]
    sweep_log.die()


async def test_an_update_does_not_lay_the_screen_out_again(sweep_log, monkeypatch):
    sweep_log.live().begin().sweep(usual, until=40)
    layouts: list[int] = []
    async with app_of(sweep_log).run_test(size=(100, 30)) as pilot:
        await poll(pilot)
        screen = pilot.app.screen
        lay_out = screen._refresh_layout

        def record(*given, **named) -> None:
            layouts.append(1)
            lay_out(*given, **named)

        monkeypatch.setattr(screen, "_refresh_layout", record)
        for step in range(40, 44):
            tell_step(sweep_log, step)
            await poll(pilot)
            await pilot.pause()
        assert layouts == []
        screen.styles.padding = 1
        await pilot.pause()
        assert layouts  # that is how it would have shown
    sweep_log.die()
