from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from chart_samples import sweep_chart
from textual.app import App
from textual.geometry import Region

from clr_tui.tui.charts.chart import Area, Axis, Chart, Series, same_chart
from clr_tui.tui.charts.draw import draw_grid
from clr_tui.tui.widgets import chart_view
from clr_tui.tui.widgets.chart_view import ChartView


class ChartApp(App):
    CSS = "Screen { background: $background; }"

    def __init__(self, *charts):
        super().__init__()
        self.charts = charts

    def compose(self):
        for chart in self.charts:
            yield ChartView(chart)


@pytest.fixture
def repaints(monkeypatch):
    """The regions of each refresh of a chart; an empty tuple is a whole repaint."""
    seen = []
    refresh = ChartView.refresh

    def record(self, *regions, **options):
        seen.append(regions)
        return refresh(self, *regions, **options)

    monkeypatch.setattr(ChartView, "refresh", record)
    return seen


def shown(view):
    return "\n".join(view.render_line(y).text for y in range(view.size.height))


def visible(strip, x):
    """What can be seen of a cell: of a blank its background alone."""
    text, style, _ = next(iter(strip.crop(x, x + 1)))
    return text, style.bgcolor if text == " " else style


async def test_an_equal_chart_repaints_nothing(repaints):
    app = ChartApp(sweep_chart(50))
    async with app.run_test(size=(160, 44)) as pilot:
        view = app.query_one(ChartView)
        await pilot.pause()
        repaints.clear()
        view.set_chart(sweep_chart(50))
        assert repaints == []


async def test_only_differing_cells_are_redrawn(monkeypatch):
    drawings = []

    def count(*given):
        drawings.append(given[0])
        return draw_grid(*given)

    monkeypatch.setattr(chart_view, "draw_grid", count)
    app = ChartApp(sweep_chart(50))
    async with app.run_test(size=(160, 44)) as pilot:
        view = app.query_one(ChartView)
        await pilot.pause()
        drawings.clear()
        view.set_chart(sweep_chart(50))
        assert not drawings
        for chart in (sweep_chart(51), sweep_chart(51, selected="base"), sweep_chart(51, peak=0.1)):
            drawings.clear()
            view.set_chart(chart)
            assert len(drawings) == 1


def test_a_value_that_alone_differs_is_seen():
    x, y = np.arange(5.0), np.array([1.0, np.nan, 3.0, 2.0, 1.0])
    chart = Chart((Series(x, y, "loss"),), areas=(Area(x, y - 1, y + 1),))
    assert same_chart(chart, Chart((Series(x.copy(), y.copy(), "loss"),), areas=chart.areas))
    for other in (
        replace(chart, series=()),
        replace(chart, title="loss"),
        replace(chart, y=Axis(log=True)),
        replace(chart, series=(Series(x, np.where(y == 2, 2.5, y), "loss"),)),
        replace(chart, series=(Series(x, y, "loss", strong=True),)),
        replace(chart, series=(Series(x[:4], y[:4], "loss"),)),
        replace(chart, areas=(Area(x, y - 1, y + 2),)),
        replace(chart, areas=(replace(chart.areas[0], colour="band"),)),
    ):
        assert not same_chart(chart, other)


async def test_a_step_repaints_a_few_cells_and_exactly_those(repaints):
    app = ChartApp(sweep_chart(60))
    async with app.run_test(size=(160, 44)) as pilot:
        view = app.query_one(ChartView)
        await pilot.pause()
        before = [view.render_line(y) for y in range(44)]
        repaints.clear()
        view.set_chart(sweep_chart(61))
        (regions,) = repaints
        assert regions
        painted = {(x, r.y) for r in regions for x in range(r.x, r.right)}
        assert len(painted) < 80
        for y in range(44):
            old, new = before[y], view.render_line(y)
            for x in range(160):
                if (x, y) not in painted:
                    assert visible(old, x) == visible(new, x)


async def test_what_is_on_the_screen_is_the_chart():
    app = ChartApp(sweep_chart(30))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        app.query_one(ChartView).set_chart(sweep_chart(90))
        await pilot.pause()
        text = shown(app.query_one(ChartView))
    fresh = ChartApp(sweep_chart(90))
    async with fresh.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        again = shown(fresh.query_one(ChartView))
    for word in ("smoothed", "base 6.0e-04", "1e-7", "learning rate (log)"):
        assert word in text
        assert word in again


async def test_axes_hold_still_while_data_arrive():
    rng = np.random.default_rng(0)
    loss = 2.0 - np.linspace(0, 0.2, 400) + rng.normal(0, 0.01, 400)
    app = ChartApp(Chart((Series([], []),), x=Axis("step", lo=0, hi=400), y=Axis("loss")))
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(ChartView)
        await pilot.pause()
        gutters = []
        for n in range(10, 401, 5):
            # A view that states limits which follow the data is held still as well.
            y = Axis("loss", lo=float(loss[:n].min()) - 0.01, hi=float(loss[:n].max()) + 0.01)
            view.set_chart(Chart((Series(np.arange(n), loss[:n]),), Axis("step", lo=0, hi=400), y))
            gutters.append(tuple(view.render_line(row).text[:7] for row in range(28)))
        changes = sum(a != b for a, b in pairwise(gutters))
        assert changes <= 6


async def test_a_planned_x_axis_is_kept_and_an_estimate_is_held():
    def chart(end):
        return Chart((Series([0, 1, 2], [1, 2, 3]),), Axis("seconds", lo=0.0, hi=end))

    app = ChartApp(chart(107.0))
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(ChartView)
        await pilot.pause()
        first = view.render_line(28).text
        view.set_chart(chart(107.0))
        assert view.render_line(28).text == first
        axes = set()
        for end in np.linspace(100, 108, 40):
            view.set_chart(chart(float(end)))
            axes.add(view.render_line(28).text)
        assert len(axes) <= 2


async def test_another_kind_of_chart_gets_axes_of_its_own():
    wide = Chart((Series([0, 1], [0, 1000]),), y=Axis("loss"))
    small = Chart((Series([0, 1], [0, 900]),), y=Axis("accuracy"))
    app = ChartApp(wide)
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(ChartView)
        await pilot.pause()
        assert "1000" in shown(view)
        view.set_chart(small)
        await pilot.pause()
        assert "1000" not in shown(view)


async def test_a_resize_redraws_at_the_new_size():
    app = ChartApp(sweep_chart())
    async with app.run_test(size=(160, 44)) as pilot:
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        view = app.query_one(ChartView)
        rows = [view.render_line(y).text for y in range(24)]
        assert {len(row) for row in rows} == {80}
        assert rows[-1].strip() == "learning rate (log)"


async def test_a_theme_change_repaints_in_its_colours(repaints):
    app = ChartApp(sweep_chart())
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(ChartView)
        app.theme = "textual-dark"
        await pilot.pause()
        dark = [view.render_line(y) for y in range(30)]
        repaints.clear()
        app.theme = "textual-light"
        await pilot.pause()
        assert () in repaints
        light = [view.render_line(y) for y in range(30)]
        assert [s.text for s in dark] == [s.text for s in light]
        assert dark != light


async def test_without_colour_the_band_is_a_pattern(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    app = ChartApp(sweep_chart())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        view = app.query_one(ChartView)
        assert view.palette.name == "plain"
        assert "·" in shown(view)


async def test_it_never_takes_the_focus_nor_shows_a_cursor():
    app = ChartApp(sweep_chart())
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("tab")
        assert app.focused is None


async def test_charts_set_before_they_are_shown_are_shown(repaints):
    app = ChartApp(Chart(empty="nothing yet"))
    async with app.run_test(size=(100, 30)) as pilot:
        view = app.query_one(ChartView)
        view.display = False
        await pilot.pause()
        view.set_chart(sweep_chart())
        await pilot.pause()
        view.display = True
        await pilot.pause()
        assert "smoothed" in shown(view)
        assert "nothing yet" not in shown(view)


async def test_two_charts_keep_their_own_limits():
    one = sweep_chart()
    other = replace(one, y=Axis("loss", lo=0.0, hi=100.0))
    app = ChartApp(one, other)
    async with app.run_test(size=(100, 60)) as pilot:
        await pilot.pause()
        first, second = app.query(ChartView)
        assert "100" in shown(second)
        assert "100" not in shown(first)
        assert first.region == Region(0, 0, 100, 30)
