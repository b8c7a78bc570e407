"""Text in a number of cells, wide letters included."""

from __future__ import annotations

import pytest

from clr_tui.tui.fitting import padded, truncate


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("loss", 4, "loss"),
        ("losses", 4, "los…"),
        ("losses", 1, "…"),
        ("losses", 0, ""),
        ("", 3, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日 …"),
    ],
)
def test_what_is_cut_ends_in_an_ellipsis(text, width, expected):
    assert truncate(text, width) == expected


def test_padding_counts_cells():
    assert padded("日本", 6) == "日本  "
    assert padded("日本", 6, right=True) == "  日本"
    assert padded("losses", 4, right=True) == "los…"
