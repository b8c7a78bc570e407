"""What a program printed, as a terminal would show it."""

from __future__ import annotations

import io
import random

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.tui.text.output import MAX_LINE_LENGTH, MAX_LINES, PrintedLines, shown_rows


def lines_of(*pieces: str) -> list[str]:
    printed = PrintedLines()
    for piece in pieces:
        printed.feed(piece)
    return printed.lines


def test_a_progress_bar_is_one_line_in_its_last_state() -> None:
    bar = "".join(f"\r{i:3d}%|{'#' * (i // 10):10}|" for i in range(101))
    assert lines_of("start\n", bar) == ["start", "100%|##########|"]
    assert lines_of(bar, "\nend\n") == ["100%|##########|", "end"]
    assert lines_of(bar, "\r" + " " * 16 + "\r", "end\n") == ["end"]  # tqdm with leave=False


def test_windows_line_ends_are_line_ends() -> None:
    assert lines_of("a\r\nb\r", "\nc") == ["a", "b", "c"]


def test_nested_bars_keep_their_lines() -> None:
    """As tqdm draws them: down to the inner bar, and up again."""
    text = ""
    for epoch in range(3):
        text += f"\router {epoch}"
        for step in range(4):
            text += f"\n\rinner {step}\x1b[A"
    assert lines_of(text) == ["outer 2", "inner 3"]


def test_nested_bars_look_as_in_a_terminal() -> None:
    tqdm = pytest.importorskip("tqdm").tqdm
    file = io.StringIO()
    for _ in tqdm(range(3), file=file, ascii=True, ncols=60, desc="epochs"):
        for _ in tqdm(range(5), file=file, ascii=True, ncols=60, desc="steps", mininterval=0):
            pass
    text = file.getvalue()
    screen = pyte.Screen(80, 24)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed(text)
    assert lines_of(text) == [row.rstrip() for row in screen.display if row.strip()]


@given(st.text(alphabet="ab\r\n\x1b[3A é█", max_size=60), st.integers(0, 60))
def test_how_the_text_is_cut_into_pieces_changes_nothing(text, at) -> None:
    whole = PrintedLines()
    whole.feed(text + "x")
    parts = PrintedLines()
    parts.feed(text[:at])
    parts.feed(text[at:] + "x")
    assert parts.lines == whole.lines


def test_other_control_characters_are_shown_as_text() -> None:
    (line,) = lines_of("\x1b[31mred\x1b[0m \x07[bold]x[/bold]\x1b]0;title\x07")
    assert shown_rows(line, 80) == ("�[31mred�[0m �[bold]x[/bold]�]0;title�",)


def test_memory_is_bounded() -> None:
    printed = PrintedLines()
    for i in range(3 * MAX_LINES):
        printed.feed(f"{i}\n")
    assert len(printed.lines) == MAX_LINES - 1  # and the empty one after the last
    assert printed.lines[-1] == str(3 * MAX_LINES - 1)
    assert printed.dropped == 2 * MAX_LINES + 1
    for _ in range(100):
        printed.feed("x" * 1000)
    assert len(printed.lines[-1]) == MAX_LINE_LENGTH
    assert printed.lines[-1].endswith("…")


def test_cursor_up_stops_at_the_first_line_that_is_kept() -> None:
    assert lines_of("a\nb\x1b[999999A\rc") == ["c", "b"]


def test_long_lines_are_wrapped_by_cells() -> None:
    assert shown_rows("abcdef", 4) == ("abcd", "ef")
    assert shown_rows("花花花", 4) == ("花花", "花")
    assert shown_rows("", 4) == ("",)
    assert shown_rows("a\tb", 20) == ("a       b",)


def test_nothing_is_lost_by_wrapping() -> None:
    letters = random.Random(0).choices("abc花é", k=500)
    text = "".join(letters)
    assert "".join(shown_rows(text, 7)) == text
