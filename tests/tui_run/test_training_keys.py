"""Every key of the training screen, in every state of a run."""

import json

import pytest
from run_logs import (
    PER_EPOCH,
    app_of,
    commands,
    message,
    panel,
    poll,
    press_every_key,
    title,
)

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Continue, Pause, SetBounds, Stop
from clr_tui.tui.kinds.train.screen import TrainingScreen
from clr_tui.tui.screens.bounds_dialog import BoundsDialog
from clr_tui.tui.screens.new_run import FormRow, NewRunScreen
from clr_tui.tui.widgets.field import Field

SMALL = (80, 24)


async def test_bounds_are_changed_while_it_runs(train_log):
    train_log.live().begin().train(3)
    async with app_of(train_log).run_test(size=SMALL) as pilot:
        screen = pilot.app.screen
        await pilot.press("b")
        assert isinstance(pilot.app.screen, BoundsDialog)
        base, high = pilot.app.screen.query(Field)
        assert (base.value, high.value) == ("6e-4", "0.0036")
        await pilot.press("down", *"0.01", "enter")
        assert pilot.app.screen is screen
        assert "from the next step" in message(pilot)
        (sent,) = commands(train_log)
        assert isinstance(sent, SetBounds)
        assert (sent.base_lr, sent.max_lr) == (6e-4, 0.01)
        ahead = screen.query_one("#lr-chart").chart.series[-1]
        assert ahead.y.max() == pytest.approx(3.6e-3)
        step = 3 * PER_EPOCH
        train_log.tell(ev.BoundsChanged(trial=0, step=step, base_lr=6e-4, max_lr=0.01))
        await poll(pilot)
        ahead = screen.query_one("#lr-chart").chart.series[-1]
        assert ahead.y.max() == pytest.approx(0.01)
        assert "1.0e-02" in panel(pilot)


async def test_the_view_of_a_run_is_remembered(train_log, tmp_path):
    train_log.begin().train(2).end()
    views = tmp_path / "views.json"
    for number in range(2):
        async with app_of(train_log, views=views).run_test(size=SMALL) as pilot:
            await poll(pilot)
            if number == 0:
                usual = pilot.app.screen.options
                await pilot.press("y", "x", "plus")
                shown = pilot.app.screen.options
            assert pilot.app.screen.options == shown != usual


async def test_a_refused_command_is_shown(train_log):
    train_log.live().begin().train(1)
    async with app_of(train_log).run_test(size=SMALL) as pilot:
        train_log.tell(
            ev.CommandRefused(command="set-bounds", reason="base_lr is not below max_lr")
        )
        await poll(pilot)
        assert "set-bounds was refused" in message(pilot)


async def test_space_and_s(train_log):
    train_log.live().begin().train(2)
    async with app_of(train_log).run_test(size=SMALL) as pilot:
        await pilot.press("space")
        train_log.tell(ev.Paused())
        await poll(pilot)
        assert "paused" in title(pilot)
        await pilot.press("space", "s", "enter")
        assert [type(one) for one in commands(train_log)] == [Pause, Continue, Stop]


@pytest.mark.parametrize("key", ["space", "s", "b"])
async def test_orders_to_a_training_that_ended_say_so(train_log, key):
    train_log.begin().train(2).end("stopped")
    async with app_of(train_log).run_test(size=SMALL) as pilot:
        await pilot.press(key)
        assert "has ended (stopped)" in message(pilot)
        assert isinstance(pilot.app.screen, TrainingScreen)


async def test_mid_cycle_accuracy_is_said_not_to_be_final(train_log):
    train_log.begin().train(3).end("stopped")
    async with app_of(train_log).run_test(size=(120, 40)) as pilot:
        assert "middle of cycle 1 of 2" in message(pilot)


async def test_axes_and_smoothing(train_log):
    train_log.begin().train(3).end()
    async with app_of(train_log).run_test(size=SMALL) as pilot:
        screen = pilot.app.screen
        labels = []
        for _ in range(3):
            labels.append(screen.query_one("#metric-chart").chart.x.label)
            await pilot.press("x")
        assert labels == ["epoch", "step", "seconds"]
        await pilot.press("y", "plus")
        chart = screen.query_one("#loss-chart").chart
        assert chart.y.log
        assert chart.title == "loss (log, smoothing 0.03)"
        rates = screen.query_one("#lr-chart").chart
        assert rates.y.log
        assert rates.title == "learning rate (log)"


async def test_e_writes_all_three_charts(train_log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train_log.begin().train(2).end()
    async with app_of(train_log).run_test(size=SMALL) as pilot:
        await pilot.press("e", "ctrl+u", *"x.svg", "enter")
        written = (tmp_path / "x.svg").read_text()
        for words in ("learning rate", "loss (smoothing 0.05)", "accuracy"):
            assert words in written
        await pilot.press("e", "ctrl+u", *"x.json", "enter")
        assert json.loads((tmp_path / "x.json").read_text())["policy"] == "triangular"
        await pilot.press("e", "ctrl+u", *"x.csv", "enter")
        assert len((tmp_path / "x.csv").read_text().splitlines()) == 2 * PER_EPOCH + 1


async def test_r_opens_the_form(train_log):
    train_log.begin().train(2).end()
    async with app_of(train_log).run_test(size=SMALL) as pilot:
        await pilot.press("r")
        assert isinstance(pilot.app.screen, NewRunScreen)


STATES = {
    "nothing yet": lambda log: log.live(),
    "ready": lambda log: log.live().begin(),
    "running": lambda log: log.live().begin().train(2.34),
    "paused": lambda log: log.live().begin().train(2.34).tell(ev.Paused()),
    "done": lambda log: log.begin().train(16).end(),
    "failed at once": lambda log: log.tell(ev.RunFinished(outcome="failed", message="no data")),
    "lost": lambda log: log.begin().train(2.34),
}


@pytest.mark.parametrize(
    ("state", "size"), [(state, SMALL) for state in STATES] + [("running", (40, 10))]
)
async def test_every_key_in_every_state(train_log, state, size):
    STATES[state](train_log)
    async with app_of(train_log, start=lambda *_: train_log.run).run_test(size=size) as pilot:
        screen = pilot.app.screen
        await press_every_key(pilot, "train")
        assert pilot.app.screen is screen


async def test_c_compares_with_its_policy_and_its_newest_bounds(train_log):
    train_log.live().begin().train(3)
    train_log.tell(ev.BoundsChanged(trial=0, step=100, base_lr=6e-4, max_lr=0.01))
    async with app_of(train_log).run_test(size=SMALL) as pilot:
        await pilot.press("c")
        form = pilot.app.screen
        assert isinstance(form, NewRunScreen)
        reading = form._read({row.field.name: row.value for row in form.query(FormRow)})
        own = reading.job.entries[-1]
        assert own.label == "sgd(momentum=0.9)+clr(base_lr=0.0006,lr=0.01)"
        assert reading.job.epochs == 16
        assert reading.task == train_log.run.config().task
    train_log.die()
