"""How many charts a terminal shows at once, and in which shape."""

from __future__ import annotations

import pytest

from clr_tui.tui.kinds.logged.arrangement import counts_for, page_of, shape_of, usual_count


@pytest.mark.parametrize(
    ("count", "size", "shape"),
    [
        (1, (80, 18), (1, 1)),
        (2, (80, 18), (1, 2)),
        (3, (160, 38), (2, 2)),
        (4, (80, 18), (2, 2)),
        (4, (160, 38), (2, 2)),
        (6, (160, 38), (2, 3)),
        (9, (160, 38), (3, 3)),
        (4, (40, 24), (1, 4)),
        (4, (40, 7), None),
        (9, (80, 18), (3, 3)),
        (16, (80, 18), None),
    ],
)
def test_charts_are_about_twice_as_wide_as_high(count, size, shape) -> None:
    assert shape_of(count, *size) == shape


@pytest.mark.parametrize(
    ("size", "usual"),
    [((80, 18), 4), ((160, 38), 4), ((112, 38), 4), ((40, 7), 1), ((40, 24), 2), ((240, 60), 6)],
)
def test_the_usual_number_of_charts(size, usual) -> None:
    assert usual_count(*size) == usual


@pytest.mark.parametrize("size", [(1, 1), (0, 0), (20, 3)])
def test_the_smallest_terminal_has_one_chart(size) -> None:
    assert counts_for(*size) == [1]
    assert usual_count(*size) == 1


def test_every_count_that_is_offered_fits() -> None:
    for width in range(20, 200, 7):
        for height in range(4, 60, 3):
            for count in counts_for(width, height)[1:]:
                columns, rows = shape_of(count, width, height)
                assert width // columns >= 26
                assert height // rows >= 6
                assert columns * rows >= count > columns * (rows - 1)


def test_pages() -> None:
    assert list(page_of(0, 4, 11)) == [0, 1, 2, 3]
    assert list(page_of(5, 4, 11)) == [4, 5, 6, 7]
    assert list(page_of(10, 4, 11)) == [8, 9, 10]
