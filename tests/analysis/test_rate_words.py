"""Rates and distances in words."""

from __future__ import annotations

import pytest

from clr_tui.engine.words import all_of, be, decades_apart, lr_str, many, was


@pytest.mark.parametrize(
    ("lr", "text"),
    [
        (0.1, "1e-1"),
        (0.0359, "3.6e-2"),
        (1e-7, "1e-7"),
        (0.996, "1"),
        (1.5, "1.5"),
        (10, "10"),
        (100, "100"),
        (1e4, "1e4"),
    ],
)
def test_a_learning_rate_is_written_with_two_digits(lr, text):
    assert lr_str(lr) == text


@pytest.mark.parametrize(
    ("lr", "words"),
    [
        (5e-4, ""),
        (0.02, "a decade above"),
        (0.08, "2 decades above"),
        (0.5, "3 decades above"),
        (9e-4 / 10, "a decade below"),
        (1e-3 * 11, "a decade above"),
        (1.1, "3 decades above"),
        (1e-7, "4 decades below"),
    ],
)
def test_distance_from_one_thousandth(lr, words):
    assert decades_apart(lr, 1e-3) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 trials are"), (1, "1 trial is"), (2, "2 trials are")],
)
def test_counts_agree_with_their_verbs(count, words):
    assert f"{many(count, 'trial')} {be(count)}" == words
    assert was(count) == ("was" if count == 1 else "were")


def test_all_of_a_number():
    assert (all_of(1, "trial"), all_of(3, "trial")) == ("the only trial", "all 3 trials")
