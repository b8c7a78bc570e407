from dataclasses import replace

import msgspec
import numpy as np
import pytest
from comparison_logs import LABELS, comparison_config, comparison_events, comparison_history
from rich.cells import cell_len

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.tui.charts.cells import to_text
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import DARK, PLAIN
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.compare.view import CompareOptions, comparison_chart

DEFAULT = CompareOptions()
T_TWO = 4.302652729749462
"""97.5% quantile of Student's t with two degrees of freedom, from a table."""
SIX = ("adam", "sgd+clr", "rmsprop", "adagrad", "adadelta", "adamax")


def logged_curves(part="validation", what="accuracy", **log):
    """The curve of each trial, straight from the events: (entry, seed) -> values by epoch."""
    found, places = {}, {}
    for event in comparison_events(**log):
        if isinstance(event, ev.TrialStarted) and event.role == "train":
            places[event.trial] = (event.entry, event.seed)
        if part == "train" and isinstance(event, ev.EpochFinished):
            found.setdefault(places[event.trial], []).append(event.train_value(what))
        if part == "validation" and isinstance(event, ev.Evaluated) and event.part == part:
            found.setdefault(places[event.trial], []).append(event.value(what))
    return found


def means(chart: Chart):
    return [one for one in chart.series if one.glyph]


def history_with(change, labels=LABELS, **log):
    """The comparison's history, each event as `change` has it."""
    history = RunHistory(comparison_config(labels))
    for event in comparison_events(labels, **log):
        history.apply(change(event))
    return history


def test_values_of_which_none_is_finite_are_not_awaited():
    def without_values(event):
        if isinstance(event, ev.Evaluated):
            return msgspec.structs.replace(event, loss=None, metrics={"accuracy": None})
        return event

    chart = comparison_chart(history_with(without_values), DEFAULT, waiting="Wait")
    assert chart.empty == "No value is a finite number: there is nothing to draw."
    begun = RunHistory(comparison_config(LABELS))
    assert comparison_chart(begun, DEFAULT, waiting="Wait").empty == "Wait"


def test_each_entry_has_a_mean_in_per_cent_with_its_t_interval():
    chart = comparison_chart(comparison_history(), DEFAULT)
    assert [series.name for series in chart.series] == list(LABELS)
    curves = logged_curves()
    for entry, (series, area) in enumerate(zip(chart.series, chart.areas, strict=True)):
        values = 100 * np.array([curves[entry, seed] for seed in range(3)])
        half = T_TWO * values.std(axis=0, ddof=1) / np.sqrt(3)
        np.testing.assert_allclose(series.y, values.mean(axis=0))
        np.testing.assert_allclose(area.low, values.mean(axis=0) - half)
        np.testing.assert_allclose(area.high, values.mean(axis=0) + half)
        assert series.x.tolist() == list(range(1, 9))
        assert (series.colour, series.glyph) == (role_of(entry), glyph_of(entry))
        assert area.colour == series.colour


@pytest.mark.parametrize(
    ("part", "quantity"),
    [("train", "metric"), ("train", "loss"), ("validation", "loss")],
)
def test_any_of_the_four_curves_can_be_shown(part, quantity):
    options = CompareOptions(part=part, quantity=quantity)
    chart = comparison_chart(comparison_history(), options)
    unit, name = (100, "accuracy") if quantity == "metric" else (1, "loss")
    curves = logged_curves(part, name)
    expected = unit * np.mean([curves[1, seed] for seed in range(3)], axis=0)
    np.testing.assert_allclose(means(chart)[1].y, expected)
    assert chart.title == f"{part} {name}"


def test_with_both_parts_the_training_curve_is_dotted_without_glyphs():
    chart = comparison_chart(comparison_history(), CompareOptions(part="both"))
    quiet, loud = chart.series[:3], chart.series[3:]
    assert all(one.faint and one.dotted and not one.glyph and not one.name for one in quiet)
    assert not any(one.faint or one.dotted for one in loud)
    np.testing.assert_allclose(quiet[0].y, loud[0].y - 2)  # as the log has it
    assert [one.colour for one in quiet] == [one.colour for one in loud]
    assert len(chart.areas) == 3


def test_each_seed_is_a_faint_line_on_demand():
    chart = comparison_chart(comparison_history(), CompareOptions(seeds=True))
    faint = [one for one in chart.series if one.faint]
    assert len(faint) == 9
    curves = logged_curves()
    for one, place in zip(faint, sorted(curves), strict=True):
        np.testing.assert_allclose(one.y, 100 * np.array(curves[place]))
        assert one.colour == role_of(place[0])
    assert not any(one.faint for one in comparison_chart(comparison_history(), DEFAULT).series)


def test_hidden_entries_are_left_out_and_the_others_keep_their_colours():
    chart = comparison_chart(comparison_history(), CompareOptions(hidden=frozenset({0})))
    assert [series.name for series in chart.series] == list(LABELS[1:])
    assert [series.colour for series in chart.series] == [role_of(1), role_of(2)]
    assert len(chart.areas) == 2


def test_the_selected_entry_is_strong_and_its_band_in_front():
    chart = comparison_chart(comparison_history(), CompareOptions(selected=1))
    assert [series.strong for series in chart.series] == [False, True, False]
    assert [area.faint for area in chart.areas] == [True, False, True]
    plain = comparison_chart(comparison_history(), DEFAULT)
    assert not any(series.strong for series in plain.series)
    assert all(area.faint for area in plain.areas)


def test_without_bands_there_are_none_and_the_words_change():
    chart = comparison_chart(comparison_history(), CompareOptions(bands=False))
    assert not chart.areas
    assert "95%" in comparison_chart(comparison_history(), DEFAULT).y.label
    assert "95%" not in chart.y.label


def test_the_target_is_a_line_of_the_accuracy_only():
    chart = comparison_chart(comparison_history(), CompareOptions(target=0.65))
    assert [(line.y, line.label) for line in chart.hlines] == [(65.0, "target 65%")]
    assert chart.y.lo <= 65 <= chart.y.hi
    loss = comparison_chart(comparison_history(), CompareOptions(target=0.65, quantity="loss"))
    assert not loss.hlines


@pytest.mark.parametrize("target", [0.01, 0.999])
def test_a_far_target_is_on_the_chart(target):
    chart = comparison_chart(comparison_history(), CompareOptions(target=target))
    assert chart.y.lo <= 100 * target <= chart.y.hi


def test_the_axis_reaches_to_the_planned_end_from_the_start():
    for until in (1, 4):
        history = comparison_history(until_epoch=until)
        chart = comparison_chart(history, DEFAULT)
        assert (chart.x.lo, chart.x.hi) == (0, 8)
        assert max(series.x.max() for series in chart.series) == until
        steps = comparison_chart(history, CompareOptions(x="step"))
        assert (steps.x.lo, steps.x.hi) == (0, 80)
        assert steps.series[0].x.tolist() == [10.0 * (i + 1) for i in range(until)]
    before = comparison_chart(RunHistory(comparison_config(epochs=12)), DEFAULT)
    assert before.x.hi == 12


def test_by_seconds_there_is_no_planned_end():
    chart = comparison_chart(comparison_history(), CompareOptions(x="seconds"))
    assert (chart.x.label, chart.x.lo, chart.x.hi) == ("seconds", 0, None)
    assert chart.series[0].x.tolist() == [2.0 * (i + 1) for i in range(8)]


def test_unknown_seconds_make_an_empty_chart_that_can_be_drawn():
    def without(event):
        if isinstance(event, ev.EpochFinished):
            return msgspec.structs.replace(event, seconds=float("nan"))
        return event

    chart = comparison_chart(history_with(without), CompareOptions(x="seconds"), waiting="none")
    assert all(len(series.x) == 0 for series in chart.series)
    assert "none" in to_text(draw(chart, 80, 24, DARK))


def test_ends_of_cycles_are_marked_where_an_entry_has_cycles():
    chart = comparison_chart(comparison_history(epochs=20), DEFAULT)
    assert [(mark.x, mark.foot) for mark in chart.marks] == [(8, True), (16, True)]
    assert "end of a cycle" in chart.x.label
    steps = comparison_chart(comparison_history(epochs=20), CompareOptions(x="step"))
    assert [mark.x for mark in steps.marks] == [80, 160]
    for quiet in (
        comparison_chart(comparison_history(("adam", "rmsprop"), epochs=20), DEFAULT),
        comparison_chart(comparison_history(("adam+one-cycle",), epochs=20), DEFAULT),
        comparison_chart(comparison_history(epochs=20), CompareOptions(hidden=frozenset({1}))),
        comparison_chart(comparison_history(epochs=20), CompareOptions(x="seconds")),
        comparison_chart(comparison_history(epochs=6), DEFAULT),
    ):
        assert not quiet.marks
        assert "cycle" not in quiet.x.label


def test_a_value_that_is_not_finite_leaves_a_gap():
    def broken(event):
        if isinstance(event, ev.Evaluated) and (event.trial, event.epoch) == (4, 3):
            return msgspec.structs.replace(event, loss=None, metrics={"accuracy": None})
        return event

    for quantity in ("metric", "loss"):
        chart = comparison_chart(history_with(broken), CompareOptions(quantity=quantity))
        holes = [np.flatnonzero(np.isnan(series.y)).tolist() for series in chart.series]
        assert holes == [[], [2], []]


def exploding(event):
    if isinstance(event, ev.Evaluated) and event.trial == 6 and (event.epoch or 0) >= 3:
        return msgspec.structs.replace(event, loss=10.0**event.epoch)
    return event


@pytest.mark.parametrize("log", [False, True])
def test_a_diverged_loss_does_not_press_the_others_flat(log):
    calm = comparison_chart(comparison_history(), CompareOptions(quantity="loss", log_y=log))
    chart = comparison_chart(history_with(exploding), CompareOptions(quantity="loss", log_y=log))
    assert max(np.nanmax(series.y) for series in chart.series) > 1e7
    starts = [series.y[0] for series in chart.series]
    assert max(starts) <= chart.y.hi < 2 * max(starts)
    assert chart.y.lo == pytest.approx(calm.y.lo, abs=0.1)
    assert (chart.y.log, chart.title.endswith("(log)")) == (log, log)
    rows = {
        y
        for y, row in enumerate(draw(chart, 80, 24, PLAIN)[1:])
        if any(ink.role == role_of(0) and text.strip() for text, ink in row)
    }
    assert len(rows) > 8


def test_accuracies_have_no_logarithmic_axis():
    assert not comparison_chart(comparison_history(), CompareOptions(log_y=True)).y.log


def test_an_interval_of_two_seeds_does_not_press_the_curves_flat():
    chart = comparison_chart(comparison_history(seeds=2), DEFAULT)
    values = np.concatenate([series.y for series in chart.series])
    widest = max(np.nanmax(area.high) for area in chart.areas)
    assert widest > values.max() + 15  # t with one degree of freedom
    assert chart.y.hi < widest
    assert chart.y.hi - chart.y.lo <= 1.2 * np.ptp(values) + 20


def test_an_interval_below_zero_reaches_to_the_foot_of_a_logarithmic_axis():
    def spread(event):
        if isinstance(event, ev.Evaluated) and event.trial == 0:
            return msgspec.structs.replace(event, loss=0.01)
        return event

    chart = comparison_chart(history_with(spread), CompareOptions(quantity="loss", log_y=True))
    assert (chart.areas[0].low > 0).all()
    assert chart.areas[0].low.min() < chart.y.lo


def test_before_anything_is_known_there_are_axes_and_words():
    history = RunHistory(comparison_config())
    chart = comparison_chart(history, DEFAULT, waiting="The first epoch ends soon.")
    assert "The first epoch ends soon." in to_text(draw(chart, 80, 24, PLAIN))
    assert (chart.y.lo, chart.y.hi) == (0, 100)
    assert not comparison_chart(RunHistory(comparison_config(labels=())), DEFAULT).series


def test_a_mean_without_the_seeds_that_diverged_says_so():
    chart = comparison_chart(comparison_history(failed=(1, 0)), DEFAULT)
    assert chart.series[1].name == f"{LABELS[1]} (1 of 3 diverged)"
    assert [s.name for s in chart.series[::2]] == [LABELS[0], LABELS[2]]


def test_without_a_legend_no_entry_is_named():
    assert not any(
        s.name for s in comparison_chart(comparison_history(), DEFAULT, legend=False).series
    )


def test_labels_are_made_safe():
    history = comparison_history(("adam", "evil\x1b[31m\n[b]x[/b]"))
    name = comparison_chart(history, DEFAULT).series[1].name
    assert "\x1b" not in name
    assert "[b]x[/b]" in name


@pytest.mark.parametrize("size", [(80, 24), (160, 44), (20, 6)])
@pytest.mark.parametrize("log", [{"running": True}, {"failed": (1, 0)}, {"until_epoch": 1}])
@pytest.mark.parametrize("palette", [DARK, PLAIN], ids=lambda p: p.name)
def test_any_state_is_drawn_at_any_size(size, log, palette):
    history = comparison_history(SIX, **log)
    for options in (
        CompareOptions(target=0.6, selected=2, seeds=True, part="both"),
        CompareOptions(quantity="loss", log_y=True, x="seconds"),
    ):
        rows = draw(comparison_chart(history, options), *size, palette)
        assert [sum(cell_len(span.text) for span in row) for row in rows] == [size[0]] * size[1]


def test_without_colour_shapes_tell_the_curves_apart():
    text = to_text(draw(comparison_chart(comparison_history(SIX), DEFAULT), 80, 24, PLAIN)[1:])
    assert all(text.count(glyph_of(entry)) >= 3 for entry in range(6))


def test_options_cycle():
    options = DEFAULT
    for x, part in (("step", "both"), ("seconds", "train"), ("epoch", "validation")):
        options = options.next_x().next_part()
        assert (options.x, options.part) == (x, part)
    assert options.toggled_quantity().quantity == "loss"
    assert options.toggled_quantity().toggled_quantity() == options
    assert options.toggled_entry(2).hidden == {2}
    assert options.toggled_entry(2).toggled_entry(2) == options
    assert (
        replace(options, part="both").title(comparison_history()) == "train and validation accuracy"
    )


def test_shapes_and_colours_tell_a_hundred_entries_apart():
    assert len({role_of(entry) for entry in range(8)}) == 8
    assert len({glyph_of(entry) for entry in range(8)}) == 8
    assert len({(role_of(entry), glyph_of(entry)) for entry in range(100)}) == 100
    assert all(cell_len(glyph_of(entry)) == 1 for entry in range(100))
    assert role_of(8) == role_of(0)
    assert glyph_of(8) != glyph_of(0)
