"""The statistics of comparisons hold what they promise, on a small share of what the study does."""

from __future__ import annotations

import json
import math
from functools import partial

import numpy as np
import pytest
from bootstraps import coverage
from habits import csv_report, epochs_to_target, told_by_looking
from measured import power, rates_of, report_on
from plateaus import plateau_of, plateaus
from populations import ENTRIES, GRID, OTHERS, DigitsSeeds, Population, made_populations
from regret import RATES, curved, forgiving, regrets, sensitivity_to_rates, told
from scipy import stats
from statistics_page import PAGE, TABLES, with_tables
from statistics_study import PARTS, RESULTS


def population(name: str) -> Population:
    return next(p for p in made_populations() if p.name == name)


def binomial_error(share: float, count: int) -> float:
    """Four standard errors of a share of `count` independent trials."""
    return 4 * math.sqrt(share * (1 - share) / count)


@pytest.mark.parametrize("seeds", [3, 5])
def test_coverage_and_false_differences_of_equal_optimizers(seeds):
    runs = 200
    found = rates_of(
        population("normal, correlation 0"), seeds, runs, np.random.default_rng([1, seeds])
    )
    assert found.without_interval == 0
    assert found.covered == pytest.approx(0.95, abs=binomial_error(0.95, runs * ENTRIES))
    # Pairs of one run depend on each other, so that fewer than 15 * runs are independent.
    assert found.pairs_covered == pytest.approx(0.95, abs=binomial_error(0.95, 5 * runs))
    assert found.false_runs == pytest.approx(0.05, abs=binomial_error(0.05, runs))


def test_seeds_that_agree_by_rounding_are_rarely_told_apart():
    found = rates_of(population("99.8 % of 360 images"), 3, 150, np.random.default_rng(2))
    assert found.without_interval > 0.05, "the test needs seeds that agree"
    assert found.false_runs <= 0.02


@pytest.mark.parametrize("name", ["normal, correlation 0.9", "97 % of 30 images"])
def test_intervals_and_tests_are_scipys(name):
    made = population(name)
    for values in made.draw(np.random.default_rng(3), 20, 5):
        report = report_on(values, images=made.images)
        for entry in report.entries:
            own = values[int(entry.label)]
            half = None
            if np.ptp(own) > 0:
                half = pytest.approx(stats.t.interval(0.95, 4, scale=stats.sem(own))[1])
            assert entry.result.half_width == half
        for pair in report.pairs:
            if pair.p is not None:
                expected = stats.ttest_rel(values[int(pair.a)], values[int(pair.b)])
                assert pair.p == pytest.approx(expected.pvalue)


def test_power_grows_with_seeds_and_difference():
    rng = np.random.default_rng(4)
    found = [power(2, apart, seeds, 60, rng) for apart, seeds in ((1, 3), (1, 10), (4, 3), (4, 5))]
    assert found[0] < found[1]
    assert found[0] < found[2] < found[3]


def test_a_bootstrap_of_three_seeds_is_too_narrow():
    samples = np.random.default_rng(5).normal(size=(200, 3))
    right, exist = coverage(samples, 0.0, "percentile", np.random.default_rng(6))
    assert (right < 0.85, exist) == (True, 1.0)
    by_t = coverage(samples, 0.0, "t", np.random.default_rng(6))[0]
    assert by_t == pytest.approx(0.95, abs=binomial_error(0.95, 200))
    assert coverage(samples, 0.0, "studentized", np.random.default_rng(7))[1] == 0.0


def test_seeds_of_the_digits_are_shares_of_its_images():
    digits = DigitsSeeds.read()
    assert list(digits.labels) == [*GRID, *OTHERS]
    assert digits.test_last.shape == digits.validation_best.shape
    assert digits.test_last.shape[1] >= 6 * 5
    assert (digits.validation_best >= digits.validation_last).all()


def test_kept_results_are_what_is_measured():
    """One cell of them, measured anew."""
    kept = json.loads(RESULTS.read_text())["power"]["2"]["3"]["3"]
    assert power(2, 3, 3, 1000, np.random.default_rng([7, 3])) == pytest.approx(kept, abs=0.002)


def test_tables_of_the_page_are_those_of_the_results():
    results = json.loads(RESULTS.read_text())
    assert set(results) == set(PARTS)
    page = PAGE.read_text()
    assert with_tables(page, results) == page
    assert all(f"<!-- table: {name} -->" in page for name in TABLES)


@pytest.mark.parametrize(("apart", "seeds"), [(2, 5), (4, 3)])
def test_power_is_that_of_the_noncentral_t(apart, seeds):
    """Two optimizers, normal values: df = n - 1, noncentrality = difference / sd * sqrt(n)."""
    runs, df = 150, seeds - 1
    found = power(2, apart, seeds, runs, np.random.default_rng([8, seeds]))
    expected = stats.nct.sf(stats.t.ppf(0.975, df), df, apart * math.sqrt(seeds))
    assert found == pytest.approx(expected, abs=binomial_error(expected, runs))


def crossed(values, at):
    """The mean loss at a rate against the best on the other seeds, over each seed in turn."""
    losses = []
    for seed in range(values.shape[1]):
        others = np.delete(values, seed, axis=1).mean(axis=1)
        losses.append(values[int(np.argmax(others)), seed] - values[at, seed])
    return np.mean(losses)


def test_what_the_report_says_of_luck_is_the_crossed_loss():
    rng = np.random.default_rng(14)
    for _ in range(5):
        values = rng.normal(0.9, 0.01, size=(7, 4))
        costs, flattered = told(values)
        for at, cost in enumerate(costs):
            assert cost.lost == pytest.approx(values.mean(axis=1).max() - values[at].mean())
            assert cost.lost - flattered == pytest.approx(crossed(values, at))


def test_the_loss_that_is_said_errs_upwards_and_the_crossed_one_downwards():
    """Of seven equal rates, true loss 0."""
    known = 0.9 + 0.01 * np.random.default_rng(9).normal(size=(7, 30))
    known -= known.mean(axis=1, keepdims=True)
    found = regrets(0.9 + known, 3, 60, np.random.default_rng(10))
    assert all(regret.true == pytest.approx(0) for regret in found)
    assert np.mean([regret.said for regret in found]) > 0.005
    assert np.mean([regret.crossed for regret in found]) == pytest.approx(0, abs=0.003)
    assert np.mean([regret.called_best for regret in found]) == pytest.approx(1 / 7)
    found_at_all = np.mean([regret.told for regret in found])
    assert found_at_all <= 0.05 + binomial_error(0.05, 60)
    assert found_at_all < np.mean([regret.told_alone for regret in found])


def test_the_wider_plateau_is_said_to_forgive_most_and_rarely_the_other():
    rng = np.random.default_rng(15)
    wide, narrow = (partial(curved, by, 10, rng) for by in (0.002, 0.008))
    right, wrong = forgiving(wide, narrow, 40)
    assert right > 0.5
    assert wrong < 0.05
    assert sum(forgiving(wide, wide, 40)) < 0.4


def test_a_plateau_is_that_of_the_report():
    rng = np.random.default_rng(16)
    for _ in range(20):
        values = curved(0.002, 4, rng)
        found = sensitivity_to_rates({"adam": values})
        low, high = found.optimizers[0].plateau
        expected = {at for at, rate in enumerate(RATES) if low <= rate <= high}
        assert plateau_of(values.mean(axis=1), found.tolerance) == expected


def test_a_tolerance_by_two_seeds_of_one_rate_is_often_far_too_wide():
    known = DigitsSeeds.read().of(GRID)
    reported, alone = plateaus(known, 2, 60, np.random.default_rng(17))
    assert reported.wide < 0.03 < alone.wide
    assert reported.too_wide < 0.3 < alone.too_wide


def test_curves_from_a_csv_are_compared_by_scipys_welch():
    curves = np.random.default_rng(11).normal(0.8, 0.02, size=(3, 4, 2))
    report = csv_report(curves)
    last = curves[:, :, -1]
    assert len(report.pairs) == 3
    for pair in report.pairs:
        expected = stats.ttest_ind(last[int(pair.a)], last[int(pair.b)], equal_var=False)
        assert (pair.paired, pair.p) == (False, pytest.approx(expected.pvalue))


def test_a_noisy_curve_reaches_a_target_early():
    rng = np.random.default_rng(12)
    assert epochs_to_target(0.0, 1, rng) == 9
    assert epochs_to_target(0.06, 20, rng) < 8.5


def test_looking_after_each_seed_finds_what_is_not_there():
    assert told_by_looking(3, 10, 100, np.random.default_rng(13)) > 0.05
