"""On a terminal that is too small for both, the chart keeps its axes and the panel yields."""

import pytest
from compare_runs import compare_log
from run_logs import app_of, usual

from clr_tui.tui.widgets.chart_view import ChartView
from clr_tui.tui.widgets.panel import Panel


def shown_charts(screen):
    charts = [chart for chart in screen.query(ChartView) if chart.size.height]
    return [[chart.render_line(y).text for y in range(chart.size.height)] for chart in charts]


@pytest.mark.parametrize("size", [(40, 12), (59, 12), (40, 30), (32, 15)])
async def test_the_chart_of_a_sweep_has_the_whole_width_and_its_y_axis(sweep_log, size):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=size) as pilot:
        screen = pilot.app.screen
        assert not screen.query_one("#panel", Panel).display
        (rows,) = shown_charts(screen)
        assert all(len(row) == size[0] for row in rows)
        assert any("┤" in row for row in rows)
        assert "recommended" in screen.query_one("#message", Panel).text


@pytest.mark.parametrize(("size", "count"), [((40, 12), 1), ((40, 24), 3)])
async def test_the_loss_of_a_training_has_its_y_axis(train_log, size, count):
    train_log.begin().train(4).end()
    async with app_of(train_log).run_test(size=size) as pilot:
        charts = shown_charts(pilot.app.screen)
        assert len(charts) == count
        loss = next(rows for rows in charts if "loss" in rows[0])
        assert any("┤" in row for row in loss)


async def test_the_curves_of_a_comparison_have_their_y_axis(tmp_path):
    async with app_of(compare_log(tmp_path)).run_test(size=(40, 12)) as pilot:
        (rows,) = shown_charts(pilot.app.screen)
        assert any("┤" in row for row in rows)


async def test_beside_a_panel_there_is_room_for_the_axis_too(sweep_log):
    sweep_log.begin().sweep(usual).end()
    async with app_of(sweep_log).run_test(size=(60, 16)) as pilot:
        screen = pilot.app.screen
        assert screen.query_one("#panel", Panel).display
        (rows,) = shown_charts(screen)
        assert any("┤" in row for row in rows)
