"""Metrics: which value is better, and how values are written in sentences."""

import math

import pytest

from clr_tui.engine.metrics import (
    ACCURACY,
    LOSS,
    Metric,
    direction_is_clear,
    known_by_name,
    primary_of,
    reads_as_accuracy,
)

MAE = Metric("mae", "number", "min")
ERROR_RATE = Metric("error_rate", "share", "min")
TIME = Metric("time", "seconds", "min")


@pytest.mark.parametrize(
    ("metric", "value", "other", "better"),
    [
        (ACCURACY, 0.5, None, True),
        (ACCURACY, 0.6, 0.5, True),
        (ACCURACY, 0.5, 0.5, False),
        (MAE, 0.4, 0.5, True),
        (MAE, 0.6, 0.5, False),
        (MAE, math.nan, None, False),
        (ACCURACY, math.inf, 0.5, False),
    ],
)
def test_better_is_by_direction(metric, value, other, better):
    assert metric.is_better(value, other) is better


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [(ACCURACY, 0.682, "68.2 %"), (MAE, 0.0123, "0.0123"), (TIME, 3.2, "3.2 s")],
)
def test_a_value_in_a_sentence(metric, value, text):
    assert metric.text(value) == text


@pytest.mark.parametrize(
    ("metric", "value", "half", "text"),
    [
        (ACCURACY, -0.0123, 0.004, "1.2 ± 0.4 points"),
        (MAE, 0.0123, None, "0.0123"),
        (TIME, 1.5, 0.25, "1.5 ± 0.25 s"),
    ],
)
def test_a_difference_in_a_sentence(metric, value, half, text):
    assert metric.difference(value, half) == text


@pytest.mark.parametrize(
    ("metric", "value", "round_value"),
    [
        (ACCURACY, 0.683, 0.65),
        (ACCURACY, 0.95, 0.95),
        (ACCURACY, 0.1 + 0.2, 0.3),
        (ERROR_RATE, 0.12, 0.15),
        (MAE, 0.034, 0.035),
        (Metric("psnr"), 34.0, 30.0),
        (MAE, 3.4, 3.5),
    ],
)
def test_a_round_value_is_no_better(metric, value, round_value):
    assert metric.coarser(value) == pytest.approx(round_value, abs=1e-12)


def test_metrics_of_which_only_the_name_is_known():
    assert known_by_name("accuracy") == ACCURACY
    assert known_by_name("top-3 accuracy") == Metric("top-3 accuracy", "share", "max")
    assert known_by_name("mae") == MAE
    assert known_by_name("val_rmse").direction == "min"
    assert known_by_name("bleu") == Metric("bleu", "number", "max")


def test_whether_a_name_says_which_direction_is_better():
    assert all(map(direction_is_clear, ["val_rmse", "accuracy", "g_loss", "WER", "top1"]))
    assert not any(map(direction_is_clear, ["d", "distance", "accuracy_loss"]))


def test_the_first_is_the_primary_one():
    assert primary_of([MAE, ACCURACY]) == MAE
    assert primary_of([]) == LOSS


def test_smiths_rule_reads_shares_that_rise():
    assert [reads_as_accuracy(m) for m in (ACCURACY, ERROR_RATE, MAE)] == [True, False, False]
