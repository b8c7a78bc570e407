"""Charts of logged values: where curves are on each axis, their unit, and who is who."""

from __future__ import annotations

import numpy as np
import pytest

from clr_tui.engine.analysis.centred_mean import centred_mean
from clr_tui.engine.analysis.logged import LoggedColumns
from clr_tui.engine.log.events import Logged
from clr_tui.tui.kinds.logged.curves import RunCurves, smoothing_of
from clr_tui.tui.kinds.logged.groups import chart_groups
from clr_tui.tui.kinds.logged.options import GridOptions, options_of, view_of
from clr_tui.tui.kinds.logged.view import axes_of, group_chart, usual_axis, x_scale


def run_of(name: str = "", *, x: str = "step", steps=None, at=None, **values) -> RunCurves:
    """A run whose names have these values, at steps 0, 1, ..."""
    columns = LoggedColumns()
    count = len(next(iter(values.values())))
    steps = list(range(count)) if steps is None else steps
    columns.append(Logged(step=steps, values=values, at=at or [], x=x))
    return RunCurves(name, columns)


def chart_of(*runs: RunCurves, axis="step", styles=(), **options):
    """The first chart of these runs."""
    names = [name for run in runs for name in run.columns.names]
    group = chart_groups(names)[0]
    x = x_scale(runs, names, axis)
    return group_chart(group, runs, GridOptions(x=axis, **options), x, styles)


def places(run: RunCurves, name: str, axis) -> list[float]:
    return run.places(axis)(name).tolist()


def test_epochs_between_two_beginnings_are_fractions_and_the_last_is_as_long_as_before() -> None:
    run = run_of(loss=[1.0] * 7, epoch=[0.0, 0, 0, 0, 1, 1, 1])
    assert places(run, "loss", "epoch") == [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5]


def test_fractional_epochs_are_places_as_they_are_and_values_in_between_are_interpolated() -> None:
    run = run_of(loss=[1.0] * 3, epoch=[0.1, 0.2, 0.4], steps=[10, 20, 40])
    run.columns.append(Logged(step=[30, 50], values={"eval_loss": [1.0, 1.0]}))
    assert places(run, "loss", "epoch") == pytest.approx([0.1, 0.2, 0.4])
    assert places(run, "eval_loss", "epoch") == pytest.approx([0.3, 0.5])


def test_of_one_epoch_alone_nobody_knows_its_length() -> None:
    assert axes_of([run_of(loss=[1.0, 1.0], epoch=[0.0, 0.0])]) == ("step",)


def test_steps_that_count_epochs_are_epochs() -> None:
    run = run_of(loss=[1.0, 0.9], epoch=[0.0, 1.0], x="epoch")
    assert places(run, "loss", "epoch") == [0, 1]
    assert x_scale([run], ["loss"], "step").name == "epoch"


def test_time_counts_from_the_first_value_of_the_run_in_a_unit_that_suits() -> None:
    run = run_of(loss=[1.0] * 3, at=[1000.0, 1060.0, 1060.0 + 1140])
    assert places(run, "loss", "time") == [0, 60, 1200]
    scale = x_scale([run], ["loss"], "time")
    assert (scale.name, scale.ends) == ("minutes", (0, 20))
    chart = chart_of(run, axis="time", smoothing=1.0)
    assert chart.x.label == "minutes"
    assert chart.series[0].x.tolist() == [0, 1, 20]
    assert axes_of([run]) == ("step", "time")


def test_x_by_rate_takes_the_last_rate_known() -> None:
    run = run_of(loss=[1.0] * 3, lr=[0.1, 0.2, 0.3], steps=[0, 10, 20])
    run.columns.append(Logged(step=[15, 25], values={"val_loss": [1.0, 2.0]}))
    assert places(run, "loss", "lr") == [0.1, 0.2, 0.3]
    assert places(run, "val_loss", "lr") == [0.2, 0.3]


def test_a_value_without_a_place_is_said() -> None:
    run = run_of(loss=[1.0, 2.0])
    chart = chart_of(run, axis="time")
    assert chart.series == ()
    assert chart.empty == "No value has a place on this x axis (seconds)."


def test_shares_are_per_cent_however_they_were_logged() -> None:
    share, per_cent = run_of("a", acc=[0.5, 0.75]), run_of("b", acc=[50.0, 80.0])
    chart = chart_of(share, per_cent, styles=(0, 1))
    assert chart.title == "acc, %"
    assert [line.y.tolist() for line in chart.series] == [[50, 75], [50, 80]]
    assert chart_of(run_of(f1=[0.5, 0.6])).title == "f1"
    assert chart_of(run_of(acc=[500.0, 600.0])).title == "acc"


def test_train_and_validation_share_a_chart_and_differ_without_colour() -> None:
    chart = chart_of(run_of(train_loss=[1.0, 0.5], val_loss=[1.2, 0.7]))
    assert chart.title == "loss"
    lines = [line for line in chart.series if line.kind == "line"]
    assert [(line.name, line.colour, line.glyph) for line in lines] == [
        ("train", "loss", ""),
        ("val", "validation", "●"),
    ]


def test_long_curves_are_smoothed_above_their_raw_values_short_ones_are_not() -> None:
    noise = np.random.default_rng(0).normal(1, 0.1, 1000)
    chart = chart_of(run_of(loss=noise.tolist()), smoothing=0.05)
    raw, smoothed = chart.series
    assert (raw.colour, raw.faint) == ("raw", True)
    assert raw.y.tolist() == noise.tolist()
    np.testing.assert_allclose(smoothed.y, centred_mean(noise, 0.05))
    short = chart_of(run_of(loss=noise[:8].tolist()), smoothing=0.05)
    assert [line.kind for line in short.series] == ["line", "points"]
    assert short.series[0].y.tolist() == noise[:8].tolist()
    rates = chart_of(run_of(lr=noise.tolist()), smoothing=0.05)
    assert rates.series[-1].y.tolist() == noise.tolist()


@pytest.mark.parametrize(
    ("count", "weight", "used"),
    [(10, 0.05, 1), (20, 0.05, 0.5), (100, 0.05, 0.1), (200, 0.05, 0.05), (9999, 0.03, 0.03)],
)
def test_smoothing_mixes_a_tenth_of_a_curve_at_most(count, weight, used) -> None:
    assert smoothing_of(count, weight) == used
    assert smoothing_of(count, 1.0) == 1


def test_runs_differ_in_colour_and_shape_and_keep_them_when_others_are_hidden() -> None:
    runs = [run_of("a", loss=[1.0, 2.0]), run_of("b", loss=[1.0, 2.0])]
    both = chart_of(*runs, styles=(0, 1)).series
    assert len({line.colour for line in both}) == len({line.glyph for line in both}) == 2
    (alone,) = chart_of(runs[1], styles=(1,)).series
    assert (alone.colour, alone.glyph) == (both[1].colour, both[1].glyph)


def test_with_several_runs_training_is_dotted_beside_validation() -> None:
    runs = [run_of(name, loss=[1.0, 2.0], val_loss=[1.0, 2.0]) for name in "ab"]
    chart = chart_of(*runs, styles=(0, 1))
    assert chart.title == "loss (train dotted)"
    assert [line.dotted for line in chart.series] == [True, False, True, False]


def test_a_single_value_is_a_point() -> None:
    (point,) = chart_of(run_of(loss=[1.0])).series
    assert point.kind == "points"


def test_values_of_which_none_is_finite() -> None:
    chart = chart_of(run_of(loss=[None, None]))
    assert chart.empty == "None of its values is a finite number."


def test_a_rate_of_several_groups_of_parameters_is_named_by_group() -> None:
    chart = chart_of(run_of(**{"lr/pg0": [0.1, 0.2], "lr/pg1": [1.0, 2.0]}))
    assert chart.title == "learning rate"
    assert [line.name for line in chart.series if line.kind == "line"] == ["pg0", "pg1"]


def test_log_y_is_of_one_chart() -> None:
    chart = chart_of(run_of(loss=[1.0, 2.0]), log_y=frozenset({"loss loss"}))
    assert chart.y.log
    assert chart.title == "loss (log)"


def test_a_view_is_remembered_as_what_is_not_the_default() -> None:
    options = GridOptions(x="time", smoothing=0.2, log_y=frozenset({"loss loss"}), at_once=6)
    assert view_of(GridOptions()) == {}
    assert options_of(view_of(options)) == options
    assert options_of({"x": "epoch", "unknown": 3}) == GridOptions(x="epoch")


@pytest.mark.parametrize(
    "view", [{"x": "moon"}, {"smoothing": 0}, {"smoothing": "a"}, {"at_once": 99}, {"words": 1}]
)
def test_a_remembered_view_that_makes_no_sense_is_the_default(view) -> None:
    assert options_of(view) == GridOptions()


def test_plus_and_minus_walk_through_the_weights_from_any_place() -> None:
    options = GridOptions(smoothing=0.04)
    assert options.smoother(1).smoothing == 0.03
    assert options.smoother(-1).smoothing == 0.05
    assert GridOptions(smoothing=1.0).smoother(-1).smoothing == 1.0


def test_runs_that_count_epochs_and_runs_that_count_steps_meet_at_epochs() -> None:
    by_step = run_of("a", loss=[1.0] * 4, epoch=[0.0, 0, 1, 1])
    by_epoch = run_of("b", loss=[1.0] * 2, x="epoch")
    assert usual_axis([by_step, by_epoch]) == "epoch"
    assert usual_axis([by_step]) == "step"
    assert usual_axis([by_epoch]) == "step"
    unknown = run_of("c", loss=[1.0] * 2)
    assert usual_axis([by_epoch, unknown]) == "step"
    assert x_scale([by_epoch, unknown], ["loss"], "step").name == "epoch or step"
    timed = [run_of("d", loss=[1.0], at=[5.0]), run_of("e", loss=[1.0], at=[9.0], x="epoch")]
    assert usual_axis(timed) == "time"
    assert usual_axis([]) == "step"
