from dataclasses import replace

import numpy as np
import pytest
from view_histories import PER_EPOCH, STEPS, add_sweep, sweep_history, sweep_rates, text_of, valley

from clr_tui.engine.analysis.report import Bounds, range_report
from clr_tui.engine.analysis.sweep.suggest import Suggestion
from clr_tui.engine.log import events as ev
from clr_tui.tui.kinds.range_test.view import (
    RangeScale,
    bounds_of,
    next_suggestion,
    range_chart,
    range_panel,
)
from clr_tui.tui.text.chart_options import ChartOptions

BOUNDS = Bounds(base_lr=1e-4, max_lr=1e-3)
OPTIONS = ChartOptions()


def chart(history, options=OPTIONS, **kwargs):
    return range_chart(history, bounds=kwargs.pop("bounds", BOUNDS), options=options, **kwargs)


def panel(history, bounds=BOUNDS, selected="max", **kwargs):
    lines = range_panel(history, bounds, selected, range_report(history), **kwargs)
    return [text_of(line) for line in lines]


def test_the_axis_holds_the_whole_sweep_from_the_first_step_on():
    for until in (1, 40, STEPS):
        drawn = chart(sweep_history(until=until, done=False))
        assert (drawn.x.lo, drawn.x.hi, drawn.x.log) == (1e-7, 1.0, True)


@pytest.mark.parametrize("done", [True, False])
def test_losses_of_which_none_is_finite_are_not_awaited(done):
    """A log may lack the event that says so."""
    drawn = chart(sweep_history(lambda lr: np.full(len(lr), np.nan), done=done))
    assert drawn.empty == "None of 140 losses is a finite number: there is nothing to draw."
    assert "None" not in chart(sweep_history(until=1)).empty


def test_raw_losses_are_faint_below_the_smoothed_curve():
    raw, smoothed = chart(sweep_history()).series
    assert raw.faint
    assert not smoothed.faint
    np.testing.assert_allclose(raw.y, valley(sweep_rates()))
    # s_0 = x_0, s_i = a x_i + (1 - a) s_(i-1), by hand
    expected = raw.y[0]
    for value in raw.y[1:]:
        expected = 0.05 * value + 0.95 * expected
    assert smoothed.y[-1] == pytest.approx(expected)


def test_without_smoothing_there_is_one_curve():
    (only,) = chart(sweep_history(), replace(OPTIONS, smoothing=1.0)).series
    np.testing.assert_allclose(only.y, valley(sweep_rates()))


def test_bounds_are_two_marks_with_the_band_between():
    drawn = chart(sweep_history(), selected="base")
    assert [(line.label, line.x, line.selected) for line in drawn.vlines] == [
        ("base", 1e-4, True),
        ("max", 1e-3, False),
    ]
    assert [(band.x0, band.x1) for band in drawn.bands] == [(1e-4, 1e-3)]
    assert chart(sweep_history(), bounds=None).vlines == ()


@pytest.mark.parametrize("x", ["step", "epoch", "seconds"])
def test_bounds_stand_at_the_same_place_of_the_curve_on_every_axis(x):
    history = sweep_history()
    drawn = chart(history, replace(OPTIONS, x=x))
    # 1e-4 is 3/7 of the way from 1e-7 to 1: step 60 of 140; 10 steps a second, 70 an epoch
    step = 3 / 7 * STEPS
    expected = {"step": step, "epoch": step / PER_EPOCH, "seconds": (step + 1) / 10}[x]
    assert drawn.vlines[0].x == pytest.approx(expected, rel=1e-6)
    assert not drawn.x.log


def test_a_bound_beyond_the_sweep_keeps_its_place():
    scale = RangeScale.of(sweep_history(until=70, done=False), "step")
    # 1e-2 would be step 100, though only 70 are done
    assert scale.at(np.array([1e-2]))[0] == pytest.approx(100, rel=1e-6)
    assert scale.at(np.array([1e-8]))[0] == pytest.approx(-20, rel=1e-6)


def test_a_column_is_the_factor_that_the_axis_gives_it():
    scale = RangeScale.of(sweep_history(), "lr")
    assert scale.column(71) == pytest.approx(10 ** (7 / 70))
    assert RangeScale.of(sweep_history(until=1), "step").column(71) > 1


@pytest.mark.parametrize("y_log", [False, True])
@pytest.mark.parametrize("seeds", [1, 3])
def test_the_interval_of_the_best_rate_is_a_bar_below_the_curve(seeds, y_log):
    history = sweep_history(seeds=seeds)
    best = range_report(history).best
    drawn = chart(history, replace(OPTIONS, y_log=y_log), best=best)
    (bar,) = (one for one in drawn.series if one.name == "best max_lr")
    assert bar.x.tolist() == [best.low, best.high]
    lowest = min(np.nanmin(curve.y) for curve in drawn.series if curve.colour == "loss")
    assert len({*bar.y}) == 1
    places = np.array([drawn.y.lo, bar.y[0], lowest, drawn.y.hi])
    bottom, at, curve, top = np.log(places) if y_log else places
    assert bottom < at < curve - 0.05 * (top - bottom)
    without = chart(history, replace(OPTIONS, y_log=y_log))
    assert without.y.hi == drawn.y.hi
    assert without.y.lo > bar.y[0]


def test_the_explosion_does_not_press_the_curve_flat():
    drawn = chart(sweep_history())
    smoothed = drawn.series[1].y
    assert np.nanmax(smoothed) > 3.0
    assert drawn.y.hi is not None
    assert drawn.y.hi < 2.7
    assert drawn.y.lo is not None
    assert drawn.y.lo < np.nanmin(smoothed)


def test_any_losses_can_be_charted():
    for loss in (
        lambda r: np.full_like(r, np.nan),
        lambda r: np.zeros_like(r),
        lambda r: -r,
        lambda r: r * 1e300,
        lambda r: np.where(np.arange(len(r)) % 2, 1.0, np.nan),
    ):
        for y_log in (False, True):
            drawn = chart(sweep_history(loss), replace(OPTIONS, y_log=y_log))
            assert drawn.y.lo is None or (drawn.y.hi is not None and drawn.y.lo < drawn.y.hi)


def test_several_seeds_show_median_band_and_the_sweep_under_way():
    history = sweep_history(seeds=3, done=False)
    for trial in (0, 1):
        history.apply(ev.TrialFinished(trial=trial, outcome="done", step=STEPS))
    drawn = chart(history)
    assert [series.name for series in drawn.series] == ["this seed", "median"]
    (area,) = drawn.areas
    np.testing.assert_allclose(area.high - area.low, 0.002, atol=1e-9)


def test_divergence_and_suggestions_are_marked():
    history = sweep_history(until=120, done=False)
    history.apply(ev.Diverged(trial=0, step=119, lr=0.1, reason="..."))
    rule = Suggestion("valley", 2e-3, "f", "s")
    drawn = chart(history, suggestions=[rule, Suggestion("slide", None, "f", "s")])
    assert [(mark.label, mark.x) for mark in drawn.marks] == [("diverged", 0.1), ("valley", 2e-3)]


def test_before_the_first_step_the_chart_says_what_will_come():
    history = sweep_history(until=1, done=False)
    history.trials.clear()
    drawn = chart(history, bounds=None, empty="decoding")
    assert drawn.series == ()
    assert drawn.empty == "decoding"


def test_the_panel_tells_the_figures():
    history = sweep_history(until=70, done=False)
    lines = panel(history)
    assert "step       70 / 140" in lines
    assert "lr        2.8e-04" in lines  # step 69 of 140 over seven decades
    assert "samples/s 640" in lines
    assert "left      0:07" in lines
    assert "▸ max_lr   1.0e-03 = base x 10" in lines
    assert "  base_lr  1.0e-04" in lines


def test_the_panel_names_the_sweep_among_several():
    history = sweep_history(seeds=3, done=False)
    assert "sweep     3 of 3  seed 9" in panel(history)


def test_the_recommended_rule_is_marked_and_the_others_are_cautioned():
    history = sweep_history()
    lines = panel(history)
    (recommended,) = [line for line in lines if line.endswith("◂")]
    assert recommended.startswith("  bottom")
    report = range_report(history)
    for one in report.suggestions:
        if one.caution and one.lr is not None:
            assert any(line.startswith(f"! {one.rule}") for line in lines)


def test_formulas_are_shown_only_if_all_of_them_fit():
    history = sweep_history()
    assert any("formulas" in line for line in panel(history, height=60))
    assert not any("formulas" in line for line in panel(history, height=20))


def test_a_run_that_ended_has_no_time_left():
    history = sweep_history(until=70, done=False)
    assert not any(line.startswith("left") for line in panel(history, ended=True))


def test_rules_go_round_and_skip_those_without_a_value():
    rules = [
        Suggestion("a", 1e-3, "", ""),
        Suggestion("b", None, "", ""),
        Suggestion("c", 1e-2, "", "", low=2e-3),
    ]
    taken, seen = None, []
    for _ in range(3):
        found = next_suggestion(rules, taken)
        assert found is not None
        taken = found.rule
        seen.append(taken)
    assert seen == ["a", "c", "a"]
    assert next_suggestion([rules[1]], None) is None
    assert bounds_of(rules[0], 6) == Bounds(base_lr=1e-3 / 6, max_lr=1e-3)
    assert bounds_of(rules[2], 6) == Bounds(base_lr=2e-3, max_lr=1e-2)
    assert bounds_of(rules[1], 6) is None


def test_names_from_a_log_cannot_steer_the_terminal():
    history = sweep_history(until=1, done=False)
    history.apply(ev.DeviceChosen(device="\x1b[2Jcpu", name="[red]x\x1b"))
    add_sweep(history, valley)
    assert not any("\x1b" in line for line in panel(history))
    assert any("[red]x" in line for line in panel(history))
