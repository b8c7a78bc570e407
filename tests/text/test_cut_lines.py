"""Words that there is no room for."""

from view_histories import text_of

from clr_tui.tui.text.lines import cut, row, wrapped

WORDS = "one two three four five six seven eight nine ten"


def test_what_fits_stays() -> None:
    lines = wrapped(WORDS, 20)
    assert cut(lines, len(lines), 20) == lines
    assert cut(lines, 0, 20) == []


def test_what_does_not_fit_is_said_to_be_missing() -> None:
    lines = wrapped(WORDS, 20)
    assert len(lines) == 3
    shown = [text_of(line) for line in cut(lines, 2, 20)]
    assert shown == ["one two three four", "five six seven eig …"]
    assert all(len(line) <= 20 for line in shown)


def test_the_last_of_several_pieces_is_cut() -> None:
    line = row("label", "value", after=" and what is to be said of it")
    (shown,) = cut([line, line], 1, 24)
    assert shown[:2] == line[:2]
    assert text_of(shown) == "label     value and wh …"
