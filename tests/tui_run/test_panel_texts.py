"""Whatever state a run is in, no words beside or below its charts are cut off."""

import pytest
from run_logs import app_of, flat, panel, poll, usual

from clr_tui.engine.log import events as ev
from clr_tui.tui.widgets.panel import Panel

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "160x44": (160, 44)}
SWEEPS = {
    "nothing yet": lambda log: log.live(),
    "decoding": lambda log: log.live().tell(
        ev.RunStarted(run="r", kind="range-test"),
        ev.Progress(what="decoding images", done=1200, total=3670),
    ),
    "first steps": lambda log: log.live().begin().sweep(usual, until=10),
    "running": lambda log: log.live().begin().sweep(usual, until=80),
    "done": lambda log: log.begin().sweep(usual).end(),
    "flat": lambda log: log.begin().sweep(flat).end(),
    "failed": lambda log: log.begin().end("failed", "The device ran out of memory.", "batch_size"),
    "lost": lambda log: log.begin().sweep(usual, until=40),
}
TRAININGS = {
    "nothing yet": lambda log: log.live(),
    "running": lambda log: log.live().begin().train(6.34),
    "done": lambda log: log.begin().train(16).end(),
    "lost": lambda log: log.begin().train(0.7),
}
size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())


async def nothing_is_cut(log, size):
    async with app_of(log).run_test(size=size) as pilot:
        await poll(pilot)
        for name in ("#title", "#panel", "#message"):
            shown = pilot.app.screen.query_one(name, Panel)
            for line in shown.text.splitlines():
                assert len(line) <= shown.content_size.width, line


@size
@pytest.mark.parametrize("state", SWEEPS)
async def test_a_range_test(seeds_log, sweep_log, state, size):
    for log in (sweep_log, seeds_log):
        SWEEPS[state](log)
        await nothing_is_cut(log, size)


@size
@pytest.mark.parametrize("state", TRAININGS)
async def test_a_training(train_log, state, size):
    TRAININGS[state](train_log)
    await nothing_is_cut(train_log, size)


async def test_a_sweep_that_is_over_promises_no_bounds(sweep_log):
    sweep_log.live().begin().sweep(flat)
    async with app_of(sweep_log).run_test(size=SIZES["80x24"]) as pilot:
        await poll(pilot)
        assert "set with the verdict" in panel(pilot)
        sweep_log.end()
        await poll(pilot)
        assert "none recommended" in panel(pilot)
        assert "u uses a rule's" in panel(pilot)
