"""Every key of the range-test screen, in every state of a run."""

import json

import pytest
from run_logs import (
    app_of,
    commands,
    flat,
    message,
    panel,
    poll,
    press_every_key,
    title,
    usual,
)
from textual.widgets import Static

from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Continue, Pause, Stop
from clr_tui.engine.settings.config import Train
from clr_tui.tui.kinds.range_test.screen import RangeTestScreen
from clr_tui.tui.kinds.range_test.train_dialog import TrainDialog
from clr_tui.tui.screens.bounds_dialog import BoundsDialog
from clr_tui.tui.screens.confirm import ConfirmScreen
from clr_tui.tui.screens.export_dialog import ExportDialog
from clr_tui.tui.screens.new_run import FormRow, NewRunScreen
from clr_tui.tui.widgets.field import Field
from clr_tui.tui.widgets.key_footer import KeyFooter

WIDE = (120, 40)


async def test_bounds_appear_with_the_verdict_at_the_recommended_rule(sweep_log):
    sweep_log.live().begin().sweep(usual, until=80)
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RangeTestScreen)
        assert screen.bounds is None
        sweep_log.tell(
            ev.Steps(
                trial=0,
                step=list(range(80, 120)),
                lr=[1e-7 * 1e7 ** (i / 120) for i in range(80, 120)],
                loss=[float(usual(1e-7 * 1e7 ** (i / 120))) for i in range(80, 120)],
            )
        ).end()
        await poll(pilot)
        report = screen.report
        assert report.verdict.kind == "recommended"
        assert screen.bounds == report.bounds
        assert screen.bounds.base_lr == pytest.approx(screen.bounds.max_lr / 6)
        assert "recommended" in message(pilot)


async def test_arrows_move_the_selected_bound_by_a_column(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        screen = pilot.app.screen
        start = screen.bounds
        await pilot.press("right")
        column = screen.bounds.max_lr / start.max_lr
        assert 1 < column < 10 ** (7 / 40)
        assert screen.bounds.base_lr == start.base_lr
        await pilot.press("left", "left")
        assert screen.bounds.max_lr == pytest.approx(start.max_lr / column)
        await pilot.press("right", "shift+right")
        assert screen.bounds.max_lr == pytest.approx(start.max_lr * column**10)
        await pilot.press("tab", "shift+left")
        assert screen.bounds.base_lr == pytest.approx(start.base_lr / column**10)
        await pilot.press("tab")
        assert screen.selected == "max"


async def test_a_press_moves_the_mark_by_one_cell(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        view = pilot.app.screen.query_one("#loss-chart")

        def cell() -> int:
            lines = [
                "".join(span.text for span in view._cells.row(y)) for y in range(view.size.height)
            ]
            (place,) = {line.index("┃") for line in lines if "┃" in line}  # a curve may cover it
            return place

        await pilot.pause()
        before = cell()
        await pilot.press("left")
        await pilot.pause()
        assert before - cell() == 1


async def test_bounds_do_not_cross(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        screen = pilot.app.screen
        await pilot.press(*["shift+left"] * 12)
        assert screen.bounds.base_lr < screen.bounds.max_lr < screen.bounds.base_lr * 1.3
        assert "must not cross" in message(pilot)


async def test_moved_bounds_stay_when_more_comes_in(sweep_log):
    sweep_log.live().begin().sweep(usual)
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        screen = pilot.app.screen
        await pilot.press("b", *"1e-3", "down", *"1e-2", "enter")
        sweep_log.end()
        await poll(pilot)
        assert (screen.bounds.base_lr, screen.bounds.max_lr) == (1e-3, 1e-2)


async def test_without_bounds_the_keys_say_so(sweep_log):
    sweep_log.live()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        for key in ("left", "shift+right"):
            await pilot.press(key)
            assert "no bounds yet" in message(pilot)
        await pilot.press("t")
        assert "Training needs bounds" in message(pilot)
        await pilot.press("u")
        assert "No rule has a value yet" in message(pilot)


async def test_typed_bounds_show_their_mistakes_at_the_field(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await pilot.press("b")
        dialog = pilot.app.screen
        assert isinstance(dialog, BoundsDialog)
        base, high = dialog.query(Field)
        assert float(base.value) == pytest.approx(screen.bounds.base_lr, rel=1e-3)
        await pilot.press(*"0.1")
        assert "not below max_lr" in base.error
        await pilot.press("down", *"abc")
        assert "'abc' is not a number" in high.error
        await pilot.press("enter")
        assert pilot.app.screen is dialog
        await pilot.press("ctrl+u", *"0.3")
        await pilot.press("enter")
        assert pilot.app.screen is screen
        assert (screen.bounds.base_lr, screen.bounds.max_lr) == (0.1, 0.3)


async def test_untouched_typed_bounds_keep_their_full_value(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        before = pilot.app.screen.bounds
        await pilot.press("b", "enter")
        assert pilot.app.screen.bounds == before
        await pilot.press("b", *"1e-5", "escape")
        assert pilot.app.screen.bounds == before


async def test_u_goes_through_the_rules(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        screen = pilot.app.screen
        usable = [one for one in screen.report.suggestions if one.lr is not None]
        for one in (*usable[1:], usable[0]):
            await pilot.press("u")
            assert screen.bounds.max_lr == pytest.approx(one.lr)
            assert f"Bounds by {one.rule}" in message(pilot)


async def test_t_shows_what_will_start_and_starts_it(sweep_log):
    sweep_log.begin().sweep(usual).end()
    started = []

    def start(runs, task, job, parent):
        started.append((task, job, parent))
        raise UserError("the disk is full", "runs_dir")

    async with app_of(sweep_log, start=start).run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await pilot.press("t")
        dialog = pilot.app.screen
        assert isinstance(dialog, TrainDialog)
        await pilot.press("ctrl+u", *"x")
        assert "whole number" in dialog.query(Field)[0].error
        await pilot.press("enter")
        assert pilot.app.screen is dialog
        await pilot.press("ctrl+u", *"0")
        assert dialog.query(Field)[0].error
        await pilot.press("ctrl+u", *"12", "down", "ctrl+u", *"3", "down", "right", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        ((task, job, parent),) = started
        assert task == sweep_log.run.config().task
        assert parent == sweep_log.run.id
        assert job == Train(
            base_lr=screen.bounds.base_lr,
            max_lr=screen.bounds.max_lr,
            epochs=12,
            step_size_epochs=3,
            policy="triangular2",
        )
        assert "the disk is full" in message(pilot)


async def test_t_enter_starts_with_the_defaults_and_shows_the_training(sweep_log, train_log):
    sweep_log.begin().sweep(usual).end()
    train_log.live()
    app = app_of(sweep_log, start=lambda *_: train_log.run)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("t", "enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        assert "training" in title(pilot)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RangeTestScreen)


async def test_space_pauses_and_continues(sweep_log):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.press("space")
        assert "Pausing" in message(pilot)
        sweep_log.tell(ev.Paused())
        await poll(pilot)
        assert "paused" in title(pilot)
        await pilot.press("space")
        assert [type(one) for one in commands(sweep_log)] == [Pause, Continue]


async def test_s_asks_before_it_stops(sweep_log):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.press("s")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await pilot.press("n")
        assert commands(sweep_log) == []
        await pilot.press("s", "y")
        assert [type(one) for one in commands(sweep_log)] == [Stop]
        assert "Stopping" in message(pilot)


@pytest.mark.parametrize("key", ["space", "s"])
async def test_orders_to_a_run_that_ended_say_so(sweep_log, key):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        assert "has ended (done)" in message(pilot)
        assert isinstance(pilot.app.screen, RangeTestScreen)


async def test_replay_keys_say_that_they_are_for_replays(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        for key in ("left_square_bracket", "right_square_bracket", "less_than_sign"):
            pilot.app.screen._clear_hint()
            await pilot.press(key)
            assert "for replays" in message(pilot)


async def test_r_opens_the_form_with_these_settings(sweep_log):
    sweep_log.begin().end("failed", "the device ran out of memory", "batch_size")
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.press("r")
        form = pilot.app.screen
        assert isinstance(form, NewRunScreen)
        assert form.query_one("#data").value == "/data/flowers"


async def test_smoothing_and_axes(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        screen = pilot.app.screen
        view = screen.query_one("#loss-chart")
        await pilot.press("plus")
        assert "smoothing 0.03" in view.chart.title
        await pilot.press("minus", "minus")
        assert "smoothing 0.1" in view.chart.title
        await pilot.press(*["minus"] * 6)
        assert view.chart.title == "loss"
        assert "raw curve" in message(pilot)
        await pilot.press("y")
        assert view.chart.y.log
        labels = []
        for _ in range(4):
            labels.append(view.chart.x.label)
            await pilot.press("x")
        assert labels == ["learning rate (log)", "step", "epoch", "seconds"]


async def test_smoothing_changes_rules_that_read_the_smoothed_curve_but_no_bounds(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        screen = pilot.app.screen
        before = {one.rule: one.lr for one in screen.report.suggestions}
        recommended = screen.bounds
        await pilot.press("minus", "minus")
        after = {one.rule: one.lr for one in screen.report.suggestions}
        assert after["minimum/10"] != before["minimum/10"]
        assert after["bottom"] == before["bottom"]
        assert screen.bounds == screen.report.bounds == recommended
        await pilot.press("right")
        held = screen.bounds
        await pilot.press("plus")
        assert screen.bounds == held


async def test_e_writes_what_is_shown(sweep_log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.press("e")
        dialog = pilot.app.screen
        assert isinstance(dialog, ExportDialog)
        field = dialog.query_one(Field)
        await pilot.press("ctrl+u", *"x.pdf")
        assert "must end in .svg, .png, .csv, .json or .html" in field.error
        await pilot.press("enter")
        assert pilot.app.screen is dialog
        await pilot.press("ctrl+u", *"no/x.svg")
        assert "no folder" in field.error
        await pilot.press("ctrl+u", *"x.svg", "enter")
        assert "Written to x.svg" in message(pilot)
        assert (tmp_path / "x.svg").read_text().count("<svg") >= 1
        await pilot.press("e", "ctrl+u", *"x.csv", "enter")
        assert len((tmp_path / "x.csv").read_text().splitlines()) == 121
        await pilot.press("e", "ctrl+u", *"x.json", "enter")
        assert json.loads((tmp_path / "x.json").read_text())["verdict"]["kind"] == "recommended"
        await pilot.press("e", "ctrl+u", *"x.csv")
        assert "overwrites" in pilot.app.screen.query_one(Field).error
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, RangeTestScreen)


async def test_e_shows_at_the_field_that_a_file_cannot_be_written(sweep_log, tmp_path):
    sweep_log.begin().sweep(usual).end()
    (tmp_path / "folder.svg").mkdir()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.press("e", "ctrl+u")
        field = pilot.app.screen.query_one(Field)
        field._input.value = str(tmp_path / "folder.svg")
        await pilot.press("enter")
        assert "is a folder" in field.error


STATES = {
    "nothing yet": lambda log: log.live(),
    "decoding": lambda log: log.live().tell(ev.Progress(what="decoding images", done=3, total=9)),
    "ready": lambda log: log.live().begin(),
    "first step": lambda log: log.live().begin().sweep(usual, until=1),
    "running": lambda log: log.live().begin().sweep(usual, until=50),
    "flat": lambda log: log.begin().sweep(flat).end(),
    "done": lambda log: log.begin().sweep(usual).end(),
    "failed at once": lambda log: log.tell(ev.RunFinished(outcome="failed", message="no data")),
    "failed later": lambda log: log.begin().sweep(usual, until=30).end("failed", "boom"),
    "lost": lambda log: log.begin().sweep(usual, until=30),
    "never finite": lambda log: log.begin().sweep(lambda r: r * float("inf"), until=20).end(),
}


@pytest.mark.parametrize(
    ("state", "size"),
    [(state, (80, 24)) for state in STATES] + [("done", (160, 44)), ("running", (40, 10))],
)
async def test_every_key_in_every_state(sweep_log, state, size):
    STATES[state](sweep_log)
    async with app_of(sweep_log, start=lambda *_: sweep_log.run).run_test(size=size) as pilot:
        screen = pilot.app.screen
        await press_every_key(pilot, "range-test")
        assert pilot.app.screen is screen


async def test_notices_and_text_from_the_log_are_shown_plainly(sweep_log):
    sweep_log.live().begin().sweep(usual, until=40)
    with sweep_log.run.events_path.open("ab") as file:
        file.write(b'{"type":"steps","tri\n{"type":"party","seq":99,"time":1}\n')
    sweep_log.tell(ev.Note(level="warning", text="[red]a\x1b[2J.jpg[/red] was skipped"))
    async with app_of(sweep_log).run_test(size=(120, 40)) as pilot:
        screen = pilot.app.screen
        said = "\n".join("".join(t for t, _ in line) for line in screen.query_one("#message").lines)
        assert "1 line of the log could not be read" in said
        assert "party" in said
        assert "[red]a" in said
        assert "\x1b" not in said


async def test_a_log_deleted_under_the_screen_is_noticed(sweep_log):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        sweep_log.run.events_path.unlink()
        await poll(pilot)
        assert "deleted" in message(pilot)
        assert "40 / 120" in panel(pilot)


async def test_a_worker_that_vanishes_is_lost(sweep_log):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(120, 40)) as pilot:
        assert "running" in title(pilot)
        sweep_log.die()
        await poll(pilot)
        assert "lost" in title(pilot)
        assert "worker.log" in message(pilot)


async def test_when_nothing_changed_nothing_is_drawn(sweep_log, monkeypatch):
    sweep_log.live().begin().sweep(usual, until=40)
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        drawn = []
        monkeypatch.setattr(pilot.app.screen, "show_all", lambda: drawn.append(1))
        for _ in range(5):
            await poll(pilot)
        assert drawn == []
        sweep_log.tell(ev.Paused())
        await poll(pilot)
        assert drawn == [1]


async def test_a_long_log_arrives_in_pieces(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        from clr_tui.tui.sources import LiveSource

        screen.source = LiveSource(sweep_log.run, limit=512)
        screen.history.__init__(screen.config)
        screen._shown = None  # as many events were shown before
        for _ in range(60):
            await poll(pilot)
        assert screen.history.finished is not None
        assert "120 / 120" in panel(pilot)


def footer(pilot) -> str:
    keys = pilot.app.screen.query_one(KeyFooter).keys_to_show()
    return "  ".join(f"{shown} {label}" for shown, label in keys)


async def test_the_footer_offers_orders_only_while_the_run_lives(sweep_log):
    sweep_log.live().begin().sweep(usual)
    async with app_of(sweep_log).run_test(size=WIDE) as pilot:
        await poll(pilot)
        assert "space pause  s stop" in footer(pilot)
        sweep_log.end()
        await poll(pilot)
        assert "pause" not in footer(pilot)
        assert "stop" not in footer(pilot)
        assert "r again" in footer(pilot)
        await pilot.press("question_mark")
        told = str(pilot.app.screen.query_one("#help-keys").render())
        assert "pause the run" not in told


async def test_c_opens_the_form_of_a_comparison_with_the_bounds_as_rates(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        screen = pilot.app.screen
        await pilot.press("b", "ctrl+u", *"1e-3", "down", "ctrl+u", *"0.01", "enter", "c")
        form = pilot.app.screen
        assert isinstance(form, NewRunScreen)
        reading = form._read({row.field.name: row.value for row in form.query(FormRow)})
        assert not reading.errors
        assert reading.task == sweep_log.run.config().task
        *others, own = reading.job.entries
        assert len(others) == 5
        assert own.label == "sgd(momentum=0.9)+clr(base_lr=0.001,lr=0.01)"
        assert form._parent_run == sweep_log.run.id
        heading = str(form.query_one("#form-title", Static).render())
        assert heading == f"clr-tui  compare optimizers on the task of {sweep_log.run.id}"
        await pilot.press("escape")
        assert pilot.app.screen is screen


async def test_c_without_bounds_compares_the_article_s_six(sweep_log):
    sweep_log.live().begin()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.press("c")
        form = pilot.app.screen
        assert row_value(form, "optimizers").endswith("adamax, sgd+clr")
    sweep_log.die()


def row_value(form, name: str) -> str:
    return form.query_one(f"#row-{name}", FormRow).value
