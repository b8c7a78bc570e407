"""One trial of a comparison on the screen of a training."""

import json
import math

import pytest
from compare_runs import compare_log, table, upto_epoch
from run_logs import Clock, app_of, commands, message, panel, poll, title
from textual.widgets import Static

from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Continue, Pause, StopTrial
from clr_tui.tui.app import ClrTuiApp
from clr_tui.tui.keys import footer_keys, keys_for
from clr_tui.tui.kinds.compare.trial_screen import TrialScreen
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.screens.new_run import FormRow, NewRunScreen

SMALL = (80, 24)
LARGE = (160, 44)


async def open_trial(pilot, entry: int, seed: int) -> TrialScreen:
    row = [row.entry for row in table(pilot).rows].index(entry)
    await pilot.press(*["down"] * row, "enter", *["down"] * (seed + 1), "enter")
    await poll(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, TrialScreen)
    return screen


def running(folder):
    """adam's first trial and a half are told."""
    return compare_log(folder, upto=upto_epoch(1, 4)).live()


async def test_orders_are_to_this_trial_but_for_pause(tmp_path):
    log = running(tmp_path)
    async with app_of(log).run_test(size=SMALL) as pilot:
        screen = await open_trial(pilot, 0, 1)
        assert screen.key_mode == "trial"
        assert list(screen.history.trials) == [1]
        await pilot.press("space")
        assert "the whole comparison" in message(pilot)
        log.tell(ev.Paused())
        await poll(pilot)
        assert "paused" in title(pilot)
        await pilot.press("space", "s")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        question = str(pilot.app.screen.query_one("#question", Static).render())
        assert question == "Stop adam, seed 1?"
        await pilot.press("y")
        sent = commands(log)
        assert [type(one) for one in sent] == [Pause, Continue, StopTrial]
        assert sent[-1].trial == 1
    log.die()


async def test_the_bounds_of_a_trial_cannot_be_changed(tmp_path):
    log = running(tmp_path)
    async with app_of(log).run_test(size=SMALL) as pilot:
        screen = await open_trial(pilot, 0, 1)
        await pilot.press("b")
        assert pilot.app.screen is screen
        assert "rates of a comparison are fixed" in message(pilot)
        assert commands(log) == []
    log.die()


def test_keys_that_give_a_trial_no_orders_are_not_offered():
    assert "b" not in [key.shown for key in keys_for("train", "trial")]
    assert "b" in [key.shown for key in keys_for("train", "live")]
    assert {"space", "s"} <= {key.shown for key in footer_keys("train", "trial", 80)}


async def test_a_trial_screen_ends_with_its_trial_while_the_run_continues(tmp_path):
    log = running(tmp_path)
    async with app_of(log).run_test(size=SMALL) as pilot:
        screen = await open_trial(pilot, 0, 1)
        log.tell(
            ev.TrialFinished(trial=1, outcome="failed", step=40, reason="its process was killed"),
            ev.TrialStarted(
                trial=2, seed=2, entry=0, label="adam", total_steps=80, steps_per_epoch=10
            ),
            ev.Note(level="warning", text="something else"),
        )
        await poll(pilot)
        assert screen.status.state == "failed"
        assert "Failed: its process was killed" in message(pilot)
        assert "something else" not in message(pilot)
        assert list(screen.history.trials) == [1]
        await pilot.press("space")
        assert "This trial has ended (failed)" in message(pilot)
        await pilot.press("escape")
        assert pilot.app.screen.status.state == "running"
        log.tell(ev.RunFinished(outcome="stopped", message="stopped on request"))
        await poll(pilot)
    log.die()


async def test_a_lost_worker_is_lost_here_too(tmp_path):
    log = running(tmp_path)
    async with app_of(log).run_test(size=SMALL) as pilot:
        screen = await open_trial(pilot, 0, 1)
        assert screen.status.state == "running"
        log.die()
        await poll(pilot)
        assert screen.status.state == "lost"


async def test_its_schedule_is_drawn_ahead(tmp_path):
    log = compare_log(tmp_path, upto=upto_epoch(3, 3)).live()
    async with app_of(log).run_test(size=LARGE) as pilot:
        screen = await open_trial(pilot, 1, 0)
        walked, ahead = screen.query_one("#lr-chart").chart.series
        assert len(walked.x) == 30
        assert ahead.x[-1] == pytest.approx(7.9)  # the last of ten steps an epoch
        assert ahead.y.max() == pytest.approx(3.6e-3)
        assert "policy    triangular" in panel(pilot)
        assert "cycle     1 of 1, rising" in panel(pilot)
        assert "sgd+clr, seed 0 · flowers · CNN" in title(pilot)
    log.die()


async def test_e_writes_this_trial_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        await open_trial(pilot, 1, 2)
        await pilot.press("e", "enter")
        assert "compare-flowers-1-sgd-clr-seed-2.svg" in message(pilot)
        await pilot.press("e", "ctrl+u", *"x.csv", "enter")
        await pilot.press("e", "ctrl+u", *"x.json", "enter")
        await pilot.press("e", "ctrl+u", *"x.html", "enter")
    assert "sgd+clr, seed 2" in (tmp_path / "compare-flowers-1-sgd-clr-seed-2.svg").read_text()
    assert "compare-flowers-1-sgd-clr-seed-2" in (tmp_path / "x.html").read_text()
    rows = (tmp_path / "x.csv").read_text().splitlines()[1:]
    assert {row.partition(",")[0] for row in rows} == {"5"}
    assert len(rows) == 80
    assert json.loads((tmp_path / "x.json").read_text())["policy"] == "triangular"


async def test_r_opens_it_as_a_training(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=SMALL) as pilot:
        await open_trial(pilot, 1, 2)
        await pilot.press("r")
        form = pilot.app.screen
        assert isinstance(form, NewRunScreen)
        values = {row.field.name: row.value for row in form.query(FormRow)}
        assert (values["kind"], values["seed"]) == ("training", "2")
        assert (values["base_lr"], values["max_lr"]) == ("6e-4", "0.0036")
        heading = str(form.query_one("#form-title", Static).render())
        assert "train as sgd+clr, seed 2 of compare-flowers-1" in heading


def imported(tmp_path):
    rows = [
        f"{label},{seed},{epoch},{0.5 + epoch / 50},{1 - epoch / 20},{0.4 + epoch / 40},"
        for label in ("a", "b")
        for seed in (1, 2)
        for epoch in range(1, 11)
    ]
    path = tmp_path / "curves.csv"
    path.write_text(
        "optimizer,seed,epoch,train_acc,train_loss,val_acc,val_loss\n" + "\n".join(rows)
    )
    return ClrTuiApp(tmp_path, recording=open_recording(path), clock=Clock(), start_speed=math.inf)


async def test_an_imported_curve_shows_its_epochs(tmp_path):
    async with imported(tmp_path).run_test(size=LARGE) as pilot:
        await poll(pilot)
        screen = await open_trial(pilot, 1, 0)
        assert "trial  b, seed 1 · curves" in title(pilot)
        assert "no learning rates" in screen.query_one("#lr-chart").chart.empty
        loss = screen.query_one("#loss-chart").chart
        assert loss.title == "loss by epoch"
        assert loss.series[0].x.tolist() == list(range(1, 11))
        assert loss.series[0].y[-1] == pytest.approx(0.5)
        accuracy = screen.query_one("#metric-chart").chart
        assert accuracy.series[1].y[-1] == pytest.approx(65)
        assert "epoch     10 / 10" in panel(pilot)
        assert "step      - / -" in panel(pilot)
        assert "Best 65.0 % on validation, epoch 10" in message(pilot)
        await pilot.press("x")
        assert "x stays the epoch" in message(pilot)
        for key in ("r", "c"):
            await pilot.press(key)
            assert "does not name its task" in message(pilot)


async def test_an_imported_comparison_has_neither_seconds_nor_a_task(tmp_path):
    async with imported(tmp_path).run_test(size=LARGE) as pilot:
        await poll(pilot)
        screen = pilot.app.screen
        assert "comparison  curves · imported curve · 10 epochs · 2 seeds" in title(pilot)
        scales = []
        for _ in range(2):
            await pilot.press("x")
            scales.append(screen.options.x)
        assert "seconds" not in scales
        await pilot.press("r")
        assert "does not name its task" in message(pilot)
