"""Words that there is no room for."""

from view_histories import text_of

from clr_tui.tui.text.lines import row, truncate_lines, wrap_line

WORDS = "one two three four five six seven eight nine ten"


def test_lines_that_fit_are_unchanged() -> None:
    lines = wrap_line(WORDS, 20)
    assert truncate_lines(lines, len(lines), 20) == lines
    assert truncate_lines(lines, 0, 20) == []


def test_what_does_not_fit_is_said_to_be_missing() -> None:
    lines = wrap_line(WORDS, 20)
    assert len(lines) == 3
    shown = [text_of(line) for line in truncate_lines(lines, 2, 20)]
    assert shown == ["one two three four", "five six seven eig …"]
    assert all(len(line) <= 20 for line in shown)


def test_the_last_of_several_pieces_is_cut() -> None:
    line = row("label", "value", after=" and what is to be said of it")
    (shown,) = truncate_lines([line, line], 1, 24)
    assert shown[:2] == line[:2]
    assert text_of(shown) == "label     value and wh …"
