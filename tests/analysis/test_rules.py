"""Each rule against an evaluation of its published formula that shares no code with ours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_sweeps import rates

from clr_tui.engine.analysis.sweep import rules
from clr_tui.engine.analysis.sweep.curve import curve_of


def valley_by_hand(lr, loss):
    """fastai's valley, by its definition: the longest decreasing subsequence, in plain loops."""
    start = len(lr) // 10
    lr, loss = list(lr[start : len(lr) - 5]), list(loss[start : len(loss) - 5])
    longest = []  # of a decrease that ends at each step
    for i, value in enumerate(loss):
        before = [longest[j] for j in range(i) if loss[j] > value]
        longest.append(1 + max(before, default=0))
    length = max(longest)
    end = longest.index(length)
    begin = end - length
    width = length / 3
    return lr[begin + math.floor(width) + math.floor(width / 2)]


def slide_by_hand(lr, loss, width=15, threshold=0.005):
    """fastai's slide: a window moves down while the slopes at its ends differ by enough."""
    start = len(lr) // 10
    lr, loss = list(lr[start : len(lr) - 5]), list(loss[start : len(loss) - 5])
    n = len(loss)
    slope = [loss[1] - loss[0]]
    slope += [(loss[i + 1] - loss[i - 1]) / 2 for i in range(1, n - 1)]
    slope += [loss[-1] - loss[-2]]
    right, left = n - 1, n - 1 - width
    answer = lr[left]
    while left >= 0 and abs(slope[right] - slope[left]) > threshold:
        answer = lr[left]
        right, left = right - 1, left - 1
    return answer


def torch_lr_finder_suggestion(lr, loss):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    finder_module = pytest.importorskip("torch_lr_finder")
    from matplotlib.figure import Figure

    finder = finder_module.LRFinder.__new__(finder_module.LRFinder)
    finder.history = {"lr": list(lr), "loss": list(loss)}
    _, suggested = finder.plot(ax=Figure().add_subplot())
    return suggested


@pytest.fixture
def log(reference):
    curve = curve_of(reference, 1.0)
    return curve.lr, curve.smoothed


def test_reference_minimum_tenth_is_the_articles(log):
    assert rules.minimum_tenth(*log) == pytest.approx(3.594e-3, rel=1e-4)


def test_reference_steepest_equals_torch_lr_finders(log):
    assert rules.steepest(*log) == torch_lr_finder_suggestion(*log)
    assert rules.steepest(*log) == pytest.approx(5.275e-3, rel=1e-4)


def test_reference_valley_equals_the_formula(log):
    assert rules.valley(*log) == valley_by_hand(*log)
    assert rules.valley(*log) == pytest.approx(6.813e-4, rel=1e-4)


def test_reference_slide_equals_the_formula(log):
    assert rules.slide(*log) == slide_by_hand(*log)
    assert rules.slide(*log) == pytest.approx(5.275e-3, rel=1e-4)


# Losses on a binary grid: ties, which the formulas break in their own ways, are frequent, and the
# slopes are exact, so that none lies at slide's threshold within rounding.
grids = st.lists(st.integers(0, 500).map(lambda i: i / 256), min_size=23, max_size=130)


@given(grids)
def test_valley_equals_the_formula_on_any_curve(losses):
    lr, loss = rates(len(losses)), np.array(losses)
    found = rules.valley(lr, loss)
    if found is not None:  # a fall of fewer than three steps is no valley
        assert found == valley_by_hand(lr, loss)


@given(grids)
def test_slide_equals_the_formula_on_any_curve(losses):
    lr, loss = rates(len(losses)), np.array(losses)
    assert rules.slide(lr, loss) == slide_by_hand(lr, loss)


def test_steepest_equals_torch_lr_finders_on_random_curves():
    rng = np.random.default_rng(1)
    for n in (17, 40, 108):
        lr, loss = rates(n), 2 + np.cumsum(rng.normal(size=n))
        assert rules.steepest(lr, loss) == torch_lr_finder_suggestion(lr, loss)


def test_steepest_is_per_log_lr_where_the_steps_are_uneven():
    """A fall by 1 over a tenth of a decade is steeper than one by 2 over a whole decade."""
    log_lr = np.concatenate([np.linspace(-6, -3, 31), [-2.0], np.linspace(-1.9, -1, 30)])
    loss = np.full(len(log_lr), 5.0)
    loss[31:] -= 2.0  # a decade's step
    loss[45:] -= 1.0  # a tenth of a decade's step
    found = math.log10(rules.steepest(10**log_lr, loss))
    assert log_lr[44] - 1e-9 <= found <= log_lr[45] + 1e-9


@pytest.mark.parametrize("part", [1, 2, 7, 16])
def test_long_curves_are_read_in_parts_and_answer_the_same(monkeypatch, part):
    monkeypatch.setattr(rules, "_PART", part)
    rng = np.random.default_rng(part)
    for n in (23, 40, 108):
        lr, loss = rates(n), rng.integers(0, 500, n) / 256
        assert rules.steepest(lr, loss) == torch_lr_finder_suggestion(lr, loss)
        assert rules.valley(lr, loss) == valley_by_hand(lr, loss)
        assert rules.slide(lr, loss) == slide_by_hand(lr, loss)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 6])
def test_short_curves_have_no_answer(n):
    lr, loss = rates(max(n, 1))[:n], np.linspace(2, 1, n)
    assert rules.steepest(lr, loss) is None
    assert rules.valley(lr, loss) is None
    assert rules.slide(lr, loss) is None
    assert (rules.minimum_tenth(lr, loss) is None) == (n == 0)


def test_valley_has_no_answer_where_nothing_falls():
    assert rules.valley(rates(50), np.ones(50)) is None
    assert rules.valley(rates(50), np.arange(50.0)) is None


def smith_curve():
    """By hand: level at 0.1 to 1e-5, up to 0.7 at 1e-2, a plateau to 1e-1, then a fall."""
    log_lr = np.linspace(-7, 0, 71)
    accuracy = np.interp(log_lr, [-7, -5, -2, -1, -0.5, 0], [0.1, 0.1, 0.7, 0.7, 0.2, 0.1])
    return 10**log_lr, accuracy


def test_smiths_bounds_on_a_curve_drawn_by_hand():
    lr, accuracy = smith_curve()
    base, top = rules.smith_accuracy(lr, accuracy)
    # A tenth of the rise, 0.16, is passed 0.3 decades after the rise begins.
    assert math.log10(base) == pytest.approx(-4.7, abs=0.11)
    assert -2.1 <= math.log10(top) <= -1


def test_smiths_max_is_before_the_first_fall_though_a_higher_peak_follows():
    lr, accuracy = smith_curve()
    ragged = accuracy.copy()
    ragged[45:49] -= 0.3  # it falls at 10^-2.5 and comes back
    _, top = rules.smith_accuracy(lr, ragged)
    assert math.log10(top) == pytest.approx(-2.6, abs=0.15)


def test_smiths_bounds_do_not_mind_a_first_accuracy_out_of_line():
    """Of a CNN on flowers, every third of 108 steps: batch norm had not settled at the first."""
    percent = [27.0, 18.1, 16.7, 17.0, 17.0, 17.0, 17.0, 17.2, 17.4, 17.4, 17.4, 17.7]
    percent += [18.6, 20.2, 21.4, 22.3, 25.8, 30.5, 33.0, 33.5, 38.6, 42.8, 43.7, 44.0]
    percent += [43.5, 44.9, 45.3, 30.9, 39.5, 20.7, 33.3, 32.1, 31.2, 39.5, 30.7, 23.0]
    lr = rates(108)[2::3]
    base, top = rules.smith_accuracy(lr, np.array(percent) / 100)
    assert 1e-5 <= base <= 1e-4
    assert 4e-3 <= top <= 1.5e-2


def test_smiths_max_is_the_peak_where_nothing_falls():
    lr = rates(40)
    _, top = rules.smith_accuracy(lr, np.linspace(0.1, 0.8, 40))
    assert top == lr[-1]


@pytest.mark.parametrize(("samples", "enough"), [(2, False), (8, False), (40, True), (512, True)])
def test_a_rise_of_an_accuracy_counts_if_its_samples_are_enough(samples, enough):
    """By 0.6: on eight samples, chance does that."""
    assert (rules.smith_accuracy(*smith_curve(), samples) is not None) == enough


@pytest.mark.parametrize("samples", [2, 3, 5, 12, 100])
def test_guesses_on_few_samples_are_noise(samples):
    """A model that wanders between answers, each sample right by chance, as with random labels."""
    rng = np.random.default_rng(samples)
    found = 0
    for _ in range(100):
        right = rng.random((samples, 9)) < 0.5
        accuracy = np.repeat(right.mean(axis=0), 11)  # it holds each answer for a while
        found += rules.smith_accuracy(rates(99), accuracy, samples) is not None
    assert found <= 2


@pytest.mark.parametrize(
    "accuracy",
    [
        np.full(40, 0.3),
        np.linspace(0.8, 0.1, 40),
        0.3 + 0.02 * np.random.default_rng(0).normal(size=40),
        np.linspace(0.1, 0.9, 4),
    ],
    ids=["level", "falling", "noise", "short"],
)
def test_smith_has_no_answer(accuracy):
    assert rules.smith_accuracy(rates(len(accuracy)), accuracy) is None
