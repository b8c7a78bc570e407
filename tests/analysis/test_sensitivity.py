"""A grid of rates: the best rate, what a rule costs, the plateau; held against scipy.stats."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_grids import grid_history
from scipy import stats

from clr_tui.engine.analysis.comparison.comparison_report import compare_headline, compare_report
from clr_tui.engine.analysis.comparison.sensitivity import sensitivity_of
from clr_tui.engine.analysis.comparison.sensitivity_results import Sensitivity
from clr_tui.engine.analysis.report import to_json
from clr_tui.engine.metrics import Metric
from clr_tui.engine.settings.config import OptimizerConfig

FIVE = "grid:1e-4..1x5"
RATES = (1e-4, 1e-3, 1e-2, 0.1, 1.0)
SGD = OptimizerConfig(name="sgd", momentum=0.0)
NAN = math.nan
RMSE = Metric("rmse", "number", "min")
shares = st.floats(0, 1).map(lambda x: round(x, 4))


def judged(ends, rates: str = FIVE, metric=None, **made) -> Sensitivity:
    by_label = ends if isinstance(ends, dict) else {"sgd+clr": ends}
    extra = {} if metric is None else {"metric": metric}
    found = sensitivity_of(grid_history(by_label, rates, **extra, **made))
    assert found is not None
    return found


def advised(*says: float) -> dict:
    """The settings of a comparison around a range test of SGD whose first rule is recommended."""
    names = ("minimum/10", "valley", "steepest")
    advice = dict(zip(names, says, strict=False))
    return {"advice": advice, "advised": "minimum/10", "swept": SGD}


def with_means(*means: float) -> list[list[float]]:
    """Three seeds about each mean, as far apart at every rate."""
    return [[mean - 0.01, mean, mean + 0.01] for mean in means]


@st.composite
def tables(draw: st.DrawFn) -> list[list[float]]:
    seeds = draw(st.integers(2, 5))
    return [[draw(shares) for _ in range(seeds)] for _ in RATES]


def test_a_comparison_without_a_grid_has_no_sensitivity() -> None:
    history = grid_history({"sgd+clr": with_means(0.1, 0.2, 0.3, 0.2, 0.1)}, FIVE)
    assert sensitivity_of(history) is not None
    plain = grid_history({"adam(lr=0.1)": [[0.5, 0.6]]}, "default")
    assert sensitivity_of(plain) is None
    assert compare_report(plain).sensitivity is None


def test_the_points_are_the_rates_with_the_figures_of_the_ranking() -> None:
    ends = {"sgd+clr": with_means(0.1, 0.2, 0.6, 0.5, 0.3), "adam": with_means(0, 0.1, 0.2, 0.3, 0)}
    history = grid_history(ends, FIVE)
    found, report = sensitivity_of(history), compare_report(history)
    assert [one.label for one in found.optimizers] == ["sgd+clr", "adam"]
    of_entry = {entry.entry: entry for entry in report.entries}
    for one in found.optimizers:
        assert tuple(point.lr for point in one.points) == RATES
        for point in one.points:
            ranked = of_entry[point.entry]
            assert list(point.values.values()) == ranked.result.values
            assert point.mean == ranked.result.mean
            assert point.half_width == pytest.approx(ranked.result.half_width)
            assert (point.state, point.seeds, point.lost) == ("done", 3, 0)
    assert found.measure == report.measure
    assert report.sensitivity == found


@settings(max_examples=40)
@given(tables(), st.integers(0, 4))
def test_a_cost_is_scipys_paired_test_against_the_best(values, followed) -> None:
    means = [float(np.mean(row)) for row in values]
    best = int(np.argmax(means))
    moves = np.subtract(values[best], values[followed])
    assume(best != followed and np.ptp(moves) > 1e-9)
    assume(sorted(means)[-1] - sorted(means)[-2] > 1e-9)
    found = judged(values, **advised(RATES[followed])).optimizers[0]
    (cost,) = found.costs
    expected = stats.ttest_rel(values[best], values[followed])
    low, high = expected.confidence_interval(0.95)
    assert found.best.lr == RATES[best]
    assert (cost.rule, cost.at) == ("minimum/10", RATES[followed])
    assert cost.lost == pytest.approx(means[best] - means[followed], abs=1e-12)
    assert cost.lost == pytest.approx((low + high) / 2, abs=1e-9)
    assert cost.half_width == pytest.approx((high - low) / 2, rel=1e-6)
    assume(abs(expected.pvalue * 2 - 0.05) > 1e-6)
    assert cost.distinguishable is bool(expected.pvalue * 2 < 0.05)


@settings(max_examples=40)
@given(tables())
def test_an_interval_is_scipys(values) -> None:
    for point, row in zip(judged(values).optimizers[0].points, values, strict=True):
        assume(np.ptp(row) > 1e-9)
        low, high = stats.t.interval(0.95, len(row) - 1, loc=np.mean(row), scale=stats.sem(row))
        assert (point.low, point.high) == (
            pytest.approx(low, abs=1e-9),
            pytest.approx(high, abs=1e-9),
        )


def test_a_lower_error_is_better() -> None:
    ends = [[3.0, 3.1, 3.2], [2.0, 2.1, 2.3], [1.0, 1.1, 1.2], [1.5, 1.7, 1.8], [9.0, 9.1, 9.4]]
    found = judged(ends, metric=RMSE, **advised(0.1))
    (one,) = found.optimizers
    (cost,) = one.costs
    assert one.best.lr == 1e-2
    expected = stats.ttest_rel(ends[3], ends[2])
    assert cost.lost == pytest.approx(np.mean(ends[3]) - np.mean(ends[2]))
    assert cost.distinguishable is bool(expected.pvalue * 2 < 0.05)
    assert "worse" in cost.words
    assert "points" not in " ".join(found.words)


def test_the_tolerance_of_another_metric_is_a_hundredth_of_the_best() -> None:
    ends = [[3.0], [1.0], [1.005], [1.02], [1.003]]
    found = judged(ends, metric=RMSE)
    assert found.tolerance == pytest.approx(0.01)
    assert found.optimizers[0].plateau == (1e-3, 1e-2)


def test_a_diverged_seed_makes_a_rate_worse_than_any_and_is_not_left_out() -> None:
    ends = [*with_means(0.1, 0.3, 0.6, 0.5), [0.99, 0.99, NAN]]
    found = judged(ends, **advised(1.0))
    (one,) = found.optimizers
    last = one.points[-1]
    assert (last.state, last.lost, last.mean, last.values) == (
        "diverged",
        1,
        None,
        {0: 0.99, 1: 0.99},
    )
    assert one.best.lr == 1e-2
    (cost,) = one.costs
    assert (cost.lost, cost.distinguishable) == (None, None)
    assert cost.words == "at 1 1 of 3 seeds diverged; best 60.0 % at 1e-2"
    assert "sgd+clr at 1 (1 of 3 seeds diverged)" in " ".join(found.words)


def test_a_failed_seed_counts_likewise_and_a_stopped_one_is_missing() -> None:
    ends = [[0.2, None], [0.9, "stopped"], [0.6, 0.6], [0.5, 0.5], ["stopped", "stopped"]]
    (one,) = judged(ends).optimizers
    assert [p.state for p in one.points] == ["failed", "stopped", "done", "done", "stopped"]
    assert [p.mean for p in one.points] == [None, 0.9, 0.6, 0.5, None]
    assert one.best.lr == 1e-3


def test_the_best_is_picked_over_the_seeds_that_all_have() -> None:
    """Seed 1 is a bad one: the rate that lacks it would win by that alone."""
    ends = [[0.1, 0.1], [0.7, "stopped"], [0.8, 0.5], [0.3, 0.1], [0.1, 0.1]]
    (one,) = judged(ends, **advised(1e-3)).optimizers
    assert one.best.lr == 1e-2
    assert one.costs[0].lost == pytest.approx(0.1)


def test_a_trial_that_is_done_without_a_finite_result_counts_as_diverged() -> None:
    ends = [[0.1], [0.2], [math.inf], [0.3], [0.2]]
    (one,) = judged(ends).optimizers
    assert (one.points[2].state, one.best.lr) == ("diverged", 0.1)


def test_no_rate_at_all() -> None:
    found = judged([[NAN]] * 5, **advised(1e-3))
    (one,) = found.optimizers
    assert (one.best, one.plateau, found.forgiving) == (None, None, None)
    assert one.costs[0].words == "at 1e-3 1 of 1 seed diverged"
    assert found.words[0] == "sgd+clr: no rate has a result that counts."


def test_one_seed_tells_the_difference_but_nothing_about_chance() -> None:
    (cost,) = judged([[0.1], [0.5], [0.6], [0.2], [0.1]], **advised(1e-3)).optimizers[0].costs
    assert cost.lost == pytest.approx(0.1)
    assert (cost.half_width, cost.distinguishable) == (None, None)
    assert cost.words.endswith("10.0 points lost; one seed only: no test")


def test_a_difference_that_is_the_same_at_every_seed_is_not_tested() -> None:
    ends = [[0.1, 0.1], [0.52, 0.56], [0.6, 0.64], [0.3, 0.2], [0.1, 0.2]]
    (cost,) = judged(ends, **advised(1e-3)).optimizers[0].costs
    assert (cost.lost, cost.distinguishable) == (pytest.approx(0.08), None)
    assert cost.words.endswith(
        "8.0 points lost; the difference is the same at every seed, so no t-test is possible"
    )


def test_a_difference_that_only_the_correction_hides_is_said_to_be() -> None:
    ends = [[0.1, 0.1, 0.1], [0.50, 0.51, 0.50], [0.53, 0.53, 0.54], [0.3, 0.2, 0.3], [0, 0, 0.1]]
    (cost,) = judged(ends, **advised(1e-3)).optimizers[0].costs
    assert 0.05 / 2 < stats.ttest_rel(ends[2], ends[1]).pvalue < 0.05
    assert cost.distinguishable is False
    assert cost.words.endswith("not distinguishable, corrected for the best of 4 others")


def test_the_recommended_rule_comes_first_and_each_is_at_its_nearest_rate() -> None:
    advice = {"valley": 1.9e-3, "minimum/10": 4e-2, "slide": 1e-2}
    made = {"advice": advice, "advised": "minimum/10", "swept": SGD}
    (one,) = judged(with_means(0.1, 0.3, 0.6, 0.5, 0.2), **made).optimizers
    assert [(c.rule, c.lr, c.at) for c in one.costs] == [
        ("minimum/10", 4e-2, 0.1),
        ("valley", 1.9e-3, 1e-3),
        ("slide", 1e-2, 1e-2),
    ]
    slide = one.costs[2]
    assert (slide.lost, slide.half_width, slide.distinguishable) == (0.0, None, None)
    assert slide.words == "at 1e-2 60.0 %, the best of the grid, 10.0 points ahead of 1e-1"


def test_the_best_rate_is_said_to_be_ahead_by_how_much() -> None:
    """Another rate may be better all the same: the interval of the difference says how likely."""
    ends = [[0.1, 0.1, 0.1], [0.50, 0.51, 0.50], [0.53, 0.52, 0.54], [0.3, 0.2, 0.3], [0, 0, 0.1]]
    (cost,) = judged(ends, **advised(1e-2)).optimizers[0].costs
    half = stats.ttest_rel(ends[2], ends[1]).confidence_interval(0.95)
    apart = f"2.7 ± {100 * (half.high - half.low) / 2:.1f} points"
    assert cost.words == f"at 1e-2 53.0 %, the best of the grid, {apart} ahead of 1e-3"
    level = judged(
        [[0.5] * 3, [0.6, 0.7, 0.8], [0.7, 0.6, 0.8], [0.4] * 3, [0.3] * 3], **advised(1e-3)
    )
    assert level.optimizers[0].costs[0].words.endswith("best of the grid, level with 1e-2")


def test_by_how_much_the_best_rate_is_flattered() -> None:
    """Without seed 2 the best is 1e-2, else 0.1: 0.7 - (0.6 + 0.7 + 0.6) / 3."""
    ends = [[0.1] * 3, [0.2] * 3, [0.7, 0.7, 0.6], [0.6, 0.7, 0.8], [0.5] * 3]
    found = judged(ends, **advised(1e-3))
    assert found.optimizers[0].best == found.optimizers[0].points[3]
    assert found.optimizers[0].flattered == pytest.approx(0.7 - (0.6 + 0.7 + 0.6) / 3)
    assert found.words[-1] == (
        "The best rate is picked from these same results, which flatters it: costs are overstated,"
        " by up to about 6.7 points."
    )


def test_no_rate_is_flattered_that_is_best_whatever_seed_is_left_out() -> None:
    found = judged(with_means(0.1, 0.3, 0.6, 0.5, 0.2), **advised(1e-3))
    assert found.optimizers[0].flattered == 0
    assert not any("flatters" in words for words in found.words)
    alone = judged([[0.1], [0.3], [0.6], [0.5], [0.2]], **advised(1e-3))
    assert alone.optimizers[0].flattered is None
    assert alone.words[-1].endswith("which flatters it: costs are overstated.")


def test_a_rule_outside_the_grid_was_not_measured() -> None:
    (cost,) = judged(with_means(0.1, 0.3, 0.6, 0.5, 0.2), **advised(2e-5)).optimizers[0].costs
    assert (cost.lost, cost.at) == (None, 1e-4)
    assert cost.words == "2e-5 is outside the grid, 1e-4 to 1: its cost is unknown"


def test_advice_is_for_the_optimizer_that_was_swept() -> None:
    ends = {name: with_means(0.1, 0.3, 0.6, 0.5, 0.2) for name in ("sgd+clr", "adam", "sgd")}
    found = judged(ends, **advised(1e-2))
    assert [bool(one.costs) for one in found.optimizers] == [True, False, True]


def test_the_plateau_has_no_gap_and_one_tolerance_for_all() -> None:
    ends = {
        "sgd+clr": [[0.595] * 2, [0.4] * 2, [0.6] * 2, [0.59] * 2, [0.58] * 2],
        "adam": [[0.5] * 2, [0.5] * 2, [0.5] * 2, [0.4] * 2, [0.1] * 2],
    }
    found = judged(ends)
    assert found.tolerance == pytest.approx(0.01)
    sgd, adam = found.optimizers
    assert sgd.plateau == (1e-2, 0.1)
    assert adam.plateau == (1e-4, 1e-2)
    assert adam.width == pytest.approx(2.0)
    assert found.forgiving == "adam"
    noisy = {**ends, "sgd+clr": [[0.5, 0.52], [0.3, 0.32], [0.6, 0.64], [0.5, 0.54], [0.1, 0.2]]}
    noisy["adam"] = [[0.2] * 2, [0.3] * 2, [0.5] * 2, [0.4] * 2, [0.1] * 2]
    wide = judged(noisy)
    half = stats.t.ppf(0.975, 1) * np.std([0.6, 0.64], ddof=1) / math.sqrt(2)
    assert wide.tolerance == pytest.approx(half)
    assert wide.optimizers[1].plateau == (1e-3 if half >= 0.2 else 1e-2, 0.1)


def test_the_tolerance_goes_by_the_seeds_of_all_rates_nearly_as_good() -> None:
    """Two seeds of the best rate alone would give 9 times their deviation."""
    ends = [[0.1, 0.9], [0.582, 0.598], [0.59, 0.61], [0.575, 0.625], [0.57, 0.58]]
    near = ends[1:4]  # the last is more than two points below
    within = np.mean([np.var(values, ddof=1) for values in near])
    half = stats.t.ppf(0.975, 3) * math.sqrt(within / 2)
    found = judged(ends)
    assert found.tolerance == pytest.approx(half)
    assert found.tolerance < stats.t.interval(0.95, 1, scale=stats.sem(ends[2]))[1]
    assert found.optimizers[0].plateau == (1e-3, 1.0)


def test_seeds_that_agree_by_chance_at_the_best_rate_do_not_make_the_plateau_narrow() -> None:
    ends = [[0.5, 0.51, 0.52], [0.57, 0.59, 0.61], [0.6, 0.6, 0.6], [0.56, 0.58, 0.6], [0.3] * 3]
    found = judged(ends)
    assert found.tolerance == pytest.approx(stats.t.ppf(0.975, 6) * math.sqrt(8e-4 / 3 / 3))
    assert found.optimizers[0].plateau == (1e-3, 0.1)


def test_a_single_seed_does_not_decide_which_optimizer_forgives_most() -> None:
    """adam's plateau has three rates to sgd's one, but only because of seed 1."""
    narrow = [[0.3] * 3, [0.4] * 3, [0.6] * 3, [0.4] * 3, [0.3] * 3]
    wide = [[0.3] * 3, [0.59] * 3, [0.6] * 3, [0.59] * 3, [0.3] * 3]
    by_luck = [[0.3] * 3, [0.58, 0.61, 0.58], [0.6] * 3, [0.58, 0.61, 0.58], [0.3] * 3]
    assert judged({"sgd+clr": narrow, "adam": wide}).forgiving == "adam"
    found = judged({"sgd+clr": narrow, "adam": by_luck})
    assert [one.plateau for one in found.optimizers] == [(1e-2, 1e-2), (1e-3, 0.1)]
    assert found.forgiving is None
    one_seed = {"sgd+clr": [v[:1] for v in narrow], "adam": [v[:1] for v in wide]}
    assert judged(one_seed).forgiving is None


def test_level_plateaus_forgive_alike() -> None:
    same = with_means(0.1, 0.3, 0.6, 0.5, 0.2)
    assert judged({"sgd+clr": same, "adam": same}).forgiving is None
    assert judged(same).forgiving is None
    # Two steps each, but of rates that are rounded to three digits.
    ends = {
        "sgd+clr": with_means(0.1, 0.1, 0.1, 0.595, 0.6, 0.595, 0.1),
        "adam": with_means(0.1, 0.595, 0.6, 0.595, 0.1, 0.1, 0.1),
    }
    found = sensitivity_of(grid_history(ends, "grid:2.8e-4..2.8e-2x7"))
    widths = [one.width for one in found.optimizers]
    assert widths[0] != widths[1]
    assert widths == pytest.approx([2 / 3, 2 / 3], abs=1e-2)
    assert found.forgiving is None


def test_the_best_at_an_end_of_the_grid_is_said_to_be() -> None:
    said = judged(with_means(0.1, 0.2, 0.3, 0.4, 0.5)).words[0]
    assert said.endswith("It is the highest rate of the grid: better ones may lie above.")
    said = judged(with_means(0.5, 0.4, 0.3, 0.2, 0.1)).words[0]
    assert said.endswith("It is the lowest rate of the grid: better ones may lie below.")


def test_while_it_runs_there_is_a_best_but_no_plateau() -> None:
    ends = [[0.1, "running"], [0.3, "waiting"], [0.6, "waiting"], ["running"], ["waiting"]]
    found = judged(ends, finished=False, **advised(1e-3))
    (one,) = found.optimizers
    states = [p.state for p in one.points]
    assert states == ["running", "running", "running", "running", "waiting"]
    assert (one.best.lr, one.plateau, one.pending) == (1e-2, None, True)
    assert one.costs[0].lost == pytest.approx(0.3)
    assert found.words[0] == "sgd+clr: 1e-2 leads so far, 60.0 %."


def test_before_the_first_result() -> None:
    found = judged([["waiting"]] * 5, finished=False, **advised(1e-3))
    assert found.words[0] == "sgd+clr: no rate has a result yet."
    assert found.optimizers[0].costs[0].words == "at 1e-3 nothing is known yet"


def test_a_lost_run_has_stopped_trials() -> None:
    history = grid_history(
        {"sgd+clr": [[0.1, "running"], *[["waiting"]] * 4]}, FIVE, finished=False
    )
    assert sensitivity_of(history, live=True).optimizers[0].points[0].state == "running"
    (one,) = sensitivity_of(history, live=False).optimizers
    assert {p.state for p in one.points} == {"stopped"}
    assert (one.best.lr, one.pending) == (1e-4, False)


def test_a_rate_that_ended_early_is_never_the_best() -> None:
    ends = [[0.9, "stopped"], [0.3, 0.3], [0.6, 0.6], [0.5, 0.5], ["stopped", "stopped"]]
    found = judged(ends, ended_early=(0, 4), **advised(1e-4))
    (one,) = found.optimizers
    assert [p.state for p in one.points][::4] == ["ended early", "ended early"]
    assert one.best.lr == 1e-2
    assert one.costs[0].lost is None
    assert "ended early" in one.costs[0].words
    assert any("1e-4 and 1 ended early" in words for words in found.words)


def test_an_optimizer_that_finds_its_own_rate_is_not_said_to_forgive() -> None:
    ends = {"sgd+clr": with_means(0.1, 0.3, 0.6, 0.5, 0.2), "adam": with_means(*[0.5] * 5)}
    assert judged(ends).forgiving == "adam"
    found = judged(ends, effective_lr=0.02)
    assert [one.own_rate for one in found.optimizers] == [True, True]
    assert found.forgiving is None


def test_the_json_has_every_figure_as_plain_data() -> None:
    ends = [*with_means(0.1, 0.3, 0.6, 0.5), [0.9, NAN, None]]
    report = compare_report(grid_history({"sgd+clr": ends}, FIVE, **advised(1e-3)))
    read = json.loads(json.dumps(to_json(report), allow_nan=False))["sensitivity"]
    (one,) = read["optimizers"]
    assert one["best"]["lr"] == 1e-2
    assert one["points"][0]["values"] == {"0": 0.1 - 0.01, "1": 0.1, "2": 0.1 + 0.01}
    assert one["points"][-1]["mean"] is None
    assert one["costs"][0]["lost"] == pytest.approx(0.3)
    assert read["words"] == list(report.sensitivity.words)
    assert read["grid"] == FIVE


def test_the_verdict_and_the_headline_are_about_rates() -> None:
    made = advised(0.1)
    ends = {"sgd+clr": with_means(0.1, 0.3, 0.6, 0.5, 0.2), "adam": with_means(*[0.4] * 5)}
    ends["sgd+clr"][3] = [0.5, 0.48, 0.52]
    history = grid_history(ends, FIVE, **made)
    report = compare_report(history)
    assert report.verdict == " ".join(report.sensitivity.words)
    assert "sgd+clr: 1e-2 is best, 60.0 %" in report.verdict
    assert "minimum/10 for sgd+clr: at 1e-1 50.0 %, best 60.0 % at 1e-2: 10.0 ± " in report.verdict
    assert "adam forgives most: its plateau is the widest, at least 4.0 decades." in report.verdict
    headline = compare_headline(history)
    assert headline == "sgd+clr best at 1e-2, 60.0 %; minimum/10 10.0 ± 4.3 points lost"
    said = " ".join(report.remarks)
    assert "corrected for the rates that might have come out best" in said
    assert "is unknown" not in said  # what a given rate cost to find


def test_the_headline_before_the_first_result_is_empty() -> None:
    assert compare_headline(grid_history({"adam": [["waiting"]] * 5}, FIVE, finished=False)) == ""


def test_chance_alone_rarely_makes_a_cost_distinguishable() -> None:
    """All rates are equally good. Without the correction 8.4 % of the costs would be."""
    random, found, runs = np.random.default_rng(5), 0, 400
    costs = []
    for _ in range(runs):
        values = (0.6 + random.normal(0, 0.01, (7, 5))).tolist()
        (cost,) = judged(values, "grid:1e-5..10x7", **advised(1e-2)).optimizers[0].costs
        found += cost.distinguishable is True
        costs.append(cost.lost)
    assert stats.binomtest(found, runs, 0.05, alternative="greater").pvalue > 0.01
    # The best of seven means of five seeds is flattered: the costs are really 0.
    assert np.mean(costs) == pytest.approx(0.0061, abs=4 * np.std(costs) / math.sqrt(runs))
