"""What is read at the cursor, in rows of a panel and in lines below the charts."""

from __future__ import annotations

import numpy as np
import pytest
from rich.cells import cell_len
from view_histories import text_of

from clr_tui.tui.charts.chart import Area, Axis, Chart, Series
from clr_tui.tui.text.readings import amount_of_x, reading_line, reading_rows

STEPS = np.arange(100.0)
LOSS = Chart(
    (
        Series(STEPS, 2 - STEPS / 100, "raw", "raw", faint=True),
        Series(STEPS, 1.5 - STEPS / 100, "train", "loss"),
        Series(STEPS[::30], STEPS[::30], "val", "validation", "points"),
    ),
    x=Axis("step", name="step"),
    title="loss",
)
RATE = Chart((Series(STEPS, np.full(100, 3.6e-5), "walked", "lr"),), title="learning rate")
MEANS = Chart(
    tuple(
        Series(STEPS, 90 + i + STEPS / 100, f"optimizer {i}", f"entry-{i + 1}", glyph="●▲■"[i])
        for i in range(3)
    ),
    areas=(Area(STEPS, np.full(100, 89.0), np.full(100, 91.5), colour="entry-1"),),
    title="accuracy",
)


def test_each_curve_has_a_row_below_the_title_of_its_chart() -> None:
    rows = [text_of(line).rstrip() for line in reading_rows([LOSS, RATE], 50.0, "step", 40)]
    assert [row.split() for row in rows] == [
        ["step", "50"],
        ["loss"],
        ["raw", "1.500"],
        ["train", "1.000"],
        ["val", "30.00", "at", "30"],
        ["learning", "rate", "3.600e-5"],
        [],
    ]
    # The values line up.
    ends = [
        row.index(value) + len(value)
        for row, value in zip(rows[2:4], ["1.500", "1.000"], strict=True)
    ]
    assert len(set(ends)) == 1


@pytest.mark.parametrize("width", [29, 38])
def test_rows_fit_the_panel(width) -> None:
    named = Chart((Series(STEPS, STEPS, "x" * 60), Series(STEPS, STEPS, "猫" * 30)), title="t" * 60)
    for chart in (named, LOSS, Chart(named.series[:1], title="t" * 60)):
        lines = reading_rows([chart], 50.0, "learning rate", width)
        for line in lines:
            # Only what follows a value, such as its band, may be cut off.
            assert cell_len("".join(text for text, _ in line[:2])) <= width


def test_means_are_read_with_their_intervals_in_a_line_that_wraps() -> None:
    lines = [text_of(line) for line in reading_line([MEANS], 50.0, "epoch", 60)]
    assert lines == [
        "epoch 50   ● optimizer 0 90.50 (89.00…91.50)",
        "▲ optimizer 1 91.50   ■ optimizer 2 92.50",
    ]


def test_a_line_names_the_charts_if_there_are_several() -> None:
    (line,) = reading_line([RATE, LOSS], 0.0, "step", 200)
    assert text_of(line) == (
        "step 0   learning rate 3.600e-5   loss:   raw 2.000   train 1.500   val 0"
    )


@pytest.mark.parametrize(
    ("span", "name", "log", "words"),
    [
        (250.0, "step", False, "250 steps"),
        (1.0, "epoch", False, "1 epoch"),
        (2.5, "epoch", False, "2.5 epochs"),
        (20.0, "seconds", False, "20 seconds"),
        (1.1667, "learning rate", True, "1.2 decades of the learning rate"),
    ],
)
def test_a_length_of_x_in_words(span, name, log, words) -> None:
    assert amount_of_x(span, name, log=log) == words
