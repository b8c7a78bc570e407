"""Student's t distribution beside scipy's."""

from __future__ import annotations

import pytest
from scipy.special import stdtr, stdtrit

from clr_tui.engine.analysis.student_t import quantile, two_sided_p

DEGREES = (0.5, 1.0, 1.3, 2.0, 2.7, 3.0, 5.0, 29.5, 100.0, 999.0, 1e4)


@pytest.mark.parametrize("df", DEGREES)
def test_chances_are_those_of_scipy_far_into_the_tails(df: float) -> None:
    for t in (0.0, 1e-12, 1e-3, 0.1, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0, 100.0, 1e6):
        expected = 2 * float(stdtr(df, -t))
        assert two_sided_p(t, df) == pytest.approx(expected, rel=1e-10, abs=1e-290)
        assert two_sided_p(-t, df) == two_sided_p(t, df)


@pytest.mark.parametrize("df", DEGREES)
def test_quantiles_are_those_of_scipy(df: float) -> None:
    for p in (0.5, 0.6, 0.9, 0.95, 0.975, 0.99, 0.999, 1 - 0.025 / 190, 1 - 1e-9):
        assert quantile(p, df) == pytest.approx(float(stdtrit(df, p)), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("df", "t"), [(1, 12.706), (2, 4.303), (4, 2.776), (10, 2.228)])
def test_quantiles_are_those_of_the_printed_tables(df: int, t: float) -> None:
    assert quantile(0.975, df) == pytest.approx(t, abs=5e-4)


def test_what_is_hardly_a_t_distribution() -> None:
    assert quantile(0.975, 1e8) == pytest.approx(1.959964, abs=1e-6)  # the normal distribution's
    assert two_sided_p(1e300, 1.0) < 1e-100
