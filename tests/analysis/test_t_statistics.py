"""Student's t, Welch's t and Holm's correction, held against scipy.stats and the papers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from clr_tui.engine.analysis.statistics import (
    holm,
    interval_factor,
    paired,
    pooled_half_width,
    t_interval,
    welch,
)

accuracies = st.floats(0, 1).map(lambda x: round(x, 4))
"""Steps of an image, so that spreads are never all rounding."""
samples = st.lists(accuracies, min_size=2, max_size=8)
missing = st.sampled_from([None, math.nan, math.inf])


def varied(*lists) -> bool:
    return all(max(x) > min(x) for x in lists)


@given(samples)
def test_interval_is_scipys(values):
    assume(varied(values))
    found = t_interval(values)
    low, high = stats.t.interval(
        0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values)
    )
    assert found.mean == pytest.approx(np.mean(values))
    assert found.sd == pytest.approx(np.std(values, ddof=1))
    assert found.mean - found.half_width == pytest.approx(low, abs=1e-12)
    assert found.mean + found.half_width == pytest.approx(high, abs=1e-12)
    assert (found.n, found.note) == (len(values), "")


@given(samples, st.lists(missing, max_size=4), st.randoms())
def test_missing_values_are_left_out(values, gaps, random):
    mixed = values + gaps
    random.shuffle(mixed)
    known = [v for v in mixed if v is not None and math.isfinite(v)]
    assert t_interval(mixed) == t_interval(known)


@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_interval_factor(n):
    expected = stats.t.ppf(0.975, n - 1) / math.sqrt(n)
    assert interval_factor(np.array([n]))[0] == pytest.approx(expected)


@pytest.mark.parametrize("n", [3, 5])
def test_factor_corrected_for_several_tests_is_where_holm_begins(n):
    """The clearest of 15 differences, just above and just below that ratio of mean to sd."""
    noise = stats.zscore(np.arange(n), ddof=1)
    least = interval_factor(np.array([n]), 15)[0]
    for ratio, told in ((1.001 * least, True), (0.999 * least, False)):
        ps = [paired((noise + ratio).tolist(), [0.0] * n).p, *[0.9] * 14]
        assert (holm(ps)[0] < 0.05) is told


@given(st.lists(samples, min_size=2, max_size=6), st.integers(1, 9))
def test_a_pooled_spread_is_that_of_scipys_analysis_of_variance(groups, n):
    """F is the mean square between the groups over that within them, which is the variance."""
    sizes, means = [len(x) for x in groups], [np.mean(x) for x in groups]
    between = np.dot(sizes, (means - np.mean(np.concatenate(groups))) ** 2) / (len(groups) - 1)
    assume(varied(*groups) and between > 1e-6)
    within = between / stats.f_oneway(*groups).statistic
    expected = stats.t.ppf(0.975, sum(sizes) - len(groups)) * np.sqrt(within / n)
    assert pooled_half_width(groups, n) == pytest.approx(expected)


@given(samples, samples)
def test_a_pooled_spread_of_two_samples_is_that_of_students_test(a, b):
    assume(varied(a, b))
    low, high = stats.ttest_ind(a, b).confidence_interval(0.95)
    factor = math.sqrt(1 / len(a) + 1 / len(b))
    assert factor * pooled_half_width([a, b], 1) == pytest.approx((high - low) / 2)


def test_a_pooled_spread_needs_a_sample_of_two():
    assert pooled_half_width([[0.5], [], [None, 0.7, math.nan]], 1) is None
    alone = t_interval([0.5, 0.6, 0.9]).half_width
    assert pooled_half_width([[0.5, None, 0.6, 0.9], [0.7]], 3) == pytest.approx(alone)
    assert pooled_half_width([[0.5, 0.5], [0.6, 0.6]], 2) == 0
    assert pooled_half_width([[1e200, -1e200]], 2) is None


def test_no_factor_below_two():
    assert np.isnan(interval_factor(np.array([0, 1]))).all()


def test_one_value_and_identical_values_have_no_interval():
    assert t_interval([0.7]).note == "one seed only: no interval"
    assert t_interval([0.7]).half_width is None
    same = t_interval([0.1, 0.1, 0.1])
    assert (same.mean, same.sd, same.half_width) == (0.1, 0.0, None)
    assert same.note == "identical over 3 seeds: no interval"
    assert t_interval([]).mean is None
    assert t_interval([None]).n == 0


@given(samples, samples)
def test_welch_is_scipys(a, b):
    assume(varied(a, b))
    found = welch(a, b)
    expected = stats.ttest_ind(a, b, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.t == pytest.approx(expected.statistic, rel=1e-9, abs=1e-12)
    assert found.df == pytest.approx(expected.df, rel=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-300)
    assert found.difference == pytest.approx(np.mean(a) - np.mean(b), abs=1e-15)
    assert found.difference - found.half_width == pytest.approx(interval.low, abs=1e-9)
    assert found.difference + found.half_width == pytest.approx(interval.high, abs=1e-9)
    assert found.n == min(len(a), len(b))


@given(samples, accuracies, st.integers(2, 6))
def test_welch_against_a_sample_without_spread(a, value, n):
    """The degrees of freedom are then those of the other sample: a one-sample test."""
    assume(varied(a))
    found = welch(a, [value] * n)
    expected = stats.ttest_1samp(a, value)
    assert found.df == pytest.approx(len(a) - 1)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-7, abs=1e-300)


@given(st.lists(st.tuples(accuracies, accuracies), min_size=2, max_size=8))
def test_paired_is_scipys(pairs):
    a, b = map(list, zip(*pairs, strict=True))
    moves = [round(x - y, 6) for x, y in pairs]
    assume(varied(moves))
    found = paired(a, b)
    expected = stats.ttest_rel(a, b)
    interval = expected.confidence_interval(0.95)
    assert found.t == pytest.approx(expected.statistic, rel=1e-6, abs=1e-9)
    assert found.df == len(pairs) - 1
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)
    assert found.difference - found.half_width == pytest.approx(interval.low, abs=1e-9)
    assert found.difference + found.half_width == pytest.approx(interval.high, abs=1e-9)


def test_pairs_of_which_a_value_is_missing_are_left_out():
    a, b = [0.5, None, 0.7, 0.9], [0.4, 0.6, math.nan, 0.5]
    assert paired(a, b) == paired([0.5, 0.9], [0.4, 0.5])
    assert paired([None, 0.5], [0.5, None]).note == "no seeds in common"
    assert paired([None, 0.5], [0.5, None]).difference is None


def test_pairs_must_be_pairs():
    with pytest.raises(ValueError):
        paired([0.5], [0.5, 0.6])


@pytest.mark.parametrize("test", [welch, paired])
def test_samples_that_show_no_chance_have_no_t(test):
    same = test([0.8] * 3, [0.8] * 3)
    assert (same.difference, same.p, same.constant) == (0.0, None, False)
    assert "identical" in same.note
    different = test([0.8] * 3, [0.7] * 3)
    assert different.difference == pytest.approx(0.1)
    assert (different.t, different.p, different.half_width) == (None, None, None)
    assert different.constant
    one = test([0.8], [0.7])
    assert (one.n, one.p, one.note) == (1, None, "one seed only: no test")


def test_one_constant_difference_is_not_infinitely_certain():
    """0.9 - 0.8 and its like differ by rounding; t would be 1e15."""
    found = paired([0.9, 0.7, 0.3], [0.8, 0.6, 0.2])
    assert (found.p, found.constant) == (None, False)
    assert found.difference == pytest.approx(0.1)
    assert found.note.startswith("the difference is the same at every seed")
    assert paired([0.9, 0.7], [0.9, 0.7]).note.startswith("identical")


wild = st.floats(allow_nan=True, allow_infinity=True) | st.none()


@given(st.lists(st.tuples(wild, wild), max_size=5))
def test_nothing_raises_and_figures_are_finite(pairs):
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    for found in (welch(a, b), paired(a, b), t_interval(a)):
        for name in ("difference", "mean", "sd", "half_width", "t", "p"):
            value = getattr(found, name, None)
            assert value is None or math.isfinite(value)


def plain_holm(ps):
    """By its definition: as long as p_(i) <= alpha / (m - i), reject; adjusted p is the least alpha
    at which the hypothesis is rejected. Found by trying each candidate level."""
    m = len(ps)
    order = sorted(range(m), key=lambda i: ps[i])
    levels = sorted({min(1.0, (m - i) * ps[j]) for i, j in enumerate(order)})
    adjusted = [1.0] * m
    for level in reversed(levels):
        for i, j in enumerate(order):
            if (m - i) * ps[j] > level:
                break
            adjusted[j] = min(adjusted[j], level)
    return adjusted


@given(st.lists(st.floats(0, 1).map(lambda p: round(p, 6)), max_size=15))
def test_holm_by_its_definition(ps):
    assert holm(ps) == pytest.approx(plain_holm(ps))


@given(st.lists(st.floats(0, 1) | st.none(), max_size=10))
def test_holm_counts_what_has_a_p(ps):
    adjusted = holm(ps)
    assert [a is None for a in adjusted] == [p is None for p in ps]
    known = [p for p in ps if p is not None]
    assert [a for a in adjusted if a is not None] == holm(known)
    assert all(p <= a <= min(1, len(known) * p) for p, a in zip(known, holm(known), strict=True))


def test_holm_worked_example():
    """R's `p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")` and the like."""
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.4, 0.9]) == pytest.approx([0.8, 0.9])
