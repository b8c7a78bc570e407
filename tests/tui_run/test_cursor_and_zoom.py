"""Cursor and zoom on every screen with charts, in every state of a run."""

from __future__ import annotations

import numpy as np
import pytest
from compare_runs import all_failed, compare_log
from grid_runs import grid_log
from run_logs import PER_EPOCH, app_of, message, panel, poll, usual

from clr_tui.engine.log import events as ev
from clr_tui.tui.keys import keys_for
from clr_tui.tui.kinds.compare.trial_screen import TrialScreen
from clr_tui.tui.screens.chart_screen import NOTHING_TO_READ, NOTHING_TO_ZOOM
from clr_tui.tui.screens.help import HelpScreen
from clr_tui.tui.widgets.chart_view import ChartView
from clr_tui.tui.widgets.key_footer import KeyFooter

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 44)], ids=["80x24", "160x44"])
FAILED = ev.RunFinished(outcome="failed", message="no data")
WITHOUT_DATA = {
    "sweep_log": [
        lambda log: log.live(),
        lambda log: log.live().begin(),
        lambda log: log.tell(FAILED),
        lambda log: log.begin().end("failed", "The device ran out of memory.", "batch_size"),
    ],
    "train_log": [
        lambda log: log.live(),
        lambda log: log.live().begin(),
        lambda log: log.tell(FAILED),
    ],
}


def shown(pilot, name: str | None = None) -> str:
    """A chart as it is on the screen, the first one without a name."""
    view = pilot.app.screen.query_one(f"#{name}" if name else ChartView, ChartView)
    return "\n".join(view.render_line(y).text for y in range(view.size.height))


def x_axis(pilot) -> tuple[float, float]:
    """The ends of the x axis that is shown."""
    screen = pilot.app.screen
    part = screen._part_shown
    return part.lo, part.hi


def footer(pilot) -> str:
    return " ".join(
        f"{k} {words}" for k, words in pilot.app.screen.query_one(KeyFooter).keys_to_show()
    )


async def draw_new(pilot) -> None:
    """Reads the log and draws at once, however long drawing took before."""
    await poll(pilot)
    pilot.app.screen.show_all()
    await pilot.pause()


async def check_without_data(pilot) -> None:
    before = [shown(pilot)]
    for key in ("i", "left", "z", "f", "Z", "X", "X", "escape"):
        if key == "escape":
            break  # it leaves the screen
        await pilot.press(key)
        if key == "i":
            assert NOTHING_TO_READ in " ".join(message(pilot).split())
        if key in "zf":
            assert NOTHING_TO_ZOOM in " ".join(message(pilot).split())
        assert pilot.app.screen.key_tool is None
    await pilot.pause()
    assert "┊" not in shown(pilot)
    assert shown(pilot).splitlines()[0] == before[0].splitlines()[0]


@SIZES
@pytest.mark.parametrize(
    ("fixture", "state"),
    [(name, i) for name, states in WITHOUT_DATA.items() for i in range(len(states))],
)
async def test_without_values_keys_say_so(request, fixture, state, size):
    log = request.getfixturevalue(fixture)
    WITHOUT_DATA[fixture][state](log)
    async with app_of(log).run_test(size=size) as pilot:
        await check_without_data(pilot)


@SIZES
@pytest.mark.parametrize("state", ["nothing yet", "first steps", "all failed"])
async def test_a_comparison_without_values_says_so(tmp_path, state, size):
    make = {
        "nothing yet": lambda: compare_log(tmp_path, upto=0).live(),
        "first steps": lambda: compare_log(tmp_path, upto=9).live(),
        "all failed": lambda: all_failed(tmp_path),
    }
    log = make[state]()
    async with app_of(log).run_test(size=size) as pilot:
        await check_without_data(pilot)
    log.die()


@SIZES
async def test_the_cursor_of_a_sweep_reads_raw_and_smoothed_losses_at_a_rate(sweep_log, size):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=size) as pilot:
        screen = pilot.app.screen
        bounds = screen.bounds
        await pilot.press("i")
        assert screen.key_tool == "cursor"
        trial = screen.history.trials[0]
        for keys in ([], ["right"], ["shift+right"], ["left", "left"], ["shift+left"] * 9):
            await pilot.press(*keys)
            step = int(np.flatnonzero(trial.lr == screen.cursor_at)[0])
            read = dict(line.rsplit(maxsplit=1) for line in panel(pilot).splitlines()[:4] if line)
            read = {name.strip(): value for name, value in read.items()}
            assert float(read["learning rate"]) == pytest.approx(trial.lr[step], rel=1e-3)
            assert float(read["raw"]) == pytest.approx(trial.loss[step], rel=1e-3)
            smoothed = screen.base_charts["loss-chart"].series[1]
            assert float(read["smoothed"]) == pytest.approx(smoothed.y[step], rel=1e-3)
            await pilot.pause()
            assert "┊" in shown(pilot)
        assert step == 0
        assert screen.bounds == bounds  # the arrows were the cursor's
        await pilot.press("i")
        assert screen.key_tool is None
        assert "learning rate" not in panel(pilot)
        await pilot.press("left")
        assert screen.bounds.max_lr < bounds.max_lr  # and are the bound's again


@SIZES
async def test_escape_ends_a_tool_before_it_leaves_the_screen(sweep_log, size):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=size) as pilot:
        screen = pilot.app.screen
        await pilot.press("i", "z", "up")
        assert screen.key_tool == "zoom"
        part = screen.part
        await pilot.press("escape")
        assert screen.key_tool == "cursor"
        assert screen.part == part
        await pilot.press("escape")
        assert screen.key_tool is None
        assert screen.cursor_at is None
        assert screen.part == part
        assert pilot.app.screen is screen
        await pilot.press("escape")
        assert pilot.app.screen is not screen


async def test_footer_help_and_palette_show_the_keys_in_use(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(160, 44)) as pilot:
        screen = pilot.app.screen
        assert "i cursor" in footer(pilot)
        assert "z zoom" in footer(pilot)
        assert "←→ move bound" in footer(pilot)
        await pilot.press("i")
        assert footer(pilot).startswith("←→ move cursor i esc end")
        assert "move bound" not in footer(pilot)
        titles = {command.title for command in pilot.app.get_system_commands(screen)}
        assert "Move the cursor left" in titles
        assert "Move the selected bound left" not in titles
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        assert "move the cursor to the next value" in str(
            pilot.app.screen.query_one("#help-keys").render()
        )
        await pilot.press("escape")
        assert screen.key_tool == "cursor"
        await pilot.press("z")
        assert footer(pilot).startswith("↑↓ narrow, widen ←→ move")


def test_the_table_offers_each_key_once_whatever_is_in_use():
    for screen in ("range-test", "train", "compare", "compare+grid"):
        for tool in (None, "cursor", "zoom"):
            names = [name for key in keys_for(screen, "ended", tool) for name in key.names]
            assert len(names) == len(set(names)), (screen, tool)
    offered = {key.shown: key.label for key in keys_for("compare+grid", "live")}
    assert offered["f"] == "curves"
    assert {key.shown: key.label for key in keys_for("compare", "live")}["f"] == "newest"
    zooming = {key.shown: key.label for key in keys_for("compare+grid", "live", "zoom")}
    assert zooming["f"] == "newest"


@SIZES
async def test_zoom_of_a_training_narrows_moves_and_widens_all_three_charts(train_log, size):
    train_log.begin().train(16).end()
    async with app_of(train_log).run_test(size=size) as pilot:
        screen = pilot.app.screen
        await pilot.press("z", "up")
        assert x_axis(pilot) == (4.0, 12.0)
        await pilot.pause()
        loss = next(s for s in screen.base_charts["loss-chart"].series if s.name == "train")
        inside = loss.y[(loss.x >= 4) & (loss.x <= 12)]
        for view in screen.query(ChartView):
            assert (view.chart.x.lo, view.chart.x.hi) == (4.0, 12.0)
        limits = screen.query_one("#loss-chart", ChartView)._y_limits._limits
        assert limits[0] <= inside.min()
        assert limits[1] >= inside.max()
        assert limits[1] - limits[0] < 0.75 * (loss.y.max() - loss.y.min())
        await pilot.press("up", "right", "shift+left")
        assert x_axis(pilot) == pytest.approx((2.4, 6.4))
        await pilot.press("shift+left")
        assert x_axis(pilot) == (0.0, 4.0)
        await pilot.press("down", "down", "down")
        assert x_axis(pilot) == (0.0, 16.0)
        await pilot.press("right")
        assert "All of x is shown" in message(pilot)
        await pilot.press("up", "Z")
        assert screen.part is None
        for _ in range(20):
            await pilot.press("up")
        assert "narrowest" in message(pilot)
        assert x_axis(pilot)[1] - x_axis(pilot)[0] >= 1.5 / PER_EPOCH


async def test_zoom_keeps_the_cursor_in_its_place_and_the_cursor_takes_the_part_along(train_log):
    train_log.begin().train(16).end()
    async with app_of(train_log).run_test(size=(160, 44)) as pilot:
        screen = pilot.app.screen
        await pilot.press("i", "shift+left", "shift+left")
        at = screen.cursor_at
        await pilot.press("z", "up", "up", "up", "up")
        low, high = x_axis(pilot)
        assert (at - low) / (high - low) == pytest.approx(at / 16, abs=0.01)
        await pilot.press("escape")
        for _ in range(12):
            await pilot.press("shift+right")
            low, high = x_axis(pilot)
            assert low <= screen.cursor_at <= high
        assert screen.cursor_at > at + 0.7


@SIZES
async def test_f_follows_the_newest_values_of_a_live_training_and_holds_them(train_log, size):
    train_log.live().begin().train(6)
    async with app_of(train_log).run_test(size=size) as pilot:
        screen = pilot.app.screen
        await pilot.press("f")
        assert "Following the newest 2 epochs" in message(pilot)
        assert x_axis(pilot) == (4.0, 6.0)
        steps = list(range(6 * PER_EPOCH, 7 * PER_EPOCH))
        train_log.tell(ev.Steps(trial=0, step=steps, lr=[1e-3] * 54, loss=[0.5] * 54))
        await draw_new(pilot)
        low, high = x_axis(pilot)
        assert (low, high) == pytest.approx((5.0, 7.0))
        await pilot.press("z", "up")
        assert x_axis(pilot) == pytest.approx((6.0, 7.0))
        await pilot.press("f")
        assert "held" in message(pilot)
        steps = [step + PER_EPOCH for step in steps]
        train_log.tell(ev.Steps(trial=0, step=steps, lr=[1e-3] * 54, loss=[0.5] * 54))
        await draw_new(pilot)
        assert x_axis(pilot) == pytest.approx((6.0, 7.0))
        await pilot.press("f")
        assert x_axis(pilot) == pytest.approx((7.0, 8.0))
        await pilot.press("Z")
        assert x_axis(pilot) == (0.0, 16.0)
        assert screen.newest_span is None


async def test_another_x_axis_ends_cursor_and_zoom(train_log):
    train_log.begin().train(16).end()
    async with app_of(train_log).run_test(size=(100, 30)) as pilot:
        screen = pilot.app.screen
        await pilot.press("i", "z", "up", "x")
        assert (screen.cursor_at, screen.part, screen.key_tool) == (None, None, None)
        assert x_axis(pilot) == (0.0, 16.0 * PER_EPOCH)
        assert "cursor" in footer(pilot) or "move cursor" not in footer(pilot)


async def test_x_becomes_logarithmic_and_back_for_all_three_charts(train_log):
    train_log.begin().train(16).end()
    async with app_of(train_log).run_test(size=(100, 30)) as pilot:
        await pilot.press("X")
        for view in pilot.app.screen.query(ChartView):
            assert view.chart.x.log
            assert view.chart.x.lo == pytest.approx(1 / PER_EPOCH)
        await pilot.pause()
        assert "epoch (log)" in shown(pilot, "metric-chart")
        await pilot.press("i", "left")
        assert "┊" in shown(pilot, "loss-chart")
        await pilot.press("escape", "X")
        assert not any(view.chart.x.log for view in pilot.app.screen.query(ChartView))


async def test_the_learning_rate_of_a_sweep_is_logarithmic_as_it_is(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(80, 24)) as pilot:
        await pilot.press("X")
        assert "learning rate has a logarithmic axis" in message(pilot)


async def test_a_bound_moves_by_a_column_of_what_is_shown(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(120, 40)) as pilot:
        screen = pilot.app.screen
        start = screen.bounds.max_lr
        await pilot.press("left")
        whole = start / screen.bounds.max_lr
        await pilot.press("z", "up", "up", "escape")
        start = screen.bounds.max_lr
        await pilot.press("left")
        assert start / screen.bounds.max_lr == pytest.approx(whole**0.25)


@SIZES
async def test_the_cursor_of_a_comparison_reads_means_and_intervals_in_the_message(tmp_path, size):
    async with app_of(compare_log(tmp_path)).run_test(size=size) as pilot:
        screen = pilot.app.screen
        target = screen.options.target
        await pilot.press("i", "right")
        assert screen.cursor_at == int(screen.cursor_at)
        first = message(pilot).splitlines()[0]
        assert first.startswith(f"epoch {screen.cursor_at:.0f}   ● adam ")
        chart = screen.base_charts["chart"]
        index = int(screen.cursor_at) - 1
        mean, band = chart.series[0].y[index], chart.areas[0]
        assert f"{mean:.2f} ({band.low[index]:.2f}…{band.high[index]:.2f})" in first
        assert screen.options.target == target
        await pilot.press("up", "down")  # still the row's
        assert screen.key_tool == "cursor"
        await pilot.press("z", "up", "f")
        assert screen.newest_span is not None
        await pilot.press("escape", "i", "right")
        assert screen.options.target != target


async def test_f_of_a_grid_shows_its_curves_and_follows_while_zooming(tmp_path):
    async with app_of(grid_log(tmp_path)).run_test(size=(160, 44)) as pilot:
        screen = pilot.app.screen
        assert screen.sensitivity is not None
        await pilot.press("z", "f")
        assert screen.newest_span is None
        assert "no part of x is newer" in message(pilot)
        await pilot.press("escape", "f")
        assert screen.sensitivity is None
        await pilot.press("z", "f")
        assert screen.newest_span is not None
        assert screen.sensitivity is None


async def test_the_cursor_of_a_grid_reads_its_rates(tmp_path):
    async with app_of(grid_log(tmp_path)).run_test(size=(160, 44)) as pilot:
        screen = pilot.app.screen
        await pilot.press("i")
        rates = [point.lr for point in screen.sensitivity.optimizers[0].points]
        assert screen.cursor_at in rates
        assert message(pilot).startswith("learning rate ")


async def test_a_trial_has_cursor_and_zoom_too(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=(100, 30)) as pilot:
        await pilot.press("enter", "down", "enter")
        assert isinstance(pilot.app.screen, TrialScreen)
        await pilot.press("i", "right")
        assert "epoch" in panel(pilot).splitlines()[0]
        assert "accuracy, %" in panel(pilot)
        await pilot.press("z", "up")
        low, high = x_axis(pilot)
        assert high - low == pytest.approx(4.0)


async def test_without_room_for_the_panel_the_message_reads_the_values(train_log):
    train_log.begin().train(4).end()
    async with app_of(train_log).run_test(size=(40, 24)) as pilot:
        await pilot.press("i")
        words = " ".join(message(pilot).split())
        assert words.startswith("epoch ")
        assert "loss (smoothing 0.05): raw " in words


async def test_an_export_has_the_part_of_x_and_no_cursor(train_log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train_log.begin().train(16).end()
    async with app_of(train_log).run_test(size=(100, 30)) as pilot:
        whole = pilot.app.screen.exports()[".svg"]()
        await pilot.press("i", "z", "up")
        part = pilot.app.screen.exports()[".svg"]()
    assert ">16<" not in part
    assert part != whole
    assert "#f2f6fb" not in part  # the cursor's colour
