"""The shortest text that makes a terminal show other cells."""

from __future__ import annotations

import pyte
import pytest

from clr_tui.tui.terminal_cells import RESET, Piece, ShownCells

RED, GREEN, GREY = "38;2;255;0;0", "38;2;0;255;0", "48;2;16;16;16"


def shown_after(*updates: list[Piece]) -> tuple[pyte.Screen, list[str]]:
    """What a terminal shows after updates, and what each of them sent."""
    cells, screen = ShownCells(), pyte.Screen(40, 4)
    sent = []
    for pieces in updates:
        sent.append(cells.update(pieces))
        pyte.Stream(screen).feed(sent[-1])
    return screen, sent


def line(text: str, codes: str = RED) -> list[Piece]:
    return [Piece(0, 0, text, codes)]


def test_short_gaps_between_changes_are_sent_again_and_long_ones_jumped_over() -> None:
    screen, (_, near) = shown_after(line("aXbcdXe"), line("aYbcdYe"))
    assert near == f"\x1b[1;2H\x1b[{RED}mYbcdY{RESET}"
    assert screen.display[0].startswith("aYbcdYe")
    _, (_, jumped) = shown_after(line("X123456789X"), line("Y123456789Y"))
    assert "2" not in jumped.replace(RED, "").replace("\x1b[1;11H", "")


def test_scattered_cells_are_sent_style_by_style() -> None:
    before = [Piece(x, y, ".", RED) for y in range(4) for x in range(0, 40, 10)]
    after = [
        Piece(x, y, "o", (RED, GREEN)[(x // 10 + y) % 2])
        for y in range(4)
        for x in range(0, 40, 10)
    ]
    screen, (_, sent) = shown_after(before, after)
    assert sent.count(RED) == sent.count(GREEN) == 1
    assert screen.buffer[1][10].fg == "ff0000"
    assert screen.buffer[1][0].fg == "00ff00"


@pytest.mark.parametrize(
    ("before", "after", "sequence"),
    [
        (f"{RED};{GREY}", f"{GREEN};{GREY}", f"\x1b[{GREEN}m"),
        (f"1;{RED}", f"1;3;{RED}", "\x1b[3m"),
        (f"1;{RED};{GREY}", f"{RED};{GREY}", f"\x1b[0;{RED};{GREY}m"),
        (RED, "", "\x1b[39m"),
        (f"{RED};{GREY}", RED, "\x1b[49m"),
        ("38;5;200;48;5;17", "91;48;5;17", "\x1b[91m"),
        ("31;44", "31;104", "\x1b[104m"),
    ],
)
def test_of_a_style_only_what_differs_is_sent(before, after, sequence) -> None:
    _, (sent,) = shown_after([Piece(0, 0, "a", before), Piece(1, 0, "b", after)])
    assert sent.endswith(f"a{sequence}b{RESET}")


def test_blanks_that_look_the_same_are_not_sent_again() -> None:
    _, (_, sent) = shown_after(line("   ", f"{RED};{GREY}"), line("   ", f"1;{GREEN};{GREY}"))
    assert sent == ""
    # Underlined ones look different.
    screen, (_, sent) = shown_after(line("   "), line("   ", f"4;{RED}"))
    assert sent
    assert screen.buffer[0][1].underscore


def test_wide_characters_come_and_go_whole() -> None:
    screen, _ = shown_after(line("ab花cd"), line("花ab草"), line("xxxxxx"))
    assert screen.display[0].startswith("xxxxxx ")
    screen, _ = shown_after(line("xxxxxx"), line("ab花cd"), line("ab草cd"))
    assert screen.display[0].rstrip() == "ab草cd"


def test_nothing_is_sent_for_nothing() -> None:
    cells = ShownCells()
    assert cells.update([]) == ""
    assert cells.update([Piece(3, 1, "", RED)]) == ""
