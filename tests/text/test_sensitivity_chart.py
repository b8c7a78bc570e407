"""The chart of the final metric against the rate, from results made by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from clr_tui.engine.analysis.comparison.sensitivity_results import (
    OptimizerSensitivity,
    RatePoint,
    Sensitivity,
)
from clr_tui.engine.metrics import ACCURACY, LOSS, Metric
from clr_tui.engine.settings.config import Compare
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.tui.charts.cells import to_text
from clr_tui.tui.charts.draw import draw
from clr_tui.tui.charts.palette import PLAIN
from clr_tui.tui.charts.svg import to_svg
from clr_tui.tui.kinds.compare.entry_style import glyph_of, role_of
from clr_tui.tui.kinds.compare.sensitivity_view import (
    is_complete,
    optimizer_places,
    sensitivity_chart,
    styles_by_rate,
    toggled_optimizer,
    words_in_order,
)
from clr_tui.tui.kinds.compare.view import CompareOptions

RATES = [float(f"{lr:.3g}") for lr in np.geomspace(2.8e-4, 2.8e-2, 7)]
MEANS = (0.41, 0.52, 0.61, 0.672, 0.678, 0.66, None)
ADVICE = {"minimum/10": 2.8e-3, "steepest": 9e-4, "valley": 6e-4, "slide": 7e-4}
JOB = Compare(entries=parse_entries("sgd+clr"), advice=ADVICE, advised="minimum/10")
DEFAULT = CompareOptions()


def point(entry, lr, mean, state="done", half=0.025):
    values = {} if mean is None else {0: mean - 0.01, 1: mean, 2: mean + 0.01}
    low, high = (None, None) if mean is None else (mean - half, mean + half)
    return RatePoint(entry, lr, values, mean, low, high, 3, 3 * (state == "diverged"), state)


def optimizer(label="sgd+clr", first=0, means=MEANS, states=None, plateau=(2.8e-3, 6.03e-3)):
    states = {6: "diverged"} if states is None else states
    points = tuple(
        point(first + i, lr, mean, states.get(i, "done"))
        for i, (lr, mean) in enumerate(zip(RATES, means, strict=True))
    )
    known = [one for one in points if one.mean is not None and one.state == "done"]
    best = max(known, key=lambda one: one.mean, default=None)
    return OptimizerSensitivity(label, points, best, plateau, ())


def grid(*optimizers, metric=ACCURACY, words=()):
    measure = f"test {metric.name}, last epoch"
    return Sensitivity(metric, measure, 0.01, optimizers or (optimizer(),), None, words)


def adam(**changes):
    means = (0.55, 0.63, 0.665, 0.66, 0.60, None, 0.24)
    return optimizer("adam", 7, means, {5: "stopped"}, (1.3e-3, 2.8e-3), **changes)


def marked(chart, glyph):
    """The rates at which a glyph stands."""
    return [
        float(x)
        for one in chart.series
        if one.kind == "points" and one.glyph == glyph
        for x, y in zip(one.x, one.y, strict=True)
        if math.isfinite(y)
    ]


def test_a_curve_goes_through_the_means_in_per_cent_over_a_logarithmic_rate():
    chart = sensitivity_chart(grid(), JOB, DEFAULT)
    line = next(one for one in chart.series if one.kind == "line" and not one.strong)
    np.testing.assert_allclose(line.x, RATES)
    np.testing.assert_allclose(line.y[:-1], [100 * mean for mean in MEANS[:-1]])
    assert math.isnan(line.y[-1])
    assert chart.x.log
    assert chart.title == "test accuracy, last epoch, by learning rate"
    (area,) = chart.areas
    np.testing.assert_allclose(area.high - area.low, [5.0] * 6 + [math.nan])
    assert marked(chart, glyph_of(0)) == RATES[:-1]


def test_the_plateau_is_thick_and_tinted():
    chart = sensitivity_chart(grid(), JOB, DEFAULT)
    (thick,) = (one for one in chart.series if one.strong)
    assert thick.x.tolist() == [2.8e-3, 6.03e-3]
    assert [(band.x0, band.x1) for band in chart.bands] == [(2.8e-3, 6.03e-3)]
    assert "thick: plateau" in chart.x.label
    alone = grid(optimizer(plateau=(6.03e-3, 6.03e-3)))
    assert "thick" not in sensitivity_chart(alone, JOB, DEFAULT).x.label


def test_the_best_rate_has_a_star_with_its_rate():
    chart = sensitivity_chart(grid(), JOB, DEFAULT)
    (star,) = (mark for mark in chart.marks if mark.colour == "best")
    assert (star.x, star.label) == (6.03e-3, "best 6e-3")
    assert star.y == pytest.approx(67.8)


def test_the_recommended_rule_is_a_line_and_the_others_are_ticks():
    chart = sensitivity_chart(grid(), JOB, DEFAULT)
    assert [(one.x, one.label, one.value) for one in chart.vlines] == [
        (2.8e-3, "minimum/10", "2.8e-3")
    ]
    ticks = {mark.label: mark.x for mark in chart.marks if mark.colour == "suggestion"}
    assert ticks == {rule: lr for rule, lr in ADVICE.items() if rule != "minimum/10"}


def test_a_rule_near_the_grid_widens_the_axis_and_one_far_away_is_left_out():
    far = Compare(entries=JOB.entries, advice={"near": 1e-4, "far": 1e-6}, advised="")
    chart = sensitivity_chart(grid(), far, DEFAULT)
    assert {mark.label for mark in chart.marks if mark.colour == "suggestion"} == {"near"}
    assert chart.x.lo < 1e-4 < chart.x.hi
    assert not chart.vlines
    inside = sensitivity_chart(grid(), JOB, DEFAULT)
    assert 1e-4 < inside.x.lo < RATES[0]
    assert RATES[-1] < inside.x.hi < 1e-1


@pytest.mark.parametrize(
    ("state", "symbol", "words"),
    [
        ("diverged", "✗", "✗ diverged"),
        ("failed", "✗", "✗ failed"),
        ("stopped", "⊘", "⊘ stopped"),
        ("running", "◌", "◌ to come"),
        ("waiting", "◌", "◌ to come"),
        ("ended early", "↓", "↓ ended early"),
    ],
)
def test_a_rate_without_a_result_is_marked_and_explained(state, symbol, words):
    found = grid(optimizer(states={6: state}))
    chart = sensitivity_chart(found, JOB, DEFAULT)
    assert marked(chart, symbol) == [RATES[-1]]
    assert words in chart.x.label
    text = to_text(draw(chart, 100, 24, PLAIN))
    assert text.count(symbol) == 2  # in the chart and in the label of the axis
    assert f">{symbol}<" in to_svg(chart)


def test_marks_of_two_optimizers_at_one_rate_are_both_seen():
    found = grid(optimizer(), adam(), optimizer("rmsprop", 14, states={6: "diverged"}))
    chart = sensitivity_chart(found, JOB, DEFAULT)
    heights = [float(one.y[0]) for one in chart.series if one.glyph == "✗"]
    assert len(set(heights)) == len(heights) == 2
    assert all(chart.y.lo < height < chart.y.hi for height in heights)


def test_a_rate_that_ended_early_keeps_the_mean_of_its_seeds_but_not_the_glyph():
    found = grid(optimizer(states={0: "ended early", 6: "diverged"}))
    chart = sensitivity_chart(found, JOB, DEFAULT)
    (ended,) = (one for one in chart.series if one.glyph == "↓" and len(one.x))
    assert (ended.x.tolist(), ended.y.tolist()) == ([RATES[0]], [pytest.approx(41.0)])
    assert RATES[0] not in marked(chart, glyph_of(0))


def test_colours_and_glyphs_are_those_of_the_optimizers():
    found = grid(optimizer(), adam())
    chart = sensitivity_chart(found, JOB, DEFAULT)
    named = {one.name: (one.colour, one.glyph) for one in chart.series if one.name}
    assert named == {
        "sgd+clr": (role_of(0), glyph_of(0)),
        "adam": (role_of(1), glyph_of(1)),
    }
    assert optimizer_places(found) == {
        **dict.fromkeys(range(7), 0),
        **dict.fromkeys(range(7, 14), 1),
    }
    assert not any(one.name for one in sensitivity_chart(found, JOB, DEFAULT, legend=False).series)


def test_an_entry_that_is_not_on_the_grid_looks_like_no_optimizer_on_it():
    found = grid(optimizer(first=1), optimizer("adam", 9))
    styles = styles_by_rate(found, 17)
    assert styles == {
        0: 2,
        **dict.fromkeys(range(1, 8), 0),
        8: 3,
        **dict.fromkeys(range(9, 16), 1),
        16: 4,
    }


def test_the_optimizer_of_the_selected_entry_is_in_front():
    found = grid(optimizer(), adam())
    assert not sensitivity_chart(found, JOB, DEFAULT).bands
    chart = sensitivity_chart(found, JOB, replace(DEFAULT, selected=9))
    assert [(band.x0, band.x1) for band in chart.bands] == [(1.3e-3, 2.8e-3)]
    assert [area.colour for area in chart.areas if not area.faint] == [role_of(1)]


def test_an_optimizer_is_hidden_at_all_its_rates():
    found = grid(optimizer(), adam())
    hidden = toggled_optimizer(found, DEFAULT, 8)
    assert hidden.hidden == frozenset(range(7, 14))
    chart = sensitivity_chart(found, JOB, hidden)
    assert {one.name for one in chart.series if one.name} == {"sgd+clr"}
    assert toggled_optimizer(found, hidden, 10) == DEFAULT
    half = replace(DEFAULT, hidden=frozenset({7}))
    assert toggled_optimizer(found, half, 7).hidden == frozenset(range(7, 14))


def test_seeds_and_bands_can_be_shown_or_not():
    chart = sensitivity_chart(grid(), JOB, replace(DEFAULT, seeds=True, bands=False))
    (seeds,) = (one for one in chart.series if one.kind == "points" and one.faint)
    assert len(seeds.x) == 3 * 6
    assert sorted(seeds.y)[0] == pytest.approx(40.0)
    assert not chart.areas
    assert chart.y.label == "%, mean over seeds"


def test_bands_widen_the_axis_by_a_part_of_the_span_only():
    wide = optimizer()
    points = tuple(
        replace(p, low=None if p.mean is None else -3.0, high=None if p.mean is None else 4.0)
        for p in wide.points
    )
    chart = sensitivity_chart(grid(replace(wide, points=points)), JOB, DEFAULT)
    assert chart.y.hi - chart.y.lo < 2 * (67.8 - 41.0)


@pytest.mark.parametrize(
    ("metric", "worse"), [(Metric("r2"), -1e9), (Metric("mae", "number", "min"), 1e9)]
)
def test_a_value_far_worse_than_the_others_leaves_the_chart(metric, worse):
    means = (0.5, 0.55, 0.6, 0.62, 0.61, 0.5, worse)
    chart = sensitivity_chart(grid(optimizer(means=means, states={}), metric=metric), JOB, DEFAULT)
    assert -5 < chart.y.lo < chart.y.hi < 5


def test_one_poor_rate_beside_a_plateau_stays_on_the_chart():
    means = (0.60, 0.656, 0.653, 0.665, 0.658, 0.657, 0.659)
    chart = sensitivity_chart(grid(optimizer(means=means, states={})), JOB, DEFAULT)
    assert chart.y.lo < 60.0
    losses = (1.4, 0.55, 0.52, 0.5, 0.51, 0.52, 0.53)
    chart = sensitivity_chart(grid(optimizer(means=losses, states={}), metric=LOSS), JOB, DEFAULT)
    assert chart.y.hi > 1.4


def test_only_a_loss_can_be_logarithmic():
    log = replace(DEFAULT, log_y=True)
    means = (1.5, 1.0, 0.6, 0.5, 0.55, 0.9, None)
    loss = sensitivity_chart(grid(optimizer(means=means), metric=LOSS), JOB, log)
    assert loss.y.log
    assert 0 < loss.y.lo < 0.5
    assert loss.title.endswith("(log)")
    assert not sensitivity_chart(grid(), JOB, log).y.log


def test_before_the_first_result_the_chart_says_what_it_waits_for():
    found = grid(
        optimizer(means=(None,) * 7, states=dict.fromkeys(range(7), "waiting"), plateau=None)
    )
    assert not is_complete(found)
    chart = sensitivity_chart(found, JOB, DEFAULT, waiting="The first epoch is running.")
    assert "The first epoch is running." in to_text(draw(chart, 80, 16, PLAIN))


def test_a_grid_is_complete_once_each_rate_has_a_result_or_a_reason():
    assert is_complete(grid())
    one = optimizer(states={5: "running", 6: "diverged"})
    assert is_complete(grid(one))  # a first seed is done at that rate
    assert not is_complete(grid(optimizer(states={6: "running"})))
    nothing = optimizer(means=(None,) * 7, states=dict.fromkeys(range(7), "stopped"), plateau=None)
    assert not is_complete(grid(nothing))


def test_the_words_on_the_selected_optimizer_come_first():
    words = ("sgd+clr: a.", "minimum/10 for sgd+clr: b.", "adam: c.", "adam forgives most: d.")
    found = grid(optimizer(), adam(), words=words)
    assert words_in_order(found, 3) == list(words)
    assert words_in_order(found, 9) == ["adam: c.", *words[:2], words[3]]
    assert words_in_order(found, None) == list(words)


def test_an_optimizer_whose_name_ends_like_the_selected_ones_does_not_come_first():
    words = ("nadam: a.", "bottom for nadam: b.", "adam: c.", "bottom for adam: d.")
    found = grid(optimizer("nadam"), adam(), words=words)
    assert words_in_order(found, 9) == ["adam: c.", "bottom for adam: d.", *words[:2]]


def test_labels_do_not_overlap_at_any_size():
    found = grid(optimizer(), adam())
    for width in range(60, 170, 7):
        for height in (9, 13, 24, 40):
            text = to_text(draw(sensitivity_chart(found, JOB, DEFAULT), width, height, PLAIN))
            for word in ("best", "valley", "steepest", "slide", "minimum/10"):
                assert text.count(word) <= (2 if word == "best" else 1)
            for row in text.split("\n"):
                for part in row.replace("│", " ").split():
                    letters = "".join(c for c in part if c.isalpha() and c.isascii())
                    if letters in ("valley", "steepest", "slide"):
                        assert part.strip("▾") == letters
