from dataclasses import replace

import numpy as np
import pytest
import torch
from view_histories import add_epoch, text_of, train_history

from clr_tui.engine.log import events as ev
from clr_tui.engine.settings.config import POLICIES, Train
from clr_tui.tui.charts.cells import to_text
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import DARK
from clr_tui.tui.kinds.train.view import (
    ending_sentence,
    plan_of,
    training_charts,
    training_panel,
    training_sentence,
)
from clr_tui.tui.text.chart_options import ChartOptions

CONFIG = Train(base_lr=1e-3, max_lr=6e-3, step_size_epochs=2, epochs=8)
EPOCH = ChartOptions(x="epoch")


def history_of(until, config=CONFIG, total=80, per_epoch=10):
    return train_history(config, until=until, total=total, per_epoch=per_epoch)


def test_losses_of_which_none_is_finite_are_not_awaited():
    history = history_of(0)
    history.apply(ev.Steps(trial=0, step=[0, 1], lr=[1e-3] * 2, loss=[None] * 2))
    _, loss, _ = training_charts(history, EPOCH)
    assert loss.empty == "None of 2 losses is a finite number: there is nothing to draw."


def ahead(charts):
    (series,) = [one for one in charts[0].series if one.colour == "lr-ahead"]
    return series


def torch_rates(config, total, step_size):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=config.base_lr)
    schedule = torch.optim.lr_scheduler.CyclicLR(
        optimizer, config.base_lr, config.max_lr, step_size_up=step_size, cycle_momentum=False
    )
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return np.array(rates)


def test_the_schedule_ahead_is_the_one_that_torch_would_walk():
    series = ahead(training_charts(history_of(25), ChartOptions(x="step")))
    expected = torch_rates(CONFIG, 80, 20)
    steps = series.x.astype(int)
    assert steps[0] == 24
    assert steps[-1] == 79
    np.testing.assert_allclose(series.y, expected[steps], rtol=1e-12)
    assert {40, 60} <= set(steps.tolist())  # the corners of its cycles


def test_changed_bounds_redraw_what_is_ahead_and_leave_what_was_walked():
    history = history_of(25)
    before = training_charts(history, EPOCH)
    history.apply(ev.BoundsChanged(trial=0, step=25, base_lr=1e-4, max_lr=2e-3))
    after = training_charts(history, EPOCH)
    np.testing.assert_array_equal(before[0].series[0].y, after[0].series[0].y)
    assert ahead(after).y.max() == pytest.approx(2e-3)
    assert [line.y for line in after[0].hlines] == [2e-3, 1e-4]
    assert [mark.x for mark in after[0].marks] == [2.5]


def test_before_the_data_are_there_the_whole_schedule_is_ahead():
    history = history_of(0)
    history.trials.clear()
    charts = training_charts(history, EPOCH, waiting="decoding")
    series = ahead(charts)
    assert series.x[-1] == pytest.approx(8, abs=0.02)
    assert series.y.max() == pytest.approx(6e-3)
    assert charts[1].empty == "decoding"


def test_length_is_rounded_up_to_whole_cycles_before_it_is_known():
    history = history_of(0, Train(base_lr=1e-3, max_lr=6e-3, step_size_epochs=2, epochs=7))
    history.trials.clear()
    plan = plan_of(history)
    assert plan is not None
    assert plan.total_steps / plan.steps_per_epoch == 8


@pytest.mark.parametrize("x", ["epoch", "step", "seconds"])
def test_the_three_charts_share_one_axis(x):
    charts = training_charts(history_of(25), ChartOptions(x=x))
    assert len({(chart.x.lo, chart.x.hi) for chart in charts}) == 1
    assert charts[0].x.hi == pytest.approx({"epoch": 8, "step": 80, "seconds": 80}[x])
    assert [chart.x.label for chart in charts] == ["", "", x]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("until", [0, 1, 25, 80])
def test_every_policy_can_be_drawn_at_any_time(policy, until):
    config = Train(base_lr=1e-3, max_lr=6e-3, policy=policy, step_size_epochs=2, epochs=8)
    charts = training_charts(history_of(until, config), EPOCH)
    for series in charts[0].series:
        assert np.all(np.isfinite(series.y))
    assert training_panel(history_of(until, config))


def test_validation_points_stand_at_the_ends_of_epochs():
    charts = training_charts(history_of(35), EPOCH)
    (points,) = [one for one in charts[1].series if one.kind == "points"]
    assert points.x.tolist() == [1, 2, 3]
    assert points.y.tolist() == [1, 1, 1]


def test_the_best_accuracy_is_marked():
    charts = training_charts(history_of(35), EPOCH)
    (mark,) = charts[2].marks
    assert (mark.x, mark.y, mark.label) == (3, pytest.approx(53), "best 53.0")
    assert charts[2].y.hi <= 100


def test_spikes_of_the_raw_loss_do_not_set_the_limits():
    history = history_of(0, total=4000, per_epoch=500)
    losses = [1.0] * 1000
    losses[500] = 1e6
    history.apply(ev.Steps(trial=0, step=list(range(1000)), lr=[1e-3] * 1000, loss=losses))
    chart = training_charts(history, ChartOptions(smoothing=0.002))[1]
    assert chart.y.hi < 1e4


def test_losses_that_are_not_finite_leave_gaps():
    history = history_of(10)
    history.apply(ev.Steps(trial=0, step=[10, 11], lr=[1e-3] * 2, loss=[None, 1.0]))
    chart = training_charts(history, EPOCH)[1]
    assert np.isnan(chart.series[0].y[10])


def panel(history, **kwargs):
    return [text_of(line) for line in training_panel(history, **kwargs)]


def test_the_panel_tells_epoch_phase_and_bounds():
    lines = panel(history_of(30))
    assert "epoch     4 / 8" in lines
    assert "step      30 / 80" in lines
    assert "cycle     1 of 2, falling" in lines
    assert "max_lr    6.0e-03" in lines
    assert "base_lr   1.0e-03" in lines
    assert "best      53.0 %  epoch 3" in lines


def test_the_panel_tells_the_test_results():
    history = history_of(80)
    for name, accuracy in (("last", 0.61), ("best", 0.63)):
        history.apply(
            ev.Evaluated(
                trial=0,
                step=80,
                part="test",
                loss=1.0,
                metrics={"accuracy": accuracy},
                checkpoint=name,
                epoch=8,
            )
        )
    lines = panel(history)
    assert "test      61.0 %  last epoch" in lines
    assert "          63.0 %  best epoch" in lines
    assert training_sentence(history) == (
        "Test accuracy: 61.0 % last weights, 63.0 % best weights (epoch 8)."
    )


def test_an_end_in_mid_cycle_is_said():
    history = history_of(30)
    history.apply(ev.RunFinished(outcome="stopped"))
    assert "cycle 1 of 2" in ending_sentence(history)
    assert "not final accuracy" in ending_sentence(history)


def test_an_end_at_the_end_of_a_cycle_needs_no_words():
    history = history_of(80)
    assert ending_sentence(history) == ""
    history.apply(ev.RunFinished(outcome="done"))
    assert ending_sentence(history) == ""
    assert "cycle     2 of 2, complete" in panel(history)


def test_progress_is_described_while_a_training_runs():
    assert (
        training_sentence(history_of(5)) == "Validation accuracy is measured after the first epoch."
    )
    history = history_of(20)
    add_epoch(history, 3, 30)
    assert training_sentence(history) == "Best so far 53.0 % on validation, epoch 3."


def test_a_narrow_triangle_fills_its_chart():
    config = Train(base_lr=1e-3, max_lr=1.2e-3, step_size_epochs=2, epochs=8)
    axis = training_charts(history_of(25, config), EPOCH)[0].y
    assert 0.95e-3 < axis.lo < 1e-3
    assert 1.2e-3 < axis.hi < 1.25e-3
    assert not axis.log
    axis = training_charts(history_of(25, config), replace(EPOCH, y_log=True))[0].y
    assert axis.log
    assert 0.9e-3 <= axis.lo < 1e-3
    assert 1.2e-3 < axis.hi <= 1.33e-3


def test_a_constant_rate_lies_within_its_chart():
    config = Train(base_lr=1e-3, max_lr=1e-3, policy="constant", epochs=8)
    axis = training_charts(history_of(0, config), EPOCH)[0].y
    assert 0 <= axis.lo < 1e-3 < axis.hi


def test_a_run_that_vanished_promises_nothing():
    history = history_of(5)
    assert training_sentence(history, ended=True) == ""
    accuracy = training_charts(history, EPOCH, ended=True)[2]
    assert accuracy.empty == "The run ended before its first epoch did."
    add_epoch(history, 1, 10)
    assert training_sentence(history, ended=True).startswith("Best 51.0 % on validation")


def test_the_legend_of_the_loss_fits_at_80_columns():
    loss = training_charts(history_of(40), EPOCH)[1]
    # Beside the panel of figures the charts of an 80-column screen have 48.
    heading = to_text(draw(loss, 48, 12, DARK)).splitlines()[0]
    assert [series.name for series in loss.series] == ["raw", "train", "val"]
    assert heading.split() == [
        "loss",
        "(smoothing",
        "0.05)",
        "┄┄",
        "raw",
        "━━",
        "train",
        "•",
        "val",
    ]
