import math

import pytest

from clr_tui.engine.metrics import Metric
from clr_tui.engine.words import exact_lr
from clr_tui.tui.text import figures, numbers
from clr_tui.tui.text.lines import row


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3.594e-3, "3.6e-03"), (1.0, "1.0e+00"), (9.99e-8, "1.0e-07"), (None, "      -")],
)
def test_learning_rates_are_seven_wide(value, shown):
    assert numbers.lr(value) == shown
    assert len(numbers.lr(value)) == 7


@pytest.mark.parametrize("value", [5e-4, 0.003, 3.594e-3, 1e-7, 1.0, 12.5, 0.0036, 100.0, 1e-10])
def test_typed_rates_read_back_as_they_were(value):
    assert float(exact_lr(value)) == pytest.approx(value, rel=1e-3)


def test_typed_rates_are_short():
    assert exact_lr(5e-4) == "5e-4"
    assert exact_lr(0.0036) == "0.0036"
    assert exact_lr(1.0) == "1"


SIZES = [0.0, 1e-310, 3e-5, 9.996e-5, 1.234e-4, 0.00999, 0.0412, 0.1, 1.592, 999.9994, 999.9996]
SIZES += [1e3, 1.23e5, 3.4e38, 9e99, 1.2e308]


@pytest.mark.parametrize("value", [*SIZES, *(-v for v in SIZES), math.inf, math.nan, None])
def test_losses_keep_their_width(value):
    assert len(numbers.loss(value)) == 8


@pytest.mark.parametrize("value", SIZES)
def test_losses_of_any_size_have_three_digits(value):
    assert float(numbers.loss(value)) == pytest.approx(value, rel=0.005 if value < 1e99 else 0.05)
    if value < 1e99:
        assert float(numbers.loss(-value)) == pytest.approx(-value, rel=0.05)


@pytest.mark.parametrize("value", [*SIZES, *(-v for v in SIZES)])
def test_figures_of_a_metric_keep_their_width(value):
    text = figures.figure(Metric("mae", "number", "min"), value)
    assert 7 <= len(text) <= 8
    assert float(text) == pytest.approx(value, rel=0.5)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3e-5, " 3.00e-5"), (3.4e38, " 3.40e38"), (-3e-5, "-3.00e-5"), (0.0412, "  0.0412")],
)
def test_the_exponents_of_losses_are_short(value, shown):
    assert numbers.loss(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.412, "0.4120"),
        (98.1, "98.10"),
        (1234.4, "1234"),
        (12345.6, "12346"),
        (1.2e7, "1.200e7"),
        (3.6e-5, "3.600e-5"),
        (0.0, "0"),
        (9999.6, "10000"),
        (math.nan, "-"),
        (None, "-"),
    ],
)
def test_values_at_the_cursor_have_four_digits(value, shown):
    assert numbers.exact(value) == shown


@pytest.mark.parametrize(
    ("x", "shown"), [(12400.0, "12 400"), (3.2407407, "3.241"), (3.6e-3, "0.0036"), (0.0, "0")]
)
def test_places_on_an_axis(x, shown):
    assert numbers.place(x) == shown


def test_a_value_never_runs_into_the_next_word():
    for value in ("1", "3.40e+38", "-1.234e-05", "a very long value"):
        for after in ("raw", " raw"):
            assert f"{value} raw" in "".join(text for text, _ in row("loss", value, after=after))


@pytest.mark.parametrize("value", [0.0, 0.0641, 0.641, 1.0, None, math.nan])
def test_percents_keep_their_width(value):
    assert len(numbers.percent(value)) == 7


def test_counts_keep_their_width_over_a_run():
    widths = {len(numbers.of_total(done, 12_345)) for done in (0, 9, 10, 999, 1000, 12_345)}
    assert widths == {len("12 345 / 12 345")}


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0:00"),
        (4.4, "0:04"),
        (59.6, "1:00"),
        (754, "12:34"),
        (3 * 3600 + 4 * 60 + 5, "3:04:05"),
        (5 * 86400 + 3600, "5 d 1 h"),
        (-3, "0:00"),
        (None, "-"),
        (math.inf, "-"),
    ],
)
def test_durations_are_written_as_clock_times(seconds, shown):
    assert numbers.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-10, "now"), (4, "now"), (59, "59 s ago"), (60, "1 min ago"), (7200, "2 h ago"),
     (3 * 86400, "3 d ago"), (None, "-")],
)  # fmt: skip
def test_ages_are_written_in_the_largest_fitting_unit(seconds, shown):
    assert numbers.age(seconds) == shown


@pytest.mark.parametrize(
    ("used", "total", "shown"),
    [
        (3.1e9, 85e9, "3.1 / 85 GB"),
        (0, 85e9, "0.0 / 85 GB"),
        (None, 85e9, "- / 85 GB"),
        (312e6, None, "312 MB"),
        (5e8, 1.5e9, "0.5 / 1.5 GB"),
        (1, 0, "1 B"),
    ],
)
def test_memory_is_shown_in_one_unit(used, total, shown):
    assert numbers.memory(used, total) == shown


def test_rates_of_slow_machines_have_a_decimal():
    assert numbers.throughput(3.24) == "3.2"
    assert numbers.throughput(1640.3) == "1 640"
    assert numbers.throughput(9.97) == "10"
    assert numbers.throughput(0) == "0"
    assert numbers.throughput(None) == "-"
