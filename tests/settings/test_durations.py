"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.settings.durations import duration, seconds_in


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("2H", 7200),
        ("1.5h", 5400),
        ("5 min", 300),
        ("0.5m10s", 40),
        ("1m0.25s", 60.25),
    ],
)
def test_what_people_write(text: str, seconds: float) -> None:
    assert seconds_in(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "5", "-5m", "m", "5m1h", "1e3s", "nan", "5 m s", "٥m"])
def test_what_is_no_duration(text: str) -> None:
    assert seconds_in(text) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (2.5, "2.5s"), (60, "1m"), (90, "1m30s"), (3600, "1h"), (5400, "1h30m")],
)
def test_the_shortest_text(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.integers(0, 10**10))
def test_what_is_written_can_be_read(milliseconds: int) -> None:
    assert seconds_in(duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-6)
