"""Values of a metric as people read them."""

import math

import pytest

from clr_tui.engine.metrics import ACCURACY, LOSS, Metric
from clr_tui.tui.text import figures

MAE = Metric("mae", "number", "min")
TIME = Metric("time", "seconds", "min")


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (ACCURACY, 0.641, " 64.1 %"),
        (ACCURACY, None, "      -"),
        (MAE, 0.0123, " 0.0123"),
        (MAE, math.nan, "      -"),
        (TIME, 3.2, "  3.2 s"),
        (LOSS, 1.592, "   1.592"),
    ],
)
def test_a_figure_has_its_unit(metric, value, text):
    assert figures.figure(metric, value) == text
    assert figures.brief(metric, value) == text.strip()


def test_a_title_names_the_unit_of_bare_values():
    assert [figures.title(m) for m in (ACCURACY, MAE, TIME)] == ["accuracy, %", "mae", "time, s"]
    assert [figures.bare(m, 0.5) for m in (ACCURACY, MAE)] == ["50.0", "0.5"]


def test_a_name_is_text():
    assert "\x1b" not in figures.title(Metric("\x1b[31mred"))
