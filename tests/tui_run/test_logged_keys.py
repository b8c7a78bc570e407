"""Every key of the screen of a logged run, in every state of the run."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from logged_runs import Hurrying, logged_log
from run_logs import app_of, commands, message, panel, poll, replay_of, title

from clr_tui.engine.log import events as ev
from clr_tui.engine.log.commands import Continue, Pause, SetBounds, Stop
from clr_tui.tui.keys import keys_for
from clr_tui.tui.kinds.logged.filter_bar import FilterBar
from clr_tui.tui.kinds.logged.screen import LoggedScreen
from clr_tui.tui.screens.bounds_dialog import BoundsDialog
from clr_tui.tui.screens.export_dialog import ExportDialog
from clr_tui.tui.widgets.chart_view import ChartView

SMALL, LARGE = (80, 24), (160, 44)
STATES = {
    "before it starts": lambda log: log.live(),
    "before the first value": lambda log: log.live().begin(),
    "running": lambda log: log.live().begin().logs(200, more=4),
    "done": lambda log: log.begin().logs(more=4).is_busy().ends(),
    "failed at once": lambda log: log.begin().ends("failed", "no such file"),
    "failed": lambda log: log.begin().logs(300).ends("failed", "out of memory"),
    "vanished": lambda log: log.begin().logs(100),
}


def shown(pilot) -> list[ChartView]:
    """The charts on the page."""
    return [view for view in pilot.app.screen.query(ChartView) if view.display]


def titles(pilot) -> list[str]:
    return [view.chart.title for view in shown(pilot)]


def chosen(pilot) -> list[str]:
    """The chart with the mark."""
    return [view.chart.title for view in shown(pilot) if view.has_class("-chosen")]


async def settle(pilot) -> None:
    """Until sizes and what depends on them are right."""
    for _ in range(3):
        await pilot.pause()


@pytest.mark.parametrize(
    ("state", "size"),
    [*((state, SMALL) for state in STATES), ("running", LARGE), ("running", (40, 12))],
    ids=str,
)
async def test_every_key_does_something_or_says_why_not(own_log, state, size) -> None:
    STATES[state](own_log)
    async with app_of(own_log).run_test(size=size) as pilot:
        await settle(pilot)
        screen = pilot.app.screen
        for bind in (bind for key in keys_for("logged") for bind in key.binds):
            if bind.action in ("app.leave", "app.back"):
                continue
            for name in bind.keys.split(","):
                await pilot.press(name)
                while pilot.app.screen is not screen or isinstance(pilot.app.focused, FilterBar):
                    before = pilot.app.screen, pilot.app.focused
                    await pilot.press("escape")
                    assert (pilot.app.screen, pilot.app.focused) != before, name
        assert isinstance(pilot.app.screen, LoggedScreen)


async def test_charts_are_made_from_the_names_losses_first(own_log) -> None:
    own_log.begin().logs(more=2).ends()
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        assert titles(pilot) == ["loss", "val/accuracy, %", "metrics/class0", "metrics/class1"]
        assert "charts 1 to 4 of 7, then lr, grad_norm, epoch" in message(pilot)
        assert "done" in title(pilot)
        ends = {(view.chart.x.lo, view.chart.x.hi) for view in shown(pilot)}
        assert len(ends) == 1  # all charts share x


@pytest.mark.parametrize(("size", "count"), [(SMALL, 4), (LARGE, 4), ((40, 12), 1), ((40, 30), 2)])
async def test_the_usual_number_of_charts_suits_the_terminal(own_log, size, count) -> None:
    own_log.begin().logs(more=6).ends()
    async with app_of(own_log).run_test(size=size) as pilot:
        await settle(pilot)
        assert len(shown(pilot)) == count
        for view in shown(pilot):
            rows = [view.render_line(y).text for y in range(view.size.height)]
            assert any("┤" in row for row in rows)


async def test_m_shows_more_charts_then_the_fewest_and_shift_m_fewer(own_log) -> None:
    own_log.begin().logs(more=2).ends()  # seven charts
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        counts = []
        for key in ("m", "m", "m", "M", "M"):
            await pilot.press(key)
            await settle(pilot)
            counts.append(len(shown(pilot)))
        assert counts == [6, 7, 1, 7, 6]


async def test_arrows_choose_a_chart_also_on_the_next_page(own_log) -> None:
    own_log.begin().logs(more=2).ends()
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        assert chosen(pilot) == ["loss"]
        await pilot.press("right", "down")
        assert chosen(pilot) == ["metrics/class1"]
        await pilot.press("right")
        assert titles(pilot) == ["lr", "grad_norm", "epoch"]
        assert chosen(pilot) == ["lr"]
        await pilot.press("right", "right", "right", "down")
        assert chosen(pilot) == ["epoch"]
        await pilot.press("pageup")
        assert chosen(pilot) == ["loss"]
        await pilot.press("pagedown")
        assert chosen(pilot) == ["lr"]
        await pilot.press("home")
        assert chosen(pilot) == ["loss"]
        await pilot.press("end")
        assert chosen(pilot) == ["epoch"]


async def test_enter_enlarges_a_chart_and_escape_goes_back(own_log) -> None:
    own_log.begin().logs(more=2).ends()
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("right", "enter")
        await settle(pilot)
        assert titles(pilot) == ["val/accuracy, %"]
        assert shown(pilot)[0].size.width >= 78
        await pilot.press("right")
        assert titles(pilot) == ["metrics/class0"]
        await pilot.press("i", "escape")  # the cursor's own escape
        assert titles(pilot) == ["metrics/class0"]
        await pilot.press("escape")
        await settle(pilot)
        assert len(shown(pilot)) == 4
        assert chosen(pilot) == ["metrics/class0"]
        assert isinstance(pilot.app.screen, LoggedScreen)
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, LoggedScreen)


async def test_a_filter_chooses_charts_while_it_is_typed(own_log) -> None:
    own_log.begin().logs(more=2).ends()
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("slash", *"loss")
        await settle(pilot)
        assert titles(pilot) == ["loss"]
        assert "val" in [line.name for line in shown(pilot)[0].chart.series]
        await pilot.press("space", "exclamation_mark", *"val", "enter")
        await settle(pilot)
        assert "val" not in [line.name for line in shown(pilot)[0].chart.series]
        await pilot.press("y")  # keys are keys again
        assert shown(pilot)[0].chart.y.log
        await pilot.press("slash", "escape")
        await settle(pilot)
        assert len(shown(pilot)) == 4
        assert not pilot.app.screen.query_one(FilterBar).display


async def test_a_filter_that_nothing_matches_and_a_bad_pattern_say_so(own_log) -> None:
    own_log.begin().logs().ends()
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await pilot.press("slash", *"qqq")
        await settle(pilot)
        (view,) = shown(pilot)
        assert view.chart.empty == "No chart matches 'qqq'. esc in / shows all."
        await pilot.press("escape", "slash", "slash", "left_parenthesis", "slash")
        await settle(pilot)
        assert "/(/ is not a regular expression" in message(pilot)
        assert len(shown(pilot)) == 4


async def test_x_by_step_epoch_time_and_rate(own_log) -> None:
    own_log.begin().logs().ends()
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        names, ends = [], []
        for _ in range(5):
            view = shown(pilot)[0]
            names.append(view.chart.x.name)
            ends.append(float(view.chart.series[0].x[-1]))
            await pilot.press("x")
        assert names == ["step", "epoch", "seconds", "learning rate", "step"]
        assert ends == pytest.approx([599, 9 + 59 / 60, 599 / 4, 0.1 / 600, 599], rel=1e-6)


async def test_a_log_with_steps_alone_stays_on_them(own_log) -> None:
    own_log.begin().tell(ev.Logged(step=[0, 1], values={"a": [1.0, 2.0]}))
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("x")
        assert "neither epochs, times nor rates" in message(pilot)


async def test_plus_and_minus_smooth_and_say_where_it_ends(own_log) -> None:
    own_log.begin().logs().ends()
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await settle(pilot)
        before = shown(pilot)[0].chart.series[1].y
        await pilot.press("plus")
        after = shown(pilot)[0].chart.series[1].y
        assert np.diff(after, 2).std() < np.diff(before, 2).std()
        await pilot.press(*["minus"] * 12)
        assert "the raw curve" in message(pilot)
        assert shown(pilot)[0].chart.series[0].colour == "loss"


async def test_the_load_of_the_machine_is_a_page_of_its_own(own_log) -> None:
    own_log.begin().logs(100).is_busy().ends()
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("d")
        await settle(pilot)
        assert titles(pilot) == ["GPU %", "GPU memory GB", "CPU cores", "memory GB"]
        assert shown(pilot)[0].chart.series[0].y.tolist() == pytest.approx(
            [50 + 5 * i for i in range(8)]
        )
        await pilot.press("x")
        assert "over time" in message(pilot)
        await pilot.press("d")
        await settle(pilot)
        assert titles(pilot)[0] == "loss"


async def test_without_a_load_d_says_so(own_log) -> None:
    own_log.begin().logs(100).ends()
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("d")
        assert "does not say how busy" in message(pilot)
        assert titles(pilot)[0] == "loss"


async def test_the_panel_has_last_and_best_values_and_settings(own_log) -> None:
    own_log.begin().logs().ends()
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        rows = panel(pilot).splitlines()
        accuracy = [0.95 - 0.8 * math.exp(-4 * e / 10) for e in range(1, 11)]
        (row,) = [row for row in rows if row.startswith("val/accuracy")]
        assert row.split() == [
            "val/accuracy",
            f"{accuracy[-1]:.3f}",
            f"{accuracy[-1]:.3f}",
            "at",
            "599",
        ]
        assert "augment   flip, crop" in panel(pilot)
        await pilot.press("p")
        await settle(pilot)
        assert not pilot.app.screen.query_one("#panel").display


async def test_the_cursor_reads_with_and_without_smoothing(own_log) -> None:
    own_log.begin().logs().ends()
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("i")
        await settle(pilot)
        (row,) = [row for row in panel(pilot).splitlines() if row.lstrip().startswith("train")]
        raw = shown(pilot)[0].chart.series[0]
        index = int(pilot.app.screen.cursor_at)
        assert float(row.split()[-1]) == pytest.approx(raw.y[index], rel=1e-3)
        assert row.split()[-2] == "raw"
        assert "val/accuracy" in panel(pilot)
        at = pilot.app.screen.cursor_at
        await pilot.press("right")
        assert pilot.app.screen.cursor_at > at
        marks = [view.chart.vlines[-1].x for view in shown(pilot)]
        assert len(set(marks)) == 1  # in step


async def test_zoom_shows_the_same_part_of_all_charts(own_log) -> None:
    own_log.begin().logs().ends()
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.press("z", "up", "up", "right")
        ends = {(view.chart.x.lo, view.chart.x.hi) for view in shown(pilot)}
        ((lo, hi),) = ends
        assert hi - lo == pytest.approx(150)


async def test_a_loop_is_paused_stopped_and_given_bounds(own_log) -> None:
    own_log.live().begin().logs(200)
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("space")
        own_log.tell(ev.Paused())
        await poll(pilot)
        assert "paused" in title(pilot)
        await pilot.press("space", "s", "enter", "b")
        assert isinstance(pilot.app.screen, BoundsDialog)
        await pilot.press(*"0.001", "down", *"0.01", "enter")
        sent = commands(own_log)
        assert [type(one) for one in sent] == [Pause, Continue, Stop, SetBounds]
        assert (sent[-1].base_lr, sent[-1].max_lr) == (0.001, 0.01)
        own_log.tell(ev.CommandRefused(command="set-bounds", reason="the loop asks for no bounds"))
        await poll(pilot)
        assert "the loop asks for no bounds" in message(pilot)


@pytest.mark.parametrize("key", ["space", "s", "b"])
async def test_a_loop_that_has_ended_takes_no_orders(own_log, key) -> None:
    own_log.begin().logs(200).ends()
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press(key)
        assert "has ended (done)." in message(pilot)


async def test_charts_values_and_summary_are_exported(own_log, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    own_log.begin().logs(more=5).ends()
    async with app_of(own_log).run_test(size=SMALL) as pilot:
        await settle(pilot)
        for suffix in (".svg", ".csv", ".json", ".png", ".html"):
            await pilot.press("e")
            assert isinstance(pilot.app.screen, ExportDialog)
            field = pilot.app.screen.query_one("Input")
            field.value = f"out{suffix}"
            await pilot.press("enter")
            await settle(pilot)
    svg = (tmp_path / "out.svg").read_text("utf-8")
    assert all(name in svg for name in ("metrics/class4", "grad_norm", "val/accuracy"))
    assert (tmp_path / "out.csv").read_text().startswith("step,")
    assert json.loads((tmp_path / "out.json").read_text())["kind"] == "logged"
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "out.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "grad_norm" in page


async def test_a_replay_of_a_logged_run(own_log) -> None:
    own_log.begin().logs().ends()
    async with replay_of(own_log, start_speed=math.inf).run_test(size=SMALL) as pilot:
        await settle(pilot)
        await poll(pilot)
        assert titles(pilot)[0] == "loss"
        await pilot.press(*["left_square_bracket"] * 25)
        assert shown(pilot)[0].chart.empty
        await pilot.press("s")
        assert "recording" in message(pilot)


async def test_the_view_is_remembered_by_the_path_of_the_log(own_log, tmp_path) -> None:
    own_log.begin().logs(more=2).ends()
    views = tmp_path / "state" / "views.json"
    other = logged_log(tmp_path / "runs", "other").begin().logs().ends()
    async with app_of(own_log, views=views).run_test(size=SMALL) as pilot:
        await settle(pilot)
        await pilot.press("x", "plus", "y", "m", "right", "slash", *"loss", "enter")
        await settle(pilot)
        options = pilot.app.screen.options
    async with app_of(own_log, views=views).run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert pilot.app.screen.options == options
        assert titles(pilot) == ["loss (log)"]
        assert shown(pilot)[0].chart.x.name == "epoch"
        assert pilot.app.screen.query_one(FilterBar).display
    async with app_of(other, views=views).run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert len(shown(pilot)) == 4


async def test_a_damaged_file_of_views_is_said_once(own_log, tmp_path) -> None:
    own_log.begin().logs().ends()
    views = tmp_path / "views.json"
    views.write_text("{")
    async with app_of(own_log, views=views).run_test(size=SMALL) as pilot:
        await settle(pilot)
        assert "What was remembered of views is lost" in message(pilot)
        assert titles(pilot)[0] == "loss"
        await pilot.press("plus")
    assert "smoothing" in views.read_text()


async def test_a_log_that_is_rewritten_begins_anew(own_log) -> None:
    own_log.begin().logs()
    async with app_of(own_log, clock=Hurrying()).run_test(size=SMALL) as pilot:
        await settle(pilot)
        own_log.run.events_path.write_bytes(b"")
        own_log.writer = type(own_log.writer)(own_log.run.events_path, clock=own_log.clock)
        own_log.begin().tell(ev.Logged(step=[0, 1], values={"b": [1.0, 2.0]}))
        await poll(pilot)
        await settle(pilot)
        assert titles(pilot) == ["b"]


async def test_names_and_settings_are_shown_as_text(tmp_path) -> None:
    log = logged_log(tmp_path / "runs", "a[b]\x1b[31m", {"k\x1b[0m": "[red]v[/]\n"}).begin()
    log.tell(ev.Logged(step=[0, 1], values={"[bold]loss\x1b[2J": [1.0, 2.0]})).ends()
    async with app_of(log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        assert titles(pilot) == ["[bold]loss�[2J"]
        assert "[red]v[/]" in panel(pilot)
        assert "\x1b" not in panel(pilot) + title(pilot)


async def test_a_click_chooses_a_chart_and_a_double_click_enlarges_it(own_log) -> None:
    own_log.begin().logs(more=2).ends()
    async with app_of(own_log).run_test(size=LARGE) as pilot:
        await settle(pilot)
        await pilot.click("#chart-3", offset=(20, 5))
        assert chosen(pilot) == ["metrics/class1"]
        await pilot.click("#chart-1", offset=(20, 5), times=2)
        await settle(pilot)
        assert titles(pilot) == ["val/accuracy, %"]
        await pilot.press("escape")
        await settle(pilot)
        assert chosen(pilot) == ["val/accuracy, %"]
