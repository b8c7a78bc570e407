"""Key v of a range test: the dialog that says what a verification costs, and what it starts."""

import pytest
from run_logs import SIZES, Clock, Log, app_of, flat, message, poll, replay_of, title, usual
from textual.widgets import Static

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.rundir import create_run
from clr_tui.engine.settings.config import Compare, RangeTest, TaskConfig
from clr_tui.engine.settings.rate_grid import on_grid
from clr_tui.tui.kinds.range_test import verify_dialog
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen
from clr_tui.tui.kinds.range_test.verify_dialog import VerifyDialog
from clr_tui.tui.widgets.field import Field

SMALL, LARGE = (80, 24), (160, 44)


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch):
    """Two cores and the device of the logs, wherever the tests run."""
    monkeypatch.setattr(verify_dialog, "usable_cores", lambda: 2)
    monkeypatch.setattr(verify_dialog.nvml, "available", lambda: ["cpu", "cuda:0"])


def cost(pilot) -> str:
    return str(pilot.app.screen.query_one("#verify-cost", Static).content)


async def test_v_says_the_cost_first_and_follows_what_is_typed(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=SMALL) as pilot:
        await pilot.press("v")
        dialog = pilot.app.screen
        assert isinstance(dialog, VerifyDialog)
        assert cost(pilot) == (
            "7 rates from 2e-3 to 2e-1 x 3 seeds of sgd(momentum=0.9)+clr: 21 trainings of 16"
            " epochs, at most about 13 minutes in 2 processes."
        )
        parts = [one for one in dialog.query(Static) if str(one.content)]
        assert [str(one.content) for one in parts][1] == cost(pilot)
        await pilot.press("ctrl+u", *"8")
        assert "21 trainings of 8 epochs, at most about 6 minutes" in cost(pilot)
        await pilot.press("down", "ctrl+u", *"1")
        assert "7 trainings of 8 epochs" in cost(pilot)
        await pilot.press("down", "ctrl+u", *"3")
        assert "3 rates from 9.3e-3 to 4.3e-2 x 1 seed of" in cost(pilot)
        await pilot.press("ctrl+u", *"4")
        assert cost(pilot) == ""
        assert "odd number" in dialog.query(Field)[2].error
        await pilot.press("enter")
        assert pilot.app.screen is dialog
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RangeTestScreen)


async def test_lengths_are_whole_cycles(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=SMALL) as pilot:
        await pilot.press("v", "ctrl+u", *"9")
        assert "21 trainings of 16 epochs (9 would end in mid-cycle), at most" in cost(pilot)


async def test_v_enter_starts_a_comparison_around_the_recommendation(sweep_log):
    sweep_log.begin().sweep(usual).end()
    started = []

    def start(runs, task, job, parent):
        started.append((task, job, parent))
        raise UserError("the disk is full", "runs_dir")

    async with app_of(sweep_log, start=start).run_test(size=SMALL) as pilot:
        bounds = pilot.app.screen.bounds
        await pilot.press("shift+left")  # what is verified is the recommendation, not the marks
        await pilot.press("v", "down", "ctrl+u", *"2", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        ((task, job, parent),) = started
        assert (task, parent) == (sweep_log.run.config().task, sweep_log.run.id)
        assert isinstance(job, Compare)
        (group,) = on_grid(job)
        assert job.entries[group.entries[3]].lr == pytest.approx(bounds.max_lr, rel=5e-3)
        assert (job.seeds, job.epochs, job.advised) == (2, 16, "bottom")
        assert job.swept_in == sweep_log.run.id
        assert "the disk is full" in message(pilot)


async def test_the_comparison_that_was_started_is_shown(sweep_log, tmp_path):
    sweep_log.begin().sweep(usual).end()
    made = []

    def start(runs, task, job, parent):
        made.append(Log(create_run(tmp_path / "runs", task=task, job=job, version="0.1.0")).live())
        return made[0].run

    async with app_of(sweep_log, start=start).run_test(size=SMALL) as pilot:
        await pilot.press("v", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert "comparison" in title(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RangeTestScreen)
    made[0].die()


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_words_of_the_verdict_offer_it(sweep_log, size):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=size) as pilot:
        assert "v verifies max_lr" in " ".join(message(pilot).split())


@pytest.mark.parametrize(
    ("tell", "words"),
    [
        (lambda log: log.live(), "nothing to verify yet"),
        (lambda log: log.live().begin(), "nothing to verify yet"),
        (lambda log: log.live().begin().sweep(usual, until=60), "nothing to verify yet"),
        (lambda log: log.begin().sweep(flat).end(), "No rate is recommended"),
        (lambda log: log.begin().end("failed", "no data"), "No rate is recommended"),
        (lambda log: log.begin().sweep(usual, until=30), "No rate is recommended"),
    ],
    ids=["nothing", "ready", "running", "flat", "failed", "lost"],
)
async def test_without_a_recommendation_v_says_why(sweep_log, tell, words):
    tell(sweep_log)
    async with app_of(sweep_log).run_test(size=SMALL) as pilot:
        await pilot.press("v")
        assert isinstance(pilot.app.screen, RangeTestScreen)
        assert words in message(pilot)


async def test_an_optimizer_that_the_task_makes_cannot_be_verified(tmp_path):
    task = TaskConfig(task="/somewhere/mine.py:task")
    log = Log(create_run(tmp_path / "runs", task=task, job=RangeTest(), version="0.1.0"))
    log.begin().sweep(usual, own_optimizer="Lion").end()
    async with app_of(log).run_test(size=SMALL) as pilot:
        await pilot.press("v")
        assert "the optimizer that its task makes" in message(pilot)


async def test_a_replay_can_be_verified_too(sweep_log):
    sweep_log.begin().sweep(usual).end()
    started = []

    def start(*asked):
        started.append(asked)
        return sweep_log.run

    app = replay_of(sweep_log, clock=Clock(), start_at=1.0, start=start)
    async with app.run_test(size=SMALL) as pilot:
        await poll(pilot)
        await pilot.press("v", "enter")
        await pilot.app.workers.wait_for_complete()
        assert isinstance(started[0][2], Compare)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_the_dialog(snap_compare, sweep_log, size):
    async def press(pilot):
        await pilot.press("v", "down")
        await pilot.pause()

    sweep_log.begin().sweep(usual).end()
    assert snap_compare(app_of(sweep_log), terminal_size=size, run_before=press)
