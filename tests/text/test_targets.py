"""The target accuracy: what asks for it, and how it moves."""

import pytest
from comparison_logs import comparison_history
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.analysis.comparison.seed_curves import entry_curves
from clr_tui.engine.errors import UserError
from clr_tui.engine.metrics import ACCURACY, Metric
from clr_tui.tui.kinds.compare.target import move_target, read_target, suggest_target, target_text


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("65%", 0.65),
        ("0.65", 0.65),
        (" 65 % ", 0.65),
        ("7.5e-1", 0.75),
        ("99.5%", 0.995),
        ("", None),
    ],
)
def test_what_is_typed(text, target) -> None:
    assert read_target(text, ACCURACY) == target


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("65", "not 65"),
        ("0", "not 0"),
        ("1", "not 1"),
        ("100%", "not 1"),
        ("-3%", "not -0.03"),
        *((text, f"not '{text[:40]}") for text in ("nan", "inf%", "%", "6%5", "x" * 99)),
    ],
)
def test_what_is_no_target(text, said) -> None:
    with pytest.raises(UserError) as caught:
        read_target(text, ACCURACY)
    assert caught.value.field == "target"
    assert said in caught.value.message
    assert len(caught.value.message) < 120


@given(st.floats(1e-6, 1 - 1e-6).map(lambda x: round(x, 9)))
def test_its_text_asks_for_it_again(target) -> None:
    assert read_target(target_text(target, ACCURACY), ACCURACY) == target


@given(st.floats(0.001, 0.999), st.sampled_from([-5, -1, 1, 5]))
def test_it_moves_by_whole_points(target, points) -> None:
    there = move_target(target, points, ACCURACY)
    assert 0.01 <= there <= 0.99
    assert there == round(there, 2)
    assert abs(100 * (there - target) - points) <= 0.5 + 1e-9 or there in (0.01, 0.99)


def test_a_sensible_target_lies_below_the_best_mean() -> None:
    history = comparison_history()
    assert suggest_target(entry_curves(history), ACCURACY) == 0.8
    early = comparison_history(until_epoch=1)
    best = max(
        sum(trial.values("accuracy", "validation")[0] for trial in entry.trials) / 3
        for entry in entry_curves(early)
    )
    target = suggest_target(entry_curves(early), ACCURACY)
    assert target < best <= target + 0.05
    assert suggest_target(entry_curves(comparison_history(until_epoch=0)), ACCURACY) is None


MAE = Metric("mae", "number", "min")


def test_a_target_of_a_number_is_a_number() -> None:
    assert read_target(" 12.5 ", MAE) == 12.5
    assert read_target("", MAE) is None
    assert target_text(0.12, MAE) == "0.12"
    for text in ("nan", "inf", "many"):
        with pytest.raises(UserError, match="target must be a number"):
            read_target(text, MAE)


def test_a_number_moves_by_its_second_digit() -> None:
    assert move_target(0.12, 1, MAE) == 0.13
    assert move_target(0.12, -5, MAE) == 0.07
    assert move_target(3.4, 1, MAE) == 3.5
    assert move_target(0.0, 1, MAE) == 0.01
