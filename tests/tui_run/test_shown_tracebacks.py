"""A run that failed in a user's own code shows the lines of that code."""

from __future__ import annotations

import pytest
from run_logs import SIZES, Log, app_of, message, poll

from clr_tui.engine.log import events as ev

SENTENCE = "ValueError: bad (losses.py:3, in loss_of)"
TRACEBACK = [
    'File "/home/me/mytask.py", line 12, in step',
    "    return loss_of(model(x), y)",
    'File "/home/me/losses.py", line 3, in loss_of',
    "    raise ValueError('\x1b[31mbad [/b]')",
    "ValueError: \x1b[31mbad [/b]",
]
size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())


def fails(log: Log, traceback: list[str]) -> None:
    log.tell(ev.RunFinished(outcome="failed", message=SENTENCE, traceback=traceback))
    log.die()


@size
async def test_all_of_a_short_one_is_shown(train_log, size):
    fails(train_log.begin(), TRACEBACK)
    async with app_of(train_log).run_test(size=size) as pilot:
        await poll(pilot)
        await pilot.pause()
        shown = message(pilot)
        assert SENTENCE in " ".join(shown.split())
        for line in TRACEBACK:
            assert line.replace("\x1b", "�") in shown


@size
async def test_of_a_long_one_the_error_and_what_led_to_it(train_log, size):
    many = [line for i in range(20) for line in (f'File "a.py", line {i}, in f', "    f()")]
    fails(train_log.begin(), [*many, *TRACEBACK])
    async with app_of(train_log).run_test(size=size) as pilot:
        await poll(pilot)
        await pilot.pause()
        shown = message(pilot)
        assert "..." in shown
        assert "bad [/b]" in shown.splitlines()[-1]
        assert "line 0, in f" not in shown


@size
def test_picture(snap_compare, train_log, size):
    fails(train_log.begin(), TRACEBACK)
    assert snap_compare(app_of(train_log), terminal_size=size)
