"""A grid of rates as text, and the entries of a comparison at its rates."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.check import check_numbers
from clr_tui.engine.settings.config import Compare, RangeTest, TaskConfig, decode_run
from clr_tui.engine.settings.entries import parse_entries
from clr_tui.engine.settings.rate_grid import (
    RateGrid,
    as_asked,
    at_each_rate,
    has_grid,
    on_grid,
    parse_grid,
)
from clr_tui.engine.settings.table import setting_of
from clr_tui.engine.settings.texts import read, write

LR = setting_of(Compare, "lr")


def asked(optimizers: str, rates: str | float = "grid:1e-3..0.1x3", **settings) -> Compare:
    return Compare(entries=parse_entries(optimizers), rates=rates, **settings)


def labels(job: Compare) -> list[str]:
    return [entry.label for entry in job.entries]


def mistakes(job: Compare) -> list[tuple[str | None, str]]:
    return [(mistake.field, mistake.message) for mistake in check_numbers(TaskConfig(), job)]


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("grid:1e-3..0.1x3", (1e-3, 1e-2, 0.1)),
        ("grid: 1e-4 .. 1e-1 x 7", (1e-4, 3.16e-4, 1e-3, 3.16e-3, 1e-2, 3.16e-2, 0.1)),
        ("grid:1e-4..1e-1", (1e-4, 3.16e-4, 1e-3, 3.16e-3, 1e-2, 3.16e-2, 0.1)),
        ("grid:.5...8X2", (0.5, 0.8)),
        ("grid:1e-30..1e6x2", (1e-30, 1e6)),
    ],
)
def test_rates(text: str, rates: tuple[float, ...]) -> None:
    assert parse_grid(text).rates == rates


@given(st.floats(-20, 5), st.floats(0.1, 20), st.integers(2, 64))
def test_rates_are_at_equal_ratios_to_three_digits(low: float, span: float, count: int) -> None:
    assume(low + span < 5.9 and span / (count - 1) > np.log10(1.06))
    grid = RateGrid(10**low, 10 ** (low + span), count)
    rates = np.array(parse_grid(grid.text).rates)
    assert len(rates) == count
    assert (np.diff(rates) > 0).all()
    np.testing.assert_allclose(rates, np.geomspace(grid.low, grid.high, count), rtol=0.006)
    assert all(float(f"{lr:.3g}") == lr for lr in rates)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("grid:", "'grid:' cannot be read: write grid:LOW..HIGHxCOUNT, such as grid:1e-4..0.1x7"),
        ("grid:1e-3", "cannot be read"),
        ("grid:a..bx3", "cannot be read"),
        ("grid:1e-3..0.1x", "cannot be read"),
        ("grid:1e-3..0.1x2.5", "cannot be read"),
        ("grid:0..0.1x3", "the first rate of the grid must be a number above 0, not 0"),
        ("grid:nan..0.1x3", "the first rate of the grid must be a number above 0, not nan"),
        ("grid:1e-3..infx3", "the last rate of the grid must be a number above 0, not inf"),
        ("grid:1e-3..1e7x3", "the last rate of the grid must be at most 1e+06, not 1e+07"),
        ("grid:1e-31..1x3", "the first rate of the grid must be at least 1e-30, not 1e-31"),
        ("grid:0.1..1e-3x3", "0.1, is not below its last, 0.001"),
        ("grid:0.1..0.1x3", "0.1, is not below its last, 0.1"),
        ("grid:1e-3..0.1x1", "a grid has at least 2 rates, not 1: give one as a number"),
        ("grid:1e-3..0.1x-3", "a grid has at least 2 rates, not -3"),
        ("grid:1e-3..0.1x65", "a grid has at most 64 rates, not 65"),
        ("grid:1e-3..1.2e-3x9", "closer than 5 %: give at most 4, or a wider grid"),
        ("grid:1e-3..1.01e-3x2", "closer than 5 %: give a wider grid"),
    ],
)
def test_a_grid_that_cannot_be_used_gets_a_sentence(text: str, says: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_grid(text)
    assert says in raised.value.message
    assert raised.value.field == "lr"
    assert mistakes(asked("adam", text)) == [("lr", raised.value.message)]


def test_each_optimizer_trains_at_each_rate() -> None:
    job = asked("sgd+clr,adam(weight_decay=0.1),adam+StepLR(step_size=3),sgd(base_lr=1e-4)+clr")
    made = at_each_rate(job)
    assert labels(made) == [
        *("sgd+clr(lr=0.001)", "sgd+clr(lr=0.01)", "sgd+clr(lr=0.1)"),
        *(f"adam(lr={lr},weight_decay=0.1)" for lr in (0.001, 0.01, 0.1)),
        *(f"adam(lr={lr})+StepLR(step_size=3)" for lr in (0.001, 0.01, 0.1)),
        *(f"sgd+clr(base_lr=0.0001,lr={lr})" for lr in (0.001, 0.01, 0.1)),
    ]
    assert made.entries == parse_entries(", ".join(labels(made)))  # as if they had been typed
    assert mistakes(made) == []
    assert at_each_rate(made) == made
    assert [group.entries for group in on_grid(made)] == [
        tuple(range(i, i + 3)) for i in (0, 3, 6, 9)
    ]
    assert as_asked(made) == job


def test_an_optimizer_with_a_rate_of_its_own_keeps_it() -> None:
    job = asked("adam(lr=0.5),sgd+clr,adagrad(lr=0.01)")
    made = at_each_rate(job)
    assert labels(made)[0] == "adam(lr=0.5)"
    assert labels(made)[-1] == "adagrad(lr=0.01)"
    assert [(group.asked.label, group.entries) for group in on_grid(made)] == [
        ("sgd+clr", (1, 2, 3))
    ]
    assert as_asked(made) == job
    assert mistakes(job) == mistakes(made) == []


def test_the_same_optimizer_at_a_rate_of_the_grid_is_there_twice() -> None:
    job = asked("adam,adam(lr=0.01)")
    assert mistakes(job) == [
        ("optimizers", "'adam(lr=0.01)' is given 2 times: give each entry once")
    ]


def test_a_grid_that_no_optimizer_uses() -> None:
    (found,) = mistakes(asked("adam(lr=0.3),sgd(lr=0.2)"))
    assert found[0] == "lr"
    assert "every optimizer has a rate of its own: leave out lr=" in found[1]


def test_a_lower_bound_above_some_rates() -> None:
    (found,) = mistakes(asked("sgd(base_lr=0.005)+clr"))
    assert found == (
        "optimizers",
        "base_lr 0.005 of 'sgd+clr(base_lr=0.005,lr=0.001)' is not below its lr 0.001",
    )


def test_a_scheduler_with_a_maximum_of_its_own_ignores_the_grid() -> None:
    (found,) = mistakes(asked("adam+OneCycleLR(max_lr=0.1,total_steps=9),adam+OneCycleLR()"))
    assert found[0] == "optimizers"
    assert found[1] == (
        "'adam+OneCycleLR(max_lr=0.1,total_steps=9)' moves the rate up to its max_lr, whatever the"
        " grid: leave max_lr out"
    )


def test_a_comparison_takes_64_entries() -> None:
    three = "adam,sgd+clr,adagrad,rmsprop(lr=0.5)"
    assert mistakes(asked(three, "grid:1e-5..1x21")) == []
    (found,) = mistakes(asked(three, "grid:1e-5..1x22"))
    assert found == (
        "lr",
        "3 optimizers at 22 rates make 67 entries, but a comparison takes at most 64: give at most"
        " 21 rates",
    )


def test_a_grid_of_too_many_trials() -> None:
    (found,) = mistakes(asked("adam", "grid:1e-5..1x21", seeds=50))
    assert found[0] == "seeds"
    assert found[1].startswith("21 rates with 50 seeds each are 1050 trials")


def test_without_a_grid_nothing_changes() -> None:
    for rates in ("default", "tuned", 0.1):
        job = asked("adam,sgd+clr", rates)
        assert (has_grid(job), on_grid(job)) == (False, [])
        assert at_each_rate(job) is job
        assert as_asked(job) == job


def test_the_text_of_a_grid_is_read_and_written() -> None:
    for text in ("grid:1e-4..0.1x7", "around:range-test-digits-1"):
        assert read(LR, text) == text
        assert read(LR, f" {text.replace('grid', 'GRID')} ") == text
        assert write(LR, text) == text
    assert [read(LR, text) for text in ("Tuned", "1e-3")] == ["tuned", 1e-3]
    assert mistakes(asked("adam", "grit:1..2x3")) == [
        ("lr", "no lr 'grit:1..2x3'; did you mean 'grid:...'?")
    ]


def test_a_run_keeps_its_grid() -> None:
    job = at_each_rate(asked("adam", advice={"valley": 1e-3}, advised="valley"))
    fields = {"id": "compare-1", "created": 0.0, "version": "0", "job": job}
    assert decode_run(msgspec.json.encode(fields)).job == job
    assert on_grid(msgspec.structs.replace(job, rates="grid:damaged")) == []
    assert isinstance(decode_run(msgspec.json.encode(fields | {"job": RangeTest()})).job, RangeTest)
